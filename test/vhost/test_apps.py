#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that the forwarding modes count the same at both ends, at full speed and with drops, in
stock testpmd and in vio-testpmd: what one end sent is what the other received, and what was not
sent was counted as dropped.
"""

import json
import os
import re
import signal
import time

import pytest

import frames
import pcapfile
import target
import traffic
from test_loop import RINGS, devargs
from testpmd import Testpmd

LOOP = ["--port-topology=loop"]
SECONDS = 1

needs_app = pytest.mark.skipif(
    not target.is_ours() and not os.path.isfile(target.app()),
    reason="vio-testpmd is not built, and the driver under test is DPDK's",
)


def dropped(text):
    """How many packets testpmd's `stop` says it could not send on port 0."""
    port = text.split("Forward statistics for port 0", 1)[1]
    return int(re.search(r"TX-dropped: (\d+)", port).group(1))


def run_for_a_second(*processes):
    """Start the processes in order and let traffic run."""
    for process in processes:
        process.cmd("start")
    time.sleep(SECONDS)


@pytest.mark.parametrize("sender", ["device", "driver"])
@pytest.mark.parametrize("ring", RINGS)
def test_one_way(lab, ring, sender):
    """One end sends, the other receives, rxonly and txonly."""
    device = lab.device()
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 1))
    driver.await_link(True)
    device.await_link(True)
    sends, receives = (device, driver) if sender == "device" else (driver, device)
    sends.cmd("set fwd txonly")
    receives.cmd("set fwd rxonly")
    run_for_a_second(receives, sends)
    sends.cmd("stop")
    receives.await_quiet(0, "RX-packets")
    sent, got = sends.stats(0), receives.stats(0)
    assert sent["TX-packets"] > 1000
    assert got["RX-packets"] == sent["TX-packets"]
    assert got["RX-bytes"] == sent["TX-bytes"]
    traffic.finish(device, driver)


@pytest.mark.parametrize("ring", RINGS)
def test_io(lab, ring):
    """The driver gets frames faster than it could keep all, and returns them."""
    device = lab.device("net_null0,size=64,copy=1")
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 1))
    driver.await_link(True)
    device.await_link(True)
    run_for_a_second(driver, device)
    device.cmd("stop")
    device.cmd("set fwd rxonly")
    device.cmd("start")
    device.await_quiet(0, "RX-packets")
    lost = dropped(driver.cmd("stop"))
    there, here = device.stats(0), driver.stats(0)
    assert here["RX-packets"] > 1000
    assert here["RX-packets"] == there["TX-packets"]
    assert here["TX-packets"] + lost == here["RX-packets"]
    assert here["TX-packets"] == there["RX-packets"]
    assert here["TX-bytes"] == 64 * here["TX-packets"]
    traffic.finish(device, driver)


def start_app(lab, mode, **args):
    """Start vio-testpmd with one port; return the process and its JSON file."""
    report = lab.file("report.json")
    argv = lab.argv("driver", [lab.vio(**args)])
    eal = argv[1 : argv.index("--")]
    options = ["--auto-start", f"--forward-mode={mode}", "--port-topology=loop", "--nb-cores=1"]
    options += [f"--json={report}"]
    app = Testpmd("vio-testpmd", [target.app(), *eal, "--", *options], lab.environment("driver"))
    lab.processes.append(app)
    return app, report


def finished(app, report):
    """End the app; return what it reported."""
    app.process.send_signal(signal.SIGINT)
    status = app.wait(30)
    assert status == 0, f"vio-testpmd ended with {status}\n{app.tail()}"
    app.check_sanitizers()
    with open(report, encoding="utf-8") as f:
        result = json.load(f)
    if target.is_ours():
        assert result["mbufs_missing"] == 0
    assert [port["driver"] for port in result["ports"]] == [target.driver()]
    return result


@needs_app
@pytest.mark.parametrize("ring", RINGS)
def test_vio_testpmd_io(lab, ring):
    """Frames come back whole and in order, and the report accounts for each."""
    sent = frames.make(4000)
    device = lab.device(
        f"net_pcap0,rx_pcap={lab.pcap('in.pcap', sent)},tx_pcap={lab.file('out.pcap')}"
    )
    app, report = start_app(lab, "io", **devargs(ring, 1, 0, 1024))
    device.await_link(True)
    app.await_line("forwarding")
    traffic.lossless(device, burst=8)
    device.cmd("start")
    device.await_frames(0, "TX-packets", len(sent))
    traffic.await_polls(app)
    traffic.await_polls(device)
    result = finished(app, report)

    forward = result["forward"]
    assert forward["rx_packets"] == len(sent)
    assert forward["rx_bytes"] == sum(map(len, sent))
    assert forward["tx_packets"] + forward["tx_dropped"] == len(sent)
    assert result["ports"][0]["stats"]["ipackets"] == len(sent)
    assert result["ports"][0]["stats"]["opackets"] == forward["tx_packets"]
    traffic.finish(device)
    back = pcapfile.read(lab.file("out.pcap"))
    assert len(back) == forward["tx_packets"] > 0
    fault = frames.replay_fault(sent, len(sent), back)
    assert fault is None, fault


@needs_app
@pytest.mark.parametrize("ring", RINGS)
def test_vio_testpmd_rxonly(lab, ring):
    """What the device sent in a second is what the report has."""
    device = lab.device()
    device.cmd("set fwd txonly")
    app, report = start_app(lab, "rxonly", **devargs(ring, 1, 0))
    device.await_link(True)
    app.await_line("forwarding")
    run_for_a_second(device)
    device.cmd("stop")
    sent = device.stats(0)
    traffic.await_polls(app)
    result = finished(app, report)
    assert sent["TX-packets"] > 1000
    assert result["forward"]["rx_packets"] == sent["TX-packets"]
    assert result["forward"]["rx_bytes"] == sent["TX-bytes"]
    traffic.finish(device)
