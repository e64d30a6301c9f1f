# SPDX-License-Identifier: BSD-3-Clause
"""The devices and machines that there are, by the table below: frames cross both ways in each cell.

A cell is a pair of NICs that an application forwards between. A VM has one pair of each kind, so
that two boots serve all; rings and buffers are chosen by devargs. VIO_GRID=full runs every cell,
otherwise those marked, which have each value of each column.

What is not here, and why:
  legacy, packed rings        the legacy interface has split rings alone
  transitional, as legacy     is `legacy=1`; without it, a transitional device is driven as modern
  VFIO without an IOMMU       Debian's kernels are built without VFIO_NOIOMMU
  uio_pci_generic, interrupts of queues: it has no MSI-X
  vhost-user                  test_grid_vhost.py; with an IOMMU test_vhost_user.py, test_verify.py
"""

import contextlib
import dataclasses
import os
import re
import time

import numbered
import pytest
import rig
from viovm import Nic, Vm, VioError, dpdk
from viovm.forwarder import StockApp
from viovm.netns import Lan

KINDS = {
    "modern": "",
    "transitional": ",disable-legacy=off",
    "legacy": ",disable-modern=on",
}
# Without MSI-X: they have a line for their interrupts, which says when the link changes.
LINE_KINDS = ("", ",disable-modern=on")
PAIRS = 4
SIZES = numbered.sweep(60, 1514, 11)
# The application is asleep after a pause: it polls a few hundred times before.
PAUSED_SIZES = SIZES[::14]
PAUSE = 0.05
EXAMPLE = "/usr/local/bin/rx-interrupts"


@dataclasses.dataclass(frozen=True)
class Cell:
    iommu: bool
    kind: str
    legacy: bool  # driven by the legacy interface
    packed: bool
    mergeable: bool
    queues: int
    interrupts: bool

    def name(self):
        return "-".join(
            (
                "vfio" if self.iommu else "uio",
                self.kind + ("-as-legacy" if self.legacy and self.kind != "legacy" else ""),
                "packed" if self.packed else "split",
                "mergeable" if self.mergeable else "plain",
                str(self.queues) + ("-interrupts" if self.interrupts else ""),
            )
        )

    def suits_net_virtio(self):
        """It has no devargs for PCI devices: what the device offers, it takes."""
        offered = self.legacy == (self.kind == "legacy") and self.packed != self.legacy
        return offered and self.mergeable and self.queues == 1 and not self.interrupts

    def devargs(self):
        words = [f"mrg_rxbuf={int(self.mergeable)}", f"packed_vq={int(self.packed)}"]
        if self.legacy and self.kind != "legacy":
            words.append("legacy=1")
        return ",".join(words)


def cells():
    for iommu in (False, True):
        for kind in KINDS:
            for legacy in {"modern": (False,), "transitional": (False, True), "legacy": (True,)}[kind]:
                for packed in (False,) if legacy else (True, False):
                    for mergeable in (True, False):
                        for queues in (1, PAIRS):
                            for interrupts in {False, iommu}:
                                yield Cell(
                                    iommu, kind, legacy, packed, mergeable, queues, interrupts
                                )


# The cells of the usual run.
USUAL = {
    "uio-modern-packed-mergeable-4",
    "uio-modern-split-plain-1",
    "uio-transitional-packed-plain-1",
    "uio-transitional-as-legacy-split-plain-1",
    "uio-legacy-split-mergeable-4",
    "uio-legacy-split-plain-1",
    "vfio-transitional-split-mergeable-1",
    "vfio-legacy-split-plain-4",
    "vfio-legacy-split-mergeable-1",
    "uio-modern-packed-mergeable-1",
    "vfio-modern-split-mergeable-1-interrupts",
    "vfio-transitional-packed-plain-1-interrupts",
    "vfio-legacy-split-mergeable-4-interrupts",
}
CELLS = [c for c in cells() if os.environ.get("VIO_GRID") == "full" or c.name() in USUAL]
assert {c.name() for c in cells()} >= USUAL


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


