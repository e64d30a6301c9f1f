# SPDX-License-Identifier: BSD-3-Clause
"""Mode verify of vio-testpmd with one end in a VM and the other on the host, over net_vhost."""

import contextlib
import json
import subprocess
import time

import pytest
from viovm import Nic, Vm, VioError, dpdk, proc

START_SECONDS = 20
END_SECONDS = 20
GUEST_REPORT = "/tmp/verify.json"
SMALL = "--total-num-mbufs=2048"
FAULTS = ("lost", "duplicated", "reordered", "corrupted", "too_late")
FRAMES = 3000


class HostEnd:
    """vio-testpmd at its prompt, with one net_vhost port; it polls from start to stop only."""

    def __init__(self, run_dir, build_dir, name, options):
        self.socket = run_dir.path / f"{name}.sock"
        self.report = run_dir.path / f"{name}.json"
        self.log = run_dir.path / f"{name}.log"
        # The guest's memory is what it maps; it needs no hugepages of its own.
        eal = ["--lcores", "0@(0-1),1@(0-1)", "--no-pci", "--no-huge", "-m", "128"]
        eal += ["--no-telemetry", f"--file-prefix=vio-{run_dir.name}-{name}"]
        eal += [f"--vdev=net_vhost0,iface={self.socket},iommu-support=1"]
        own = ["-i", SMALL, f"--json={self.report}", *options]
        with open(self.log, "w", encoding="utf-8") as log:
            self.child = proc.spawn(
                [str(dpdk.our_app_path(build_dir)), *eal, "--", *own],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def type(self, line):
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def wait(self, seen, seconds, what):
        deadline = time.monotonic() + seconds
        while not seen():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise VioError(f"{what}:\n{self.log.read_text()}")
            time.sleep(0.05)

    def wait_said(self, words, seconds=END_SECONDS):
        self.wait(lambda: words in self.log.read_text(), seconds, f"no '{words}'")

    def finish(self):
        """End it, and return its report."""
        self.type("quit")
        status = self.child.wait(END_SECONDS)
        assert status == 0, self.log.read_text()
        return json.loads(self.report.read_text())

    def close(self):
        self.child.stdin.close()
        proc.end(self.child)


ENDS = {
    "echo": ["--forward-mode=5tswap"],
    "receive": ["--forward-mode=verify", "--verify-role=receive"],
    "send": ["--forward-mode=verify", "--verify-role=send", "--rate=3k", f"--packets={FRAMES}"],
}


@pytest.fixture(scope="module")
def ends(run_dir, build_dir, ours):
    """One end for each test, as the VM connects to all when it boots."""
    if not ours and not dpdk.our_app_path(build_dir).exists():
        pytest.skip("vio-testpmd is not built")
    with contextlib.ExitStack() as opened:
        made = {}
        for name, options in ENDS.items():
            made[name] = HostEnd(run_dir, build_dir, name, options)
            opened.callback(made[name].close)
        for end in made.values():
            end.wait(end.socket.exists, START_SECONDS, "no vhost-user device")
        yield made


@pytest.fixture(scope="module")
def vm(ends, build_dir, guest_files):
    # Split rings: on a packed one, DPDK's vhost drops a frame when it does not know its page yet.
    nics = [Nic.parse(f"vhost-user={ends[name].socket},packed=off") for name in ENDS]
    with Vm(nics, build_dir=build_dir, files=guest_files) as made:
        yield made


@pytest.fixture
def guest(vm, ours):
    """Starts vio-testpmd in the guest, with the NIC that leads to the end of that name. With -i it
    stays at its prompt when it has forwarded, and its port with it."""
    jobs = []

    def start(name, *options):
        address = Nic.pci_address(list(ENDS).index(name))
        words = [dpdk.eal_options([address], ours), "--", SMALL, f"--json={GUEST_REPORT}"]
        jobs.append(
            vm.start_job(
                f"rm -f {GUEST_REPORT}; exec {dpdk.GUEST_APP} "
                + " ".join([*words, "--forward-mode=verify", "--no-flush-rx", *options]),
                stdin="-i" in options,
            )
        )
        if "-i" in options:
            jobs[-1].write("start\n")
        jobs[-1].wait_output("forwarding: mode", START_SECONDS)
        return jobs[-1]

    yield start
    for job in jobs:
        job.stop()


def report_of(vm, job):
    status = job.wait(END_SECONDS)
    assert status == 0, job.output()
    return json.loads(vm.fetch(GUEST_REPORT))


def check(flow, frames, lost=0):
    assert {fault: flow[fault] for fault in FAULTS} == {**dict.fromkeys(FAULTS, 0), "lost": lost}
    assert flow["sent"] == flow["received"] + lost == frames


def test_round_trip_through_the_host(vm, guest, ends):
    """The run before the measured one teaches the device the guest's pages."""
    ends["echo"].type("start")
    ends["echo"].wait_said("forwarding: mode 5tswap")
    job = guest("echo", "--rate=1k", "--warmup=1", "--duration=1.5")
    verify = report_of(vm, job)["verify"]
    echoed = ends["echo"].finish()
    frames = verify["all"]["sent"]
    assert frames > 500
    # The echo may be kept from its CPU: each frame missing is one that it could not send back.
    lost = verify["all"]["lost"]
    assert lost <= echoed["forward"]["tx_dropped"]
    check(verify["all"], frames, lost)
    assert verify["one_way"] is None
    trip = verify["round_trip"]
    assert trip["frames"] == frames - lost
    quantiles = [trip[key] for key in ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns")]
    assert quantiles == sorted(quantiles) and 0 < quantiles[0] < 1e9
    assert echoed["forward"]["rx_packets"] >= frames
    assert echoed["mbufs_missing"] == 0


def test_from_the_vm_to_the_host(vm, guest, ends):
    """The host is told how many there were, and ends by itself, before the guest's port goes."""
    ends["receive"].type("start")
    ends["receive"].wait_said("forwarding: mode verify")
    job = guest("receive", "--verify-role=send", "--rate=3k", f"--packets={FRAMES}", "-i")
    ends["receive"].wait_said("forwarding ended by: all senders ended")
    job.write("quit\n")
    sent = report_of(vm, job)["verify"]["all"]
    (flow,) = ends["receive"].finish()["verify"]["flows"]
    assert sent["sent"] == FRAMES
    assert not flow["own"] and flow["total_known"]
    check(flow, FRAMES)


def test_from_the_host_to_the_vm(vm, guest, ends, ours):
    job = guest("send", "--verify-role=receive")
    ends["send"].type("start")
    ends["send"].wait_said("forwarding ended by: packets")
    report = report_of(vm, job)
    assert report["ended_by"] == "all senders ended"
    (flow,) = report["verify"]["flows"]
    assert not flow["own"] and flow["total_known"]
    check(flow, FRAMES)
    # DPDK's driver keeps those of its receive ring.
    assert not ours or report["mbufs_missing"] == 0
    assert ends["send"].finish()["verify"]["all"]["sent"] == FRAMES
