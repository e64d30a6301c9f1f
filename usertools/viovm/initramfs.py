# SPDX-License-Identifier: BSD-3-Clause
"""The guest's files: this machine's own, under the paths that they have here.

A file keeps its path and every symbolic link on the way to it. So a library that several names
lead to stays one file in the guest. That matters for DPDK: one driver under two names would be
loaded twice and register everything twice.
"""

import hashlib
import os
import pathlib

from . import cpio, elf
from .errors import VioError

OWN_FILES = pathlib.Path(__file__).parent / "guestfiles"
# Debian's merged /usr, and where the guest's start-up code mounts things.
LINKS = {
    "bin": "usr/bin",
    "sbin": "usr/sbin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "var/run": "/run",
}
FOLDERS = (
    *("dev", "proc", "sys", "run", "tmp", "root", "var"),
    *("usr/bin", "usr/sbin", "usr/lib", "usr/lib64"),
)
BUSYBOX_HOME = "/usr/bin/busybox"
KEPT_IMAGES = 8


class Initramfs:
    """Collects files, then writes them once as an archive named after their content."""

    def __init__(self):
        self._entries = {}  # guest path to (kind, source, mode)
        for name in FOLDERS:
            self._entries[name] = ("folder", "", 0o755)
        for name, target in LINKS.items():
            self._entries[name] = ("symlink", target, 0)

    def add(self, source, guest_path=None):
        """Add a file, or a folder with all below it, and the libraries that it loads."""
        source = pathlib.Path(os.path.abspath(source))
        if not source.exists():
            raise VioError(f"{source}: no such file to put into the guest")
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if not path.is_dir():
                    below = path.relative_to(source)
                    self.add(path, f"{guest_path}/{below}" if guest_path else None)
            return
        if guest_path is not None:
            self._add_copy(source, guest_path)
        else:
            self._add_in_place(source)
        real = source.resolve()
        if elf.is_elf(real):
            for library in elf.libraries(real):
                self._add_in_place(pathlib.Path(library))

    def text(self, guest_path, content, mode=0o644):
        """Add a small file out of a string."""
        self._parents(guest_path)
        self._entries[guest_path.lstrip("/")] = ("text", content, mode)

    def add_modules(self, files):
        """Add kernel modules, (file, parameters) each, and the list by which the guest loads them."""
        lines = []
        for file, parameters in files:
            name = f"/vio/modules/{file.name}"
            lines.append(f"{name} {parameters}\n")
            self._add_copy(file, name)
        self.text("/vio/modules.list", "".join(lines))

    def _add_copy(self, source, guest_path):
        self._parents(guest_path)
        real = source.resolve()
        mode = real.stat().st_mode & 0o777
        self._entries[guest_path.lstrip("/")] = ("file", str(real), mode)

    def _add_in_place(self, path):
        # The folders above are taken for what they really are; the name itself may be a link.
        path = path.parent.resolve() / path.name
        name = str(path).lstrip("/")
        if name in self._entries:
            return
        if path.is_symlink():
            self._parents(str(path))
            self._entries[name] = ("symlink", os.readlink(path), 0)
            self._add_in_place(path.parent / os.readlink(path))
        else:
            self._add_copy(path, str(path))

    def _parents(self, guest_path):
        for parent in reversed(pathlib.PurePath(guest_path.lstrip("/")).parents):
            if str(parent) != "." and str(parent) not in LINKS:
                self._entries.setdefault(str(parent), ("folder", "", 0o755))

    def _digest(self):
        digest = hashlib.sha256()
        for name, (kind, source, mode) in sorted(self._entries.items()):
            digest.update(repr((name, kind, source, mode)).encode())
            if kind == "file":
                status = os.stat(source)
                digest.update(repr((status.st_size, status.st_mtime_ns)).encode())
        return digest.hexdigest()[:16]

    def write(self, folder):
        """The archive's path below folder; written only if no equal one is there."""
        folder.mkdir(parents=True, exist_ok=True)
        image = folder / f"initramfs-{self._digest()}.cpio"
        if image.exists():
            image.touch()
            return image
        partial = image.with_suffix(f".{os.getpid()}")
        with open(partial, "wb") as stream:
            self._write_entries(cpio.Writer(stream))
        partial.rename(image)
        _prune(folder)
        return image

    def _write_entries(self, writer):
        # Sorted, a folder comes before what is in it.
        for name, (kind, source, mode) in sorted(self._entries.items()):
            if kind == "folder":
                writer.folder(name, mode)
            elif kind == "symlink":
                writer.symlink(name, source)
            elif kind == "text":
                writer.file(name, source.encode(), mode)
            else:
                writer.file(name, pathlib.Path(source).read_bytes(), mode)
        # The kernel wants a console for init before init can mount /dev.
        writer.character_device("dev/console", 5, 1)
        writer.close()


def _prune(folder):
    """Keep the few latest images; QEMU reads an image whole when it starts."""
    images = sorted(folder.glob("initramfs-*.cpio"), key=lambda path: path.stat().st_mtime)
    for image in images[:-KEPT_IMAGES]:
        image.unlink(missing_ok=True)


def base(busybox):
    """What every guest has: busybox and the start-up scripts."""
    image = Initramfs()
    image._add_copy(pathlib.Path(busybox), BUSYBOX_HOME)
    for script in ("init", "agent", "vio-bind"):
        home = {"init": "/init", "agent": "/vio/agent"}.get(script, f"/usr/sbin/{script}")
        image._add_copy(OWN_FILES / script, home)
    cache = pathlib.Path("/etc/ld.so.cache")
    if cache.exists():
        # So that the guest's loader finds every library where this machine's does.
        image._add_copy(cache, str(cache))
    return image


def marker_only(busybox, marker):
    """An image whose init writes a marker to the console and powers off."""
    image = Initramfs()
    image._add_copy(pathlib.Path(busybox), BUSYBOX_HOME)
    script = f"#!{BUSYBOX_HOME} sh\necho {marker}\n{BUSYBOX_HOME} poweroff -f\n"
    image.text("/init", script, 0o755)
    return image
