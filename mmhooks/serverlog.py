"""The plugin's own records in the server's log, by the plugin API, with what they were given as `extra`."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mmhooks.errors import UnsupportedByHost
from mmhooks.log import Entry, HclogHandler
from mmhooks.outcomes import sendable

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI

KEPT = 1000
"""Entries that wait for the server; more are dropped, and counted."""

TIMEOUT = 5.0
"""Seconds that the server has for one entry."""

REST = 10.0
"""Seconds without a try, after one that failed: entries go to stderr meanwhile."""

_METHODS = {"debug": "LogDebug", "info": "LogInfo", "warn": "LogWarn", "error": "LogError"}


class ServerLog:
    """Sends the entries of a logger, and of those below it, one after the other; nobody waits for it.

    Arguments:
        name: the logger's.
        api: the plugin API, of which the methods LogDebug, LogInfo, LogWarn and LogError are called.
        loop: where they are called.
        handler: what has the entries, and writes those to stderr that the server does not take.
    """

    def __init__(
        self,
        name: str,
        api: AsyncPluginAPI,
        loop: asyncio.AbstractEventLoop,
        handler: HclogHandler,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._api = api
        self._loop = loop
        self._handler = handler
        self._clock = clock
        self._lock = threading.RLock()  # a finalizer that logs may run while it is held
        self._waiting: collections.deque[Entry] = collections.deque()
        self._dropped = 0
        self._sending = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._resting_until = 0.0
        handler.divert = self._take

    async def flush(self, timeout: float) -> None:
        """Wait until the server has all entries, but not for longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), timeout)

    def close(self) -> None:
        """Take no more entries, and write those to stderr that still wait."""
        self._handler.divert = None
        with self._lock:
            self._leave_to_stderr()

    def _take(self, entry: Entry) -> bool:
        """Take an entry, in any thread; False when it is for stderr."""
        if entry.name != self._name and not entry.name.startswith(f"{self._name}."):
            return False
        with self._lock:
            if self._clock() < self._resting_until:
                return False
            if len(self._waiting) >= KEPT:
                self._dropped += 1
                return True
            self._tell_dropped()
            self._waiting.append(entry)
            if not self._sending:
                try:
                    self._loop.call_soon_threadsafe(self._begin)
                except RuntimeError:  # the loop has ended
                    self._waiting.pop()
                    return False
                self._sending = True
                self._idle.clear()  # which, other than setting it, any thread may do
        return True

    def _tell_dropped(self) -> None:
        if self._dropped:
            text = f"{self._dropped} records of the log were dropped here: the server took them too slowly"
            self._waiting.append(Entry("warn", self._name, text, time.time(), {}))
            self._dropped = 0

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._send())

    async def _send(self) -> None:
        while (entry := self._next()) is not None:
            try:
                await self._api.call(
                    _METHODS[entry.level], sendable(entry.message), self._pairs(entry), timeout=TIMEOUT
                )
            except BaseException as error:
                # Whatever it is: a task of the log has nobody else to tell, and the entry must not be lost.
                with self._lock:
                    self._resting_until = self._clock() + REST
                    if isinstance(error, UnsupportedByHost):
                        self._resting_until = float("inf")
                    self._waiting.appendleft(entry)
                    self._leave_to_stderr()
                if isinstance(error, asyncio.CancelledError):
                    raise

    def _next(self) -> Entry | None:
        with self._lock:
            if not self._waiting:
                self._tell_dropped()
            if self._waiting:
                return self._waiting.popleft()
            self._sending = False
            self._idle.set()
            return None

    def _leave_to_stderr(self) -> None:
        self._tell_dropped()
        while self._waiting:
            self._handler.write(self._waiting.popleft())

    def _pairs(self, entry: Entry) -> list[str]:
        pairs = {"logger": entry.name} | entry.pairs if entry.name != self._name else entry.pairs
        return [sendable(text) for pair in pairs.items() for text in pair]
