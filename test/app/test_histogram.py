# SPDX-License-Identifier: BSD-3-Clause
"""Quantiles of latency: at most 1 % off, over the whole range."""

import math
import pathlib
import random
import subprocess

import pytest
from apprun import ROOT

FRACTIONS = [0.5, 0.9, 0.99, 0.999]


@pytest.fixture(scope="module")
def quantiles(tmp_path_factory):
    binary = tmp_path_factory.mktemp("histogram") / "histogram"
    folder = ROOT / "app" / "testpmd"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "libdpdk"], capture_output=True, text=True, check=True
    ).stdout.split()
    sources = [pathlib.Path(__file__).with_name("histogram_main.c"), folder / "histogram.c"]
    subprocess.run(
        ["cc", "-O1", "-fsanitize=address,undefined", *flags, f"-I{folder}", "-o", binary]
        + [*sources, "-lm"],
        check=True,
    )

    def go(values):
        done = subprocess.run(
            [binary, *map(str, FRACTIONS)],
            input="\n".join(map(str, values)),
            capture_output=True,
            text=True,
            check=True,
        )
        return [int(line) for line in done.stdout.split()]

    return go


def exact(values, fraction):
    return sorted(values)[math.ceil(fraction * len(values)) - 1]


@pytest.mark.parametrize("top", [1, 100, 255, 256, 257, 1 << 12, 1 << 30, (1 << 40) - 1])
def test_quantiles(quantiles, top):
    rng = random.Random(top)
    values = [rng.randint(top // 3, top) for _ in range(5000)]
    *found, count, highest = quantiles(values)
    assert (count, highest) == (5000, max(values))
    for fraction, value in zip(FRACTIONS, found, strict=True):
        assert value == pytest.approx(exact(values, fraction), rel=0.01)
        assert value <= highest


@pytest.mark.parametrize("power", range(1, 40))
def test_single_values_around_powers_of_two(quantiles, power):
    for value in ((1 << power) - 1, 1 << power, (1 << power) * 4 // 3):
        assert quantiles([value, value + 10**12])[0] == pytest.approx(value, rel=0.005)


def test_none_and_too_large(quantiles):
    assert quantiles([]) == [0, 0, 0, 0, 0, 0]
    assert quantiles([1 << 50])[-1] == 1 << 50
