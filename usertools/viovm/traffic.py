# SPDX-License-Identifier: BSD-3-Clause
"""Real traffic between two hosts: pings, iperf3, and a file whose content is compared."""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import select
import socket
import subprocess
import threading
import time

from . import proc
from .errors import VioError

IPERF_PORT = 5201
FILE_PORT = 5202
CHUNK = 1 << 20


@dataclasses.dataclass
class Ping:
    sent: int
    received: int
    rtt_ms: dict  # min, avg, max; empty when nothing came back


def ping(host, address, count, timeout):
    """Ping address from a host's namespace, count times, 10 ms apart."""
    words = ("ping", "-q", "-n", "-c", str(count), "-i", "0.01", "-W", "2", "-w", str(timeout))
    done = subprocess.run(
        host.command(*words, address),
        capture_output=True,
        text=True,
        timeout=timeout + 10,
        env={**os.environ, "LC_ALL": "C"},
    )
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", done.stdout)
    if not counts:
        raise VioError(f"ping {address}: {(done.stderr or done.stdout).strip()}")
    times = re.search(r"= ([\d.]+)/([\d.]+)/([\d.]+)/", done.stdout)
    rtt = dict(zip(("min", "avg", "max"), map(float, times.groups()))) if times else {}
    return Ping(int(counts.group(1)), int(counts.group(2)), rtt)


def wait_reachable(host, address, timeout):
    """Ping until an answer comes; VioError after timeout seconds without one."""
    deadline = time.monotonic() + timeout
    while True:
        if ping(host, address, 1, 1).received:
            return
        if time.monotonic() > deadline:
            raise VioError(f"no answer from {address} in {timeout} s: nothing is forwarded")


@dataclasses.dataclass
class Iperf:
    mbit_per_s: float
    retransmits: int


@contextlib.contextmanager
def iperf_server(host):
    """An iperf3 server in a host's namespace, ready when the block begins."""
    server = proc.spawn(
        host.command(proc.find("iperf3"), "-s", "-p", str(IPERF_PORT), "--forceflush"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 10
        said = b""
        while b"listening" not in said:
            left = max(deadline - time.monotonic(), 0)
            more = os.read(server.stdout.fileno(), 4096) if _readable(server.stdout, left) else b""
            if not more:
                raise VioError(f"iperf3 server: not ready: {said.decode(errors='replace')}")
            said += more
        yield
    finally:
        proc.end(server)
        server.stdout.close()


def _readable(file, timeout):
    return bool(select.select([file], [], [], timeout)[0])


def iperf(client, address, seconds, reverse=False):
    """TCP from the client to the server at address; reverse: from the server to the client."""
    words = ["iperf3", "-c", address, "-p", str(IPERF_PORT), "-t", str(seconds), "-J"]
    words += ["--connect-timeout", "5000", *(["-R"] if reverse else [])]
    try:
        done = subprocess.run(
            client.command(proc.find(words[0]), *words[1:]),
            capture_output=True,
            text=True,
            timeout=seconds + 30,
        )
    except subprocess.TimeoutExpired:
        raise VioError(f"iperf3 to {address}: no end {seconds + 30} s after its start") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise VioError(f"iperf3 to {address}: {done.stderr.strip()}") from None
    if "error" in answer:
        raise VioError(f"iperf3 to {address}: {answer['error']}")
    end = answer["end"]
    return Iperf(
        end["sum_received"]["bits_per_second"] / 1e6, end["sum_sent"].get("retransmits", 0)
    )


@dataclasses.dataclass
class Transfer:
    size: int
    seconds: float
    sent_sha256: str
    received_sha256: str


def send_file(sender, receiver, address, folder, size, timeout):
    """Send a file of random bytes over TCP and compare what arrives with what was sent."""
    source, target = folder / "sent", folder / "received"
    with open(source, "wb") as file:
        for _ in range(0, size, CHUNK):
            file.write(os.urandom(min(CHUNK, size - file.tell())))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with receiver.entered():
        listener = socket.create_server((address, FILE_PORT), family=family)
    with sender.entered():
        client = socket.socket(family)
    failures = []
    with listener, client:
        for end in (listener, client):
            end.settimeout(timeout)
        taker = threading.Thread(target=_take, args=(listener, target, failures), daemon=True)
        begin = time.monotonic()
        taker.start()
        # A stream that trickles makes progress, so that no time limit of a socket ends it.
        late = threading.Timer(timeout, _cut, (client,))
        late.start()
        try:
            client.connect((address, FILE_PORT))
            with open(source, "rb") as file:
                client.sendfile(file)
            client.shutdown(socket.SHUT_WR)
        except OSError as error:
            failures.append(error)
        taker.join(timeout)
        late.cancel()
        seconds = time.monotonic() - begin
    if failures or taker.is_alive():
        why = failures[0] if failures else f"no end after {timeout} s"
        raise VioError(f"sending a file to {address}: {why}")
    return Transfer(target.stat().st_size, seconds, _sha256(source), _sha256(target))


def _cut(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _take(listener, target, failures):
    try:
        connection, _ = listener.accept()
        connection.settimeout(listener.gettimeout())
        with connection, open(target, "wb") as file:
            while data := connection.recv(CHUNK):
                file.write(data)
    except OSError as error:
        failures.append(error)


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
