# SPDX-License-Identifier: BSD-3-Clause
"""The machine: what it is, whether it can run this, and whether anything else ran meanwhile."""

import hashlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from .processes import BenchError

HUGEPAGE_MIB = 640
WAITING_SHARE = 0.01  # of the time, that measured threads waited for their CPU
STEAL_SHARE = 0.01


def _field(path, name):
    match = re.search(rf"^{re.escape(name)}\s*:?\s*(.*?)$", Path(path).read_text(), re.MULTILINE)
    return match.group(1).strip() if match else "unknown"


def _output(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (done.stdout + done.stderr).strip()


def describe(cpus):
    """What a reader of the figures has to know."""
    cpu = "/proc/cpuinfo"
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    flags = _field(cpu, "flags").split()
    version = re.search(r"DPDK ([0-9.]+\S*)", _output(["dpdk-testpmd", "--version"]))
    return {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "cpu": f"{_field(cpu, 'model name')} (family {_field(cpu, 'cpu family')}, "
        f"model {_field(cpu, 'model')})",
        "mhz": _field(cpu, "cpu MHz"),
        "governor": governor.read_text().strip() if governor.exists() else "not known here",
        "virtual": "hypervisor" in flags,
        "simd": [flag for flag in ("avx2", "avx512f", "avx512bw", "avx512vl") if flag in flags],
        "cpus": list(cpus),
        "kernel": os.uname().release,
        "dpdk": _output(["pkg-config", "--modversion", "libdpdk"])
        if version is None
        else version.group(1),
    }


def require(lab):
    """Say at once what is missing."""
    if os.geteuid() != 0:
        raise BenchError("hugepages need root: sudo make bench")
    for program in lab.plugin(), lab.tool("null_device"), lab.tool("bare_ring"), lab.hostile():
        if not program.exists():
            raise BenchError(f"{program} is not there: build first: make")
    if not shutil.which("dpdk-testpmd"):
        raise BenchError("no dpdk-testpmd on the PATH: apt install dpdk-dev")
    available = os.sched_getaffinity(0)
    for cpu in {lab.driver_cpu, lab.device_cpu} - available:
        raise BenchError(f"CPU {cpu} is not available, of {sorted(available)}: choose with --cpus")
    if lab.driver_cpu == lab.device_cpu:
        raise BenchError("driver and device need a CPU each: choose two with --cpus")
    free = int(_field("/proc/meminfo", "HugePages_Free"))
    mib = free * int(_field("/proc/meminfo", "Hugepagesize").split()[0]) // 1024
    if mib < HUGEPAGE_MIB:
        raise BenchError(
            f"{mib} MiB of hugepages are free, {HUGEPAGE_MIB} are needed: "
            "echo 1024 > /proc/sys/vm/nr_hugepages"
        )


def fingerprint(lab):
    """Of the driver that is measured: which build the figures belong to."""
    return hashlib.sha256(lab.plugin().read_bytes()).hexdigest()[:16]


class Watch:
    """Measures what disturbs a run: the share of the time that the processes' busy threads waited
    for their CPU, and the share that the hypervisor gave to others."""

    def __init__(self, pids, cpus):
        self.pids, self.cpus = pids, cpus
        self.began = time.monotonic()
        self.waited, self.ticks = self._waited(), self._ticks()

    def _waited(self):
        """Seconds that the busy threads could have run and did not."""
        total = 0
        for pid in self.pids:
            for status in Path(f"/proc/{pid}/task").glob("*/status"):
                if "worker" in _field(status, "Name"):
                    total += int((status.parent / "schedstat").read_text().split()[1])
        return total / 1e9

    def _ticks(self):
        """Of the two CPUs: all ticks, and the stolen ones."""
        ticks = [0, 0]
        for line in Path("/proc/stat").read_text().splitlines():
            words = line.split()
            if words[0] in [f"cpu{cpu}" for cpu in self.cpus]:
                ticks[0] += sum(map(int, words[1:9]))
                ticks[1] += int(words[8])
        return ticks

    def result(self):
        """What happened since the start."""
        seconds = time.monotonic() - self.began
        ticks = [now - before for now, before in zip(self._ticks(), self.ticks)]
        waited = (self._waited() - self.waited) / seconds
        steal = ticks[1] / ticks[0] if ticks[0] else 0
        return {
            "waited": round(waited, 4),
            "steal": round(steal, 4),
            "disturbed": waited > WAITING_SHARE or steal > STEAL_SHARE,
        }
