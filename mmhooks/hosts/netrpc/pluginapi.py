"""The way back: calls of the plugin API on the stream that the server offers at OnActivate."""

from __future__ import annotations

import asyncio
import collections
import copy
import functools
import threading
from collections.abc import Sequence
from typing import Any, Protocol

from mmhooks.api.calls import STUCK, TIMEOUT, late, unknown_method
from mmhooks.deadlines import Deadlines
from mmhooks.errors import APIError, HostUnavailable, ModelError, UnsupportedByHost
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.inbox import Message
from mmhooks.hosts.netrpc.gob.schema import Interface, Pointer, Schema, Struct, zero
from mmhooks.hosts.netrpc.gob.types import RemoteProtocolError
from mmhooks.hosts.netrpc.peers import CallRefused, Client
from mmhooks.hosts.netrpc.session import Lost
from mmhooks.hosts.netrpc.structs import API

_UNKNOWN_METHOD = "rpc: can't find method"
"""How Go's net/rpc says that there is none."""


class ServerAPI:
    """Calls the plugin API of the server that started this process; see `mmhooks.api.Caller`."""

    def __init__(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._client = client
        self._deadlines = Deadlines()
        self._asked: collections.deque[tuple[str, Sequence[Any], float, float, _Waiting]] = collections.deque()
        self._woken = False

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method, on the loop."""
        answer: asyncio.Future[Any] = self.loop.create_future()
        call = self._begin(method, arguments, timeout, answer)
        try:
            return await answer
        finally:
            call.end()

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method by the loop, and wait for its answer."""
        answer = _Waiting()
        self._asked.append((method, arguments, self.loop.time(), timeout, answer))
        if not self._woken:
            self._woken = True
            try:
                self.loop.call_soon_threadsafe(self._begin_asked)
            except RuntimeError:
                raise HostUnavailable(f"{method}: the plugin has stopped") from None
        if not answer.wait(timeout + STUCK):
            # What has not been sent by now is not sent later, when somebody may have tried again.
            answer.is_abandoned = True
            raise HostUnavailable(f"{method}: the plugin's event loop does not answer, or has ended")
        return answer.result()

    def _begin_asked(self) -> None:
        """Begin all calls of threads, for which the loop is woken once."""
        self._woken = False  # before looking: what comes from now on wakes the loop again
        while self._asked:
            method, arguments, asked, timeout, answer = self._asked.popleft()
            if answer.is_abandoned:
                continue
            late_by = self.loop.time() - asked
            try:
                if late_by >= timeout:
                    raise late(method, timeout)
                self._begin(method, arguments, timeout, answer, 0.0 if late_by < _AT_ONCE else late_by)
            except Exception as error:
                answer.set_exception(error)

    def _begin(
        self, method: str, arguments: Sequence[Any], timeout: float, answer: _Answer, late_by: float = 0.0
    ) -> _Call:
        codec = _codec(method)
        if len(arguments) != len(codec.letters):
            raise TypeError(f"{method} takes {len(codec.letters)} arguments, not {len(arguments)}")
        values = dict(zip(codec.letters, arguments, strict=True))
        call = _Call(self._client, codec, timeout, answer)
        try:
            call.seq = self._client.begin(method, codec.arguments, values, call.settle)
        except ModelError as error:
            raise ModelError(f"{method}: {error}") from None
        except Lost as error:
            raise HostUnavailable(f"{method}: {error}") from None
        if timeout == TIMEOUT and not late_by:
            self._deadlines.watch(call, self.loop, timeout)
        else:
            call.timer = self.loop.call_later(timeout - late_by, call.expire)
        return call


_AT_ONCE = 0.05
"""Seconds that a call may wait for the loop and still have all of its time: then it needs no timer of its own."""


class _Answer(Protocol):
    """What is waited for: on the loop a future of asyncio's, in a thread `_Waiting`."""

    def done(self) -> bool: ...
    def set_result(self, result: Any) -> None: ...
    def set_exception(self, error: Any) -> None: ...


class _Waiting:
    """An answer that a thread waits for; it costs a third of a future of `concurrent.futures`."""

    __slots__ = ("_done", "_error", "_lock", "_result", "is_abandoned")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.is_abandoned = False
        self._done = False
        self._result: Any = None
        self._error: Exception | None = None

    def wait(self, timeout: float) -> bool:
        """Wait for it; whether it came."""
        return self._lock.acquire(timeout=min(timeout, threading.TIMEOUT_MAX))

    def result(self) -> Any:
        """What came, or is raised in its place."""
        try:
            if self._error is not None:
                raise self._error
            return self._result
        finally:
            self._error = None  # which has this frame in its traceback

    def done(self) -> bool:
        return self._done

    def set_result(self, result: Any) -> None:
        self._result = result
        self._done = True
        self._lock.release()

    def set_exception(self, error: Exception) -> None:
        self._error = error
        self._done = True
        self._lock.release()


class _Call:
    """A call under way, on the loop."""

    __slots__ = ("_answer", "_client", "_codec", "_timeout", "over", "seq", "timer")

    def __init__(self, client: Client, codec: _Codec, timeout: float, answer: _Answer) -> None:
        self._client = client
        self._codec = codec
        self._timeout = timeout
        self._answer = answer
        self.over = False
        self.seq = -1
        self.timer: asyncio.TimerHandle | None = None

    def settle(self, reply: Message | Exception) -> None:
        """Take the reply."""
        self.end()
        if self._answer.done():
            return
        try:
            result = self._result(reply)
        except Exception as error:
            self._answer.set_exception(error)
        else:
            self._answer.set_result(result)

    def expire(self) -> None:
        """Give the call up."""
        if not self.over:
            self.settle(late(self._codec.name, self._timeout))

    def end(self) -> None:
        """Wait for nothing more."""
        if not self.over:
            self.over = True
            self._client.forget(self.seq)
            if self.timer is not None:
                self.timer.cancel()

    def _result(self, reply: Message | Exception) -> Any:
        name = self._codec.name
        match reply:
            case Message():
                try:
                    return self._codec.result(self._client.stream.read(reply, self._codec.results))
                except (RemoteProtocolError, ModelError) as error:
                    raise APIError(f"{name}: the answer cannot be read: {error}") from None
            case CallRefused() if str(reply).startswith(_UNKNOWN_METHOD):
                raise UnsupportedByHost(
                    f"this host has no {name}: the server is of an older version, or it is mmhooks' own host for trying "
                    "plugins, which has no plugin API"
                )
            case CallRefused():
                raise APIError(f"{name}: {reply}")
            case Lost():
                raise HostUnavailable(f"{name}: {reply}")
            case _:
                raise reply


class _Codec:
    """What the arguments and the results of a method travel as."""

    def __init__(self, name: str, arguments: Struct, results: Struct) -> None:
        self.name = name
        self.arguments = arguments
        self.results = results
        self.letters = [field.go for field in arguments.fields]
        self._given = [(field.go, zero(field.schema)) for field in results.fields if not _is_error(field.schema)]
        self._error = next((field.go for field in results.fields if _is_error(field.schema)), "")

    def result(self, found: dict[str, Any]) -> Any:
        """What the method gives besides its error, which is raised."""
        if (error := found.get(self._error)) is not None:
            raise error
        given = [found[letter] if letter in found else copy.copy(usual) for letter, usual in self._given]
        return tuple(given) if len(given) > 1 else given[0] if given else None


@functools.cache
def _codec(name: str) -> _Codec:
    try:
        return _Codec(name, *contract.method(name))
    except KeyError:
        raise unknown_method(name, API) from None


def _is_error(schema: Schema) -> bool:
    return schema == Interface(is_error=True) or schema == Pointer(contract.struct("model.AppError"))
