# SPDX-License-Identifier: BSD-3-Clause
"""vio-vm: a VM with virtio NICs, at the command line."""

import argparse
import shlex
import sys

from . import accel, dpdk, signals
from .errors import GuestTimeout, VioError
from .nic import SPEC_HELP, Nic
from .progress import Progress
from .vm import Vm

EPILOG = f"""
A NIC (--nic) is {SPEC_HELP}

Without --nic the VM has two NICs that are wired to each other. They are bound to vfio-pci, behind
an emulated IOMMU; with --no-iommu to uio_pci_generic, without one. Without a COMMAND there is a shell on this terminal.

The guest has busybox, {dpdk.STOCK_APP}, and from the build folder, once built,
{dpdk.GUEST_DRIVER} and {dpdk.OUR_APP}.

examples:
  vio-vm
  vio-vm --nic tap=tap0 --nic tap=tap1,packed=off,rx_queue_size=1024
  vio-vm --nic vhost-user=/run/vhost.sock,queues=4
  vio-vm --no-iommu --nic hub=0,disable-modern=on --nic hub=0,disable-legacy=off
  vio-vm --add ./my-program:/usr/local/bin/my-program -- my-program --help
"""


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="vio-vm",
        usage="vio-vm [OPTION...] [-- COMMAND [ARGUMENT...]]",
        description="Boots a VM with virtio NICs, made of this machine's own packages.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--nic", action="append", metavar="SPEC", help="a NIC, see below; repeatable")
    add(
        "--add",
        action="append",
        default=[],
        metavar="PATH[:GUESTPATH]",
        help="put a file or folder, with the libraries it loads, into the guest; repeatable",
    )
    add(
        "--pmd",
        action="append",
        default=[],
        metavar="NAME",
        help=f"a further DPDK driver, such as net_vhost (always: {', '.join(dpdk.PLUGINS)})",
    )
    add("--cpus", type=int, default=2, help="virtual CPUs (%(default)s)")
    add("--memory", type=int, default=1024, metavar="MIB", help="guest memory (%(default)s MiB)")
    add("--hugepages", type=int, default=256, metavar="N", help="2 MiB pages (%(default)s)")
    add(
        "--accel",
        choices=accel.CHOICES,
        default="auto",
        help="auto: KVM if a short trial boot shows that it works here, else software emulation",
    )
    add("--no-iommu", dest="iommu", action="store_false", help="a machine without an IOMMU")
    add("--build-dir", default="build", metavar="DIR", help="cache and builds (%(default)s)")
    add(
        "--timeout",
        type=float,
        default=600,
        metavar="S",
        help="the COMMAND's bound in seconds (%(default)s)",
    )
    add("--quiet", action="store_true", help="no progress lines")
    add("command", nargs="*", metavar="COMMAND", help="run in the guest, then power off")
    return parser.parse_args(arguments)


def _files(options):
    files = dpdk.plugins([*dpdk.PLUGINS, *options.pmd]) + dpdk.stock_app()
    if dpdk.our_driver_path(options.build_dir).exists():
        files += dpdk.our_driver(options.build_dir)
    if dpdk.our_app_path(options.build_dir).exists():
        files += dpdk.our_app(options.build_dir)
    for name in options.add:
        source, _, guest_path = name.partition(":")
        files.append((source, guest_path or None))
    return files


def _show(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def _run(options, progress):
    vm = Vm(
        [Nic.parse(spec) for spec in options.nic or ("hub=0", "hub=0")],
        build_dir=options.build_dir,
        files=_files(options),
        accel_choice=options.accel,
        cpus=options.cpus,
        memory=options.memory,
        hugepages=options.hugepages,
        iommu=options.iommu,
        progress=progress,
    )
    if not options.command:
        if not sys.stdin.isatty():
            raise VioError(
                "a shell wants a terminal on standard input", "Give a command: vio-vm -- COMMAND"
            )
        return vm.interactive()
    with vm:
        # One word is taken as a line of shell, several as a command and its arguments.
        words = options.command
        command = words[0] if len(words) == 1 else shlex.join(words)
        return vm.run(command, options.timeout, _show)[0]


def main(arguments=None):
    options = parse(arguments)
    if options.command:
        signals.exit_on_signals()
    try:
        return _run(options, Progress(options.quiet))
    except GuestTimeout as error:
        print(f"vio-vm: {error}", file=sys.stderr)
        return 124
    except VioError as error:
        print(f"vio-vm: {error}", file=sys.stderr)
        return 1
