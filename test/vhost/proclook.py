#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What /proc tells of a running process: the files that it has open, and where its threads are."""

import os
import re
import time

LOOK_SECONDS = 0.05
LOOKS_MAX = 40


def _files_now(pid):
    found = []
    folder = f"/proc/{pid}/fd"
    for fd in os.listdir(folder):
        try:
            found.append(re.sub(r"\d+", "N", os.readlink(f"{folder}/{fd}")))
        except FileNotFoundError:  # closed meanwhile
            pass
    return sorted(found)


def open_files(pid):
    """By names, numbers aside. EAL's interrupt thread closes its epoll descriptor and makes another
    one whenever it pleases: they are what two looks agree on."""
    seen = _files_now(pid)
    for _ in range(LOOKS_MAX):
        time.sleep(LOOK_SECONDS)
        before, seen = seen, _files_now(pid)
        if seen == before:
            break
    return seen


def threads(pid):
    """Where each thread is, in lines for a failure's message."""
    lines = []
    folder = f"/proc/{pid}/task"
    if not os.path.isdir(folder):
        return "no threads any more"
    for thread in sorted(os.listdir(folder), key=int):
        for name in "comm", "wchan", "syscall", "stack":
            try:
                with open(f"{folder}/{thread}/{name}", encoding="ascii", errors="replace") as f:
                    lines.append(f"thread {thread} {name}: {f.read().strip()}")
            except OSError as error:
                lines.append(f"thread {thread} {name}: {error.strerror}")
    return "\n".join(lines)
