# SPDX-License-Identifier: BSD-3-Clause
"""Both drivers over VFIO in a virtual machine, by turns, with a null device behind its NIC."""

import contextlib
import os
import re
import sys
import time
from pathlib import Path

from .measure import SETTLE_SECONDS, order, summary
from .processes import DRIVERS, OURS, THEIRS, BenchError, paths

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "usertools"))

from viovm import Nic, Vm, VioError, dpdk  # noqa: E402
from viovm.forwarder import StockApp  # noqa: E402

MBUFS = 4096
FRAME = 60
_PPS = re.compile(r"([RT])x-pps:\s*(\d+)")


class GuestTestpmd:
    """The guest's testpmd, with the few calls of testpmd.Testpmd that are used here."""

    def __init__(self, vm, which):
        # The NIC is not behind the IOMMU, as the null device cannot ask it; VFIO maps physical
        # addresses all the same.
        eal = "--lcores 0@0,1@0 --no-telemetry --iova-mode=pa -a " + vm.nics[0].pci_address(0)
        if which == OURS:
            eal += f" -d {dpdk.GUEST_DRIVER}"
        else:
            eal += ",vectorized=1 --force-max-simd-bitwidth=512 '--log-level=pmd.net.virtio.*:info'"
        self.name = which
        self._app = StockApp(vm, eal, f"--no-flush-rx --txpkts={FRAME} --total-num-mbufs={MBUFS}")
        self.cmd("stop")

    def cmd(self, line):
        """Type a command; what it printed."""
        return self._app.command(line)

    @property
    def log(self):
        """All that it printed."""
        return self._app.output()

    def close(self):
        """End it."""
        self._app.kill()

    def run(self, mode, seconds):
        """Million packets a second, by the guest's clock."""
        self.cmd(f"set fwd {mode}")
        self.cmd("start")
        time.sleep(SETTLE_SECONDS)
        self.cmd("show port stats 0")
        time.sleep(seconds)
        found = dict(_PPS.findall(self.cmd("show port stats 0")))
        self.cmd("stop")
        way = "T" if mode == "txonly" else "R"
        if not int(found.get(way, 0)):
            raise BenchError(f"{self.name} moved no packet in the VM:\n{self.log[-2000:]}")
        return int(found[way]) / 1e6


@contextlib.contextmanager
def _on_cpu(cpu):
    """What is started meanwhile stays on one CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _machine(lab, row, device):
    onoff = {0: "off", 1: "on"}
    nic = Nic.parse(
        f"vhost-user={device.socket},iommu_platform=off,ats=off"
        f",packed={onoff[row.packed]},mrg_rxbuf={onoff[row.mergeable]}"
    )
    files = dpdk.plugins() + dpdk.stock_app() + dpdk.our_driver(lab.build)
    with _on_cpu(lab.driver_cpu):
        vm = Vm([nic], build_dir=lab.build, files=files, cpus=1).start()
    try:
        yield vm
    finally:
        vm.stop()


def _measure_row(lab, row, options, progress):
    runs = {mode: {which: [] for which in DRIVERS} for mode in options.modes}
    ran = {}
    device = lab.null_device(["--size", str(FRAME)])
    with _machine(lab, row, device) as vm:
        for repetition in range(options.runs):
            progress(f"VM ({vm.accel}) {row.title}: run {repetition + 1} of {options.runs}")
            for which in order(repetition):
                with contextlib.closing(GuestTestpmd(vm, which)) as app:
                    ran[which] = paths(which, app)
                    refusal = row.refuses(device.negotiated())
                    if refusal:
                        raise BenchError(f"{row.title}, {which}, in the VM: {refusal}")
                    for mode in options.modes:
                        runs[mode][which].append({"mpps": app.run(mode, options.seconds)})
                    device.check()
        accel = vm.accel
    lab.end_all()
    return [_result(row, mode, accel, ran, both) for mode, both in runs.items()]


def _result(row, mode, accel, ran, runs):
    found = {which: {"mpps": summary(runs[which], "mpps"), "runs": runs[which]} for which in DRIVERS}
    pairs = [a["mpps"] / b["mpps"] for a, b in zip(runs[OURS], runs[THEIRS])]
    return {
        "title": row.title,
        "mode": mode,
        "accel": accel,
        "paths": ran,
        "mpps_ratio": found[OURS]["mpps"]["median"] / found[THEIRS]["mpps"]["median"],
        "mpps_ratio_of_pairs": [min(pairs), max(pairs)],
        **found,
    }


def measure(lab, rows, options, progress):
    """All rows that QEMU can offer; a list of results."""
    results = []
    try:
        for row in rows:
            if not row.in_order:
                results += _measure_row(lab, row, options, progress)
    except VioError as error:
        raise BenchError(str(error)) from None
    return results
