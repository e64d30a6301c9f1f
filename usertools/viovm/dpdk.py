# SPDX-License-Identifier: BSD-3-Clause
"""The files of a DPDK application that the guest needs, and how to start one there."""

import pathlib
import shutil
import subprocess

from . import elf
from .errors import VioError

# The least that a testpmd on virtio needs. Every further plug-in costs time at each start.
PLUGINS = ("bus_pci", "bus_vdev", "mempool_ring", "net_virtio")
OUR_DRIVER = "librte_net_vio.so"
GUEST_DRIVER = f"/usr/local/lib/vio/{OUR_DRIVER}"
OUR_APP = "vio-testpmd"
GUEST_APP = f"/usr/local/bin/{OUR_APP}"
STOCK_APP = "dpdk-testpmd"
# It writes to a file in the guest. By stdbuf's library each line gets there at once.
LINE_BUFFER = pathlib.Path("/usr/libexec/coreutils/libstdbuf.so")


def plugin_folder():
    """Where the installed DPDK looks for its drivers."""
    try:
        said = subprocess.run(
            ["pkg-config", "--variable=driverdir", "libdpdk"],
            capture_output=True,
            text=True,
            timeout=10,
        )
        folder = said.stdout.strip()
    except OSError:
        folder = ""
    if folder and pathlib.Path(folder).is_dir():
        return pathlib.Path(folder)
    found = sorted(pathlib.Path("/usr").glob("lib/*/dpdk/pmds-*"))
    if not found:
        raise VioError("no DPDK drivers found", "Install them: apt-get install dpdk libdpdk-dev")
    return found[-1]


def plugins(names=PLUGINS):
    """The files of some of DPDK's drivers, for Vm(files=...)."""
    folder = plugin_folder()
    files = []
    for name in names:
        found = sorted(folder.glob(f"librte_{name}.so*"))
        if not found:
            raise VioError(f"{folder}: no driver {name}", "Install it: apt-get install libdpdk-dev")
        files += [(path, None) for path in found]
    return files


def stock_app():
    """The distribution's testpmd, for Vm(files=...)."""
    path = shutil.which(STOCK_APP)
    if path is None:
        raise VioError(f"{STOCK_APP}: not found", "Install it: apt-get install dpdk")
    # It is linked with some drivers and finds them in the plug-in folder by itself. So they are
    # there for other applications too, which find what these drivers need by links beside it.
    folder = plugin_folder()
    linked = [pathlib.Path(library) for library in elf.libraries(path)]
    links = [folder.parent.parent / name.name for name in linked if name.parent.resolve() == folder]
    files = [(path, f"/usr/bin/{STOCK_APP}"), (LINE_BUFFER, None)]
    return files + [(link, None) for link in links if link.exists()]


def stock_command():
    """How to call it in the guest."""
    return f"env LD_PRELOAD={LINE_BUFFER} _STDBUF_O=L {STOCK_APP}"


def our_driver_path(build_dir):
    return pathlib.Path(build_dir) / "drivers/net/vio" / OUR_DRIVER


def our_app_path(build_dir):
    return pathlib.Path(build_dir) / "app/testpmd" / OUR_APP


def our_driver(build_dir):
    """Our driver out of the build folder, for Vm(files=...)."""
    return [(_built(our_driver_path(build_dir)), GUEST_DRIVER)]


def our_app(build_dir):
    """vio-testpmd out of the build folder, for Vm(files=...)."""
    return [(_built(our_app_path(build_dir)), GUEST_APP)]


def _built(path):
    if not path.exists():
        raise VioError(f"{path}: not built", "Build it: make, or name its folder by --build-dir.")
    return path


def eal_options(addresses, ours, lcores="0,1"):
    """EAL's options for an application in the guest. ours: let our driver take the NICs.

    EAL hands a device to the first driver that matches, in the order in which they were loaded,
    and loads those after -d before its default ones.
    """
    options = ["-l", lcores, "--no-telemetry"]
    if ours:
        options += ["-d", GUEST_DRIVER]
    for address in addresses:
        options += ["-a", address]
    return " ".join(options)
