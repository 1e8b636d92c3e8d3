"""The event loop of a process that serves a host, from its first task to the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger("mmhooks")

CALLS_GRACE = 0.8
"""Seconds for calls under way when a stop is asked for; less than the lifeline allows for everything."""

LAST_WORDS = 0.4
"""Seconds that a host which asks for a stop waits at most for the rest of what was printed."""


class Stop:
    """The wish that the process end; made on its loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reason: asyncio.Future[str] = self._loop.create_future()

    def ask(self, reason: str) -> None:
        """Ask for it, from any thread. The first reason counts."""
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._settle, reason)

    def _settle(self, reason: str) -> None:
        if not self._reason.done():
            self._reason.set_result(reason)

    async def wait(self) -> str:
        """Wait until somebody asks; the reason."""
        return await self._reason


def run(serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a server on a loop of its own until it ends."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    main = loop.create_task(serve())
    while not main.done():
        try:
            loop.run_until_complete(main)
        except (SystemExit, KeyboardInterrupt) as error:
            if main.done():
                raise
            # From a task that a handler left behind: it ends that task, not the plugin.
            logger.error("%s in a background task; the plugin goes on", type(error).__name__, exc_info=error)
    _cancel_rest(loop)
    loop.close()


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    """End what handlers left on the loop, as far as it lets itself be ended."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        with contextlib.suppress(SystemExit, KeyboardInterrupt):
            loop.run_until_complete(asyncio.wait(tasks, timeout=0.1))
