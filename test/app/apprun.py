# SPDX-License-Identifier: BSD-3-Clause
"""One run of vio-testpmd on virtual devices: its command line, and what it said."""

import itertools
import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIO_BUILD", ROOT / "build")).resolve()
BINARY = BUILD / "app" / "testpmd" / "vio-testpmd"
WORKERS = 2

# No run of these tests takes longer, whatever goes wrong.
TIMEOUT = 30

run_numbers = itertools.count()


def new_prefix():
    return f"vio-app-{os.getpid()}-{next(run_numbers)}"


def eal_arguments(vdevs, memory=128, telemetry=False, files=False, prefix=None):
    """Own prefix and no files: runs cannot meet. Every lcore may use every CPU."""
    last = os.cpu_count() - 1
    cpus = f"(0-{last})" if last else "0"
    arguments = ["--no-pci", "-m", str(memory)]
    arguments += [] if files else ["--in-memory"]
    arguments += [] if telemetry else ["--no-telemetry"]
    arguments += ["--file-prefix", prefix or new_prefix()]
    arguments += ["--lcores", ",".join(f"{lcore}@{cpus}" for lcore in range(WORKERS + 1))]
    for vdev in vdevs:
        arguments += ["--vdev", vdev]
    return arguments


class Result:
    """A finished run: exit status, both outputs, and the JSON document if there is one."""

    def __init__(self, status, out, err, json_path):
        self.status, self.out, self.err = status, out, err
        self.text = out + err
        self.json = json.loads(json_path.read_text()) if json_path.exists() else None

    def sum(self, way, key):
        """One figure over all queues of all ports; way is rx or tx."""
        ports = self.json["ports"]
        return sum(queue[key] for port in ports for queue in port[f"{way}_queues"])


def read_until(process, words):
    """Reads stderr up to the line with these words, at the latest to its end."""
    said = ""
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"ended without saying '{words}':\n{said}")


def undisturbed(measured):
    """The machine may take the CPU away, most of all at the end of a run: two runs of three are to
    be as they should, as with a median."""
    runs = [measured(), measured()]
    assert any(runs) and (all(runs) or measured())
