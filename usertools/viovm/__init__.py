# SPDX-License-Identifier: BSD-3-Clause
"""Boots virtual machines with virtio NICs out of this machine's own packages."""

from .errors import GuestTimeout, VioError
from .nic import Nic
from .vm import Vm

__all__ = ["GuestTimeout", "Nic", "VioError", "Vm"]
