# SPDX-License-Identifier: BSD-3-Clause
"""vio-testpmd against stock dpdk-testpmd: what a packet costs the application itself, in mode io
between two null devices, and what it costs more when the application measures its cycles."""

import json
import re
import time
from functools import partial

from .machine import Watch
from .measure import SETTLE_SECONDS, chunks, summary, undisturbed
from .processes import BenchError

STOCK = "dpdk-testpmd"
OURS = "vio-testpmd"
MEASURING = "vio-testpmd, measuring cycles"
KINDS = (STOCK, OURS, MEASURING)
OPTIONS = {STOCK: [], OURS: [], MEASURING: ["--record-core-cycles"]}
PORTS = ["--vdev", "net_null0", "--vdev", "net_null1"]
MBUFS = 16384
MOST_FOR_MEASURING = 3.0  # cycles a packet

_RECEIVED = re.compile(r"RX-packets:\s*(\d+)")


def _report(lab):
    return lab.folder / "app.json"


def _start(lab, kind):
    program = STOCK if kind == STOCK else str(lab.app())
    app = ["--no-flush-rx", *OPTIONS[kind]]
    if kind == OURS:
        app.append(f"--json={_report(lab)}")
    return lab.testpmd(kind, lab.driver_cpu, PORTS, app, MBUFS, program)


def _received(app):
    """Packets of both ports, and when they were counted."""
    asked = time.monotonic()
    said = app.cmd("show port stats all")
    told = time.monotonic()
    counts = [int(count) for count in _RECEIVED.findall(said)]
    if len(counts) != 2:
        raise BenchError(f"{app.name}: expected the counters of two ports:\n{said}")
    return sum(counts), (asked + told) / 2


def _run(lab, app, seconds):
    """One measurement, by the same words and the same clock for either application."""
    app.cmd("start")
    time.sleep(SETTLE_SECONDS)
    before, began = _received(app)
    watch = Watch([app.process.pid], [lab.driver_cpu])
    time.sleep(seconds)
    noise = watch.result()
    after, ended = _received(app)
    app.cmd("stop")
    if after == before:
        raise BenchError(f"{app.name} moved no packet")
    pps = (after - before) / (ended - began)
    return {"mpps": pps / 1e6, **noise}


def _tsc_hz(lab, app):
    """The TSC's frequency, as the application says at its end."""
    app.quit()
    return json.loads(_report(lab).read_text())["tsc_hz"]


def measure(lab, options, progress):
    """All three by turns; one result for each. In fresh processes each time: where in memory a
    process has its buffers matters more than what the applications do differently."""
    runs = {kind: [] for kind in KINDS}
    for chunk in chunks(options.runs, options.runs):
        apps = {kind: _start(lab, kind) for kind in KINDS}
        for repetition in chunk:
            progress(f"app: run {repetition + 1} of {options.runs}")
            turn = repetition % len(KINDS)
            for kind in KINDS[turn:] + KINDS[:turn]:
                one = partial(_run, lab, apps[kind], options.seconds)
                runs[kind].append(undisturbed(one, options.retries))
        hz = _tsc_hz(lab, apps[OURS])
        lab.end_all()
    for run in (run for kind in KINDS for run in runs[kind]):
        run["cycles"] = hz / (run["mpps"] * 1e6)
    return [_result(kind, runs) for kind in KINDS]


def _result(kind, runs):
    cycles = {which: summary(runs[which], "cycles") for which in KINDS}
    found = cycles[kind]["median"]
    goal = None
    if kind == OURS:
        goal = cycles[STOCK]["median"]
    elif kind == MEASURING:
        goal = cycles[OURS]["median"] + MOST_FOR_MEASURING
    return {
        "application": kind,
        "cycles": cycles[kind],
        "mpps": summary(runs[kind], "mpps"),
        "goal": goal,
        "met": None if goal is None else found <= goal,
        "runs": runs[kind],
    }


HEAD = ("application", "cycles", "from", "to", "at most", "met", "Mpps")


def lines(results):
    """The table."""
    for r in results:
        yield (
            r["application"],
            *(f"{r['cycles'][which]:.1f}" for which in ("median", "min", "max")),
            "" if r["goal"] is None else f"{r['goal']:.1f}",
            "" if r["met"] is None else "yes" if r["met"] else "NO",
            f"{r['mpps']['median']:.1f}",
        )
