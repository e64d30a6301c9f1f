# SPDX-License-Identifier: BSD-3-Clause
"""The vhost-user peer of net_vio_user is killed (SIGKILL) again and again under traffic of which
every frame has a number: nothing comes twice, out of order or changed, and every frame that was sent
comes back or is counted, but for those that the dead peer had in its hands.

The other end is vio-testpmd with DPDK's net_vhost, which sends each frame back.

Environment
  VIO_KILLS  how often in a row, in each of the four settings. Without it: 10 times, in one.
"""

import json
import os
import random
import signal
import subprocess
import time

import pytest
from apprun import BINARY, BUILD, eal_arguments

PLUGIN = BUILD / "drivers" / "net" / "vio" / "librte_net_vio.so"
GIVEN = os.environ.get("VIO_KILLS")
KILLS = int(GIVEN or 10)
SETTINGS = [(packed, server) for packed in (0, 1) for server in (0, 1)]
RATE = "20k"
BURST = 4  # frames that the peer has in its hands at most
SECONDS = 20
LONGEST = 0.1  # seconds between two kills in which frames went round
EARLY_EVERY = 5  # of so many peers, one does not live to see traffic,
EARLY_SECONDS = 0.6  # but is killed in this time, in its start or as it connects


class End:
    """A vio-testpmd, and all that it said."""

    def __init__(self, folder, name, vdev, *options, eal=()):
        self.log = folder / f"{name}.log"
        self.report = folder / f"{name}.json"
        eal = [*eal_arguments([vdev], memory=64), "--single-file-segments", *eal]
        own = ["--total-num-mbufs=4096", "--no-flush-rx", f"--json={self.report}", *options]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [str(BINARY), *eal, "--", *own],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, seen, what):
        end = time.monotonic() + SECONDS
        while not seen():
            assert self.process.poll() is None and time.monotonic() < end, f"{what}\n{self.said()}"
            time.sleep(0.005)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def finish(self):
        """End it in order, and return its report."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(SECONDS) == 0, self.said()
        return json.loads(self.report.read_text())


class Kills:
    """The driver's end, and one peer after the other."""

    def __init__(self, folder, packed, server):
        self.folder, self.server = folder, server
        self.socket = folder / "sock"
        self.chance = random.Random(2 * packed + server)
        self.peers, self.early = 0, 0
        self.peer = self.ours = None
        way = "server=1" if server else "reconnect=10"
        vdev = f"net_vio_user0,path={self.socket},packed_vq={packed},{way}"
        start = lambda: End(  # noqa: E731
            folder, "ours", vdev, "--forward-mode=verify", f"--rate={RATE}", "--rxd=1024",
            eal=["-d", str(PLUGIN)],
        )  # fmt: skip
        if server:
            self.ours = start()
            self.ours.wait(self.socket.exists, "it does not listen")
            self.next_peer()
        else:
            self.next_peer()
            self.peer.wait(self.socket.exists, "the peer does not listen")
            self.ours = start()

    def next_peer(self):
        self.peers += 1
        if not self.server:
            self.socket.unlink(missing_ok=True)  # the dead one's
        vdev = f"net_vhost0,iface={self.socket},client={int(self.server)}"
        options = ["--forward-mode=5tswap", f"--burst={BURST}", "--stats-period=0.02"]
        self.peer = End(self.folder, "peer", vdev, *options)

    def sends_back(self):
        """Does the peer say that it sends frames?"""
        return any("tx     0.000" not in line and " tx " in line for line in self._rates())

    def _rates(self):
        return [line for line in self.peer.said().splitlines() if "Mpps" in line]

    def await_traffic(self):
        self.peer.wait(self.sends_back, f"no traffic with peer {self.peers}")

    def kill(self):
        """At any time."""
        if self.peers % EARLY_EVERY == 0:
            time.sleep(self.chance.uniform(0, EARLY_SECONDS))
            self.early += not self.sends_back()
        else:
            self.await_traffic()
            time.sleep(self.chance.uniform(0, LONGEST))
        self.peer.kill()
        self.next_peer()

    def end(self):
        for end in (self.ours, self.peer):
            if end is not None:
                end.kill()


def check(report, kills):
    """Returns how many frames were in the hands of dead peers."""
    verify, stats = report["verify"], report["ports"][0]["stats"]
    flow = verify["all"]
    faults = ("duplicated", "reordered", "corrupted", "too_late")
    assert {fault: flow[fault] for fault in faults} == dict.fromkeys(faults, 0)
    assert verify["unattributed"] == verify["foreign"] == 0
    assert flow["sent"] == flow["received"] + flow["lost"]
    assert flow["received"] == stats["ipackets"]
    # What the rings held at each kill.
    assert verify["dropped_by_ports"] == stats["imissed"] + stats["oerrors"]
    assert 0 <= flow["lost"] - verify["dropped_by_ports"] <= BURST * kills
    assert report["mbufs_missing"] == report["mbufs_missing_closed"] == 0
    return flow["lost"] - verify["dropped_by_ports"]


@pytest.mark.parametrize("packed,server", SETTINGS if GIVEN else SETTINGS[-1:])
def test_peer_killed_in_a_row(tmp_path, packed, server):
    if not PLUGIN.exists():
        pytest.skip(f"{PLUGIN} is not built")
    run = Kills(tmp_path, packed, server)
    try:
        for _ in range(KILLS):
            run.kill()
        run.await_traffic()
        report = run.ours.finish()
    finally:
        run.end()
    in_hands = check(report, KILLS)
    recovered = report["ports"][0]["xstats"]["recoveries"]
    flow = report["verify"]["all"]
    print(
        f"{KILLS} kills ({run.early} before traffic), {recovered} recoveries: {flow['sent']} sent, "
        f"{flow['received']} back, {flow['lost'] - in_hands} counted, {in_hands} in dead hands"
    )
    assert KILLS - run.early <= recovered <= KILLS
