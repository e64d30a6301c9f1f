# SPDX-License-Identifier: BSD-3-Clause
"""What cannot be set up: a line that says what failed where, then one that says what to do."""

import pytest

from apprun import WORKERS


def check_error(done, what, to_do):
    lines = done.err.splitlines()
    at = next((i for i, line in enumerate(lines) if what in line), None)
    assert at is not None, done.err
    assert "what to do: " in lines[at + 1] and to_do in lines[at + 1]
    assert done.json is None


def test_no_port(run):
    check_error(run([], status=1), "no port", "--vdev")


@pytest.mark.parametrize("way", ["rx", "tx"])
def test_more_queues_than_the_device_has(run, way):
    """On the second port, when the first is ready."""
    done = run(["net_null0", "net_ring0"], f"--{way}q=17", status=1)
    check_error(done, f"port 1 (net_ring0): --{way}q 17, the device has 16", "at most 16")


def test_pool_larger_than_memory(run):
    limit = ["--socket-limit=64"]
    done = run(["net_null0"], "--total-num-mbufs=10000000", status=1, memory=64, eal=limit)
    check_error(done, "pool of 10000000 mbufs", "--total-num-mbufs")


def test_more_cores_than_eal_has(run):
    done = run(["net_null0"], f"--nb-cores={WORKERS + 1}", status=1)
    check_error(done, f"--nb-cores {WORKERS + 1}: EAL has {WORKERS} lcores", "-l 0-")


def test_frame_shorter_than_the_device_takes(run):
    done = run(["net_ring0"], "--max-pkt-len=50", status=1)
    check_error(done, "--max-pkt-len 50, the device takes from", "in that range")


def test_refusal_of_a_driver_after_other_ports_started(run):
    """net_bonding is not to be configured without a port to bond."""
    done = run(["net_null0", "net_null1", "net_bonding0,mode=1"], status=1)
    check_error(done, "port 2 (net_bonding0, net_bonding): configure failed: ", "the driver's message")


def test_missing_offloads_are_named_and_left_out(run):
    done = run(["net_null0"], "--rx-offloads=8", "--enable-scatter", "--packets=10")
    assert "net_null does not offer TCP_CKSUM, going on without" in done.err
    assert "net_null does not offer SCATTER, going on without" in done.err
    assert done.json["ports"][0]["rx_offloads"] == []


def test_offered_offloads_are_taken(run):
    done = run(["net_ring0"], "--enable-scatter", "--duration=0.1")
    assert done.json["ports"][0]["rx_offloads"] == ["SCATTER"]
    assert done.json["ports"][0]["tx_offloads"] == ["MULTI_SEGS"]


def test_mtu_follows_the_longest_frame(run):
    done = run(["net_ring0"], "--max-pkt-len=1018", "--duration=0.1")
    assert done.json["ports"][0]["mtu"] == 1000
