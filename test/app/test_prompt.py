# SPDX-License-Identifier: BSD-3-Clause
"""The prompt: its commands, by lines; and its editing, on a pseudo-terminal."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest
from apprun import TIMEOUT

TWO_PORTS = ["net_null0", "net_null1"]
SMALL = "--total-num-mbufs=4096"


@pytest.fixture
def typed(run):
    """Runs the prompt with these lines on standard input."""

    def go(lines, vdevs=TWO_PORTS, *options, status=0, **more):
        text = "\n".join(lines) + "\n"
        return run(vdevs, "-i", SMALL, *options, typed=text, status=status, **more)

    return go


def errors(done):
    return [line for line in done.err.splitlines() if "error:" in line]


def test_start_stop_and_report(typed):
    done = typed(["start", "show fwd stats all", "stop", "quit"])
    assert errors(done) == []
    assert "ended by: command" in done.out
    assert done.json["ended_by"] == "command"
    assert done.json["forward"]["rx_packets"] > 0
    assert done.json["mbufs_missing"] == 0


def test_end_of_input_ends_with_the_report(typed):
    done = typed(["set fwd macswap", "start"])
    assert done.json["options"]["forward-mode"] == "macswap"
    assert done.json["ended_by"] == "command"


@pytest.mark.parametrize("bursts,frames", [("", 32), (" 3", 96)])
def test_tx_first(typed, bursts, frames):
    """What goes round a ring is what was sent first."""
    done = typed([f"start tx_first{bursts}", "stop"], ["net_ring0"])
    assert errors(done) == []
    assert done.json["forward"]["tx_packets"] - done.json["forward"]["rx_packets"] == frames
    assert done.json["mbufs_missing"] == frames


WRONG = [
    ("strat", "found 'strat', expected one of start, stop"),
    ("start tx_frist", "found 'tx_frist', expected one of the end of the line, tx_first"),
    ("start tx_first 0", "found '0', expected a number from 1"),
    ("start tx_first 2 3", "found '3', expected the end of the line"),
    ("show port", "found 'the end of the line', expected"),
    ("show port info 9", "found '9', expected the number of a port or all"),
    ("set fwd teleport", "found 'teleport', expected a forward mode"),
    ("set burst 513", "found '513', expected a number from 1 to 512"),
    ("set burst x", "found 'x', expected a number"),
    ("set txpkts 64,,1", "found '64,,1', expected segment lengths"),
    ("set txpkts 4", "--txpkts: found '4 bytes in all'"),
    ("set nbcore 99", "found '99', expected a number from 1 to 2"),
    ("set promisc 0 maybe", "found 'maybe', expected one of on|off"),
    ("show rxq info 0 5", "found receive queue 5, expected one of the 1"),
    ("mac_addr add 0 02:00", "found '02:00', expected an address"),
    ("port config mtu 0 99999", "found '99999', expected a number from 0 to 65535"),
    ("port config all rxq 9999", "expected all ports to be stopped"),
    ("port config 0 rss-key abc", "found 'abc', expected hexadecimal digits"),
    ("port close 0", "is started, expected a stopped port"),
    ("port attach nonsense", "found 'nonsense', expected a device that a driver takes"),
    ("rx_vlan add 4096 0", "found '4096', expected a number from 0 to 4095"),
    ("port 0 rxq 1 start", "found '1', expected a number from 0 to 0"),
]


def test_slips_are_named_and_traffic_goes_on(typed):
    done = typed(["start", *[line for line, _ in WRONG], "show fwd stats all", "stop", "quit"])
    said = errors(done)
    # One that needs the traffic stopped says just that.
    for line, words in WRONG:
        at = next((text for text in said if words in text), None)
        blocked = [text for text in said if "cannot be done while forwarding" in text]
        assert at or blocked, line
    assert done.json["forward"]["rx_packets"] > 0
    assert done.json["ended_by"] == "command"


def test_each_slip_is_named_when_stopped(typed):
    done = typed([line for line, _ in WRONG])
    said = errors(done)
    assert len(said) == len(WRONG), "\n".join(said)
    for (line, words), text in zip(WRONG, said, strict=True):
        assert words in text, f"{line}: {text}"


WHEN_STOPPED = [
    "start",
    "set fwd mac",
    "set burst 16",
    "set txpkts 128",
    "set nbcore 2",
    "set record-core-cycles on",
    "set record-burst-stats on",
    "port stop all",
    "port start 0",
    "port close 0",
    "port reset 0",
    "port attach net_null7",
    "port detach 0",
    "port 0 rxq 0 stop",
    "port config all rxd 256",
    "csum set ip sw 0",
    "tso set 0 0",
    "tx_vlan set 0 5",
]


def test_what_cannot_be_done_while_forwarding_says_so(typed):
    done = typed(["start", *WHEN_STOPPED, "stop"])
    said = errors(done)
    assert len(said) == len(WHEN_STOPPED)
    assert all("cannot be done while forwarding, which goes on" in text for text in said)
    assert done.json["options"]["forward-mode"] == "io"
    assert done.json["options"]["burst"] == 32
    assert not any(port["gone"] for port in done.json["ports"])


# What net_null cannot do, and the words that say so.
LACKING = [
    ("mac_addr add 0 02:00:00:00:00:11", "adding a MAC address"),
    ("mac_addr remove 0 02:00:00:00:00:11", "removing a MAC address"),
    ("set link-up port 0", "setting the link up"),
    ("set link-down port 0", "setting the link down"),
    ("set promisc 0 off", None),
    ("set allmulti all on", None),
    ("port 0 rxq 0 stop", "stopping a receive queue"),
    ("port 0 txq 0 start", "starting a transmit queue"),
    ("vlan set strip on 0", "stripping VLAN tags"),
    ("vlan set filter on 0", "filtering by VLAN"),
    ("show rxq info 0 0", "receive queue information"),
    ("show txq info 0 0", "transmit queue information"),
    ("csum set ip hw 0", "IPV4_CKSUM"),
    ("tso set 1000 0", "TCP_TSO"),
    ("tx_vlan set 0 5", "inserting VLAN tags"),
    ("port config mtu 0 1400", None),
    ("rx_vlan add 5 0", "VLAN filter"),
]


def test_a_driver_that_lacks_an_operation_gives_one_line(typed):
    done = typed([line for line, _ in LACKING] + ["start", "stop"])
    said = errors(done)
    wanted = [words for _, words in LACKING if words]
    for words in wanted:
        assert sum(words in text for text in said) == 1, words
    assert all("port 0 (net_null0)" in text for text in said)
    assert done.json["forward"]["rx_packets"] > 0


def test_shows(typed):
    lines = [
        "show port info all",
        "show port stats 0",
        "show port xstats 1",
        "show port summary all",
        "show config fwd",
        "show config rxtx",
        "show config cores",
        "show port 0 rss-hash",
        "show port 0 rss-hash key",
        "clear port stats all",
        "clear port xstats all",
    ]
    done = typed(["start", *lines, "stop"])
    assert errors(done) == []
    for words in (
        "port 1: net_null1",
        "RX-packets:",
        "rx_good_packets:",
        "MAC address       name",
        "receive port 0 queue 0 -> transmit port 1 queue 0",
        "port 0: receive queues 1 of 512 descriptors",
        "main lcore 0; 1 of these forward: 1 2",
        "port 0: RSS ",
    ):
        assert words in done.out, words


def test_queues_and_rings_by_prompt(typed):
    lines = ["port stop all", "port config all rxq 2", "port config all txq 2"]
    lines += ["port config all rxd 128", "port start all", "set fwd macswap", "start", "stop"]
    done = typed(lines)
    assert errors(done) == []
    for port in done.json["ports"]:
        assert [queue["ring_size"] for queue in port["rx_queues"]] == [128, 128]
        assert all(queue["packets"] > 0 for queue in port["rx_queues"])


def test_attach_and_detach(typed):
    lines = ["port attach net_null5", "start", "port start 2", "start", "stop"]
    lines += ["port stop 2", "port detach 2", "show port summary all", "start", "stop"]
    done = typed(lines)
    assert len(errors(done)) == 1 and "port 2 (net_null5) is stopped" in errors(done)[0]
    assert "port 2: its device is detached" in done.err
    assert [port["name"] for port in done.json["ports"]] == TWO_PORTS


def test_ports_stop_start_reset_close(typed):
    lines = ["port stop 1", "port start 1", "port stop all", "port start all", "start", "stop"]
    lines += ["port stop all", "port close all", "start"]
    done = typed(lines)
    assert len(errors(done)) == 1 and "no port to forward between" in errors(done)[0]


def test_burst_and_cycles_by_prompt(typed):
    lines = ["set burst 8", "set record-burst-stats on", "set record-core-cycles on", "start"]
    done = typed(lines)
    bursts = done.json["ports"][0]["rx_queues"][0]["bursts"]
    assert [size for size, _ in bursts] == [8]
    assert done.json["cycles"][0]["packets"] > 0


def test_verbose_prints_packets(typed):
    done = typed(["set verbose 1", "start tx_first", "stop"], ["net_ring0"])
    assert "port 0/queue 0: received" in done.out
    assert "type=0x0800 - length=64 - nb_segs=1" in done.out


def test_help_lists_every_command(typed):
    done = typed(["help", "help show", "help nonsense"])
    for words in (
        "start tx_first N",
        "show port info|stats|xstats|summary PORTS",
        "port config all rxq|txq|rxd|txd N",
        "mac_addr add PORT MAC",
        "tx_vlan set PORT N",
        "csum set ip|udp|tcp|sctp hw|sw PORT",
        "icmpecho",
    ):
        assert words in done.out, words
    assert "help: found 'nonsense'" in done.err


def test_commands_from_a_file(run, tmp_path):
    (tmp_path / "commands").write_text("# a comment\nset fwd macswap\n\nset burst 16\nnonsense\n")
    done = run(TWO_PORTS, f"--cmdline-file={tmp_path}/commands", "--packets=1000")
    assert done.json["options"]["forward-mode"] == "macswap"
    assert done.json["options"]["burst"] == 16
    assert done.json["ended_by"] == "packets"
    assert "found 'nonsense'" in done.err


def test_file_that_says_quit(run, tmp_path):
    (tmp_path / "commands").write_text("start\nstop\nquit\nset fwd mac\n")
    done = run(TWO_PORTS, f"--cmdline-file={tmp_path}/commands")
    assert done.json["ended_by"] == "command"


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, arguments):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            arguments, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.text = ""

    def read_until(self, words, seconds=10):
        """Reads up to these words, which it takes out of the text."""
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, f"no '{words}' in:\n{self.text}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 4096).decode()
        before, _, self.text = self.text.partition(words)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(command):
    opened = []

    def go(*options, vdevs=TWO_PORTS):
        opened.append(Terminal(command(vdevs, "-i", SMALL, *options)))
        opened[-1].read_until("vio-testpmd> ")
        return opened[-1]

    yield go
    for one in opened:
        one.close()


def test_completion_help_and_history(terminal):
    prompt = terminal()
    prompt.type("sho\t")
    prompt.read_until("show ")
    prompt.type("port inf\t")
    prompt.read_until("info ")
    prompt.type("al\t\r")
    prompt.read_until("port 1: net_null1")
    prompt.read_until("vio-testpmd> ")
    # What a line can go on with, and the help beside it.
    prompt.type("set fwd \t")
    listed = prompt.read_until("verify")
    assert "macswap" in listed and "choose the forward mode" in listed
    prompt.type("macswap\r")
    prompt.read_until("vio-testpmd> ")
    prompt.type("show config fwd\r")
    prompt.read_until("mode macswap")
    prompt.read_until("vio-testpmd> ")
    # Up twice is the line before the last.
    prompt.type("\033[A\033[A")
    prompt.read_until("set fwd macswap")
    prompt.type("\rquit\r")
    assert prompt.process.wait(TIMEOUT) == 0


def test_interrupt_ends_with_the_report(terminal):
    prompt = terminal("-a")
    prompt.process.send_signal(signal.SIGINT)
    prompt.read_until("ended by: signal")
    prompt.read_until("mbufs: all back")
    assert prompt.process.wait(TIMEOUT) == 0


def test_duration_ends_the_run_and_not_the_prompt(terminal):
    prompt = terminal("--duration=0.3")
    prompt.type("start\r")
    prompt.read_until("forwarding ended by: duration")
    prompt.type("show fwd stats all\r")
    prompt.read_until("  all    all")
    prompt.type("quit\r")
    prompt.read_until("mbufs: all back")
    assert prompt.process.wait(TIMEOUT) == 0


def screen(text):
    """What a terminal shows after this text, line by line."""
    lines, row, column, at = [""], 0, 0, 0
    while at < len(text):
        escape = re.match(r"\033\[(\d*)([A-Za-z])", text[at:])
        if escape:
            count = int(escape[1] or 1)
            if escape[2] == "K":
                lines[row] = lines[row][:column]
            elif escape[2] == "D":
                column = max(column - count, 0)
            elif escape[2] == "C":
                column += count
            else:
                raise AssertionError(f"not expected: {escape[0]!r}")
            at += len(escape[0])
            continue
        if text.startswith("\033M", at):
            row, at = row - 1, at + 1
        elif text.startswith("\033E", at) or text[at] == "\n":
            row, column = row + 1, 0 if text[at] == "\033" else column
            at += text[at] == "\033"
            lines += [""] * (row + 1 - len(lines))
        elif text[at] == "\r":
            column = 0
        else:
            lines[row] = lines[row][:column].ljust(column) + text[at] + lines[row][column + 1 :]
            column += 1
        at += 1
    return lines


def test_rates_go_above_the_line_being_typed(terminal):
    prompt = terminal("--stats-period=0.2")
    prompt.type("start\r")
    prompt.read_until("vio-testpmd> ")
    prompt.type("show config f")
    text = prompt.read_until("show config f") + "show config f"
    # The cursor is within the line: two to the left, where the next letter goes.
    prompt.type("\033[D\033[D")
    for _ in range(3):
        for words in ("  port  1  rx", "vio-testpmd> ", "\033[2D"):
            text += prompt.read_until(words) + words
    shown = screen("vio-testpmd> " + text)
    rates = [line for line in shown if re.match(r" +[\d.]+ s  port", line)]
    assert len(rates) >= 6 and all(line.rstrip().endswith("Mpps") for line in rates), shown
    assert all(float(line.split()[5]) > 0 for line in rates)
    # The prompt is there once, below, with all that was typed.
    assert [line.rstrip() for line in shown if "vio-testpmd>" in line] == [
        "vio-testpmd> show config f"
    ]
    assert shown[-1].startswith("vio-testpmd> show config f")
    prompt.type("\005wd\r")
    prompt.read_until("receive port 0 queue 0 -> transmit port 1 queue 0")
    prompt.type("stop\r")
    prompt.read_until("ended by: command")
    prompt.read_until("vio-testpmd> ")
    # No run, no lines.
    time.sleep(0.5)
    assert not select.select([prompt.master], [], [], 0)[0]
    prompt.type("quit\r")
    prompt.read_until("mbufs: all back")
    assert prompt.process.wait(TIMEOUT) == 0


def test_end_of_a_run_leaves_the_line_being_typed(terminal):
    prompt = terminal("--duration=0.3")
    prompt.type("start\r")
    prompt.read_until("vio-testpmd> ")
    prompt.type("show fwd")
    prompt.read_until("forwarding ended by: duration")
    prompt.read_until("vio-testpmd> show fwd")
    prompt.type(" stats all\r")
    prompt.read_until("  all    all")


def test_rates_with_commands_by_lines(command):
    """Input that is no terminal."""
    arguments = command(TWO_PORTS, "-i", SMALL, "-a", "--stats-period=0.2")
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        lines = [process.stdout.readline() for _ in range(4)]
        out, _ = process.communicate("quit\n", TIMEOUT)
    assert all(re.match(r" +[\d.]+ s  port +\d  rx", line) for line in lines), lines
    assert "\033" not in "".join(lines) + out
    assert process.returncode == 0


def test_what_other_threads_say_goes_above_the_line(terminal, tmp_path):
    """A thread of DPDK's vhost logs that somebody has come; the line being typed stays."""
    prompt = terminal(vdevs=[f"net_vhost0,iface={tmp_path}/sock"])
    prompt.type("show con")
    prompt.read_until("show con")
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(f"{tmp_path}/sock")
        prompt.read_until("new vhost user connection")
        prompt.read_until("vio-testpmd> show con")
    prompt.read_until("vhost peer closed")
    prompt.read_until("vio-testpmd> show con")
    prompt.type("fig fwd\r")
    prompt.read_until("mode io")
