"""The server's clock: it stands still until a test moves it."""

from __future__ import annotations

import threading
import time


class Clock:
    """The time of an in-memory Mattermost, in milliseconds since 1970 (UTC), as everywhere in Mattermost.

    It stands still, so that nothing expires while a test runs, however slow the machine is: `advance` moves it. What
    the server stores gets times of its own, each at least a millisecond later than the one before, as if everything had
    happened one after the other.

    Arguments:
        start: where it begins; the present unless given.
        ticking: go on by itself, as a real clock does: for servers that people try a plugin on.
    """

    def __init__(self, start: int | None = None, *, ticking: bool = False) -> None:
        self._lock = threading.Lock()
        self._base = int(time.time() * 1000) if start is None else start
        self._began = time.monotonic() if ticking else None
        self._last = 0

    @property
    def now(self) -> int:
        """The present."""
        if self._began is None:
            return self._base
        return self._base + int((time.monotonic() - self._began) * 1000)

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> int:
        """Move the clock forward. Result: the new present. Raises `ValueError` for a way back."""
        step = round(1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days))))
        if step < 0:
            raise ValueError("the clock goes forward only")
        with self._lock:
            self._base += step
        return self.now

    def stamp(self) -> int:
        """A time for something that happens now: later than every other one that was given."""
        with self._lock:
            self._last = max(self.now, self._last + 1)
            return self._last
