#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames to send and the comparison of what came back.

A frame is an Ethernet header with the local experimental ethertype, a stream id, a sequence
number, and random bytes from a fixed seed, so that two frames are never alike and every run
sends the same ones.
"""

import random
import struct

DST_MAC = bytes.fromhex("020000000001")
SRC_MAC = bytes.fromhex("0200000000aa")
ETHERTYPE_EXPERIMENTAL = 0x88B5
_HEADER = struct.Struct("!6s6sHII")

SMALL = (60, 1514)
JUMBO = (60, 9000)

# Lengths about which drivers go wrong: cache lines, and the data room of a 2 KiB buffer with
# and without the headers of 10 and 12 bytes in front, once and several times.
_EDGES = (60, 61, 63, 64, 65, 127, 128, 129, 255, 256, 511, 512, 1023, 1024, 1499, 1500, 1513, 1514)
_EDGES_JUMBO = (1518, 2035, 2036, 2037, 2038, 2039, 2047, 2048, 2049, 4083, 4084, 4085, 4095, 4096)
_EDGES_JUMBO += (4097, 6131, 6132, 6133, 8179, 8180, 8181, 8191, 8192, 8193, 8999, 9000)


def make(count, sizes=SMALL, stream=0, seed=1):
    """Return count frames of mixed lengths in the closed range sizes."""
    rng = random.Random(f"{seed}/{stream}/{sizes}")
    low, high = sizes
    edges = [n for n in _EDGES + _EDGES_JUMBO if low <= n <= high] + [low, high]
    frames = []
    for n in range(count):
        length = rng.choice(edges) if rng.random() < 0.5 else rng.randint(low, high)
        header = _HEADER.pack(DST_MAC, SRC_MAC, ETHERTYPE_EXPERIMENTAL, stream, n)
        frames.append(header + rng.randbytes(length - len(header)))
    return frames


def mac_swapped(frames):
    """The same frames with source and destination address exchanged."""
    return [f[6:12] + f[0:6] + f[12:] for f in frames]


def sequence(frame):
    """Return (stream, number) of a frame made here, None for any other."""
    if len(frame) < _HEADER.size:
        return None
    _, _, ethertype, stream, number = _HEADER.unpack_from(frame)
    return (stream, number) if ethertype == ETHERTYPE_EXPERIMENTAL else None


def difference(sent, received):
    """Return None where both lists are equal, else one line that names the first difference."""
    if sent == received:
        return None
    counts = f"{len(sent)} sent, {len(received)} received"
    for n, (want, got) in enumerate(zip(sent, received)):
        if want == got:
            continue
        if len(want) == len(got) and sequence(want) == sequence(got):
            byte = next(i for i in range(len(want)) if want[i] != got[i])
            return f"{counts}; frame {n} of {len(want)} bytes differs from byte {byte} on"
        return (
            f"{counts}; at place {n}: sent {sequence(want)} of {len(want)} bytes, "
            f"received {sequence(got)} of {len(got)} bytes"
        )
    return f"{counts}; all that are in both are equal"


def replay_fault(sent, times, received):
    """Check what came back of a list that was sent over and over, where some may be missing.

    times is how many frames left in all. Return None where each received frame is one of sent,
    whole, and in order; else one line that says which is not.
    """
    place = {frame: n for n, frame in enumerate(sent)}
    rounds, last = 1, -1
    for n, frame in enumerate(received):
        here = place.get(frame)
        if here is None:
            return f"frame {n} of {len(frame)} bytes, {sequence(frame)}, was never sent"
        rounds += here <= last
        last = here
    most = -(-times // len(sent))
    if rounds > max(most, 1):
        return f"{rounds - most} steps back in the order of {len(received)} frames"
    return None
