"""A way to the plugin API whose answers are made on an event loop: what tests put in the place of a host."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Sequence
from typing import Any

from mmhooks.api.calls import late
from mmhooks.errors import HostUnavailable


class LoopCaller:
    """A caller whose calls all run on the loop. A subclass has `answer`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    async def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        """What a method answers, as soon as it does."""
        raise NotImplementedError

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method, on the loop."""
        try:
            return await asyncio.wait_for(self.answer(method, arguments), timeout)
        except TimeoutError:
            raise late(method, timeout) from None

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method by the loop, and wait for its answer."""
        future = asyncio.run_coroutine_threadsafe(self.call(method, arguments, timeout), self.loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise HostUnavailable(f"{method}: the plugin is stopping") from None
