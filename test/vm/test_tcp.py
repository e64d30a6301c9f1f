# SPDX-License-Identifier: BSD-3-Clause
"""TCP between two hosts whose frames cross the VM as segments left together.

The hosts leave segmentation and checksums to the wire; QEMU hands on what it got from a tap as one
packet of up to 64 KiB, which the application sends on for the other device to cut (LRO in, TSO
out). VIO_GRID=full runs every kind of ring, otherwise two.
"""

import json
import os
import shutil

import pytest
import rig
from viovm import dpdk, forwarder, traffic

pytestmark = pytest.mark.ours

PREFIX = "198.18.0"
PREFIX6 = "2001:db8"
SIZE = 12 << 20
SEGMENT = 1448
# DPDK's names of offloads are bits: IPV4_CKSUM, TCP_CKSUM, TCP_TSO, MULTI_SEGS.
TX_OFFLOADS = 0x2 | 0x8 | 0x20 | 0x8000
# 64 KiB take 33 mbufs, and rings without mergeable buffers hold whole packets.
POOL = "--total-num-mbufs=16384"
OFFLOADS_ON = ("tx", "on", "tso", "on", "gso", "on", "gro", "on")


SOCAT = shutil.which("socat") or "/usr/bin/socat"


@pytest.fixture(scope="module")
def pair(run_dir, build_dir, guest_files, ours):
    guest_files = [*guest_files, (SOCAT, None)]
    nic = "rx_queue_size=1024,speed=10000,duplex=full"
    with rig.rig(run_dir, build_dir, guest_files, ours, nic) as made:
        made.target = [made.lan.address(i, PREFIX) for i in range(2)][1]
        for i, host in enumerate(made.lan.hosts):
            # What QEMU reads from the tap is then as large as the host made it.
            host.run("ethtool", "-K", "eth0", *OFFLOADS_ON)
            other = made.lan.mac(1 - i)
            host.ip("neighbor", "add", f"{PREFIX}.{2 - i}", "lladdr", other, "dev", "eth0")
        yield made


def use_ipv6(pair):
    """Addresses of the other family, and congestion told by ECN; the target's."""
    for i, host in enumerate(pair.lan.hosts):
        host.set("ipv4/tcp_ecn", 1)  # of both families
        host.set("ipv6/conf/eth0/disable_ipv6", 0)
        host.ip("address", "add", f"{PREFIX6}::{i + 1}/64", "dev", "eth0", "nodad")
        other = pair.lan.mac(1 - i)
        host.ip("neighbor", "add", f"{PREFIX6}::{2 - i}", "lladdr", other, "dev", "eth0")
    return f"{PREFIX6}::2"


def big_on_average(packets, octets):
    """Whether nearly all of the stream's octets came in more than four segments at once."""
    return octets > SIZE and octets / packets > 4 * SEGMENT


def send(pair, run_dir, said, size=SIZE, target=None):
    sent = traffic.send_file(*pair.lan.hosts, target or pair.target, run_dir.path, size, 40)
    assert sent.size == size, said()
    assert sent.sent_sha256 == sent.received_sha256


def counters(app, port):
    """(rx packets, rx bytes, tx packets, tx bytes) of a port, by its driver."""
    words = app.command(f"show port stats {port}").replace(":", ": ").split()
    names = ("RX-packets:", "RX-bytes:", "TX-packets:", "TX-bytes:")
    return tuple(int(words[words.index(name) + 1]) for name in names)


# Without mergeable buffers, large packets come in chains of buffers. Vectors are there for who asks.
RINGS = {
    "packed-mergeable": "packed_vq=1,mrg_rxbuf=1,simd=avx2",
    "split-chains": "packed_vq=0,mrg_rxbuf=0",
    "packed-chains": "packed_vq=1,mrg_rxbuf=0",
    "split-mergeable": "packed_vq=0,mrg_rxbuf=1",
}
NAMES = list(RINGS)[: None if os.environ.get("VIO_GRID") == "full" else 2]


def options_of(pair):
    """testpmd's, to forward what is left together."""
    peers = [f"--eth-peer={i},{pair.lan.mac(i)}" for i in range(2)]
    options = ["--forward-mode=csum", *peers, f"--tx-offloads={TX_OFFLOADS:#x}", POOL]
    return " ".join([*options, "--enable-rx-cksum", "--enable-lro", "--rxd=1024"])


def begin(app):
    """The device checks, and cuts."""
    lines = ["stop", "port stop all"]
    for port in range(2):
        lines += [f"csum set {layer} hw {port}" for layer in ("ip", "tcp")]
        lines.append(f"tso set {SEGMENT} {port}")
    for line in [*lines, "port start all", "start"]:
        app.command(line)


