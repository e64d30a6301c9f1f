# SPDX-License-Identifier: BSD-3-Clause
"""The processes of a comparison: devices, and unmodified dpdk-testpmd with either driver."""

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "vhost"))

from testpmd import Testpmd, TestpmdError  # noqa: E402

START_SECONDS = 15
STEP_SECONDS = 0.02
MBUFS = 8192
MBUF_BYTES = 2560  # one of the default size, with all that belongs to it
OTHER_MIB = 64

OURS = "vio"
THEIRS = "net_virtio"
DRIVERS = (OURS, THEIRS)
# A device that is stopped by a signal must not outlive this program, however that ends.
DIE_WITH_US = ["setpriv", "--pdeathsig", "KILL"]


class BenchError(Exception):
    """A run failed; the text says what happened and what to do."""


def mbufs_for(ring):
    """How many a testpmd gets."""
    return max(MBUFS, 8 * ring)


class Lab:
    """A private folder, the two CPUs, and every process that was started; all ends with it."""

    def __init__(self, build, cpus, bitwidth=None):
        self.build = Path(build).resolve()
        self.driver_cpu, self.device_cpu = cpus
        self.bitwidth = bitwidth
        self.folder = Path(tempfile.mkdtemp(prefix="vio-bench-"))
        self.numbers = itertools.count()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.end_all()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def end_all(self):
        """End what still runs, the newest first: drivers go before their devices. One that does
        not end keeps none of the others alive."""
        with contextlib.ExitStack() as ending:
            for process in self.processes:
                ending.callback(process.dispose)
            self.processes = []

    def cpus(self):
        """Both CPUs."""
        return self.driver_cpu, self.device_cpu

    def plugin(self):
        """The driver under test."""
        return self.build / "drivers" / "net" / "vio" / "librte_net_vio.so"

    def app(self):
        """Our own testpmd."""
        return self.build / "app" / "testpmd" / "vio-testpmd"

    def tool(self, name):
        """A program of this folder."""
        return self.build / "test" / "bench" / name

    def hostile(self):
        """The device that misbehaves when it is told to."""
        return self.build / "test" / "vhost" / "hostile" / "hostile"

    def new_socket(self):
        """A path that no other process uses."""
        return str(self.folder / f"{next(self.numbers)}.sock")

    def testpmd(self, name, cpu, eal, app, mbufs, program="dpdk-testpmd"):
        """Start a testpmd whose two threads share a CPU, and wait for its prompt."""
        memory = OTHER_MIB + mbufs * MBUF_BYTES // (1 << 20)
        argv = [*DIE_WITH_US, program, "--lcores", f"0@{cpu},1@{cpu}", "--no-pci", "--no-telemetry"]
        argv += ["--in-memory", "--single-file-segments", "-m", str(memory)]
        argv += [*eal, "--", "-i", "--nb-cores=1", f"--total-num-mbufs={mbufs}", *app]
        process = Testpmd(name, argv, {**os.environ, "RUNTIME_DIRECTORY": str(self.folder)})
        self.processes.append(process)
        return process.boot()

    def driver(self, which, socket, devargs, app, ring, simd="auto", vector=True):
        """Start a testpmd with a driver, with each switch that makes that driver faster.

        vector=False keeps net_virtio from its vector paths, where one of the others is wanted.
        The ring's size is told twice: net_virtio_user makes no ring longer than queue_size.
        """
        text = [f"path={socket}", *(f"{key}={value}" for key, value in devargs.items())]
        text.append(f"queue_size={ring}")
        if which == OURS:
            eal = ["-d", str(self.plugin())]
            if simd != "auto":
                text.append(f"simd={simd}")
            if self.bitwidth:
                eal.append(f"--force-max-simd-bitwidth={self.bitwidth}")
            vdev = "net_vio_user0"
        else:
            eal = ["--force-max-simd-bitwidth=512", "--log-level=pmd.net.virtio.*:info"]
            text.append(f"vectorized={int(vector)}")
            vdev = "net_virtio_user0"
        eal += ["--vdev", ",".join([vdev, *text])]
        app = ["--record-core-cycles", f"--rxd={ring}", f"--txd={ring}", *app]
        process = self.testpmd(which, self.driver_cpu, eal, app, mbufs_for(ring))
        failed = re.search(r"\n([^\n]*)\n[^\n]*(?:Fail to (?:configure|start) port)", process.log)
        if failed:
            raise BenchError(f"{which} does not start with {' '.join(app)}: {failed.group(1)}")
        return process

    def null_device(self, options):
        """Start a null device."""
        device = NullDevice(self, options)
        self.processes.append(device)
        return device.boot()

    def vhost(self, socket, ring):
        """Start a testpmd with DPDK's own vhost as the device."""
        eal = ["--vdev", f"net_vhost0,iface={socket},queues=1,client=0"]
        app = [f"--rxd={ring}", f"--txd={ring}"]
        return self.testpmd("vhost", self.device_cpu, eal, app, mbufs_for(ring))


