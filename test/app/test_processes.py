# SPDX-License-Identifier: BSD-3-Clause
"""Several processes that share the queues of the ports, and ports chosen among many."""

import pathlib
import signal

import pytest
from apprun import new_prefix

FOUR = [f"net_null{port}" for port in range(4)]


@pytest.mark.parametrize(
    "options,names",
    [
        (["--nb-ports=2"], ["net_null0", "net_null1"]),
        (["--portmask=a"], ["net_null1", "net_null3"]),
        ([], FOUR),
    ],
)
def test_chosen_ports(run, options, names):
    done = run(FOUR, *options, "--packets=1000")
    assert [port["name"] for port in done.json["ports"]] == names


@pytest.mark.parametrize("options", [["--nb-ports=5"], ["--portmask=11"]])
def test_more_ports_than_there_are(run, options):
    done = run(FOUR, *options, "--packets=1000", status=1)
    assert f"{options[0].partition('=')[0]} names more ports than the 4 that there are" in done.err


def test_two_processes_share_the_queues(start, tmp_path):
    prefix = new_prefix()
    shared = ["--rxq=4", "--txq=4", "--num-procs=2", "--total-num-mbufs=8192"]
    both = []
    for number in range(2):
        document = tmp_path / f"process{number}.json"
        both.append(
            start(
                FOUR[:2] if number == 0 else [],
                *shared,
                f"--proc-id={number}",
                f"--json={document}",
                eal=["--proc-type=auto"],
                memory=64,
                files=True,
                prefix=prefix,
            )
        )
        both[-1].json_path = pathlib.Path(document)
    # The one that began the ports ends last.
    done = []
    for one in reversed(both):
        one.signal(signal.SIGINT)
        done.append(one.finish())
    for number, result in enumerate(reversed(done)):
        assert result.status == 0, result.text
        for port in result.json["ports"]:
            polled = [queue["packets"] > 0 for queue in port["rx_queues"]]
            assert polled == ([True, True, False, False] if number == 0 else [False, False, True, True])
