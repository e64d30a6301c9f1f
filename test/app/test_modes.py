# SPDX-License-Identifier: BSD-3-Clause
"""The modes that look into packets: what comes out, byte by byte."""

import struct

import pcapfile
import pytest
from packets import MAC_A, MAC_B, checksum, ether, ipv4, ipv6, l4_is_right, tcp, udp


@pytest.fixture
def through(run, tmp_path):
    """Sends frames through a mode; returns those that come out, and the run."""

    def go(frames, mode, *options, **more):
        pcapfile.write(tmp_path / "in.pcap", frames)
        done = run(
            [f"net_pcap0,rx_pcap={tmp_path}/in.pcap,tx_pcap={tmp_path}/out.pcap"],
            f"--forward-mode={mode}",
            "--no-flush-rx",
            f"--packets={len(frames)}",
            *options,
            **more,
        )
        assert done.json["mbufs_missing"] == 0
        return pcapfile.read(tmp_path / "out.pcap"), done

    return go


def swapped(frame, ranges):
    out = bytearray(frame)
    for at, length in ranges:
        out[at : at + length] = frame[at + length : at + 2 * length]
        out[at + length : at + 2 * length] = frame[at : at + length]
    return bytes(out)


SWAPS = [
    ("udp4", ether(ipv4(17, udp(b"data")), 0x0800), [(0, 6), (26, 4), (34, 2)]),
    ("tcp4", ether(ipv4(6, tcp(b"data")), 0x0800), [(0, 6), (26, 4), (34, 2)]),
    ("udp6", ether(ipv6(17, udp(b"data", 1)), 0x86DD), [(0, 6), (22, 16), (54, 2)]),
    ("vlan", ether(ipv4(17, udp(b"x")), 0x0800, [5]), [(0, 6), (30, 4), (38, 2)]),
    ("qinq", ether(ipv4(17, udp(b"x")), 0x0800, [5, 6]), [(0, 6), (34, 4), (42, 2)]),
    ("fragment", ether(ipv4(17, udp(b"x"), fragment=8), 0x0800), [(0, 6), (26, 4)]),
    ("icmp", ether(ipv4(1, b"12345678"), 0x0800), [(0, 6), (26, 4)]),
    ("unknown", ether(b"z" * 50, 0x88B5), [(0, 6)]),
    ("cut ip", ether(ipv4(17, udp(b"x")), 0x0800)[:30], [(0, 6)]),
    ("cut udp", ether(ipv4(17, udp(b"x")), 0x0800)[:38], [(0, 6), (26, 4)]),
    ("cut ether", b"\1" * 13, []),
]


@pytest.mark.parametrize("frame,ranges", [c[1:] for c in SWAPS], ids=[c[0] for c in SWAPS])
def test_5tswap(through, frame, ranges):
    (out,), _ = through([frame], "5tswap")
    assert out == swapped(frame, ranges)


def test_mac(through):
    frames = [bytes([n]) * (60 + n) for n in range(70)]
    out, done = through(frames, "mac", "--eth-peer=0,06:00:00:00:00:09")
    own = bytes.fromhex(done.json["ports"][0]["mac"].replace(":", ""))
    assert out == [bytes.fromhex("060000000009") + own + frame[12:] for frame in frames]


CSUMS = [
    ("udp4", ether(ipv4(17, udp(b"data", 0xBAD), bad=3), 0x0800), 14),
    ("udp4 odd", ether(ipv4(17, udp(b"dat", 0xBAD), bad=3), 0x0800), 14),
    ("tcp4", ether(ipv4(6, tcp(b"data", 0xBAD), bad=3), 0x0800), 14),
    ("udp6", ether(ipv6(17, udp(b"data", 0xBAD)), 0x86DD), 14),
    ("tcp6", ether(ipv6(6, tcp(b"data", 0)), 0x86DD), 14),
    ("vlan", ether(ipv4(6, tcp(b"data", 1), bad=9), 0x0800, [5]), 18),
    ("long", ether(ipv4(17, udp(b"0123456789" * 700, 1)), 0x0800), 14),
]


@pytest.mark.parametrize("frame,at", [c[1:] for c in CSUMS], ids=[c[0] for c in CSUMS])
def test_csum_in_software(through, frame, at):
    (out,), _ = through([frame], "csum", "--enable-scatter")
    ip = out[at:]
    assert len(out) == len(frame)
    assert ip[0] >> 4 == 6 or checksum(ip[:20]) == 0
    assert l4_is_right(ip)


