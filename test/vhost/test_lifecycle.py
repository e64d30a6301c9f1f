#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that stop, start, reconfigure, close, removal and the death of the peer lose nothing but
frames in flight: buffers are all back each time, traffic after it is whole, and a removed port
leaves no file, mapping, thread or memory behind. Also the driver as the listening end.
"""

import signal

import pytest

import frames
import pcapfile
import target
import traffic
from test_loop import RINGS, devargs

LOOP = ["--port-topology=loop"]
CYCLES = 20


def endless(lab, sent):
    """A pcap port that sends the same frames over and over."""
    files = f"rx_pcap={lab.pcap('endless.pcap', sent)},tx_pcap={lab.file('endless-out.pcap')}"
    return f"net_pcap0,{files},infinite_rx=1"


def finite(lab, number, sent):
    """A pcap port that sends each frame once."""
    files = f"rx_pcap={lab.pcap(f'in{number}.pcap', sent)},tx_pcap={lab.file(f'out{number}.pcap')}"
    return f"net_pcap{number},{files}"


def verify_traffic(lab, device, driver, number, sent, burst=32):
    """Loop the frames of the device's pcap port `number` through the driver; none is lost."""
    driver.await_link(True)
    device.await_link(True)
    traffic.lossless(driver, burst=burst)
    traffic.lossless(device, burst=burst)
    device.cmd(f"set portlist 0,{number}")
    driver.cmd("start")
    device.cmd("start")
    device.await_frames(number, "TX-packets", len(sent))
    driver.cmd("stop")
    device.cmd("stop")
    traffic.assert_equal(sent, pcapfile.read(lab.file(f"out{number}.pcap")))


@pytest.mark.parametrize("ring", RINGS)
def test_restart_in_traffic(lab, ring):
    """20 times stop and start while the device sends: no frame comes changed, twice or out of
    order, each time all buffers are back, and afterwards none is lost."""
    endless_frames = frames.make(1000, (60, 128), stream=1)
    sent = frames.make(3000)
    device = lab.device(endless(lab, endless_frames), finite(lab, 2, sent))
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 0))
    driver.await_link(True)
    device.cmd("set portlist 0,1")
    device.cmd("start")
    for _ in range(CYCLES):
        driver.cmd("start")
        device.await_frames(1, "TX-packets", device.stats(1)["TX-packets"] + 200)
        driver.cmd("stop")
        driver.cmd("port stop 0")
        if target.is_ours():
            assert driver.mbufs_out() == 0
        driver.cmd("port start 0")
    device.cmd("stop")
    driver.cmd("port stop 0")
    driver.cmd("port start 0")

    verify_traffic(lab, device, driver, 2, sent)
    times = device.stats(1)["RX-packets"]
    traffic.finish(device, driver)
    back = pcapfile.read(lab.file("endless-out.pcap"))
    assert len(back) >= CYCLES * 200
    fault = frames.replay_fault(endless_frames, times, back)
    assert fault is None, fault


@pytest.mark.parametrize("ring", RINGS)
def test_reconfigure(lab, ring):
    """Fewer descriptors after a stop: the ring is set up anew, and traffic is whole before and
    after."""
    first, second = frames.make(1000, stream=1), frames.make(3000, stream=2)
    device = lab.device(finite(lab, 1, first), finite(lab, 2, second))
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 0))
    verify_traffic(lab, device, driver, 1, first)
    driver.cmd("port stop all")
    driver.cmd("port config all rxd 128")
    driver.cmd("port config all txd 128")
    driver.cmd("port start all")
    assert "Number of RXDs: 128" in driver.cmd("show rxq info 0 0") or not target.is_ours()
    burst = traffic.safe_burst(128, frames.SMALL[1])
    verify_traffic(lab, device, driver, 2, second, burst)
    traffic.finish(device, driver)


def test_fewer_queues(lab):
    """From two queue pairs to one."""
    first, second = frames.make(1000, stream=1), frames.make(2000, stream=2)
    device = lab.device(finite(lab, 1, first), finite(lab, 2, second))
    driver = lab.driver(app=LOOP + ["--rxq=2", "--txq=2"], queues=2, cq=1)
    verify_traffic(lab, device, driver, 1, first)
    driver.cmd("port stop all")
    driver.cmd("port config all rxq 1")
    driver.cmd("port config all txq 1")
    driver.cmd("port start all")
    verify_traffic(lab, device, driver, 2, second)
    traffic.finish(device, driver)


def test_attach_and_detach(lab):
    """A port made and removed at run time, three times with traffic: nothing of it remains."""
    sent = [frames.make(1000, stream=n) for n in range(3)]
    device = lab.device(*(finite(lab, n + 1, sent[n]) for n in range(3)))
    driver = lab.start("driver", [], app=LOOP)
    seen = []
    for number in range(3):
        out = driver.cmd(f"port attach {lab.vio()}")
        assert "is attached" in out, out
        driver.cmd("port start 0")
        verify_traffic(lab, device, driver, number + 1, sent[number])
        driver.cmd("port stop 0")
        driver.cmd("port close 0")
        out = driver.cmd(f"device detach {target.driver()}0")
        assert "is detached" in out or "detached" in out, out
        assert driver.mbufs_out() == 0
        seen.append(driver.resources())
    assert seen[1] == seen[0] and seen[2] == seen[0]
    driver.quit()
    device.quit()


@pytest.mark.parametrize("ring", RINGS)
def test_peer_killed(lab, ring):
    """The vhost process dies in mid-traffic: link down, no crash, and all buffers come back."""
    device = lab.device(endless(lab, frames.make(1000, (60, 128))))
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 0))
    driver.await_link(True)
    driver.cmd("start")
    device.cmd("start")
    device.await_frames(1, "TX-packets", 1000)
    device.kill()
    driver.await_link(False)
    driver.cmd("show port stats all")
    driver.cmd("stop")
    traffic.assert_all_back(driver)
    driver.cmd("port close all")
    assert driver.mbufs_out() == 0
    driver.quit()


@pytest.mark.parametrize("ring", RINGS)
def test_peer_killed_unnoticed(lab, ring):
    """The peer dies while the driver's process does not run; what it does next is to stop the
    port. Writing to the closed socket must not end the process."""
    device = lab.device(endless(lab, frames.make(1000, (60, 128))))
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 0))
    driver.await_link(True)
    driver.cmd("start")
    device.cmd("start")
    device.await_frames(1, "TX-packets", 1000)
    driver.cmd("stop")
    driver.process.send_signal(signal.SIGSTOP)
    device.kill()
    start = driver.send("port stop all")
    driver.process.send_signal(signal.SIGCONT)
    driver.answer(start)
    traffic.assert_all_back(driver)
    driver.quit()


@pytest.mark.parametrize("ring", RINGS)
def test_driver_listens(lab, ring):
    """server=1: the driver makes the socket, DPDK's vhost connects to it."""
    sent = frames.make(3000)
    driver = lab.driver(app=LOOP, boot=False, server=1, **devargs(ring, 1, 0))
    driver.await_file(lab.socket)
    device = lab.device(finite(lab, 1, sent), client=1)
    driver.boot()
    verify_traffic(lab, device, driver, 1, sent)
    traffic.finish(device, driver)
