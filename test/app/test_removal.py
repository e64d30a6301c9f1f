# SPDX-License-Identifier: BSD-3-Clause
"""A port that goes away in mid-run is no longer polled, and is reported."""

import os
import signal
import subprocess
import threading
import time

import pytest
from apprun import TIMEOUT, read_until

SMALL = "--total-num-mbufs=4096"


@pytest.fixture
def remover(plugin):
    return plugin("remover.c")


@pytest.fixture
def start_with_removal(start, remover):
    def go(vdevs, names, *options, eal=(), **more):
        environment = os.environ | {"VIO_TEST_REMOVE": ",".join(names)}
        eal = ["-d", remover, *eal]
        return start(vdevs, SMALL, *options, eal=eal, environment=environment, **more)

    return go


def run_on_after_removal(started):
    """Three times as long without the port as with it."""
    begun = time.monotonic()
    time.sleep(0.2)
    started.signal(signal.SIGUSR1)
    started.wait_for("port 1 (net_null1): the device is gone, it is no longer polled")
    time.sleep(max(0.5, 3 * (time.monotonic() - begun)))


@pytest.mark.parametrize("how", ["", "+"], ids=["event", "removed"])
def test_other_ports_go_on(start_with_removal, how):
    ports = [f"net_null{i}" for i in range(4)]
    started = start_with_removal(ports, [how + "net_null1"])
    run_on_after_removal(started)
    started.signal(signal.SIGINT)
    done = started.finish()
    assert done.status == 0
    assert [port["gone"] for port in done.json["ports"]] == [False, True, False, False]
    packets = [port["rx_queues"][0]["packets"] for port in done.json["ports"]]
    # Ports 0 and 1 send to each other: both were polled for the shorter part of the run.
    assert packets[0] > 0 and packets[1] > 0
    assert 2 * packets[0] < packets[2] and 2 * packets[1] < packets[3]
    assert done.json["mbufs_missing"] == 0


def test_hot_plug_releases_it(start_with_removal):
    """The port is closed and its device detached while the others go on."""
    ports = [f"net_null{i}" for i in range(3)]
    options = ["--hot-plug", "--port-topology=loop", "--stats-period=0.1"]
    started = start_with_removal(ports, ["net_null1"], *options)
    run_on_after_removal(started)
    started.wait_for("port 1 (net_null1): closed, its device is detached")
    started.signal(signal.SIGINT)
    done = started.finish()
    assert done.status == 0, done.text
    assert [port["gone"] for port in done.json["ports"]] == [False, True, False]
    packets = [port["rx_queues"][0]["packets"] for port in done.json["ports"]]
    assert 0 < 2 * packets[1] < min(packets[0], packets[2])
    assert done.json["mbufs_missing"] == done.json["mbufs_missing_closed"] == 0
    # Only the one.
    assert "detached" not in done.text.replace("port 1 (net_null1): closed, its device is detached", "")


def test_run_ends_when_no_port_is_left(start_with_removal):
    started = start_with_removal(["net_null0", "net_null1"], ["net_null0"])
    started.signal(signal.SIGUSR1)
    done = started.finish()
    assert done.status == 1
    assert "ended by: no port left" in done.out
    assert done.json["ended_by"] == "no port left"
    assert done.json["mbufs_missing"] == 0


def memif(tmp_path):
    socket = f"socket={tmp_path}/memif,socket-abstract=no,id=0"
    return [f"net_memif0,role=server,{socket}", f"net_memif1,role=client,{socket}"]


# Drivers that tell before they free: net_ring and net_vhost tell too late, net_memif refuses. The
# recorder aborts when its device goes while it is at work for a caller, which a slow one mostly is.
DEVICES = [
    ("null", ["net_null0", "net_null1"]),
    ("recorder", ["net_recorder0", "net_recorder1"]),
    ("slow recorder", ["net_recorder0,slow=1", "net_recorder1"]),
]


@pytest.mark.parametrize("mode", ["macswap", "verify"])
@pytest.mark.parametrize("vdevs", [d[1] for d in DEVICES], ids=[d[0] for d in DEVICES])
def test_a_polled_device_is_removed(start_with_removal, recorder, vdevs, mode):
    """With all its memory, by its driver; the other one goes on."""
    names = [vdev.partition(",")[0] for vdev in vdevs]
    started = start_with_removal(
        vdevs,
        ["+" + names[0]],
        f"--forward-mode={mode}",
        "--port-topology=loop",
        "--stats-period=0.1",
        *(["--tx-first"] if mode != "verify" else ["--rate=20k"]),
        eal=["-d", recorder],
    )
    time.sleep(0.2)
    started.signal(signal.SIGUSR1)
    started.wait_for(f"port 0 ({names[0]}): the device is gone, it is no longer polled")
    started.wait_for(f"remover: {names[0]} removed")
    time.sleep(0.3)
    started.signal(signal.SIGINT)
    done = started.finish()
    assert done.status == 0, done.text
    assert [port["gone"] for port in done.json["ports"]] == [True, False]
    assert "0 gone" in done.out and "gone: not to be asked" in done.out
    assert "ended by: signal" in done.out


def test_later_runs_leave_it_alone(start_with_removal):
    """Of three runs, the device goes away in the first one."""
    started = start_with_removal(
        [f"net_null{n}" for n in range(2)], ["+net_null0"], "--port-topology=loop",
        "--duration=0.4", "--repeat=3",
    )  # fmt: skip
    started.signal(signal.SIGUSR1)
    done = started.finish()
    assert done.status == 0
    first, second = (port["rx_queues"][0]["packets"] for port in done.json["ports"])
    assert (first, second > 0) == (0, True)
    assert done.json["runs"][2]["rx_pps"] > 0


