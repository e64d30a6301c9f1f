#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that unmodified applications which users have run with the driver as they do with DPDK's
own: Open vSwitch forwards between two of its ports, and DPDK's own measurement of a driver ends with
a result.
"""

import re
import signal
import subprocess

import pytest

import frames
import pcapfile
import switch
import target
import traffic
from testpmd import Testpmd

pytestmark = pytest.mark.ours


def port(lab, number, name, size=1024):
    """The devargs of one of several ports, each with a socket of its own."""
    lab.socket = lab.file(name)
    return lab.vio(number, mac=f"02:00:00:00:00:0{number + 1}", queue_size=size)


@pytest.mark.parametrize("ring", [0, 1], ids=["split", "packed"])
def test_open_vswitch(lab, ring):
    """Frames go from one vhost-user device through a bridge to another, whole and in order."""
    sent = frames.make(3000)
    # Open vSwitch drops what finds no room: all that its first port holds must fit into the second,
    # in case the device does not get the CPU for a while.
    sizes = 256, 1024
    ports = [port(lab, n, f"vhost{n}.sock", sizes[n]) + f",packed_vq={ring}" for n in range(2)]
    lab.socket = lab.file("vhost0.sock")
    device = lab.device(
        f"net_vhost1,iface={lab.file('vhost1.sock')},queues=1",
        f"net_pcap0,rx_pcap={lab.pcap('in.pcap', sent)},tx_pcap={lab.file('out.pcap')}",
        app=["--port-topology=chained"],
    )
    device.cmd("set portlist 2,0,1")
    with switch.Switch(lab.folder, target.plugin(), lab.cpu["driver"]) as ovs:
        for number, devargs in enumerate(ports):
            ovs.add_port(f"vio{number}", devargs)
            assert "net_vio_user" in ovs.status(f"vio{number}")
        ovs.flows("in_port=vio0,actions=output:vio1")
        for number in range(2):
            device.await_link(True, number)
        traffic.lossless(device, burst=8)
        device.cmd("start")
        device.await_frames(2, "TX-packets", len(sent))
        device.cmd("stop")
        assert ovs.packets("vio0") == (len(sent), 0)
        assert ovs.packets("vio1") == (0, len(sent))
        for number in range(2):
            ovs.vsctl("del-port", "br0", f"vio{number}")
    device.quit()
    traffic.assert_equal(sent, pcapfile.read(lab.file("out.pcap")))


def test_pmd_perf_autotest(lab):
    """dpdk-test sends bursts, takes back what a device returns, and says how many cycles it took."""
    device = lab.device(app=["--port-topology=loop", "--rxd=1024", "--txd=1024"])
    device.cmd("set fwd io")
    device.cmd("start")
    # It goes on for two seconds at the speed of the link, as a number of packets.
    argv = lab.argv("driver", [lab.vio(queue_size=1024, speed=100)])
    eal = argv[1 : argv.index("--")]
    environment = {**lab.environment("driver"), "DPDK_TEST": "pmd_perf_autotest"}
    done = subprocess.run(
        ["dpdk-test", *eal], env=environment, capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL,
    )
    out = done.stdout + done.stderr
    assert done.returncode == 0, out[-4000:]
    result = re.search(r"Result: (\d+) cycles per packet", out)
    assert result and int(result[1]) > 0, out[-4000:]
    assert device.stats(0)["RX-packets"] > 1000
    device.quit()


def test_example_forward(lab):
    """The example forward sends from one of its two ports to the other, both ways."""
    # Fewer than its rings hold, as it drops what finds no room.
    sent = [frames.make(200, stream=n) for n in range(2)]
    ports = [port(lab, n, f"vhost{n}.sock") for n in range(2)]
    lab.socket = lab.file("vhost0.sock")
    pcaps = [
        f"net_pcap{n},rx_pcap={lab.pcap(f'in{n}.pcap', sent[n])},tx_pcap={lab.file(f'out{n}.pcap')}"
        for n in range(2)
    ]
    device = lab.device(f"net_vhost1,iface={lab.file('vhost1.sock')},queues=1", *pcaps)
    device.cmd("set portlist 0,2,1,3")
    argv = lab.argv("driver", ports)
    program = target.example("forward")
    example = Testpmd("forward", [program, *argv[1 : argv.index("--")]], lab.environment("driver"))
    lab.processes.append(example)
    example.await_line("forwarding")
    for number in range(2):
        device.await_link(True, number)
    traffic.lossless(device, burst=8)
    device.cmd("start")
    for number in range(2):
        device.await_frames(2 + number, "TX-packets", len(sent[1 - number]))
    device.cmd("stop")
    example.process.send_signal(signal.SIGINT)
    assert example.wait() == 0, example.tail()
    example.check_sanitizers()
    assert f"forward: {2 * len(sent[0])} packets" in example.log
    device.quit()
    for number in range(2):
        traffic.assert_equal(sent[1 - number], pcapfile.read(lab.file(f"out{number}.pcap")))
