# SPDX-License-Identifier: BSD-3-Clause
"""What is forwarded: every frame byte by byte, in order, and counted right."""

import random

import pcapfile
import pytest

LENGTHS = [60, 61, 64, 128, 1514, 2048, 2049, 5000, 9014]


def some_frames(count, seed):
    """Frames of all lengths, long ones included that need several mbufs; no two are equal."""
    rng = random.Random(seed)
    return [rng.randbytes(LENGTHS[i % len(LENGTHS)]) for i in range(count)]


def as_received(frame):
    return frame


def swapped(frame):
    return frame[6:12] + frame[0:6] + frame[12:]


MODES = [("io", as_received), ("macswap", swapped)]


@pytest.mark.parametrize("mode,expected", MODES)
def test_frames_come_out_as_they_should(run, tmp_path, mode, expected):
    frames = some_frames(1003, seed=mode)
    pcapfile.write(tmp_path / "in.pcap", frames)
    done = run(
        [f"net_pcap0,rx_pcap={tmp_path}/in.pcap,tx_pcap={tmp_path}/out.pcap"],
        f"--forward-mode={mode}",
        "--no-flush-rx",
        f"--packets={len(frames)}",
    )
    assert pcapfile.read(tmp_path / "out.pcap") == [expected(frame) for frame in frames]
    assert done.json["ended_by"] == "packets"
    assert done.sum("rx", "packets") == done.sum("tx", "packets") == len(frames)
    assert done.sum("rx", "bytes") == done.sum("tx", "bytes") == sum(map(len, frames))
    assert done.json["forward"]["rx_bytes"] == sum(map(len, frames))
    assert done.json["mbufs_missing"] == 0


@pytest.mark.parametrize("mode,expected", MODES)
def test_frames_through_a_ring_between_two_ports(run, tmp_path, mode, expected):
    """From the file to the ring, from the ring to the other file: forwarded twice."""
    frames = some_frames(600, seed=f"ring {mode}")
    pcapfile.write(tmp_path / "in.pcap", frames)
    done = run(
        [f"net_pcap0,rx_pcap={tmp_path}/in.pcap,tx_pcap={tmp_path}/out.pcap", "net_ring0"],
        f"--forward-mode={mode}",
        "--no-flush-rx",
        f"--packets={2 * len(frames)}",
    )
    assert pcapfile.read(tmp_path / "out.pcap") == [expected(expected(f)) for f in frames]
    assert [port["rx_queues"][0]["packets"] for port in done.json["ports"]] == [600, 600]
    assert done.json["mbufs_missing"] == 0


def test_waiting_frames_are_flushed_unless_told_not_to(run, tmp_path):
    pcapfile.write(tmp_path / "in.pcap", some_frames(100, seed="flush"))
    device = [f"net_pcap0,rx_pcap={tmp_path}/in.pcap"]
    flushed = run(device, "--forward-mode=rxonly", "--duration=0.2")
    kept = run(device, "--forward-mode=rxonly", "--duration=0.2", "--no-flush-rx")
    assert flushed.json["forward"]["rx_packets"] == 0
    assert kept.json["forward"]["rx_packets"] == 100


TOPOLOGIES = [
    # name, number of ports, port that gets what each received
    ("paired", 4, [1, 0, 3, 2]),
    ("paired", 3, [1, 0, 2]),
    ("chained", 3, [1, 2, 0]),
    ("loop", 3, [0, 1, 2]),
]


@pytest.mark.parametrize("topology,count,partners", TOPOLOGIES)
def test_topology(run, tmp_path, topology, count, partners):
    devices = []
    for port in range(count):
        pcapfile.write(tmp_path / f"in{port}.pcap", [bytes([port]) * 60] * (port + 1))
        files = f"rx_pcap={tmp_path}/in{port}.pcap,tx_pcap={tmp_path}/out{port}.pcap"
        devices.append(f"net_pcap{port},{files}")
    total = count * (count + 1) // 2
    run(devices, f"--port-topology={topology}", "--no-flush-rx", f"--packets={total}")
    for port, partner in enumerate(partners):
        assert pcapfile.read(tmp_path / f"out{partner}.pcap") == [bytes([port]) * 60] * (port + 1)


def test_tx_first_goes_round_a_ring(run):
    """The ring keeps frames when it stops: the report must not hide that. The last burst is whole,
    so that 8 of its 16 are beyond --packets: they are freed."""
    done = run(["net_ring0"], "--tx-first", "--burst=16", "--packets=1000")
    assert done.json["forward"]["rx_packets"] == 1000
    assert done.json["forward"]["tx_packets"] == 1016
    assert done.json["mbufs_missing"] == 8
    assert "WARNING: 8 are missing" in done.out


def test_frames_a_driver_does_not_take_are_counted_and_freed(run):
    """The ring of net_ring holds 1023 frames, and nothing empties it."""
    done = run(["net_ring0"], "--forward-mode=txonly", "--duration=0.2")
    queue = done.json["ports"][0]["tx_queues"][0]
    assert queue["packets"] == 1023 == done.json["mbufs_missing"]
    assert queue["bytes"] == 1023 * 64
    assert queue["dropped"] > 0
    assert done.json["forward"]["tx_dropped"] == queue["dropped"]


def test_txonly_goes_on_when_the_pool_is_nearly_empty(run):
    done = run(
        ["net_ring0"],
        "--forward-mode=txonly",
        "--duration=0.2",
        "--total-num-mbufs=500",
        "--mbcache=0",
    )
    queue = done.json["ports"][0]["tx_queues"][0]
    assert queue["packets"] == 500 == done.json["mbufs_missing"]
    assert queue["no_mbufs"] > 0


@pytest.mark.parametrize("mode", ["io", "rxonly", "txonly"])
def test_number_of_packets_is_exact_over_queues_and_cores(run, mode):
    done = run(
        ["net_null0", "net_null1"],
        f"--forward-mode={mode}",
        "--rxq=3",
        "--txq=3",
        "--nb-cores=2",
        "--packets=1000003",
        "--record-core-cycles",
    )
    way = "tx" if mode == "txonly" else "rx"
    assert done.sum(way, "packets") == done.json["forward"][f"{way}_packets"] == 1000003
    assert sum(lcore["packets"] for lcore in done.json["cycles"]) == 1000003
    assert done.json["ended_by"] == "packets"
    assert done.json["mbufs_missing"] == 0
