"""The one lock over all state, and the news of changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class StateLock:
    """Guards the state. The thread that has it may take it again; it knows who has it, so that no hook is called then:
    the hook's handler would call the API, and wait for ever."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._owner = 0
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._owner = threading.get_ident()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = 0
        self._lock.release()

    @property
    def held(self) -> bool:
        """Whether this thread has it."""
        return self._owner == threading.get_ident()


class News:
    """Wakes those who wait for something to change."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting = 0
        self._count = 0

    def tell(self) -> None:
        """Something has changed."""
        self._count += 1  # unguarded: a lost step is still a step
        if self._waiting:
            with self._condition:
                self._condition.notify_all()

    def wait_for(self, condition: Callable[[], T], timeout: float, look: float = 0.05) -> T:
        """Wait until something is true, looking again after each change.

        Arguments:
            look: seconds after which to look all the same: the condition may be about something that makes no news.

        Result: what came out of the last look, which is false when it did not come true in time.
        """
        end = time.monotonic() + timeout
        with self._condition:
            self._waiting += 1
        try:
            while True:
                count = self._count
                found, left = condition(), end - time.monotonic()
                if found or left <= 0:
                    return found
                with self._condition:
                    if count == self._count:
                        self._condition.wait(min(left, look))
        finally:
            with self._condition:
                self._waiting -= 1
