"""One timer for many deadlines: a timer of its own for each call would take a tenth of the call's time.

Calls that have the same time all come due in the order in which they began, so one row of them needs one timer, for the
first. Most are over long before, and are dropped from the row as others join it.
"""

from __future__ import annotations

import asyncio
import collections
from typing import Protocol

_SWEEP = 1024
"""Calls in a row from which on those in the middle are dropped, too, that are over: the first may be a stuck one."""


class Due(Protocol):
    """Something that has a deadline."""

    @property
    def over(self) -> bool:
        """Whether it needs none any more."""

    def expire(self) -> None:
        """Its deadline has passed."""


class Row:
    """Calls that have so many seconds each, on one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._calls: collections.deque[tuple[float, Due]] = collections.deque()
        self._sweep_at = _SWEEP
        self._armed = False

    def join(self, call: Due) -> None:
        """Let a call's time begin."""
        calls = self._calls
        while calls and calls[0][1].over:
            calls.popleft()
        if len(calls) >= self._sweep_at:
            self._calls = calls = collections.deque(each for each in calls if not each[1].over)
            self._sweep_at = max(_SWEEP, 2 * len(calls))
        deadline = self._loop.time() + self._seconds
        calls.append((deadline, call))
        if not self._armed:
            self._arm(deadline)

    def _arm(self, deadline: float) -> None:
        self._armed = True
        self._loop.call_at(deadline, self._look)

    def _look(self) -> None:
        self._armed = False
        now = self._loop.time()
        while self._calls:
            deadline, call = self._calls[0]
            if call.over:
                self._calls.popleft()
            elif deadline <= now:
                self._calls.popleft()
                call.expire()
            else:
                self._arm(deadline)
                return


class Deadlines:
    """The rows of one dispatcher, by loop and seconds."""

    def __init__(self) -> None:
        self._rows: dict[tuple[asyncio.AbstractEventLoop, float], Row] = {}

    def watch(self, call: Due, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Have a call expire after so many seconds; on its loop. `seconds` are to be one of a few numbers."""
        row = self._rows.get((loop, seconds))
        if row is None:
            self._rows = {key: row for key, row in self._rows.items() if not key[0].is_closed()}
            row = self._rows[loop, seconds] = Row(loop, seconds)
        row.join(call)
