# SPDX-License-Identifier: BSD-3-Clause
"""The demo's result: a table for people, a dictionary for programs."""

import dataclasses
import textwrap

TEXT_WIDTH = 76


def ports_of(app_report):
    """Per port the paths and features that the application in the guest reports."""
    return [
        {
            "driver": port.get("driver", ""),
            "rx_path": _path(port.get("rx_queues", [])),
            "tx_path": _path(port.get("tx_queues", [])),
            "features": _features(port.get("driver_dump", [])),
        }
        for port in app_report.get("ports", [])
    ]


def _path(queues):
    """The distinct burst modes of a port's queues."""
    return "; ".join(dict.fromkeys(queue["burst_mode"] for queue in queues if queue["burst_mode"]))


def _features(dump):
    """The words after "features:" in the driver's own dump."""
    for line in dump:
        label, _, names = line.partition(":")
        if label.strip() == "features":
            return names.replace(",", " ").split()
    return []


def complete(result):
    """Has everything that was sent arrived, unchanged?"""
    return (
        all(way["lost"] == 0 and way["sent"] > 0 for way in result["ways"])
        and result["ping"]["received"] == result["ping"]["sent"]
        and result["file"]["sent_sha256"] == result["file"]["received_sha256"]
    )


def failures(result):
    """What did not arrive, one line each."""
    lines = [
        f"{way['from']} -> {way['to']}: {way['lost']} of {way['sent']} frames lost"
        for way in result["ways"]
        if way["lost"] != 0 or way["sent"] == 0
    ]
    ping, file = result["ping"], result["file"]
    if ping["received"] != ping["sent"]:
        lines.append(f"{ping['sent'] - ping['received']} of {ping['sent']} pings unanswered")
    if file["sent_sha256"] != file["received_sha256"]:
        lines.append("the file that arrived is not the file that was sent")
    return lines


def as_dict(item):
    """Dataclasses to dictionaries, for JSON."""
    return dataclasses.asdict(item) if dataclasses.is_dataclass(item) else item


def table(result):
    """The result as aligned lines."""
    ways, ping, file = result["ways"], result["ping"], result["file"]
    rows = [("", *(f"{way['from']} -> {way['to']}" for way in ways))]
    rows += [
        (label, *(form.format(way[key]) for way in ways))
        for label, key, form in (
            ("frames sent", "sent", "{:,}"),
            ("frames arrived", "arrived", "{:,}"),
            ("frames lost", "lost", "{:,}"),
            ("TCP, Mbit/s", "mbit_per_s", "{:,.0f}"),
            ("TCP retransmissions", "retransmits", "{:,}"),
        )
    ]
    lines = [f"{row[0]:<20}" + "".join(f"{cell:>26}" for cell in row[1:]) for row in rows]
    rtt = ping["rtt_ms"]
    times = f"; round trip {rtt['min']:.2f} / {rtt['avg']:.2f} / {rtt['max']:.2f} ms" if rtt else ""
    same = file["sent_sha256"] == file["received_sha256"]
    lines += [
        "",
        f"{'ping':<20}{ping['received']} of {ping['sent']} answered{times}",
        f"{'file':<20}{file['size'] >> 20} MiB in {file['seconds']:.1f} s, SHA-256 "
        + (f"equal: {file['received_sha256'][:16]}..." if same else "DIFFERENT"),
        f"{'application':<20}{result['app']}, driver {result['driver']}, "
        f"VM under {result['accel']}",
    ]
    for number, port in enumerate(result["ports"]):
        lines += ["", *_port_lines(number, port)]
    return "\n".join(lines)


def _port_lines(number, port):
    yield from _folded(f"port {number} receive", port["rx_path"])
    yield from _folded(f"port {number} transmit", port["tx_path"])
    yield from _folded("  features", " ".join(port["features"]))


def _folded(label, text):
    """A label and a text beside it, over as many lines as it needs."""
    lines = textwrap.wrap(text or "not reported", TEXT_WIDTH, break_on_hyphens=False)
    for line in lines:
        yield f"{label:<20}{line}"
        label = ""
