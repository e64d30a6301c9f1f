#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves what the driver tells of itself through stock testpmd: port information, counters, queue
and path information, descriptor states, link, MTU, promiscuous mode and the MAC address; and that
its file has the PCI ids by which dpdk-devbind.py and others know what it drives.
"""

import json
import re
import subprocess

import pytest

import frames
import pcapfile
import target
import traffic
from conftest import DRIVER_MAC
from test_loop import RINGS, devargs

LOOP = ["--port-topology=loop"]


@pytest.fixture
def ends(lab):
    """Both ends, linked, with a control queue and nothing sent."""
    device = lab.device()
    driver = lab.driver(app=LOOP, cq=1)
    driver.await_link(True)
    yield device, driver
    driver.quit()
    device.quit()


def test_port_info(ends):
    """Who it is, its address, its link and its true limits."""
    info = ends[1].info(0)
    assert f"MAC address: {DRIVER_MAC.upper()}" in info
    assert f"Driver name: {target.driver()}" in info
    assert f"Device name: {target.driver()}0" in info
    assert "MTU: 1500" in info
    assert "Link status: up" in info
    assert "full-duplex" in info
    assert "Max possible RX queues: 1" in info
    assert "Max possible TX queues: 1" in info


@pytest.mark.ours
def test_port_limits(ends):
    """The limits shown are those that hold: a ring of the most descriptors starts, one with more
    is refused; and jumbo frames are among the lengths."""
    driver = ends[1]
    info = driver.info(0)
    longest = int(re.search(r"Maximum configurable length of RX packet: (\d+)", info).group(1))
    assert 9014 <= longest <= 65562
    for kind in "rx", "tx":
        pattern = rf"Max possible number of {kind.upper()}Ds per queue: (\d+)\n"
        most = int(re.search(pattern, info).group(1))
        assert 256 <= most <= 32768
        beyond = min(2 * most, 65535)
        driver.cmd("port stop 0")
        assert "Fail: " in driver.cmd(f"port config all {kind}d {beyond}")
        driver.cmd(f"port config all {kind}d {most}")
        assert "Fail" not in driver.cmd("port start 0")
        driver.await_link(True)


def test_random_mac(lab):
    """Without mac= the driver takes a unicast address of its own, and a new one each time."""
    device = lab.device()
    seen = set()
    for _ in range(2):
        driver = lab.driver(mac=None)
        mac = re.search(r"MAC address: ([0-9A-F:]{17})", driver.info(0)).group(1)
        assert int(mac[:2], 16) & 1 == 0
        assert int(mac.replace(":", ""), 16) != 0
        seen.add(mac)
        driver.quit()
    assert len(seen) == 2
    device.quit()


@pytest.mark.ours
def test_speed(lab):
    """speed= is what the link shows."""
    device = lab.device()
    driver = lab.driver(speed=25000)
    driver.await_link(True)
    assert "Link speed: 25 Gbps" in driver.info(0)
    driver.quit()
    device.quit()


@pytest.mark.parametrize("ring", RINGS)
def test_counters(lab, ring):
    """Counters and extended counters agree with each other and with what was sent, by queue, and
    can be cleared."""
    sent = [frames.make(1000, stream=queue) for queue in range(2)]
    total, octets = 2000, sum(len(frame) for queue in sent for frame in queue)
    files = [f"rx_pcap={lab.pcap(f'in{q}.pcap', sent[q])}" for q in range(2)]
    files += [f"tx_pcap={lab.file(f'out{q}.pcap')}" for q in range(2)]
    device = lab.device("net_pcap0," + ",".join(files), queues=2)
    driver = lab.driver(app=LOOP, queues=2, cq=1, **devargs(ring, 1, 0))
    driver.await_link(True)
    device.await_link(True)
    for process in driver, device:
        traffic.lossless(process, burst=16)
        process.cmd("start")
    device.await_frames(1, "TX-packets", total)
    driver.cmd("stop")

    traffic.assert_counted(driver, total, octets)
    xstats = driver.xstats(0)
    for way in "rx", "tx":
        assert xstats[f"{way}_good_packets"] == total
        assert xstats[f"{way}_good_bytes"] == octets
        for queue in range(2):
            names = [n for n in xstats if re.fullmatch(rf"{way}_q{queue}_(good_)?packets", n)]
            assert names, f"no counter of packets of {way} queue {queue} in {sorted(xstats)}"
            assert all(xstats[name] == 1000 for name in names)

    driver.cmd("clear port stats 0")
    traffic.assert_counted(driver, 0, 0)
    driver.cmd("clear port xstats 0")
    left = {name: value for name, value in driver.xstats(0).items() if "packets" in name and value}
    assert not left
    traffic.finish(device, driver)


@pytest.mark.ours
@pytest.mark.parametrize("mrg", (0, 1))
@pytest.mark.parametrize("ring", RINGS)
def test_queue_info(lab, ring, mrg):
    """Ring sizes, and the path that runs: its name, the ring, and why no better one."""
    device = lab.device()
    driver = lab.driver(app=[*LOOP, "--rxd=128", "--txd=64"], **devargs(ring, mrg, 1))
    driver.await_link(True)
    rx, tx = driver.cmd("show rxq info 0 0"), driver.cmd("show txq info 0 0")
    assert "Number of RXDs: 128" in rx
    assert "Number of TXDs: 64" in tx
    assert "Mempool: mb_pool_0" in rx
    for text in rx, tx:
        mode = re.search(r"Burst mode: (.+)", text).group(1)
        assert "vio " in mode and ring in mode
    assert ("mergeable" in rx) == bool(mrg) or "MRG_RXBUF" in rx
    assert "Failed to retrieve information" in driver.cmd("show rxq info 0 1")
    driver.quit()
    device.quit()


@pytest.mark.ours
@pytest.mark.parametrize("ring", RINGS)
def test_descriptor_status(lab, ring):
    """A receive descriptor is available until a frame is in it and then done; a used count is the
    number of frames that wait; an unused transmit descriptor is done."""
    waiting = frames.make(5)
    device = lab.device(f"net_pcap0,rx_pcap={lab.pcap('in.pcap', waiting)}")
    driver = lab.driver(app=LOOP, **devargs(ring, 1, 0))
    driver.await_link(True)
    device.await_link(True)
    assert "Desc status = AVAILABLE" in driver.cmd("show port 0 rxq 0 desc 0 status")
    assert "Used desc count = 0" in driver.cmd("show port 0 rxq 0 desc used count")
    device.cmd("start")
    device.await_frames(0, "TX-packets", len(waiting))
    for number in range(len(waiting)):
        assert "Desc status = DONE" in driver.cmd(f"show port 0 rxq 0 desc {number} status")
    assert "AVAILABLE" in driver.cmd(f"show port 0 rxq 0 desc {len(waiting)} status")
    assert f"Used desc count = {len(waiting)}\n" in driver.cmd("show port 0 rxq 0 desc used count")
    assert "Desc status = DONE" in driver.cmd("show port 0 txq 0 desc 0 status")
    traffic.finish(device, driver)


def test_mtu(ends):
    """The MTU can be set within the limits and is shown; beyond them it stays."""
    driver = ends[1]
    driver.cmd("port stop 0")
    driver.cmd("port config mtu 0 1400")
    assert "MTU: 1400" in driver.info(0)
    driver.cmd("port config mtu 0 20")
    assert "MTU: 1400" in driver.info(0)
    driver.cmd("port config mtu 0 65535")
    assert "MTU: 1400" in driver.info(0)
    driver.cmd("port start 0")
    assert "Link status: up" in driver.info(0)


@pytest.mark.parametrize("word,shown", (("promisc", "Promiscuous"), ("allmulti", "Allmulticast")))
def test_modes(ends, word, shown):
    """Promiscuous and all-multicast mode: shown as set or, where the device has no such control,
    refused and shown as before. vhost-user devices pass every frame either way."""
    driver = ends[1]
    for state, text in (("on", "enabled"), ("off", "disabled"), ("on", "enabled")):
        before = re.search(rf"{shown} mode: (\w+)", driver.info(0)).group(1)
        out = driver.cmd(f"set {word} 0 {state}")
        after = re.search(rf"{shown} mode: (\w+)", driver.info(0)).group(1)
        assert after == text or (after == before and "not supported" in out.lower())


def test_link_follows_the_device(lab):
    """The link is down once the device is gone, and the process says so by itself."""
    device = lab.device()
    driver = lab.driver(app=LOOP)
    driver.await_link(True)
    device.quit()
    driver.await_link(False)
    driver.await_line(r"Port 0: link state change event", 5)
    driver.cmd("port stop 0")
    driver.quit()


def test_frames_survive_commands(lab):
    """Asking for everything while frames move changes none of them."""
    sent = frames.make(6000)
    device = lab.device(
        f"net_pcap0,rx_pcap={lab.pcap('in.pcap', sent)},tx_pcap={lab.file('out.pcap')}"
    )
    driver = lab.driver(app=LOOP)
    driver.await_link(True)
    device.await_link(True)
    for process in driver, device:
        traffic.lossless(process, burst=4)
        process.cmd("start")
    for command in ("info 0", "stats 0", "xstats 0", "summary 0"):
        driver.cmd(f"show port {command}")
    driver.cmd("show rxq info 0 0")
    driver.cmd("show port 0 rxq 0 desc 0 status")
    driver.cmd("set allmulti 0 on")
    device.await_frames(1, "TX-packets", len(sent))
    traffic.finish(device, driver)
    traffic.assert_equal(sent, pcapfile.read(lab.file("out.pcap")))


@pytest.mark.ours
def test_pmdinfo():
    """dpdk-pmdinfo.py finds the modern and the transitional network device."""
    run = subprocess.run(
        ["/usr/bin/python3", "/usr/bin/dpdk-pmdinfo.py", target.plugin()],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    drivers = {driver["name"]: driver for driver in json.loads(run.stdout)}
    ids = {(i["vendor"], i["device"]) for i in drivers["net_vio"]["pci_ids"]}
    assert ids == {("1af4", "1041"), ("1af4", "1000")}
    assert "vfio-pci" in drivers["net_vio"]["kmod"]
    for devarg in "mrg_rxbuf", "in_order", "packed_vq", "speed", "simd":
        assert f"{devarg}=" in drivers["net_vio"]["params"]


@pytest.mark.ours
@pytest.mark.parametrize(
    "descriptors,asked,shown",
    [(32, None, 16), (64, None, 32), (256, None, 64), (4096, None, 256), (256, 32, 32)],
)
def test_refill_threshold(lab, descriptors, asked, shown):
    """By the ring's size, unless the application says; never more than half the ring."""
    lab.device()
    app = [*LOOP, f"--rxd={descriptors}", f"--txd={descriptors}"]
    app += [f"--rxfreet={asked}"] if asked else []
    driver = lab.driver(app=app, queue_size=descriptors)
    said = driver.cmd("show rxq info 0 0")
    assert re.search(rf"RX free threshold: {shown}\n", said), said
    driver.quit()
