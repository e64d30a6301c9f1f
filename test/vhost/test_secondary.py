#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Secondary processes of a port, by stock applications: dpdk-testpmd, dpdk-proc-info and
dpdk-dumpcap beside a dpdk-testpmd with the driver under test."""

import os
import re
import shutil
import signal
import subprocess
import time

import frames
import pcapfile
import pytest
import target
import traffic
from testpmd import Testpmd

pytestmark = pytest.mark.ours

RINGS = {"packed": 1, "split": 0}
ROUNDS = 10
BURST = 4


class Processes:
    """A primary testpmd with two queues, and secondaries that find it by its prefix."""

    def __init__(self, lab, ring, polled_by=1, pcap=()):
        self.lab = lab
        self.prefix = f"vio-test-{os.getpid()}-mp"
        self.huge = lab.mount_hugetlbfs()
        self.sent = 0
        self.device = lab.device(*pcap, queues=2)
        if not pcap:
            self.device.cmd("set fwd rxonly")
        vdev = lab.vio(queues=2, packed_vq=RINGS[ring])
        self.primary = self.testpmd("driver", "primary", (0, 1), ["--vdev", vdev], polled_by, 0)
        self.device.await_link(True)

    def eal(self, kind, lcores):
        """EAL's arguments of a process."""
        cpu = self.lab.cpu["driver"]
        argv = ["--lcores", ",".join(f"{i}@{cpu}" for i in lcores), "--no-pci", "--no-telemetry"]
        argv += ["--file-prefix", self.prefix, f"--proc-type={kind}", "--huge-dir", self.huge]
        argv += ["--single-file-segments", "-d", target.plugin()]
        return argv

    def tool(self, name, *options):
        """Run a tool that is a secondary on lcore 0 and takes few of EAL's options; what it said."""
        argv = [name, "--no-pci", "--file-prefix", self.prefix, "-d", target.plugin(), "--", *options]
        ran = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self.lab.environment("driver"),
            stdin=subprocess.DEVNULL,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def testpmd(self, name, kind, lcores, vdev, processes, number):
        """Start a testpmd that polls its share of the queues."""
        argv = ["dpdk-testpmd", *self.eal(kind, lcores), *vdev]
        argv += ["-m", "160"] if kind == "primary" else []
        argv += ["--", "-i", "--no-flush-rx", "--nb-cores=1", "--total-num-mbufs=8192"]
        argv += ["--rxq=2", "--txq=2", "--port-topology=loop"]
        argv += [f"--num-procs={processes}", f"--proc-id={number}"]
        process = Testpmd(name, argv, self.lab.environment("driver"))
        self.lab.processes.append(process)
        return process.boot()

    def secondary(self):
        """The testpmd that polls the second queue."""
        return self.testpmd("secondary", "secondary", (2, 3), [], 2, 1)

    def echo(self, queues=2):
        """The device sends bursts on both queues; what came on the first queues comes back."""
        for _ in range(ROUNDS):
            self.device.cmd(f"set burst {BURST}")
            self.device.cmd("start tx_first 1")
            self.sent += BURST * queues
            self.device.await_frames(0, "RX-packets", self.sent)
            self.device.cmd("stop")
        assert self.device.stats(0)["RX-packets"] == self.sent

    def packets(self, process):
        """Received by each queue, as a process sees it."""
        xstats = process.xstats(0)
        return [xstats[f"rx_q{i}_good_packets"] for i in range(2)]


def mempools_of(program):
    """The kinds of mempools that a program is linked with. Processes that share mempools go by the
    kinds' numbers, in the order of loading; another program must load the same ones first."""
    linked = subprocess.run(
        ["ldd", shutil.which(program)], capture_output=True, text=True, check=True, timeout=60
    )
    return re.findall(r"=> (\S*librte_mempool_\S*)", linked.stdout)


def eventfds(process):
    """Which eventfds a process has, by the kernel's numbers."""
    found = set()
    folder = f"/proc/{process.process.pid}/fdinfo"
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="ascii") as f:
            found |= set(re.findall(r"^eventfd-id:\s*(\d+)", f.read(), re.MULTILINE))
    return found


