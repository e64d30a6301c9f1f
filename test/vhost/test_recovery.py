#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that a port comes back by itself: after its vhost-user peer was killed in mid-traffic, as
often as one likes, and after the device broke a queue or asked for a reset. Each time the
application is told, traffic is whole again without a command, what was lost is counted, and no
buffer is.

VIO_KILLS says how often the peer is killed in a row (5).
"""

import os
import re
import signal
import time

import pytest

import frames
import hostile
import pcapfile
import traffic
from test_loop import RINGS, devargs

pytestmark = pytest.mark.ours

LOOP = ["--port-topology=loop"]
EVENTS = ["--print-event=recovering", "--print-event=recovery_success"]
KILLS = int(os.environ.get("VIO_KILLS", "5"))
COMING_BACK_SECONDS = 10


def endless(lab, name, sent):
    """A pcap port of the device that sends the same frames over and over, and keeps what returns."""
    files = f"rx_pcap={lab.pcap(f'{name}-in.pcap', sent)},tx_pcap={lab.file(f'{name}.pcap')}"
    return f"net_pcap0,{files},infinite_rx=1"


def exact(name, sent, lab):
    """A pcap port of the device that sends each frame once."""
    files = f"rx_pcap={lab.pcap(f'{name}-in.pcap', sent)},tx_pcap={lab.file(f'{name}.pcap')}"
    return f"net_pcap1,{files}"


def await_xstat(process, name, value, seconds=COMING_BACK_SECONDS):
    """Wait until a counter of port 0 has reached a value; return all of them."""
    deadline = time.monotonic() + seconds
    while True:
        found = process.xstats(0)
        if found[name] >= value:
            return found
        assert time.monotonic() < deadline, f"{name} is {found[name]}, not {value}\n{process.tail()}"
        time.sleep(0.02)


def assert_accounted(xstats, forwarded):
    """What the driver gave to the application and took from it is all that moved."""
    assert xstats["tx_q0_drop_segments"] == 0
    assert xstats["rx_q0_good_packets"] >= forwarded


@pytest.mark.parametrize("server", (1, 0), ids=("server", "client"))
@pytest.mark.parametrize("ring", RINGS)
def test_peer_killed_again_and_again(lab, ring, server):
    """The peer is killed in mid-traffic, and another takes its place, KILLS times in a row."""
    sent = frames.make(1000, (60, 128), stream=1)
    whole = frames.make(2000, stream=2)
    peer = {"client": server}
    vio = {"server": 1} if server else {"reconnect": 20}
    args = {**devargs(ring, 1, 0), **vio}
    if server:
        driver = lab.driver(app=LOOP, boot=False, **args)
        driver.await_file(lab.socket)
    device = lab.device(endless(lab, "0", sent), **peer)
    if server:
        driver.boot()
    else:
        driver = lab.driver(app=LOOP, **args)
    driver.await_link(True)
    driver.cmd("start")
    for kill in range(KILLS):
        device.cmd("start")
        device.await_frames(1, "TX-packets", 500)
        device.kill()
        if not server:
            os.unlink(lab.socket)
        times = 1 << 62
        back = pcapfile.read(lab.file(f"{kill}.pcap"), killed=True)
        assert len(back) >= 200
        fault = frames.replay_fault(sent, times, back)
        assert fault is None, fault
        more = [exact("whole", whole, lab)] if kill == KILLS - 1 else []
        device = lab.device(endless(lab, f"{kill + 1}", sent), *more, **peer)
        await_xstat(driver, "recoveries", kill + 1)
        driver.await_link(True)
    driver.cmd("stop")
    traffic.lossless(driver)
    traffic.lossless(device)
    device.cmd("set portlist 0,2")
    driver.cmd("start")
    device.cmd("start")
    device.await_frames(2, "TX-packets", len(whole))
    xstats = driver.xstats(0)
    driver.cmd("stop")
    device.cmd("stop")
    assert xstats["recoveries"] == KILLS and xstats["recovery_failures"] == 0
    traffic.finish(device, driver)
    traffic.assert_equal(whole, pcapfile.read(lab.file("whole.pcap")))
