# SPDX-License-Identifier: BSD-3-Clause
"""A VM that is paused, and one that moves to another QEMU, while frames go through it.

Its taps there are others, at the same bridges: as on another machine, frames for the guest find
their way when the bridges have learned where it is now.
"""

import time

import numbered
import pytest
import receiver as rx
import rig
from test_announce import announcements
from viovm import Nic, Vm, dpdk
from viovm.netns import Lan

pytestmark = pytest.mark.ours

FRAMES = numbered.sweep(60, 1514, 29)
OWN = "02:00:00:00:00:2a"  # of the guest's choice: QEMU announces another


@pytest.fixture(scope="module")
def lan(run_dir):
    with Lan(run_dir) as made:
        for i in range(2):
            made.wire.ip("tuntap", "add", "dev", f"{made.tap(i)}b", "mode", "tap", "vnet_hdr")
            made.wire.ip("link", "set", f"{made.tap(i)}b", "master", f"br{i}", "up")
        yield made


def nics(lan, tail, ring):
    return [Nic.parse(f"tap={lan.tap(i)}{tail},packed={ring}") for i in range(2)]


@pytest.fixture(scope="module", params=["on"], ids=["packed"])
def pair(request, lan, build_dir, guest_files, ours):
    machine = Vm(
        nics(lan, "", request.param),
        build_dir=build_dir,
        files=guest_files,
        netns=lan.wire.name,
        memory=768,
        hugepages=192,
    )
    with machine as vm:
        made = rig.Rig(vm, lan, ours)
        made.moved = nics(lan, "b", request.param)
        yield made


def test_paused_and_moved(pair):
    with pair.app(dpdk.STOCK_APP) as app:
        app.command(f"mac_addr set 0 {OWN}")
        with pair.streams(FRAMES) as streams:
            for stream in streams:
                stream.wait_open(app.check)
                stream.push()
            pair.vm.qmp("stop")
            for stream in streams:
                stream.take()
            before = [stream.arrived for stream in streams]
            for stream in streams:
                stream.push()
            time.sleep(1)
            for stream in streams:
                stream.take()
            # What it had sent may have been under way, and no more than that.
            assert [s.arrived for s in streams] <= [b + 32 for b in before]
            assert not all(stream.done for stream in streams)
            pair.vm.qmp("cont")
            numbered.exchange(*streams)
        with pair.lan.hosts[0].raw_socket("eth0") as wire:
            pair.vm.migrate(pair.moved)
            # One acknowledges the other: QEMU asks again only then.
            seen = announcements(wire, lambda sources: sources.count(OWN) >= 2)
        assert seen.count(OWN) >= 2, (seen, app.output())
        assert pair.vm.qmp("query-status")["status"] == "running"
        pair.forward(app, FRAMES)
        app.finish()
    with pair.app(dpdk.OUR_APP) as app:
        pair.forward(app, FRAMES)
        assert app.finish()["mbufs_missing"] == 0
