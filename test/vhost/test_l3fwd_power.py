#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's example l3fwd-power, as it is, on receive interrupts: Debian ships none of the examples
built, so it is built from the source package of the DPDK that is installed."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
import target
from testpmd import Testpmd

TOP = Path(__file__).resolve().parents[2]
ROUNDS = 40
WAKE = "is waked up from rx interrupt"

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def program():
    """Fetched and built once for a build folder."""
    folder = Path(os.environ.get("VIO_BUILD", "build")).resolve() / "examples" / "l3fwd-power-source"
    built = folder / "l3fwd-power"
    command = [str(TOP / "devtools" / "driver-sdk"), "--example", "l3fwd-power", str(folder)]
    subprocess.run(command, check=True, timeout=180)
    if not built.exists():
        words = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "libdpdk"],
            check=True, capture_output=True, text=True, timeout=20,
        ).stdout.split()
        sources = [str(path) for path in sorted(folder.glob("*.c"))]
        # Meson and make are more than three files need.
        subprocess.run(
            ["cc", "-O1", "-DALLOW_EXPERIMENTAL_API", *sources, "-o", str(built), *words],
            check=True, timeout=120,
        )
    return str(built)


@pytest.mark.parametrize(
    "devargs, own",
    [({"packed_vq": 1, "ptypes": 1}, []), ({"packed_vq": 0}, ["--parse-ptype"])],
    ids=["packed", "split"],
)
def test_none_is_lost(lab, program, devargs, own):
    """It forwards each frame back that comes after it has fallen asleep, and was woken for it: it
    looks by itself every 10 ms as well, so that a lost wake shows in their count alone."""
    device = lab.device()
    device.cmd("set fwd rxonly")
    argv = lab.argv("driver", [lab.vio(**devargs)])
    eal = argv[1 : argv.index("--")]
    eal[eal.index("--lcores") + 1] = f"0@{lab.cpu['driver']}"
    own = ["-p", "1", "--config=(0,0,0)", "--no-numa", "--interrupt-only", *own]
    words = [program, *eal, "--", *own]
    power = Testpmd("l3fwd-power", words, lab.environment("driver"))
    lab.processes.append(power)
    power.await_line("entering main interrupt loop")
    device.await_link(True)
    pauses = random.Random(31)
    sent = asleep = 0
    for _ in range(ROUNDS):
        burst = pauses.choice((1, 2, 7, 32))
        device.cmd(f"set burst {burst}")
        device.cmd("start tx_first 1")
        sent += burst
        deadline = time.monotonic() + 5
        while device.stats(0)["RX-packets"] < sent:
            assert time.monotonic() < deadline, f"{device.stats(0)} after {sent} frames sent"
        device.cmd("stop")
        # It polls a few hundred times before it sleeps.
        pause = pauses.choice((0, 0.02))
        asleep += pause > 0
        time.sleep(pause)
    assert device.stats(0)["RX-packets"] == sent
    # The last pause has no frames behind it; now and then some come while it looks by itself.
    assert power.log.count(WAKE) > 0.75 * (asleep - 1), power.tail()
    device.quit()
