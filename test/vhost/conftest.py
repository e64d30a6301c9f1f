#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The two processes of every test here: "device", a stock dpdk-testpmd with DPDK's own vhost
(net_vhost), and "driver", a stock dpdk-testpmd with the driver under test. They share a
vhost-user socket, and no VM is involved.

Environment
  VIO_BUILD        the build folder; the plug-in is $VIO_BUILD/drivers/net/vio/librte_net_vio.so
  VIO_TEST_DRIVER  the vdev to test, net_vio_user unless set. net_virtio_user compares with
                   DPDK's own driver; tests of what only ours promises are skipped then.
"""

import itertools
import os
import shutil
import subprocess
import tempfile

import pytest

import pcapfile
import target
from testpmd import Testpmd

DRIVER_MAC = "02:00:00:00:00:01"
MBUFS = 8192
MBUF_SIZE = 2176
LARGE_MBUF_SIZE = 10240
JUMBO_FRAME = 9200
MEMORY_MIB = 160
HUGEPAGE_MIB = 3 * MEMORY_MIB  # as many processes as a test has at most
MEMORY = ("--in-memory", "-m", str(MEMORY_MIB))

# DPDK has no frame pointers, so that only the slow way finds whole stacks. They name the modules.
SANITIZER_OPTIONS = (
    "color=never",
    "fast_unwind_on_malloc=0",
    "stack_trace_format='    #%n %f %S (%m)'",
)


def free_hugepage_mib():
    """Free memory in hugepages of the default size."""
    with open("/proc/meminfo", encoding="ascii") as f:
        fields = {line.split(":")[0]: int(line.split()[1]) for line in f}
    return fields["HugePages_Free"] * fields["Hugepagesize"] // 1024


def pytest_configure(config):
    """Say at once what is missing; no test can pass without it."""
    config.addinivalue_line("markers", "ours: promised by net_vio_user only")
    if target.driver() not in (target.OURS, target.STAND_IN):
        expected = f"{target.OURS} or {target.STAND_IN}"
        pytest.exit(f"VIO_TEST_DRIVER={target.driver()}: expected {expected}", 2)
    if target.is_ours() and not os.path.isfile(target.plugin()):
        pytest.exit(f"no plug-in at {target.plugin()}: set VIO_BUILD to the build folder", 2)
    if not shutil.which("dpdk-testpmd"):
        pytest.exit("no dpdk-testpmd on the PATH: install Debian's package dpdk-dev", 2)
    if free_hugepage_mib() < HUGEPAGE_MIB:
        pytest.exit(
            f"{free_hugepage_mib()} MiB of hugepages are free, {HUGEPAGE_MIB} are needed: "
            "echo 512 > /proc/sys/vm/nr_hugepages",
            2,
        )


def pytest_collection_modifyitems(items):
    """Skip what only ours promises where the stand-in runs."""
    if target.is_ours():
        return
    skip = pytest.mark.skip(reason=f"promised by {target.OURS} only")
    for item in items:
        if "ours" in item.keywords:
            item.add_marker(skip)


class Lab:
    """Starts processes, knows their files, and ends all that is left at the end of a test."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = os.path.join(folder, "vhost.sock")
        self.processes = []
        self.hugetlbfs = None
        cpus = sorted(os.sched_getaffinity(0))
        self.cpu = {"device": cpus[0], "driver": cpus[-1]}
        self.numbers = itertools.count()

    def file(self, name):
        """A path in the test's own folder."""
        return os.path.join(self.folder, name)

    def pcap(self, name, frames):
        """Write a pcap file into the test's folder; return its path."""
        pcapfile.write(self.file(name), frames)
        return self.file(name)

    def argv(self, role, vdevs, app=(), memory=MEMORY, **pool):
        """The command line of a testpmd whose two threads share the one CPU of their role."""
        cpu = self.cpu[role]
        argv = ["dpdk-testpmd", "--lcores", f"0@{cpu},1@{cpu}", "--no-pci", "--no-telemetry"]
        argv += ["--file-prefix", f"vio-test-{os.getpid()}-{next(self.numbers)}"]
        argv += ["--single-file-segments", *memory]
        if role == "driver" and target.is_ours():
            argv += ["-d", target.plugin()]
        for vdev in vdevs:
            argv += ["--vdev", vdev]
        # Locking all of a process's memory takes as long as anything else at its start; and links,
        # for which testpmd waits at each start and stop of a port, tests look at themselves.
        argv += ["--", "-i", "--no-flush-rx", "--nb-cores=1", "--no-mlockall", "--disable-link-check"]
        argv += [f"--mbuf-size={pool.get('mbuf_size', MBUF_SIZE)}"]
        argv += [f"--total-num-mbufs={pool.get('mbufs', MBUFS)}", *app]
        return argv

    def environment(self, role):
        """The environment of a testpmd; its run-time files go to the test's folder.

        An unmodified program that is to load a plug-in built with AddressSanitizer needs the
        sanitizer's library from the start. Its exit status tells nothing of leaks, as they count
        only where the plug-in is in the stack; testpmd.py looks for that.
        """
        env = {**os.environ, "RUNTIME_DIRECTORY": self.folder}
        if role != "driver" or not target.is_ours():
            return env
        needed = subprocess.run(
            ["ldd", target.plugin()], capture_output=True, text=True, check=True, timeout=60
        )
        for line in needed.stdout.splitlines():
            if "libasan" in line:
                env["LD_PRELOAD"] = line.split()[2]
                env["LSAN_OPTIONS"] = "exitcode=0"
                env["ASAN_OPTIONS"] = ":".join(SANITIZER_OPTIONS)
        return env

    def start(self, role, vdevs, boot=True, **more):
        """Start a testpmd and, unless told otherwise, wait for its prompt."""
        process = Testpmd(role, self.argv(role, vdevs, **more), self.environment(role))
        self.processes.append(process)
        return process.boot() if boot else process

    def vhost(self, queues=1, client=0):
        """The vdev of the device side."""
        return f"net_vhost0,iface={self.socket},queues={queues},client={client}"

    def vio(self, number=0, **devargs):
        """The vdev of the driver side; devargs replace the defaults, None takes one away."""
        given = {"path": self.socket, "mac": DRIVER_MAC, **devargs}
        text = [f"{key}={value}" for key, value in given.items() if value is not None]
        return ",".join([f"{target.driver()}{number}", *text])

    def device(self, *vdevs, queues=1, client=0, app=(), **more):
        """Start the device side: port 0 is net_vhost, the given vdevs follow."""
        app = [f"--rxq={queues}", f"--txq={queues}", *app]
        return self.start("device", [self.vhost(queues, client), *vdevs], app=app, **more)

    def driver(self, *vdevs, jumbo=False, boot=True, app=(), start=None, **devargs):
        """Start the driver side: port 0 is the driver under test, the given vdevs follow.

        Jumbo frames are received in several buffers, or in large ones where they are not
        mergeable. start has further arguments of Lab.start.
        """
        queues = devargs.get("queues", 1)
        app = [f"--rxq={queues}", f"--txq={queues}", *app]
        more = {"mbuf_size": MBUF_SIZE, **(start or {})}
        if jumbo:
            app += [f"--max-pkt-len={JUMBO_FRAME}", "--disable-device-start"]
            if not devargs.get("mrg_rxbuf", 1):
                more["mbuf_size"] = LARGE_MBUF_SIZE
        vdevs = [self.vio(**devargs), *vdevs]
        process = self.start("driver", vdevs, boot=boot, app=app, **more)
        if jumbo:
            # Not by testpmd's options: those are for all ports, and a pcap port lacks both.
            process.cmd("port config 0 tx_offload multi_segs on")
            if more["mbuf_size"] < LARGE_MBUF_SIZE:
                process.cmd("port config 0 rx_offload scatter on")
            process.cmd("port start all")
        return process

    def mount_hugetlbfs(self):
        """Mount a hugetlbfs of its own for the test; return where."""
        self.hugetlbfs = self.file("hugepages")
        os.mkdir(self.hugetlbfs)
        subprocess.run(
            ["mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "hugetlbfs", self.hugetlbfs],
            check=True,
        )
        return self.hugetlbfs

    def clean_up(self):
        """End what still runs, unmount, and remove the folder."""
        for process in self.processes:
            process.dispose()
        if self.hugetlbfs and os.path.ismount(self.hugetlbfs):
            subprocess.run(["umount", self.hugetlbfs], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def lab(request):
    """A lab of its own for each test. A failed test's report has both processes' last lines."""
    made = Lab(tempfile.mkdtemp(prefix="vio-"))
    yield made
    try:
        report = getattr(request.node, "call_report", None)
        if report is not None and report.failed:
            for process in made.processes:
                report.sections.append((f"{process.name} testpmd", process.tail(60)))
    finally:
        made.clean_up()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a test's report where its fixtures find it."""
    outcome = yield
    report = outcome.get_result()
    if call.when == "call":
        item.call_report = report
