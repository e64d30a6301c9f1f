#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that what a user can get wrong has a clear answer: one line that names the port, what was
found and what is expected; no port is made, the process lives on and ends cleanly, and repeating
it leaves no file, mapping, thread or memory behind.
"""

import os
import re
import socket

import pytest

import backend
import frames
import target
import traffic
from test_lifecycle import finite, verify_traffic

NAME = f"{target.driver()}0"

# Each: devargs beside a path at which a device listens, and the words that the line must have.
DEVARGS = {
    "unknown": ({"frobnicate": 1}, ["frobnicate", "unknown", *target.DEVARGS.split()]),
    "queues-no-number": ({"queues": "abc"}, ["queues=abc", "number"]),
    "queues-0": ({"queues": 0}, ["queues=0"]),
    "queues-200": ({"queues": 200}, ["queues=200", "128"]),
    "queues-trailing": ({"queues": "1x"}, ["queues=1x"]),
    "mrg-2": ({"mrg_rxbuf": 2}, ["mrg_rxbuf=2", "0 or 1"]),
    "packed-yes": ({"packed_vq": "yes"}, ["packed_vq=yes", "0 or 1"]),
    "in-order-negative": ({"in_order": -1}, ["in_order=-1", "0 or 1"]),
    "server-empty": ({"server": ""}, ["server=", "0 or 1"]),
    "cq-2": ({"cq": 2}, ["cq=2", "0 or 1"]),
    "mac-malformed": ({"mac": "02:00:zz"}, ["mac=02:00:zz"]),
    "mac-multicast": ({"mac": "01:00:5e:00:00:01"}, ["mac=01:00:5e:00:00:01", "unicast"]),
    "speed-word": ({"speed": "fast"}, ["speed=fast", "Mbit/s"]),
    "simd-word": ({"simd": "neon9"}, ["simd=neon9", "scalar"]),
    "vectorized-2": ({"vectorized": 2}, ["vectorized=2", "0 or 1"]),
    "queue-size-0": ({"queue_size": 0}, ["queue_size=0"]),
    "queue-size-40000": ({"queue_size": 40000, "packed_vq": 1}, ["queue_size=40000", "32768"]),
    "queue-size-no-power-of-two": ({"queue_size": 7}, ["queue_size=7", "power of two"]),
    "no-path": ({"path": None}, ["path"]),
}


def ports(process):
    """How many ports there are."""
    return int(re.search(r"available ports: (\d+)", process.cmd("show port summary all")).group(1))


def complaint(lab, text, words):
    """The one line about the port, or about the path that is its address, with all the words."""
    subjects = (f"vio: {NAME}: ", f"vio: {lab.socket}: ")
    # What the driver says by itself stands behind the prompt.
    said = [line.removeprefix("testpmd> ") for line in text.splitlines()]
    lines = [line for line in said if line.startswith(subjects)]
    found = [line for line in lines if all(word in line for word in words)]
    assert len(found) == 1, f"no one line of {subjects} with {words} in:\n{text}"
    return found[0]


def assert_refused(lab, process, vdev, words, times=4):
    """Attach and start the vdev several times: the same words each time, no port remains, and no
    more resources are taken."""
    seen = []
    line = f"vio: ({NAME}|{re.escape(lab.socket)}): "
    line += "".join(f"(?=.*{re.escape(word)})" for word in words)
    for _ in range(times):
        start = len(process.log)
        process.cmd(f"port attach {vdev}", seconds=40)
        if ports(process):
            process.cmd("port start 0", seconds=40)
            # A device that owes no answer may hang up only then.
            process.await_line(line, start=start)
            process.cmd("port stop 0")
        out = process.log[start:]
        if ports(process):
            process.cmd("port close 0")
            process.cmd(f"device detach {NAME}")
        complaint(lab, out, words)
        assert ports(process) == 0
        seen.append(process.resources())
    # The first may leave what is kept for the life of the process, such as the log's stream.
    assert seen[1:] == seen[:1] * (times - 1)


@pytest.fixture
def empty(lab):
    """A driver side without a port."""
    process = lab.start("driver", [])
    assert ports(process) == 0
    return process


@pytest.mark.ours
@pytest.mark.parametrize("devargs,words", DEVARGS.values(), ids=DEVARGS)
def test_devargs(lab, empty, devargs, words):
    """A wrong devarg; a device would be there."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(lab.socket)
        listener.listen()
        assert_refused(lab, empty, lab.vio(**devargs), words)
    empty.quit()


@pytest.mark.ours
def test_path_too_long(lab):
    """108 bytes do not fit a socket's address; given on the command line, as testpmd's prompt has
    no room for it. The process has no port and goes on."""
    lab.socket = lab.folder + "/" + "s" * (108 - len(lab.folder) - 1)
    process = lab.start("driver", [lab.vio()])
    complaint(lab, process.log, ["path", "108", "107"])
    assert ports(process) == 0
    process.quit()


@pytest.mark.ours
def test_longest_path(lab):
    """107 bytes do."""
    lab.socket = lab.folder + "/" + "s" * (107 - len(lab.folder) - 1)
    device = lab.device()
    driver = lab.driver()
    driver.await_link(True)
    driver.quit()
    device.quit()


@pytest.mark.ours
def test_no_server(lab, empty):
    """Nothing at the path."""
    assert_refused(lab, empty, lab.vio(), ["No such file", "server=1"])
    empty.quit()


