# SPDX-License-Identifier: BSD-3-Clause
"""Numbered frames over raw sockets; each one that arrives is compared with what was sent."""

import random
import select
import struct
import time

ETHERTYPE = 0x88B5  # set aside for local experiments (IEEE 802)
HEADER = struct.Struct("!6s6sHIH")  # destination, source, type, number, size
SMALLEST = 60
WARM_UP = 0xFFFFFFFF  # the number of frames that only find out whether the way is open
SOCKET_BUFFER = 16 << 20
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
PATIENCE = 10  # seconds without any frame

_NOISE = random.Random(88).randbytes(1 << 17)


class FrameError(AssertionError):
    """A frame is missing, came twice, out of order, or is not what was sent."""


def build(number, size, destination, source):
    """Frame `number`; every byte of its content follows from its number, size and addresses."""
    begin = (number * 251) % (1 << 16)
    header = HEADER.pack(_mac(destination), _mac(source), ETHERTYPE, number, size)
    return header + _NOISE[begin : begin + size - len(header)]


def _mac(text):
    return bytes.fromhex(text.replace(":", ""))


class Stream:
    """Frames of the given sizes from one socket to another, at most `window` of them under way."""

    def __init__(self, sender, receiver, sizes, source, destination, window=32):
        self.sender, self.receiver = sender, receiver
        self._sizes = list(sizes)
        self._addresses = (destination, source)
        self._window = window
        self.sent = self.arrived = 0
        self._passed_over = None
        for end in (sender, receiver):
            end.setsockopt(1, SO_SNDBUFFORCE, SOCKET_BUFFER)
            end.setsockopt(1, SO_RCVBUFFORCE, SOCKET_BUFFER)

    @property
    def done(self):
        return self.arrived == len(self._sizes)

    def wait_open(self, check=lambda: None, timeout=30):
        """Send frames, ten a second, until one arrives. Those that come later are passed over.

        check() is called in between, to raise an error where waiting has become pointless.
        """
        deadline = time.monotonic() + timeout
        frame = build(WARM_UP, SMALLEST, *self._addresses)
        while not _readable(self.receiver, 0):
            if time.monotonic() > deadline:
                raise FrameError(f"no frame gets through in {timeout} s")
            check()
            self.sender.send(frame)
            _readable(self.receiver, 0.1)
        self._passed_over = frame

    def flood(self, bursts, size):
        """Send bursts of frames of which it does not matter whether they arrive."""
        frame = build(WARM_UP, SMALLEST, *self._addresses)
        for _ in range(bursts):
            for _ in range(size):
                self.sender.send(frame)
            self._drain(0.01)
        self._drain(0.5)

    def _drain(self, silence):
        """Take and forget what arrives until nothing has come for so many seconds."""
        while _readable(self.receiver, silence):
            self.receiver.recv(1 << 16)

    def push(self):
        """Send as much as the window allows."""
        while self.sent < len(self._sizes) and self.sent - self.arrived < self._window:
            self.sender.send(build(self.sent, self._sizes[self.sent], *self._addresses))
            self.sent += 1

    def push_more(self, count):
        """Send so many frames, or as many as are left."""
        for _ in range(min(count, len(self._sizes) - self.sent)):
            self.sender.send(build(self.sent, self._sizes[self.sent], *self._addresses))
            self.sent += 1

    def take(self):
        """Check all frames that have arrived."""
        while _readable(self.receiver, 0):
            frame = self.receiver.recv(1 << 16)
            if frame != self._passed_over:
                self._check(frame)

    def _check(self, frame):
        number = self.arrived
        if number >= self.sent:
            raise FrameError(f"a frame more than the {self.sent} sent: {_describe(frame)}")
        expected = build(number, self._sizes[number], *self._addresses)
        if frame != expected:
            raise FrameError(f"expected {_describe(expected)}, got {_describe(frame, expected)}")
        self.arrived += 1


def _readable(end, timeout):
    return bool(select.select([end], [], [], timeout)[0])


def _describe(frame, expected=None):
    if len(frame) < HEADER.size:
        return f"{len(frame)} bytes: {frame.hex()}"
    number, size = HEADER.unpack_from(frame)[3:]
    text = f"frame {number} of {size} bytes ({len(frame)} in fact)"
    if expected is not None and number == HEADER.unpack_from(expected)[3]:
        pairs = zip(frame, expected)
        place = next((i for i, (got, want) in enumerate(pairs) if got != want), None)
        if place is not None:
            text += f", different from byte {place} on"
    return text


def exchange(*streams, timeout=60):
    """Run streams at once until every frame of each has arrived, checked; FrameError otherwise."""
    deadline = time.monotonic() + timeout
    while not all(stream.done for stream in streams):
        for stream in streams:
            stream.push()
        patience = min(PATIENCE, deadline - time.monotonic())
        waiting = [stream.receiver for stream in streams if not stream.done]
        if patience <= 0 or not select.select(waiting, [], [], patience)[0]:
            state = "; ".join(f"{s.arrived} of {s.sent} sent frames arrived" for s in streams)
            raise FrameError(f"frames are missing: {state}")
        for stream in streams:
            stream.take()
    # A frame that comes twice comes late.
    if select.select([stream.receiver for stream in streams], [], [], 0.1)[0]:
        for stream in streams:
            stream.take()


def sweep(smallest, largest, step=1):
    """Every size, then random ones, so that neighbours differ in length and in segments."""
    sizes = [*range(smallest, largest, step), largest]
    return sizes + random.Random(largest).choices(sizes, k=len(sizes))
