"""The plugin's way to the server, in the same process."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Sequence
from typing import Any

from mmhooks.api.calls import late
from mmhooks.testing.mattermost.server import Server


class InProcessCaller:
    """A `Caller` of an app: its calls are answered in the thread that makes them, or, on the loop, in one of their own as
    soon as hooks may have to run."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._server = server

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """See `mmhooks.api.calls.Caller`."""
        if not self._server.fires(method):
            return self._server.answer(method, arguments)
        try:
            return await asyncio.wait_for(self._in_thread(method, arguments), timeout)
        except TimeoutError:
            raise late(method, timeout) from None

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """See `mmhooks.api.calls.Caller`."""
        return self._server.answer(method, arguments)

    def _in_thread(self, method: str, arguments: Sequence[Any]) -> asyncio.Future[Any]:
        """Not the loop's own threads: they are few, and hooks within hooks would wait for one another."""
        future: asyncio.Future[Any] = self.loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if not future.done():
                future.set_exception(error) if error else future.set_result(result)

        def work() -> None:
            result, error = None, None
            try:
                result = self._server.answer(method, arguments)
            except BaseException as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self.loop.call_soon_threadsafe(settle, result, error)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name=f"mmhooks-{method}", daemon=True).start()
        return future
