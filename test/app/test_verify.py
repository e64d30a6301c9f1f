# SPDX-License-Identifier: BSD-3-Clause
"""Mode verify: what a bad path does to frames is found, frame by frame."""

import os

import pytest

LOOP = ["--forward-mode=verify", "--port-topology=loop"]


@pytest.fixture
def run_with_fault(run, plugin):
    path = plugin("injector.c")

    def go(fault, vdevs, *options, **more):
        environment = os.environ | {"VIO_TEST_FAULT": fault}
        return run(vdevs, *options, eal=["-d", path], environment=environment, **more)

    return go


def counts(done):
    return {
        key: done.json["verify"]["all"][key]
        for key in ("lost", "duplicated", "reordered", "corrupted", "too_late")
    }


def expected(**faults):
    return dict.fromkeys(["lost", "duplicated", "reordered", "corrupted", "too_late"], 0) | faults


@pytest.mark.parametrize("segments", ["60", "64", "1514", "100,50,7,900", "2048,2048"])
def test_good_path(run, segments):
    done = run(["net_ring0", "net_ring1"], *LOOP, "--packets=20000", f"--txpkts={segments}")
    verify = done.json["verify"]
    assert counts(done) == expected()
    assert verify["all"]["sent"] == verify["all"]["received"] == 20000
    assert sum(flow["sent"] for flow in verify["flows"]) == 20000
    assert len(verify["flows"]) == 2 and all(flow["own"] for flow in verify["flows"])
    assert verify["foreign"] == verify["unattributed"] == verify["unexplained"] == 0
    assert done.json["mbufs_missing"] == 0


@pytest.mark.parametrize(
    "kind,found",
    [
        ("drop", expected(lost=37)),
        ("duplicate", expected(duplicated=37)),
        ("swap", expected(reordered=37)),
        ("flip", expected(corrupted=37)),
    ],
)
def test_each_fault_is_found(run_with_fault, kind, found):
    done = run_with_fault(
        f"{kind}:37", ["net_ring0", "net_ring1"], *LOOP, "--packets=60000", "--rate=1M"
    )
    verify = done.json["verify"]
    assert counts(done) == found
    faulty, whole = verify["flows"]
    assert {key: faulty[key] for key in found} == found
    assert {key: whole[key] for key in found} == expected()
    assert verify["unexplained"] == found["lost"]
    assert verify["unattributed"] == 0
    assert f"unexplained {found['lost']}" in done.out


def test_faults_after_the_memory_of_a_flow_has_gone_round(run_with_fault):
    """A flow remembers 262144 numbers: a bit of the round before must not count."""
    done = run_with_fault("swap:37:300000", ["net_ring0"], *LOOP, "--packets=400000")
    assert counts(done) == expected(reordered=37)


@pytest.mark.parametrize("option,found", [([], 37), (["--verify-any-mac"], 0)])
def test_a_path_that_writes_addresses(run_with_fault, option, found):
    done = run_with_fault(
        "mac:37", ["net_ring0"], *LOOP, "--packets=20000", "--rate=1M", *option
    )
    assert counts(done) == expected(corrupted=found)


# Which quantile the frames that were held back begin with.
HELD = [("hold:80", "p99_ns", "p90_ns"), ("hold:20", "p99_9_ns", "p99_ns")]


@pytest.mark.parametrize("fault,slow,quick", HELD, ids=["2 %", "0.5 %"])
def test_quantiles_are_what_they_say(run_with_fault, fault, slow, quick):
    """Some of 4000 frames are held back for 50 ms."""
    done = run_with_fault(fault, ["net_ring0"], *LOOP, "--packets=4000", "--rate=20k")
    trip = done.json["verify"]["round_trip"]
    assert trip["frames"] == 4000
    assert trip["p50_ns"] <= trip[quick] < 45e6
    assert 49.5e6 < trip[slow] <= trip["max_ns"]


@pytest.mark.parametrize("segments,length", [("60", 60), ("80", 80), ("60,30,10", 100)])
def test_every_bit_of_a_frame_counts(run_with_fault, segments, length):
    """Each fault flips the next bit: all bits of a frame, headers and addresses included."""
    bits = 8 * length
    done = run_with_fault(
        f"flip:{bits}", ["net_ring0"], *LOOP, f"--packets={80 * bits}", f"--txpkts={segments}",
        "--rate=300k",
    )
    assert counts(done) == expected(corrupted=bits)
    assert done.json["verify"]["unattributed"] == 0


