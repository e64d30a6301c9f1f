# SPDX-License-Identifier: BSD-3-Clause
"""The Toeplitz hash, from its definition: for each bit set, the 32 key bits from there on."""

import ipaddress
import struct

# The key and two rows of the vectors that came with the hash's definition check this file.
KEY = bytes.fromhex(
    "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"
)


def toeplitz(key, data):
    bits = int.from_bytes(key, "big")
    length = 8 * len(key)
    result = 0
    for at in range(8 * len(data)):
        if data[at // 8] & 0x80 >> at % 8:
            result ^= bits >> (length - 32 - at) & 0xFFFFFFFF
    return result


def of_flow(key, source, to, ports=None):
    """Over two addresses and, where the hash type says so, (source port, destination port)."""
    data = ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed
    return toeplitz(key, data + (struct.pack("!HH", *ports) if ports else b""))
