# SPDX-License-Identifier: BSD-3-Clause
"""The frames that txonly makes are what they claim to be."""

import ipaddress
import struct

import pcapfile
import pytest


def ones_complement_sum(data):
    words = struct.unpack(f"!{len(data) // 2}H", data)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def check_frame(frame, length, source, destination):
    assert len(frame) == length
    assert frame[0:6] == destination and frame[6:12] == source
    assert frame[12:14] == b"\x08\x00"
    ip = frame[14:34]
    assert ip[0] == 0x45 and ip[9] == 17
    assert ones_complement_sum(ip) == 0xFFFF
    assert struct.unpack("!H", ip[2:4])[0] == length - 14
    assert str(ipaddress.IPv4Address(ip[12:16])) == "198.18.0.1"
    assert str(ipaddress.IPv4Address(ip[16:20])) == "198.18.0.2"
    assert struct.unpack("!HHHH", frame[34:42]) == (9, 9, length - 34, 0)


def address(text):
    return bytes.fromhex(text.replace(":", ""))


@pytest.mark.parametrize(
    "segments",
    [[64], [42], [1514], [64, 128], [10, 20, 34, 100], [1] * 100, [2048, 2048, 2048]],
    ids=str,
)
def test_frames(run, tmp_path, segments):
    done = run(
        [f"net_pcap0,tx_pcap={tmp_path}/out.pcap"],
        "--forward-mode=txonly",
        "--txpkts=" + ",".join(map(str, segments)),
        "--packets=101",
    )
    frames = pcapfile.read(tmp_path / "out.pcap")
    source = address(done.json["ports"][0]["mac"])
    assert len(frames) == 101
    for frame in frames:
        check_frame(frame, sum(segments), source, address("02:00:00:00:00:00"))
    assert done.sum("tx", "bytes") == 101 * sum(segments)
    assert done.json["mbufs_missing"] == 0


def test_peer_address_of_each_port(run, tmp_path):
    run(
        [f"net_pcap{port},tx_pcap={tmp_path}/out{port}.pcap" for port in (0, 1, 2)],
        "--forward-mode=txonly",
        "--eth-peer=1,06:11:22:33:44:55",
        "--eth-peer=2,06:00:00:00:00:02",
        "--duration=0.1",
    )
    peers = ["02:00:00:00:00:00", "06:11:22:33:44:55", "06:00:00:00:00:02"]
    for port, peer in enumerate(peers):
        frames = pcapfile.read(tmp_path / f"out{port}.pcap")
        assert frames and all(frame[0:6] == address(peer) for frame in frames)
