# SPDX-License-Identifier: BSD-3-Clause
"""Bar charts by gnuplot, as SVG. Their data and scripts stay beside them."""

import shutil
import subprocess

from . import matrix
from .processes import BenchError, OURS, THEIRS

SECONDS = 60

SCRIPT = """\
set terminal svg size {width},520 noenhanced font 'sans-serif,12' background 'white'
set output '{name}.svg'
set title '{title}'
set ylabel '{unit}'
set yrange [0:*]
set style data histogram
set style histogram clustered gap 1 errorbars linewidth 1
set style fill solid border rgb '#404040'
set boxwidth 0.9
set xtics rotate by 40 right scale 0
set grid ytics
set key outside top center horizontal
set bmargin 10
set lmargin 16
plot '{name}.dat' using 2:3:4:xtic(1) title 'vio' linecolor rgb '#2a6f97', \\
     '' using 5:6:7 title 'net_virtio' linecolor rgb '#d9a441'
"""


def _row_label(result):
    """Short: the features' name, and what is not as usual."""
    unusual = result["title"].removeprefix(result["usual_title"])
    return f"{result['features']}{unusual} {result['mode']}"


def _loop_label(result):
    return f"{result['title']} {result['size']}, ring {result['ring']}"


def _vm_label(result):
    return f"{result['title']} {result['mode']}"


def _data(results, label, key):
    """A line for each pair of bars: label, and median, least and most of either driver."""
    for r in results:
        figures = [r[which][key][stat] for which in (OURS, THEIRS) for stat in ("median", "min", "max")]
        yield f'"{label(r)}" ' + " ".join(f"{figure:.3f}" for figure in figures)


def _chart(folder, name, title, unit, lines):
    lines = list(lines)
    (folder / f"{name}.dat").write_text("\n".join(lines) + "\n")
    script = folder / f"{name}.gp"
    width = max(640, 160 + 60 * len(lines))
    script.write_text(SCRIPT.format(name=name, title=title, unit=unit, width=width))
    done = subprocess.run(
        ["gnuplot", script.name],
        cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False,
    )
    if done.returncode != 0:
        raise BenchError(f"gnuplot {script}: {done.stderr.strip()}")
    return folder / f"{name}.svg"


def draw(folder, everything):
    """Draw what there is; the charts' paths, None where there is no gnuplot."""
    charts = []
    if not shutil.which("gnuplot"):
        return None
    if everything["rows"]:
        lines = _data(everything["rows"], _row_label, "cycles")
        charts.append(_chart(folder, "cycles", "Null device", "cycles per packet", lines))
    if everything["loopback"]:
        lines = _data(everything["loopback"], _loop_label, "mpps")
        unit = "million frames a second"
        charts.append(_chart(folder, "loopback", "Loopback with DPDK vhost", unit, lines))
    for part in matrix.SERIES:
        if everything[part]:
            lines = _data(everything[part], _row_label, "cycles")
            charts.append(_chart(folder, part, f"Null device: {part}", "cycles per packet", lines))
    if everything["vm"]:
        lines = _data(everything["vm"], _vm_label, "mpps")
        charts.append(_chart(folder, "vm", "Virtual machine", "million packets a second", lines))
    return charts
