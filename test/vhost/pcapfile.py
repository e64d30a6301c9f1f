#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Classic pcap files of Ethernet frames, written and read whole with the standard library."""

import struct

_FILE_HEADER = struct.Struct("<IHHiIII")
_RECORD_HEADER = struct.Struct("<IIII")
_MAGIC_MICROSECONDS = 0xA1B2C3D4
_MAGIC_NANOSECONDS = 0xA1B23C4D
_LINKTYPE_ETHERNET = 1
_SNAPLEN = 65535


def write(path, frames):
    """Write each of the byte strings in frames as one record."""
    with open(path, "wb") as f:
        header = (_MAGIC_MICROSECONDS, 2, 4, 0, 0, _SNAPLEN, _LINKTYPE_ETHERNET)
        f.write(_FILE_HEADER.pack(*header))
        for n, frame in enumerate(frames):
            f.write(_RECORD_HEADER.pack(0, n, len(frame), len(frame)))
            f.write(frame)


def read(path, killed=False):
    """Return the records as a list of byte strings; ValueError where the file is not a whole pcap.

    killed: its writer was, so that the last record may be cut short.
    """
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < _FILE_HEADER.size:
        raise ValueError(f"{path}: {len(data)} bytes are too few for a pcap header")
    magic = _FILE_HEADER.unpack_from(data)[0]
    if magic not in (_MAGIC_MICROSECONDS, _MAGIC_NANOSECONDS):
        raise ValueError(f"{path}: magic {magic:#x} is not that of a little-endian pcap")

    frames = []
    at = _FILE_HEADER.size
    while at < len(data):
        if at + _RECORD_HEADER.size > len(data):
            if killed:
                break
            raise ValueError(f"{path}: record {len(frames)} has no whole header")
        _, _, captured, length = _RECORD_HEADER.unpack_from(data, at)
        at += _RECORD_HEADER.size
        if captured != length or at + captured > len(data):
            if killed and captured == length:
                break
            raise ValueError(f"{path}: record {len(frames)} of {length} bytes is cut short")
        frames.append(data[at : at + captured])
        at += captured
    return frames
