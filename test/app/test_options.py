# SPDX-License-Identifier: BSD-3-Clause
"""Options: each slip is named, with what was found and what was expected, before EAL starts."""

import subprocess

import pytest
from apprun import BINARY, TIMEOUT

# option, value (None: left out), a word of what was expected
MALFORMED = [
    ("forward-mode", "teleport", "io, mac, macswap, 5tswap, rxonly, txonly, flowgen, csum, icmpecho, verify"),
    ("port-topology", "star", "paired, chained, loop"),
    ("nb-cores", "0", "from 1"),
    ("rxq", "-1", "from 0 to"),
    ("rxq", "99999", "from 0 to"),
    ("rxq", "", "a number"),
    ("txq", "two", "a number"),
    ("rxd", "70000", "65535"),
    ("txd", "12x", "a number"),
    ("burst", "513", "from 0 to 512"),
    ("mbuf-size", "64", "from 129"),
    ("total-num-mbufs", "99", "1.5 times --mbcache"),
    ("mbcache", "513", "from 0 to 512"),
    ("txpkts", "64,,64", "segment lengths"),
    ("txpkts", "64,", "segment lengths"),
    ("txpkts", "41", "from 42"),
    ("txpkts", "4000", "at most 2048"),
    ("txpkts", ",".join(["2048"] * 40), "65549"),
    ("txpkts", ",".join(["10"] * 256), "up to 255"),
    ("stats-period", "soon", "seconds"),
    ("duration", "-2", "seconds"),
    ("duration", "nan", "seconds"),
    ("packets", "1e6", "a number"),
    ("packets", "99999999999999999999", "a number"),
    ("rx-offloads", "0xzz", "hexadecimal"),
    ("tx-offloads", " 8", "hexadecimal"),
    ("max-pkt-len", "9 000", "a number"),
    ("eth-peer", "0", "an address"),
    ("eth-peer", "0,02:00:00:00:00", "an address"),
    ("eth-peer", "99,02:00:00:00:00:01", "port number up to 31"),
    ("json", "/no/such/folder/run.json", "a folder that exists"),
    ("json", None, "a file"),
    ("rxq", None, "a number"),
    ("nb-ports", "x", "a number from 0"),
    ("portmask", "0", "hexadecimal"),
    ("num-procs", "0", "from 1"),
    ("proc-id", "1", "less than --num-procs"),
    ("num-procs", "2", "a divisor of --rxq"),
    ("rate", "fast", "such as 1000000, 1.5Mpps or 10Gbps"),
    ("rate", "10Gb", "such as 1000000, 1.5Mpps or 10Gbps"),
    ("rate", "1e400", "such as 1000000"),
    ("rate", "5Mpps", "a mode that makes frames"),
    ("verify-role", "judge", "both, send, receive"),
    ("search-sizes", "60", "from 64"),
    ("search-loss", "101", "percent from 0 to 100"),
    ("search-resolution", "-1", "percent"),
    ("expect-loss", "none", "percent"),
    ("expect-pps", "1Gbps", "packets per second"),
    ("repeat", "0", "from 1"),
    ("warmup", "x", "seconds"),
    ("cmdline-file", "/no/such/file", "a file that can be read"),
]


def call(*options):
    return subprocess.run(
        [str(BINARY), "--no-such-eal-option", "--", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.mark.parametrize("option,value,expected", MALFORMED)
def test_malformed_value_is_named(option, value, expected):
    done = call(f"--{option}" if value is None else f"--{option}={value}")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert f"--{option}: found" in lines[0]
    assert "expected" in lines[0] and expected in lines[0]


@pytest.mark.parametrize("word", ["--teleport", "--teleport=3", "-z", "--r"])
def test_unknown_option_is_named(word):
    done = call(word)
    assert done.returncode == 2
    assert f"{word}: found an unknown option" in done.stderr.splitlines()[0]


def test_argument_of_a_flag_is_refused():
    done = call("--tx-first=3")
    assert done.returncode == 2
    assert "--tx-first=3: found an argument, expected none" in done.stderr


def test_stray_word_is_named():
    done = call("--rxq", "1", "fast", "--txq", "1")
    assert done.returncode == 2
    assert "fast: found a word that is no option" in done.stderr


@pytest.mark.parametrize(
    "options,name",
    [
        (("--rxq=0",), "--rxq: found '0'"),
        (("--txq=0",), "--txq: found '0'"),
        (("--forward-mode=rxonly", "--txq=0", "--tx-first"), "--txq: found '0'"),
        (("--forward-mode=verify", "--txpkts=59"), "--txpkts: found '59 bytes in all'"),
        (("--forward-mode=flowgen", "--txpkts=41,41"), "--txpkts: found 'first segment 41'"),
        (("--nb-ports=1", "--portmask=3"), "--nb-ports: found '--portmask as well'"),
    ],
)
def test_mode_without_its_queues_is_refused(options, name):
    done = call(*options)
    assert done.returncode == 2
    assert name in done.stderr


def test_help_lists_options_and_modes_without_eal():
    done = call("--help")
    assert done.returncode == 0
    for word in ("--port-topology NAME", "--record-core-cycles", "macswap", "(default 250)"):
        assert word in done.stdout


def test_options_in_force_are_in_the_document(run):
    done = run(
        ["net_null0"],
        "-a",
        "--forward-mode=txonly",
        "--txpkts=42,100",
        "--burst=7",
        "--port-topology=loop",
        "--eth-peer=3,02:00:00:00:00:09",
        "--rx-offloads=20",
        "--packets=5",
    )
    options = done.json["options"]
    assert options["forward-mode"] == "txonly"
    assert options["txpkts"] == [42, 100]
    assert options["burst"] == 7
    assert options["port-topology"] == "loop"
    assert options["eth-peer"] == {"3": "02:00:00:00:00:09"}
    assert options["rx-offloads"] == "0x20"
    assert options["auto-start"] is True
    assert options["tx-first"] is False
    assert options["mbcache"] == 250
