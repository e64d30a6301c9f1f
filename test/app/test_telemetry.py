# SPDX-License-Identifier: BSD-3-Clause
"""The figures as dpdk-telemetry.py reads them while the program forwards."""

import json
import os
import shutil
import subprocess
import time

import pytest
from apprun import TIMEOUT

@pytest.fixture
def ask(tmp_path):
    """Asks through dpdk-telemetry.py, which takes commands from standard input."""
    script = shutil.which("dpdk-telemetry.py")
    assert script, "dpdk-telemetry.py is not installed"

    def go(prefix, *paths):
        end = time.monotonic() + 10
        while True:
            done = subprocess.run(
                ["/usr/bin/python3", script, "-f", prefix],
                input="\n".join([*paths, "quit"]) + "\n",
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
            if done.returncode == 0 and "{" in done.stdout or time.monotonic() > end:
                return documents(done.stdout)
            time.sleep(0.2)

    return go


def documents(text):
    """Every JSON object in a text, in turn."""
    decoder, found, at = json.JSONDecoder(), {}, 0
    while (at := text.find("{", at)) >= 0:
        document, at = decoder.raw_decode(text, at)
        found |= {key: value for key, value in document.items() if key.startswith("/")}
    return found


@pytest.fixture
def started(start):
    def go(*options):
        one = start(["net_ring0", "net_ring1"], "--port-topology=loop", *options, telemetry=True)
        time.sleep(0.3)
        return one

    return go


def test_endpoints(started, ask):
    one = started("--forward-mode=verify", "--rate=10k", "--record-core-cycles")
    names = ["run", "ports", "cycles", "verify", "latency"]
    answers = ask(one.prefix, *[f"/vio_testpmd/{name}" for name in names])
    figures = {name: answers[f"/vio_testpmd/{name}"] for name in names}
    assert figures["run"]["mode"] == "verify"
    assert figures["run"]["state"] == "forwarding"
    assert figures["run"]["rx_packets"] > 100
    assert figures["ports"]["1"]["name"] == "net_ring1"
    assert figures["ports"]["0"]["tx_packets"] > 50
    assert figures["cycles"]["packets"] > 0 and figures["cycles"]["rx"] > 0
    assert figures["verify"]["flows"] == 2
    assert figures["verify"]["corrupted"] == figures["verify"]["duplicated"] == 0
    assert figures["latency"]["round_trip"]["frames"] > 100
    trip = figures["latency"]["round_trip"]
    quantiles = [trip[key] for key in ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns")]
    assert quantiles == sorted(quantiles) and 0 < quantiles[0]
    one.signal(2)
    done = one.finish()
    assert done.status == 0
    # What was read is what was, up to then.
    assert figures["run"]["rx_packets"] <= done.json["forward"]["rx_packets"]


def test_drops(start, ask, recorder):
    """What the ports dropped, and what nobody did."""
    one = start(
        ["net_recorder0,imissed=20,silent=10"],
        "--forward-mode=verify",
        "--rate=50k",
        telemetry=True,
        eal=["-d", recorder],
    )
    time.sleep(0.5)
    answers = ask(one.prefix, "/vio_testpmd/ports", "/vio_testpmd/verify")
    assert answers["/vio_testpmd/ports"]["0"]["dropped_by_port"] == 20
    # While it runs, frames under way are among the lost.
    verify = answers["/vio_testpmd/verify"]
    assert verify["lost"] == verify["unexplained"] + 20 >= 30
    one.signal(2)
    assert one.finish().json["verify"]["unexplained"] == 10


def test_commands_are_listed(started, ask):
    one = started("--forward-mode=txonly", "--rate=1000")
    assert "/vio_testpmd/latency" in ask(one.prefix, "/")["/"]
    one.signal(2)
    assert one.finish().status == 0
    assert os.path.basename(one.prefix).startswith("vio-app-")
