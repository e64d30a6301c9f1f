# SPDX-License-Identifier: BSD-3-Clause
"""The device is DPDK's own vhost, in a stock testpmd beside the VM, instead of QEMU's."""

import contextlib

import numbered
import pytest
import rig
import vhost_peer
from viovm import Nic, Vm, dpdk
from viovm.netns import Lan

# The device learns the guest's mappings one page at a time, by asking QEMU. Meanwhile it refuses
# frames for the guest, so its forwarder must try again; and on a packed ring it drops those out of
# the guest (DPDK 22.11). So frames that need not arrive go ahead, until every buffer of a small
# pool has been in use and the device knows all of its pages.
FLOOD = 100
POOL = "--total-num-mbufs=2048"
COMMANDS = b"set fwd io retry\nset burst tx delay 100 retry 5000\nstart\n"


@contextlib.contextmanager
def vhost(run_dir, lan):
    """A stock testpmd that passes frames on between each host and a vhost-user socket."""
    sockets = [run_dir.path / f"vhost{i}" for i in range(2)]
    vdevs = []
    for index, path in enumerate(sockets):
        vdevs += [f"--vdev=net_af_packet{index},iface={lan.veth(index)}"]
        vdevs += [f"--vdev=net_vhost{index},iface={path},iommu-support=1"]
    # Ports next to each other are paired. The device side needs no hugepages of its own.
    eal, own = ["-l", "0,1", *vdevs], ["--total-num-mbufs=8192"]
    with vhost_peer.serve(run_dir, "vhost", sockets, eal, own, COMMANDS, lan.wire.command):
        yield sockets


@pytest.fixture(scope="module", params=["packed=on"])
def vm(request, run_dir, build_dir, guest_files, ours):
    with Lan(run_dir, taps=False) as lan, vhost(run_dir, lan) as sockets:
        nics = [Nic.parse(f"vhost-user={path},{request.param}") for path in sockets]
        with Vm(nics, build_dir=build_dir, files=guest_files) as made:
            yield rig.Rig(made, lan, ours)


def test_stock_testpmd(vm):
    with vm.app(dpdk.STOCK_APP, POOL) as app:
        vm.forward(app, numbered.sweep(60, 1514, 3), flood=FLOOD)
        app.finish()


@pytest.mark.ours
def test_vio_testpmd(vm):
    with vm.app(dpdk.OUR_APP, POOL) as app:
        vm.forward(app, numbered.sweep(60, 1514, 3), flood=FLOOD)
        report = app.finish()
    assert report["mbufs_missing"] == 0
