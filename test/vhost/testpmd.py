#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""One stock dpdk-testpmd, driven over a pseudo-terminal as a user would. Every wait has a bound."""

import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
import tty

import proclook
from joined import PROMPT, Joined

BOOT_SECONDS = 30
COMMAND_SECONDS = 20
EXIT_SECONDS = 20
LINE_SECONDS = 0.5  # in which a line that was begun ends

_MISUSE = re.compile(r"ERROR: AddressSanitizer|runtime error: ")
_LEAK = re.compile(r"(?:Direct|Indirect) leak of .*?\n\n", re.DOTALL)

_STATS = re.compile(r"([RT]X-[a-z]+):\s*(\d+)")


def _read_now(fd):
    """What there is to read at this moment, and whether the other end is closed."""
    data = b""
    while select.select([fd], [], [], 0)[0]:
        try:
            some = os.read(fd, 65536)
        except OSError:  # EIO: a terminal's last writer has closed its end
            some = b""
        if not some:
            return data, True
        data += some
    return data, False


def _find_answer(log, start):
    """What stands between start and the first prompt behind a line, or None. Not by an expression,
    which would go over a long log again and again while the prompt is not there."""
    line = log.find("\n", start)
    end = -1 if line < 0 else log.find(PROMPT, line)
    return None if end < 0 else log[start:end]


class TestpmdError(AssertionError):
    """The process ended, or did not answer in time."""

    __test__ = False


