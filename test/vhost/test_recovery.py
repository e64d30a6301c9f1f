#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that a port comes back by itself: after its vhost-user peer was killed in mid-traffic, as
often as one likes, and after the device broke a queue. Each time the
application is told, traffic is whole again without a command, what was lost is counted, and no
buffer is.

VIO_KILLS says how often the peer is killed in a row (3).
"""

import os
import time

import pytest

import frames
import hostile
import pcapfile
import traffic
from test_loop import RINGS, devargs

pytestmark = pytest.mark.ours

LOOP = ["--port-topology=loop"]
KILLS = int(os.environ.get("VIO_KILLS", "3"))
COMING_BACK_SECONDS = 10


def endless(lab, name, sent):
    """A pcap port of the device that sends the same frames over and over, and keeps what returns."""
    files = f"rx_pcap={lab.pcap(f'{name}-in.pcap', sent)},tx_pcap={lab.file(f'{name}.pcap')}"
    return f"net_pcap0,{files},infinite_rx=1"


def exact(name, sent, lab):
    """A pcap port of the device that sends each frame once."""
    files = f"rx_pcap={lab.pcap(f'{name}-in.pcap', sent)},tx_pcap={lab.file(f'{name}.pcap')}"
    return f"net_pcap1,{files}"


def await_said(process, words, times=1, seconds=COMING_BACK_SECONDS):
    """Wait until the log has these words so often. No command is typed meanwhile: what another
    thread prints may stand in the middle of its prompt."""
    deadline = time.monotonic() + seconds
    while process.log.count(words) < times:
        assert process.alive() and time.monotonic() < deadline, (
            f"not {times} times {words!r}\n{process.tail()}"
        )
        time.sleep(0.01)
    time.sleep(0.05)


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
        back = pcapfile.read(lab.file(f"{kill}.pcap"), killed=True)
        assert len(back) >= 200
        fault = frames.replay_fault(sent, 1 << 62, back)
        assert fault is None, fault
        more = [exact("whole", whole, lab)] if kill == KILLS - 1 else []
        device = lab.device(endless(lab, f"{kill + 1}", sent), *more, **peer)
        await_said(driver, "recovered in", kill + 1)
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


# Lies that break a queue.
AUTO = ("1.beyond", "2.not-in-flight", "6.far")


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in hostile.cases() if case.name in AUTO]
)
def test_hostile(lab, case):
    """The device lies once, and then no more: frames go round again, and nobody restarted."""
    play = hostile.Play(lab, case)
    try:
        play.boot(recover="auto")
        play.forward()
        play.await_lie()
        await_said(play.driver, "recovered in")
        assert play.moves(5), "no frame moves any more"
        play.stop_port()
        assert play.driver.mbufs_out() == 0
        play.driver.quit()
    finally:
        play.end()


def test_hostile_for_good(lab):
    """The device lies again each time: the port is given up, and says so."""
    case = next(case for case in hostile.cases() if case.id == "1.beyond-rx-split-mrg")
    play = hostile.Play(lab, case, ["--repeat"])
    try:
        play.boot(recover="auto", recover_tries=3)
        play.forward()
        await_said(play.driver, "gave up recovering after 3 tries")
        xstats = play.driver.xstats(0)
        assert xstats["recoveries"] == 3 and xstats["rx_q0_broken_id_range"] == 4
        assert xstats["recovery_failures"] == 1
        assert not play.driver.link_up()
        play.stop_port()
        assert play.driver.mbufs_out() == 0
        play.driver.quit()
    finally:
        play.end()
