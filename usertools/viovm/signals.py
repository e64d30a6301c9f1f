# SPDX-License-Identifier: BSD-3-Clause
"""Turns the signals that end a program into an exception, so that clean-up code runs."""

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _leave(number, _frame):
    # A second signal must not cut the clean-up short; every step of it is bounded in time.
    for other in ENDING:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def exit_on_signals():
    """From now on SIGINT, SIGTERM and SIGHUP raise SystemExit(128 + number) in the main thread."""
    for number in ENDING:
        signal.signal(number, _leave)
