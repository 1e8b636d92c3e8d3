"""What waits: for other updates of a key, for a moment, for the author's function. Each is there for threads and for tasks."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from mmhooks import threads
from mmhooks.errors import UpdateConflict

LockT = TypeVar("LockT")

SHORTEST = 0.002
"""Seconds within which an update is tried again after it failed once; twice that after it failed again, and so on."""

LONGEST = 0.25
"""Seconds within which it is tried again at most."""


def moment(failures: int) -> float:
    """Seconds until the next try, which differ, so that those who met once do not meet each time."""
    return random.uniform(0, min(LONGEST, SHORTEST * 2 ** min(failures, 16)))


class _Entry(Generic[LockT]):
    """A key's lock, who holds it, and how many hold it or want it."""

    def __init__(self, lock: LockT) -> None:
        self.lock = lock
        self.owner: Any = None
        self.users = 0


class _Entries(Generic[LockT]):
    """A lock for each key for as long as somebody wants it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._entries: dict[Hashable, _Entry[LockT]] = {}

    @contextlib.contextmanager
    def use(self, name: Hashable, make: Callable[[], LockT]) -> Iterator[_Entry[LockT]]:
        with self._guard:
            entry = self._entries.get(name)
            if entry is None:
                entry = self._entries[name] = _Entry(make())
            entry.users += 1
        try:
            yield entry
        finally:
            with self._guard:
                entry.users -= 1
                if not entry.users:
                    del self._entries[name]


class Locks:
    """A lock for each key, for threads."""

    def __init__(self) -> None:
        self._entries: _Entries[threading.Lock] = _Entries()

    @contextlib.contextmanager
    def hold(self, key: str, end: float) -> Iterator[None]:
        """Keep a key to this thread. Raises `UpdateConflict` when it does not become free until `end`."""
        me = threading.get_ident()
        with self._entries.use(key, threading.Lock) as entry:
            if entry.owner == me:
                raise RuntimeError(_nested(key))
            if not entry.lock.acquire(blocking=False):
                with threads.Waiting():
                    held = entry.lock.acquire(timeout=max(0, end - time.monotonic()))
                if not held:
                    raise _busy(key)
            entry.owner = me
            try:
                yield
            finally:
                entry.owner = None
                entry.lock.release()


class AsyncLocks:
    """A lock for each key, for tasks, on any event loops."""

    def __init__(self) -> None:
        self._entries: _Entries[asyncio.Lock] = _Entries()

    @contextlib.asynccontextmanager
    async def hold(self, key: str, end: float) -> AsyncIterator[None]:
        """Keep a key to this task. Raises `UpdateConflict` when it does not become free until `end`."""
        me = asyncio.current_task()
        with self._entries.use((asyncio.get_running_loop(), key), asyncio.Lock) as entry:
            if entry.owner is me:
                raise RuntimeError(_nested(key))
            try:
                async with asyncio.timeout(max(0, end - time.monotonic())):
                    await entry.lock.acquire()
            except TimeoutError:
                raise _busy(key) from None
            entry.owner = me
            try:
                yield
            finally:
                entry.owner = None
                entry.lock.release()


def _nested(key: str) -> str:
    return (
        f"{key!r} is updated within an update of it, which would wait for itself: update it once, with all that changes"
    )


def _busy(key: str) -> UpdateConflict:
    return UpdateConflict(
        f"{key!r} could not be updated: another update of it, in this process, took all the time. The function that an update "
        "calls should only compute"
    )


def pause(seconds: float) -> None:
    """Wait in a thread."""
    time.sleep(seconds)


async def async_pause(seconds: float) -> None:
    """Wait on a loop."""
    await asyncio.sleep(seconds)


def called(key: str, function: Callable[[Any], Any], value: Any) -> Any:
    """What the author's function makes of a value."""
    made = function(value)
    if inspect.isawaitable(made):
        if inspect.iscoroutine(made):
            made.close()
        raise TypeError(
            f"{key!r}: the update's function is async, and only `await app.async_kv.update(…)` can wait for it"
        )
    return _checked(key, made)


async def async_called(key: str, function: Callable[[Any], Any], value: Any) -> Any:
    """What the author's function makes of a value, async or not."""
    made = function(value)
    return _checked(key, await made if inspect.isawaitable(made) else made)


def _checked(key: str, made: Any) -> Any:
    if made is None:
        raise TypeError(
            f"{key!r}: the update's function returned None: it has to return the new value, also when it has changed the one "
            "that it was given"
        )
    return made
