# SPDX-License-Identifier: BSD-3-Clause
"""One measurement is testpmd forwarding for a while; a comparison is many, of both by turns."""

import re
import time
from functools import partial

from . import cases
from .machine import Watch
from .processes import DRIVERS, OURS, THEIRS, BenchError, paths

SETTLE_SECONDS = 0.1
RX_OFFLOADS = 0x1 | 0x4 | 0x8  # VLAN strip, UDP and TCP checksums: what both drivers have
TX_FIRST_BURSTS = 32

_CYCLES = re.compile(r"CPU cycles/packet=([0-9.]+)")
_PPS = re.compile(r"([RT])x-pps:\s*(\d+)")


def _pps(app):
    """Packets a second since the last question: {"R": received, "T": transmitted}."""
    return {way: int(n) for way, n in _PPS.findall(app.cmd("show port stats 0"))}


def _watch(lab, counter, others, seconds):
    """Let it run for a while: (packets a second by counter, what disturbed it)."""
    time.sleep(SETTLE_SECONDS)
    _pps(counter)
    watch = Watch([process.pid for process in (counter.process, *others)], lab.cpus())
    time.sleep(seconds)
    noise = watch.result()
    return _pps(counter), noise


def _cycles(app, said):
    match = _CYCLES.search(said)
    if not match:
        raise BenchError(f"{app.name} moved no packet:\n{said}")
    return float(match.group(1))


def _median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def summary(runs, key):
    """Median, least and most of one figure of some runs."""
    values = [run[key] for run in runs]
    return {"median": _median(values), "min": min(values), "max": max(values)}


def undisturbed(measurement, retries):
    """A measurement, repeated while something disturbs it, but not for ever. What decides is only
    what else ran on the CPUs, never the figure."""
    run = measurement()
    while run["disturbed"] and retries > 0:
        run = measurement()
        retries -= 1
    return run


def order(repetition):
    """Who goes first changes from one repetition to the next."""
    return DRIVERS if repetition % 2 == 0 else DRIVERS[::-1]


class RowPair:
    """Both drivers with a null device each, of which only one runs at a time."""

    def __init__(self, lab, setup, touch):
        self.lab, self.setup = lab, setup
        self.apps, self.devices, self.paths = {}, {}, {}
        for which in DRIVERS:
            self._start(which, touch)

    def _start(self, which, touch):
        setup, row = self.setup, self.setup.row
        options = ["--size", str(setup.size), "--touch", "header" if setup.offloads else touch]
        if setup.offloads:
            options.append("--guest-offloads")
        app = ["--no-flush-rx", f"--txpkts={setup.size}"]
        if setup.offloads:
            app.append(f"--rx-offloads={RX_OFFLOADS:#x}")
        device = self.lab.null_device(options)
        self.apps[which] = self.lab.driver(
            which, device.socket, row.devargs(), app, setup.ring, setup.simd, setup.vector
        )
        self.devices[which] = device
        self.paths[which] = paths(which, self.apps[which])
        refusal = row.refuses(device.negotiated())
        if device.rings() != {setup.ring}:
            refusal = f"rings are of {device.rings()} descriptors, not {setup.ring}"
        if refusal:
            raise BenchError(f"{row.title}, {which}: {refusal}, so this is another row")
        device.pause()

    def run(self, which, mode, burst, seconds):
        """One measurement."""
        app, device = self.apps[which], self.devices[which]
        app.cmd(f"set fwd {mode}")
        app.cmd(f"set burst {burst}")
        device.resume()
        try:
            app.cmd("start")
            pps, noise = _watch(self.lab, app, [device.process], seconds)
            said = app.cmd("stop")
            device.check()
        finally:
            device.pause()
        return {
            "cycles": _cycles(app, said),
            "mpps": pps["T" if mode == "txonly" else "R"] / 1e6,
            **noise,
        }


