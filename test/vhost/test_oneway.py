#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves each direction alone, and both at once without a loop: frames from a file at one end are
those in the file at the other. Rings run full here, as bursts of 32 meet rings of 64, so that
bursts which fit in part are tried too.
"""

import pytest

import frames
import pcapfile
import traffic
from test_loop import RINGS, SIZES, descriptors, devargs

COUNT = 4000


def start(lab, to_driver, to_device, queue_size, kind, args):
    """Start both ends, each with a pcap port: what it sends, and a file for what comes."""
    ends = {}
    for end, sent in ("device", to_driver), ("driver", to_device):
        files = f"rx_pcap={lab.pcap(f'{end}-in.pcap', sent)}" if sent else ""
        files += f",tx_pcap={lab.file(f'{end}-out.pcap')}"
        ends[end] = "net_pcap0," + files.strip(",")
    device = lab.device(ends["device"])
    driver = lab.driver(
        ends["driver"], jumbo=kind == "jumbo", app=descriptors(queue_size), **args
    )
    driver.await_link(True)
    device.await_link(True)
    traffic.assert_negotiated(device, args)
    for process in device, driver:
        traffic.lossless(process)
        process.cmd("start")
    return device, driver


def check(lab, device, driver, to_driver, to_device):
    """Wait for all frames, stop, and compare the files."""
    device.await_frames(1, "TX-packets", len(to_device))
    driver.await_frames(1, "TX-packets", len(to_driver))
    traffic.finish(device, driver)
    traffic.assert_equal(to_device, pcapfile.read(lab.file("device-out.pcap")))
    traffic.assert_equal(to_driver, pcapfile.read(lab.file("driver-out.pcap")))


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("in_order", (0, 1))
@pytest.mark.parametrize("mrg", (0, 1))
@pytest.mark.parametrize("ring", RINGS)
@pytest.mark.parametrize("way", ("receive", "transmit"))
def test_one_way(lab, way, ring, mrg, in_order, kind):
    args = devargs(ring, mrg, in_order, 64)
    sent = frames.make(COUNT, SIZES[kind])
    to_driver, to_device = (sent, []) if way == "receive" else ([], sent)
    device, driver = start(lab, to_driver, to_device, 64, kind, args)
    check(lab, device, driver, to_driver, to_device)


@pytest.mark.parametrize("ring", RINGS)
def test_both_ways(lab, ring):
    """Different frames cross each other."""
    to_driver, to_device = frames.make(COUNT, stream=1), frames.make(COUNT, stream=2)
    device, driver = start(lab, to_driver, to_device, 256, "small", devargs(ring, 1, 0))
    check(lab, device, driver, to_driver, to_device)
