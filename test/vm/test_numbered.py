# SPDX-License-Identifier: BSD-3-Clause
"""The frame checks themselves: each kind of fault must be seen."""

import socket
import threading

import numbered
import pytest

MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
SIZES = [60, 61, 1514, 700, 60, 9014, 100, 333]


def swap(seen, out):
    """Hold frame 3 back until frame 4 is out."""
    if len(seen) == 4:
        return
    out.send(seen[-1])
    if len(seen) == 5:
        out.send(seen[3])


def flip(seen, out):
    frame = bytearray(seen[-1])
    if len(seen) == 6:
        frame[-1] ^= 1
    out.send(frame)


FAULTS = {
    "lost": lambda seen, out: len(seen) == 5 or out.send(seen[-1]),
    "twice": lambda seen, out: [out.send(seen[-1]) for _ in range(1 + (len(seen) == len(SIZES)))],
    "out of order": swap,
    "changed": flip,
    "cut short": lambda seen, out: out.send(seen[-1][: -1 if len(seen) == 3 else None]),
    "too long": lambda seen, out: out.send(seen[-1] + b"x" * (len(seen) == 3)),
}


def run(fault, opened=False):
    """Streams over a "wire" that does what fault says with each frame. opened: it is waited for."""
    sender, wire_in = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    wire_out, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def wire():
        seen = []
        while frame := wire_in.recv(1 << 16):
            seen.append(frame)
            fault(seen, wire_out)

    worker = threading.Thread(target=wire, daemon=True)
    worker.start()
    try:
        stream = numbered.Stream(sender, receiver, SIZES, *MACS)
        if opened:
            stream.wait_open()
        numbered.exchange(stream, timeout=2)
    finally:
        sender.send(b"")
        worker.join(5)
        for end in (sender, wire_in, wire_out, receiver):
            end.close()


def test_faultless():
    run(lambda seen, out: out.send(seen[-1]))


def again(seen, out):
    """The first frame comes again behind each other one."""
    out.send(seen[-1])
    if len(seen) > 1:
        out.send(seen[0])


def test_late_ones_that_asked_are_passed_over():
    run(again, opened=True)
    with pytest.raises(numbered.FrameError):
        run(again)


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_seen(fault, opened):
    """Also behind a frame that asked whether the way is open."""
    with pytest.raises(numbered.FrameError):
        run(lambda seen, out: FAULTS[fault](seen[opened:] or seen, out), opened)
