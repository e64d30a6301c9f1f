# SPDX-License-Identifier: BSD-3-Clause
"""Large frames, large and small rings, several queue pairs: all that a large device offers."""

import numbered
import pytest
import rig
from viovm import VioError, dpdk

MTU = 9000
ETHERNET = 14
PAIRS = 2
LARGEST_RX, LARGEST_TX = 1024, 256  # QEMU's limits for a tap
MULTI_SEGS = "0x8000"  # RTE_ETH_TX_OFFLOAD_MULTI_SEGS


@pytest.fixture(scope="module", params=["packed", "split"])
def vm(request, run_dir, build_dir, guest_files, ours):
    nic = f"queues={PAIRS},rx_queue_size={LARGEST_RX},tx_queue_size={LARGEST_TX},host_mtu={MTU}"
    nic += {"packed": ",packed=on", "split": ",packed=off"}[request.param]
    if not ours and request.param == "packed":
        # net_virtio 22.11 marks the parts of an indirect packed chain as written by the device,
        # which QEMU refuses.
        nic += ",indirect_desc=off"
    with rig.rig(run_dir, build_dir, guest_files, ours, nic, mtu=MTU, queues=PAIRS) as made:
        made.ring = request.param
        yield made


def test_jumbo_frames(vm):
    """Scattered over merged receive buffers, sent in segments."""
    if not vm.ours and vm.ring == "packed":
        pytest.skip("net_virtio 22.11 stalls with chains on a packed ring")
    options = f"--max-pkt-len={MTU + 18} --enable-scatter --tx-offloads={MULTI_SEGS}"
    with vm.app(dpdk.STOCK_APP, options) as app:
        # A frame of 9000 bytes takes five buffers of 2 KiB, and out of a ring of 256.
        vm.forward(app, numbered.sweep(60, MTU + ETHERNET, 11), window=16)
        app.finish()


def test_queue_pairs(vm):
    """More than one pair must be switched on over the control queue."""
    # All frames of a stream have the same addresses, so that the tap keeps them in one queue.
    with vm.app(dpdk.STOCK_APP, f"--rxq={PAIRS} --txq={PAIRS}") as app:
        vm.forward(app, numbered.sweep(60, 1514, 7))
        app.finish()


def forward(vm, rxd, txd):
    window = min(rxd, txd) // 4  # a frame may take several descriptors
    with vm.app(dpdk.STOCK_APP, f"--rxd={rxd} --txd={txd}") as app:
        vm.forward(app, numbered.sweep(60, 1514, 13), window)
        app.finish()


@pytest.mark.parametrize("rxd, txd", [(LARGEST_RX, LARGEST_TX), (256, 128), (64, 64)])
def test_ring_size(vm, rxd, txd):
    forward(vm, rxd, txd)


@pytest.mark.ours
@pytest.mark.parametrize("rxd, txd", [(496, 200), (100, 100)])
def test_packed_ring_of_any_size(vm, rxd, txd):
    if vm.ring == "split":
        pytest.skip("a split ring's size is a power of two")
    forward(vm, rxd, txd)


@pytest.mark.ours
@pytest.mark.parametrize(
    "rxd, txd, said",
    [
        (2 * LARGEST_RX, LARGEST_TX, rf"rx_desc\(={2 * LARGEST_RX}\), should be: <= {LARGEST_RX}"),
        (LARGEST_RX, 2 * LARGEST_TX, rf"tx_desc\(={2 * LARGEST_TX}\), should be: <= {LARGEST_TX}"),
    ],
    ids=["rx", "tx"],
)
def test_ring_beyond_the_device_is_refused(vm, rxd, txd, said):
    with pytest.raises(VioError, match=said):
        forward(vm, rxd, txd)
