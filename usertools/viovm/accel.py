# SPDX-License-Identifier: BSD-3-Clause
"""KVM where a short trial boot shows that it works, software emulation everywhere else.

A machine can have /dev/kvm and still hang in the first instructions of a guest, so that its
presence proves nothing.
"""

import json
import os
import pathlib
import platform
import re
import subprocess

from . import initramfs, proc
from .errors import VioError

CHOICES = ("auto", "kvm", "tcg")
MARKER = "vio-probe-boot-ok"
PROBE_SECONDS = 15
KVM = pathlib.Path("/dev/kvm")

ARGS = {
    # The split irqchip is what interrupt remapping needs.
    "kvm": ["-accel", "kvm,kernel-irqchip=split", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi", "-cpu", "max"],
}
MACHINE_ARGS = [
    *("-machine", "q35"),
    *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
]
IOMMU_ARGS = ["-device", "intel-iommu,intremap=on,caching-mode=on,device-iotlb=on"]


def choose(wanted, kernel, cache, progress):
    """'kvm' or 'tcg'; VioError if 'kvm' is wanted and cannot be."""
    if wanted == "tcg":
        return wanted
    usable = os.access(KVM, os.R_OK | os.W_OK)
    if wanted == "kvm":
        if not usable:
            raise VioError(
                f"--accel kvm: {KVM} is missing or not yours to use", "Use --accel tcg, or auto."
            )
        return wanted
    return "kvm" if usable and _kvm_boots(kernel, cache, progress) else "tcg"


def _kvm_boots(kernel, cache, progress):
    """Does a guest come up under KVM? The answer is kept for this kernel, QEMU and machine."""
    key = " | ".join([kernel.release, _qemu_version(), _cpu_model(), platform.release()])
    notes = cache / "accel.json"
    answers = _read(notes)
    if key not in answers:
        progress(f"trying whether KVM works here (at most {PROBE_SECONDS} s, asked only once)")
        answers[key] = _trial_boot(kernel, cache)
        partial = notes.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(answers, indent="\t") + "\n")
        partial.rename(notes)
        progress("KVM works" if answers[key] else "KVM does not work here: software emulation")
    return answers[key]


def _read(notes):
    try:
        answers = json.loads(notes.read_text())
    except (OSError, ValueError):
        return {}
    return answers if isinstance(answers, dict) else {}


def _trial_boot(kernel, cache):
    image = initramfs.marker_only(proc.find("busybox"), MARKER).write(cache / "images")
    child = proc.spawn(
        [
            *("qemu-system-x86_64", *MACHINE_ARGS, *IOMMU_ARGS, *ARGS["kvm"]),
            *("-smp", "2", "-m", "512"),
            *("-kernel", str(kernel.image), "-initrd", str(image)),
            *("-append", "console=ttyS0 quiet panic=-1 intel_iommu=on", "-serial", "stdio"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        said, _ = child.communicate(timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        said = b""
    finally:
        proc.end(child, patience=1)
        child.stdout.close()
    return MARKER.encode() in said


def _qemu_version():
    return proc.run(["qemu-system-x86_64", "--version"]).splitlines()[0]


def _cpu_model():
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found.group(1) if found else platform.machine()
