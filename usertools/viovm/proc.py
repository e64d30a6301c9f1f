# SPDX-License-Identifier: BSD-3-Clause
"""Child processes that are bounded in time and never outlive this one."""

import shutil
import signal
import subprocess

from .errors import VioError

# The Debian package of each program that is called, for the error message.
PACKAGES = {
    "apt-cache": "apt",
    "apt-get": "apt",
    "busybox": "busybox-static",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "iperf3": "iperf3",
    "ldd": "libc-bin",
    "ping": "iputils-ping",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
}

# Root's tools are missing from the PATH of many users.
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def find(program):
    """The path of a program of the distribution; VioError names the package that holds it."""
    path = shutil.which(program, path=SEARCH_PATH)
    if path is None:
        package = PACKAGES.get(program, program)
        raise VioError(f"{program}: not found", f"Install it: apt-get install {package}")
    return path


def run(args, timeout=30, **options):
    """Run to its end and return standard output; VioError on failure or after timeout seconds."""
    args = [find(args[0]), *args[1:]]
    try:
        done = subprocess.run(args, capture_output=True, text=True, timeout=timeout, **options)
    except subprocess.TimeoutExpired:
        raise VioError(f"{' '.join(args)}: no end after {timeout} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise VioError(f"{' '.join(args)}: exit status {done.returncode}: {said}")
    return done.stdout


def spawn(args, **options):
    """Start a child that the kernel kills when this process dies, however it dies.

    It gets a session of its own unless told otherwise, so that a terminal's Ctrl-C reaches only
    this process, which then ends its children in order. Call it from the main thread: the
    kernel's "parent" is the thread.
    """
    options.setdefault("start_new_session", True)
    args = [find("setpriv"), "--pdeathsig", "KILL", find(args[0]), *args[1:]]
    return subprocess.Popen(args, **options)


def end(child, patience=5):
    """End a child by its pid: ask, wait for patience seconds, then kill."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(patience)