class Grid:
    """A VM with two NICs of each kind, and a host at each of them."""

    def __init__(self, opened, run_dir, build_dir, files, ours, iommu):
        self.ours = ours
        self.lan = opened.enter_context(Lan(run_dir, hosts=2 * len(KINDS), queues=PAIRS))
        nics = [
            Nic.parse(f"tap={self.lan.tap(2 * i + k)},queues={PAIRS}{options}")
            for i, options in enumerate(KINDS.values())
            for k in range(2)
        ]
        nics += [Nic.parse(f"hub=0,vectors=0{options}") for options in LINE_KINDS]
        machine = Vm(
            nics, build_dir=build_dir, files=files, netns=self.lan.wire.name, iommu=iommu
        )
        self.vm = opened.enter_context(machine)

    def rig(self, kind):
        """The two NICs of a kind as a rig."""
        return PairRig(self, 2 * list(KINDS).index(kind))


class PairRig(rig.Rig):
    """A rig whose hosts and NICs are two of many, from number `first` on."""

    def __init__(self, grid, first):
        super().__init__(grid.vm, grid.lan, grid.ours)
        self.first = first

    def addresses(self, devargs=""):
        tail = f",{devargs}" if devargs else ""
        return [Nic.pci_address(self.first + i) + tail for i in range(2)]

    @contextlib.contextmanager
    def streams(self, sizes, window=32):
        numbers = (self.first, self.first + 1)
        with contextlib.ExitStack() as opened:
            ends = [
                opened.enter_context(self.lan.hosts[n].raw_socket("eth0", numbered.ETHERTYPE))
                for n in numbers
            ]
            macs = [self.lan.mac(n) for n in numbers]
            yield [
                numbered.Stream(ends[i], ends[1 - i], sizes, macs[i], macs[1 - i], window)
                for i in range(2)
            ]


@pytest.fixture(scope="module")
def grids(run_dir, build_dir, files, ours):
    """Gives the VM with or without an IOMMU; one at a time is up."""
    with contextlib.ExitStack() as opened:
        current = {}

        def get(iommu):
            if iommu not in current:
                opened.close()
                current.clear()
                current[iommu] = Grid(opened, run_dir, build_dir, files, ours, iommu)
            return current[iommu]

        yield get


@pytest.fixture(scope="module")
def files(guest_files, build_dir, ours):
    example = build_dir / "examples/rx-interrupts/rx-interrupts"
    return guest_files + ([(example, EXAMPLE)] if ours else [])


def expected(cell):
    """Features that must be negotiated, and that must not."""
    wanted = {
        "MRG_RXBUF": cell.mergeable,
        "RING_PACKED": cell.packed,
        "VERSION_1": not cell.legacy,
        "ANY_LAYOUT": cell.legacy,
        "ACCESS_PLATFORM": cell.iommu and cell.kind == "modern",
    }
    return {name for name, is_in in wanted.items() if is_in}, set(wanted)


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
    """The application sleeps between frames; one lost wake stops it all."""
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
    check_line(grids(False))


@pytest.mark.parametrize("cell", CELLS, ids=Cell.name)
def test_cell(grids, ours, cell):
    if not ours and not cell.suits_net_virtio():
        pytest.skip("net_virtio has no devargs for PCI devices")
    grid = grids(cell.iommu)
    pair = grid.rig(cell.kind)
    devargs = cell.devargs() if ours else ""
    # A device that bypasses the IOMMU, or has none, knows physical addresses alone.
    eal = "" if cell.iommu and cell.kind == "modern" else "--iova-mode=pa"
    if cell.interrupts:
        run_interrupts(pair, cell, devargs, eal)
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


@pytest.mark.ours
def test_link_interrupt_by_line_of_vfio(grids):
    """Last, as the machine with an IOMMU is up then."""
    grid = grids(True)
    with pytest.raises(VioError, match="no MSI-X: give EAL --vfio-intr=legacy"):
        check_line(grid)
    check_line(grid, "--vfio-intr=legacy")
