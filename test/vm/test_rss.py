# SPDX-License-Identifier: BSD-3-Clause
"""Four queue pairs: each frame comes to the queue, and with the hash, that Toeplitz says."""

import re

import flows
import pytest
import receiver as rx
from toeplitz import KEY, of_flow, toeplitz

pytestmark = pytest.mark.ours

OWN = "52:54:00:12:34:00"
QUEUES = 4
TABLE = 128
OTHER_KEY = bytes((37 * i + 11) % 256 for i in range(40))
FIRST_QUEUE = 0  # of what has no hash


def test_hash_is_the_one_that_was_defined():
    assert toeplitz(KEY, bytes(12)) == 0
    assert of_flow(KEY, "66.9.149.187", "161.142.100.80", (2794, 1766)) == 0x51CCC178
    assert of_flow(KEY, "66.9.149.187", "161.142.100.80") == 0x323E8FC2
    six = "3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1"
    assert of_flow(KEY, *six, (2794, 1766)) == 0x40207D3D


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files):
    nic = "rss=on,hash=on,rx_queue_size=256"
    with rx.machine(run_dir, build_dir, guest_files, nic, QUEUES) as made:
        yield made


RSS_HASH = "0x80000"  # RTE_ETH_RX_OFFLOAD_RSS_HASH
OPTIONS = f"--rxq={QUEUES} --txq={QUEUES} --rxd=128 --rx-offloads={RSS_HASH}"


@pytest.fixture(scope="module")
def port(vm):
    with rx.receiver(vm, True, f"{OPTIONS} --rss-udp") as made:
        yield made


class Expected:
    """What was asked for: hash types by (IP version, protocol), key, table."""

    def __init__(self):
        self.key, self.table = KEY, [i % QUEUES for i in range(TABLE)]
        self.with_ports = {(4, flows.UDP), (6, flows.UDP)}
        self.plain = {4, 6}  # IP versions hashed without ports

    def hash(self, flow):
        if flow.has_ports and (flow.version, flow.protocol) in self.with_ports:
            return of_flow(self.key, flow.source, flow.to, flow.ports)
        if flow.version in self.plain:
            return of_flow(self.key, flow.source, flow.to)
        return None

    def queue(self, flow):
        value = self.hash(flow)
        return FIRST_QUEUE if value is None else self.table[value % TABLE]

    def check(self, port, count=4):
        by_source = {port.source(): flow for flow in flows.some(count)}
        seen = port.send_all({one: flow.frame(OWN, one) for one, flow in by_source.items()})
        wrong = [
            (flow, seen[one].queue, self.queue(flow), seen[one].hash, self.hash(flow))
            for one, flow in by_source.items()
            if (seen[one].queue, seen[one].hash) != (self.queue(flow), self.hash(flow))
        ]
        assert not wrong
        return {seen[one].queue for one in by_source}


def set_types(port, types):
    said = port.command(f"port config all rss {types}")
    assert "error" not in said.lower(), said


def set_key(port, key, kind="ipv4-udp"):
    port.command(f"port config 0 rss-hash-key {kind} {key.hex()}")


def test_every_queue_by_its_hash(port):
    """Types as asked for by --rss-udp: UDP by ports, else by addresses."""
    expected = Expected()
    expected.with_ports = {(4, flows.UDP), (6, flows.UDP)}
    expected.plain = set()
    assert expected.check(port, 8) == set(range(QUEUES))


def test_types_change_while_polling(port):
    expected = Expected()
    set_types(port, "all")
    expected.with_ports |= {(4, flows.TCP), (6, flows.TCP)}
    assert expected.check(port, 8) == set(range(QUEUES))
    said = port.command("show port 0 rss-hash key")
    assert KEY.hex().upper() in said.upper(), said
    set_types(port, "ip")
    expected.with_ports = set()
    expected.check(port)
    set_types(port, "tcp")
    expected.with_ports, expected.plain = {(4, flows.TCP), (6, flows.TCP)}, set()
    expected.check(port)


def test_key_and_table_change_while_polling(port):
    expected = Expected()
    set_types(port, "all")
    expected.with_ports |= {(4, flows.TCP), (6, flows.TCP)}
    port.command(f"port config 0 rss-hash-key ipv4-udp {OTHER_KEY.hex()}")
    set_types(port, "all")
    expected.key = OTHER_KEY
    expected.check(port)
    said = port.command("show port 0 rss-hash key")
    assert OTHER_KEY.hex().upper() in said.upper(), said
    changes = {0: 3, 1: 3, 63: 2, 64: 0, 127: 1, **dict.fromkeys(range(70, 100), 2)}
    for chunk in range(0, len(changes), 8):  # as many as testpmd's prompt takes
        words = list(changes.items())[chunk : chunk + 8]
        said = port.command("port config 0 rss reta " + ",".join(f"({i},{q})" for i, q in words))
        assert "Bad" not in said, said
    for at, queue in changes.items():
        expected.table[at] = queue
    expected.check(port, 10)
    said = port.command(f"show port 0 rss reta {TABLE} (0xffffffffffffffff,0xffffffffffffffff)")
    told = re.findall(r"hash index=(\d+), queue=(\d+)", said)
    assert [int(queue) for _, queue in told] == expected.table
    # All of it survives a new life of the device.
    for command in ("stop", "port stop 0", "port start 0", "start"):
        port.command(command)
    expected.check(port)


def test_refused(port):
    """What is not valid changes nothing."""
    before = port.command("show port 0 rss-hash key")
    port.command("port config 0 rss-hash-key ipv4-udp abcd")
    port.command(f"port config 0 rss reta (0,{QUEUES})")
    port.command(f"port config 0 rss reta ({TABLE},0)")
    assert port.command("show port 0 rss-hash key") == before


def test_fewer_receive_queues(vm, port):
    """The table names only queues that the application has; the device may use all pairs to send."""
    for command in ("stop", "port stop 0", "port config all rxq 2", "port start 0", "start"):
        port.command(command)
    expected = Expected()
    expected.key = OTHER_KEY
    set_types(port, "all")
    expected.with_ports |= {(4, flows.TCP), (6, flows.TCP)}
    expected.table = [i % 2 for i in range(TABLE)]
    assert expected.check(port) == {0, 1}