def test_one_way_latency(run, tmp_path):
    """Two ends of one memif: out by one port, in by the other."""
    socket = f"socket={tmp_path}/memif,socket-abstract=no,id=0"
    done = run(
        [f"net_memif0,role=server,{socket}", f"net_memif1,role=client,{socket}"],
        "--forward-mode=verify",
        "--duration=0.4",
        "--rate=50k",
        eal=["--single-file-segments"],
    )
    one_way = done.json["verify"]["one_way"]
    assert counts(done) == expected()
    assert done.json["verify"]["round_trip"] is None
    assert one_way["frames"] == done.json["verify"]["all"]["sent"]
    quantiles = [one_way[key] for key in ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns")]
    assert quantiles == sorted(quantiles) and quantiles[0] > 0
    assert quantiles[-1] < 1e9
    assert "one way" in done.out


def test_frames_of_others_are_left_alone(run, tmp_path):
    import pcapfile

    pcapfile.write(tmp_path / "in.pcap", [bytes([n]) * 70 for n in range(90)])
    done = run(
        [f"net_pcap0,rx_pcap={tmp_path}/in.pcap,tx_pcap={tmp_path}/out.pcap"],
        "--forward-mode=verify",
        "--no-flush-rx",
        "--duration=0.2",
        "--rate=1000",
    )
    assert done.json["verify"]["foreign"] == 90
    assert done.json["verify"]["all"]["received"] == 0
    assert done.json["verify"]["unexplained"] == done.json["verify"]["all"]["sent"]


EDITS = [
    ("nothing", lambda frames: frames, expected()),
    ("one gone", lambda frames: frames[:5] + frames[6:], expected(lost=1)),
    ("the last gone", lambda frames: frames[:199], expected()),
    ("one twice", lambda frames: frames[:9] + frames[8:], expected(duplicated=1)),
    ("one late", lambda frames: frames[:3] + frames[4:50] + frames[3:4] + frames[50:],
     expected(reordered=1)),
    ("one bit", lambda frames: frames[:7] + [flipped(frames[7], 451)] + frames[8:],
     expected(corrupted=1)),
    ("one cut short", lambda frames: frames[:7] + [frames[7][:65]] + frames[8:],
     expected(corrupted=1)),
]  # fmt: skip


def flipped(frame, bit):
    changed = bytearray(frame)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("edit,found", [case[1:] for case in EDITS], ids=[c[0] for c in EDITS])
def test_edited_between_sender_and_receiver(run, tmp_path, edit, found):
    """One process sends into a file, another one reads it: their flow is another's to it."""
    import pcapfile

    run(
        [f"net_pcap0,tx_pcap={tmp_path}/sent.pcap"],
        "--forward-mode=verify",
        "--verify-role=send",
        "--packets=200",
        "--txpkts=128",
    )
    frames = pcapfile.read(tmp_path / "sent.pcap")
    ends = frames[200:]
    assert len(frames) > 200
    pcapfile.write(tmp_path / "got.pcap", edit(frames[:200]))
    done = run(
        [f"net_pcap0,rx_pcap={tmp_path}/got.pcap,tx_pcap={tmp_path}/none.pcap"],
        "--forward-mode=verify",
        "--verify-role=receive",
        "--no-flush-rx",
        "--duration=0.3",
    )
    (flow,) = done.json["verify"]["flows"]
    assert counts(done) == found
    assert not flow["own"] and not flow["total_known"]
    # With the ends, the receiver knows how many there were, and stops by itself.
    pcapfile.write(tmp_path / "got.pcap", edit(frames[:200]) + ends)
    done = run(
        [f"net_pcap0,rx_pcap={tmp_path}/got.pcap,tx_pcap={tmp_path}/none.pcap"],
        "--forward-mode=verify",
        "--verify-role=receive",
        "--no-flush-rx",
    )
    (flow,) = done.json["verify"]["flows"]
    assert done.json["ended_by"] == "all senders ended"
    assert flow["total_known"] and flow["sent"] == 200
    assert flow["lost"] == 200 - len({frame[42:46] for frame in edit(frames[:200])})


def test_drops_of_a_full_path_are_told(run):
    """Nothing empties the ring: what the driver refuses was never sent, so nothing is lost."""
    done = run(
        ["net_ring0"], "--forward-mode=verify", "--verify-role=send", "--duration=0.2"
    )
    assert done.json["verify"]["all"]["sent"] == 1023
    assert done.json["forward"]["tx_dropped"] > 0
    assert done.json["verify"]["unexplained"] == 0
