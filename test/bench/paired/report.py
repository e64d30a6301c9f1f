# SPDX-License-Identifier: BSD-3-Clause
"""The results for people (aligned tables, Markdown) and for programs (JSON)."""

import json

from . import app, matrix, recovery
from .processes import OURS, THEIRS

ROW_HEAD = ("features", "mode", "vio", "net_virtio", "ratio", "goal", "met", "spread of ratio")
ROW_HEAD += ("vio Mpps", "net_virtio Mpps")
LOOP_HEAD = ("path", "ring", "bytes", "vio", "net_virtio", "ratio", "spread of ratio")
LOOP_HEAD += ("vio cycles", "net_virtio cycles")
VM_HEAD = ("features", "mode", "vio", "net_virtio", "ratio", "spread of ratio")
FLOOR_HEAD = ("bare ring", "busy", "wall")


def _goal(result):
    if result["goal"] is None:
        return "", ""
    return f"{result['goal']:g}", "yes" if result["met"] else "NO"


def _spread(result, key):
    low, high = result[f"{key}_ratio_of_pairs"]
    return f"{low:.2f}..{high:.2f}"


def _figure(result, which, key, digits=1):
    return f"{result[which][key]['median']:.{digits}f}"


def row_lines(results):
    """Cycles a packet, by row and mode."""
    for r in results:
        yield (
            r["title"],
            r["mode"],
            _figure(r, OURS, "cycles"),
            _figure(r, THEIRS, "cycles"),
            f"{r['cycles_ratio']:.2f}",
            *_goal(r),
            _spread(r, "cycles"),
            _figure(r, OURS, "mpps"),
            _figure(r, THEIRS, "mpps"),
        )


def loop_lines(results):
    """Frames a second that came back, by path and length."""
    for r in results:
        yield (
            r["title"],
            str(r["ring"]),
            str(r["size"]),
            _figure(r, OURS, "mpps", 2),
            _figure(r, THEIRS, "mpps", 2),
            f"{r['mpps_ratio']:.2f}",
            _spread(r, "mpps"),
            _figure(r, OURS, "cycles"),
            _figure(r, THEIRS, "cycles"),
        )


def vm_lines(results):
    """Packets a second in a VM."""
    for r in results:
        yield (
            r["title"],
            r["mode"],
            _figure(r, OURS, "mpps", 2),
            _figure(r, THEIRS, "mpps", 2),
            f"{r['mpps_ratio']:.2f}",
            _spread(r, "mpps"),
        )


def floor_lines(results):
    """Cycles a descriptor."""
    for r in results:
        yield r["case"], f"{r['busy']:.1f}", f"{r['wall']:.1f}"


def _is_number(text):
    return text[:1].isdigit() or text == ""


def table(head, lines):
    """Columns aligned: words to the left, figures to the right."""
    lines = [tuple(line) for line in lines]
    widths = [max(map(len, column)) for column in zip(head, *lines)]
    right = [all(_is_number(line[i]) for line in lines) for i in range(len(head))]
    for line in (head, *lines):
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right)
        ]
        yield "  ".join(cells).rstrip()


def markdown(head, lines):
    """The same as a table of Markdown."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def path_lines(results):
    """Which path each driver ran; once for each setup."""
    seen = {}
    for r in results:
        name = r["title"].split(", burst")[0]
        seen.setdefault(name, r["paths"])
    for name, ran in seen.items():
        for which in THEIRS, OURS:
            for way, said in zip(("receive", "transmit"), ran[which]):
                yield name, which, way, said


def disturbed(results):
    """(disturbed runs, all runs)."""
    runs = [run for r in results for which in (OURS, THEIRS) for run in r[which]["runs"]]
    return sum(run["disturbed"] for run in runs), len(runs)


def _across(results, what, chosen, other):
    """Our cycles of two settings of one thing, where all else is the same."""
    same = [key for key in ("features", "mode", "ring", "size", "burst", "simd", "offloads")]
    same.remove(what)
    found = {}
    for r in results:
        found.setdefault(tuple(r[key] for key in same), {})[r[what]] = r[OURS]["cycles"]["median"]
    for at, by_value in found.items():
        if chosen in by_value and other in by_value:
            yield f"{at[0]} {at[1]}", by_value[chosen], by_value[other]


def extra_goals(results):
    """What the goals say of our own variants, where they were measured."""
    for name, avx2, avx512 in _across(results, "simd", "avx2", "avx512"):
        if name.startswith("packed"):
            met = "yes" if avx2 <= 1.25 * avx512 else "NO"
            yield f"{name}: avx2 takes {avx2 / avx512:.2f} of avx512's cycles; goal 1.25: {met}"
    for name, on, off in _across(results, "offloads", True, False):
        met = "yes" if on - off <= 6 else "NO"
        yield f"{name}: offloads cost {on - off:+.1f} cycles a packet; goal 6: {met}"


def print_rows(results, say):
    """The table of the rows, and below it what there is to know about it."""
    say("\ncycles per packet, and million packets a second; medians")
    for line in table(ROW_HEAD, row_lines(results)):
        say(line)
    goals = [r for r in results if r["goal"] is not None]
    if goals:
        say(f"\n{sum(r['met'] for r in goals)} of {len(goals)} goals met")
    for line in extra_goals(results):
        say(line)
    say("\npaths")
    for line in table(("features", "driver", "way", "path"), path_lines(results)):
        say(line)


def print_loopback(results, say):
    """The table of the loopback."""
    say("\nloopback: million frames a second that came back to vhost, and the driver's cycles")
    for line in table(LOOP_HEAD, loop_lines(results)):
        say(line)
    won = sum(r["mpps_ratio"] >= 1 for r in results)
    say(f"\n{won} of {len(results)} not below net_virtio")


def print_vm(results, say):
    """The table of the VM."""
    say(f"\nVM ({results[0]['accel']}): million packets a second")
    for line in table(VM_HEAD, vm_lines(results)):
        say(line)


def write_json(path, everything):
    """All figures, of each single run too."""
    path.write_text(json.dumps(everything, indent=1) + "\n")


def write_markdown(path, everything):
    """The tables of a document."""
    machine = everything["machine"]
    text = [
        f"{machine['when']}, {machine['cpu']}, {machine['mhz']} MHz"
        f"{', virtual' if machine['virtual'] else ''}, DPDK {machine['dpdk']}, "
        f"kernel {machine['kernel']}; medians of {everything['settings']['runs']} runs of "
        f"{everything['settings']['seconds']:g} s."
    ]
    for name, head, lines in (
        ("floor", FLOOR_HEAD, floor_lines),
        ("rows", ROW_HEAD, row_lines),
        ("loopback", LOOP_HEAD, loop_lines),
        ("app", app.HEAD, app.lines),
        ("recovery", recovery.HEAD, recovery.lines),
        *((part, ROW_HEAD, row_lines) for part in matrix.SERIES),
        ("vm", VM_HEAD, vm_lines),
    ):
        if everything[name]:
            text += ["", *markdown(head, lines(everything[name]))]
    path.write_text("\n".join(text) + "\n")
