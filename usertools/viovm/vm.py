# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine that a program drives."""

import pathlib

from . import accel, initramfs, kernel, proc, qemu
from .errors import VioError
from .guest import Guest
from .nic import MOST_NICS
from .progress import SILENT
from .rundir import RunDir

# vfio for the NICs; virtio-console for the control channel; uio for machines without an IOMMU.
MODULES = ("vfio-pci", "vfio_iommu_type1", "uio_pci_generic", "virtio_pci", "virtio_console")
BOOT_SECONDS = 90


class Vm:
    """One VM: start(), run(), stop(); or a `with` statement that does the first and the last.

    nics       Nic objects; number i is at nics[i].pci_address(i) in the guest
    devices    further devices, as QEMU's -device has them
    files      (path here, path there or None for the same) of programs, libraries, files
    netns      the network namespace whose taps the NICs use; None: this process's
    iommu      whether the machine has an IOMMU, and so vfio-pci the NICs; without it they are
               bound to uio_pci_generic
    noiommu_vfio  without an IOMMU: a vfio module that has the no-IOMMU mode; vfio-pci gets the NICs
    memory     MiB; hugepages: how many of 2 MiB the guest sets aside out of it
    """

    def __init__(
        self,
        nics,
        *,
        build_dir="build",
        files=(),
        devices=(),
        accel_choice="auto",
        cpus=2,
        memory=1024,
        hugepages=256,
        netns=None,
        iommu=True,
        noiommu_vfio=None,
        progress=SILENT,
    ):
        if len(nics) > MOST_NICS:
            raise VioError(f"{len(nics)} NICs asked for, at most {MOST_NICS} fit")
        if 2 * hugepages > memory - 256:
            raise VioError(
                f"{hugepages} hugepages of 2 MiB leave the guest less than 256 of {memory} MiB",
                "Ask for more memory or for fewer hugepages.",
            )
        self.nics = list(nics)
        self._files = list(files)
        self._devices = list(devices)
        self._cache = pathlib.Path(build_dir).resolve() / "vm"
        self._accel_choice = accel_choice
        self._machine = {
            **{"cpus": cpus, "memory": memory},
            **{"hugepages": hugepages, "iommu": iommu},
            "driver": "vfio-pci" if iommu or noiommu_vfio else "uio_pci_generic",
        }
        self._noiommu_vfio = noiommu_vfio
        self._netns = netns
        self._progress = progress
        self._run_dir = self._qemu = self._guest = None
        self.accel = None

    def _command_line(self, interactive, nics=None):
        the_kernel = kernel.ensure(self._cache, self._progress)
        with kernel.locked(self._cache):
            self.accel = accel.choose(
                self._accel_choice, the_kernel, self._cache, self._progress
            )
            image = initramfs.base(proc.find("busybox"))
            image.add_modules(self._modules(the_kernel))
            for source, guest_path in self._files:
                image.add(source, guest_path)
            path = image.write(self._cache / "images")
        return qemu.command_line(
            the_kernel,
            path,
            nics or self.nics,
            devices=self._devices,
            chosen_accel=self.accel,
            interactive=interactive,
            **self._machine,
        )

    def _modules(self, the_kernel):
        """(file, parameters) of each module in the order of loading."""
        for file in the_kernel.modules(MODULES):
            if self._noiommu_vfio and file.name.split(".")[0] == "vfio":
                yield self._noiommu_vfio, "enable_unsafe_noiommu_mode=1"
            else:
                yield file, ""

    def start(self):
        """Boot, and return when the guest takes commands."""
        args = self._command_line(interactive=False)
        how = {"kvm": "KVM", "tcg": "software emulation"}[self.accel]
        self._progress(f"booting a VM with {len(self.nics)} virtio NICs ({how})")
        try:
            self._run_dir = RunDir()
            self._qemu = qemu.Qemu(args, self._run_dir.path, self._netns)
            self._guest = Guest(self._qemu)
            self._guest.wait_up(BOOT_SECONDS)
        except BaseException:
            self.stop()
            raise
        self._progress("the VM is up")
        return self

    def interactive(self):
        """Boot to a shell on this terminal, and return when the guest has powered off."""
        args = self._command_line(interactive=True)
        self._progress("booting; to leave, type 'exit', or press Ctrl-A and then X")
        return qemu.run_interactive(args, self._netns)

    def run(self, command, timeout=30, on_output=None):
        """Run a shell command in the guest: (exit status, output)."""
        return self._guest.run(command, timeout, on_output)

    def start_job(self, command, stdin=False):
        """Start a shell command in the guest and return a guest.Job."""
        return self._guest.start(command, stdin)

    def fetch(self, path):
        """A file of the guest, as bytes."""
        return self._guest.fetch(path)

    def console(self):
        """What the guest's kernel and start-up code wrote."""
        return self._qemu.console.read_text(errors="replace")

    def qemu_said(self):
        """What QEMU itself wrote, such as its complaints about a driver."""
        return self._qemu.said()

    def qmp(self, command, **arguments):
        """A command of QEMU's machine protocol, such as set_link."""
        return self._qemu.qmp(command, **arguments)

    def migrate(self, nics):
        """Move it, running, to another QEMU: nics are its own, with backends that are there."""
        folder = self._run_dir.path / "moved"
        folder.mkdir()
        args = self._command_line(interactive=False, nics=nics)
        target = qemu.Qemu([*args, "-incoming", "defer"], folder, self._netns)
        try:
            self._qemu.migrate(target, folder / "stream")
        except BaseException:
            target.stop()
            raise
        self._qemu.stop()
        self._qemu, self.nics = target, list(nics)
        self._guest.follow(target)

    @property
    def pid(self):
        return self._qemu.pid

    def stop(self):
        """End the VM and remove all that start() made. Harmless when there is nothing."""
        if self._qemu is not None:
            self._qemu.stop()
        if self._run_dir is not None:
            self._run_dir.close()
        self._qemu = self._run_dir = self._guest = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
