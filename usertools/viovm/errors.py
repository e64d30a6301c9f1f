# SPDX-License-Identifier: BSD-3-Clause
"""The errors that a user sees: what happened, and what to do about it."""


class VioError(Exception):
    """One line that says what happened and, where known, one that says what to do."""

    def __init__(self, what, todo=""):
        super().__init__(what)
        self.what = what
        self.todo = todo

    def __str__(self):
        return f"{self.what}\n  {self.todo}" if self.todo else self.what


class GuestTimeout(VioError):
    """A command in the guest did not end in time. `output` holds what it wrote until then."""

    def __init__(self, what, output):
        super().__init__(what)
        self.output = output
