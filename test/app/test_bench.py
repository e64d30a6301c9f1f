# SPDX-License-Identifier: BSD-3-Clause
"""Rates, searches, repeated runs, expectations."""

import statistics
import time

import pcapfile
import pytest
from apprun import undisturbed

TWO_PORTS = ["net_null0", "net_null1"]


@pytest.mark.parametrize(
    "mode,rate,pps",
    [
        ("txonly", "20k", 20e3),
        ("txonly", "1.5Mpps", 1.5e6),
        ("txonly", "102.4Mbps", 200e3),
        ("flowgen", "0.4Mpps", 400e3),
        ("verify", "100000", 100e3),
    ],
)
def test_rate(run, mode, rate, pps):
    """Of each port, whatever the number of its queues."""
    queues = ["--rxq=2", "--txq=2"]

    def rates():
        done = run(
            TWO_PORTS,
            f"--forward-mode={mode}",
            f"--rate={rate}",
            *queues,
            "--duration=0.8",
            "--verify-role=send",
        )
        for port in done.json["ports"]:
            sent = sum(queue["packets"] for queue in port["tx_queues"])
            yield sent / done.json["duration"]

    # Hardly more than that; less, where the CPU is taken away for a tenth of the short run.
    undisturbed(lambda: all(0.9 * pps <= rate <= 1.01 * pps for rate in rates()))


def test_repeat_has_median_and_spread(run):
    done = run(TWO_PORTS, "--duration=0.1", "--repeat=4", "--warmup=0.1")
    runs, summary = done.json["runs"], done.json["summary"]
    rates = [one["rx_pps"] for one in runs]
    assert len(runs) == 4
    assert summary["median_pps"] == pytest.approx(statistics.median(rates))
    assert summary["lowest_pps"] == min(rates) and summary["highest_pps"] == max(rates)
    spread = 100 * (max(rates) - min(rates)) / statistics.median(rates)
    assert summary["spread_percent"] == pytest.approx(spread)
    assert "warming up for 0.1 s" in done.err
    assert "run 4 of 4" in done.err and "spread" in done.out
    # What the warm-up forwarded is not in the measured runs.
    assert done.json["forward"]["rx_pps"] == pytest.approx(rates[-1])


def test_packets_hold_for_each_of_the_runs(run):
    done = run(TWO_PORTS, "--packets=1000", "--repeat=3", "--warmup=0.05")
    for one in done.json["runs"]:
        assert round(one["rx_pps"] * one["duration"]) == 1000


def test_expectations_met(run):
    done = run(
        TWO_PORTS, "--packets=100000", "--expect-pps=1000", "--expect-loss=0", status=0
    )
    assert done.json["summary"]["loss_met"] and done.json["summary"]["pps_met"]


def test_expected_rate_not_met(run):
    done = run(TWO_PORTS, "--packets=1000", "--expect-pps=1000Gpps", status=3)
    assert "--expect-pps: found" in done.err and "expected at least 1000000000000" in done.err
    assert not done.json["summary"]["pps_met"] and done.json["summary"]["loss_met"]


def test_expected_loss_not_met(run):
    """net_null swallows every frame."""
    done = run(
        ["net_null0,no-rx=1"],
        "--forward-mode=verify",
        "--packets=100",
        "--expect-loss=5",
        status=3,
    )
    assert "--expect-loss: found 100 %, expected at most 5 %" in done.err
    assert done.json["verify"]["unexplained"] == 100


def test_warm_up_takes_its_time(run):
    """Whatever the number of packets of the measured runs."""
    began = time.monotonic()
    run(TWO_PORTS, "--packets=1000", "--warmup=1.5")
    assert time.monotonic() - began > 1.5


SEARCH = ["--search", "--port-topology=loop", "--search-time=0.15", "--search-resolution=5"]


def test_search_on_a_path_without_loss(run):
    done = run(["net_ring0"], *SEARCH, "--search-sizes=64,1518")
    small, large = done.json["search"]
    assert [small["size"], large["size"]] == [64, 1518]
    for found in (small, large):
        assert found["found"] and found["pps"] > 1000
        assert found["loss_percent"] == 0
        assert found["latency"]["p50_ns"] > 0
    assert "Highest rate without more loss than accepted" in done.out


def test_search_finds_where_a_path_begins_to_lose(run, plugin):
    """The path lets 20,000 frames a second through."""
    path = plugin("limiter.c")
    options = ["--search-time=0.5", "--search-resolution=5", "--rate=100k", "--search-sizes=256"]

    def rate():
        done = run(["net_ring0"], "--search", *options, eal=["-d", path])
        (found,) = done.json["search"]
        assert found["found"]
        assert found["trials"] > 3
        return found["pps"]

    # A second search only where the machine may have disturbed the first: each takes seconds.
    expected = pytest.approx(20000, rel=0.12)
    assert rate() == expected or rate() == expected


def test_search_of_a_path_that_lets_nothing_through(run):
    done = run(["net_null0,no-rx=1"], *SEARCH, "--rate=30", "--search-sizes=64")
    (found,) = done.json["search"]
    assert not found["found"] and found["pps"] == 0
    assert "none" in done.out


def test_accepted_loss(run):
    options = [*SEARCH, "--rate=1000", "--search-sizes=64", "--search-loss=100"]

    def rate():
        (found,) = run(["net_null0,no-rx=1"], *options).json["search"]
        assert found["found"] and found["loss_percent"] == 100
        return found["pps"]

    undisturbed(lambda: rate() == pytest.approx(1000, rel=0.1))


def test_a_rate_that_cannot_be_offered_is_not_found(run):
    """Nothing is lost, but no CPU makes that many frames."""
    coarse = ["--search-resolution=50", "--search-sizes=64"]
    done = run(["net_ring0"], *SEARCH, "--rate=2000Mpps", *coarse)
    (found,) = done.json["search"]
    assert found["pps"] < 500e6


def test_sizes_of_a_search_are_with_crc(run, tmp_path):
    run(
        [f"net_pcap0,tx_pcap={tmp_path}/out.pcap"],
        *SEARCH,
        "--rate=1000",
        "--search-resolution=50",
        "--search-sizes=64,1518",
        "--search-loss=100",
    )
    lengths = {len(frame) for frame in pcapfile.read(tmp_path / "out.pcap")}
    assert lengths == {60, 1514}
