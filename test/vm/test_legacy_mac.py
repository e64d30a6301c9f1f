# SPDX-License-Identifier: BSD-3-Clause
"""A legacy device without a command for its MAC address, which takes it from its configuration."""

import pytest
import receiver as rx

pytestmark = pytest.mark.ours

OWN = "52:54:00:12:34:00"
OTHER = "02:00:00:00:00:42"


@pytest.fixture(scope="module")
def port(run_dir, build_dir, guest_files):
    nic = "disable-modern=on,ctrl_mac_addr=off"
    with rx.machine(run_dir, build_dir, guest_files, nic) as vm:
        with rx.receiver(vm, ours=True, eal="--iova-mode=pa") as made:
            made.command("set promisc all off")
            yield made


def test_own_address(port):
    """Each reset brings the device's own back, so it is written again."""
    assert port.passes(OWN, OTHER) == [True, False]
    port.command(f"mac_addr set 0 {OTHER}")
    assert port.passes(OWN, OTHER) == [False, True]
    assert port.rx_filter()["main-mac"] == OTHER
    for command in ("stop", "port stop 0", "port start 0", "start"):
        port.command(command)
    assert port.passes(OWN, OTHER) == [False, True]
    port.command(f"mac_addr set 0 {OWN}")
    assert port.passes(OWN, OTHER) == [True, False]
