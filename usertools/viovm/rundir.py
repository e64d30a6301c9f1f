# SPDX-License-Identifier: BSD-3-Clause
"""A folder per run, locked while the run lives, so that a later run can sweep up after a dead one.

The lock is the kernel's (flock): it goes away with its process, however that ended, and unlike a
recorded pid it cannot belong to somebody else by now.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import tempfile

from . import proc
from .errors import VioError

NETNS_FOLDER = pathlib.Path("/run/netns")


def _base():
    if os.geteuid() == 0:
        return pathlib.Path("/run/vio-vm")
    folder = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return pathlib.Path(folder) / f"vio-vm-{os.geteuid()}"


@contextlib.contextmanager
def _locked(base):
    """Keep sweepers off a folder that is made but not locked yet."""
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(base / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove(folder):
    """Remove what a run named after its folder: its network namespaces, then the folder."""
    if NETNS_FOLDER.is_dir():
        for namespace in NETNS_FOLDER.glob(f"vio-{folder.name}-*"):
            proc.run(["ip", "netns", "delete", namespace.name])
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(base):
    swept = []
    for folder in base.iterdir():
        if not folder.is_dir():
            continue
        with open(folder / "lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its run lives
            # One leftover that resists must not keep every later run from starting.
            with contextlib.suppress(VioError):
                _remove(folder)
            swept.append(folder.name)
    return swept


class RunDir:
    """`path` is the folder, `name` the part that makes names of this run unique on the machine."""

    def __init__(self):
        base = _base()
        with _locked(base):
            self.swept = _sweep(base)
            self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
            self._lock = open(self.path / "lock", "a")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.name = self.path.name

    def close(self):
        _remove(self.path)
        self._lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
