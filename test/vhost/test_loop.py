#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that frames go from DPDK's vhost to the driver and back unharmed: every one arrives, once,
whole and in order, for split and packed rings, mergeable receive buffers or not, completion in
order or not, and ring sizes that the traffic wraps many times. Frames are 60 to 1514 bytes, or 60
to 9000: those are received as several mbufs where buffers are mergeable and then sent as chains.
At the end both ends have all their mbufs again, and the driver's counters agree.
"""

import itertools
import os

import pytest

import frames
import traffic
from conftest import MEMORY_MIB

RINGS = {"split": 0, "packed": 1}
SIZES = {"small": frames.SMALL, "jumbo": frames.JUMBO}
QUEUE_SIZES = {"split": (64, 256, 1024), "packed": (64, 256, 496, 1024)}


def cases():
    """Every combination of ring, features, ring size and sizes of frames."""
    for ring, sizes in QUEUE_SIZES.items():
        for mrg, in_order, size, kind in itertools.product((0, 1), (0, 1), sizes, SIZES):
            name = f"{ring}-mrg{mrg}-inorder{in_order}-{size}-{kind}"
            yield pytest.param(ring, mrg, in_order, size, kind, id=name)


def devargs(ring, mrg, in_order, queue_size=256):
    """The devargs of one combination."""
    return {
        "packed_vq": RINGS[ring],
        "mrg_rxbuf": mrg,
        "in_order": in_order,
        "queue_size": queue_size,
    }


def descriptors(queue_size):
    """The options that make testpmd use the whole ring."""
    return [f"--rxd={queue_size}", f"--txd={queue_size}"]


@pytest.mark.parametrize("ring,mrg,in_order,queue_size,kind", cases())
def test_loop(lab, ring, mrg, in_order, queue_size, kind):
    sent = frames.make(max(3000, 6 * queue_size), SIZES[kind])
    burst = traffic.safe_burst(queue_size, SIZES[kind][1])
    back = traffic.run_loop(
        lab,
        [sent],
        burst,
        jumbo=kind == "jumbo",
        app=descriptors(queue_size),
        **devargs(ring, mrg, in_order, queue_size),
    )
    traffic.assert_equal(sent, back[0])


@pytest.mark.parametrize("ring", RINGS)
def test_macswap(lab, ring):
    """The driver's frames are the application's to change: addresses come back exchanged."""
    sent = frames.make(2000)
    back = traffic.run_loop(lab, [sent], 32, mode="macswap", **devargs(ring, 1, 0))
    traffic.assert_equal(frames.mac_swapped(sent), back[0])


@pytest.mark.parametrize("queues", (2, 4))
@pytest.mark.parametrize("ring", RINGS)
def test_queue_pairs(lab, ring, queues):
    """Each queue carries its own frames, all of them, in its own order."""
    sent = [frames.make(1000, stream=q) for q in range(queues)]
    back = traffic.run_loop(lab, sent, 16, cq=1, **devargs(ring, 1, 0))
    for queue in range(queues):
        traffic.assert_equal(sent[queue], back[queue])


def test_default_descriptors(lab):
    """testpmd asks for the driver's default number of descriptors, fewer than the ring has."""
    sent = frames.make(6000)
    back = traffic.run_loop(lab, [sent], 32, **devargs("packed", 1, 0, 1024))
    traffic.assert_equal(sent, back[0])


def test_memory_added_at_run_time(lab):
    """Without -m, EAL takes hugepages as they are needed, after the device was set up too."""
    sent = frames.make(3000)
    back = traffic.run_loop(lab, [sent], 32, start={"memory": ("--in-memory",)})
    traffic.assert_equal(sent, back[0])


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a hugetlbfs: needs root")
def test_memory_in_hugetlbfs(lab):
    """Memory in files, as users without --in-memory have it."""
    folder = lab.mount_hugetlbfs()
    memory = ("--huge-dir", folder, "-m", str(MEMORY_MIB))
    sent = frames.make(3000)
    back = traffic.run_loop(lab, [sent], 32, start={"memory": memory})
    traffic.assert_equal(sent, back[0])
