# SPDX-License-Identifier: BSD-3-Clause
"""What stops and starts below a running application: single queues, against QEMU's own RING_RESET,
and the link, by MSI-X and by looking."""

import re
import time

import numbered
import pytest
import rig
from viovm import dpdk

QUEUES = 4
OPTIONS = f"--rxq={QUEUES} --txq={QUEUES}"
SIZES = numbered.sweep(60, 1514, 397)
LINK_SECONDS = 10

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def vm(run_dir, build_dir, guest_files, ours):
    with rig.rig(run_dir, build_dir, guest_files, ours, f"queues={QUEUES}", queues=QUEUES) as made:
        yield made


@pytest.fixture(scope="module", params=["packed", "split"])
def app(request, vm):
    """One with link interrupts, and one without."""
    packed = request.param == "packed"
    options = OPTIONS if packed else f"{OPTIONS} --no-lsc-interrupt"
    with vm.app(dpdk.STOCK_APP, options, f"packed_vq={int(packed)}") as made:
        made.interrupts = packed
        yield made
        made.finish()


def states(app, way, queue):
    """Of the queues with this number, by port."""
    return [
        "state: started" in app.command(f"show {way}q info {port} {queue}").lower()
        for port in (0, 1)
    ]


def switch(app, queue, what):
    """Stop or start both of port 0's queues with this number."""
    for way in "rx", "tx":
        said = app.command(f"port 0 {way}q {queue} {what}")
        assert "rror" not in said and "vio:" not in said, said
        assert states(app, way, queue) == [what == "start", True]


def carriers(app):
    """The queues that have received something. A tap chooses, by the frames' addresses."""
    said = "".join(app.command(f"show port xstats {port}") for port in (0, 1))
    counts = re.findall(r"rx_q(\d+)_good_packets: (\d+)", said)
    assert len(counts) == 2 * QUEUES, said
    return {int(queue) for queue, count in counts if int(count) > 0}


def test_stop_and_start(vm, app):
    """While a queue lies still the others go on, and it goes on where it was started again."""
    vm.forward(app, SIZES)
    busy = carriers(app)
    idle = set(range(QUEUES)) - busy
    assert busy and idle
    for queue in min(idle), max(busy):
        app.command("stop")
        switch(app, queue, "stop")
        # Polled or not, they lie still.
        app.command("start")
        if queue in idle:
            vm.forward(app, SIZES)
        app.command("stop")
        switch(app, queue, "start")
        app.command("start")
        vm.forward(app, SIZES)
    assert carriers(app) == busy


def wait_link(app, port, is_up):
    word = "Link status: " + ("up" if is_up else "down")
    deadline = time.monotonic() + LINK_SECONDS
    while word not in (said := app.command(f"show port info {port}")):
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


def wait_event(app, port, shown):
    deadline = time.monotonic() + LINK_SECONDS
    while f"Port {port}: link state change event" not in app.output()[shown:]:
        app.check()
        assert time.monotonic() < deadline, app.output()[shown:]
        time.sleep(0.05)


def test_link_goes_and_comes(vm, app):
    """The device says it, the application hears of it or sees it, and frames cross again."""
    for is_up in False, True:
        for port in 0, 1:
            shown = len(app.output())
            vm.vm.qmp("set_link", name=f"nic{port}", up=is_up)
            if app.interrupts:
                wait_event(app, port, shown)
            wait_link(app, port, is_up)
            wait_link(app, 1 - port, is_up if port == 1 else not is_up)
    vm.forward(app, SIZES)
    assert ("link state change" in app.output()) == app.interrupts
