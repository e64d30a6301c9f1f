# SPDX-License-Identifier: BSD-3-Clause
"""The example rng: the ring and device libraries alone, over VFIO, with a device that is no NIC."""

import pytest
from viovm import Vm

ADDRESSES = {"packed": "0000:00:1c.0", "split": "0000:00:1d.0"}
SAME = "disable-legacy=on,iommu_platform=on,ats=on"
GUEST_RNG = "/usr/local/bin/rng"


@pytest.fixture(scope="module")
def vm(build_dir):
    devices = [
        f"virtio-rng-pci,addr={address[8:10]},packed={'on' if ring == 'packed' else 'off'},{SAME}"
        for ring, address in ADDRESSES.items()
    ]
    files = [(build_dir / "examples/rng/rng", GUEST_RNG)]
    with Vm([], build_dir=build_dir, files=files, devices=devices) as made:
        for address in ADDRESSES.values():
            status, output = made.run(f"vio-bind {address} vfio-pci")
            assert status == 0, output
        yield made


def random_bytes(vm, ring, count):
    status, output = vm.run(f"{GUEST_RNG} {ADDRESSES[ring]} {count}")
    assert status == 0, output
    return bytes.fromhex(output.split()[-1])


@pytest.mark.parametrize("ring", ADDRESSES)
def test_random_bytes(vm, ring):
    """As many as asked for, more than one buffer holds, of every value, and never the same twice."""
    first, second = (random_bytes(vm, ring, 10000) for _ in range(2))
    assert len(first) == len(second) == 10000
    assert first != second
    assert len(set(first)) == 256
    assert len(random_bytes(vm, ring, 1)) == 1


def test_no_device(vm):
    status, output = vm.run(f"{GUEST_RNG} 0000:00:1b.0 1")
    assert status != 0
    assert "0000:00:1b.0" in output
