"""Calls of the plugin API, out by the way the hooks come in: for handlers that wait in a thread, and for those on a loop."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from mmhooks import threads
from mmhooks.errors import APIError, DeadlineExceeded, HostUnavailable, NoPluginAPI
from mmhooks.naming import snake

TIMEOUT = 30.0
"""Seconds for one call, unless it says otherwise: what a hook's handler has for all that it does."""

FLUSH = 1.0
"""Seconds that a plugin which ends waits at most until the server has its records."""


class Caller(Protocol):
    """A host's way to the plugin API. `loop` is the event loop on which its async calls run.

    Both ways to call raise what `AsyncCalls.call` raises.
    """

    loop: asyncio.AbstractEventLoop

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method, on the loop."""

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method and wait for its answer, in any thread but the loop's."""


class Log(Protocol):
    """Sends a plugin's records to the server's log."""

    async def flush(self, timeout: float) -> None:
        """Wait until the server has all records, but not for longer."""

    def close(self) -> None:
        """Send no more."""


def late(method: str, timeout: float) -> DeadlineExceeded:
    """The error of a call that was not answered in time."""
    return DeadlineExceeded(f"{method}: the server did not answer within {round(timeout, 3):g} s")


def unknown_method(name: str, known: Iterable[str]) -> APIError:
    """The error of a method that mmhooks does not know, with the nearest of those that it does."""
    import difflib

    close = difflib.get_close_matches(name, [*known], n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return APIError(f"mmhooks knows no method {name!r} of the plugin API{hint}")


class Link:
    """The caller of an app, once its host has given one."""

    def __init__(self) -> None:
        self.caller: Caller | None = None
        """The host's way to the plugin API, if it is there."""
        self.log: Log | None = None
        """What sends the plugin's records by the caller."""
        self._closed = ""
        self._pid = os.getpid()

    def get(self) -> Caller:
        """Raises `HostUnavailable` when there is none, or calls are refused."""
        if os.getpid() != self._pid:
            raise NoPluginAPI("a forked child has no plugin API: call it in the plugin's own process")
        if self._closed:
            raise HostUnavailable(self._closed)
        if self.caller is None:
            raise NoPluginAPI(_NOT_YET)
        return self.caller

    async def close(self, reason: str) -> None:
        """Refuse calls from now on, for this reason; the server has the plugin's records before, if it takes them."""
        try:
            if self.log is not None:
                await self.log.flush(FLUSH)
        finally:
            self._closed = reason

    def reopen(self) -> None:
        """Refuse calls no longer."""
        self._closed = ""

    def end(self) -> None:
        """The host is gone, or will be."""
        self._closed = self._closed or "the plugin is stopping"
        if self.log is not None:
            self.log.close()


_NOT_YET = (
    "the plugin API is not there: hosts offer it from OnActivate on; tests in process and modules that are being imported "
    "have none"
)


class Calls:
    """Calls for sync code: they wait for their answer, in any thread but that of the event loop."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def call(self, method: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
        """Call a method by Mattermost's name for it; see `AsyncCalls.call`.

        Raises `RuntimeError` on the event loop, where it would wait for itself: `await app.async_api.…` there.
        """
        caller = self._link.get()
        if running_loop() is caller.loop:
            self.refuse_loop(f"api.{snake(method)}")
        check_timeout(timeout)
        with threads.Waiting():
            return caller.call_from_thread(method, arguments, timeout)

    def refuse_loop(self, name: str) -> None:
        """Raise `RuntimeError` on the event loop. `name` is what is called there, without `app`."""
        if self._link.caller is not None and running_loop() is self._link.caller.loop:
            raise RuntimeError(
                f"app.{name} waits, and on the event loop nothing could answer meanwhile: in async code write "
                f"`await app.async_{name}(…)`"
            )


class AsyncCalls:
    """Calls for async code, on any event loop."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def refuse_loop(self, name: str) -> None:
        """Nothing: async code may wait anywhere."""

    async def call(self, method: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
        """Call a method by Mattermost's name for it.

        Arguments:
            method: its name in Mattermost's `api.go`: `GetUser`.
            arguments: in Go's order; models, plain values, None for an empty pointer.
            timeout: seconds for the answer.

        Result: what the method gives besides its error: nothing, a value, or a tuple of several. Raises `AppError` or
        `GoError` as the server says; `DeadlineExceeded`; `HostUnavailable` when no host offers the API, or it is gone;
        `UnsupportedByHost` when this server has no such method; `ModelError` for an argument that cannot be sent, and
        `TypeError` for too many or too few.
        """
        caller = self._link.get()
        check_timeout(timeout)
        if running_loop() is caller.loop:
            return await caller.call(method, arguments, timeout)
        return await _from_another_loop(caller, method, arguments, timeout)


async def _from_another_loop(caller: Caller, method: str, arguments: Sequence[Any], timeout: float) -> Any:
    call = caller.call(method, arguments, timeout)
    try:
        future = asyncio.run_coroutine_threadsafe(call, caller.loop)
    except RuntimeError:
        call.close()
        raise HostUnavailable(f"{method}: the plugin has stopped") from None
    answer = asyncio.wrap_future(future)
    try:
        with threads.Waiting():  # the loop may be one that a sync handler has made, and waits for
            await asyncio.wait([answer], timeout=timeout + STUCK)
    except asyncio.CancelledError:
        answer.cancel()
        raise
    if not answer.done():
        answer.cancel()
        raise HostUnavailable(f"{method}: the plugin's event loop does not answer, or has ended")
    if answer.cancelled():
        raise HostUnavailable(f"{method}: the plugin is stopping")
    return answer.result()


STUCK = 5.0
"""Seconds beyond a call's deadline after which nobody waits any longer for the plugin's loop to tell of it."""


def check_timeout(timeout: float) -> None:
    """Raises `TypeError` or `ValueError` for what is no time to wait."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout={timeout!r}: expected seconds, a number above 0")
    if not timeout > 0:
        raise ValueError(f"timeout={timeout!r}: expected seconds, a number above 0")


_READING = re.compile(r"(KV)?(Get|List|Has|Search|Is|Count|Read|Load)(?=[A-Z]|$)")


def is_repeatable(method: str) -> bool:
    """Whether calling a method twice does no more than calling it once, whatever became of the first call: it only reads, or
    like GetDirectChannel makes what is not there yet."""
    return _READING.match(method) is not None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop of this thread, if it runs one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def read_settings(answer: bytes) -> dict[str, Any]:
    """The settings in the answer of LoadPluginConfiguration, which is JSON. Raises `APIError` when it is not."""
    try:
        found = json.loads(answer or b"{}")
    except ValueError as error:
        raise APIError(f"LoadPluginConfiguration: the answer is no JSON: {error}") from None
    if not isinstance(found, dict | None):
        raise APIError(f"LoadPluginConfiguration: expected a JSON object, not an instance of {type(found).__name__}")
    return found or {}
