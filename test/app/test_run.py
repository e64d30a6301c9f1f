# SPDX-License-Identifier: BSD-3-Clause
"""How a run goes and ends, and what it tells then."""

import os
import pty
import re
import signal
import subprocess
import time

import pytest

from apprun import TIMEOUT, undisturbed

TWO_PORTS = ["net_null0", "net_null1"]

KEYS = {
    "schema": int,
    "program": str,
    "dpdk_version": str,
    "cpu_model": str,
    "tsc_hz": int,
    "options": dict,
    "duration": float,
    "ended_by": str,
    "forward": dict,
    "ports": list,
    "mbufs_missing": int,
    "mbufs_missing_closed": int,
}
PORT_KEYS = {
    "port": int,
    "name": str,
    "driver": str,
    "mac": str,
    "gone": bool,
    "link": dict,
    "mtu": int,
    "rx_offloads": list,
    "tx_offloads": list,
    "rx_queues": list,
    "tx_queues": list,
    "stats": dict,
    "xstats": dict,
    "driver_dump": list,
}
QUEUE_KEYS = {"queue": int, "ring_size": int, "packets": int, "pps": float}


def check_keys(document, keys):
    for key, kind in keys.items():
        assert isinstance(document[key], kind), key


def test_document(run):
    done = run(TWO_PORTS, "--duration=0.2", "--rxq=2", "--txq=2", "--rxd=256")
    check_keys(done.json, KEYS)
    assert done.json["schema"] == 1
    assert done.json["cycles"] is None
    assert [port["name"] for port in done.json["ports"]] == TWO_PORTS
    for port in done.json["ports"]:
        check_keys(port, PORT_KEYS)
        assert port["driver"] == "net_null"
        assert port["stats"]["ipackets"] == sum(q["packets"] for q in port["rx_queues"])
        assert port["xstats"]["rx_good_packets"] == port["stats"]["ipackets"]
        assert 0 not in port["xstats"].values()
        for queue in port["rx_queues"] + port["tx_queues"]:
            check_keys(queue, QUEUE_KEYS)
            assert queue["packets"] > 0
        assert [queue["ring_size"] for queue in port["rx_queues"]] == [256, 256]


def test_duration(run):
    done = run(TWO_PORTS, "--duration=0.7")
    assert 0.7 <= done.json["duration"] < 3
    assert done.json["ended_by"] == "duration"
    rate = done.json["forward"]["rx_packets"] / done.json["duration"]
    assert done.json["forward"]["rx_pps"] == pytest.approx(rate)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_with_report_and_document(start, number):
    started = start(TWO_PORTS)
    time.sleep(0.1)
    started.signal(number)
    done = started.finish()
    assert done.status == 0
    assert "ended by: signal" in done.out
    assert "mbufs: all back" in done.out
    assert done.json["ended_by"] == "signal"
    assert done.json["forward"]["rx_packets"] > 0
    assert done.json["mbufs_missing"] == 0


def test_document_replaces_the_old_one_and_leaves_nothing_beside_it(run, tmp_path):
    out = tmp_path / "results"
    out.mkdir()
    (out / "mine.json").write_text("old")
    run(["net_null0"], "--packets=100", f"--json={out}/mine.json")
    assert os.listdir(out) == ["mine.json"]
    assert (out / "mine.json").read_text().startswith("{")


def test_report_agrees_with_the_document(run):
    done = run(TWO_PORTS, "--packets=100000", "--forward-mode=macswap")
    row = next(line.split() for line in done.out.splitlines() if line.startswith("  all"))
    forward = done.json["forward"]
    assert [int(row[i]) for i in (2, 3, 5, 6, 8)] == [
        forward[key]
        for key in ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "tx_dropped")
    ]


def test_bytes_that_nobody_counts_are_not_told(run):
    """Mode io leaves them to the driver, and net_null does not count them."""
    done = run(TWO_PORTS, "--packets=1000")
    assert done.json["forward"]["rx_bytes"] is None
    assert done.json["ports"][0]["tx_queues"][0]["bytes"] is None
    row = next(line.split() for line in done.out.splitlines() if line.startswith("  all"))
    assert row[3] == row[6] == "-"


