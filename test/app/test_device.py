# SPDX-License-Identifier: BSD-3-Clause
"""What the application asks of a device that has every feature, and what it makes of what comes
back. The driver net_recorder (recorder.c) writes down each call and each frame sent."""

import re
import struct

import pytest
from packets import checksum, crc32c, ether, ipv4, ipv6, l4_is_right, sctp, tcp, udp

# Bits of DPDK's interface, rte_ethdev.h.
RX_VLAN_STRIP, RX_IPV4, RX_UDP, RX_TCP, RX_LRO = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
RX_VLAN_FILTER, RX_SCATTER = 1 << 9, 1 << 13
TX_VLAN, TX_IPV4, TX_UDP, TX_TCP, TX_SCTP, TX_TSO, TX_MULTI_SEGS = (
    1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 15,
)  # fmt: skip
RSS_IPV4, RSS_TCP4, RSS_UDP4 = 1 << 2, 1 << 4, 1 << 5
SMALL = "--total-num-mbufs=4096"
KEY = bytes(range(100, 140)).hex()


class Log:
    """What the driver wrote down: a list of (call, its words by name)."""

    def __init__(self, path):
        self.calls = []
        for line in path.read_text().splitlines():
            name, *words = line.split(" ")
            self.calls.append((name, dict(word.split("=", 1) for word in words)))

    def of(self, name):
        return [words for call, words in self.calls if call == name]

    def names(self):
        return [call for call, _ in self.calls]

    def sent(self):
        """The frames sent: (bytes, the flags' short names, all words)."""
        for words in self.of("sent"):
            flags = set(re.findall(r"RTE_MBUF_F_TX_(\w+)", words["flags"]))
            yield bytes.fromhex(words["data"]), flags - {"L4_NO_CKSUM"}, words


@pytest.fixture
def record(run, recorder, tmp_path):
    """Runs with one recorder that receives these frames, or what it sends; returns run and log."""

    def go(*options, frames=(), typed=(), devargs="", **more):
        device = f"net_recorder0,log={tmp_path}/log"
        if frames:
            text = b"".join(struct.pack("<H", len(frame)) + frame for frame in frames)
            (tmp_path / "frames").write_bytes(text)
            device += f",frames={tmp_path}/frames"
        if typed:
            options = ["-i", *options]
            more["typed"] = "\n".join(typed) + "\n"
        done = run(
            [device + devargs], SMALL, "--no-flush-rx", *options, eal=["-d", recorder], **more
        )
        return done, Log(tmp_path / "log")

    return go


def errors(done):
    return [line for line in done.err.splitlines() if "error:" in line]


QUIET = ["--duration=0.05"]

ASKED = [
    ([], {"rx": 0, "tx": 0, "rxq": "1", "rss": 0, "lro": "0"}),
    (["--enable-lro"], {"rx": RX_LRO}),
    (["--enable-rx-cksum"], {"rx": RX_IPV4 | RX_UDP | RX_TCP}),
    (["--enable-scatter"], {"rx": RX_SCATTER, "tx": TX_MULTI_SEGS}),
    (["--rx-offloads=201"], {"rx": RX_VLAN_STRIP | RX_VLAN_FILTER}),
    (["--tx-offloads=2c"], {"tx": TX_TSO | TX_TCP | TX_UDP}),
    (["--rxq=2", "--txq=3"], {"rxq": "2", "txq": "3", "rss": RSS_IPV4}),
    (["--rxq=2", "--rss-ip"], {"rss": RSS_IPV4}),
    (["--rxq=2", "--rss-udp"], {"rss": RSS_IPV4 | RSS_UDP4}),
    (["--max-pkt-len=4018"], {"mtu": "4000"}),
]


@pytest.mark.parametrize("options,wanted", ASKED, ids=[" ".join(o) or "none" for o, _ in ASKED])
def test_options_reach_the_device(record, options, wanted):
    done, log = record(*options, *QUIET, "--forward-mode=rxonly")
    (asked,) = log.of("configure")
    for key, value in wanted.items():
        if not (key == "tx" and options == ["--enable-scatter"]):
            assert asked[key] == (value if isinstance(value, str) else hex(value)), key
    assert "going on without" not in done.err


def test_scatter_asks_for_chains_where_the_mode_sends(record):
    _, log = record("--enable-scatter", *QUIET)
    assert log.of("configure")[0]["tx"] == hex(TX_MULTI_SEGS)


