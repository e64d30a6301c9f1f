# SPDX-License-Identifier: BSD-3-Clause
"""QEMU asks the guest to announce itself, as after a migration: the driver sends a frame and says so."""

import time

import pytest
import receiver as rx

pytestmark = pytest.mark.ours

RARP = 0x8035
# QEMU sends a RARP frame itself, from the address that it gave the NIC.
GIVEN, CHANGED = "52:54:00:12:34:00", "02:00:00:00:00:2a"
SECONDS = 10


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files):
    with rx.machine(run_dir, build_dir, guest_files) as made:
        yield made


def announcements(raw, enough):
    """Sources of the RARP frames that come until `enough` of them holds, or time is up."""
    sources = []
    deadline = time.monotonic() + SECONDS
    while not enough(sources) and (left := deadline - time.monotonic()) > 0:
        raw.settimeout(left)
        try:
            frame = raw.recv(2048)
        except TimeoutError:
            break
        if int.from_bytes(frame[12:14], "big") == RARP:
            assert frame[:6] == b"\xff" * 6
            assert frame[20:22] == b"\x00\x03"  # request reverse
            assert frame[22:28] == frame[32:38] == frame[6:12]
            sources.append(frame[6:12].hex(":"))
    raw.settimeout(None)
    return sources


def drain(raw):
    """Until nothing comes for a while: what the next request causes comes after that."""
    deadline = time.monotonic() + SECONDS
    raw.settimeout(0.3)
    try:
        while time.monotonic() < deadline:
            raw.recv(2048)
    except TimeoutError:
        pass
    raw.settimeout(None)


def test_announce_self(vm):
    with rx.receiver(vm, ours=True) as port:
        port.command(f"mac_addr set 0 {CHANGED}")
        for _ in range(2):  # a second request comes only where the first was acknowledged
            arguments = {"initial": 50, "max": 100, "rounds": 1, "step": 50}
            vm.qmp("announce-self", **arguments)
            sources = announcements(port.raw, lambda seen: {GIVEN, CHANGED} <= set(seen))
            assert {GIVEN, CHANGED} <= set(sources), port.app.output()
            drain(port.raw)
        assert port.passes(CHANGED) == [True]
