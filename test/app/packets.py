# SPDX-License-Identifier: BSD-3-Clause
"""Packets to forward: made by hand, so that nothing of the program under test judges itself."""

import ipaddress
import struct

MAC_A = bytes.fromhex("020000000a01")
MAC_B = bytes.fromhex("020000000b02")


def checksum(data):
    """The Internet checksum, RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ether(payload, kind, tags=()):
    head = MAC_B + MAC_A
    for tag in tags:
        head += struct.pack("!HH", 0x8100, tag)
    return head + struct.pack("!H", kind) + payload


def ipv4(protocol, payload, source="192.0.2.1", destination="192.0.2.2", fragment=0, bad=0):
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0)
    total = checksum(head + addresses) ^ bad
    return head[:10] + struct.pack("!H", total) + addresses + payload


def ipv6(protocol, payload, source="2001:db8::1", destination="2001:db8::2"):
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return struct.pack("!IHBB", 0x60000000, len(payload), protocol, 64) + addresses + payload


def udp(payload, total=0, ports=(1000, 2000)):
    return struct.pack("!HHHH", *ports, 8 + len(payload), total) + payload


def tcp(payload, total=0, ports=(1000, 2000)):
    return struct.pack("!HHIIBBHHH", *ports, 1, 2, 0x50, 0x18, 1024, total, 0) + payload


def l4_is_right(ip):
    """True when the UDP or TCP checksum of an IPv4 or IPv6 packet is right."""
    if ip[0] >> 4 == 4:
        protocol, addresses, body = ip[9], ip[12:20], ip[20:]
    else:
        protocol, addresses, body = ip[6], ip[8:40], ip[40:]
    pseudo = addresses + struct.pack("!II", len(body), protocol)
    return checksum(pseudo + body) == 0


def sctp(chunks, total=0xBAD, ports=(1000, 2000)):
    return struct.pack("!HHII", *ports, 77, total) + chunks


def crc32c(data):
    """Castagnoli's CRC, bit by bit, as RFC 9260 wants it for SCTP."""
    total = 0xFFFFFFFF
    for byte in data:
        total ^= byte
        for _ in range(8):
            total = (total >> 1) ^ (0x82F63B78 if total & 1 else 0)
    return total ^ 0xFFFFFFFF
