# SPDX-License-Identifier: BSD-3-Clause
"""A stock testpmd beside the VM, whose vhost-user sockets are the VM's devices."""

import contextlib
import subprocess
import time

from viovm import VioError, dpdk, proc

START_SECONDS = 20


@contextlib.contextmanager
def serve(run_dir, name, sockets, words, options, commands, within=lambda *words: list(words)):
    """Runs it until the block ends: with these words for EAL, its own options, and commands typed
    once the sockets are there. within: makes a command one that runs in a namespace."""
    eal = [*words, "--no-pci", "--no-huge", "-m", "256", "--no-telemetry"]
    log = run_dir.path / f"{name}.log"
    with open(log, "w", encoding="utf-8") as output:
        child = proc.spawn(
            within(
                proc.find(dpdk.STOCK_APP),
                *eal,
                f"--file-prefix=vio-{run_dir.name}-{name}",
                *("--", "-i", *options),
            ),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not all(path.exists() for path in sockets):
            if child.poll() is not None or time.monotonic() > deadline:
                raise VioError(f"no vhost-user device:\n{log.read_text()}")
            time.sleep(0.1)
        child.stdin.write(commands)
        child.stdin.flush()
        yield
    finally:
        child.stdin.close()
        proc.end(child)
        for path in sockets:
            path.unlink(missing_ok=True)
