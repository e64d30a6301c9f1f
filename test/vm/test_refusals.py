# SPDX-License-Identifier: BSD-3-Clause
"""Devices that the driver must not take, and options that it must obey or refuse."""

import numbered
import pytest
import rig
from viovm import Nic, Vm, dpdk

pytestmark = pytest.mark.ours

BOUND, UNBOUND, LEGACY, BESIDE = (Nic.pci_address(i) for i in range(4))


@pytest.fixture(scope="module")
def vm(build_dir):
    # Without net_virtio, which would take what our driver leaves.
    plugins = [name for name in dpdk.PLUGINS if name != "net_virtio"]
    files = dpdk.plugins(plugins) + dpdk.our_driver(build_dir) + dpdk.our_app(build_dir)
    nics = [
        Nic.parse("hub=0"),
        Nic.parse("hub=0,bind=off"),
        Nic.parse("hub=0,disable-modern=on"),
        Nic.parse("hub=0,iommu_platform=off,ats=off"),
    ]
    with Vm(nics, build_dir=build_dir, files=files) as made:
        yield made


def probe(vm, *addresses):
    """(exit status, output) of a vio-testpmd that runs for a moment with whatever it finds."""
    eal = dpdk.eal_options(addresses, ours=True)
    options = f"{rig.SMALL} --forward-mode=rxonly --duration=1"
    return vm.run(f"{dpdk.GUEST_APP} {eal} -- {options}", timeout=40)


def lines_with(output, *words):
    """The lines that hold all the words, whatever their case."""
    return [
        line
        for line in output.splitlines()
        if all(word.lower() in line.lower() for word in words)
    ]


def test_device_not_bound_to_vfio(vm):
    status, output = probe(vm, UNBOUND)
    assert status != 0
    assert lines_with(output, UNBOUND, "vfio-pci"), output
    # The kernel still has it.
    assert lines_with(vm.run("vio-bind")[1], UNBOUND, "virtio-pci")


def test_legacy_device(vm):
    """As the one below; test_grid.py has those that are driven."""
    status, output = probe(vm, LEGACY)
    assert status != 0
    assert lines_with(output, LEGACY, "bypasses the IOMMU", "--iova-mode=pa"), output


def test_device_beside_the_iommu(vm):
    """It would take virtual addresses for physical ones."""
    status, output = probe(vm, BESIDE)
    assert status != 0
    assert lines_with(output, BESIDE, "bypasses the IOMMU", "iommu_platform=on"), output


def test_others_still_work(vm):
    """What is refused does not keep its neighbour from being taken."""
    status, output = probe(vm, LEGACY, UNBOUND, BOUND)
    assert status == 0, output
    assert lines_with(output, "Probe PCI driver: net_vio ", BOUND)


@pytest.mark.parametrize("devarg", ["no_such_option=1", "mrg_rxbuf=2", "packed_vq=maybe", "simd="])
def test_bad_devarg(vm, devarg):
    status, output = probe(vm, f"{BOUND},{devarg}")
    assert status != 0
    assert lines_with(output, devarg.split("=")[0], BOUND), output


@pytest.fixture(scope="module")
def pair(run_dir, build_dir, guest_files):
    with rig.rig(run_dir, build_dir, guest_files, ours=True) as made:
        yield made


@pytest.mark.parametrize(
    "devargs, declined",
    [
        ("mrg_rxbuf=0", "MRG_RXBUF"),
        ("packed_vq=0", "RING_PACKED"),
        ("in_order=0", "IN_ORDER"),
        ("mrg_rxbuf=0,packed_vq=0,in_order=0", "RING_PACKED"),
    ],
)
def test_feature_declined(pair, devargs, declined):
    with pair.app(dpdk.OUR_APP, devargs=devargs) as app:
        pair.forward(app, numbered.sweep(60, 1514, 29))
        report = app.finish()
    for port in (0, 1):
        names = rig.features(report, port)
        assert "VERSION_1" in names
        assert declined not in names


def test_vectors(pair):
    """Vectors are slow where the CPU is emulated: there they are for who asks for them by name."""
    said = {"simd=avx2": "avx2 as asked for by simd="}
    if pair.vm.accel == "tcg":
        said[""] = "words, as the CPU is emulated; simd="
    for devargs, words in said.items():
        with pair.app(dpdk.OUR_APP, devargs=devargs) as app:
            pair.forward(app, numbered.sweep(60, 1514, 29))
            app.finish()
        assert words in app.output(), app.output()
