#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""IPv4 and IPv6 frames with TCP and UDP in them, their checksums, and what a segmenting NIC would
make of them."""

import struct

import frames

ADDRESSES = 12  # bytes of MAC addresses, which testpmd's mode csum sets
IP = 14
TCP, UDP = 6, 17
CWR, ACK = 0x80, 0x10
TAG = 4
_SOURCES = {4: bytes([192, 0, 2, 1, 192, 0, 2, 2]), 6: bytes(range(32))}
_ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}


def ones_sum(data):
    """The one's complement sum of 16-bit words."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _l3_len(version):
    return 20 if version == 4 else 40


def _checksum_at(version, protocol):
    return IP + _l3_len(version) + (16 if protocol == TCP else 6)


def _l4(number, protocol, flags, length):
    """A transport header and payload of so many bytes in all, without its checksum."""
    if protocol == TCP:
        header = struct.pack("!HHIIBBHHH", 1000 + number % 99, 80, number, 7, 0x50, flags, 512, 0, 0)
    else:
        header = struct.pack("!HHHH", 1000 + number % 99, 2000, length, 0)
    noise = bytes((number * 7 + i * 13 + (i >> 8)) & 0xFF for i in range(length - len(header)))
    return header + noise


def make(number, version, protocol, size, flags=ACK, tci=None):
    """A frame of size bytes, all of its checksums right."""
    length = size - IP - _l3_len(version)
    if version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, number & 0xFFFF, 0, 64, protocol, 0)
    else:
        head = struct.pack("!IHBB", 6 << 28, length, protocol, 64)
    head += _SOURCES[version]
    tag = b"" if tci is None else struct.pack("!HH", 0x8100, tci)
    begin = frames.DST_MAC + frames.SRC_MAC + _ETHERTYPES[version]
    whole = completed(begin + head + _l4(number, protocol, flags, length))
    return whole[:ADDRESSES] + tag + whole[ADDRESSES:]


def parse(frame):
    """Return the version of IP, the protocol, and where the payload of IP ends; no tag."""
    version = frame[IP] >> 4
    if version == 4:
        return 4, frame[IP + 9], IP + struct.unpack_from("!H", frame, IP + 2)[0]
    return 6, frame[IP + 6], IP + 40 + struct.unpack_from("!H", frame, IP + 4)[0]


def _pseudo(frame, version, protocol, length):
    at, size = (IP + 12, 8) if version == 4 else (IP + 8, 32)
    return frame[at : at + size] + struct.pack("!II", length, protocol)


def completed(frame):
    """The same frame with right checksums."""
    frame = bytearray(frame)
    version, protocol, end = parse(frame)
    if version == 4:
        frame[IP + 10 : IP + 12] = bytes(2)
        frame[IP + 10 : IP + 12] = struct.pack("!H", ~ones_sum(bytes(frame[IP : IP + 20])) & 0xFFFF)
    at, start = _checksum_at(version, protocol), IP + _l3_len(version)
    frame[at : at + 2] = bytes(2)
    pseudo = _pseudo(frame, version, protocol, end - start)
    checksum = ~ones_sum(bytes(pseudo + frame[start:end])) & 0xFFFF
    frame[at : at + 2] = struct.pack("!H", checksum or 0xFFFF)
    return bytes(frame)


def spoiled(frame, ip=True, l4=True):
    """The same frame with checksums that are wrong."""
    frame = bytearray(frame)
    version, protocol, _ = parse(frame)
    if ip and version == 4:
        frame[IP + 10] ^= 0x55
    if l4:
        frame[_checksum_at(version, protocol)] ^= 0x55
    return bytes(frame)


def inner(frame):
    """All of it but the MAC addresses."""
    return frame[ADDRESSES:]
