#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stops and starts over a real socket, with other numbers and sizes of queues at each tenth one, with
frames that are compared between them: nothing is left behind, neither buffers nor memory nor files.

VIO_CYCLES says how many stops and starts there are (40); 1000 take some minutes.
"""

import os
import random
import time

import pytest

import hostile
from test_loop import RINGS, devargs

pytestmark = pytest.mark.ours

CYCLES = int(os.environ.get("VIO_CYCLES", "40"))
RESTARTS = 10  # in one configuration
PAIRS = 4
SIZES = (32, 64, 128, 256, 512, 1024)
FRAMES = 50
SECONDS = 10
HEAP_MIB = 0.004


def configure(driver, pairs, size):
    """Other queues for a stopped port."""
    for what, number in (("rxq", pairs), ("txq", pairs), ("rxd", size), ("txd", size)):
        said = driver.cmd(f"port config all {what} {number}")
        assert "Fail" not in said and "Invalid" not in said, said


def restart(driver, device):
    """Start, let frames go round, and stop while they do."""
    said = driver.cmd("port start 0")
    assert "Fail" not in said, said
    before = device.counters()["returned"]
    driver.cmd("start")
    deadline = time.monotonic() + SECONDS
    while device.counters()["returned"] < before + FRAMES:
        assert time.monotonic() < deadline, "no frames go round"
    driver.cmd("stop")
    said = driver.cmd("port stop 0")
    assert "Fail" not in said, said
    assert driver.mbufs_out() == 0


@pytest.mark.parametrize("ring", RINGS)
def test_cycles(lab, ring):
    """As often as one likes, and as at the beginning afterwards."""
    chance = random.Random(1)
    device = hostile.Device(lab.socket, ["--pairs", str(PAIRS)])
    app = [*hostile.LOOP, "--disable-link-check"]
    driver = lab.driver(app=app, mac=None, queues=PAIRS, **devargs(ring, 1, 0))
    try:
        driver.cmd("port stop 0")
        configure(driver, 2, 256)
        restart(driver, device)
        at_first = driver.resources()
        for cycle in range(CYCLES):
            if cycle % RESTARTS == 0:
                configure(driver, chance.randint(1, PAIRS), chance.choice(SIZES))
            restart(driver, device)
        configure(driver, 2, 256)
        restart(driver, device)
        at_last = driver.resources()
        print(f"{CYCLES} cycles: {at_first} then, {at_last} now")
        # A piece of the heap may be a little larger than what was asked for.
        grown = float(at_last.pop("heap MiB")) - float(at_first.pop("heap MiB"))
        assert abs(grown) < HEAP_MIB and at_last == at_first
        told = device.counters()
        assert told["changed"] == told["repeated"] == told["strange"] == 0
        assert not device.has("driver broke a duty")
        driver.quit()
    finally:
        device.stop()
