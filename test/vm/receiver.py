# SPDX-License-Identifier: BSD-3-Clause
"""A stock dpdk-testpmd in a VM that prints each frame it receives, and the host that sends them."""

import contextlib
import re
import struct
import time

from rig import SMALL
from viovm import Nic, Vm, dpdk
from viovm.forwarder import StockApp
from viovm.netns import Lan
from viovm.prompt import PROMPT

BROADCAST = "ff:ff:ff:ff:ff:ff"
QUIET_SECONDS = 20
BATCH = 16  # testpmd prints at most 8 KiB for a burst
ETHERTYPE = 0x88B5  # for experiments

_QUEUE = re.compile(r"port (\d+)/queue (\d+): received")
_FRAME = re.compile(r"src=([0-9A-F:]{17}) - dst=([0-9A-F:]{17}) .*")
_HASH = re.compile(r"RSS hash=0x([0-9a-f]+)")
_HW_TYPE = re.compile(r" - hw ptype: (.*?)  - sw ptype")


class Seen:
    """One frame as the application saw it."""

    def __init__(self, queue, source, line):
        self.queue, self.source, self.line = queue, source.lower(), line
        found = _HASH.search(line)
        self.hash = int(found.group(1), 16) if found else None
        found = _HW_TYPE.search(line)
        self.packet_type = found.group(1) if found else ""


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def frame(to, source, payload=b"", ethertype=ETHERTYPE, vlan=None):
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    head = mac_bytes(to) + mac_bytes(source) + tag + struct.pack("!H", ethertype)
    return (head + payload).ljust(60, b"\0")


class Receiver:
    """`app` receives on the only NIC of `vm`; `raw` is a socket of the host at its other end."""

    def __init__(self, vm, app, raw):
        self.vm, self.app, self.raw = vm, app, raw
        self._sent = 0

    def command(self, line):
        return self.app.command(line)

    def commands(self, lines):
        """Type them all at once, and wait for the last one's prompt."""
        shown = len(self.app.output())
        self.app.type("".join(f"{line}\n" for line in lines))
        deadline = time.monotonic() + QUIET_SECONDS
        while self.app.output()[shown:].count(PROMPT) < len(lines):
            self.app.check()
            assert time.monotonic() < deadline, self.app.output()[shown:]
            time.sleep(0.05)

    def source(self):
        """A MAC address that no frame had before."""
        self._sent += 1
        return f"02:5e:00:00:{self._sent >> 8:02x}:{self._sent & 255:02x}"

    def received(self, shown):
        """What the application has printed since it had printed `shown` characters."""
        queue, seen = None, []
        for line in self.app.output()[shown:].splitlines():
            head, found = _QUEUE.search(line), _FRAME.search(line)
            if head:
                queue = int(head.group(2))
            if found:
                seen.append(Seen(queue, found.group(1), line))
        return seen

    def _wait(self, shown, sources):
        """Wait for frames from all these."""
        deadline = time.monotonic() + QUIET_SECONDS
        while True:
            seen = self.received(shown)
            if sources <= {one.source for one in seen}:
                return seen
            self.app.check()
            if time.monotonic() > deadline:
                missing = sources - {one.source for one in seen}
                raise AssertionError(f"not received: {missing}\n{self.app.output()[shown:]}")
            time.sleep(0.05)

    def send_all(self, frames):
        """Send {source: frame}; all must come. {source: Seen}."""
        seen = {}
        pending = list(frames.items())
        while pending:
            batch, pending = pending[:BATCH], pending[BATCH:]
            shown = len(self.app.output())
            for _, data in batch:
                self.raw.send(data)
            sources = {source for source, _ in batch}
            came = self._wait(shown, sources)
            seen.update({one.source: one for one in came if one.source in sources})
        return seen

    def passes(self, *targets):
        """Whether the device lets frames for these through: (address or (address, VLAN)) ...

        A broadcast frame comes behind them on the same queue, so what has not come by then does
        not come any more.
        """
        shown = len(self.app.output())
        sources = []
        for target in targets:
            to, vlan = target if isinstance(target, tuple) else (target, None)
            sources.append(self.source())
            self.raw.send(frame(to, sources[-1], vlan=vlan))
        last = self.source()
        self.raw.send(frame(BROADCAST, last))
        came = {one.source for one in self._wait(shown, {last})}
        return [source in came for source in sources]

    def rx_filter(self):
        """What QEMU says of the device's filter."""
        return self.vm.qmp("query-rx-filter", name="nic0")[0]


@contextlib.contextmanager
def machine(run_dir, build_dir, files, nic="", queues=1):
    """A VM with one NIC, and the host's end of its wire."""
    tail = f",{nic}" if nic else ""
    with Lan(run_dir, hosts=1, queues=queues) as lan:
        nics = [Nic.parse(f"tap={lan.tap(0)},queues={queues}{tail}")]
        with Vm(nics, build_dir=build_dir, files=files, netns=lan.wire.name) as vm:
            with lan.hosts[0].raw_socket("eth0") as raw:
                vm.wire = raw
                yield vm


@contextlib.contextmanager
def receiver(vm, ours, options="", devargs="", eal=""):
    """A Receiver that is up and polls; the modes are those of a port that was just configured."""
    tail = f",{devargs}" if devargs else ""
    words = f"{dpdk.eal_options([Nic.pci_address(0) + tail], ours)} {eal}"
    app = StockApp(vm, words, f"{SMALL} --forward-mode=rxonly {options}")
    try:
        made = Receiver(vm, app, vm.wire)
        app.command("set verbose 1")
        yield made
        app.command("stop")
        app.check()
    finally:
        app.kill()
