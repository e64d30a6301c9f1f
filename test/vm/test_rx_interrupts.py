# SPDX-License-Identifier: BSD-3-Clause
"""Receive interrupts by MSI-X vectors of their own, through VFIO: the example rx-interrupts between
two hosts sleeps whenever nothing comes, and no frame is ever left waiting."""

import random
import re
import time

import numbered
import pytest
import rig
from viovm import Nic, Vm, dpdk
from viovm.netns import Lan

PROGRAM = "/usr/local/bin/rx-interrupts"
QUEUES = 2
ROUNDS = 30
FEW = 2  # the number of the NIC that has one vector

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files, ours):
    files = [*guest_files, (build_dir / "examples/rx-interrupts/rx-interrupts", PROGRAM)]
    with Lan(run_dir, queues=QUEUES) as lan:
        nics = [Nic.parse(f"tap={lan.tap(i)},queues={QUEUES}") for i in range(2)]
        nics.append(Nic.parse("hub=0,vectors=1"))
        with Vm(nics, build_dir=build_dir, files=files, netns=lan.wire.name) as made:
            yield rig.Rig(made, lan, ours)


def start(vm, addresses, lcores):
    eal = dpdk.eal_options(addresses, True, lcores)
    return vm.vm.start_job(f"exec {PROGRAM} {eal}")


def paced(streams):
    """Random bursts both ways, each when the one before has arrived, after random pauses."""
    pauses = random.Random(88)
    for _ in range(ROUNDS):
        ahead = [pauses.choice((0, 1, 2, 20)) for _ in streams]
        for stream, burst in zip(streams, ahead):
            stream.push_more(burst)
        deadline = time.monotonic() + 20
        while any(stream.arrived < stream.sent for stream in streams):
            assert time.monotonic() < deadline, [(s.arrived, s.sent) for s in streams]
            for stream in streams:
                stream.take()
        time.sleep(pauses.choice((0, 0.001, 0.01, 0.05)))
    assert all(stream.sent > ROUNDS for stream in streams)


@pytest.mark.parametrize("lcores, event_idx", [("0", 0), ("0,1", 1)], ids=["flags", "event index"])
def test_none_is_lost(vm, lcores, event_idx):
    job = start(vm, vm.addresses(f"event_idx={event_idx}"), lcores)
    try:
        job.wait_output("forwarding", 60)
        with vm.streams(numbered.sweep(60, 1514)) as streams:
            for stream in streams:
                stream.wait_open()
            paced(streams)
        job.signal("INT")
        assert job.wait(30) == 0, job.output()
    finally:
        job.stop()
    line = r"queue \d+: (\d+) packets, (\d+) unsent, (\d+) sleeps, (\d+) wakes"
    queues = [tuple(map(int, found)) for found in re.findall(line, job.output())]
    assert len(queues) == len(lcores.split(","))
    assert sum(packets for packets, *_ in queues) > ROUNDS
    assert sum(wakes for *_, wakes in queues) > ROUNDS / 2
    assert all(unsent == 0 for _, unsent, *_ in queues)


def test_too_few_vectors(vm):
    job = start(vm, [vm.vm.nics[FEW].pci_address(FEW)], "0")
    assert job.wait(60) != 0
    assert "need 2 MSI-X vectors, the device has 1; give it more (QEMU: vectors=2)" in job.output()
