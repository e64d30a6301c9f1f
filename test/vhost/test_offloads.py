#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Receive offloads against DPDK's vhost: checksums that the sender left out are marked where the
application asked for that, and whole where it did not; tags are taken out of frames, or left in."""

import re
import struct

import pytest

import frames
import pcapfile
import traffic
from test_loop import RINGS

COUNT = 300
GUEST_CSUM = 1
ADDRESSES = 12  # bytes: testpmd's mode csum sets its own
pytestmark = pytest.mark.ours


def ones_sum(data):
    """The one's complement sum of 16-bit words."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def udp_frame(number):
    """An IPv4 frame with a whole UDP checksum."""
    payload = struct.pack("!I", number) * (5 + number % 200)
    length = 8 + len(payload)
    addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    ports = struct.pack("!HHH", 1000 + number, 2000, length)
    pseudo = addresses + struct.pack("!HH", 17, length)
    checksum = ~ones_sum(pseudo + ports + payload) & 0xFFFF or 0xFFFF
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, number, 0, 64, 17)
    whole = ~ones_sum(head + addresses) & 0xFFFF
    packet = head + struct.pack("!H", whole) + addresses + ports + struct.pack("!H", checksum) + payload
    return frames.DST_MAC + frames.SRC_MAC + b"\x08\x00" + packet


def tagged(frame, tci):
    """The frame with a VLAN tag."""
    return frame[:12] + struct.pack("!HH", 0x8100, tci) + frame[12:]


def start(lab, sent, ring, mrg, offloads, mode="io"):
    """Both ends: a pcap file through the device to the driver, and from there to another."""
    device = lab.device(
        f"net_pcap0,rx_pcap={lab.pcap('in.pcap', sent)}", app=["--disable-device-start"]
    )
    if mode == "csum":
        device.cmd("port config 0 tx_offload udp_cksum on")
    device.cmd("port start all")
    if mode == "csum":
        device.cmd("port stop 0")
        device.cmd("csum set udp hw 0")
        device.cmd("port start 0")
    driver = lab.driver(
        f"net_pcap0,tx_pcap={lab.file('out.pcap')}",
        app=["--disable-device-start"],
        packed_vq=RINGS[ring],
        mrg_rxbuf=mrg,
    )
    for offload in offloads:
        driver.cmd(f"port config 0 rx_offload {offload} on")
    driver.cmd("port start all")
    driver.await_link(True)
    device.await_link(True)
    traffic.lossless(device, mode)
    traffic.lossless(driver)
    return device, driver


def forward_verbosely(device, driver, count):
    """Forward so many frames, of which the driver's testpmd prints each."""
    driver.cmd("set verbose 1")
    driver.cmd("start")
    device.cmd("start")
    traffic.await_verbose(driver, count)
    driver.await_frames(1, "TX-packets", count)


def finish(lab, device, driver):
    """Stop both; return the frames that came."""
    traffic.finish(device, driver)
    return pcapfile.read(lab.file("out.pcap"))


@pytest.mark.parametrize("mrg", (0, 1))
@pytest.mark.parametrize("ring", RINGS)
def test_missing_checksums_are_marked(lab, ring, mrg):
    sent = [udp_frame(n) for n in range(COUNT)]
    device, driver = start(lab, sent, ring, mrg, ["udp_cksum"], "csum")
    assert device.negotiated() >> GUEST_CSUM & 1
    forward_verbosely(device, driver, COUNT)
    came = finish(lab, device, driver)
    assert driver.log.count("RTE_MBUF_F_RX_L4_CKSUM_NONE") == COUNT
    checksum = slice(40, 42)
    for n, (frame, original) in enumerate(zip(came, sent)):
        assert frame[ADDRESSES:40] == original[ADDRESSES:40] and frame[42:] == original[42:], n
    # Else the device would not have left anything out.
    assert sum(frame[checksum] != original[checksum] for frame, original in zip(came, sent)) > COUNT / 2


@pytest.mark.parametrize("mrg", (0, 1))
def test_checksums_are_whole_where_nobody_asked(lab, mrg):
    sent = [udp_frame(n) for n in range(COUNT)]
    device, driver = start(lab, sent, "packed", mrg, [], "csum")
    assert not device.negotiated() >> GUEST_CSUM & 1
    forward_verbosely(device, driver, COUNT)
    came = finish(lab, device, driver)
    assert [f[ADDRESSES:] for f in came] == [f[ADDRESSES:] for f in sent]
    assert "CKSUM_NONE" not in driver.log


@pytest.mark.parametrize("mrg", (0, 1))
@pytest.mark.parametrize("ring", RINGS)
def test_tags_are_taken_out(lab, ring, mrg):
    plain = frames.make(COUNT)
    sent = [tagged(f, 1 + n) if n % 3 else f for n, f in enumerate(plain)]
    device, driver = start(lab, sent, ring, mrg, ["vlan_strip"])
    forward_verbosely(device, driver, COUNT)
    stripped = driver.xstats(0)["rx_q0_vlan_stripped_packets"]
    traffic.assert_equal(plain, finish(lab, device, driver))
    assert stripped == sum(n % 3 != 0 for n in range(COUNT))
    tags = [int(tci, 16) for tci in re.findall(r"VLAN tci=(0x[0-9a-f]+)", driver.log)]
    assert tags == [1 + n for n in range(COUNT) if n % 3]


def test_stripping_is_switched_while_it_forwards(lab):
    """Neither way loses a frame, and show rxq info tells of the path that runs."""
    sent = [tagged(f, 5) for f in frames.make(COUNT)]
    device, driver = start(lab, sent, "packed", 1, [])
    driver.cmd("start")
    before = driver.cmd("show rxq info 0 0")
    driver.cmd("vlan set strip on 0")
    during = driver.cmd("show rxq info 0 0")
    device.cmd("start")
    driver.await_frames(1, "TX-packets", COUNT)
    assert driver.xstats(0)["rx_q0_vlan_stripped_packets"] == COUNT
    driver.cmd("vlan set strip off 0")
    after = driver.cmd("show rxq info 0 0")
    assert "vio mergeable (" in before and "vio mergeable (" in after
    assert "vio mergeable with offloads (" in during
    traffic.assert_equal(frames.make(COUNT), finish(lab, device, driver))