def test_lro_has_a_longest_packet(record):
    done, log = record("--enable-lro", *QUIET)
    assert done.json["ports"][0]["rx_offloads"] == ["TCP_LRO"]
    assert int(log.of("configure")[0]["lro"]) > 0


def with_good_tcp(payload=b"data", bad=0):
    pseudo = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack("!II", 20 + len(payload), 6)
    return ether(ipv4(6, tcp(payload, checksum(pseudo + tcp(payload))), bad=bad), 0x0800)


IP_BAD = with_good_tcp(bad=5)
L4_BAD = ether(ipv4(6, tcp(b"data", 0xBAD)), 0x0800)


def test_bad_checksums_that_the_device_marks_are_counted(record):
    frames = [IP_BAD, IP_BAD, L4_BAD, with_good_tcp()]
    done, _ = record("--enable-rx-cksum", "--forward-mode=csum", *QUIET, frames=frames)
    assert done.json["csum"] == {"bad_ip": 2, "bad_l4": 1}
    assert "IP 2, UDP or TCP 1" in done.out
    # A device that is not to look marks none.
    done, _ = record("--forward-mode=csum", *QUIET, frames=frames)
    assert done.json["csum"] == {"bad_ip": 0, "bad_l4": 0}


TAGGED = [ether(bytes([n]) * 46, 0x88B5, [0x2000 + n]) for n in (5, 6, 7)]


def test_stripped_tags_are_shown(record):
    typed = ["vlan set strip on 0", "set verbose 1", "set fwd rxonly", "start", "stop"]
    done, log = record(typed=[*typed, "show config rxtx"], frames=TAGGED)
    assert errors(done) == []
    (asked,) = log.of("vlan_offload")
    assert (asked["strip"], asked["filter"]) == ("1", "0")
    for n in (5, 6, 7):
        assert f"type=0x88b5 - length=60 - nb_segs=1 - VLAN tci=0x{0x2000 + n:x}" in done.out
    assert done.out.count("RTE_MBUF_F_RX_VLAN_STRIPPED") == 3
    assert f"offloads 0x{RX_VLAN_STRIP:x}" in done.out


def test_only_chosen_vlans_come(record):
    typed = ["rx_vlan add 5 0", "vlan set filter on 0", "rx_vlan add 5 0", "rx_vlan add 6 0"]
    typed += ["rx_vlan rm 5 0", "start", "stop"]
    done, log = record(typed=typed, frames=TAGGED)
    (error,) = errors(done)
    assert "its VLAN filter is off, expected on" in error
    assert log.of("vlan_filter") == [
        {"id": "5", "on": "1"}, {"id": "6", "on": "1"}, {"id": "5", "on": "0"},
    ]  # fmt: skip
    assert [data for data, *_ in log.sent()] == [TAGGED[1]]


def test_all_vlans_at_once(record):
    typed = ["vlan set filter on 0", "rx_vlan add all 0", "rx_vlan rm all 0"]
    done, log = record(typed=typed)
    assert errors(done) == []
    wanted = [{"id": str(n), "on": on} for on in "10" for n in range(4096)]
    assert log.of("vlan_filter") == wanted


def test_vlan_settings_outlive_a_new_configuration(record):
    renew = ["port stop all", "port config all rxd 256", "port start all"]
    typed = ["vlan set strip on 0", *renew, "vlan set strip off 0", *renew]
    done, log = record("--rx-offloads=1000000", typed=typed)
    assert "does not offer" in done.err
    assert [int(c["rx"], 16) for c in log.of("configure")] == [0, RX_VLAN_STRIP, 0]
    # One that the command line asked for can be put off as well.
    done, log = record("--rx-offloads=1", typed=["vlan set strip off 0", *renew])
    assert [int(c["rx"], 16) for c in log.of("configure")] == [RX_VLAN_STRIP, 0]


def test_tags_are_put_in(record):
    typed = ["tx_vlan set 0 77", "port stop 0", "tx_vlan set 0 77", "port start 0", "start"]
    typed += ["stop", "tx_vlan reset 0", "start"]
    done, log = record(typed=typed, frames=TAGGED[:2])
    (error,) = errors(done)
    assert "is started, expected a stopped port" in error
    assert log.of("configure")[-1]["tx"] == hex(TX_VLAN)
    sent = list(log.sent())
    assert len(sent) == 2
    assert all(flags == {"VLAN"} and words["vlan"] == "77" for _, flags, words in sent)


