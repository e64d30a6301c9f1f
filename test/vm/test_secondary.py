# SPDX-License-Identifier: BSD-3-Clause
"""A secondary process over PCI: it polls the queue that all frames come by, through BARs that it has
mapped itself, and rings the doorbells there. The primary holds the ports, and is left alone; also by
dpdk-proc-info and dpdk-dumpcap, which look on."""

import re
import shutil
import subprocess

import numbered
import pytest
import rig
from viovm import dpdk
from viovm.prompt import Terminal

QUEUES = 2
PROC_INFO, DUMPCAP = "dpdk-proc-info", "dpdk-dumpcap"
SIZES = numbered.sweep(60, 1514, 13)

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files, ours):
    tools = [(shutil.which(name), f"/usr/bin/{name}") for name in (PROC_INFO, DUMPCAP)]
    files = guest_files + tools
    with rig.rig(run_dir, build_dir, files, ours, f"queues={QUEUES}", queues=QUEUES) as made:
        yield made


class Process:
    """A testpmd at its prompt that has the queues of its number."""

    def __init__(self, vm, kind, lcores, number):
        eal = dpdk.eal_options(vm.addresses(), True)
        eal = eal.replace("-l 0,1", f"--lcores {lcores} --proc-type={kind}")
        own = f"{rig.SMALL} -i --rxq={QUEUES} --txq={QUEUES} --num-procs=2 --proc-id={number}"
        self.job = vm.vm.start_job(f"exec {dpdk.stock_command()} {eal} -- {own}", stdin=True)
        self.terminal = Terminal(self.job)
        self.terminal.wait(60)

    def command(self, line):
        return self.terminal.command(line, 20)

    def quit(self):
        self.job.write("quit\n")
        assert self.job.wait(30) == 0, self.job.output()


def exchange(vm, *processes):
    with vm.streams(SIZES) as streams:
        try:
            for stream in streams:
                stream.wait_open()
            numbered.exchange(*streams)
        except numbered.FrameError as error:
            said = "\n".join(process.job.output() for process in processes)
            raise AssertionError(f"{error}\n{said}") from None


def test_polls_and_leaves_the_port_alone(vm):
    primary = Process(vm, "primary", "0@0,1@1", 1)
    try:
        primary.command("start")
        for end in "quit", "kill":
            secondary = Process(vm, "secondary", "2@0,3@1", 0)
            secondary.command("start")
            exchange(vm, primary, secondary)
            assert "vio mergeable" in secondary.command("show rxq info 0 0")
            if end == "quit":
                secondary.command("stop")
                secondary.quit()
            else:
                secondary.job.signal("KILL")
                secondary.job.wait(10)
            assert "Link status: up" in primary.command("show port info 0")
        primary.command("stop")
        primary.command("port stop all")
        primary.command("port start all")
        assert "Link status: up" in primary.command("show port info 0")
        primary.quit()
    finally:
        primary.job.stop()


def proc_info(vm):
    """It tells what the ports have counted, through a driver of its own."""
    eal = dpdk.eal_options(vm.addresses(), True).replace("-l 0,1 ", "")
    status, said = vm.vm.run(f"{PROC_INFO} {eal} -- --show-port --xstats")
    assert status == 0, said
    assert said.count("driver net_vio ") == said.count("Link up") == 2, said
    counted = [int(n) for n in re.findall(r"rx_q0_good_packets: (\d+)", said)]
    assert len(counted) == 2 and all(n >= len(SIZES) for n in counted), said


def dumpcap(vm, primary, path):
    """It records frames of one port, each way. Without an option for plug-ins, it finds its driver
    by a preload."""
    # Processes that share mempools go by the kinds' numbers, in the order of loading.
    linked = subprocess.run(
        ["ldd", shutil.which(dpdk.STOCK_APP)], capture_output=True, text=True, check=True
    )
    preload = re.findall(r"=> (\S*librte_mempool_\S*)", linked.stdout) + [dpdk.GUEST_DRIVER]
    words = f"env LD_PRELOAD='{' '.join(preload)}' {DUMPCAP} -P -i 0 -w {path}"
    job = vm.vm.start_job(f"exec {words}")
    try:
        job.wait_output("Packets captured", 30)
        exchange(vm, primary)
    finally:
        job.signal("INT")
        assert job.wait(10) == 0, job.output()


def test_tools_look_on(vm):
    primary = Process(vm, "primary", "0@0,1@1", 0)
    try:
        primary.command("start")
        exchange(vm, primary)
        proc_info(vm)
        dumpcap(vm, primary, "/tmp/dump.pcap")
        content = vm.vm.fetch("/tmp/dump.pcap")
        primary.command("stop")
        primary.quit()
    finally:
        primary.job.stop()
    for way in 0, 1:
        at = 0
        for number, size in enumerate(SIZES):
            frame = numbered.build(number, size, vm.lan.mac(1 - way), vm.lan.mac(way))
            assert content.count(frame) == 1, (way, number)
            at = content.index(frame, at)  # behind the one before it
