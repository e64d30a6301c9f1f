#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves that a device that lies harms nobody but itself: for every row of the hostile device's
table the process lives on and answers, the right counter tells of the lie, what was received before
is whole, no packet is longer than its buffers, no buffer is lost or freed twice, and after a stop
and a start of the port, with a device that is honest again, frames go round as before.

VIO_SEEDS says which seeds of random bytes are played, from the first to the last (1:2).
"""

import os
import time

import pytest

import hostile


class Expect:
    """What a row does to the port.

    broken: its queue stops for good, and says so. counter: xstats of the queue with their values.
    goes_on: frames move on without a restart. words: a log line has all of them. port, started:
    there is a port, and it starts. link: how it is afterwards. damaged: frames that are not as the
    device gave them may return, as it said itself that they were of other bytes. holds: mbufs stay
    with the device, which does not let go of them, until the port is closed.
    """

    def __init__(self, **given):
        self.broken = given.get("broken", False)
        self.counter = given.get("counter", {})
        self.goes_on = given.get("goes_on", False)
        self.words = given.get("words", ())
        self.port = given.get("port", True)
        self.started = given.get("started", True)
        self.link = given.get("link", True)
        self.damaged = given.get("damaged", False)
        self.holds = given.get("holds", False)


def dropped(counter):
    """One frame is, counted here and as an error, and the queue goes on."""
    return Expect(counter={counter: 1, "errors": 1}, goes_on=True)


def refused(*words):
    """No port is made of such a device."""
    return Expect(port=False, words=words)


def broken(*words):
    """The queue is, for a reason with these words."""
    return Expect(broken=True, words=["is broken", *words])


GOES_ON = Expect(goes_on=True)
# What cannot be told from a device that has nothing to say.
STANDS = Expect()
GONE = Expect(link=False, words=["closed the connection"])
SCRIBBLED = Expect(damaged=True)

# By row, by row and ring, or by all rows of a number.
EXPECT = {
    "1": broken("an id beyond the queue"),
    "2": broken("an id that it did not have"),
    # Its entry gives nothing back, so that in a split ring the index too says more than there is.
    "2.repeated": broken(),
    "3": dropped("drop_length"),
    "4": dropped("drop_short"),
    "5": GOES_ON,
    "6": broken("used index claims more"),
    "7": GOES_ON,
    "8": dropped("drop_num_buffers"),
    "8.more": Expect(goes_on=True, damaged=True, counter={"multi_segment_packets": 1}),
    "8.many": Expect(goes_on=True, damaged=True, counter={"multi_segment_packets": 1}),
    # No such offload is asked for, so that nothing of the header is looked at.
    "9": GOES_ON,
    "10": GOES_ON,
    "11": GOES_ON,
    "12": GOES_ON,
    "12.pairs-none": refused("2 queue pairs", "has 0"),
    "13": GOES_ON,
    "13.legacy": refused("VERSION_1"),
    "15.features-ok": refused("FEATURES_OK"),
    "15.reset": refused("reset", "500 ms"),
    "15.status-wide": refused("GET_STATUS", "0x10"),
    "15.silent": refused("GET_FEATURES", "500 ms"),
    "15.refuses-memory": refused("SET_MEM_TABLE", "refused"),
    "15.long-answer": refused("GET_FEATURES", "4096"),
    "15.endless-answer": refused("GET_STATUS", "4294967295"),
    "15.short-answer": refused("GET_STATUS", "4 bytes"),
    "15.silent-start": Expect(started=False, link=False, words=["SET_VRING_ADDR", "500 ms"]),
    "15.refuses": Expect(started=False, link=False, words=["SET_VRING_ADDR", "refused"]),
    "15.silent-stop": Expect(goes_on=True, holds=True, words=["GET_VRING_BASE", "500 ms"]),
    "15.other-queue": Expect(goes_on=True, holds=True, words=["GET_VRING_BASE", "sense"]),
    "16.ahead": Expect(goes_on=True, damaged=True),
    "16.wrap": STANDS,
    "16.lap": STANDS,
    "16.event": GOES_ON,
    "16.event-flags": GOES_ON,
    "16.event-desc": GOES_ON,
    "16.skips": Expect(damaged=True),
    "16.skips-split": broken("order"),
    "16.goes-back": broken(),
    "17.needs-reset": STANDS,
    "17.stands-still": STANDS,
    "17.dies": GONE,
    "17.hangs-up": GONE,
    "17.dies-at-stop": Expect(goes_on=True, words=["closed the connection"]),
    "17.dies-at-start": Expect(started=False, link=False, words=["closed the connection"]),
    "17.dies-at-reset": refused("closed the connection", "SET_STATUS"),
    "18": SCRIBBLED,
    "18.tables": GOES_ON,
}

FIRST_SEED, LAST_SEED = map(int, os.environ.get("VIO_SEEDS", "1:2").split(":"))
ROUNDS = 4
SCRIBBLE_SECONDS = 0.15
# Numbers a turn, by seed: a ring that is broken at once shows less than one that goes on for a
# while.
BURSTS = (64, 1)


def expectation(case):
    """The most exact one there is."""
    ring = "packed" if case.packed else "split"
    for key in f"{case.name}-{ring}", case.name, case.name.split(".", maxsplit=1)[0]:
        if key in EXPECT:
            return EXPECT[key]
    raise AssertionError(f"nothing is expected of row {case.name}")


def breaks(case, out):
    """The queue that the lie is about is broken, by counter and log line."""
    said = any(f"{case.on} queue 0 is broken" in line for line in out.told)
    return said and out.xstats[f"{case.on}_q0_broken"] >= 1


def shows(case, expect, out):
    """It has what takes the driver some time: a lost link, a broken queue, a counted frame."""
    counted = all(out.xstats[f"rx_q0_{name}"] >= value for name, value in expect.counter.items())
    return counted and (expect.link or not out.link) and (not expect.broken or breaks(case, out))


def assert_told(case, expect, out):
    """By counters and log lines."""
    if expect.broken:
        assert breaks(case, out), (out.counted(), out.told)
    elif not case.name.startswith("18."):
        assert out.xstats.get("rx_q0_broken", 0) == out.xstats.get("tx_q0_broken", 0) == 0
    if expect.goes_on and not expect.counter and not expect.damaged:
        assert not out.counted()
    for name, value in expect.counter.items():
        assert out.xstats[f"rx_q0_{name}"] == value, out.counted()
    if expect.words:
        found = [line for line in out.log if all(word in line for word in expect.words)]
        assert found, f"no line with {expect.words} in {out.log}"


def assert_frames(case, expect, out):
    """All that returned is what was given, but for what the device itself spoilt."""
    if not case.row["early"]:
        assert out.lie["returned"] >= hostile.AFTER
        assert not out.duties
    if not out.counters or case.name.startswith("18."):
        return  # that device reads its own noise
    counters = out.counters
    assert counters["overlong"] == counters["repeated"] == counters["strange"] == 0
    assert expect.damaged or counters["changed"] == 0


@pytest.mark.ours
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in hostile.cases()])
def test_row(lab, case):
    """One lie, once."""
    expect = expectation(case)
    out = hostile.observe(
        lab,
        case,
        patience=5 if expect.goes_on else 0.3,
        shows=lambda seen: shows(case, expect, seen),
    )
    assert out.verdict not in ("crashed", "hung"), f"{out.verdict} at {out.at}: {out.error}"
    assert out.port == expect.port
    assert_told(case, expect, out)
    if not out.port:
        return
    # Of random bytes, some break a queue.
    assert out.link == (expect.link and not any("_broken" in name for name in out.counted()))
    assert out.moves or not expect.goes_on, "no frame moves any more"
    assert out.mbufs_out == 0 or expect.holds
    assert out.mbufs_lost == 0
    if expect.started:
        assert_frames(case, expect, out)
        assert out.recovers in (True, None), "a restart does not help"


@pytest.mark.ours
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in hostile.cases() if case.name[:2] == "9."]
)
def test_checksum(lab, case):
    """Row 9 once more, where the application has asked for checksums and the field counts."""
    commands = ["port config 0 rx_offload udp_cksum on", "port config 0 rx_offload tcp_cksum on"]
    expect = dropped("drop_csum")
    out = hostile.observe(
        lab, case, patience=5, setup=commands, shows=lambda seen: shows(case, expect, seen)
    )
    assert out.verdict == "survived", f"{out.verdict} at {out.at}: {out.error}"
    assert_told(case, expect, out)
    assert_frames(case, GOES_ON, out)
    assert out.moves and out.recovers
    assert out.mbufs_out == out.mbufs_lost == 0


@pytest.mark.ours
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in hostile.cases() if case.name[:3] == "10."]
)
def test_segmentation(lab, case):
    """Row 10 once more, where the application has asked for LRO and the fields count."""
    # How long the headers are is a hint, which nobody takes.
    counter = {"10.type": "drop_gso_type", "10.size": "drop_gso_size"}.get(case.name)
    expect = dropped(counter) if counter else GOES_ON
    commands = ["port config 0 rx_offload tcp_lro on"]
    out = hostile.observe(
        lab, case, patience=5, setup=commands, shows=lambda seen: shows(case, expect, seen)
    )
    assert out.verdict == "survived", f"{out.verdict} at {out.at}: {out.error}"
    assert_told(case, expect, out)
    assert_frames(case, GOES_ON, out)
    assert out.moves and out.recovers
    assert out.mbufs_out == out.mbufs_lost == 0


SETTINGS = [(p, m, i) for p in (False, True) for m in (False, True) for i in (False, True)]


def scribbling(seed):
    """A case for each of the settings."""
    row = next(row for row in hostile.rows() if row["row"] == "18.all")
    return [hostile.Case(row, "device", *setting, seed=seed) for setting in SETTINGS]


@pytest.mark.ours
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for seed in range(FIRST_SEED, LAST_SEED + 1) for case in scribbling(seed)]
)
def test_scribble(lab, case):
    """Random bytes over everything, again after each start of the port."""
    play = hostile.Play(lab, case, ["--repeat", "--burst", str(BURSTS[case.seed % 2])])
    try:
        play.boot()
        for _ in range(ROUNDS):
            since = len(play.device.events)
            play.forward()
            play.device.await_event("misbehaved", since)
            time.sleep(SCRIBBLE_SECONDS)
            assert play.driver.xstats(0)
            play.stop_port()
            assert play.driver.mbufs_out() == 0
            play.driver.cmd("port start 0")
        play.driver.quit()
    finally:
        play.end()


def test_every_row_is_expected():
    """The device's table has nothing that is not expected here, and the other way round."""
    names = {case.name for case in hostile.cases()}
    assert {row["row"] for row in hostile.rows()} == names
    numbers = {name.split(".", maxsplit=1)[0] for name in names}
    for key in EXPECT:
        assert key in names | numbers or key.rsplit("-", 1)[0] in names, key
