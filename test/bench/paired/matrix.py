# SPDX-License-Identifier: BSD-3-Clause
"""What is not as usual, one thing at a time: small bursts, other rings, vio's instruction sets. Each
cell is short, as there are many."""

from types import SimpleNamespace

from . import cases, measure

RUNS = 3
SECONDS = 0.3
SERIES = {
    "bursts": ({"bursts": [1, 4], "small": True}, {"bursts": [8]}),
    "rings": ({"rings": [128, 512, 1024, 4096]},),
    "simd": ({"simd": ["scalar", "avx2", "avx512"]},),
    # The device writes the headers in either case, as it must where offloads are negotiated.
    "offloads": ({"offloads": "both", "touch": "header", "modes": ["rxonly"]},),
}


def _shorter(options, series):
    """The options of a series: never longer than what was asked for."""
    changed = {
        **vars(options),
        **{"rings": [256], "sizes": [60], "bursts": [32], "simd": ["auto"]},
        **{"offloads": "off", "small": False},
        **series,
        "runs": min(options.runs, RUNS),
        "seconds": min(options.seconds, SECONDS),
        "restarts": 1,
        "retries": min(options.retries, 1),
    }
    # EAL's limit decides whether AVX-512 may be chosen at all.
    if "avx512" in changed["simd"]:
        changed["bitwidth"] = 512
    return SimpleNamespace(**changed)


def run(lab, part, rows, options, progress):
    """Measure one part; results like those of the rows."""
    series = (_shorter(options, one) for one in SERIES[part])
    return [found for one in series for found in _run(lab, part, rows, one, progress)]


def _run(lab, part, rows, chosen, progress):
    setups = cases.setups(rows, chosen)
    before, lab.bitwidth = lab.bitwidth, chosen.bitwidth
    try:
        return measure.rows(lab, setups, chosen, lambda text: progress(f"{part}: {text}"))
    finally:
        lab.bitwidth = before
