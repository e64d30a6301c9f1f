# SPDX-License-Identifier: BSD-3-Clause
"""Two hosts, a VM between them, and an application in it that forwards."""

import contextlib

import numbered
from viovm import Nic, Vm, dpdk
from viovm.forwarder import APPS
from viovm.netns import Lan

# Small pools: filling the default ones takes longer than most tests.
SMALL = "--total-num-mbufs=8192"
FLOOD_BURST = 200  # less than a ring of 256


class Rig:
    """`vm` with two NICs, number i of which leads to host number i of `lan`."""

    def __init__(self, vm, lan, ours):
        self.vm, self.lan, self.ours = vm, lan, ours

    def addresses(self, devargs=""):
        tail = f",{devargs}" if devargs else ""
        return [self.vm.nics[i].pci_address(i) + tail for i in range(2)]

    @contextlib.contextmanager
    def app(self, name, options="", devargs="", eal="", telemetry=False):
        """An application that forwards between the NICs; it is gone when the block ends."""
        words = f"{dpdk.eal_options(self.addresses(devargs), self.ours)} {eal}"
        if telemetry:
            words = words.replace("--no-telemetry", "")
        app = APPS[name](self.vm, words, f"{SMALL} {options}")
        try:
            yield app
        finally:
            app.kill()

    @contextlib.contextmanager
    def streams(self, sizes, window=32):
        """A stream of frames each way."""
        with contextlib.ExitStack() as opened:
            ends = [
                opened.enter_context(host.raw_socket("eth0", numbered.ETHERTYPE))
                for host in self.lan.hosts
            ]
            yield [
                numbered.Stream(
                    ends[i], ends[1 - i], sizes, self.lan.mac(i), self.lan.mac(1 - i), window
                )
                for i in range(2)
            ]

    def forward(self, app, sizes, window=32, flood=0):
        """Send frames of these sizes both ways at once; all must arrive, in order, unchanged.

        flood: so many bursts of other frames go ahead, none of which needs to arrive.
        """
        with self.streams(sizes, window) as streams:
            try:
                for stream in streams:
                    stream.wait_open(app.check)
                    if flood:
                        stream.flood(flood, FLOOD_BURST)
                numbered.exchange(*streams)
            except numbered.FrameError as error:
                said = "\n".join((app.output(), "QEMU:", self.vm.qemu_said()))
                raise AssertionError(f"{error}\n{said}") from None


@contextlib.contextmanager
def rig(run_dir, build_dir, files, ours, nic="", mtu=1500, queues=1):
    """A rig whose NICs have taps for their devices; nic: their further options (Nic.parse)."""
    tail = f",{nic}" if nic else ""
    with Lan(run_dir, mtu=mtu, queues=queues) as lan:
        nics = [Nic.parse(f"tap={lan.tap(i)}{tail}") for i in range(2)]
        with Vm(nics, build_dir=build_dir, files=files, netns=lan.wire.name) as vm:
            yield Rig(vm, lan, ours)


def features(report, port=0):
    """The feature names in a driver's dump, such as RING_PACKED."""
    for line in report["ports"][port]["driver_dump"]:
        label, _, names = line.partition(":")
        if label.strip() == "features":
            return set(names.replace(",", " ").split())
    raise AssertionError(f"no features in {report['ports'][port]['driver_dump']}")
