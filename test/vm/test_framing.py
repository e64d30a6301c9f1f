# SPDX-License-Identifier: BSD-3-Clause
"""A legacy device that does not take any layout: headers go in descriptors of their own."""

import numbered
import pytest
import rig
from viovm import dpdk

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files, ours):
    nic = "disable-modern=on,any_layout=off"
    with rig.rig(run_dir, build_dir, guest_files, ours, nic) as made:
        yield made


def test_headers_apart(vm):
    with vm.app(dpdk.OUR_APP, eal="--iova-mode=pa") as app:
        vm.forward(app, numbered.sweep(60, 1514, 7))
        report = app.finish()
    for port in (0, 1):
        assert not {"ANY_LAYOUT", "MRG_RXBUF", "VERSION_1"} & rig.features(report, port)
    assert report["mbufs_missing"] == 0
    assert app.output().count("transmit: vio headers apart (") == 2, app.output()
    assert app.output().count("receive: vio large buffers with offloads (") == 2, app.output()
