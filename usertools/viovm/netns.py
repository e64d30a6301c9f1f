# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces: hosts with the kernel's own TCP/IP, and the wires to a VM's NICs."""

import contextlib
import ctypes
import json
import os
import pathlib
import socket

from . import proc
from .errors import VioError

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 0x0003


class Namespace:
    """A network namespace; `name` is unique on the machine."""

    def __init__(self, run_dir, role):
        self.name = f"vio-{run_dir.name}-{role}"
        proc.run(["ip", "netns", "add", self.name])
        self.ip("link", "set", "lo", "up")

    def delete(self):
        """Remove it and, with it, every interface in it."""
        proc.run(["ip", "netns", "delete", self.name])

    def command(self, *args):
        """The words that run a command inside."""
        return ["ip", "netns", "exec", self.name, *args]

    def run(self, *args, timeout=30):
        """Run a command inside to its end and return standard output."""
        return proc.run(self.command(proc.find(args[0]), *args[1:]), timeout)

    def ip(self, *args):
        """Run ip(8) on this namespace."""
        return proc.run(["ip", "-n", self.name, *args])

    @contextlib.contextmanager
    def entered(self):
        """Sockets made by this thread meanwhile belong to the namespace, and go on doing so."""
        with open("/proc/thread-self/ns/net", "rb") as own, open(
            f"/run/netns/{self.name}", "rb"
        ) as other:
            _enter(other)
            try:
                yield
            finally:
                _enter(own)

    def set(self, key, value):
        """A network setting below /proc/sys/net/."""
        with self.entered():
            pathlib.Path("/proc/sys/net", key).write_text(str(value))

    def counters(self, device):
        """The kernel's 64-bit counters of a device: {"rx": {...}, "tx": {...}}."""
        return json.loads(self.ip("-j", "-s", "link", "show", "dev", device))[0]["stats64"]

    def raw_socket(self, device, protocol=ETH_P_ALL):
        """A packet socket on a device: whole Ethernet frames in and out."""
        with self.entered():
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        raw.bind((device, protocol))
        return raw


def _enter(file):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise VioError(f"setns: {os.strerror(error)}", "Run as root.")


class Lan:
    """Hosts, each in a namespace of its own, each wired to a tap for one NIC of a VM.

    host number i: eth0 == veth == bridge br<i> -- tap<i>, all but eth0 in one namespace `wire`,
    where QEMU runs. So nothing shows up among the machine's own interfaces, and deleting the
    namespaces deletes everything. Without taps the wires end at veth<i>, for another program.
    """

    def __init__(self, run_dir, hosts=2, mtu=1500, queues=1, taps=True):
        self.mtu = mtu
        self._made = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            undo.callback(self._made.close)
            self.wire = self._namespace(run_dir, "wire")
            self.hosts = [self._namespace(run_dir, f"host{i}") for i in range(hosts)]
            for index, host in enumerate(self.hosts):
                self._connect(index, host)
                if taps:
                    self._bridge(index, queues)
            undo.pop_all()

    def _namespace(self, run_dir, role):
        namespace = Namespace(run_dir, role)
        self._made.callback(namespace.delete)
        # No router solicitations and the like among the frames that are counted.
        namespace.set("ipv6/conf/all/disable_ipv6", 1)
        namespace.set("ipv6/conf/default/disable_ipv6", 1)
        return namespace

    def veth(self, index):
        return f"veth{index}"

    def tap(self, index):
        return f"tap{index}"

    def mac(self, index):
        return f"02:00:c6:12:00:{index + 1:02x}"

    def _connect(self, index, host):
        veth = self.veth(index)
        self.wire.ip(
            *("link", "add", veth, "type", "veth"),
            *("peer", "name", "eth0", "netns", host.name),
        )
        self.wire.ip("link", "set", veth, "mtu", str(self.mtu), "up")
        host.ip("link", "set", "eth0", "mtu", str(self.mtu), "address", self.mac(index), "up")
        # A veth normally hands over unfinished checksums and segments of 64 KiB, for a device to
        # finish. The guest here passes frames on as they are, like a wire would, so the hosts
        # finish their frames themselves and the counters count what a real wire would carry.
        host.run("ethtool", "-K", "eth0", "tx", "off")

    def _bridge(self, index, queues):
        bridge, tap = f"br{index}", self.tap(index)
        # A bridge that only passes frames on: no spanning tree, no waiting, no group tracking.
        self.wire.ip(
            *("link", "add", bridge, "type", "bridge"),
            *("stp_state", "0", "forward_delay", "0", "mcast_snooping", "0"),
        )
        multi = ["multi_queue"] if queues > 1 else []
        self.wire.ip("tuntap", "add", "dev", tap, "mode", "tap", "vnet_hdr", *multi)
        self.wire.ip("link", "set", tap, "mtu", str(self.mtu), "up")
        for port in (self.veth(index), tap):
            self.wire.ip("link", "set", port, "master", bridge)
        self.wire.ip("link", "set", bridge, "mtu", str(self.mtu), "up")

    def address(self, index, prefix):
        """Give host number index the address prefix.<index + 1>/24 and return it."""
        address = f"{prefix}.{index + 1}"
        self.hosts[index].ip("address", "add", f"{address}/24", "dev", "eth0")
        return address

    def delete(self):
        self._made.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.delete()
