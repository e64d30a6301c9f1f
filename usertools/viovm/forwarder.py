# SPDX-License-Identifier: BSD-3-Clause
"""The application in the guest that passes frames on between its two ports."""

import json
import re

from . import dpdk
from .errors import GuestTimeout, VioError
from .prompt import Terminal

REPORT = "/tmp/vio-testpmd.json"
START_SECONDS = 60
COMMAND_SECONDS = 20
END_SECONDS = 30
NOT_STARTED = re.compile("Start ports failed|Fail to start port")


class OurApp:
    """vio-testpmd, which reports in JSON."""

    name = dpdk.OUR_APP

    @staticmethod
    def files(build_dir):
        return dpdk.our_app(build_dir)

    def __init__(self, vm, eal, options=""):
        self._vm = vm
        self._job = vm.start_job(
            f"rm -f {REPORT}; exec {dpdk.GUEST_APP} {eal} -- --auto-start --forward-mode=io"
            f" --stats-period=5 --duration=600 --json={REPORT} {options}"
        )

    def output(self):
        return self._job.output()

    def check(self):
        """VioError if it has ended."""
        if not self._job.running():
            raise VioError(f"{self.name} has ended in the guest:\n{self.output()}")

    def finish(self):
        """End it and return its report."""
        self.check()
        self._job.signal("INT")
        self._wait_end()
        try:
            return json.loads(self._vm.fetch(REPORT))
        except ValueError as error:
            raise VioError(f"{self.name}: its report {REPORT} is not JSON: {error}") from None

    def kill(self):
        """End it whatever state it is in."""
        self._job.stop()

    def _wait_end(self):
        try:
            status = self._job.wait(END_SECONDS)
        except GuestTimeout as error:
            raise VioError(f"{error}:\n{error.output}") from None
        if status != 0:
            raise VioError(f"{self.name}: exit status {status}:\n{self.output()}")


class StockApp(OurApp):
    """The distribution's testpmd, driven at its prompt."""

    name = dpdk.STOCK_APP

    @staticmethod
    def files(_build_dir):
        return dpdk.stock_app()

    def __init__(self, vm, eal, options=""):
        self._job = vm.start_job(
            f"exec {dpdk.stock_command()} {eal} -- -i --forward-mode=io --auto-start {options}",
            stdin=True,
        )
        self._terminal = Terminal(self._job)
        said = self._terminal.wait(START_SECONDS)
        if NOT_STARTED.search(said):
            self.kill()
            raise VioError(f"{self.name} could not start its ports:\n{said}")

    def command(self, line):
        """Type a line at the prompt, wait for the next prompt, and return what came between."""
        return self._terminal.command(line, COMMAND_SECONDS)

    def output(self):
        return self._terminal.output()

    def type(self, text):
        """Type, without waiting for anything."""
        self._job.write(text)

    def finish(self):
        """End it and return what it knows, in the form of vio-testpmd's report."""
        self.check()
        ports = [
            {f"{way}_queues": [{"burst_mode": self._burst_mode(way, port)}] for way in ("rx", "tx")}
            for port in (0, 1)
        ]
        self._job.write("stop\nquit\n")
        self._wait_end()
        return {"ports": ports}

    def _burst_mode(self, way, port):
        said = self.command(f"show {way}q info {port} 0")
        found = re.search(r"^Burst mode: (.*?)\s*$", said, re.MULTILINE)
        return found.group(1) if found else None  # net_virtio reports none


APPS = {app.name: app for app in (OurApp, StockApp)}
