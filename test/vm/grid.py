# SPDX-License-Identifier: BSD-3-Clause
"""The table of the devices and machines that there are, and VMs that have them.

A cell is a pair of NICs that an application forwards between. A VM has one pair of each kind, so
that one boot serves all of a bus; rings and buffers are chosen by devargs.

What is not here, and why:
  legacy, packed rings        the legacy interface has split rings alone
  transitional, as legacy     is `legacy=1`; without it, a transitional device is driven as modern
  uio_pci_generic, interrupts of queues: it has no MSI-X
  vhost-user, interrupts of queues: QEMU 7.2 without KVM ends with a segmentation fault when such a
                              device is started with vectors that are not masked (it looks for the
                              irqfds that only KVM has); test/vhost/test_rx_interrupts.py has them
                              without QEMU
"""

import contextlib
import dataclasses

import numbered
import rig
from viovm import Nic, Vm, kernel
from viovm.netns import Lan

# uio: uio_pci_generic without an IOMMU; noiommu: vfio-pci without one; vfio: vfio-pci with one.
BUSES = ("uio", "noiommu", "vfio")
KINDS = {
    "modern": "",
    "transitional": ",disable-legacy=off",
    "legacy": ",disable-modern=on",
}
# Without MSI-X: they have a line for their interrupts, which says when the link changes.
LINE_KINDS = ("", ",disable-modern=on")
PAIRS = 4


@dataclasses.dataclass(frozen=True)
class Cell:
    bus: str  # of BUSES
    kind: str
    legacy: bool  # driven by the legacy interface
    packed: bool
    mergeable: bool
    queues: int
    interrupts: bool

    def name(self):
        return "-".join(
            (
                self.bus,
                self.kind + ("-as-legacy" if self.legacy and self.kind != "legacy" else ""),
                "packed" if self.packed else "split",
                "mergeable" if self.mergeable else "plain",
                str(self.queues) + ("-interrupts" if self.interrupts else ""),
            )
        )

    def translated(self):
        """The IOMMU stands between its devices and memory; the others know physical addresses."""
        return self.bus == "vfio" and self.kind == "modern"

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
    for bus in BUSES:
        for kind in KINDS:
            for legacy in {"modern": (False,), "transitional": (False, True), "legacy": (True,)}[kind]:
                for packed in (False,) if legacy else (True, False):
                    for mergeable in (True, False):
                        for queues in (1, PAIRS):
                            for interrupts in {False, bus != "uio"}:
                                yield Cell(
                                    bus, kind, legacy, packed, mergeable, queues, interrupts
                                )


def expected(cell):
    """Features that must be negotiated, and that must not."""
    wanted = {
        "MRG_RXBUF": cell.mergeable,
        "RING_PACKED": cell.packed,
        "VERSION_1": not cell.legacy,
        "ANY_LAYOUT": cell.legacy,
        "ACCESS_PLATFORM": cell.translated(),
    }
    return {name for name, is_in in wanted.items() if is_in}, set(wanted)


class Grid:
    """A VM with two NICs of each kind, and a host at each of them."""

    def __init__(self, opened, run_dir, build_dir, files, ours, bus):
        self.ours = ours
        self.lan = opened.enter_context(Lan(run_dir, hosts=2 * len(KINDS), queues=PAIRS))
        nics = [
            Nic.parse(f"tap={self.lan.tap(2 * i + k)},queues={PAIRS}{options}")
            for i, options in enumerate(KINDS.values())
            for k in range(2)
        ]
        nics += [Nic.parse(f"hub=0,vectors=0{options}") for options in LINE_KINDS]
        machine = Vm(
            nics,
            build_dir=build_dir,
            files=files,
            netns=self.lan.wire.name,
            iommu=bus == "vfio",
            noiommu_vfio=kernel.noiommu_vfio(build_dir) if bus == "noiommu" else None,
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