def test_tags_are_no_longer_put_in(record):
    typed = ["port stop 0", "tx_vlan set 0 77", "port start 0", "tx_vlan reset 0", "start"]
    _, log = record(typed=typed, frames=TAGGED[:1])
    assert [flags for _, flags, _ in log.sent()] == [set()]


def csum_set(*which):
    # The last word counts.
    lines = [f"csum set {name} {who} 0" for name in which for who in ("sw", "hw")]
    return ["port stop 0", *lines, "port start 0", "set fwd csum", "start", "stop"]


def pseudo_sum(ip, protocol, length):
    addresses = ip[12:20] if ip[0] >> 4 == 4 else ip[8:40]
    return ~checksum(addresses + struct.pack("!II", length, protocol)) & 0xFFFF


HARDWARE = [
    # what the device does, frame, flags, offloads, offset of the checksum in L4, its content
    ("udp4", ["ip", "udp"], ether(ipv4(17, udp(b"data", 1), bad=3), 0x0800),
     {"IPV4", "IP_CKSUM", "UDP_CKSUM"}, TX_IPV4 | TX_UDP, 6),
    ("tcp4", ["tcp"], ether(ipv4(6, tcp(b"data", 1), bad=3), 0x0800),
     {"IPV4", "TCP_CKSUM"}, TX_TCP, 16),
    ("tcp6", ["ip", "tcp"], ether(ipv6(6, tcp(b"data", 1)), 0x86DD),
     {"IPV6", "TCP_CKSUM"}, TX_IPV4 | TX_TCP, 16),
]  # fmt: skip


@pytest.mark.parametrize("case", HARDWARE, ids=[case[0] for case in HARDWARE])
def test_checksums_left_to_the_device(record, case):
    _, which, frame, wanted, offloads, at = case
    done, log = record(typed=csum_set(*which), frames=[frame])
    assert errors(done) == []
    assert log.of("configure")[-1]["tx"] == hex(offloads)
    ((data, flags, words),) = log.sent()
    ip = data[14:]
    l3 = 20 if ip[0] >> 4 == 4 else 40
    assert flags == wanted
    assert (words["l2"], words["l3"], words["tso"]) == ("14", str(l3), "0")
    # The device adds up the rest: it finds its own field 0, and L4's with the pseudo header's sum.
    if l3 == 20:
        assert ip[10:12] == b"\0\0" if "ip" in which else checksum(ip[:20]) == 0
    protocol = ip[9] if l3 == 20 else ip[6]
    (found,) = struct.unpack_from("!H", ip, l3 + at)
    assert found == pseudo_sum(ip, protocol, len(ip) - l3)


def test_checksums_taken_back_from_the_device(record):
    typed = ["port stop 0", "csum set ip hw 0", "csum set udp hw 0", "csum set ip sw 0"]
    typed += ["csum set udp sw 0", "port start 0", "set fwd csum", "start", "stop"]
    _, log = record("--tx-offloads=2", typed=typed, frames=[HARDWARE[0][2]])
    assert log.of("configure")[-1]["tx"] == "0x0"
    ((data, flags, _),) = log.sent()
    assert flags == {"IPV4"}
    assert checksum(data[14:34]) == 0 and l4_is_right(data[14:])


SCTP_BODY = sctp(b"\x00\x03\x00\x10" + b"some chunk's data"[:12])


@pytest.mark.parametrize("ip", [ipv4(132, SCTP_BODY), ipv6(132, SCTP_BODY)], ids=["ipv4", "ipv6"])
def test_sctp(record, ip):
    frame = ether(ip, 0x0800 if ip[0] >> 4 == 4 else 0x86DD)
    at = 14 + len(ip) - len(SCTP_BODY)
    _, log = record("--forward-mode=csum", *QUIET, frames=[frame])
    ((data, flags, _),) = log.sent()
    body = data[at:]
    assert struct.unpack_from("<I", body, 8)[0] == crc32c(body[:8] + bytes(4) + body[12:])
    assert flags == {"IPV4" if at == 34 else "IPV6"}
    done, log = record(typed=csum_set("sctp"), frames=[frame])
    assert errors(done) == []
    assert log.of("configure")[-1]["tx"] == hex(TX_SCTP)
    ((data, flags, words),) = log.sent()
    assert "SCTP_CKSUM" in flags and words["l4"] == "12"
    assert data[at + 8 : at + 12] == bytes(4)


