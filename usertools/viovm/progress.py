# SPDX-License-Identifier: BSD-3-Clause
"""Progress lines on standard error, with the seconds since the start in front."""

import sys
import time


class Progress:
    def __init__(self, quiet=False, stream=None):
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._begin = time.monotonic()

    def __call__(self, text):
        if not self._quiet:
            print(f"[{time.monotonic() - self._begin:6.1f}s] {text}", file=self._stream, flush=True)


SILENT = Progress(quiet=True)
