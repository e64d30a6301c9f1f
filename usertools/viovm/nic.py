# SPDX-License-Identifier: BSD-3-Clause
"""A virtio NIC as the user writes it (--nic) and as QEMU wants it."""

import dataclasses

from .errors import VioError

FIRST_SLOT = 0x10
MOST_NICS = 8
BACKENDS = ("tap", "vhost-user", "hub", "user")

# What a cloud gives its guests, with the IOMMU between the device and the guest's memory.
# romfile: no boot ROM, so that no time goes into network boot.
DEFAULTS = {
    "disable-legacy": "on",
    "packed": "on",
    "iommu_platform": "on",
    "ats": "on",
    "romfile": "",
}
# A device with the legacy interface cannot be behind an IOMMU, so it bypasses the one there is.
NO_IOMMU = {"iommu_platform": "off", "ats": "off"}
# One without the modern interface cannot offer the features that came with it.
LEGACY = {"disable-legacy": "off", "packed": "off", **NO_IOMMU}

SPEC_HELP = """BACKEND[,OPTION=VALUE...]
BACKEND is tap=NAME (an existing tap), vhost-user=SOCKET (where a vhost-user device listens),
hub=N (all NICs of one hub are wired together) or user (QEMU's own small network).
OPTION is queues=N (queue pairs), bind=off (leave the NIC to the kernel), netdev.X, chardev.X
(an option of QEMU's network backend or socket), or any property of QEMU's virtio-net-pci, such
as packed=off, mrg_rxbuf=off, rx_queue_size=1024 or host_mtu=9000; disable-modern=on makes a
legacy device, disable-legacy=off a transitional one (both want --iova-mode=pa of DPDK)."""


@dataclasses.dataclass
class Nic:
    """`properties` are those of QEMU's virtio-net-pci that differ from DEFAULTS."""

    backend: str
    target: str = ""
    queues: int = 1
    bind: bool = True
    properties: dict = dataclasses.field(default_factory=dict)
    netdev: dict = dataclasses.field(default_factory=dict)
    chardev: dict = dataclasses.field(default_factory=dict)

    @classmethod
    def parse(cls, spec):
        """A NIC out of the text after --nic; VioError names what is wrong in it."""
        head, *options = spec.split(",")
        backend, _, target = head.partition("=")
        if backend not in BACKENDS:
            known = ", ".join(BACKENDS)
            raise VioError(f"--nic {spec}: backend '{backend}' is none of {known}", SPEC_HELP)
        if (backend == "user") == bool(target):
            wanted = "takes no value" if backend == "user" else f"needs a value: {backend}=..."
            raise VioError(f"--nic {spec}: backend {backend} {wanted}", SPEC_HELP)
        nic = cls(backend, target)
        for option in options:
            key, equals, value = option.partition("=")
            if not key or not equals:
                raise VioError(f"--nic {spec}: '{option}' is not OPTION=VALUE", SPEC_HELP)
            nic._set(spec, key, value)
        return nic

    def _set(self, spec, key, value):
        group, dot, name = key.partition(".")
        if key == "queues":
            if not value.isdecimal() or not 1 <= int(value) <= 256:
                raise VioError(f"--nic {spec}: queues={value} is not a number from 1 to 256")
            self.queues = int(value)
        elif key == "bind":
            if value not in ("on", "off"):
                raise VioError(f"--nic {spec}: bind={value} is neither on nor off")
            self.bind = value == "on"
        elif dot and group in ("netdev", "chardev"):
            getattr(self, group)[name] = value
        else:
            self.properties[key] = value

    @staticmethod
    def pci_address(index):
        """Where the guest finds NIC number index, counted from 0."""
        return f"0000:00:{FIRST_SLOT + index:02x}.0"

    def device_properties(self, iommu=True):
        """What QEMU's virtio-net-pci is told of the device itself."""
        properties = dict(DEFAULTS)
        if not iommu or self.properties.get("disable-legacy") == "off":
            properties.update(NO_IOMMU)
        if self.properties.get("disable-modern") == "on":
            properties.update(LEGACY)
        if self.queues > 1:
            # A vector for each queue, one for the control queue and one for config changes.
            properties.update({"mq": "on", "vectors": str(2 * self.queues + 2)})
        properties.update(self.properties)
        return properties

    def qemu_args(self, index, iommu=True):
        """QEMU's arguments for NIC number index."""
        properties = {"mac": f"52:54:00:12:34:{index:02x}", **self.device_properties(iommu)}
        device = f"virtio-net-pci,id=nic{index},netdev=net{index},addr={FIRST_SLOT + index:02x}"
        return [*self._backend_args(index), "-device", device + _joined(properties)]

    def _backend_args(self, index):
        extra = dict(self.netdev)
        if self.queues > 1:
            extra["queues"] = str(self.queues)
        if self.backend == "tap":
            head = f"tap,id=net{index},ifname={_quoted(self.target)},script=no,downscript=no"
            return ["-netdev", head + _joined({"vhost": "off", **extra})]
        if self.backend == "vhost-user":
            socket = f"socket,id=vhost{index},path={_quoted(self.target)}" + _joined(self.chardev)
            head = f"vhost-user,id=net{index},chardev=vhost{index}"
            return ["-chardev", socket, "-netdev", head + _joined(extra)]
        if self.backend == "hub":
            return ["-netdev", f"hubport,id=net{index},hubid={_quoted(self.target)}"]
        return ["-netdev", f"user,id=net{index}" + _joined(extra)]


def _quoted(value):
    """QEMU's option syntax doubles a comma that belongs to a value."""
    return value.replace(",", ",,")


def _joined(options):
    return "".join(f",{key}={_quoted(value)}" for key, value in options.items())