@pytest.mark.parametrize("ring", RINGS)
def test_each_process_polls_its_queue(lab, ring):
    """Two testpmds share the queues; the second one dies, and the first goes on as before."""
    both = Processes(lab, ring, polled_by=2)
    second = both.secondary()
    # The doorbells of two pairs: DPDK's vhost polls, and so never needs them rung.
    assert len(eventfds(both.primary) & eventfds(second)) == 4
    for process in both.primary, second:
        process.cmd("start")
    both.echo()
    there = ROUNDS * BURST
    assert both.packets(both.primary) == both.packets(second) == [there, there]
    assert both.primary.stats(0) == second.stats(0)
    for process in both.primary, second:
        assert "vio mergeable" in process.cmd("show rxq info 0 0")
    assert re.search(r"error|fail", second.cmd("set promisc 0 off"), re.IGNORECASE)
    second.quit()
    assert "status: up" in both.primary.cmd("show port info 0").lower()
    third = both.secondary()
    third.cmd("start")
    both.echo()
    third.process.send_signal(signal.SIGKILL)
    third.process.wait(10)
    both.echo(queues=1)
    both.primary.cmd("stop")
    both.primary.cmd("port stop 0")
    both.primary.cmd("port start 0")
    assert "status: up" in both.primary.cmd("show port info 0").lower()
    both.primary.quit()
    both.device.quit()


def test_proc_info(lab):
    """dpdk-proc-info shows the port's state and counters, and leaves it alone."""
    both = Processes(lab, "packed")
    both.primary.cmd("start")
    both.echo()
    options = ("--show-port", "--stats", "--xstats", "--show-port-private")
    said = "".join(both.tool("dpdk-proc-info", option) for option in options)
    assert "net_vio_user" in said
    assert re.search(r"Link up", said)
    assert re.search(rf"RX-packets:\s*{both.sent}\b", said)
    assert re.search(rf"rx_q1_good_packets: {both.sent // 2}\b", said)
    assert "vio mergeable" in said
    assert re.search(r"tx queue 1: started, \d+ descriptors \(packed\), .* no error", said)
    assert "state: started" in said and "over vhost-user" in said
    both.echo()
    both.primary.quit()
    both.device.quit()


def await_text(path, text, alive, seconds=30):
    """Wait until a file that a program writes has the text in it."""
    deadline = time.monotonic() + seconds
    while True:
        with open(path, encoding="utf-8") as f:
            said = f.read()
        if text in said:
            return
        assert alive() and time.monotonic() < deadline, said
        time.sleep(0.02)


def test_dumpcap(lab):
    """dpdk-dumpcap records what passes the port, each way. It has no option for plug-ins."""
    sent = [frames.make(40, stream=queue) for queue in range(2)]
    rx = [f"rx_pcap={lab.pcap(f'in{queue}.pcap', sent[queue])}" for queue in range(2)]
    tx = [f"tx_pcap={lab.file(f'out{queue}.pcap')}" for queue in range(2)]
    both = Processes(lab, "packed", pcap=[",".join(["net_pcap0", *rx, *tx])])
    traffic.lossless(both.primary, burst=8)
    traffic.lossless(both.device, burst=8)
    both.primary.cmd("start")
    total = sum(map(len, sent))
    path, log = lab.file("dump.pcap"), lab.file("dumpcap.log")
    argv = ["dpdk-dumpcap", "--file-prefix", both.prefix, "-P", "-i", "0", "-w", path]
    argv += ["-c", str(2 * total)]
    env = {**lab.environment("driver")}
    preload = [env.get("LD_PRELOAD"), *mempools_of("dpdk-testpmd"), target.plugin()]
    env["LD_PRELOAD"] = " ".join(filter(None, preload))
    with open(log, "w+", encoding="utf-8") as out:
        dumpcap = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=lab.folder
        )
        try:
            # From then on it is told of each packet.
            await_text(log, "Packets captured", lambda: dumpcap.poll() is None)
            both.device.cmd("start")
            both.device.await_frames(1, "TX-packets", total)
            assert dumpcap.wait(30) == 0
        finally:
            if dumpcap.poll() is None:
                dumpcap.kill()
                dumpcap.wait()
            out.seek(0)
            print(out.read())
    captured = pcapfile.read(path)
    assert len(captured) == 2 * total
    for queue in range(2):
        here = [frame for frame in captured if frames.sequence(frame)[0] == queue]
        # Each as it came, and as it left; those that left are the same ones in the same order.
        assert [n for n in here if here.count(n) != 2] == []
        traffic.assert_equal(sent[queue], list(dict.fromkeys(here)))
        traffic.assert_equal(sent[queue], pcapfile.read(lab.file(f"out{queue}.pcap")))
    both.primary.quit()
    both.device.quit()
