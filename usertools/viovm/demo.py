# SPDX-License-Identifier: BSD-3-Clause
"""vio-demo: real TCP traffic between two hosts, through a VM that forwards it."""

import argparse
import contextlib
import json
import os
import pathlib
import sys

from . import accel, dpdk, report, signals, traffic
from .errors import VioError
from .forwarder import APPS
from .netns import Lan
from .nic import Nic
from .progress import Progress
from .rundir import RunDir
from .vm import Vm

PREFIX = "198.18.0"  # the range that is set aside for benchmarks (RFC 2544)
HOSTS = ("host 1", "host 2")
DRIVERS = ("net_vio", "net_virtio")
PINGS = 100
# TCP fills whatever queue it finds until it runs over, and here that is the ring of 256 descriptors
# out of the guest. It may have half of its receive buffer under way: 256 KiB, 176 full frames. So
# no queue runs over, and a lost frame is a fault, not congestion. Larger buffers carry more at
# times, and lose frames at the ring, which TCP repairs.
TCP_BUFFER = 512 << 10


def parse(arguments):
    parser = argparse.ArgumentParser(prog="vio-demo", description=__doc__.split(": ", 1)[1])
    add = parser.add_argument
    add("--build-dir", default="build", metavar="DIR", help="where vio is built (%(default)s)")
    add("--app", choices=APPS, default=dpdk.OUR_APP, help="what forwards (%(default)s)")
    add("--driver", choices=DRIVERS, default=DRIVERS[0], help="what drives the NICs (%(default)s)")
    add("--nic", default="", metavar="OPTION=VALUE,...", help="for both NICs, as in vio-vm --help")
    add("--accel", choices=accel.CHOICES, default="auto", help="as in vio-vm --help")
    add("--seconds", type=int, default=5, metavar="S", help="of iperf3 each way (%(default)s)")
    add("--file-mib", type=int, default=64, metavar="MIB", help="size of the file (%(default)s)")
    add("--json", metavar="FILE", help="write the result to a file, too")
    return parser.parse_args(arguments)


def demo(options, progress):
    """The whole demo; the result as a dictionary. Whatever it makes is gone when it returns."""
    app = APPS[options.app]
    ours = options.driver == "net_vio"
    files = dpdk.plugins() + app.files(options.build_dir)
    if ours:
        files += dpdk.our_driver(options.build_dir)
    with contextlib.ExitStack() as made:
        run_dir = made.enter_context(RunDir())
        if run_dir.swept:
            progress(f"removed what {len(run_dir.swept)} killed run(s) left behind")
        progress(f"making two hosts, {PREFIX}.1 and {PREFIX}.2")
        lan = made.enter_context(Lan(run_dir))
        addresses = [lan.address(i, PREFIX) for i in range(2)]
        for host in lan.hosts:
            host.set("ipv4/tcp_rmem", f"4096 {TCP_BUFFER} {TCP_BUFFER}")
        extra = f",{options.nic}" if options.nic else ""
        vm = Vm(
            [Nic.parse(f"tap={lan.tap(i)}{extra}") for i in range(2)],
            build_dir=options.build_dir,
            files=files,
            accel_choice=options.accel,
            netns=lan.wire.name,
            progress=progress,
        )
        made.enter_context(vm)
        progress(f"starting {app.name} with {options.driver} in the guest")
        forwarder = app(vm, dpdk.eal_options([vm.nics[i].pci_address(i) for i in range(2)], ours))
        try:
            traffic.wait_reachable(lan.hosts[0], addresses[1], 30)
        except VioError:
            forwarder.check()
            raise
        result = carry(options, lan, addresses, run_dir.path, progress)
        progress(f"ending {app.name}")
        ports = report.ports_of(forwarder.finish())
        how = {"kvm": "KVM", "tcg": "software emulation"}[vm.accel]
    return {"app": app.name, "driver": options.driver, "accel": how, **result, "ports": ports}


def carry(options, lan, addresses, folder, progress):
    """All the traffic; what arrived of it."""
    before = _counters(lan)
    progress(f"{PINGS} pings")
    pings = traffic.ping(lan.hosts[0], addresses[1], PINGS, 30)
    rates = []
    with traffic.iperf_server(lan.hosts[1]):
        for reverse in (False, True):
            source, target = HOSTS[::-1] if reverse else HOSTS
            progress(f"iperf3, TCP, {options.seconds} s, {source} to {target}")
            rates.append(traffic.iperf(lan.hosts[0], addresses[1], options.seconds, reverse))
            progress(f"    {rates[-1].mbit_per_s:,.0f} Mbit/s")
    progress(f"a file of {options.file_mib} MiB, {HOSTS[0]} to {HOSTS[1]}")
    file = traffic.send_file(*lan.hosts, addresses[1], folder, options.file_mib << 20, 120)
    after = _settled_counters(lan)
    moved = [{key: a[key] - b[key] for key in a} for a, b in zip(after, before)]
    return {
        "ways": [
            {
                "from": HOSTS[source],
                "to": HOSTS[1 - source],
                "sent": moved[source]["sent"],
                "arrived": moved[1 - source]["arrived"],
                "lost": moved[source]["sent"] - moved[1 - source]["arrived"],
                **report.as_dict(rates[source]),
            }
            for source in range(2)
        ],
        "ping": report.as_dict(pings),
        "file": report.as_dict(file),
    }


def _counters(lan):
    """Frames that each host has sent and that have arrived there."""
    counters = [host.counters("eth0") for host in lan.hosts]
    return [{"sent": c["tx"]["packets"], "arrived": c["rx"]["packets"]} for c in counters]


def _settled_counters(lan):
    """The counters once nothing is under way any more: equal twice, at most 5 s later."""
    last = None
    for _ in range(10):
        now = _counters(lan)
        if now == last:
            break
        last = now
        lan.hosts[0].run("sleep", "0.5")
    return now


def main(arguments=None):
    options = parse(arguments)
    if os.geteuid() != 0:
        print(
            "vio-demo: needs root to make network namespaces and taps\n"
            "  Run it again as: sudo usertools/vio-demo",
            file=sys.stderr,
        )
        return 2
    signals.exit_on_signals()
    try:
        result = demo(options, Progress())
    except VioError as error:
        print(f"vio-demo: {error}", file=sys.stderr)
        return 2
    result["complete"] = report.complete(result)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent="\t") + "\n")
    print(f"\n{report.table(result)}\n")
    for line in report.failures(result):
        print(f"vio-demo: {line}", file=sys.stderr)
    print("everything arrived" if result["complete"] else "NOT everything arrived")
    return 0 if result["complete"] else 1
