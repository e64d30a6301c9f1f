# SPDX-License-Identifier: BSD-3-Clause
"""Every document is what doc/vio-testpmd.schema.json says, and the schema says something."""

import copy
import json

import jsonschema
import pytest
from apprun import ROOT

SCHEMA = json.loads((ROOT / "doc" / "vio-testpmd.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

RUNS = {
    "plain": (["net_null0", "net_null1"], ["--packets=100"]),
    "recorded": (
        ["net_ring0"],
        ["--tx-first", "--packets=100", "--record-core-cycles", "--record-burst-stats"],
    ),
    "idle": (["net_ring0"], ["--duration=0.1", "--record-core-cycles", "--eth-peer=0,02:00:00:00:00:01"]),
    "repeated": (["net_null0"], ["--packets=10", "--repeat=2", "--expect-pps=1", "--expect-loss=1"]),
    "verified": (["net_ring0"], ["--forward-mode=verify", "--packets=100", "--rate=1Gbps"]),
    "csum": (["net_null0"], ["--forward-mode=csum", "--packets=10"]),
    "searched": (
        ["net_ring0"],
        ["--search", "--search-time=0.1", "--search-sizes=64", "--search-resolution=50"],
    ),
}


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("vdevs,options", RUNS.values(), ids=RUNS)
def test_document(run, vdevs, options):
    VALIDATOR.validate(run(vdevs, *options).json)


def test_document_of_the_prompt(run):
    done = run(["net_null0"], "-i", typed="start\nstop\nquit\n")
    VALIDATOR.validate(done.json)
    assert done.json["options"]["interactive"]


def broken(document):
    """One thing wrong each."""
    for key in document:
        less = copy.deepcopy(document)
        del less[key]
        yield f"without {key}", less
    for path, value in (
        (["more"], 1),
        (["duration"], "1"),
        (["ended_by"], "fatigue"),
        (["options", "rxq"], None),
        (["ports", 0, "mac"], "none"),
        (["ports", 0, "rx_queues", 0, "packets"], -1),
        (["ports", 0, "xstats", "x"], "y"),
        (["verify", "flows", 0, "lost"], 0.5),
        (["verify", "round_trip", "p50_ns"], None),
        (["runs", 0, "loss_percent"], None),
    ):
        wrong = copy.deepcopy(document)
        place = wrong
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        yield f"{path} is {value}", wrong


def test_schema_refuses_what_is_wrong(run):
    document = run(*[RUNS["verified"][0], *RUNS["verified"][1]]).json
    VALIDATOR.validate(document)
    for what, wrong in broken(document):
        assert not VALIDATOR.is_valid(wrong), what
