"""Notices an async handler that blocks the event loop, and says in the log where it stands.

While the loop is blocked nothing else is answered, health checks included, and from inside the loop nobody can tell.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from mmhooks.threads import where

logger = logging.getLogger("mmhooks")

PATIENCE = 1.0
"""Seconds for which a handler may hold the loop before it is named."""


_PAUSE = 0.1
"""Seconds between two questions, and so how much of the patience may already be over when one is asked."""


class Watchdog:
    """A thread that asks the loop for a sign of life as long as async handlers run.

    Arguments:
        name_handler: finds the handler that a frame belongs to and describes it, or gives None.
    """

    def __init__(self, name_handler: Callable[[Any], str | None]) -> None:
        self._name_handler = name_handler
        self._running = 0
        self._wake = threading.Event()
        self._alive = threading.Event()
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._thread: threading.Thread | None = None

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """An async handler starts; called on the loop."""
        self._running += 1
        if self._running == 1:
            if self._loop is not loop:
                self._loop, self._loop_thread = loop, threading.get_ident()
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="mmhooks-watchdog", daemon=True)
                self._thread.start()
            if not self._wake.is_set():
                self._wake.set()

    def leave(self) -> None:
        """An async handler has ended; called on the loop."""
        self._running -= 1

    def close(self) -> None:
        """End the thread."""
        for event in (self._stop, self._wake, self._alive):
            event.set()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            # A few times a second, not once a call: a thread that wakes takes the interpreter from the loop.
            self._stop.wait(_PAUSE)
            if not self._running:
                self._wake.clear()
                # A handler may have started between the two lines, and set what was just cleared.
                if not self._running:
                    continue
            self._alive.clear()
            try:
                assert self._loop is not None
                self._loop.call_soon_threadsafe(self._alive.set)
            except RuntimeError:
                self._alive.set()  # the loop is closed, and blocked by nobody
            if not self._alive.wait(PATIENCE - _PAUSE) and not self._stop.is_set():
                self._report()
                self._alive.wait()

    def _report(self) -> None:
        innermost = frame = sys._current_frames().get(self._loop_thread)
        handler, own = None, frame
        while frame is not None and (handler := self._name_handler(frame)) is None:
            own, frame = frame, frame.f_back
        place = where(own if handler else innermost)
        if handler and own is not innermost:
            place += f" (in {where(innermost)})"
        logger.warning(
            "%s has blocked the event loop for %g s, at %s: health checks and all other async handlers wait. "
            "Await something that gives way, or make the handler a plain function (def), which runs in a thread.",
            handler or "something",
            PATIENCE,
            place,
        )