def test_tso(record):
    """What has more than a segment's payload is cut; the rest is not."""
    frames = [with_good_tcp(payload=b"x" * n) for n in (500, 501, 1400)]
    frames.append(ether(ipv4(17, udp(b"x" * 1400)), 0x0800))
    typed = ["tso set 500 0", "port stop 0", "tso set 500 0", "port start 0", "set fwd csum"]
    done, log = record(typed=[*typed, "start", "stop"], frames=frames)
    (error,) = errors(done)
    assert "is started, expected a stopped port" in error
    assert log.of("configure")[-1]["tx"] == hex(TX_TSO)
    sent = list(log.sent())
    assert [words["tso"] for *_, words in sent] == ["0", "500", "500", "0"]
    assert ["TCP_SEG" in flags for _, flags, _ in sent] == [False, True, True, False]
    for data, flags, words in sent[1:3]:
        assert flags == {"TCP_SEG", "TCP_CKSUM", "IP_CKSUM", "IPV4"}
        assert (words["l2"], words["l3"], words["l4"]) == ("14", "20", "20")
        # The length differs from segment to segment, so it is not in the pseudo header's sum.
        (found,) = struct.unpack_from("!H", data, 34 + 16)
        assert found == pseudo_sum(data[14:], 6, 0)


def test_tso_put_off(record):
    typed = ["port stop 0", "tso set 500 0", "port start 0", "port stop 0", "tso set 0 0"]
    typed += ["port start 0", "set fwd csum", "start", "stop"]
    done, log = record(typed=typed, frames=[with_good_tcp(payload=b"x" * 1400)])
    assert errors(done) == []
    assert [int(c["tx"], 16) for c in log.of("configure")] == [0, TX_TSO, 0]
    ((_, flags, words),) = log.sent()
    assert flags == {"IPV4"} and words["tso"] == "0"


def test_what_the_driver_refuses_to_send_is_left_out(record):
    """The recorder takes no segments of less than 100 bytes; the others of the burst go on."""
    long, short = with_good_tcp(payload=b"x" * 500), with_good_tcp(payload=b"x" * 9)
    typed = ["port stop 0", "tso set 50 0", "port start 0", "set fwd csum", "start", "stop"]
    done, log = record(typed=typed, frames=[short, long, long, short, long])
    assert [len(data) for data, *_ in log.sent()] == [len(short)] * 2
    assert done.json["forward"]["rx_packets"] == 5
    assert done.json["forward"]["tx_packets"] == 2
    assert done.json["forward"]["tx_dropped"] == 3
    assert done.json["forward"]["tx_bytes"] == 2 * len(short)
    assert done.json["mbufs_missing"] == 0


def test_a_driver_that_takes_few_misses_no_flow(record):
    """What it does not take is made again."""
    done, log = record("--forward-mode=flowgen", "--packets=1100", devargs=",takes=5")
    destinations = [struct.unpack("!I", data[30:34])[0] for data, *_ in log.sent()]
    assert destinations == [0xC6120002 + n % 1024 for n in range(1100)]
    assert done.json["forward"]["tx_packets"] == 1100
    assert done.json["forward"]["tx_dropped"] > 0


def test_what_a_driver_does_not_take_leaves_no_gap_in_the_numbers(record):
    done, log = record(
        "--forward-mode=verify", "--verify-role=send", "--packets=300", devargs=",takes=5"
    )
    assert done.json["forward"]["tx_dropped"] > 0
    headers = [struct.unpack_from("<IH", data, 42) for data, *_ in log.sent()]
    assert [number for number, _ in headers[:300]] == list(range(300))
    # The ends of the flow follow: how many there were.
    ends = set(headers[300:])
    assert ends == {(300, 0x8000)}


FLOWS = [
    ether(ipv4(17, udp(b"x", ports=(1000, port)), destination=f"192.0.2.{host}"), 0x0800)
    for host in (2, 3)
    for port in range(2000, 2008)
]


@pytest.mark.parametrize("option,queues", [("--rss-ip", [8, 8]), ("--rss-udp", [4, 4])])
def test_hash_spreads_over_the_queues(record, option, queues):
    """By addresses each of two flows has its queue; by ports each of them has all."""
    count = 2 if option == "--rss-ip" else 4
    done, _ = record(
        option, f"--rxq={count}", "--txq=4", "--forward-mode=rxonly", *QUIET, frames=FLOWS
    )
    packets = [queue["packets"] for queue in done.json["ports"][0]["rx_queues"]]
    assert packets == queues if count == 2 else packets == [4, 4, 4, 4]