@pytest.mark.parametrize("rings", NAMES)
def test_segments_stay_together(pair, run_dir, rings):
    with pair.app(dpdk.STOCK_APP, options_of(pair), RINGS[rings]) as app:
        begin(app)
        traffic.wait_reachable(pair.lan.hosts[0], pair.target, 20)
        app.command("clear port stats all")
        send(pair, run_dir, app.output)
        received, sent = counters(app, 0)[:2], counters(app, 1)[2:]
        app.finish()
    assert ("avx2 as asked for" in app.output()) == ("avx2" in RINGS[rings]), app.output()
    assert big_on_average(*received), received
    assert big_on_average(*sent), sent


def test_vio_testpmd(pair, run_dir):
    """Its options and commands for all this, and frames longer than a buffer."""
    peers = [f"--eth-peer={i},{pair.lan.mac(i)}" for i in range(2)]
    options = ["-i", "--forward-mode=csum", *peers, f"--tx-offloads={TX_OFFLOADS:#x}", POOL]
    options += ["--enable-rx-cksum", "--enable-lro", "--enable-scatter", "--max-pkt-len=9000"]
    options += ["--mbuf-size=1152", "--rxd=1024", f"--json={forwarder.REPORT}"]
    eal = dpdk.eal_options(pair.addresses("mrg_rxbuf=0"), True)
    job = pair.vm.start_job(f"exec {dpdk.GUEST_APP} {eal} -- {' '.join(options)}", stdin=True)
    try:
        cuts = "".join(f"tso set {SEGMENT} {port}\n" for port in range(2))
        job.write(f"port stop all\n{cuts}port start all\nstart\n")
        job.wait_output("forwarding: mode csum", 30)
        traffic.wait_reachable(pair.lan.hosts[0], pair.target, 20)
        send(pair, run_dir, job.output)
        job.write("quit\n")
        assert job.wait(20) == 0, job.output()
    finally:
        job.stop()
    report = json.loads(pair.vm.fetch(forwarder.REPORT))
    received, sent = (port["stats"] for port in report["ports"])
    assert big_on_average(received["ipackets"], received["ibytes"]), received
    assert big_on_average(sent["opackets"], sent["obytes"]), sent
    assert report["mbufs_missing"] == 0


def ask(vm, question):
    """What telemetry answers in the guest. It greets first, and never hangs up."""
    socket = "UNIX-CONNECT:/var/run/dpdk/rte/dpdk_telemetry.v2,type=5"
    job = vm.start_job(f"exec {SOCAT} - {socket}", stdin=True)
    try:
        greeting = len(job.wait_output("}", 10))
        job.write(question)
        said = job.wait_output("}}", 20, greeting)
    finally:
        job.stop()
    return json.loads(said[greeting:])[question.split(",")[0]]


def packet_size(pair, run_dir, app):
    """Octets of a received packet of a stream of TCP, on average."""
    app.command("clear port stats all")
    send(pair, run_dir, app.output, 2 << 20)
    packets, octets = counters(app, 0)[:2]
    return octets / packets


def test_lro_switched_while_it_runs(pair, run_dir):
    """CTRL_GUEST_OFFLOADS: QEMU's device cuts packets up again, also after a restart of the port."""
    with pair.app(dpdk.STOCK_APP, options_of(pair), telemetry=True) as app:
        begin(app)
        traffic.wait_reachable(pair.lan.hosts[0], pair.target, 20)
        assert packet_size(pair, run_dir, app) > 4 * SEGMENT
        assert ask(pair.vm, "/vio/lro,0,off") == {"lro": "off"}
        assert packet_size(pair, run_dir, app) <= 1514
        for line in "stop", "port stop 0", "port start 0", "start":
            app.command(line)
        traffic.wait_reachable(pair.lan.hosts[0], pair.target, 20)
        assert packet_size(pair, run_dir, app) <= 1514
        assert ask(pair.vm, "/vio/lro,0,on") == {"lro": "on"}
        assert ask(pair.vm, "/vio/lro,0") == {"lro": "on"}
        assert packet_size(pair, run_dir, app) > 4 * SEGMENT
        app.finish()


# Of what QEMU's device offers; others are used by name in other tests.
NEGOTIATED = {
    *("HOST_TSO4", "HOST_TSO6", "HOST_ECN", "GUEST_TSO4", "GUEST_TSO6", "GUEST_ECN"),
    *("SPEED_DUPLEX", "INDIRECT_DESC", "CTRL_RX_EXTRA"),
}


def test_over_ipv6(pair, run_dir):
    """TSO and LRO of the other family, in chains by indirect tables, and the speed that QEMU tells."""
    target = use_ipv6(pair)
    with pair.app(dpdk.STOCK_APP, options_of(pair), telemetry=True) as app:
        begin(app)
        assert set(ask(pair.vm, "/vio/port,0")["features"]) >= NEGOTIATED
        info = app.command("show port info 0")
        assert "Link speed: 10 Gbps" in info and "full-duplex" in info, info
        traffic.wait_reachable(pair.lan.hosts[0], target, 20)
        app.command("clear port stats all")
        send(pair, run_dir, app.output, target=target)
        received, sent = counters(app, 0)[:2], counters(app, 1)[2:]
        app.finish()
    assert big_on_average(*received), received
    assert big_on_average(*sent), sent
