#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Which driver is under test, and where its files are. conftest.py tells of the environment."""

import os

OURS = "net_vio_user"
STAND_IN = "net_virtio_user"

# All devargs of net_vio_user.
DEVARGS = "path mac cq queues queue_size server mrg_rxbuf in_order packed_vq event_idx speed"
DEVARGS += " vectorized simd timeout recover recover_tries reconnect"


def driver():
    """The vdev under test."""
    return os.environ.get("VIO_TEST_DRIVER", OURS)


def is_ours():
    """False where DPDK's own driver stands in."""
    return driver() == OURS


def build_file(*parts):
    """The absolute path of a file in the build folder."""
    return os.path.abspath(os.path.join(os.environ.get("VIO_BUILD", ""), *parts))


def plugin():
    """The plug-in under test."""
    return build_file("drivers", "net", "vio", "librte_net_vio.so")


def app():
    """Our own testpmd."""
    return build_file("app", "testpmd", "vio-testpmd")


def example(name):
    """One of our examples."""
    return build_file("examples", name, name)
