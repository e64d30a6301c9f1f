# SPDX-License-Identifier: BSD-3-Clause
"""Every frame size through both rings, with and without mergeable buffers, in both applications."""

import numbered
import pytest
import rig
from viovm import dpdk

RINGS = {"packed": "packed=on", "split": "packed=off"}
BUFFERS = {"mergeable": "mrg_rxbuf=on", "plain": "mrg_rxbuf=off"}


@pytest.fixture(
    scope="module",
    params=[(ring, buffers) for ring in RINGS for buffers in BUFFERS],
    ids=lambda pair: "-".join(pair),
)
def vm(request, run_dir, build_dir, guest_files, ours):
    ring, buffers = request.param
    nic = f"{RINGS[ring]},{BUFFERS[buffers]}"
    with rig.rig(run_dir, build_dir, guest_files, ours, nic) as made:
        made.ring, made.buffers = ring, buffers
        yield made


def test_stock_testpmd(vm, driver):
    with vm.app(dpdk.STOCK_APP) as app:
        vm.forward(app, numbered.sweep(60, 1514))
        app.finish()
        for address in vm.addresses():
            line = f"Probe PCI driver: {driver} (1af4:1041) device: {address}"
            assert line in app.output(), "the other driver has taken the device"


@pytest.mark.ours
def test_vio_testpmd(vm, driver):
    with vm.app(dpdk.OUR_APP) as app:
        vm.forward(app, numbered.sweep(60, 1514))
        report = app.finish()
    for port in (0, 1):
        assert report["ports"][port]["driver"] == driver
        names = rig.features(report, port)
        assert ("RING_PACKED" in names) == (vm.ring == "packed")
        assert ("MRG_RXBUF" in names) == (vm.buffers == "mergeable")
        assert {"VERSION_1", "ACCESS_PLATFORM"} <= names
    assert report["mbufs_missing"] == 0
    assert report["forward"]["tx_dropped"] == 0


def test_start_stop(vm):
    """Stopped and started again, a port goes on as if new."""
    with vm.app(dpdk.STOCK_APP) as app:
        for _ in range(2):
            vm.forward(app, numbered.sweep(60, 1514, 97))
            app.command("stop")
            app.command("port stop all")
            app.command("port start all")
            app.command("start")
        vm.forward(app, numbered.sweep(60, 1514, 97))
        app.finish()


@pytest.mark.ours
def test_starts_after_kill(vm):
    """An application that is killed leaves a device that the next one can drive."""
    with vm.app(dpdk.OUR_APP) as app:
        vm.forward(app, numbered.sweep(60, 1514, 97))
        vm.vm.run("killall -9 vio-testpmd")
    with vm.app(dpdk.OUR_APP) as app:
        vm.forward(app, numbered.sweep(60, 1514, 97))
        app.finish()
