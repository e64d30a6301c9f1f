# SPDX-License-Identifier: BSD-3-Clause
"""Which frames come: MAC addresses, modes and VLANs told to QEMU's device, and told again."""

import pytest
import receiver as rx

pytestmark = pytest.mark.ours

OWN = "52:54:00:12:34:00"
OTHER = "02:00:00:00:00:77"
SECOND = "02:00:00:00:00:42"
THIRD = "02:00:00:00:00:43"
GROUP = "01:00:5e:00:00:05"
OTHER_GROUP = "01:00:5e:00:00:06"


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files):
    with rx.machine(run_dir, build_dir, guest_files) as made:
        yield made


@pytest.fixture(scope="module")
def plain(vm):
    """One application for all tests that follow, and so the last one in this VM."""
    with rx.receiver(vm, ours=True) as made:
        made.command("set promisc all off")
        made.command("set allmulti all off")
        yield made


def restart(port):
    """Stop and start: the device is reset and forgets everything."""
    for command in ("stop", "port stop 0", "port start 0", "start"):
        port.command(command)


def test_vlan_filter(vm):
    with rx.receiver(vm, ours=True, options="--enable-hw-vlan-filter") as port:
        port.command("set promisc all off")
        tagged = [(OWN, 5), (OWN, 6), (OWN, 4094)]
        assert port.passes(OWN, *tagged) == [True, False, False, False]
        port.command("rx_vlan add 5 0")
        port.command("rx_vlan add 4094 0")
        assert port.passes(OWN, *tagged) == [True, True, False, True]
        restart(port)
        assert sorted(port.rx_filter()["vlan-table"]) == [5, 4094]
        assert port.passes(OWN, *tagged) == [True, True, False, True]
        port.command("rx_vlan rm 5 0")
        assert port.passes(OWN, *tagged) == [True, False, False, True]


def test_modes(plain):
    everything = [OWN, OTHER, GROUP]
    assert plain.passes(*everything) == [True, False, False]
    plain.command("set allmulti all on")
    assert plain.passes(*everything) == [True, False, True]
    plain.command("set promisc all on")
    assert plain.passes(*everything) == [True, True, True]
    restart(plain)
    assert plain.passes(*everything) == [True, True, True]
    plain.command("set promisc all off")
    assert plain.passes(*everything) == [True, False, True]
    plain.command("set allmulti all off")
    assert plain.passes(*everything) == [True, False, False]


def test_unicast_addresses(plain):
    plain.command(f"mac_addr add 0 {SECOND}")
    plain.command(f"mac_addr add 0 {THIRD}")
    assert plain.passes(OWN, SECOND, THIRD, OTHER) == [True, True, True, False]
    assert sorted(plain.rx_filter()["unicast-table"]) == [SECOND, THIRD]
    restart(plain)
    assert plain.passes(OWN, SECOND, THIRD, OTHER) == [True, True, True, False]
    plain.command(f"mac_addr remove 0 {SECOND}")
    assert plain.passes(OWN, SECOND, THIRD, OTHER) == [True, False, True, False]
    plain.command(f"mac_addr remove 0 {THIRD}")
    assert plain.rx_filter()["unicast-table"] == []


def test_multicast_list(plain):
    plain.command(f"mcast_addr add 0 {GROUP}")
    assert plain.passes(OWN, GROUP, OTHER_GROUP) == [True, True, False]
    restart(plain)
    assert plain.rx_filter()["multicast-table"] == [GROUP]
    assert plain.passes(OWN, GROUP, OTHER_GROUP) == [True, True, False]
    plain.command(f"mcast_addr remove 0 {GROUP}")
    assert plain.passes(OWN, GROUP, OTHER_GROUP) == [True, False, False]


def test_more_addresses_than_the_device_can_tell_apart(plain):
    """QEMU has room for 64 in both tables together; beyond it lets all of the kind through."""
    own = [f"02:00:00:00:01:{i:02x}" for i in range(33)]
    groups = [f"01:00:5e:00:01:{i:02x}" for i in range(33)]
    plain.commands([f"mac_addr add 0 {address}" for address in own])
    plain.commands([f"mcast_addr add 0 {address}" for address in groups])
    assert plain.passes(own[0], own[32], groups[0], groups[32], OTHER) == [True] * 4 + [False]
    assert plain.rx_filter()["multicast-overflow"]
    plain.commands([f"mac_addr remove 0 {address}" for address in own])
    plain.commands([f"mcast_addr remove 0 {address}" for address in groups])
    told = plain.rx_filter()
    assert (told["unicast-table"], told["multicast-table"]) == ([], [])
    assert not told["multicast-overflow"]


def test_own_address(plain):
    plain.command(f"mac_addr set 0 {SECOND}")
    assert plain.passes(OWN, SECOND) == [False, True]
    restart(plain)
    assert plain.passes(OWN, SECOND) == [False, True]
    plain.command(f"mac_addr set 0 {OWN}")
    assert plain.passes(OWN, SECOND) == [True, False]


def test_without_vlan_filter(plain):
    assert plain.passes(OWN, (OWN, 7), (OWN, 4095)) == [True, True, True]
    said = plain.command("vlan set filter on 0")
    assert "stop the port" in said or "stop the port" in plain.app.output()
    assert plain.passes((OWN, 7)) == [True]