class Prompt:
    """The program with the prompt on a pipe."""

    def __init__(self, arguments, environment):
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.timer = threading.Timer(TIMEOUT, self.process.kill)
        self.timer.start()

    def type(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def wait_for(self, words):
        return read_until(self.process, words)

    def remove(self, name):
        self.process.send_signal(signal.SIGUSR1)
        self.wait_for(f"remover: {name} removed")


@pytest.fixture
def prompt(command, remover):
    opened = []

    def go(name, *options, event_only=False):
        vdevs = ["net_null0", "net_null1"]
        arguments = command(vdevs, "-i", SMALL, *options, eal=["-d", remover])
        what = name if event_only else "+" + name
        opened.append(Prompt(arguments, os.environ | {"VIO_TEST_REMOVE": what}))
        return opened[-1]

    yield go
    for one in opened:
        one.timer.cancel()
        one.process.kill()
        one.process.wait()


def test_the_prompt_goes_on_without_it(prompt):
    """Removed in mid-run: the next run leaves it out, close takes it off the list."""
    one = prompt("net_null1", "--port-topology=loop")
    one.type("start")
    one.wait_for("forwarding: mode")
    one.remove("net_null1")
    one.type("show port stats all", "set promisc all on", "show port info 1")
    one.wait_for("port 1 (net_null1): the device is gone")
    one.type("stop", "start", "stop", "port close 1", "start", "stop", "show config fwd")
    one.wait_for("port 1 (net_null1): closed")
    one.wait_for("forwarding: mode io, 1 port, 1 stream")
    one.type("quit")
    out, _ = one.process.communicate(timeout=TIMEOUT)
    assert one.process.returncode == 0
    assert "receive port 0 queue 0 -> transmit port 0 queue 0\n" in out
    assert "receive port 1" not in out.rpartition("mode io, 1 port,")[2]


def test_one_that_went_while_nothing_ran(prompt):
    """And the device that takes its number."""
    one = prompt("net_null1", "--port-topology=loop")
    one.type("start", "stop", "help nonsense")
    one.wait_for("help: found 'nonsense'")
    one.remove("net_null1")
    one.type("start")
    one.wait_for("port 1 (net_null1): the device is gone, it is no longer polled")
    one.type("stop", "port attach net_null7", "start", "port start 1", "start", "stop")
    one.wait_for("port 1 (net_null7): attached")
    one.wait_for("port 1 (net_null7) is stopped, forwarding needs all of them")
    one.wait_for("forwarding: mode io, 2 ports, 2 streams")
    one.type("port stop 1", "port detach 1", "start", "stop", "quit")
    one.wait_for("port 1: its device is detached")
    one.wait_for("forwarding: mode io, 1 port, 1 stream")
    one.process.communicate(timeout=TIMEOUT)
    assert one.process.returncode == 0


def test_hot_plug_at_the_prompt(prompt):
    """The next run goes on without it; its number is free for the next one."""
    one = prompt("net_null1", "--port-topology=loop", "--hot-plug", event_only=True)
    one.type("start")
    one.wait_for("forwarding: mode")
    one.process.send_signal(signal.SIGUSR1)
    one.wait_for("port 1 (net_null1): closed, its device is detached")
    one.type("stop", "start")
    one.wait_for("forwarding: mode")
    one.type("stop", "port attach net_null7", "port start 1", "start", "stop", "quit")
    one.wait_for("port 1 (net_null7): attached")
    one.wait_for("forwarding: mode io, 2 ports, 2 streams")
    one.process.communicate(timeout=TIMEOUT)
    assert one.process.returncode == 0


def test_detach_of_a_port_in_use_is_refused(prompt):
    one = prompt("net_null1")
    one.type("port detach 1")
    one.wait_for("port 1 (net_null1): is started, expected a stopped port")
    one.type("start", "port detach 1")
    one.wait_for("cannot be done while forwarding, which goes on")
    one.type("show port summary all", "quit")
    out, _ = one.process.communicate(timeout=TIMEOUT)
    assert one.process.returncode == 0
    assert "net_null1" in out.partition("port MAC")[2]


PEERS = [
    ("memif", lambda path: memif(path)),
    ("vhost", lambda path: [f"net_vhost0,iface={path}/sock",
                            f"net_virtio_user0,path={path}/sock"]),
]  # fmt: skip


@pytest.mark.parametrize("devices", [p[1] for p in PEERS], ids=[p[0] for p in PEERS])
def test_a_peer_that_dies_is_no_end(start, tmp_path, devices):
    """The port stays, its link goes down; verify says what was lost, and the run ends in order."""
    ours, theirs = devices(tmp_path)
    eal = ["--single-file-segments"]
    more = {"eal": eal, "memory": 64}
    verify = ["--forward-mode=verify", "--rate=20k", SMALL]
    peer_document = f"--json={tmp_path}/peer.json"
    this = start([ours], *verify, wait=False, **more)
    end = time.monotonic() + 10
    while not any((tmp_path / name).exists() for name in ("memif", "sock")):
        assert time.monotonic() < end
        time.sleep(0.02)
    peer = start([theirs], "--forward-mode=5tswap", SMALL, peer_document, wait=False, **more)
    this.wait_for("forwarding: mode")
    peer.wait_for("forwarding: mode")
    time.sleep(1)
    peer.process.kill()
    time.sleep(0.3)
    this.signal(signal.SIGINT)
    done = this.finish()
    assert done.status == 0, done.text
    assert done.json["ended_by"] == "signal"
    assert not done.json["ports"][0]["gone"]
    assert done.json["ports"][0]["link"]["status"] == "down"
    verify = done.json["verify"]["all"]
    assert verify["received"] > 1000
    assert verify["sent"] == verify["received"] + verify["lost"]
    assert verify["duplicated"] == verify["corrupted"] == 0
