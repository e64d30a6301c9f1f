# SPDX-License-Identifier: BSD-3-Clause
"""A port that goes away in mid-run is no longer polled, and is reported."""

import os
import signal
import time

import pytest


@pytest.fixture
def remover(plugin):
    return plugin("remover.c")


@pytest.fixture
def start_with_removal(start, remover):
    def go(vdevs, names, *options):
        environment = os.environ | {"VIO_TEST_REMOVE": ",".join(names)}
        return start(vdevs, *options, eal=["-d", remover], environment=environment)

    return go


def test_other_ports_go_on(start_with_removal):
    ports = [f"net_null{i}" for i in range(4)]
    started = start_with_removal(ports, ["net_null1"])
    time.sleep(0.2)
    started.signal(signal.SIGUSR1)
    started.wait_for("port 1 (net_null1): the device is gone, it is no longer polled")
    time.sleep(1)
    started.signal(signal.SIGINT)
    done = started.finish()
    assert done.status == 0
    assert [port["gone"] for port in done.json["ports"]] == [False, True, False, False]
    packets = [port["rx_queues"][0]["packets"] for port in done.json["ports"]]
    # Ports 0 and 1 send to each other: both were polled for the shorter part of the run.
    assert packets[0] > 0 and packets[1] > 0
    assert 2 * packets[0] < packets[2] and 2 * packets[1] < packets[3]
    assert done.json["mbufs_missing"] == 0


def test_run_ends_when_no_port_is_left(start_with_removal):
    started = start_with_removal(["net_null0", "net_null1"], ["net_null0"])
    started.signal(signal.SIGUSR1)
    done = started.finish()
    assert done.status == 1
    assert "ended by: no port left" in done.out
    assert done.json["ended_by"] == "no port left"
    assert done.json["mbufs_missing"] == 0
