# SPDX-License-Identifier: BSD-3-Clause
"""A secondary process over PCI: it polls the queue that all frames come by, through BARs that it has
mapped itself, and rings the doorbells there. The primary holds the ports, and is left alone."""

import numbered
import pytest
import rig
from viovm import dpdk

QUEUES = 2
PROMPT = "testpmd> "

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files, ours):
    with rig.rig(run_dir, build_dir, guest_files, ours, f"queues={QUEUES}", queues=QUEUES) as made:
        yield made


class Process:
    """A testpmd at its prompt that has the queues of its number."""

    def __init__(self, vm, kind, lcores, number):
        eal = dpdk.eal_options(vm.addresses(), True)
        eal = eal.replace("-l 0,1", f"--lcores {lcores} --proc-type={kind}")
        own = f"{rig.SMALL} -i --rxq={QUEUES} --txq={QUEUES} --num-procs=2 --proc-id={number}"
        self.job = vm.vm.start_job(f"exec {dpdk.stock_command()} {eal} -- {own}", stdin=True)
        self.job.wait_output(PROMPT, 60)

    def command(self, line):
        shown = len(self.job.output())
        self.job.write(line + "\n")
        return self.job.wait_output(PROMPT, 20, shown)[shown:]

    def quit(self):
        self.job.write("quit\n")
        assert self.job.wait(30) == 0, self.job.output()


def exchange(vm, *processes):
    with vm.streams(numbered.sweep(60, 1514, 13)) as streams:
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