class Testpmd:
    """A running testpmd. log holds all that it printed."""

    __test__ = False

    def __init__(self, name, argv, env=None):
        self.name = name
        self.argv = argv
        self.log = ""
        self.ended = False  # no more output will come
        self.printed = threading.Condition()
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=env, start_new_session=True
        )
        os.close(slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    # The terminal

    def _read(self):
        """Keep the log. In a thread, as a process whose terminal nobody reads comes to a halt,
        and then does not answer the process at the other end of the socket either.

        Messages come by a way of their own, as those of other threads would be all over the
        terminal.
        """
        joined = Joined()
        terminal, messages = self.master, self.process.stderr.fileno()
        open_ends = [terminal, messages]
        while open_ends:
            ready = select.select(open_ends, [], [], LINE_SECONDS if joined.waiting else None)[0]
            said = {}
            for fd in list(open_ends):
                said[fd], closed = _read_now(fd)
                if closed:
                    open_ends.remove(fd)
            joined.add(said.get(terminal, b""), said.get(messages, b""))
            if not ready or not open_ends:
                joined.flush()
            with self.printed:
                self.log = joined.text
                self.ended = not open_ends
                self.printed.notify_all()

    def _read_until(self, search, start, seconds):
        """Return what search(log, start) finds, once it finds something."""
        deadline = time.monotonic() + seconds
        with self.printed:
            while True:
                found = search(self.log, start)
                if found:
                    return found
                if self.ended:
                    break
                if not self.printed.wait(deadline - time.monotonic()):
                    raise TestpmdError(f"{self.name}: no answer in {seconds} s\n{self.where()}")
        raise TestpmdError(f"{self.name}: ended with {self.wait()}\n{self.tail()}")

    def tail(self, lines=40):
        """The last lines of the log, for a failure's message."""
        return "\n".join(self.log.splitlines()[-lines:])

    def where(self):
        """Where its threads are, and the last lines of the log, for the message of a late answer."""
        return f"{proclook.threads(self.process.pid)}\n{self.tail()}"

    def boot(self):
        """Wait for the first prompt."""
        self._read_until(re.compile(PROMPT).search, 0, BOOT_SECONDS)
        return self

    def send(self, command):
        """Type a command; return from where in the log on its answer is to be."""
        start = len(self.log)
        try:
            os.write(self.master, command.encode() + b"\n")
        except OSError:
            pass  # the end of the process is reported by answer(), with its status
        return start

    def answer(self, start, seconds=COMMAND_SECONDS):
        """Return what a command printed up to the next prompt, the command itself included."""
        return self._read_until(_find_answer, start, seconds)

    def cmd(self, command, seconds=COMMAND_SECONDS):
        """Type a command and return what it printed."""
        return self.answer(self.send(command), seconds)

    def await_line(self, pattern, seconds=COMMAND_SECONDS, start=0):
        """Wait until the log, from its beginning or this place on, has a match of pattern."""
        return self._read_until(re.compile(pattern).search, start, seconds)

    def await_file(self, path, seconds=BOOT_SECONDS):
        """Wait until the process has made a file."""
        deadline = time.monotonic() + seconds
        while not os.path.exists(path):
            time.sleep(0.02)
            if not self.alive() or time.monotonic() > deadline:
                raise TestpmdError(f"{self.name}: has not made {path}\n{self.tail()}")

    # The process

    def alive(self):
        """True while the process runs."""
        return self.process.poll() is None

    def wait(self, seconds=EXIT_SECONDS):
        """Wait for the end; return the exit status, negative for a signal."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TestpmdError(
                f"{self.name}: did not end in {seconds} s\n{self.where()}"
            ) from None
        self.reader.join(seconds)
        return status

    def quit(self):
        """Leave by the command; the exit status must be 0."""
        self.send("quit")
        status = self.wait()
        if status != 0:
            raise TestpmdError(f"{self.name}: quit ended with {status}\n{self.tail()}")
        self.check_sanitizers()

    def check_sanitizers(self):
        """A build with sanitizers must not have reported misuse of memory, nor a leak of ours."""
        misuse = _MISUSE.search(self.log)
        assert not misuse, f"{self.name}: {self.log[misuse.start():][:4000]}"
        leaks = [leak for leak in _LEAK.findall(self.log + "\n\n") if "librte_net_vio" in leak]
        assert not leaks, f"{self.name}: {leaks[0]}"

    def kill(self):
        """End it at once, as a crash would."""
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(EXIT_SECONDS)

    def dispose(self):
        """Kill it if it still runs, and close the terminal."""
        self.kill()
        self.reader.join(EXIT_SECONDS)
        if self.master >= 0:
            os.close(self.master)
            self.process.stderr.close()
            self.master = -1

    def resources(self):
        """What a failed probe could leave behind: counts of open files, of mappings backed by a
        file or a socket, of threads, of memory zones, and what is allocated from the DPDK heap."""
        proc = f"/proc/{self.process.pid}"
        files = proclook.open_files(self.process.pid)
        with open(f"{proc}/maps", encoding="ascii") as f:
            mapped = [line.split(maxsplit=5)[5:] for line in f]
        heap = re.search(
            r"Total .*alloc: ([0-9.]+)\(.*count alloc: (\d+)", self.cmd("dump_socket_mem")
        )
        zones = re.findall(r"^Zone \d+", self.cmd("dump_memzone"), re.MULTILINE)
        assert heap and zones, "testpmd does not tell of its memory as it used to"
        return {
            "files": files,
            "mappings": sum(bool(path) for path in mapped),
            "threads": len(os.listdir(f"{proc}/task")),
            "memory zones": len(zones),
            "heap MiB": heap.group(1),
            "heap pieces": heap.group(2),
        }

    # What testpmd tells

    def negotiated(self):
        """The virtio feature bits that vhost reported last; for the device side."""
        found = re.findall(r"negotiated Virtio features: 0x([0-9a-f]+)", self.log)
        return int(found[-1], 16) if found else 0

    def stats(self, port):
        """The port's counters by testpmd's names, such as RX-packets."""
        out = self.cmd(f"show port stats {port}")
        found = {name: int(value) for name, value in _STATS.findall(out)}
        assert "RX-packets" in found, f"{self.name}: no counters for port {port}:\n{out}"
        return found

    def xstats(self, port):
        """The port's extended counters."""
        out = self.cmd(f"show port xstats {port}")
        return {name: int(value) for name, value in re.findall(r"^(\w+): (\d+)$", out, re.M)}

    def info(self, port):
        """What show port info prints."""
        return self.cmd(f"show port info {port}")

    def link_up(self, port=0):
        """True where the port's link is up."""
        return "Link status: up" in self.info(port)

    def await_link(self, up, port=0, seconds=10):
        """Wait until the link is as asked."""
        deadline = time.monotonic() + seconds
        while self.link_up(port) != up:
            assert time.monotonic() < deadline, (
                f"{self.name}: link of port {port} not {'up' if up else 'down'} in {seconds} s\n"
                f"{self.tail()}"
            )
            time.sleep(0.05)

    def await_frames(self, port, counter, count, stall=5):
        """Wait until a counter has reached count; fail once it stands still for stall seconds."""
        best, since = -1, time.monotonic()
        while True:
            now = self.stats(port)[counter]
            if now >= count:
                return now
            if now > best:
                best, since = now, time.monotonic()
            assert time.monotonic() - since < stall, (
                f"{self.name}: port {port} {counter} stands at {now} of {count}"
            )
            time.sleep(0.05)

    def await_quiet(self, port, counter, seconds=20):
        """Wait until a counter stands still; return it."""
        deadline = time.monotonic() + seconds
        last = self.stats(port)[counter]
        while True:
            time.sleep(0.25)
            now = self.stats(port)[counter]
            if now == last:
                return now
            last = now
            assert time.monotonic() < deadline, f"{self.name}: {counter} does not come to rest"

    def mbufs_out(self, pool="mb_pool_0"):
        """How many mbufs are not in their pool; below 0, some were freed twice."""
        dump = self.cmd(f"dump_mempool {pool}")
        size = int(re.search(r"\bsize=(\d+)", dump).group(1))
        cached = int(re.search(r"total_cache_count=(\d+)", dump).group(1))
        # The dump's own common_pool_count is cut to the size, which would hide a double free.
        ring = self.cmd(f"dump_ring MP_{pool}")
        return size - cached - int(re.search(r"\bused=(\d+)", ring).group(1))
