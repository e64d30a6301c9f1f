# SPDX-License-Identifier: BSD-3-Clause
"""The hostile device of test/vhost/hostile as a process: what it is told by words on its input, and
what it says, an event a line. For the tests here and for the benchmark of recoveries."""

import json
import subprocess
import threading

ANSWER_SECONDS = 5


class DeviceError(AssertionError):
    """The device itself does not do what it is there for."""


class Device:
    """A process of this command line. events has all that it said."""

    error = DeviceError  # what is raised

    def __init__(self, argv):
        self.events = []
        self.said = threading.Condition()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.await_event("listening")
        except self.error:
            self.dispose()
            raise

    def _read(self):
        for line in self.process.stdout:
            self._add(json.loads(line))
        self._add({"event": "ended"})

    def _add(self, event):
        with self.said:
            self.events.append(event)
            self.said.notify_all()

    def has(self, event):
        """Did it say this?"""
        return any(e["event"] == event for e in self.events)

    def await_event(self, event, since=0, seconds=ANSWER_SECONDS):
        """Wait for an event, from the given place in events on."""
        with self.said:
            self.said.wait_for(
                lambda: any(e["event"] in (event, "ended") for e in self.events[since:]), seconds
            )
            found = [e for e in self.events[since:] if e["event"] == event]
        if not found:
            raise self.error(f"the hostile device does not say {event!r}: {self.events[-5:]}")
        return found[0]

    def tell(self, word):
        """Say a word; return the place in events from which on its effects stand."""
        since = len(self.events)
        self.process.stdin.write(word + "\n")
        return since

    def counters(self):
        """What it counts now."""
        return self.await_event("counters", self.tell("?"))

    def alive(self):
        """Does the process run?"""
        return self.process.poll() is None

    def dispose(self):
        """End it, however that goes."""
        if self.alive():
            self.process.terminate()
        try:
            self.process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(ANSWER_SECONDS)
        self.process.stdin.close()
        self.process.stdout.close()

    def stop(self):
        """End it; it must have done nothing wrong itself."""
        self.dispose()
        status = self.process.returncode
        if status != 0:
            raise self.error(f"the hostile device itself ended with {status}")
