#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Transmit offloads against DPDK's vhost, which finishes what the driver leaves to it: checksums,
whatever stood in the frames before; segmentation, which it marks; and tags put in by the driver."""

import pytest

import inet
import pcapfile
import traffic
from inet import TCP, UDP
from test_loop import RINGS

COUNT = 240
CSUM, HOST_TSO4, HOST_TSO6, HOST_ECN = 0, 11, 12, 13
pytestmark = pytest.mark.ours


def start(lab, sent, ring, offloads, mode="csum", tso=0, segsz=0, verbose=False, commands=()):
    """Both ends: frames out of a pcap file through the driver to the device's pcap file."""
    memory = {"memory": ("--in-memory", "-m", "320")} if tso else {}
    vdevs = [lab.vhost() + f",tso={tso}", f"net_pcap0,tx_pcap={lab.file('out.pcap')}"]
    device = lab.start("device", vdevs, app=["--rxq=1", "--txq=1"])
    driver = lab.driver(
        f"net_pcap0,rx_pcap={lab.pcap('in.pcap', sent)}",
        app=["--disable-device-start"],
        packed_vq=RINGS[ring],
        start=memory,
    )
    for offload in offloads:
        driver.cmd(f"port config 0 tx_offload {offload} on")
    for layer in ("ip", "tcp", "udp"):
        if any(offload.startswith(layer) and "cksum" in offload for offload in offloads):
            driver.cmd(f"csum set {layer} hw 0")
    for command in commands:
        driver.cmd(command)
    if segsz:
        driver.cmd(f"tso set {segsz} 0")
    driver.cmd("port start all")
    driver.await_link(True)
    device.await_link(True)
    if verbose:
        device.cmd("set verbose 1")
    traffic.lossless(driver, mode)
    traffic.lossless(device)
    return device, driver


def run(lab, device, driver, count):
    """Let the frames through; return those that came, and the driver's counters."""
    device.cmd("start")
    driver.cmd("start")
    driver.await_frames(0, "TX-packets", count)
    xstats = driver.xstats(0)
    if device.log.count("Change verbose level"):
        traffic.await_verbose(device, count)
    device.await_frames(1, "TX-packets", count)
    traffic.finish(device, driver)
    return pcapfile.read(lab.file("out.pcap")), xstats


def mixed(sizes):
    """Frames of both versions and protocols, of sizes in turn."""
    kinds = [(v, p) for v in (4, 6) for p in (TCP, UDP)]
    return [inet.make(n, *kinds[n % 4], sizes[n // 4 % len(sizes)]) for n in range(COUNT)]


def assert_inner_equal(came, want):
    """All but the addresses is as it should be."""
    assert len(came) == len(want)
    for n, (got, expected) in enumerate(zip(came, want)):
        assert inet.inner(got) == inet.inner(expected), n


@pytest.mark.parametrize("ring", RINGS)
def test_checksums(lab, ring):
    """Wrong ones go in, right ones come out; and the path line says which path did it."""
    want = mixed((74, 75, 300, 1001, 1514))
    sent = [inet.spoiled(frame) for frame in want]
    offloads = ["ipv4_cksum", "udp_cksum", "tcp_cksum"]
    device, driver = start(lab, sent, ring, offloads)
    assert device.negotiated() >> CSUM & 1
    assert not device.negotiated() >> HOST_TSO4 & 1
    assert "vio chains with offloads (" in driver.cmd("show txq info 0 0")
    came, xstats = run(lab, device, driver, COUNT)
    assert xstats["tx_q0_drop_offload"] == 0
    assert_inner_equal(came, want)


def test_nothing_is_negotiated_unasked(lab):
    """Without offloads the device is not asked to look at headers, and the plain path runs."""
    want = mixed((74, 1514))
    device, driver = start(lab, want, "packed", [], "mac")
    assert device.negotiated() & (1 << CSUM | 1 << HOST_TSO4 | 1 << HOST_TSO6) == 0
    assert "vio chains (" in driver.cmd("show txq info 0 0")
    came, _ = run(lab, device, driver, COUNT)
    assert_inner_equal(came, want)


@pytest.mark.parametrize("ring", RINGS)
def test_segmentation(lab, ring):
    """Large frames arrive as one each, marked as what a NIC would cut; small ones as they are."""
    sizes = (100, 1014, 5000, 9000)
    want = [inet.make(n, 4 + n % 2 * 2, TCP, sizes[n // 2 % 4]) for n in range(COUNT)]
    sent = [inet.spoiled(frame) for frame in want]
    offloads = ["multi_segs", "ipv4_cksum", "tcp_cksum"]
    device, driver = start(lab, sent, ring, offloads, tso=1, segsz=960, verbose=True)
    features = device.negotiated()
    assert all(features >> bit & 1 for bit in (CSUM, HOST_TSO4, HOST_TSO6, HOST_ECN))
    came, xstats = run(lab, device, driver, COUNT)
    assert xstats["tx_q0_drop_offload"] == 0
    assert device.log.count("RTE_MBUF_F_RX_LRO") == COUNT // 2
    assert_inner_equal(came, want)


@pytest.mark.parametrize("ring", RINGS)
def test_tags_are_put_in(lab, ring):
    """By the driver, in small frames and in chains; with checksums at the same time."""
    plain = [inet.make(n, 4, TCP, (60, 75, 1510, 5000)[n % 4]) for n in range(COUNT)]
    offloads = ["multi_segs"]
    device, driver = start(lab, plain, ring, offloads, "mac", commands=["tx_vlan set 0 77"])
    came, xstats = run(lab, device, driver, COUNT)
    want = [inet.make(n, 4, TCP, len(frame), tci=77) for n, frame in enumerate(plain)]
    assert xstats["tx_q0_good_bytes"] == sum(map(len, want))
    assert_inner_equal(came, want)


def test_segmentation_that_the_device_lacks(lab):
    """What is not announced cannot be turned on, and what is asked for all the same is refused by
    rte_eth_tx_prepare()."""
    sent = [inet.make(n, 4, TCP, 1500) for n in range(COUNT)]
    device, driver = start(lab, sent, "packed", ["ipv4_cksum", "tcp_cksum"], tso=0)
    assert "TCP_TSO" not in driver.cmd("show port 0 tx_offload capabilities")
    driver.cmd("port stop 0")
    assert "TSO is not supported by port 0" in driver.cmd("tso set 500 0")
    driver.cmd("port start 0")
    driver.await_link(True)
    device.cmd("start")
    driver.cmd("start")
    driver.await_line("Preparing packet burst to transmit failed: (Operation not supported|Not supported)")
    driver.cmd("stop")
    assert driver.stats(0)["TX-packets"] == 0
    traffic.finish(device, driver)
