"""Calls of the plugin API, out by the way the hooks come in: for handlers that wait in a thread, and for those on a loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from mmhooks.errors import APITimeout, APIUnavailable

TIMEOUT = 30.0
"""Seconds for one call, unless it says otherwise: what a hook's handler has for all that it does."""


class Caller(Protocol):
    """A host's way to the plugin API. `loop` is the event loop on which its calls run."""

    loop: asyncio.AbstractEventLoop

    async def call(self, method: str, arguments: Sequence[Any]) -> Any:
        """See `AsyncPluginAPI.call`, which adds the deadline."""


class Link:
    """The caller of an app, once its host has given one."""

    def __init__(self) -> None:
        self.caller: Caller | None = None

    def get(self) -> Caller:
        """Raises `APIUnavailable` when there is none."""
        if self.caller is None:
            raise APIUnavailable(
                "the plugin API is not there: a released server (net/rpc) offers it from OnActivate on; other hosts, tests "
                "in process and modules that are being imported have none"
            )
        return self.caller


class PluginAPI:
    """The plugin API for sync code: calls wait for their answer, in any thread but that of the event loop."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def call(self, method: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
        """Call a method; see `AsyncPluginAPI.call`.

        Raises `RuntimeError` on the event loop, where it would wait for itself: `await app.async_api.call(…)` there.
        """
        caller = self._link.get()
        if _running_loop() is caller.loop:
            raise RuntimeError(
                f"app.api.call({method!r}) waits, and on the event loop nothing could answer meanwhile: in async code "
                f"write `await app.async_api.call({method!r}, …)`"
            )
        future = asyncio.run_coroutine_threadsafe(_limited(caller, method, arguments, timeout), caller.loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise APIUnavailable(f"{method}: the plugin is stopping") from None


class AsyncPluginAPI:
    """The plugin API for async code, on any event loop."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def call(self, method: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
        """Call a method of the plugin API.

        Arguments:
            method: its name in Mattermost's `api.go`: `GetUser`.
            arguments: in Go's order; models, plain values, None for an empty pointer.
            timeout: seconds for the answer.

        Result: what the method gives besides its error: nothing, a value, or a tuple of several. Raises `AppError` or
        `GoError` as the server says; `APITimeout`; `APIUnavailable` when no host offers the API, or it is gone;
        `UnsupportedByHost` when this server has no such method; `ModelError` for an argument that cannot be sent, and
        `TypeError` for too many or too few.
        """
        caller = self._link.get()
        call = _limited(caller, method, arguments, timeout)
        if _running_loop() is caller.loop:
            return await call
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, caller.loop))


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _limited(caller: Caller, method: str, arguments: Sequence[Any], timeout: float) -> Coroutine[Any, Any, Any]:
    async def call() -> Any:
        try:
            return await asyncio.wait_for(caller.call(method, arguments), timeout)
        except TimeoutError:
            raise APITimeout(f"{method}: the server did not answer within {timeout:g} s") from None

    return call()
