# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-testpmd's prompt, of which any character may have lines of other threads before it."""

import re

PROMPT = "testpmd> "

# A prompt, character by character as testpmd writes it, with whole lines of other threads between;
# and how far back one is looked for.
_TORN = re.compile(f"^(?!{PROMPT})" + r"((?:[^\n]*\n)+?)??".join(PROMPT), re.MULTILINE)
_WITHIN = 4096


def mend(log):
    """The same text, with what stands in the middle of prompts near its end moved before them."""
    for torn in _TORN.finditer(log, max(0, len(log) - _WITHIN)):
        whole = "".join(filter(None, torn.groups())) + PROMPT
        log = log[: torn.start()] + whole + log[torn.end() :]
    return log


class Terminal:
    """A job of the guest at its prompt. Its messages go to the same file as the prompt."""

    def __init__(self, job):
        self.job = job
        self._said = ""

    def output(self):
        """All that it has written until now, with whole prompts. Nothing of it changes its place
        once the prompt after it is whole."""
        self._said = mend(self._said + self.job.output()[len(self._said) :])
        return self._said

    def wait(self, seconds, begin=0):
        """Wait for a prompt, from the place begin on, and return all of the output."""
        return self.job.wait_output(PROMPT, seconds, begin, self.output)

    def command(self, line, seconds):
        """Type a line, wait for the next prompt, and return what came between."""
        shown = len(self.output())
        self.job.write(line + "\n")
        return self.wait(seconds, shown)[shown:]
