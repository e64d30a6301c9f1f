#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The hostile device of test/vhost/hostile as a process, its table of rows, and the play of one of
them against a stock dpdk-testpmd: for test_hostile.py, and for hostile-table.
"""

import itertools
import json
import os
import re
import subprocess
import time

import hostile_device
import target
from testpmd import TestpmdError

LOOP = ["--port-topology=loop"]
LONG_FRAME = 4000
AFTER = 100  # frames before the lie
SETTLE = 0.15  # seconds of polling after the lie
PROMPT_SECONDS = 10
NOTICE_SECONDS = 5  # in which the driver is to have noticed the lie
# Rows whose device says nothing: the driver's patience is short there. Where the device answers, a
# machine that gives it no CPU for that long makes no lie of the answer.
SILENT = ("15.reset", "15.silent", "15.silent-start", "15.silent-stop")
SILENT_TIMEOUT_MS = 500

INFORMS = r": connected to a vhost-user back-end|: (receive|transmit): vio "


def program():
    """The device."""
    return target.build_file("test", "vhost", "hostile", "hostile")


def rows():
    """The table, as the device tells it."""
    run = subprocess.run([program(), "--list"], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


class Case:
    """A row, the queue it is about, and what is negotiated."""

    def __init__(self, row, on, packed, mergeable, in_order, seed=1):
        self.row = row
        self.name = row["row"]
        self.on = on
        self.packed = packed
        self.mergeable = mergeable
        self.in_order = in_order
        self.seed = seed
        self.need = row["need"]

    @property
    def id(self):
        """A name for people."""
        parts = [self.name, self.on if self.on != "device" else None]
        parts += ["packed" if self.packed else "split"]
        parts += ["mrg" if self.mergeable else None, "inorder" if self.in_order else None]
        parts += [f"seed{self.seed}" if self.name.startswith("18.") else None]
        return "-".join(part for part in parts if part)

    def devargs(self):
        """What the driver is to negotiate."""
        args = {"packed_vq": int(self.packed), "mrg_rxbuf": int(self.mergeable)}
        args["in_order"] = int(self.in_order)
        if "pairs" in self.need:
            args.update(queues=2, cq=1)
        return args

    def device_argv(self):
        """The device's options."""
        offered = ["packed", "mergeable", "in-order"]
        if "direct" not in self.need:
            offered += ["indirect"]
        argv = ["--row", self.name, "--after", str(AFTER), "--seed", str(self.seed)]
        argv += ["--offer", ",".join(offered)]
        if self.on != "device":
            argv += ["--on", self.on]
        if "long" in self.need:
            argv += ["--size", str(LONG_FRAME)]
        if "pairs" in self.need:
            argv += ["--pairs", "2"]
        return argv


def fits(row, packed, mergeable, in_order):
    """Does the row mean anything where this is negotiated?"""
    wanted = {"split": not packed, "packed": packed, "in-order": in_order}
    wanted["mergeable"] = mergeable
    return all(wanted.get(need, True) for need in row["need"])


def cases(every=False):
    """Each row on each queue that it is about, once with split and once with packed rings where it
    can be, before there are rings once; every: with mergeable buffers or not and in order or not
    besides."""
    found = []
    for row in rows():
        for on, packed in itertools.product(row["on"], (False, True)):
            settings = list(itertools.product((True, False), (False, True)))
            fitting = [s for s in settings if fits(row, packed, *s)]
            if row["early"] and packed:
                continue  # there are no rings yet
            for mergeable, in_order in fitting if every else fitting[:1]:
                found.append(Case(row, on, packed, mergeable, in_order))
    return found


class Device(hostile_device.Device):
    """That of the build, at a socket."""

    def __init__(self, path, argv):
        super().__init__([program(), "--socket", path, *argv])


class Play:
    """One case played against a driver: device and testpmd, and what was seen."""

    def __init__(self, lab, case, options=(), setup=()):
        self.lab = lab
        self.setup = setup  # commands before the port is started
        self.case = case
        self.device = Device(lab.socket, [*case.device_argv(), *options])
        self.driver = None

    def boot(self, **devargs):
        """Start the driver's testpmd; where the lie is in its probe, there may be no port."""
        devargs = {**self.case.devargs(), **devargs}
        if target.is_ours():
            if self.case.name in SILENT:
                devargs.setdefault("timeout", SILENT_TIMEOUT_MS)
            # What is broken stays so, for the test to see; test_recovery.py has the other way.
            devargs.setdefault("recover", "manual")
        app = list(LOOP)
        queues = devargs.get("queues", 1)
        if "long" in self.case.need:
            app += ["--max-pkt-len=9200"]
        # Attached at the prompt: testpmd ends where the only port of its command line fails.
        self.driver = self.lab.start("driver", [], app=app, boot=False)
        self.driver.boot()
        self.driver.cmd(f"port attach {self.lab.vio(**devargs)}", seconds=PROMPT_SECONDS)
        if not self.has_port():
            return
        if queues > 1:
            self.driver.cmd(f"port config all rxq {queues}")
            self.driver.cmd(f"port config all txq {queues}")
        if "long" in self.case.need:
            self.driver.cmd("port config 0 rx_offload scatter on")
            self.driver.cmd("port config 0 tx_offload multi_segs on")
        for command in self.setup:
            self.driver.cmd(command)
        self.driver.cmd("port start 0", seconds=PROMPT_SECONDS)

    def has_port(self):
        """Did the driver make a port of the device?"""
        return "Driver name" in self.driver.info(0)

    def forward(self):
        """Let the driver's testpmd send back what it receives."""
        self.driver.cmd("start", seconds=PROMPT_SECONDS)

    def await_lie(self):
        """Wait until the device has lied, and let the driver poll on for a while."""
        event = self.device.await_event("misbehaved")
        time.sleep(SETTLE)
        return event

    def moves(self, seconds=0.5):
        """Do frames still go round?"""
        before = self.device.counters()["returned"]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.device.counters()["returned"] > before + 20:
                return True
            time.sleep(0.02)
        return False

    def stop_port(self):
        """Stop forwarding and the port; both must answer."""
        self.driver.cmd("stop", seconds=PROMPT_SECONDS)
        self.driver.cmd("port stop 0", seconds=PROMPT_SECONDS)

    def restart(self):
        """Start both again; by then the device is honest."""
        self.driver.cmd("port start 0", seconds=PROMPT_SECONDS)
        self.forward()

    def end(self):
        """End both."""
        if self.driver is not None:
            self.driver.dispose()
        self.device.stop()


