# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: the feature rows with their goals, and the paths of the loopback."""

import dataclasses
import itertools

MODES = ("rxonly", "txonly", "io")

F_MRG_RXBUF = 15
F_RING_PACKED = 34
F_IN_ORDER = 35

MTU_FRAME = 1518
NOT_SLOWER = 1.0


@dataclasses.dataclass(frozen=True)
class Row:
    """Features that are negotiated, and by how much net_virtio's cycles are to exceed ours."""

    name: str
    title: str
    packed: int
    mergeable: int
    in_order: int
    goals: tuple  # by MODES

    def devargs(self):
        """The same three for either driver."""
        return {"packed_vq": self.packed, "mrg_rxbuf": self.mergeable, "in_order": self.in_order}

    def refuses(self, negotiated):
        """Why these feature bits are not this row; None where they are."""
        for name, bit, wanted in (
            ("RING_PACKED", F_RING_PACKED, self.packed),
            ("MRG_RXBUF", F_MRG_RXBUF, self.mergeable),
            ("IN_ORDER", F_IN_ORDER, self.in_order),
        ):
            if negotiated >> bit & 1 != wanted:
                return f"{name} is {'not ' if wanted else ''}negotiated"
        return None


ROWS = (
    Row("packed-mergeable", "packed, mergeable", 1, 1, 0, (1.8, 1.4, 1.7)),
    Row("packed", "packed, no mergeable, not in order", 1, 0, 0, (1.6, 1.4, 1.7)),
    Row("packed-in-order", "packed, in order, no mergeable", 1, 0, 1, (1.2, 1.15, 1.2)),
    Row("split-mergeable", "split, mergeable", 0, 1, 0, (2.0, 1.2, 1.6)),
    Row("split", "split, no mergeable", 0, 0, 0, (1.3, 1.2, 1.3)),
)


@dataclasses.dataclass(frozen=True)
class Setup:
    """What the processes of a comparison are started with."""

    row: Row
    ring: int = 256
    size: int = 60
    simd: str = "auto"  # ours
    offloads: bool = False
    small: bool = False  # bursts of less than 8

    @property
    def vector(self):
        """May net_virtio use vectors? Plain C is compared with plain C; and its vector path of split
        rings gives nothing at all to who asks for less than 8 packets."""
        return self.simd != "scalar" and (self.row.packed or not self.small)

    def goal(self, mode, burst):
        """By how much net_virtio's cycles are to exceed ours; None where nothing was set."""
        if self.size != 60 or self.offloads or self.simd not in ("auto", "scalar"):
            return None
        if self.ring == 256 and burst == 32 and self.simd == "auto":
            return self.row.goals[MODES.index(mode)]
        return NOT_SLOWER

    def label(self):
        """What differs from the usual, for tables and progress."""
        parts = [self.row.title]
        if self.ring != 256:
            parts.append(f"ring {self.ring}")
        if self.size != 60:
            parts.append(f"{self.size} bytes")
        if self.simd != "auto":
            parts.append(f"simd={self.simd}")
        if self.offloads:
            parts.append("offloads")
        return ", ".join(parts)


OFFLOADS = {"off": (False,), "on": (True,), "both": (False, True)}


def setups(rows, options):
    """All combinations of what the options list, row by row."""
    offloads = OFFLOADS[options.offloads]
    for row, ring, size, simd, on in itertools.product(
        rows, options.rings, options.sizes, options.simd, offloads
    ):
        yield Setup(row, ring, size, simd, on, options.small)


@dataclasses.dataclass(frozen=True)
class Path:
    """A path of net_virtio, as DPDK's test plan perf_virtio_user_loopback reaches it."""

    title: str
    packed: int
    mergeable: int
    in_order: int
    vector: bool = False

    def devargs(self):
        """The same for either driver."""
        return {"packed_vq": self.packed, "mrg_rxbuf": self.mergeable, "in_order": self.in_order}

    def app(self, vlan_strip):
        """The plan's options of testpmd."""
        if self.vector:
            return ["--rss-ip"] if self.packed else []
        strip = ["--enable-hw-vlan-strip"] if vlan_strip else []
        return ["--tx-offloads=0x0", *strip, "--rss-ip"]


PATHS = (
    Path("packed mergeable", 1, 1, 0),
    Path("packed non-mergeable", 1, 0, 0),
    Path("packed in-order mergeable", 1, 1, 1),
    Path("packed in-order non-mergeable", 1, 0, 1),
    Path("packed vectorized", 1, 0, 1, vector=True),
    Path("split mergeable", 0, 1, 0),
    Path("split non-mergeable", 0, 0, 0),
    Path("split vector rx", 0, 0, 0, vector=True),
    Path("split in-order mergeable", 0, 1, 1),
    Path("split in-order non-mergeable", 0, 0, 1),
)
LOOPBACK_SIZES = (64, MTU_FRAME)
LOOPBACK_RING = 1024
