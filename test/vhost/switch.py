#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Open vSwitch with DPDK, Debian's own, with its data base, sockets and network device in the test's
folder and in a network namespace of its own."""

import os
import re
import subprocess
import time

VSWITCHD = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
SECONDS = 30
MEMORY_MIB = 256


class Switch:
    """Use as a context: the daemons end with the block."""

    def __init__(self, folder, plugin, cpu):
        self.folder, self.plugin, self.cpu = folder, plugin, cpu
        self.environment = {**os.environ, "OVS_RUNDIR": folder, "OVS_LOGDIR": folder}
        self.environment.update(OVS_DBDIR=folder, OVS_SYSCONFDIR=folder)
        self.log = os.path.join(folder, "ovs-vswitchd.log")
        self.daemons = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(SECONDS)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def _run(self, *argv):
        done = subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}{self.tail()}"
        return done.stdout

    def _daemon(self, *argv):
        with open(os.path.join(self.folder, "daemons.log"), "ab") as log:
            daemon = subprocess.Popen(argv, env=self.environment, stdout=log, stderr=log)
        self.daemons.append(daemon)

    def _await(self, condition, what):
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not in {SECONDS} s\n{self.tail()}"
            time.sleep(0.05)

    def _start(self):
        database, socket = (os.path.join(self.folder, name) for name in ("conf.db", "db.sock"))
        self.socket = f"unix:{socket}"
        self._run("ovsdb-tool", "create", database, SCHEMA)
        self._daemon("ovsdb-server", f"--remote=punix:{socket}", database)
        self._await(lambda: os.path.exists(socket), "ovsdb-server")
        extra = f"-d {self.plugin} --in-memory --no-pci --single-file-segments --no-telemetry"
        self.vsctl("--no-wait", "init")
        self.vsctl(
            *("--no-wait", "set", "Open_vSwitch", "."),
            *("other_config:dpdk-init=true", f"other_config:dpdk-extra={extra}"),
            *(f"other_config:dpdk-alloc-mem={MEMORY_MIB}", "other_config:per-port-memory=true"),
            *(f"other_config:pmd-cpu-mask={1 << self.cpu:#x}",),
            *(f"other_config:dpdk-lcore-mask={1 << self.cpu:#x}",),
        )
        self._daemon("unshare", "--net", VSWITCHD, self.socket, f"--log-file={self.log}")
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev")

    def tail(self, lines=60):
        """The last lines of the log, for a failure's message."""
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def vsctl(self, *words):
        return self._run("ovs-vsctl", f"--db={self.socket}", f"--timeout={SECONDS}", *words)

    def add_port(self, name, devargs):
        """Adds a port of DPDK to the bridge; it must come up."""
        self.vsctl(
            *("add-port", "br0", name, "--", "set", "Interface", name, "type=dpdk"),
            f"options:dpdk-devargs={devargs}",
        )
        assert self.vsctl("get", "Interface", name, "error").strip() == "[]", self.tail()
        self._await(lambda: "up" in self.vsctl("get", "Interface", name, "link_state"), name)

    def flows(self, *flows):
        """Replaces all flows of the bridge."""
        bridge = f"unix:{self.folder}/br0.mgmt"
        self._run("ovs-ofctl", "del-flows", bridge)
        for flow in flows:
            self._run("ovs-ofctl", "add-flow", bridge, flow)

    def packets(self, name):
        """(received, sent) by the port's own counters, asked for now."""
        text = self._run("ovs-ofctl", "dump-ports", f"unix:{self.folder}/br0.mgmt", name)
        return tuple(int(re.search(rf"{way} pkts=(\d+)", text)[1]) for way in ("rx", "tx"))

    def status(self, name):
        """What the port tells of its driver."""
        return self.vsctl("get", "Interface", name, "status")