def test_rss_by_prompt(record):
    typed = ["port config all rss udp", "show port 0 rss-hash", "port config 0 rss-key " + KEY]
    typed += ["show port 0 rss-hash key", "port config all rss none", "show port 0 rss-hash"]
    typed += ["port config 0 rss ip", "port config all rss all"]
    done, log = record("--rxq=2", "--txq=2", typed=typed)
    assert errors(done) == []
    assert log.of("rss_update") == [
        {"types": hex(RSS_UDP4), "key": "0"},
        {"types": hex(RSS_UDP4), "key": "1"},
        {"types": "0x0", "key": "0"},
        {"types": hex(RSS_IPV4), "key": "0"},
        {"types": hex(RSS_IPV4 | RSS_TCP4 | RSS_UDP4), "key": "0"},
    ]
    assert done.out.count(f"port 0: RSS on, types {RSS_UDP4:#x}") == 2
    assert f"  key {KEY}\n" in done.out
    assert "port 0: RSS off, types 0x0" in done.out


def test_rss_outlives_a_new_configuration(record):
    renew = ["port stop all", "port config all rxd 256", "port start all"]
    typed = ["port config all rss udp", *renew, "port config all rss none", *renew]
    _, log = record("--rxq=2", "--txq=2", typed=typed)
    asked = [int(call["rss"], 16) for call in log.of("configure")]
    assert asked == [RSS_IPV4, RSS_UDP4, 0]


def test_rss_that_cannot_be(record):
    done, log = record(typed=["port config all rss udp"])
    (error,) = errors(done)
    assert "has 1 receive queue, RSS needs more" in error
    done, log = record(typed=["port config all rss ip"], devargs=",lacks=1")
    (error,) = errors(done)
    assert "driver net_recorder does not support: setting the RSS types" in error
    done, _ = record("--rxq=2", "--txq=2", typed=[f"port config 0 rss-key {KEY[:-2]}"])
    (error,) = errors(done)
    assert "setting the RSS key failed: Invalid argument" in error
    assert log.of("rss_update") == []


def test_addresses(record):
    one = "02:00:00:00:00:11"
    typed = [f"mac_addr add 0 {one}", f"mac_addr remove 0 {one}", "mac_addr set 0 " + one]
    typed += ["show port info 0", "set fwd mac", "start", "stop"]
    done, log = record(typed=typed, frames=TAGGED[:1])
    assert errors(done) == []
    assert log.of("mac_add") == log.of("mac_remove") == [{"address": one}]
    # The first one is ethdev's, at the start.
    assert log.of("mac_set")[1:] == [{"address": one}]
    assert f"MAC address         {one}" in done.out
    ((data, *_),) = log.sent()
    assert data[6:12] == bytes.fromhex(one.replace(":", ""))


def test_switches(record):
    typed = ["set promisc 0 off", "set allmulti 0 on", "set allmulti all off"]
    typed += ["set link-down port 0", "set link-up port 0", "port config mtu 0 1400"]
    typed += ["port stop 0", "port start 0", "port stop 0", "port config all rxd 256"]
    typed += ["port start 0", "show port info 0", "clear port stats 0"]
    done, log = record(typed=typed)
    assert errors(done) == []
    # Ethdev restores both at each start. What was switched off stays off at the next ones.
    assert [call["on"] for call in log.of("promiscuous")] == ["0", "1", "0", "0", "0"]
    assert [call["on"] for call in log.of("allmulticast")] == ["0", "1", "0", "0", "0"]
    assert log.of("link") == [{"up": "0"}, {"up": "1"}]
    assert log.of("mtu")[0] == {"bytes": "1400"}
    assert log.of("configure")[-1]["mtu"] == "1400"
    assert log.of("rx_queue_setup")[-1]["descriptors"] == "256"
    assert "promiscuous         off" in done.out
    assert log.names()[-2:] == ["stop", "close"] and "stats_reset" in log.names()


