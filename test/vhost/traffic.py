#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Traffic between the two ends that loses nothing, and the checks at its end."""

import os
import time

import frames
import pcapfile
import target

# Feature bits by the devarg that declines them.
FEATURES = {"mrg_rxbuf": 15, "packed_vq": 34, "in_order": 35}

# While the peer is off the CPU a full ring is retried for this long, 10 us at a time.
RETRIES = 200000


def lossless(process, mode="io", burst=32):
    """Make a testpmd wait for room in full rings, in bursts of the given size."""
    process.cmd(f"set fwd {mode} retry")
    process.cmd(f"set burst tx delay 10 retry {RETRIES}")
    process.cmd(f"set burst {burst}")


def cpu_seconds(process):
    """Time that the process has had of a CPU, in seconds."""
    with open(f"/proc/{process.process.pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def await_polls(process, busy=0.1, seconds=20):
    """Wait until a process that polls has done so for a while, however little it gets of the CPU:
    then it has taken what its rings had for it."""
    enough = cpu_seconds(process) + busy
    deadline = time.monotonic() + seconds
    while cpu_seconds(process) < enough:
        assert process.alive() and time.monotonic() < deadline, f"{process.name}: does not poll"
        time.sleep(0.02)


def await_verbose(process, count, seconds=20):
    """Wait until a testpmd with set verbose 1 has printed so many received frames. Before that no
    command of it could find its answer between the lines."""
    deadline = time.monotonic() + seconds
    while process.log.count("Receive queue=0x") < count:
        assert time.monotonic() < deadline, f"{process.name}: frames are missing\n{process.tail()}"
        time.sleep(0.05)


def safe_burst(queue_size, longest):
    """A burst for which frames that circle cannot block each other.

    Each end has one thread, which waits for room to send and does not receive meanwhile. Frames
    on their way are at most what the driver's receive ring holds and a burst at either end; as
    long as they fit what is left of both rings when the driver has yet to refill half of the one,
    somebody can always move.
    """
    descriptors = 2 + longest // 2000
    return max(1, min(32, queue_size // descriptors // 4))


def assert_equal(sent, received):
    """All frames came, whole and in order."""
    text = frames.difference(sent, received)
    assert text is None, text


def assert_negotiated(device, devargs):
    """The device saw the features that the devargs ask for, and no other of these."""
    features = device.negotiated()
    for name, bit in FEATURES.items():
        if name in devargs:
            assert features >> bit & 1 == devargs[name], f"{name}: features {features:#x}"


def assert_all_back(process):
    """No mbuf is away from its pool, and none came back twice, once the ports are stopped."""
    process.cmd("port stop all")
    if process.name != "driver" or not target.is_ours():
        process.cmd("port close all")  # DPDK's own drivers keep buffers until then
    out = process.mbufs_out()
    assert out == 0, f"{process.name}: {out} mbufs are not back in their pool after port stop"


def finish(*processes):
    """Stop forwarding and ports at both ends; no mbuf may be missing, and both leave cleanly."""
    for process in processes:
        process.cmd("stop")
    for process in reversed(processes):
        assert_all_back(process)
    for process in reversed(processes):
        process.quit()


def run_loop(lab, sent, burst, mode="io", app=(), **driver_arguments):
    """Send pcap files through the device to the driver and back; return what came, per queue.

    sent is one list of frames for each queue; driver_arguments are those of Lab.driver.
    """
    queues = len(sent)
    rx = [f"rx_pcap={lab.pcap(f'in{q}.pcap', sent[q])}" for q in range(queues)]
    tx = [f"tx_pcap={lab.file(f'out{q}.pcap')}" for q in range(queues)]
    device = lab.device(",".join(["net_pcap0", *rx, *tx]), queues=queues)
    app = ["--port-topology=loop", *app]
    driver = lab.driver(app=app, **{"queues": queues, **driver_arguments})
    driver.await_link(True)
    device.await_link(True)
    assert_negotiated(device, driver_arguments)
    lossless(driver, mode, burst)
    lossless(device, "io", burst)
    driver.cmd("start")
    device.cmd("start")

    total = sum(map(len, sent))
    device.await_frames(1, "TX-packets", total)
    driver.cmd("stop")
    device.cmd("stop")
    assert_counted(driver, total, sum(len(frame) for queue in sent for frame in queue))
    finish(device, driver)
    return [pcapfile.read(lab.file(f"out{q}.pcap")) for q in range(queues)]


def assert_counted(driver, packets, octets):
    """The driver's own counters say the same, each way."""
    stats = driver.stats(0)
    for way in "RX", "TX":
        assert stats[f"{way}-packets"] == packets
        assert stats[f"{way}-bytes"] == octets
        assert stats[f"{way}-errors"] == 0
    assert stats["RX-nombuf"] == 0