def test_csum_leaves_out_what_has_none(through):
    """UDP over IPv4 may go without; a fragment and a cut packet have none of their own."""
    frames = [
        ether(ipv4(17, udp(b"data", 0)), 0x0800),
        ether(ipv4(17, udp(b"data", 7), fragment=0x2000), 0x0800),
        ether(ipv4(17, udp(b"data" * 9, 7)), 0x0800)[:60],
        ether(b"12345678", 0x88B5),
    ]
    out, _ = through(frames, "csum")
    assert [frame[12:] for frame in out] == [frame[12:] for frame in frames]


INNER = ipv4(17, udp(b"inside", 0xBAD), "10.0.0.1", "10.0.0.2", bad=7)
TUNNELS = [
    ("vxlan", ipv4(17, udp(bytes(8) + ether(INNER, 0x0800), 1, (5000, 4789)), bad=3), 17),
    ("vxlan without", ipv4(17, udp(bytes(8) + ether(INNER, 0x0800), 0, (5000, 4789)), bad=3), 0),
    ("ip in ip", ipv4(4, INNER, bad=3), 0),
    ("gre", ipv4(47, b"\0\0\x08\0" + INNER, bad=3), 0),
]


@pytest.mark.parametrize("packet,l4", [t[1:] for t in TUNNELS], ids=[t[0] for t in TUNNELS])
def test_csum_of_a_tunnel_is_the_outer_one(through, packet, l4):
    """What is inside stays as it is, wrong checksums included."""
    (out,), _ = through([ether(packet, 0x0800)], "csum")
    ip = out[14:]
    assert checksum(ip[:20]) == 0
    assert ip[-len(INNER) :] == INNER
    if l4:
        assert l4_is_right(ip)
    else:
        assert ip[20:] == packet[20:]


def icmp_echo(kind, data, code=0):
    head = struct.pack("!BBHHH", kind, code, 0, 77, 1)
    return struct.pack("!BBHHH", kind, code, checksum(head + data), 77, 1) + data


def arp(operation, sender, target, target_mac=bytes(6)):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + sender + target_mac + target


def test_icmpecho_answers(through):
    ip_a, ip_b = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
    asked = [
        ether(ipv4(1, icmp_echo(8, b"ping" * 10)), 0x0800),
        ether(ipv4(1, icmp_echo(0, b"ping")), 0x0800),
        ether(ipv4(17, udp(b"x")), 0x0800),
        ether(arp(1, MAC_A + ip_a, ip_b), 0x0806),
        ether(arp(2, MAC_A + ip_a, ip_b), 0x0806),
        ether(ipv4(1, icmp_echo(8, b"ping"), destination="224.0.0.1"), 0x0800),
        # Its checksum is 0xffef: what is added to it is carried round.
        ether(ipv4(1, icmp_echo(8, b"\xf7\xc1")), 0x0800),
    ]
    (echo, reply, multicast, carry), done = through(asked, "icmpecho")
    own = bytes.fromhex(done.json["ports"][0]["mac"].replace(":", ""))
    for out, data in ((echo, b"ping" * 10), (carry, b"\xf7\xc1")):
        assert out[:14] == MAC_A + MAC_B + b"\x08\x00"
        assert out[14:] == ipv4(1, icmp_echo(0, data), "192.0.2.2", "192.0.2.1")
    assert reply[:14] == MAC_A + own + b"\x08\x06"
    assert reply[14:] == struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + own + ip_b + MAC_A + ip_a
    assert multicast[:12] == MAC_A + own
    assert multicast[14:] == ipv4(1, icmp_echo(0, b"ping"), "192.0.2.2", "192.0.2.1")
    assert done.json["forward"]["tx_packets"] == 4


def test_flowgen_has_1024_destinations(run, tmp_path):
    run(
        [f"net_pcap0,tx_pcap={tmp_path}/out.pcap"], "--forward-mode=flowgen", "--packets=2100"
    )
    frames = pcapfile.read(tmp_path / "out.pcap")
    destinations = [struct.unpack("!I", frame[30:34])[0] for frame in frames]
    assert len(frames) == 2100
    assert destinations == [0xC6120002 + n % 1024 for n in range(2100)]
    assert all(checksum(frame[14:34]) == 0 for frame in frames)


def test_txonly_multi_flow(run, tmp_path):
    run(
        [f"net_pcap0,tx_pcap={tmp_path}/out.pcap"],
        "--forward-mode=txonly",
        "--txonly-multi-flow",
        "--packets=600",
    )
    frames = pcapfile.read(tmp_path / "out.pcap")
    assert len({frame[26:30] for frame in frames[:256]}) == 256
    assert all(checksum(frame[14:34]) == 0 for frame in frames)
