# SPDX-License-Identifier: BSD-3-Clause
"""Frames cross both ways in each cell of grid.py, with taps for the devices.

VIO_GRID=full runs every cell, otherwise those named, which have each value of each column. Those of
VFIO without an IOMMU want a module that Debian's kernels lack: devtools/noiommu-module builds it.
vhost-user: test_grid_vhost.py; with an IOMMU test_vhost_user.py, test_verify.py.
"""

import contextlib
import os
import re
import time

import numbered
import pytest
import rig
from grid import KINDS, LINE_KINDS, Cell, Grid, cells, expected
from viovm import Nic, VioError, dpdk, kernel
from viovm.forwarder import StockApp

SIZES = numbered.sweep(60, 1514, 11)
# The application is asleep after a pause: it polls a few hundred times before.
PAUSED_SIZES = SIZES[::14]
PAUSE = 0.05
EXAMPLE = "/usr/local/bin/rx-interrupts"
NOIOMMU_MODULE = "devtools/noiommu-module"


# The cells of the usual run, and what they ask of simd=: left to itself, the driver takes `words`
# in a VM that is emulated.
USUAL = {
    "uio-modern-packed-mergeable-4": "avx2",
    "uio-modern-split-plain-1": "avx2",
    "uio-transitional-packed-plain-1": "auto",
    "uio-transitional-as-legacy-split-plain-1": "scalar",
    "uio-legacy-split-mergeable-4": "avx2",
    "uio-legacy-split-plain-1": "auto",
    "vfio-transitional-split-mergeable-1": "auto",
    "vfio-modern-packed-mergeable-4": "auto",
    "vfio-legacy-split-plain-4": "auto",
    "vfio-legacy-split-mergeable-1": "auto",
    "uio-modern-packed-mergeable-1": "auto",
    "vfio-modern-split-mergeable-1-interrupts": "auto",
    "vfio-transitional-packed-plain-1-interrupts": "avx2",
    "vfio-legacy-split-mergeable-4-interrupts": "auto",
}
CELLS = [c for c in cells() if os.environ.get("VIO_GRID") == "full" or c.name() in USUAL]
assert {c.name() for c in cells()} >= USUAL.keys()


class Example:
    """The example rx-interrupts in the guest: an lcore for each queue, which sleeps when idle."""

    def __init__(self, vm, eal, queues):
        lcores = ",".join(f"{i}@{i % 2}" for i in range(queues))
        self._job = vm.start_job(f"exec {EXAMPLE} {eal.replace('-l 0', f'--lcores {lcores}')}")
        self._job.wait_output("rx-interrupts: forwarding", 30)

    def output(self):
        return self._job.output()

    def check(self):
        assert self._job.running(), self.output()

    def finish(self):
        """What its queues counted, as (packets, unsent, sleeps, wakes)."""
        self._job.signal("INT")
        assert self._job.wait(20) == 0, self.output()
        line = r"queue \d+: (\d+) packets, (\d+) unsent, (\d+) sleeps, (\d+) wakes"
        return [tuple(map(int, counts)) for counts in re.findall(line, self.output())]

    def kill(self):
        self._job.stop()


@pytest.fixture(scope="module")
def grids(run_dir, build_dir, files, ours):
    """Gives the VM with a bus; one at a time is up."""
    with contextlib.ExitStack() as opened:
        current = {}

        def get(bus):
            if bus == "noiommu" and not kernel.noiommu_vfio(build_dir):
                pytest.skip(f"no vfio module for no-IOMMU mode: {NOIOMMU_MODULE} builds it")
            if bus not in current:
                opened.close()
                current.clear()
                current[bus] = Grid(opened, run_dir, build_dir, files, ours, bus)
            return current[bus]

        yield get


@pytest.fixture(scope="module")
def files(guest_files, build_dir, ours):
    example = build_dir / "examples/rx-interrupts/rx-interrupts"
    return guest_files + ([(example, EXAMPLE)] if ours else [])


def exchange_with_pauses(pair, app):
    """A frame each way, both of which must come, then a pause, and so on."""
    with pair.streams(PAUSED_SIZES, window=1) as streams:
        for stream in streams:
            stream.wait_open(app.check)
        while not all(stream.done for stream in streams):
            time.sleep(PAUSE)
            for stream in streams:
                stream.push()
            deadline = time.monotonic() + 10
            while any(stream.arrived < stream.sent for stream in streams):
                assert time.monotonic() < deadline, f"a frame waits\n{app.output()}"
                time.sleep(0.001)
                for stream in streams:
                    stream.take()


