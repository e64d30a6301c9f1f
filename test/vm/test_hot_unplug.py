# SPDX-License-Identifier: BSD-3-Clause
"""A NIC is pulled out of the VM while frames go through it, and another is plugged in.

With VFIO the kernel asks the application for the device, and waits; with UIO the device is gone at
once, and EAL puts memory where its registers were.
"""

import contextlib
import json
import re
import threading
import time

import numbered
import pytest
import rig
import slot
from viovm import Nic, Vm, VioError, dpdk, forwarder
from viovm.netns import Lan

pytestmark = pytest.mark.ours

FIXED = Nic.pci_address(0)
FRAMES = numbered.sweep(60, 1514, 29)
REMOVED_SECONDS = 20


class Pair(rig.Rig):
    """Two NICs, of which the second is in a slot."""

    def __init__(self, vm, lan, driver):
        super().__init__(vm, lan, ours=True)
        self.driver = driver
        self.slot = slot.Slot(vm, lan.tap(1), driver)

    def addresses(self, devargs=""):
        return [FIXED, slot.ADDRESS]

    def application(self, name, options=""):
        # The application is what lets EAL handle the signal that an access to nothing is.
        hot_plug = "--hot-plug" if self.driver == "uio_pci_generic" and "hot" not in options else ""
        eal = "--iova-mode=pa" if self.driver == "uio_pci_generic" else ""
        return self.app(name, f"{options} {hot_plug}", eal=eal)

    @contextlib.contextmanager
    def traffic(self):
        """Frames both ways, whether or not they arrive."""
        ends = [host.raw_socket("eth0", numbered.ETHERTYPE) for host in self.lan.hosts]
        macs = [self.lan.mac(i) for i in range(2)]
        frames = [numbered.build(numbered.WARM_UP, 200, macs[1 - i], macs[i]) for i in range(2)]
        over = threading.Event()

        def send():
            while not over.wait(0.002):
                for end, frame in zip(ends, frames):
                    for _ in range(8):
                        end.send(frame)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            over.set()
            sender.join()
            for end in ends:
                end.close()


@pytest.fixture(scope="module", params=["vfio-pci", "uio_pci_generic"])
def pair(request, run_dir, build_dir, guest_files):
    with Lan(run_dir) as lan:
        machine = Vm(
            [Nic.parse(f"tap={lan.tap(0)}")],
            build_dir=build_dir,
            files=guest_files,
            netns=lan.wire.name,
            devices=[slot.PORT],
            iommu=request.param == "vfio-pci",
        )
        with machine as vm:
            yield Pair(vm, lan, request.param)


def wait_for(app, seen, what):
    deadline = time.monotonic() + REMOVED_SECONDS
    while not seen():
        app.check()
        assert time.monotonic() < deadline, f"{what}\n{app.output()}"
        time.sleep(0.05)


def moves(said, port):
    """Does a line of figures say that this port receives?"""
    rates = re.findall(rf"port +{port}  rx +([0-9.]+) Mpps", said)
    return any(float(rate) > 0 for rate in rates)


def vfio_alone(pair):
    if pair.driver != "vfio-pci":
        pytest.skip("with VFIO")


def test_pulled_and_plugged(pair):
    """dpdk-testpmd closes the port when it hears of the removal, and attaches the next one."""
    pair.slot.plug()
    with pair.application(dpdk.STOCK_APP) as app:
        pair.forward(app, FRAMES)
        for _ in range(2 if pair.driver == "vfio-pci" else 1):
            shown = len(app.output())
            with pair.traffic():
                time.sleep(0.2)
                pair.slot.pull()
                pair.slot.wait_gone()
                # It goes on with the port that is left, which the guest still has.
                wait_for(app, lambda: "Device is detached" in app.output()[shown:], "not removed")
            said = app.output()[shown:]
            assert "Port 1: device removal event" in said
            assert "vio: 0000:01:00.0: the device is gone" in said
            assert slot.ADDRESS not in app.command("show port summary all")
            pair.slot.plug()
            app.command("stop")
            assert "Port 1 is attached" in app.command(f"port attach {slot.ADDRESS}")
            for line in "port start all", "set fwd io", "start":
                app.command(line)
            pair.forward(app, FRAMES)
        app.finish()
    pair.slot.pull()
    pair.slot.wait_gone()


def test_nothing_is_lost_with_it(pair):
    """vio-testpmd ends when it has nowhere to forward to, and then each mbuf is back."""
    vfio_alone(pair)
    pair.slot.plug()
    with pair.application(dpdk.OUR_APP) as app:
        pair.forward(app, FRAMES)
        with pair.traffic():
            time.sleep(0.2)
            pair.slot.pull()
            pair.slot.wait_gone()
        with pytest.raises(VioError, match="port 1 .*: the device is gone, it is no longer polled"):
            app.finish()
        report = json.loads(pair.vm.fetch(forwarder.REPORT))
    assert report["ended_by"] == "no port left"
    assert report["mbufs_missing"] == 0
    assert report["mbufs_missing_closed"] == 0


def test_ours_goes_on(pair):
    """vio-testpmd closes and detaches what is pulled out, and goes on with the port that is left."""
    pair.slot.plug()
    options = "--port-topology=loop --stats-period=0.2"
    with pair.application(dpdk.OUR_APP, f"--hot-plug {options}") as app:
        wait_for(app, lambda: "forwarding: mode" in app.output(), "not started")
        with pair.traffic():
            wait_for(app, lambda: moves(app.output(), 1), "no frames by the one that is to go")
            pair.slot.pull()
            pair.slot.wait_gone()
            wait_for(app, lambda: "closed, its device is detached" in app.output(), "not detached")
            shown = len(app.output())
            wait_for(app, lambda: moves(app.output()[shown:], 0), "no frames by the one that is left")
        report = app.finish()
        said = app.output()
    assert f"port 1 ({slot.ADDRESS}): the device is gone, it is no longer polled" in said
    assert report["ended_by"] == "signal"
    assert [port["gone"] for port in report["ports"]] == [False, True]
    assert report["mbufs_missing"] == report["mbufs_missing_closed"] == 0


def test_removed_while_stopped(pair):
    """Also the application of a port that is not started hears of it."""
    vfio_alone(pair)
    pair.slot.plug()
    with pair.application(dpdk.STOCK_APP) as app:
        app.command("stop")
        app.command("port stop 1")
        pair.slot.pull()
        pair.slot.wait_gone()
        assert "Port 1: device removal event" in app.output()
        assert slot.ADDRESS not in app.command("show port summary all")


def test_reset_by_the_kernel(pair):
    """A function that somebody resets while it is live has forgotten its queues: it recovers."""
    vfio_alone(pair)
    pair.slot.plug()
    with pair.application(dpdk.STOCK_APP, "--no-lsc-interrupt") as app:
        pair.forward(app, FRAMES)
        status, output = pair.vm.run(f"echo 1 >/sys/bus/pci/devices/{slot.ADDRESS}/reset")
        assert status == 0, output
        app.type("show port summary 1\n")  # which looks at the link
        wait_for(app, lambda: "recovered in" in app.output(), "not recovered")
        pair.forward(app, FRAMES)
        app.finish()
    pair.slot.pull()
    pair.slot.wait_gone()