class Outcome:
    """What became of the driver. verdict is one of VERDICTS."""

    def __init__(self):
        self.verdict = "survived"
        self.at = ""  # what was being done when it crashed or hung
        self.port = False  # was there a port?
        self.lie = {}  # what the device said when it lied
        self.moves = None  # do frames go round after it? None: there is no device any more
        self.xstats = {}
        self.told = []  # log lines of complaint after the lie, before the port is stopped
        self.log = []  # all of them
        self.link = None
        self.mbufs_out = None  # after port stop
        self.mbufs_lost = None  # after port close; below 0: freed twice
        self.recovers = None  # do frames go round after port stop and start?
        self.counters = {}  # of the device, before the restart
        self.duties = []  # rules that the driver broke before the lie
        self.error = ""
        self.seconds = 0.0

    def counted(self):
        """xstats that tell of something gone wrong, without those that are 0."""
        words = ("broken", "drop", "error", "missed", "bad")
        return {n: v for n, v in self.xstats.items() if v and any(w in n for w in words)}

    def tells(self):
        """Does anything tell a user why no frame moves?"""
        return bool(self.told or self.counted() or not self.link)


VERDICTS = {
    "survived": "frames go on, or a log line, a counter or the link tells why not",
    "no traffic": "not all frames went round before the lie: it proves nothing",
    "silent": "the process lives, no frame moves any more, and nothing tells why",
    "hung": "a command got no answer in time",
    "crashed": "the process ended",
}


def complaints(text):
    """A driver's log lines: ours have its name, those of DPDK's own begin with the function's. Not
    always at a line's start, as threads print as they like."""
    lines = [line.removeprefix("testpmd> ") for line in text.splitlines()]
    spoken = r"vio: |\w*(virtio|vtnet|vq|vhost)\w*\(\): "
    found = [line for line in lines if re.search(spoken, line)]
    return [line for line in found if not re.search(INFORMS, line)]


def _watch(play, out, patience, shows):
    """Up to the lie, and what is seen after it."""
    mark = 0 if play.case.row["early"] else len(play.driver.log)
    play.forward()
    if not play.case.row["early"]:
        out.lie = play.await_lie()
    if play.device.alive():
        out.moves = play.moves(patience)
        out.counters = play.device.counters()
    out.duties = [e["rule"] for e in play.device.events if e["event"] == "driver broke a duty"]
    deadline = time.monotonic() + NOTICE_SECONDS
    while True:
        out.xstats = play.driver.xstats(0)
        out.link = play.driver.link_up()
        out.told = complaints(play.driver.log[mark:])
        if shows(out) or time.monotonic() > deadline:
            return
        time.sleep(0.05)


def _restart(play, out, step):
    """Once more, with a device that is honest by then."""
    if not play.device.alive() or play.device.has("disconnected"):
        return
    step("port start")
    play.restart()
    out.recovers = play.moves(5)
    step("port stop")
    play.stop_port()
    out.mbufs_out = play.driver.mbufs_out() or out.mbufs_out


def _play(play, out, step, patience, shows):
    step("boot")
    play.boot()
    out.port = play.has_port()
    if out.port:
        step("traffic")
        _watch(play, out, patience, shows)
        step("port stop")
        play.stop_port()
        out.mbufs_out = play.driver.mbufs_out()
        _restart(play, out, step)
        step("port close")
        play.driver.cmd("port close 0", seconds=PROMPT_SECONDS)
        out.mbufs_lost = play.driver.mbufs_out()
    out.log = complaints(play.driver.log)
    step("quit")
    play.driver.quit()
    if out.moves is False and not out.tells():
        out.verdict = "silent"
    if out.port and not play.case.row["early"] and out.lie["returned"] < AFTER:
        out.verdict = "no traffic"


def observe(lab, case, patience=0.4, setup=(), shows=lambda out: True):
    """Play a case and return its Outcome. patience: seconds for frames to move after the lie. shows:
    whether an Outcome has what the driver is to show of the lie; it is waited for."""
    out = Outcome()
    play = Play(lab, case, setup=setup)
    began = time.monotonic()

    def step(name):
        out.at = name

    try:
        _play(play, out, step, patience, shows)
    except TestpmdError as error:
        ended = play.driver.process.poll()
        out.verdict = "hung" if ended is None else "crashed"
        out.error = str(error)
        if ended is not None:
            out.error = f"status {ended}\n{out.error}"
    finally:
        play.end()
        out.seconds = time.monotonic() - began
    return out