class LoopbackPair:
    """Both drivers, with a testpmd of DPDK's vhost each. Those rest while they do not forward."""

    def __init__(self, lab, path, ring, options):
        self.lab = lab
        self.apps, self.devices, self.paths = {}, {}, {}
        for which in DRIVERS:
            socket = lab.new_socket()
            self.devices[which] = lab.vhost(socket, cases.LOOPBACK_RING)
            self.apps[which] = lab.driver(
                which,
                socket,
                path.devargs(),
                path.app(options.vlan_strip),
                ring,
                options.simd[0],
                path.vector,
            )
            self.paths[which] = paths(which, self.apps[which])
            for process in self.apps[which], self.devices[which]:
                process.cmd("set fwd mac")

    def run(self, which, size, seconds):
        """One measurement: as many frames are under way as the device first sent."""
        app, device = self.apps[which], self.devices[which]
        app.cmd("start")
        device.cmd(f"set txpkts {size}")
        device.cmd(f"start tx_first {TX_FIRST_BURSTS}")
        pps, noise = _watch(self.lab, device, [app.process], seconds)
        device.cmd("stop")
        said = app.cmd("stop")
        return {"cycles": _cycles(app, said), "mpps": pps["R"] / 1e6, **noise}


def compare(runs):
    """The figures of both drivers: {driver: [run, ...]}, those of one repetition at one index."""
    found = {}
    for which in DRIVERS:
        found[which] = {
            "cycles": summary(runs[which], "cycles"),
            "mpps": summary(runs[which], "mpps"),
            "runs": runs[which],
        }
    for key, over, under in (("cycles", THEIRS, OURS), ("mpps", OURS, THEIRS)):
        if found[under][key]["median"] == 0:
            raise BenchError(f"{under} moved no packet")
        pairs = [a[key] / b[key] for a, b in zip(runs[over], runs[under]) if b[key]]
        found[f"{key}_ratio"] = found[over][key]["median"] / found[under][key]["median"]
        found[f"{key}_ratio_of_pairs"] = [min(pairs), max(pairs)]
    return found


def rows(lab, setups, options, progress):
    """Measure all setups; a list of results."""
    results = []
    setups = list(setups)
    for number, setup in enumerate(setups, 1):
        keys = [(mode, burst) for mode in options.modes for burst in options.bursts]
        runs = {key: {which: [] for which in DRIVERS} for key in keys}
        for chunk in chunks(options.runs, options.restarts):
            pair = RowPair(lab, setup, options.touch)
            for repetition in chunk:
                progress(
                    f"{number}/{len(setups)} {setup.label()}: "
                    f"run {repetition + 1} of {options.runs}"
                )
                for (mode, burst), which in _each(keys, repetition):
                    measurement = partial(pair.run, which, mode, burst, options.seconds)
                    runs[mode, burst][which].append(undisturbed(measurement, options.retries))
            lab.end_all()
        for (mode, burst), both in runs.items():
            goals = options.touch == "desc" and (not options.bitwidth or setup.simd == "scalar")
            results.append(_row_result(setup, mode, burst, pair.paths, compare(both), goals))
    return results


def _row_result(setup, mode, burst, ran, figures, goals):
    goal = setup.goal(mode, burst) if goals else None
    return {
        "features": setup.row.name,
        "title": setup.label() + (f", burst {burst}" if burst != 32 else ""),
        "usual_title": setup.row.title,
        "mode": mode,
        "ring": setup.ring,
        "size": setup.size,
        "burst": burst,
        "simd": setup.simd,
        "offloads": setup.offloads,
        "paths": ran,
        "goal": goal,
        "met": None if goal is None else figures["cycles_ratio"] >= goal,
        **figures,
    }


def chunks(runs, restarts):
    """Repetitions, split among fresh processes: where memory happens to lie matters too."""
    restarts = min(restarts, runs)
    numbers = list(range(runs))
    return [numbers[i * runs // restarts : (i + 1) * runs // restarts] for i in range(restarts)]


def _each(keys, repetition):
    for key in keys:
        for which in order(repetition):
            yield key, which


def loopback(lab, options, progress):
    """Measure the paths of the loopback; a list of results."""
    results = []
    chosen = [(path, ring) for path in options.paths for ring in options.loopback_rings]
    for number, (path, ring) in enumerate(chosen, 1):
        runs = {size: {which: [] for which in DRIVERS} for size in options.loopback_sizes}
        pair = LoopbackPair(lab, path, ring, options)
        for repetition in range(options.runs):
            progress(
                f"loopback {number}/{len(chosen)} {path.title}, ring {ring}: "
                f"run {repetition + 1} of {options.runs}"
            )
            for size, which in _each(list(runs), repetition):
                measurement = partial(pair.run, which, size, options.seconds)
                runs[size][which].append(undisturbed(measurement, options.retries))
        lab.end_all()
        for size, both in runs.items():
            results.append(
                {
                    "title": path.title,
                    "ring": ring,
                    "size": size,
                    "paths": pair.paths,
                    **compare(both),
                }
            )
    return results
