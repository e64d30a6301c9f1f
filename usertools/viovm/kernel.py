# SPDX-License-Identifier: BSD-3-Clause
"""Debian's cloud kernel, unpacked from its package into the build folder and never installed."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import tempfile
import time

from . import proc
from .errors import VioError
from .progress import SILENT

META_PACKAGE = "linux-image-cloud-amd64"
RETRIES = ("-o", "Acquire::Retries=3")


class Kernel:
    """A kernel's image and modules below one folder, laid out as its package lays them out."""

    def __init__(self, root):
        self.root = root
        self.image = next((root / "boot").glob("vmlinuz-*"))
        self.release = self.image.name.removeprefix("vmlinuz-")
        self.modules_folder = next(
            folder / self.release
            for folder in (root / "lib/modules", root / "usr/lib/modules")
            if (folder / self.release).is_dir()
        )
        self._dependencies = self._read_dependencies()

    def _read_dependencies(self):
        """Module name to (file, files it needs), out of modules.dep."""
        table = {}
        for line in (self.modules_folder / "modules.dep").read_text().splitlines():
            file, _, needs = line.partition(":")
            table[_module_name(file)] = (file, needs.split())
        return table

    def modules(self, names):
        """The module files that the names need, each after those that it depends on."""
        built_in = {
            _module_name(line)
            for line in (self.modules_folder / "modules.builtin").read_text().splitlines()
        }
        files = []
        for name in names:
            name = _module_name(name)
            if name in built_in:
                continue
            if name not in self._dependencies:
                raise VioError(f"kernel {self.release}: no module {name}")
            file, needs = self._dependencies[name]
            # modules.dep lists the dependencies last first.
            for path in [*reversed(needs), file]:
                if path not in files:
                    files.append(path)
        return [self.modules_folder / file for file in files]


def _module_name(file):
    """kernel/a/vfio-pci.ko.xz, vfio-pci and vfio_pci are one module: vfio_pci."""
    return pathlib.PurePath(file.strip()).name.split(".")[0].replace("-", "_")


def ensure(cache, progress):
    """The kernel in the cache folder, downloaded and unpacked there if it is the first time."""
    with locked(cache):
        ready = sorted((cache / "kernel").glob("*/complete"))
        if ready:
            return Kernel(ready[-1].parent)
        try:
            return _fetch(cache, progress)
        except VioError:
            # A machine that was just set up has no package lists, one long unused has old ones.
            if os.geteuid() != 0:
                raise
            progress("apt-get update")
            proc.run(["apt-get", "-q", *RETRIES, "update"], timeout=300)
            return _fetch(cache, progress)


def noiommu_vfio(build_dir):
    """The vfio module with no-IOMMU mode that devtools/noiommu-module has made, or None."""
    cache = pathlib.Path(build_dir).resolve() / "vm"
    made = cache / "noiommu" / ensure(cache, SILENT).release / "vfio.ko"
    return made if made.exists() else None


def _fetch(cache, progress):
    package = _concrete_package()
    progress(f"downloading {package} (unpacked below {cache}, not installed)")
    return Kernel(_unpack(_download(package, cache), cache / "kernel" / package))


@contextlib.contextmanager
def locked(cache, patience=300):
    """One process at a time fills the cache; VioError after patience seconds."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "a") as lock:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise VioError(
                        f"{lock.name}: another run has held it for {patience} s",
                        "End that run, or choose another --build-dir.",
                    ) from None
                time.sleep(0.2)
        yield


def _concrete_package():
    """The package with the kernel in it, which the meta package depends on."""
    said = proc.run(["apt-cache", "depends", META_PACKAGE])
    found = re.search(r"Depends: (linux-image-\S+)", said)
    if not found:
        raise VioError(
            f"apt knows no package {META_PACKAGE}",
            "Run 'apt-get update' on a Debian machine with the main archive in its sources.",
        )
    return found.group(1)


def _download(package, cache):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="download-", dir=cache))
    try:
        # apt's own user may not be able to write to the build folder.
        proc.run(
            ["apt-get", "-o", "APT::Sandbox::User=root", *RETRIES, "download", package],
            timeout=600,
            cwd=folder,
        )
    except VioError as error:
        shutil.rmtree(folder, ignore_errors=True)
        error.todo = "Check the network and run 'apt-get update'."
        raise
    return next(folder.glob("*.deb"))


def _unpack(package_file, target):
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    proc.run(["dpkg-deb", "-x", str(package_file), str(target)], timeout=120)
    shutil.rmtree(package_file.parent)
    release = next((target / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")
    # The package leaves it to its installation to work out modules.dep.
    proc.run(["depmod", "-b", str(target), release], timeout=120)
    (target / "complete").touch()
    return target
