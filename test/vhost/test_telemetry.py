#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Telemetry of the driver in stock testpmd: ports, queues and faults, asked for while frames move,
after a device has lied, while the port is stopped, and in words that make no sense."""

import glob
import json
import socket
import time

import pytest

import hostile
from testpmd import Testpmd

pytestmark = pytest.mark.ours

ANSWER_BYTES = 65536
NEVER = 1000000000
SECONDS = 5

NONSENSE = (
    "/vio/port",
    "/vio/port,",
    "/vio/port,1",
    "/vio/port,x",
    "/vio/port,-1",
    "/vio/port, 0",
    "/vio/port,0,0",
    "/vio/port,65536",
    "/vio/port,99999999999999999999",
    "/vio/queue",
    "/vio/queue,0",
    "/vio/queue,0,rx",
    "/vio/queue,0,rx,",
    "/vio/queue,0,rx,1",
    "/vio/queue,0,tx,65535",
    "/vio/queue,1,rx,0",
    "/vio/queue,0,sideways,0",
    "/vio/queue,0,rx,0x0",
    "/vio/lro",
    "/vio/lro,0,",
    "/vio/lro,0,of",
    "/vio/lro,1,off",
    "/vio/lro,0,off",  # this device cannot
)


class Telemetry:
    """A connection to the socket of a process."""

    def __init__(self, folder):
        path = glob.glob(f"{folder}/dpdk/*/dpdk_telemetry.v2")[0]
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(SECONDS)
        self.socket.connect(path)
        self.socket.recv(ANSWER_BYTES)

    def ask(self, question):
        """What it answers, once the port is not busy with a recovery."""
        deadline = time.monotonic() + SECONDS
        while True:
            self.socket.send(question.encode())
            answer = json.loads(self.socket.recv(ANSWER_BYTES))[question.split(",")[0]]
            if not isinstance(answer, dict) or "busy" not in answer:
                return answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)

    def port(self):
        """The one port."""
        return self.ask("/vio/port,0")

    def queue(self, way):
        """The one queue of either kind."""
        return self.ask(f"/vio/queue,0,{way},0")

    def wait(self, question, holds):
        """Ask until the answer is as it should be."""
        deadline = time.monotonic() + SECONDS
        while not holds(answer := self.ask(question)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
        return answer

    def moves(self):
        """Frames move."""
        packets = self.queue("rx")["good_packets"]
        return self.wait("/vio/queue,0,rx,0", lambda q: q["good_packets"] > packets)


@pytest.fixture
def ends(lab):
    """A device that lies when it is told to, and a driver that sends back what it receives."""
    row = ["--row", "1.beyond", "--on", "rx", "--after", str(NEVER), "--offer", "mergeable"]
    device = hostile.Device(lab.socket, row)
    argv = lab.argv("driver", [lab.vio(mac=None)], app=hostile.LOOP)
    argv.remove("--no-telemetry")
    driver = Testpmd("driver", argv, lab.environment("driver"))
    lab.processes.append(driver)
    driver.boot()
    driver.cmd("start")
    yield device, driver, Telemetry(lab.folder)
    driver.dispose()
    device.stop()


def test_life(ends):
    """A port that runs, recovers, is stopped, and closed."""
    device, driver, telemetry = ends
    assert telemetry.ask("/vio/list") == [0]
    port = telemetry.port()
    assert (port["state"], port["link"], port["last_fault"]) == ("started", "up", "none")
    assert {"VERSION_1", "MRG_RXBUF"} <= set(port["features"]) <= set(port["offered"])
    assert port["receive"][0].startswith("vio mergeable (split ring, ")
    assert port["transmit"][0].startswith("vio ")
    assert port["recoveries"] == port["recovery_broken_queue"] == 0
    queue = telemetry.moves()
    assert (queue["state"], queue["ring"], queue["error"]) == ("started", "split", "no error")
    assert queue["descriptors"] == 256
    # While frames move, a burst may come between the one look and the other.
    telemetry.wait("/vio/queue,0,rx,0", lambda q: q["free"] + q["in_flight"] == 256)
    assert telemetry.queue("tx")["good_packets"] > 0

    device.process.stdin.write("lie\n")
    port = telemetry.wait("/vio/port,0", lambda p: p["recoveries"] == 1)
    assert port["last_fault"] == "rx queue 0 is broken: the device used an id beyond the queue"
    assert 0 <= port["last_fault_ms_ago"] < 1000 * SECONDS
    assert port["recovery_broken_queue"] == 1 and port["recovery_failures"] == 0
    queue = telemetry.moves()
    assert queue["broken"] == queue["broken_id_range"] == 1 and queue["broken_order"] == 0

    driver.cmd("")
    driver.cmd("stop")
    queue = telemetry.queue("rx")
    assert queue["state"] == "started" and queue["free"] + queue["in_flight"] == 256
    driver.cmd("port stop 0")
    port, queue = telemetry.port(), telemetry.queue("rx")
    assert (port["state"], port["link"]) == ("stopped", "down")
    assert (queue["state"], queue["ring"], queue["in_flight"]) == ("stopped", "none", 0)
    driver.cmd("port close 0")
    assert telemetry.ask("/vio/list") == []
    assert "error" in telemetry.port()


def test_nonsense(ends):
    """What makes no sense is answered by an error, and there is help for each command."""
    telemetry = ends[2]
    for question in NONSENSE:
        answer = telemetry.ask(question)
        assert list(answer) == ["error"] and len(answer["error"]) > 20, question
    for command in "/vio/list", "/vio/port", "/vio/queue", "/vio/lro":
        assert command in telemetry.ask("/")
        assert len(telemetry.ask(f"/help,{command}")[command]) > 10
    assert telemetry.ask("/vio/lro,0") == {"lro": "not asked for by the application"}
    telemetry.moves()


def test_port_that_waits(lab):
    """With recover=manual the port says that it waits, and why."""
    device = hostile.Device(lab.socket, ["--row", "1.far", "--on", "tx", "--after", "100"])
    argv = lab.argv("driver", [lab.vio(mac=None, recover="manual")], app=hostile.LOOP)
    argv.remove("--no-telemetry")
    driver = Testpmd("driver", argv, lab.environment("driver"))
    lab.processes.append(driver)
    try:
        driver.boot()
        telemetry = Telemetry(lab.folder)
        driver.send("start")
        port = telemetry.wait("/vio/port,0", lambda p: p["state"] != "started")
        assert port["state"] == "waits for rte_eth_dev_reset()"
        assert port["last_fault"].startswith("tx queue 0 is broken: ")
        assert telemetry.queue("tx")["state"] == telemetry.queue("rx")["state"] == "closed"
        assert telemetry.queue("tx")["error"] != "no error"
    finally:
        driver.dispose()
        device.stop()