def test_queues_and_their_paths(record):
    """At the prompt, in the report and in the document."""
    typed = ["show rxq info 0 1", "show txq info 0 2", "start", "stop"]
    done, _ = record("--rxq=3", "--txq=3", typed=typed)
    assert errors(done) == []
    rx, tx = done.out.partition("port 0 transmit queue 2\n")[::2]
    assert "port 0 receive queue 1\n  descriptors         111, free threshold 11\n" in rx
    assert "mbuf pool           mbufs_0" in rx and "scattered packets   yes" in rx
    assert "  path                receives by queue 1\n" in rx
    assert "descriptors         222, free threshold 22" in tx
    assert "  path                sends by queue 2\n" in tx
    port = done.json["ports"][0]
    for way, words, ring in (("rx", "receives", 111), ("tx", "sends", 222)):
        queues = port[f"{way}_queues"]
        assert [queue["burst_mode"] for queue in queues] == [
            f"{words} by queue {n}" for n in range(3)
        ]
        assert {queue["ring_size"] for queue in queues} == {ring}
        assert f"    0      1   {way}  {words} by queue 1\n" in done.out


@pytest.mark.parametrize("way", ["rxq", "txq"])
def test_a_stopped_queue_is_not_polled(record, way):
    """The recorder aborts when it is."""
    typed = [f"port 0 {way} 1 stop", "start tx_first", "stop", "show fwd stats all"]
    typed += [f"port 0 {way} 1 start", "start tx_first", "stop"]
    done, log = record("--rxq=2", "--txq=2", "--burst=8", typed=typed)
    assert errors(done) == []
    assert log.of(way) == [{"queue": "1", "on": "0"}, {"queue": "1", "on": "1"}]
    kind = "receive" if way == "rxq" else "transmit"
    assert f"port 0 {kind} queue 1 is stopped: port 0 queue 1 is not polled" in done.err
    assert all(queue["packets"] > 0 for queue in done.json["ports"][0]["rx_queues"])


def test_a_start_of_the_port_starts_its_queues(record):
    typed = ["port 0 rxq 1 stop", "port stop 0", "port start 0", "start tx_first", "stop"]
    done, _ = record("--rxq=2", "--txq=2", typed=typed)
    assert "is not polled" not in done.err
    assert all(queue["packets"] > 0 for queue in done.json["ports"][0]["rx_queues"])


LOSSES = [
    ("imissed=20", 20, 0),
    ("ierrors=20", 20, 0),
    ("nombuf=20", 20, 0),
    ("oerrors=20", 20, 0),
    ("imissed=7,nombuf=6,oerrors=5,ierrors=4", 22, 0),
    ("imissed=11,silent=9", 11, 9),
    ("silent=20", 0, 20),
    # What was refused was never sent: it explains nothing, though it is an oerror.
    ("refuses=30,silent=20", 0, 20),
    ("refuses=30,oerrors=8,silent=9", 8, 9),
]


@pytest.mark.parametrize("devargs,explained,unexplained", LOSSES, ids=[c[0] for c in LOSSES])
def test_lost_frames_are_matched_with_the_counters(record, devargs, explained, unexplained):
    done, _ = record(
        "--forward-mode=verify", "--packets=5000", "--rate=1M", devargs="," + devargs
    )
    assert done.json["forward"]["tx_dropped"] == (30 if "refuses" in devargs else 0)
    verify = done.json["verify"]
    lost = explained + unexplained
    assert verify["all"]["lost"] == lost
    assert verify["all"]["received"] == 5000 - lost
    assert verify["dropped_by_ports"] == explained
    assert verify["unexplained"] == unexplained
    said = f"lost {lost}: dropped by ports, as they say {explained}, "
    assert said + f"corrupted beyond recognition 0, unexplained {unexplained}" in done.out


def test_counters_of_the_run_before_explain_nothing(record):
    """The recorder's counters cannot be set to 0: what they had at the start does not count."""
    done, _ = record(
        "--forward-mode=verify",
        "--packets=3000",
        "--rate=100k",
        "--repeat=2",
        devargs=",imissed=20,silent=70",
    )
    assert done.json["ports"][0]["stats"]["imissed"] == 0
    assert done.json["verify"]["all"]["lost"] == 30
    assert done.json["verify"]["dropped_by_ports"] == 0
    assert done.json["verify"]["unexplained"] == done.json["verify"]["all"]["lost"]


def test_a_device_that_says_it_is_gone(start, recorder, tmp_path):
    """Without an event: it is asked now and then."""
    gone = tmp_path / "gone"
    devices = [f"net_recorder0,removed={gone}", "net_recorder1"]
    started = start(
        devices, SMALL, "--port-topology=loop", "--forward-mode=txonly", eal=["-d", recorder]
    )
    gone.touch()
    started.wait_for("port 0 (net_recorder0): the device is gone, it is no longer polled")
    started.signal(2)
    done = started.finish()
    assert done.status == 0
    assert [port["gone"] for port in done.json["ports"]] == [True, False]