@pytest.mark.ours
def test_path_of_a_plain_file(lab, empty):
    """What is at the path is no socket."""
    with open(lab.socket, "w", encoding="ascii"):
        pass
    assert_refused(lab, empty, lab.vio(), ["no socket"])
    empty.quit()


@pytest.mark.ours
def test_socket_without_server(lab, empty):
    """A socket that a dead process left behind."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(lab.socket)
    assert os.path.exists(lab.socket)
    assert_refused(lab, empty, lab.vio(), ["refused", "server=1"])
    empty.quit()


@pytest.mark.ours
def test_server_path_taken(lab, empty):
    """server=1 where another process listens: that socket must stay as it is."""
    device = lab.device()
    assert_refused(lab, empty, lab.vio(server=1), ["another process"])
    driver = lab.driver()
    driver.await_link(True)
    for process in empty, driver, device:
        process.quit()


# Each: arguments of Backend, devargs, and the words that the line must have.
DEVICES = {
    "legacy": (
        {"answers": {backend.GET_FEATURES: backend.u64(backend.F_PROTOCOL_FEATURES)}},
        {},
        ["VERSION_1", "modern interface"],
    ),
    "features-refused": ({"refuses": backend.STATUS_FEATURES_OK}, {}, ["FEATURES_OK"]),
    "fewer-queues": ({}, {"queues": 4, "cq": 1}, ["4", "2"]),
    "hangs-up": ({"raw": {backend.GET_FEATURES: None}}, {}, ["closed", "GET_FEATURES"]),
    "hangs-up-later": ({"raw": {backend.SET_STATUS: None}}, {}, ["closed"]),
    "hangs-up-unasked": (
        {
            "answers": {backend.GET_PROTOCOL_FEATURES: backend.u64(0)},
            "raw": {backend.SET_FEATURES: None},
        },
        {},
        ["closed"],
    ),
    "short-answer": ({"answers": {backend.GET_FEATURES: b"1234"}}, {}, ["GET_FEATURES"]),
    "long-answer": ({"answers": {backend.GET_FEATURES: bytes(4096)}}, {}, ["GET_FEATURES"]),
    "endless-answer": (
        {"raw": {backend.GET_FEATURES: backend.message(1, bytes(8), 0xFFFFFFFF)}},
        {},
        ["GET_FEATURES"],
    ),
    "other-answer": (
        {"raw": {backend.GET_FEATURES: backend.message(backend.GET_STATUS, bytes(8))}},
        {},
        ["GET_FEATURES"],
    ),
}


@pytest.mark.ours
@pytest.mark.parametrize("device,devargs,words", DEVICES.values(), ids=DEVICES)
def test_device(lab, empty, device, devargs, words):
    """A device that the driver cannot use, or that breaks the protocol."""
    with backend.Backend(lab.socket, **device):
        assert_refused(lab, empty, lab.vio(**devargs), words)
    empty.quit()


@pytest.mark.ours
def test_device_that_is_usable(lab, empty):
    """The stand-in device of the tests above is not at fault: with right answers it is taken."""
    with backend.Backend(lab.socket):
        empty.cmd(f"port attach {lab.vio()}")
        assert ports(empty) == 1
        assert "Driver name: net_vio_user" in empty.info(0)
        empty.cmd("port close 0")
        empty.quit()


@pytest.mark.ours
def test_silent_device(lab, empty):
    """A server that never answers: the wait has a bound."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(lab.socket)
        listener.listen()
        assert_refused(lab, empty, lab.vio(), ["GET_FEATURES", "answer"], times=1)
    empty.quit()


@pytest.mark.ours
def test_mbufs_too_small(lab):
    """Buffers of 512 bytes cannot take a frame alone: says which size would do. The port stays
    stopped, can be closed, and has kept no mbuf."""
    device = lab.device()
    driver = lab.start("driver", [], mbuf_size=512)
    driver.cmd(f"port attach {lab.vio(mrg_rxbuf=0)}")
    assert ports(driver) == 1
    seen = []
    for _ in range(3):
        complaint(lab, driver.cmd("port start 0"), ["512", "mb_pool_0"])
        assert driver.mbufs_out() == 0
        seen.append(driver.resources())
    assert seen[1:] == seen[:1] * 2
    driver.cmd("port close 0")
    assert ports(driver) == 0
    driver.quit()
    device.quit()


@pytest.mark.ours
def test_mbufs_just_large_enough(lab):
    """The size that the message names is true: one byte less is refused too, and a pool of that
    size carries the longest frames."""
    sent = frames.make(1000, (1500, 1514))
    device = lab.device(finite(lab, 1, sent))

    driver = lab.driver(mrg_rxbuf=0, start={"mbuf_size": 512})
    line = complaint(lab, driver.log, ["512"])
    size = int(re.search(r"at least (\d+)", line).group(1))
    driver.quit()

    driver = lab.driver(mrg_rxbuf=0, start={"mbuf_size": size - 1})
    complaint(lab, driver.log, [str(size - 1), str(size)])
    driver.quit()

    driver = lab.driver(app=["--port-topology=loop"], mrg_rxbuf=0, start={"mbuf_size": size})
    verify_traffic(lab, device, driver, 1, sent)
    traffic.finish(device, driver)
