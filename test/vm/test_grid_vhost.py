# SPDX-License-Identifier: BSD-3-Clause
"""The devices of test_grid.py with DPDK's vhost-user behind them instead of QEMU's own rings.

A stock testpmd on the host passes frames on between the two devices of a pair, queue by queue;
vio-testpmd in the guest sends them from one to the other, and checks each. VIO_GRID=full runs every
cell, otherwise those marked. The machine has no IOMMU: test_vhost_user.py has one with.
"""

import contextlib
import json
import os

import pytest
import rig
import vhost_peer
from grid import KINDS, PAIRS, Cell, cells, expected
from viovm import Nic, Vm, dpdk, forwarder

pytestmark = pytest.mark.ours

FRAMES = 2000
FAULTS = ("lost", "duplicated", "reordered", "corrupted", "too_late")
# The cells of the usual run: each value of each column.
USUAL = {
    "uio-modern-packed-mergeable-4",
    "uio-modern-split-plain-1",
    "uio-transitional-packed-plain-1",
    "uio-transitional-as-legacy-split-mergeable-1",
    "uio-legacy-split-plain-4",
}
ALL = [c for c in cells() if c.bus == "uio" and not c.interrupts]
CELLS = [c for c in ALL if os.environ.get("VIO_GRID") == "full" or c.name() in USUAL]
assert {c.name() for c in ALL} >= USUAL


COMMANDS = b"set fwd io retry\nset burst tx delay 100 retry 5000\nstart\n"


@contextlib.contextmanager
def vhost(run_dir):
    """A testpmd with two vhost-user sockets of each kind, next to each other, which it joins."""
    sockets = [run_dir.path / f"grid{i}" for i in range(2 * len(KINDS))]
    vdevs = [f"--vdev=net_vhost{i},iface={path},queues={PAIRS}" for i, path in enumerate(sockets)]
    eal = ["--lcores", "0@(0-1),1@(0-1)", *vdevs]
    own = ["--total-num-mbufs=16384", f"--rxq={PAIRS}", f"--txq={PAIRS}"]
    with vhost_peer.serve(run_dir, "grid", sockets, eal, own, COMMANDS):
        yield sockets


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files):
    with vhost(run_dir) as sockets:
        options = [text for text in KINDS.values() for _ in range(2)]
        nics = [
            Nic.parse(f"vhost-user={path},queues={PAIRS}{text}")
            for path, text in zip(sockets, options)
        ]
        with Vm(nics, build_dir=build_dir, files=guest_files, iommu=False) as made:
            yield made


@pytest.mark.parametrize("cell", CELLS, ids=Cell.name)
def test_cell(vm, cell):
    first = 2 * list(KINDS).index(cell.kind)
    addresses = [f"{Nic.pci_address(first + i)},{cell.devargs()}" for i in range(2)]
    words = [
        *(dpdk.GUEST_APP, dpdk.eal_options(addresses, True), "--iova-mode=pa", "--", rig.SMALL),
        *("--forward-mode=verify", f"--rxq={cell.queues}", f"--txq={cell.queues}"),
        *("--rate=2k", "--warmup=0.3", f"--packets={FRAMES}", f"--json={forwarder.REPORT}"),
    ]
    status, output = vm.run(f"rm -f {forwarder.REPORT}; exec {' '.join(words)}", 60)
    assert status == 0, output
    report = json.loads(vm.fetch(forwarder.REPORT))
    seen = report["verify"]["all"]
    assert seen["sent"] >= FRAMES, output
    assert {fault: seen[fault] for fault in FAULTS} == dict.fromkeys(FAULTS, 0), output
    there, judged = expected(cell)
    for number, port in enumerate(report["ports"]):
        assert rig.features(report, number) & judged == there
        assert len(port["rx_queues"]) == cell.queues
        assert all(queue["packets"] > 0 for queue in port["rx_queues"]), output
        dump = "\n".join(port["driver_dump"])
        assert ("legacy PCI" if cell.legacy else "modern PCI") in dump
    assert report["mbufs_missing"] == 0
