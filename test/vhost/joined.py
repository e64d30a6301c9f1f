#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""One text of what a process says by its terminal and, by a way of its own, in messages."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "usertools"))

from viovm.prompt import PROMPT, mend  # noqa: E402


class Joined:
    """Messages come before what the terminal said in the same moment, so that all messages up to a
    prompt stand before it. None comes in the middle of a line, such as a command that is echoed:
    they wait for its end."""

    def __init__(self):
        self.text = ""
        self.waiting = ""  # messages

    def add(self, terminal, messages):
        """What was read of each, by bytes."""
        terminal, messages = (
            said.decode(errors="replace").replace("\r", "") for said in (terminal, messages)
        )
        self.waiting += messages
        if self.waiting and self._within_line():
            end, newline, terminal = terminal.partition("\n")
            self.text = mend(self.text + end + newline)
            if self._within_line():
                return
        self.flush()
        self.text = mend(self.text + terminal)

    def flush(self):
        """No longer wait for the end of a line. A prompt that has begun stays whole: a thousand
        messages may come before its last character."""
        line = self._line()
        begun = line if line != PROMPT and PROMPT.startswith(line) else ""
        self.text = mend(self.text[: len(self.text) - len(begun)] + self.waiting + begun)
        self.waiting = ""

    def _line(self):
        return self.text[self.text.rfind("\n") + 1 :]

    def _within_line(self):
        """The terminal has begun one; a prompt, whole or torn (prompt.py), is none."""
        line = self._line()
        return not line.endswith(PROMPT) and not PROMPT.startswith(line)