def run_interrupts(pair, cell, devargs, eal):
    """The application sleeps between frames; one lost wake stops it all. Its output."""
    words = f"{dpdk.eal_options(pair.addresses(devargs), True, lcores='0')} {eal}"
    app = Example(pair.vm, words, cell.queues)
    try:
        exchange_with_pauses(pair, app)
        counts = app.finish()
    finally:
        app.kill()
    assert len(counts) == cell.queues
    assert sum(packets for packets, *_ in counts) >= 2 * len(PAUSED_SIZES)
    assert all(unsent == 0 for _, unsent, *_ in counts)
    # Two frames a round can meet a thread that the first of them has woken.
    assert sum(wakes for *_, wakes in counts) >= len(PAUSED_SIZES)
    return app.output()


def check_output(cell, simd, output):
    """Each port's path for each way was made of what was asked for, on the bus that was meant."""
    asked = re.findall(rf"^vio: .* (?:receive|transmit): .* {simd} as asked for", output, re.MULTILINE)
    assert len(asked) == (0 if simd == "auto" else 4), output
    assert ("(No-IOMMU)" in output) == (cell.bus == "noiommu"), output


def check_line(grid, eal_option=""):
    """Each change of the link is told: the line goes down again, and comes up for the next one."""
    first = 2 * len(KINDS)
    numbers = range(first, first + len(LINE_KINDS))
    addresses = [Nic.pci_address(number) for number in numbers]
    eal = f"{dpdk.eal_options(addresses, True)} --iova-mode=pa {eal_option}"
    app = StockApp(grid.vm, eal, f"{rig.SMALL} --forward-mode=rxonly")
    try:
        for is_up in (False, True) * 2:
            for port, number in enumerate(numbers):
                shown = len(app.output())
                grid.vm.qmp("set_link", name=f"nic{number}", up=is_up)
                event = f"Port {port}: link state change event"
                deadline = time.monotonic() + 10
                while event not in app.output()[shown:]:
                    assert time.monotonic() < deadline, app.output()
                    time.sleep(0.05)
                word = "up" if is_up else "down"
                assert f"Link status: {word}" in app.command(f"show port info {port}")
        app.finish()
    finally:
        app.kill()


@pytest.mark.ours
def test_link_interrupt_by_line_of_uio(grids):
    check_line(grids("uio"))


@pytest.mark.parametrize("cell", CELLS, ids=Cell.name)
def test_cell(grids, ours, cell):
    if not ours and not cell.suits_net_virtio():
        pytest.skip("net_virtio has no devargs for PCI devices")
    grid = grids(cell.bus)
    pair = grid.rig(cell.kind)
    simd = USUAL.get(cell.name(), "auto")
    devargs = f"{cell.devargs()},simd={simd}" if ours else ""
    # A device that bypasses the IOMMU, or has none, knows physical addresses alone. EAL sees by
    # itself when VFIO has none.
    eal = "" if cell.translated() or cell.bus == "noiommu" else "--iova-mode=pa"
    if cell.interrupts:
        check_output(cell, simd, run_interrupts(pair, cell, devargs, eal))
        return
    name = dpdk.OUR_APP if ours else dpdk.STOCK_APP
    options = f"--rxq={cell.queues} --txq={cell.queues}"
    with pair.app(name, options, devargs, eal) as app:
        pair.forward(app, SIZES)
        report = app.finish()
    if not ours:
        return
    there, judged = expected(cell)
    for port in (0, 1):
        assert rig.features(report, port) & judged == there
        dump = "\n".join(report["ports"][port]["driver_dump"])
        assert ("legacy PCI" if cell.legacy else "modern PCI") in dump
    assert report["mbufs_missing"] == 0
    check_output(cell, simd, app.output())


@pytest.mark.ours
def test_link_interrupt_by_line_of_vfio(grids):
    """Last, as the machine with an IOMMU is up then."""
    grid = grids("vfio")
    with pytest.raises(VioError, match="no MSI-X: give EAL --vfio-intr=legacy"):
        check_line(grid)
    check_line(grid, "--vfio-intr=legacy")
