#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Large frames from DPDK's vhost: segments that it leaves together, and jumbo frames, both also
where buffers are not mergeable and a buffer is a chain of mbufs; marks and packet types."""

import pytest

import frames
import inet
import pcapfile
import traffic
from conftest import JUMBO_FRAME
from inet import TCP, UDP
from test_loop import RINGS

COUNT = 240
GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN, MRG = 1, 7, 8, 9, 15
SIZES = (100, 1014, 5000, 9000, 9700)  # net_pcap writes no longer frames
BIG = ("--in-memory", "-m", "320")
pytestmark = pytest.mark.ours


def start(lab, sent, offloads, segsz=0, app=(), **devargs):
    """Both ends: a pcap file through the device to the driver, and from there to another."""
    vdevs = [lab.vhost() + ",tso=1", f"net_pcap0,rx_pcap={lab.pcap('in.pcap', sent)}"]
    app_device = ["--rxq=1", "--txq=1", "--disable-device-start"]
    device = lab.start("device", vdevs, app=app_device, memory=BIG)
    if segsz:
        # net_vhost announces no segmentation, but passes it on: testpmd complains, and asks for it.
        device.cmd(f"tso set {segsz} 0")
    device.cmd("port start all")
    driver = lab.driver(
        f"net_pcap0,tx_pcap={lab.file('out.pcap')}",
        app=["--disable-device-start", *app],
        start={"memory": BIG},
        **devargs,
    )
    for offload in offloads:
        driver.cmd(f"port config 0 rx_offload {offload} on")
    driver.cmd("port start all")
    driver.await_link(True)
    device.await_link(True)
    traffic.lossless(device, "csum" if segsz else "io")
    traffic.lossless(driver)
    return device, driver


def run(lab, device, driver, count, verbose=False):
    """Let the frames through; return those that came, and the driver's counters."""
    if verbose:
        driver.cmd("set verbose 1")
    driver.cmd("start")
    device.cmd("start")
    if verbose:
        traffic.await_verbose(driver, count)
    driver.await_frames(1, "TX-packets", count)
    xstats = driver.xstats(0)
    traffic.finish(device, driver)
    return pcapfile.read(lab.file("out.pcap")), xstats


def assert_inner_equal(came, want):
    """All but the addresses is as it should be."""
    assert len(came) == len(want)
    for n, (got, expected) in enumerate(zip(came, want)):
        assert inet.inner(got) == inet.inner(expected), n


def segments():
    """TCP over both versions of IP, of which three in five are larger than a frame."""
    return [inet.make(n, 4 + n % 2 * 2, TCP, SIZES[n // 2 % 5]) for n in range(COUNT)]


# DPDK's vhost writes four small frames at once into four descriptors of a packed ring, whether or
# not these are one buffer: it cannot do chains there.
@pytest.mark.parametrize("ring,mrg", (("split", 0), ("split", 1), ("packed", 1)))
def test_segments_stay_together(lab, ring, mrg):
    """They are marked, counted, and have whole checksums where the application asked for no mark."""
    want = segments()
    device, driver = start(lab, want, ["tcp_lro"], 960, packed_vq=RINGS[ring], mrg_rxbuf=mrg)
    features = device.negotiated()
    assert all(features >> bit & 1 for bit in (GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN))
    assert features >> MRG & 1 == mrg
    path = "mergeable" if mrg else "large buffers"
    assert f"vio {path} with offloads (" in driver.cmd("show rxq info 0 0")
    came, xstats = run(lab, device, driver, COUNT, verbose=True)
    large = sum(len(frame) > 1014 for frame in want)
    assert driver.log.count("RTE_MBUF_F_RX_LRO") == large
    assert xstats["rx_q0_lro_packets"] == large
    assert driver.log.count("RTE_MBUF_F_RX_L4_CKSUM_NONE") == 0
    assert not [name for name, value in xstats.items() if "rx_q0_drop" in name and value]
    assert_inner_equal(came, want)


def test_nobody_asked(lab):
    """Without the offload the device may not send such frames."""
    device, driver = start(lab, [inet.make(n, 4, TCP, 1514) for n in range(COUNT)], [])
    features = device.negotiated()
    assert not any(features >> bit & 1 for bit in (GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN))
    assert "vio mergeable (" in driver.cmd("show rxq info 0 0")
    run(lab, device, driver, COUNT)


def test_jumbo_frames_in_chains(lab):
    """Frames of all sizes in buffers of several mbufs: one of a buffer's mbufs, some, or all."""
    sent = frames.make(3000, frames.JUMBO)
    app = [f"--max-pkt-len={JUMBO_FRAME}"]
    device, driver = start(lab, sent, ["scatter"], app=app, mrg_rxbuf=0)
    assert not device.negotiated() >> MRG & 1
    assert "vio large buffers (" in driver.cmd("show rxq info 0 0")
    came, xstats = run(lab, device, driver, len(sent))
    traffic.assert_equal(sent, came)
    assert xstats["rx_q0_multi_segment_packets"] == sum(len(frame) > 2048 for frame in sent)


@pytest.mark.parametrize("mrg", (0, 1))
def test_ip_checksums_are_looked_at(lab, mrg):
    """In software, where asked: each frame is marked good or bad, but for IPv6."""
    sent = [inet.make(n, 4 + n % 3 // 2 * 2, UDP, 100 + n) for n in range(COUNT)]
    sent = [inet.spoiled(f, l4=False) if n % 3 == 1 else f for n, f in enumerate(sent)]
    device, driver = start(lab, sent, ["ipv4_cksum"], mrg_rxbuf=mrg)
    assert not device.negotiated() >> GUEST_CSUM & 1
    came, _ = run(lab, device, driver, COUNT, verbose=True)
    assert driver.log.count("RTE_MBUF_F_RX_IP_CKSUM_GOOD") == COUNT // 3
    assert driver.log.count("RTE_MBUF_F_RX_IP_CKSUM_BAD") == COUNT // 3
    assert came == sent


def test_packet_types(lab):
    """Told where the devarg asks for it; testpmd turns them off unless told otherwise."""
    sent = [inet.make(n, 4 + n % 2 * 2, (TCP, UDP)[n // 2 % 2], 100) for n in range(COUNT)]
    device, driver = start(lab, sent, [], app=["--no-lsc-interrupt"], ptypes=1)
    assert "vio mergeable (" in driver.cmd("show rxq info 0 0")
    driver.cmd("set port 0 ptype_mask 0xffffff")
    assert "vio mergeable with offloads (" in driver.cmd("show rxq info 0 0")
    assert "L4_UDP" in driver.cmd("show port 0 ptypes")
    run(lab, device, driver, COUNT, verbose=True)
    for l3 in "L3_IPV4", "L3_IPV6":
        for l4 in "L4_TCP", "L4_UDP":
            assert driver.log.count(f"hw ptype: L2_ETHER {l3} {l4} ") == COUNT // 4
