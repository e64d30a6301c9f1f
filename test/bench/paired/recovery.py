# SPDX-License-Identifier: BSD-3-Clause
"""How long a port is away after a fault. The device's own clock is read twice: as it does what breaks
the port, and when the first frame that it gave afterwards has returned to it, through the driver, a
stock dpdk-testpmd, and the driver again.

Where the peer dies, the next one stands ready: in the backlog of a driver that listens, or already
listening where the driver will connect. So no start of a process is part of the time."""

import dataclasses
import os
import time

from .measure import summary
from .processes import DIE_WITH_US, OURS, BenchError

import hostile_device  # isort: skip, found by what processes adds to the path

MOST_MS = 50.0
RING = 256
RECONNECT_MS = 10
ANSWER_SECONDS = 5
RETURNED = 200  # frames, before a fault
QUIET_SECONDS = 0.02
SUCCESS = "error recovery successful event"
NEVER = 1000000000


@dataclasses.dataclass(frozen=True)
class Kind:
    """A fault, by the row of the hostile device that brings it about."""

    title: str
    row: str
    on: str = None  # which queue
    dies: bool = False
    server: bool = False  # the driver listens
    looks: bool = False  # nobody tells the driver: it sees the fault when the link is asked for


KINDS = (
    Kind("receive queue broken", "1.beyond", on="rx"),
    Kind("transmit queue broken", "1.beyond", on="tx"),
    Kind("DEVICE_NEEDS_RESET, seen when the link is asked for", "17.needs-reset", looks=True),
    Kind("peer dead, driver connects again", "17.dies", dies=True),
    Kind("peer dead, driver listens (server=1)", "17.dies", dies=True, server=True),
)


class Device(hostile_device.Device):
    """The hostile device for a kind of fault."""

    error = BenchError

    def __init__(self, lab, kind, path):
        argv = [*DIE_WITH_US, "taskset", "-c", str(lab.device_cpu), str(lab.hostile())]
        argv += ["--socket", path, "--row", kind.row, "--after", str(NEVER)]
        argv += ["--connect"] if kind.server else []
        argv += ["--on", kind.on] if kind.on else []
        super().__init__(argv)
        lab.processes.append(self)

    def await_returned(self, frames):
        """Wait until so many more frames have come back."""
        deadline = time.monotonic() + ANSWER_SECONDS
        goal = self.counters()["returned"] + frames
        while self.counters()["returned"] < goal:
            if time.monotonic() > deadline:
                raise BenchError(f"no frames go round: {self.counters()}")

    def come_to_rest(self):
        """Give no more frames; what it has counted once none moves any more."""
        self.tell("rest")
        before, now = None, self.counters()
        while before is None or (now["given"], now["taken"]) != (before["given"], before["taken"]):
            time.sleep(QUIET_SECONDS)
            before, now = now, self.counters()
        return now


class Play:
    """A driver, and the faults of one kind in a row."""

    def __init__(self, lab, kind):
        self.lab, self.kind = lab, kind
        self.path = lab.new_socket()
        self.given = self.taken = 0  # of devices that are no more
        self.recovered = 0
        self.device = Device(lab, kind, self.path)
        devargs = {"server": 1} if kind.server else {"reconnect": RECONNECT_MS}
        app = ["--port-topology=loop", "--disable-link-check"]
        # With link interrupts ethdev answers by itself, and the driver is not asked.
        app += ["--no-lsc-interrupt"] if kind.looks else []
        self.app = lab.driver(OURS, self.path, devargs, app, RING)
        self.app.cmd("start")
        self.device.await_event("moves")

    def _next_peer(self):
        """One that waits to take the place of the other."""
        if self.kind.server:
            peer = Device(self.lab, self.kind, self.path)
            peer.await_event("connected")
            return peer
        ready = self.lab.new_socket()
        peer = Device(self.lab, self.kind, ready)
        os.rename(ready, self.path)
        return peer

    def fault(self):
        """Milliseconds from a fault to the first frame after it."""
        self.device.await_returned(RETURNED)
        after = self._next_peer() if self.kind.dies else self.device
        since = self.device.tell("lie")
        fault = self.device.await_event("misbehaved", since)
        if self.kind.looks:
            self.app.send("show port info 0")
        moves = after.await_event("moves", 0 if self.kind.dies else since)
        self._await_silence()
        if self.kind.dies:
            self.given += fault["given"]
            self.taken += fault["taken"]
            self.device.dispose()
            self.lab.processes.remove(self.device)
            self.device = after
        return (moves["us"] - fault["us"]) / 1000

    def _await_silence(self):
        """Until the application has heard of it: its words may stand in the middle of a prompt."""
        self.recovered += 1
        deadline = time.monotonic() + ANSWER_SECONDS
        while self.app.log.count(SUCCESS) < self.recovered:
            if time.monotonic() > deadline:
                raise BenchError(f"the application does not hear of a recovery:\n{self.app.tail()}")
            time.sleep(QUIET_SECONDS)
        time.sleep(QUIET_SECONDS)

    def restart(self):
        """As the application would, so that the port does not wait before its next try, as it does
        after faults that come one right after the other."""
        self.device.come_to_rest()
        for command in ("stop", "port stop 0", "port start 0", "start"):
            self.app.cmd(command)
        self.device.tell("go")

    def account(self):
        """(buffers lost, frames neither delivered nor counted)."""
        rest = self.device.come_to_rest()
        xstats = self.app.xstats(0)
        self.app.cmd("stop")
        frames = self.given + rest["given"] - xstats["rx_good_packets"]
        frames -= xstats["rx_q0_drop_recovery"] + xstats["rx_q0_broken"]
        # What the device had may have been taken all the same.
        sent = xstats["tx_good_packets"] - xstats["tx_q0_drop_recovery"] - self.taken - rest["taken"]
        self.app.cmd("port stop 0")
        return self.app.mbufs_out(), frames + max(sent, 0)


def _measure(lab, kind, faults):
    play = Play(lab, kind)
    times = []
    for _ in range(faults):
        times.append(play.fault())
        play.restart()
    mbufs, frames = play.account()
    play.app.quit()
    lab.end_all()
    found = summary([{"ms": ms} for ms in times], "ms")
    met = found["max"] < MOST_MS and mbufs == 0 and frames == 0
    return {
        "fault": kind.title,
        "faults": faults,
        "ms": found,
        "times": times,
        "buffers_lost": mbufs,
        "frames_lost": frames,
        "goal_ms": MOST_MS,
        "met": met,
    }


def measure(lab, options, progress):
    """Each kind of fault, so often in a row."""
    results = []
    for kind in KINDS:
        progress(f"recovery: {kind.title}")
        results.append(_measure(lab, kind, options.faults))
    return results


HEAD = ("fault", "times", "median ms", "worst ms", "less than", "buffers lost", "frames lost", "met")


def lines(results):
    """The table."""
    for r in results:
        yield (
            r["fault"],
            str(r["faults"]),
            *(f"{r['ms'][which]:.1f}" for which in ("median", "max")),
            f"{r['goal_ms']:g}",
            str(r["buffers_lost"]),
            str(r["frames_lost"]),
            "yes" if r["met"] else "NO",
        )
