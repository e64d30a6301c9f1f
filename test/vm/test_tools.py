# SPDX-License-Identifier: BSD-3-Clause
"""vio-vm and vio-demo as a user runs them, and that nothing of them is left."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest
from viovm import GuestTimeout, Nic, Vm, dpdk, rundir

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "usertools"


def leftovers(name):
    """Namespaces and run folders whose name begins with name."""
    folders = pathlib.Path("/run/vio-vm").glob(f"{name}*")
    return [path.name for path in (*folders, *rundir.NETNS_FOLDER.glob(f"vio-{name}*"))]


@pytest.fixture(scope="module")
def vm(build_dir):
    with Vm([Nic.parse("hub=0")], build_dir=build_dir) as made:
        yield made


def test_status_and_output(vm):
    assert vm.run("echo one; echo two >&2; exit 3") == (3, "one\ntwo\n")


def test_late_command_is_killed(vm):
    with pytest.raises(GuestTimeout) as caught:
        vm.run("echo begun; sleep 1000", timeout=5)
    assert caught.value.output == "begun\n"
    assert "sleep 1000" not in vm.run("ps | grep -v grep | grep 'sleep 1000'")[1]


def test_jobs_run_at_once(vm):
    jobs = [vm.start_job(f"sleep 4; echo {i}") for i in range(5)]
    begin = time.monotonic()
    assert [job.wait(30) for job in jobs] == [0] * 5
    assert time.monotonic() - begin < 16
    assert [job.output() for job in jobs] == [f"{i}\n" for i in range(5)]


def test_job_takes_input(vm):
    job = vm.start_job("read line; echo got $line; sleep 1000", stdin=True)
    job.write("some words\n")
    job.wait_output("got some words", 10)
    assert job.stop() == 128 + signal.SIGTERM


def test_file_comes_back_whole(vm):
    vm.run("head -c 300000 /dev/urandom >/tmp/noise")
    content = vm.fetch("/tmp/noise")
    assert len(content) == 300000
    (run_sum,) = vm.run("sha256sum </tmp/noise")[1].split()[:1]
    told = subprocess.run(["sha256sum"], input=content, capture_output=True, check=True).stdout
    assert told.split()[0].decode() == run_sum


def test_nics_are_bound(vm):
    assert vm.run("vio-bind") == (0, f"  {Nic.pci_address(0)}  vfio-pci\n")


def test_nothing_left_of_a_killed_vm(build_dir):
    before = leftovers(f"{os.getpid()}-")
    made = Vm([Nic.parse("hub=0")], build_dir=build_dir)
    made.start()
    assert leftovers(f"{os.getpid()}-") != before
    try:
        os.kill(made.pid, signal.SIGKILL)
        with pytest.raises(Exception, match="the VM"):
            made.run("true")
    finally:
        made.stop()
    assert leftovers(f"{os.getpid()}-") == before


def demo(build_dir, driver, *options):
    app = dpdk.OUR_APP if driver == "net_vio" else dpdk.STOCK_APP
    words = ["--build-dir", build_dir, "--driver", driver, "--app", app, *options]
    return subprocess.Popen(
        [TOOLS / "vio-demo", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_demo(build_dir, driver, tmp_path):
    answer = tmp_path / "demo.json"
    child = demo(build_dir, driver, "--seconds", 1, "--file-mib", 8, "--json", answer)
    said, _ = child.communicate(timeout=150)
    assert child.returncode == 0, said
    result = json.loads(answer.read_text())
    assert result["complete"]
    assert result["ping"]["received"] == 100
    assert result["file"]["size"] == 8 << 20
    for way in result["ways"]:
        assert way["lost"] == 0 and way["mbit_per_s"] > 1
    if driver == "net_vio":
        for port in result["ports"]:
            assert port["rx_path"] and port["tx_path"] and port["features"]
    assert not leftovers(f"{child.pid}-")


def test_demo_ended_early(build_dir, driver):
    child = demo(build_dir, driver)
    try:
        deadline = time.monotonic() + 100
        while "pings" not in (line := child.stdout.readline()):
            assert line and time.monotonic() < deadline, "the demo has ended, or takes too long"
        assert len(leftovers(f"{child.pid}-")) >= 4
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
    finally:
        child.kill()
    assert child.returncode == 128 + signal.SIGINT
    assert not leftovers(f"{child.pid}-")


def test_demo_swept_after_kill(build_dir, driver):
    child = demo(build_dir, driver)
    try:
        while "booting" not in (line := child.stdout.readline()):
            assert line, "the demo has ended"
    finally:
        child.kill()
        child.communicate(timeout=10)
    assert leftovers(f"{child.pid}-")
    with rundir.RunDir() as run_dir:
        assert any(name.startswith(f"{child.pid}-") for name in run_dir.swept)
    assert not leftovers(f"{child.pid}-")
