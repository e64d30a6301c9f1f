#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Receive interrupts, by the example rx-interrupts: it sleeps while nothing comes, and no frame is
ever left waiting. The device is stock dpdk-testpmd with DPDK's vhost."""

import random
import re
import signal
import time

import pytest
import target
import traffic
from testpmd import Testpmd

RINGS = ["packed", "split"]
ROUNDS = 60
SETTLE = 0.3  # s in which a woken thread goes back to sleep

pytestmark = pytest.mark.ours


def devargs(ring, event_idx, queues=1):
    """Ours, in the words of its devargs."""
    return {"packed_vq": int(ring == "packed"), "event_idx": event_idx, "queues": queues}


def start_example(lab, **args):
    """Start the example, which sends back what comes, with a thread for each queue."""
    argv = lab.argv("driver", [lab.vio(**args)])
    queues = args["queues"]
    cpu = lab.cpu["driver"]
    eal = argv[1 : argv.index("--")]
    eal[eal.index("--lcores") + 1] = ",".join(f"{i}@{cpu}" for i in range(queues))
    program = target.example("rx-interrupts")
    example = Testpmd("rx-interrupts", [program, *eal], lab.environment("driver"))
    lab.processes.append(example)
    example.await_line("forwarding")
    return example


def finish(example):
    """End it; what each queue counted, as (packets, unsent, sleeps, wakes)."""
    example.process.send_signal(signal.SIGINT)
    status = example.wait()
    assert status == 0, f"rx-interrupts ended with {status}\n{example.tail()}"
    example.check_sanitizers()
    line = r"queue \d+: (\d+) packets, (\d+) unsent, (\d+) sleeps, (\d+) wakes"
    return [tuple(map(int, counts)) for counts in re.findall(line, example.log)]


def send(device, burst):
    """The device sends so many frames at once, and then receives."""
    device.cmd(f"set burst {burst}")
    device.cmd("start tx_first 1")


@pytest.mark.parametrize("event_idx", [1, 0], ids=["event index", "flags"])
@pytest.mark.parametrize("ring", RINGS)
def test_none_is_lost(lab, ring, event_idx):
    """Bursts of random sizes, each sent only when the one before has come back, after pauses that
    end before, while and after the example falls asleep: one lost wake, and all stands still."""
    device = lab.device()
    device.cmd("set fwd rxonly")
    example = start_example(lab, **devargs(ring, event_idx))
    device.await_link(True)
    assert bool(device.negotiated() >> 29 & 1) == bool(event_idx)
    pauses = random.Random(29)
    sent = 0
    for _ in range(ROUNDS):
        burst = pauses.choice((1, 1, 2, 7, 32))
        send(device, burst)
        sent += burst
        deadline = time.monotonic() + 5
        while device.stats(0)["RX-packets"] < sent:
            assert time.monotonic() < deadline, f"{device.stats(0)} after {sent} frames sent"
        device.cmd("stop")
        time.sleep(pauses.choice((0, 0, 0.001, 0.02)))
    ((packets, unsent, sleeps, wakes),) = finish(example)
    assert (packets, unsent) == (sent, 0)
    assert sleeps >= wakes >= ROUNDS / 4
    device.quit()


def test_idle_costs_nothing_and_load_is_polled(lab):
    """Without frames it sleeps; under load it sleeps no more than now and then."""
    device = lab.device()
    example = start_example(lab, **devargs("packed", 1))
    device.await_link(True)
    time.sleep(SETTLE)
    before = traffic.cpu_seconds(example)
    time.sleep(1)
    assert traffic.cpu_seconds(example) - before < 0.05
    device.cmd("set fwd txonly")
    device.cmd("start")
    time.sleep(1)
    device.cmd("stop")
    time.sleep(SETTLE)
    ((packets, _, sleeps, _),) = finish(example)
    # One that slept after each burst would do so every 32 packets.
    assert packets > 5000
    assert sleeps < packets / 200
    device.quit()


def test_each_queue_wakes_its_own_thread(lab):
    """Frames on one queue wake the thread of that queue, and no other."""
    device = lab.device(queues=2)
    device.cmd("set fwd rxonly")
    example = start_example(lab, **devargs("packed", 1, queues=2))
    device.await_link(True)
    time.sleep(SETTLE)
    # One forwarding thread serves both queues of the device; frames go out by both.
    for round_number in range(10):
        send(device, 4)
        device.await_frames(0, "RX-packets", 8 * (round_number + 1))
        device.cmd("stop")
        time.sleep(0.01)
    queues = finish(example)
    assert [packets for packets, *_ in queues] == [40, 40]
    # A thread that has not had the CPU to fall asleep needs no waking.
    assert all(5 <= wakes <= 25 for *_, wakes in queues)
    device.quit()

