#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves transmit of frames in several segments: fixed ones, and ones cut at random places down to
a single byte. Chains of received jumbo frames are in test_loop.py.
"""

import struct

import pytest

import frames
import pcapfile
import traffic
from conftest import DRIVER_MAC
from test_loop import RINGS, descriptors, devargs

SEGMENTS = (64, 128, 256)
PEER_MAC = bytes.fromhex("020000000000")
HEADERS = 14 + 20 + 8
TX_OFFLOAD_MULTI_SEGS = 0x8000
LOOP = ["--port-topology=loop", f"--tx-offloads={TX_OFFLOAD_MULTI_SEGS:#x}"]


def assert_txonly_frame(frame, first):
    """A frame of testpmd's txonly mode: Ethernet, IPv4 and UDP headers that fit its length, and
    behind them bytes that nobody wrote, 0 in a fresh pool. A buffer that was a first segment
    before has the headers of then."""
    length = sum(SEGMENTS)
    assert len(frame) == length
    assert frame[0:6] == PEER_MAC and frame[6:12].hex(":") == DRIVER_MAC
    assert struct.unpack_from("!HBBH", frame, 12) == (0x0800, 0x45, 0, length - 14)
    assert struct.unpack_from("!H", frame, 38)[0] == length - 34
    assert frame[:HEADERS] == first[:HEADERS]
    assert not any(frame[HEADERS : SEGMENTS[0]])
    at = SEGMENTS[0]
    for size in SEGMENTS[1:]:
        segment = frame[at : at + size]
        assert segment[:HEADERS] in (bytes(HEADERS), first[:HEADERS])
        assert not any(segment[HEADERS:])
        at += size


@pytest.mark.parametrize("ring", RINGS)
def test_txonly(lab, ring):
    """txonly with txpkts 64,128,256: the device gets those lengths and that content."""
    device = lab.device(f"net_pcap0,tx_pcap={lab.file('out.pcap')}")
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 0))
    driver.await_link(True)
    driver.cmd("set txpkts " + ",".join(map(str, SEGMENTS)))
    driver.cmd("set fwd txonly")
    device.cmd("set fwd io")
    device.cmd("start")
    driver.cmd("start")
    device.await_frames(1, "TX-packets", 2000)
    driver.cmd("stop")
    count = driver.stats(0)["TX-packets"]
    device.await_frames(1, "TX-packets", count)
    traffic.finish(device, driver)

    received = pcapfile.read(lab.file("out.pcap"))
    assert len(received) == count
    for frame in received:
        assert_txonly_frame(frame, received[0])


@pytest.mark.parametrize("in_order", (0, 1))
@pytest.mark.parametrize("ring,queue_size", (("split", 256), ("packed", 256), ("packed", 496)))
def test_cut_at_random(lab, ring, queue_size, in_order):
    """testpmd copies each frame into 1 to 40 segments, the smallest of one byte, before it sends:
    what a driver puts into one descriptor, into an indirect table, or into a chain that may wrap
    around the end of the ring, all mixed."""
    sent = frames.make(6000)
    device = lab.device(f"net_pcap0,tx_pcap={lab.file('out.pcap')}")
    driver = lab.driver(
        f"net_pcap0,rx_pcap={lab.pcap('in.pcap', sent)}",
        app=descriptors(queue_size),
        **devargs(ring, 1, in_order, queue_size),
    )
    driver.await_link(True)
    device.await_link(True)
    traffic.lossless(device)
    traffic.lossless(driver, "csum")
    driver.cmd("port stop 0")
    driver.cmd("port config 0 tx_offload multi_segs on")
    driver.cmd("port start 0")
    driver.await_link(True)
    driver.cmd("set txpkts 20,1,33,2,7,64," + ",".join(["5,1,9"] * 11) + ",99")
    driver.cmd("set txsplit rand")
    device.cmd("start")
    driver.cmd("start")
    device.await_frames(1, "TX-packets", len(sent))
    traffic.finish(device, driver)

    # The csum mode sends to the peer's address, from its own.
    addresses = PEER_MAC + bytes.fromhex(DRIVER_MAC.replace(":", ""))
    want = [addresses + frame[12:] for frame in sent]
    traffic.assert_equal(want, pcapfile.read(lab.file("out.pcap")))