class NullDevice:
    """The device of the rows. It polls all the time, so it is stopped while the other one works."""

    def __init__(self, lab, options):
        self.drivers = 0  # that were seen in the log
        self.socket = lab.new_socket()
        self.path = lab.folder / f"{next(lab.numbers)}.log"
        argv = [*DIE_WITH_US, str(lab.tool("null_device")), "--socket", self.socket]
        argv += ["--cpu", str(lab.device_cpu), *options]
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        """All that it printed."""
        return self.path.read_text(errors="replace")

    def boot(self):
        """Wait until it listens."""
        deadline = time.monotonic() + START_SECONDS
        while "listening" not in self.log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"null_device does not start:\n{self.log()}")
            time.sleep(STEP_SECONDS)
        return self

    def pause(self):
        """Leave its CPU to others."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        """Go on."""
        self.process.send_signal(signal.SIGCONT)

    def negotiated(self):
        """The feature bits of the driver that has connected since the last question."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            found = re.findall(r"^negotiated 0x([0-9a-f]+)$", self.log(), re.MULTILINE)
            if len(found) > self.drivers:
                self.drivers = len(found)
                return int(found[-1], 16)
            if time.monotonic() > deadline:
                raise BenchError(f"null_device has no driver:\n{self.log()}")
            time.sleep(STEP_SECONDS)

    def rings(self):
        """The sizes of that driver's rings."""
        found = re.findall(r"^rings((?: \d+)+)$", self.log(), re.MULTILINE)
        return {int(size) for size in found[-1].split()} if found else set()

    def check(self):
        """Fail if a queue stopped."""
        stopped = re.search(r"^null_device: .*stops.*$", self.log(), re.MULTILINE)
        if stopped:
            raise BenchError(stopped.group(0))
        if self.process.poll() is not None:
            raise BenchError(f"null_device has ended:\n{self.log()}")

    def dispose(self):
        """End it."""
        if self.process.poll() is None:
            self.resume()
            self.process.terminate()
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def paths(which, app):
    """The receive and transmit path that a driver says it runs."""
    if which == OURS:
        found = []
        for queue in "rxq", "txq":
            said = app.cmd(f"show {queue} info 0 0")
            match = re.search(r"^Burst mode: (.*?)(?: \(per queue\))?\s*$", said, re.MULTILINE)
            found.append(match.group(1) if match else "unknown")
        return found
    found = []
    for way in "Rx", "Tx":
        said = re.findall(rf"virtio: using (.*?) {way} path", app.log)
        found.append(said[-1] if said else "unknown")
    return found


__all__ = ["BenchError", "DRIVERS", "Lab", "NullDevice", "OURS", "THEIRS", "Testpmd"]
__all__ += ["TestpmdError", "paths"]
