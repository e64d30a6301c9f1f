# SPDX-License-Identifier: BSD-3-Clause
"""The shared libraries that a program or a library loads."""

import pathlib
import re
import subprocess

from . import proc
from .errors import VioError


def libraries(path):
    """Paths of all shared libraries, the loader included, as this machine's loader finds them."""
    done = subprocess.run(
        [proc.find("ldd"), str(path)], capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        if "not a dynamic executable" in done.stderr + done.stdout:
            return []
        raise VioError(f"ldd {path}: {done.stderr.strip()}")
    missing = re.findall(r"^\s*(\S+) => not found", done.stdout, re.MULTILINE)
    if missing:
        raise VioError(
            f"{path}: needs {', '.join(missing)}, which the loader does not find",
            "Install what holds it, or set LD_LIBRARY_PATH.",
        )
    found = re.findall(r"(?:^\s*|=> )(/\S+)", done.stdout, re.MULTILINE)
    # What the C library loads only when a thread is cancelled, and aborts without.
    beside = {pathlib.Path(name).with_name("libgcc_s.so.1") for name in found if "/libc.so" in name}
    return found + [str(path) for path in beside if path.exists()]


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
