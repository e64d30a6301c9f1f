# SPDX-License-Identifier: BSD-3-Clause
"""Over vhost-user, between two processes: net_vhost at one end, a virtio driver at the other."""

import os
import pathlib
import time

import pytest
from apprun import BUILD

PLUGIN = BUILD / "drivers" / "net" / "vio" / "librte_net_vio.so"
DRIVERS = ["net_virtio_user", "net_vio_user"]
SMALL = "--total-num-mbufs=4096"


def wait_for_file(path):
    end = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.02)


@pytest.fixture(params=DRIVERS)
def ends(request, start, tmp_path):
    """Starts the vhost end, then the other end; both forward, but for one at a prompt."""
    eal = ["--single-file-segments"]
    if request.param == "net_vio_user":
        if not PLUGIN.exists():
            pytest.skip(f"{PLUGIN} is not built")
        eal += ["-d", str(PLUGIN)]

    def go(vhost_options, virtio_options):
        path = tmp_path / "sock"
        devices = [f"net_vhost0,iface={path}", f"{request.param}0,path={path}"]
        ends = []
        for number, options in enumerate((vhost_options, virtio_options)):
            document = pathlib.Path(f"{tmp_path}/end{number}.json")
            # Neither end may throw away what the other, ready before it, has sent.
            own = [SMALL, "--no-flush-rx", f"--json={document}", *options]
            more = {"eal": eal, "memory": 64, "wait": False, "typed": "-i" in options}
            ends.append(start([devices[number]], *own, **more))
            ends[-1].json_path = document
            wait_for_file(path)
        for end, options in zip(ends, (vhost_options, virtio_options)):
            if "-i" not in options:
                end.wait_for("forwarding: mode")
        return ends

    return go


def check_flow(flow, received_at_least, lost=0):
    faults = {key: flow[key] for key in ("lost", "duplicated", "reordered", "corrupted")}
    assert faults == {"lost": lost, "duplicated": 0, "reordered": 0, "corrupted": 0}
    assert flow["received"] >= received_at_least


@pytest.mark.parametrize("segments", ["64", "1514", "1000,2000"])
def test_round_trip_through_an_echo(ends, segments):
    echo, end = ends(
        ["--forward-mode=5tswap", "--enable-scatter"],
        ["--forward-mode=verify", "--duration=0.5", "--rate=20k", f"--txpkts={segments}"],
    )
    verify = end.finish().json["verify"]
    echo.signal(2)
    echoed = echo.finish()
    assert echoed.status == 0
    # The echo may be kept from its CPU: each frame missing is one that it could not send back.
    check_flow(verify["all"], 1000, lost=echoed.json["forward"]["tx_dropped"])
    assert verify["all"]["sent"] == verify["all"]["received"] + verify["all"]["lost"]
    assert verify["round_trip"]["frames"] == verify["all"]["received"]
    assert verify["one_way"] is None


@pytest.mark.parametrize("sender", [0, 1])
def test_one_way_between_two_processes(ends, sender):
    roles = [["--verify-role=receive"], ["--verify-role=receive"]]
    roles[sender] = ["--verify-role=send", "--rate=30k", "-i"]
    if sender == 1:
        roles[1] += ["--duration=0.5"]
    both = ends(*[["--forward-mode=verify", *role] for role in roles])
    both[sender].type("start")
    both[sender].wait_for("forwarding: mode")
    if sender == 0:
        time.sleep(0.6)
        both[0].type("stop")
    # The receiver ends by itself: it has been told how many there were. The sender's port is there
    # until then, as what is in its rings goes when it does.
    done = both[1 - sender].finish()
    assert done.json["ended_by"] == "all senders ended"
    both[sender].type("quit")
    sent = both[sender].finish().json["verify"]["all"]["sent"]
    (flow,) = done.json["verify"]["flows"]
    assert flow["total_known"] and flow["sent"] == sent > 1000
    assert not flow["own"]
    # Frames sent before the receiver was there are missing at the beginning; no others.
    if sender == 1:
        check_flow(flow, sent)
    else:
        assert flow["duplicated"] == flow["corrupted"] == flow["reordered"] == 0
    assert os.path.exists(both[sender].json_path)
