# SPDX-License-Identifier: BSD-3-Clause
"""Runs commands in the guest through its agent (guestfiles/agent).

Two channels lead there. On "control" each request line gets one reply line, in order. On "events"
the guest says on its own that it is up and that a job has ended. A reply is never held up by a
command that runs, so any number of jobs can run at once.
"""

import base64
import itertools
import select
import shlex
import time

from .errors import GuestTimeout, VioError

REPLY_SECONDS = 30


class Job:
    """A command in the guest. Its standard output and error go to one file there."""

    def __init__(self, guest, number, command):
        self._guest = guest
        self._number = number
        self.command = command
        self._kept = b""

    def running(self):
        return self._guest.status(self._number) is None

    def output(self):
        """All that it has written until now."""
        while True:
            more = self._guest.read(f"/run/vio/{self._number}/out", len(self._kept), missing=b"")
            if not more:
                return self._kept.decode(errors="replace")
            self._kept += more

    def wait(self, timeout, on_output=None):
        """Its exit status; GuestTimeout when it has not ended after timeout seconds.

        on_output(text) is called about twice a second with what is new. A job that a signal ended
        has the status 128 + signal.
        """
        deadline = time.monotonic() + timeout
        shown = 0
        while True:
            left = deadline - time.monotonic()
            status = self._guest.wait_event(self._number, min(left, 0.5 if on_output else left))
            if on_output:
                text = self.output()
                on_output(text[shown:])
                shown = len(text)
            if status is not None:
                return status
            if time.monotonic() >= deadline:
                raise GuestTimeout(
                    f"in the guest: '{self.command}' did not end in {timeout} s", self.output()
                )

    def wait_output(self, text, timeout, begin=0, read=None):
        """Wait until its output contains text, from the place begin on, and return all of it.

        read: reads the output in a way of its own. GuestTimeout if it ends, or timeout seconds pass, before that.
        """
        deadline = time.monotonic() + timeout
        while True:
            running = self.running()
            output = (read or self.output)()
            if text in output[begin:]:
                return output
            if not running or time.monotonic() > deadline:
                why = f"did not write '{text}' in {timeout} s" if running else "has ended"
                raise GuestTimeout(f"in the guest: '{self.command}' {why}:\n{output}", output)
            self._guest.wait_event(self._number, 0.1)

    def write(self, text):
        """Give it input; only for a job started with stdin=True."""
        self._guest.request("input", self._number, _encoded(text.encode()))

    def signal(self, name):
        """Send a signal (INT, TERM, KILL ...) to it and to all that it started."""
        self._guest.request("signal", self._number, name)

    def stop(self, patience=5):
        """End it if it still runs; its exit status."""
        for name in ("TERM", "KILL"):
            if self.running():
                self.signal(name)
            try:
                return self.wait(patience)
            except GuestTimeout:
                continue
        raise VioError(f"in the guest: '{self.command}' outlives SIGKILL")


class Guest:
    """The host's end of both channels."""

    def __init__(self, qemu):
        self._qemu = qemu
        self._buffers = {qemu.control: b"", qemu.events: b""}
        self._ended = {}
        self._numbers = itertools.count(1)

    def follow(self, qemu):
        """The guest has moved to another QEMU, in the middle of whatever it does."""
        self._qemu = qemu
        self._buffers = {qemu.control: b"", qemu.events: b""}

    def wait_up(self, timeout):
        deadline = time.monotonic() + timeout
        while True:
            line = self._line(self._qemu.events, deadline - time.monotonic())
            if line is None:
                raise VioError(f"the VM has not come up in {timeout} s", self._qemu.last_words())
            if line == "up":
                return

    def start(self, command, stdin=False):
        """Start a shell command in the background. With stdin, Job.write() reaches it."""
        number = next(self._numbers)
        self.request("start", number, int(stdin), _encoded(command.encode()))
        return Job(self, number, command)

    def run(self, command, timeout, on_output=None):
        """Run a shell command to its end: (exit status, output). It is killed when late."""
        job = self.start(command)
        try:
            status = job.wait(timeout, on_output)
        except BaseException:
            # Whoever asked is gone: leave nothing running in the guest.
            if self._qemu.running():
                job.signal("KILL")
            raise
        return status, job.output()

    def read(self, path, offset=0, missing=None):
        """Part of a file in the guest from offset on, as much as one reply holds."""
        status, content = self.request("read", shlex.quote(path), offset)
        if status != 0:
            if missing is not None:
                return missing
            raise VioError(f"in the guest: cannot read {path}")
        return content

    def fetch(self, path):
        """A whole file of the guest, as bytes."""
        content = b""
        while True:
            more = self.read(path, len(content))
            if not more:
                return content
            content += more

    def request(self, *words):
        """(status, content) of the agent's reply; VioError when there is none in time."""
        line = " ".join(str(word) for word in words) + "\n"
        self._qemu.control.settimeout(REPLY_SECONDS)
        try:
            self._qemu.control.sendall(line.encode())
        except OSError as error:
            raise VioError(f"the VM is gone: {error}", self._qemu.last_words()) from None
        reply = self._line(self._qemu.control, REPLY_SECONDS)
        if reply is None:
            raise VioError(
                f"the VM has not answered '{words[0]}' in {REPLY_SECONDS} s",
                self._qemu.last_words(),
            )
        status, _, content = reply.partition(" ")
        return int(status), base64.b64decode(content)

    def status(self, number):
        """A job's exit status, or None while it runs."""
        self.wait_event(number, 0)
        return self._ended.get(number)

    def wait_event(self, number, timeout):
        """Wait for a job to end: its exit status, or None after timeout seconds."""
        deadline = time.monotonic() + timeout
        while number not in self._ended:
            line = self._line(self._qemu.events, max(deadline - time.monotonic(), 0))
            if line is None:
                return None
            _, which, status = line.split()
            self._ended[int(which)] = int(status)
        return self._ended[number]

    def _line(self, channel, timeout):
        """The next line of a channel, or None after timeout seconds."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffers[channel]:
            left = max(deadline - time.monotonic(), 0)
            if not select.select([channel], [], [], left)[0]:
                return None
            try:
                more = channel.recv(1 << 16)
            except ConnectionResetError:
                more = b""
            if not more:
                raise VioError("the VM has ended on its own", self._qemu.last_words())
            self._buffers[channel] += more
        line, _, self._buffers[channel] = self._buffers[channel].partition(b"\n")
        return line.decode(errors="replace")


def _encoded(data):
    return base64.b64encode(data).decode() or "-"