@pytest.mark.parametrize("mode", ["io", "macswap"])
def test_cycles_per_packet(run, mode):
    done = run(TWO_PORTS, "--duration=1", "--record-core-cycles", f"--forward-mode={mode}")
    (lcore,) = done.json["cycles"]
    assert lcore["packets"] == done.json["forward"]["rx_packets"]
    assert lcore["busy_per_packet"] == pytest.approx(lcore["busy"] / lcore["packets"])
    assert lcore["busy"] == lcore["rx"] + lcore["tx"] + lcore["app"]
    assert min(lcore["rx"], lcore["tx"]) > 0
    assert (lcore["app"] > 0) == (mode != "io")
    seconds = (lcore["busy"] + lcore["idle"]) / done.json["tsc_hz"]
    assert seconds == pytest.approx(done.json["duration"], rel=0.2)
    assert "busy/packet" in done.out


def test_streams_are_shared_among_the_lcores(run):
    queues = ["--rxq=3", "--txq=3"]
    done = run(TWO_PORTS, "--duration=0.3", "--nb-cores=2", "--record-core-cycles", *queues)
    assert [lcore["packets"] > 0 for lcore in done.json["cycles"]] == [True, True]
    for port in done.json["ports"]:
        assert all(queue["packets"] > 0 for queue in port["rx_queues"])


def test_cycles_of_an_idle_lcore(run):
    done = run(["net_ring0"], "--duration=0.2", "--record-core-cycles")
    (lcore,) = done.json["cycles"]
    assert lcore["busy"] == lcore["packets"] == 0
    assert lcore["busy_per_packet"] is None
    assert lcore["idle"] > 0


def test_fill_of_bursts(run):
    """25 packets in bursts of at most 8: three full ones and one of 1."""
    done = run(["net_null0"], "--packets=25", "--burst=8", "--record-burst-stats")
    port = done.json["ports"][0]
    assert port["rx_queues"][0]["bursts"] == [[1, 1], [8, 3]]
    assert port["tx_queues"][0]["bursts"] == [[1, 1], [8, 3]]
    assert "4 bursts" in done.out


def test_periodic_lines(run):
    done = run(TWO_PORTS, "--duration=1.1", "--stats-period=0.25")
    lines = [line for line in done.out.splitlines() if re.match(r" +[\d.]+ s  port", line)]
    # One for each port; a look that comes late is one fewer.
    assert len(lines) in (4, 6, 8)
    assert len({len(line) for line in lines}) == 1, "not aligned"
    assert "\033" not in done.out
    assert all(float(line.split()[5]) > 0 for line in lines)


def test_periodic_lines_have_the_rate_of_the_period(run):
    """100,000 frames a second of 64 bytes, in each period as in the first."""
    options = ["--forward-mode=txonly", "--rate=100k", "--duration=1.4", "--stats-period=0.3"]

    def holds():
        done = run(["net_null0"], *options)
        rates = re.findall(r"  tx +([\d.]+) Mpps +([\d.]+) Gbit/s", done.out)
        figures = [float(figure) for rate in rates for figure in rate]
        return figures == pytest.approx([0.1, 0.0512] * 4, rel=0.3)

    undisturbed(holds)


def read_terminal(master):
    text = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # EIO: the other side is closed
            return text.decode()
        text += part


def test_terminal_is_redrawn(command):
    master, slave = pty.openpty()
    arguments = command(TWO_PORTS, "--duration=0.6", "--stats-period=0.2")
    with subprocess.Popen(arguments, stdout=slave, stderr=subprocess.DEVNULL) as process:
        os.close(slave)
        text = read_terminal(master)
        assert process.wait(TIMEOUT) == 0
    os.close(master)
    # The first picture is drawn, those after it as many lines up as it has: ports and streams.
    assert text.count("\033[4A\033[J") >= 1
    assert text.index(" s  port") < text.index("\033[4A")
    assert "  port 1 queue 0" in text


def test_reader_that_goes_away_ends_the_run(command):
    arguments = command(["net_null0"], "--stats-period=0.1")
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        try:
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()
