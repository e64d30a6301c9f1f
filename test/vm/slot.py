# SPDX-License-Identifier: BSD-3-Clause
"""A slot of a VM into which a NIC is plugged, and out of which it is pulled, while the VM runs."""

import time

from viovm import Nic

PORT = "pcie-root-port,id=slot0,chassis=1,slot=1,addr=1c"
ADDRESS = "0000:01:00.0"
DEVICE = "plugged"
MAC = "52:54:00:12:35:00"
SECONDS = 20


class Slot:
    """The slot of `vm`, which has PORT among its devices; the NIC's wire ends at `tap`."""

    def __init__(self, vm, tap, driver="vfio-pci"):
        self._vm, self._driver = vm, driver
        vm.qmp("netdev_add", type="tap", id="slotnet", ifname=tap, script="no", downscript="no")

    def _wait(self, done, what):
        deadline = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < deadline, f"{what}\n{self._vm.console()}"
            time.sleep(0.05)

    def _guest_sees_it(self):
        return self._vm.run(f"[ -e /sys/bus/pci/devices/{ADDRESS} ]")[0] == 0

    def plug(self):
        """Plug a NIC in, and give it to the guest's driver."""
        properties = Nic.parse("user").device_properties(self._driver == "vfio-pci")
        # On a command line all are text; here what is true or false is said so, but for this one.
        words = {"on": True, "off": False}
        typed = {key: words.get(value, value) for key, value in properties.items()}
        typed["disable-legacy"] = properties["disable-legacy"]
        where = {"id": DEVICE, "bus": "slot0", "netdev": "slotnet", "mac": MAC}
        self._vm.qmp("device_add", driver="virtio-net-pci", **where, **typed)
        self._wait(self._guest_sees_it, "the guest does not see what was plugged in")
        status, output = self._vm.run(f"vio-bind {ADDRESS} {self._driver}")
        assert status == 0, output

    def pull(self):
        """Ask the guest to give the NIC back; see wait_gone()."""
        self._vm.qmp("device_del", id=DEVICE)

    def is_plugged(self):
        listed = self._vm.qmp("qom-list", path="/machine/peripheral")
        return DEVICE in {entry["name"] for entry in listed}

    def wait_gone(self):
        self._wait(lambda: not self.is_plugged(), "the guest keeps what it was asked to give back")
