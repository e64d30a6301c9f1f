# SPDX-License-Identifier: BSD-3-Clause
"""The QEMU process: its command line, its life, and its machine protocol (QMP)."""

import json
import pathlib
import socket
import subprocess
import time

from . import accel, proc
from .errors import VioError

CONTROL_SLOT = 0x0F
CONSOLE_TAIL = 20
MIGRATION_BYTES_PER_S = 4 << 30
MIGRATION_SECONDS = 60


def command_line(
    kernel, image, nics, *, devices=(), chosen_accel, cpus, memory, hugepages, interactive,
    iommu, driver,
):
    """QEMU's arguments without those for its console and its control channel."""
    bound = ",".join(nic.pci_address(i) for i, nic in enumerate(nics) if nic.bind)
    # no_timer_check: early on the kernel waits for a timer interrupt for so many processor cycles
    # and panics without. Emulated on a busy machine, the interrupt can come later than that.
    append = [
        *("console=ttyS0", "quiet", "panic=-1", "no_timer_check"),
        *("intel_iommu=on", "mitigations=off"),
        *(f"hugepages={hugepages}", f"vio.bind={bound}", f"vio.shell={int(interactive)}"),
        f"vio.driver={driver}",
    ]
    args = [
        *("qemu-system-x86_64", *accel.MACHINE_ARGS, *accel.ARGS[chosen_accel]),
        *(accel.IOMMU_ARGS if iommu else []),
        *("-smp", str(cpus), "-m", str(memory)),
        *("-kernel", str(kernel.image), "-initrd", str(image), "-append", " ".join(append)),
    ]
    if any(nic.backend == "vhost-user" for nic in nics):
        # The other process reaches the guest's memory by mapping the same file.
        args += ["-object", f"memory-backend-memfd,id=ram,size={memory}M,share=on"]
        args += ["-machine", "memory-backend=ram"]
    for index, nic in enumerate(nics):
        args += nic.qemu_args(index, iommu)
    for device in devices:
        args += ["-device", device]
    return args


class Qemu:
    """A running QEMU whose channels are socket pairs: nothing of it stands in the file system."""

    def __init__(self, args, folder, netns=None):
        self.console = pathlib.Path(folder) / "console"
        self._log = pathlib.Path(folder) / "qemu.log"
        self.control, control = socket.socketpair()
        self.events, events = socket.socketpair()
        self._qmp, qmp = socket.socketpair()
        self._qmp_reader = None
        theirs = [control, events, qmp]
        args = [
            *args,
            *("-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console"),
            *("-device", f"virtio-serial-pci,id=serial,addr={CONTROL_SLOT:02x}"),
            *_port("control", control),
            *_port("events", events),
            *("-chardev", f"socket,id=qmp,fd={qmp.fileno()}", "-mon", "chardev=qmp,mode=control"),
        ]
        try:
            with open(self._log, "wb") as log:
                self._child = proc.spawn(
                    [*(["ip", "netns", "exec", netns] if netns else []), *args],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[end.fileno() for end in theirs],
                )
        except BaseException:
            self._close_sockets()
            raise
        finally:
            for end in theirs:
                end.close()

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child.poll() is None

    def said(self):
        """What QEMU itself wrote, such as its complaints about a driver."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def last_words(self):
        """What QEMU said and the end of the guest's console, for an error message."""
        lines = []
        if self.console.exists():
            lines = self.console.read_text(errors="replace").splitlines()[-CONSOLE_TAIL:]
        return "\n".join(part for part in (self.said(), *lines) if part.strip())

    def qmp(self, command, **arguments):
        """Run a command of QEMU's machine protocol and return what it returns."""
        self._qmp.settimeout(10)
        if self._qmp_reader is None:
            self._qmp_reader = self._qmp.makefile("rb")
            self._qmp_reader.readline()  # the greeting
            self._qmp_request({"execute": "qmp_capabilities"})
        return self._qmp_request({"execute": command, "arguments": arguments})

    def _qmp_request(self, request):
        self._qmp.sendall(json.dumps(request).encode() + b"\n")
        while True:
            line = self._qmp_reader.readline()
            if not line:
                raise VioError(f"QEMU ended during {request['execute']}", self.last_words())
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise VioError(f"QEMU: {request['execute']}: {answer['error']['desc']}")

    def migrate(self, target, path):
        """Move the guest to the QEMU target, which waits for it, by a socket at path."""
        target.qmp("migrate-incoming", uri=f"unix:{path}")
        self.qmp("migrate-set-parameters", **{"max-bandwidth": MIGRATION_BYTES_PER_S})
        self.qmp("migrate", uri=f"unix:{path}")
        deadline = time.monotonic() + MIGRATION_SECONDS
        while (state := self.qmp("query-migrate"))["status"] != "completed":
            if state["status"] == "failed" or time.monotonic() > deadline:
                raise VioError(f"QEMU: migration: {state}", target.last_words())
            time.sleep(0.05)

    def stop(self):
        proc.end(self._child)
        self._close_sockets()

    def _close_sockets(self):
        if self._qmp_reader is not None:
            self._qmp_reader.close()
        for end in (self.control, self.events, self._qmp):
            end.close()


def _port(name, end):
    return [
        *("-chardev", f"socket,id={name},fd={end.fileno()}"),
        *("-device", f"virtserialport,bus=serial.0,chardev={name},name=vio.{name}"),
    ]


def run_interactive(args, netns=None):
    """Run QEMU on this terminal until the guest powers off; its exit status."""
    prefix = ["ip", "netns", "exec", netns] if netns else []
    child = proc.spawn([*prefix, *args, "-serial", "mon:stdio"], start_new_session=False)
    try:
        return child.wait()
    finally:
        proc.end(child)
