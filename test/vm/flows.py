# SPDX-License-Identifier: BSD-3-Clause
"""IP frames of chosen flows, as small as they can be."""

import ipaddress
import struct

import receiver as rx

TCP, UDP, ICMP = 6, 17, 1
IPV4, IPV6 = 0x0800, 0x86DD


def _sum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Flow:
    """source and to: addresses; ports only of TCP and UDP. fragment: a later part of a datagram."""

    def __init__(self, protocol, source, to, ports=(0, 0), fragment=False):
        self.protocol, self.ports, self.fragment = protocol, ports, fragment
        self.source, self.to = ipaddress.ip_address(source), ipaddress.ip_address(to)

    @property
    def has_ports(self):
        return self.protocol in (TCP, UDP) and not self.fragment

    @property
    def version(self):
        return self.source.version

    def frame(self, to, source):
        """An Ethernet frame of the flow, whole but for the checksum of TCP or UDP."""
        if self.protocol == TCP:
            body = struct.pack("!HHIIBBHHH", *self.ports, 1, 1, 5 << 4, 0x10, 100, 0, 0)
        elif self.protocol == UDP:
            body = struct.pack("!HHHH", *self.ports, 8 + 8, 0) + bytes(8)
        else:
            body = bytes(16)
        ends = self.source.packed + self.to.packed
        if self.version == 4:
            offset = 100 if self.fragment else 0
            fields = (0x45, 0, 20 + len(body), 1, offset, 64, self.protocol)
            head = struct.pack("!BBHHHBB", *fields)
            # The host's bridge drops what has a wrong one.
            head += struct.pack("!H", _sum(head + ends))
            return rx.frame(to, source, head + ends + body, IPV4)
        head = struct.pack("!IHBB", 6 << 28, len(body), self.protocol, 64)
        return rx.frame(to, source, head + ends + body, IPV6)

    def __repr__(self):
        return f"{self.protocol} {self.source} {self.to} {self.ports} {self.fragment}"


def some(count):
    """So many flows of each kind, spread over addresses and ports."""
    flows = []
    for i in range(count):
        ports = (1024 + 977 * i % 50000, 53 + 31 * i)
        four = f"198.18.{i}.{(7 * i + 1) % 256}", f"198.19.{(3 * i) % 256}.{i + 1}"
        six = f"2001:db8::{i + 1:x}", f"2001:db8:{3 * i:x}::{257 * i + 2:x}"
        for ends in (four, six):
            flows += [Flow(TCP, *ends, ports), Flow(UDP, *ends, ports), Flow(ICMP, *ends)]
        flows.append(Flow(UDP, *four, ports, fragment=True))
    return flows
