# SPDX-License-Identifier: BSD-3-Clause
"""Stopping and starting a queue while frames are under way, against QEMU's own RING_RESET."""

import numbered
import pytest
import rig
from viovm import dpdk

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module", params=["on"], ids=["packed"])
def vm(request, run_dir, build_dir, guest_files, ours):
    with rig.rig(run_dir, build_dir, guest_files, ours, f"packed={request.param}") as made:
        yield made


def states(app, way):
    return [
        "state: started" in app.command(f"show {way}q info {port} 0").lower() for port in (0, 1)
    ]


def test_stop_and_start(vm):
    with vm.app(dpdk.STOCK_APP) as app:
        for _ in range(2):
            vm.forward(app, numbered.sweep(60, 1514, 397))
            app.command("stop")
            for way in "rx", "tx":
                said = app.command(f"port 0 {way}q 0 stop")
                assert "rror" not in said and "vio:" not in said, said
                assert states(app, way) == [False, True]
            # Polled or not, they lie still.
            app.command("start")
            app.command("stop")
            for way in "rx", "tx":
                said = app.command(f"port 0 {way}q 0 start")
                assert "rror" not in said and "vio:" not in said, said
                assert states(app, way) == [True, True]
            app.command("start")
            vm.forward(app, numbered.sweep(60, 1514, 397))
        app.finish()
