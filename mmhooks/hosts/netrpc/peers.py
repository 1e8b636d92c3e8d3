"""net/rpc on a stream of the session: who answers calls, and who makes them."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mmhooks.errors import MmhooksError
from mmhooks.hosts.netrpc import rpc
from mmhooks.hosts.netrpc.gob.inbox import Message
from mmhooks.hosts.netrpc.gob.schema import Schema
from mmhooks.hosts.netrpc.gob.types import RemoteProtocolError, Side
from mmhooks.hosts.netrpc.session import Lost, Stream

logger = logging.getLogger("mmhooks")


class Deferred:
    """An answer that comes later, without a task that waits for it."""

    def __init__(self) -> None:
        self._data: bytes | None = None
        self._then: Callable[[bytes], None] | None = None

    def set(self, data: bytes) -> None:
        """Answer, once."""
        if self._then is None:
            self._data = data
        else:
            self._then(data)

    def then(self, function: Callable[[bytes], None]) -> None:
        """Have the answer given to a function, when it is there."""
        self._then = function
        if self._data is not None:
            function(self._data)


Method = Callable[[rpc.Stream, rpc.Request], bytes | Awaitable[bytes] | Deferred]
"""Makes the bytes of the answer to a call, whose argument is still to be read. What it raises is an error of that call."""


class Server:
    """Answers the calls on a stream, each in a task of its own where it has to wait.

    Arguments:
        stream: the stream.
        methods: by their whole names: `Plugin.OnActivate`.
    """

    def __init__(self, stream: Stream, methods: Mapping[str, Method], *, side: Side = Side.PLUGIN) -> None:
        self._stream = stream
        self._methods = methods
        self._rpc = rpc.Stream(side)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0  # calls under way
        self._resting: asyncio.Future[None] | None = None
        stream.listen(self._receive, lambda reason: None)

    async def rest(self) -> None:
        """Wait until no call is under way."""
        while self._open:
            self._resting = asyncio.get_running_loop().create_future()
            await self._resting

    def _receive(self, data: bytes) -> None:
        try:
            requests = self._rpc.receive_requests(data)
        except RemoteProtocolError as error:
            logger.error("a stream of calls cannot be read any further: %s", error)
            self._stream.reset()
            return
        for request in requests:
            self._begin(request)

    def _begin(self, request: rpc.Request) -> None:
        method = self._methods.get(request.service_method)
        if method is None:
            # Go's words: hosts look for them, to find out what a plugin lacks.
            self._stream.write(self._rpc.error(request, f"rpc: can't find method {request.service_method}"))
            return
        try:
            answer = method(self._rpc, request)
        except Exception as error:
            self._stream.write(self._refusal(request, error))
            return
        if isinstance(answer, bytes):
            self._stream.write(answer)
            return
        self._open += 1
        if isinstance(answer, Deferred):
            answer.then(self._finish)
        else:
            task = asyncio.get_running_loop().create_task(self._await(request, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _await(self, request: rpc.Request, answer: Awaitable[bytes]) -> None:
        try:
            data = await answer
        except Exception as error:
            data = self._refusal(request, error)
        self._finish(data)

    def _finish(self, data: bytes) -> None:
        self._open -= 1
        self._stream.write(data)
        if not self._open and self._resting is not None and not self._resting.done():
            self._resting.set_result(None)

    def _refusal(self, request: rpc.Request, error: Exception) -> bytes:
        if not isinstance(error, MmhooksError):
            logger.exception("%s failed", request.service_method)
        return self._rpc.error(request, str(error) or type(error).__name__)


class CallRefused(MmhooksError):
    """The other side answered a call with an error, its text."""


Answered = Callable[[Message | Exception], None]
"""Takes the reply to a call."""


class Client:
    """Calls the other side's methods on a stream.

    Arguments:
        stream: the stream.
        service: the name before the dot of the methods' names; empty when calls give whole names.
    """

    def __init__(self, stream: Stream, service: str, *, side: Side = Side.PLUGIN) -> None:
        self._stream = stream
        self._prefix = f"{service}." if service else ""
        self.stream = rpc.Stream(side)
        """What reads replies."""
        self._seq = itertools.count()
        self._pending: dict[int, Answered] = {}
        self._lost: str | None = None
        stream.listen(self._receive, self._end)

    async def call(self, name: str, schema: Schema, argument: Any) -> tuple[rpc.Stream, Message]:
        """Call a method.

        Result: the reply, which is still to be read, and what reads it. Raises `CallRefused`, `Lost`, and `ModelError`
        for an argument that cannot be sent; nothing is sent then.
        """
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def answered(reply: Message | Exception) -> None:
            if answer.done():
                return
            if isinstance(reply, Exception):
                answer.set_exception(reply)
            else:
                answer.set_result(reply)

        seq = self.begin(name, schema, argument, answered)
        try:
            return self.stream, await answer
        finally:
            self.forget(seq)

    def begin(self, name: str, schema: Schema, argument: Any, answered: Answered) -> int:
        """Call a method and go on: a function is given the reply, or `CallRefused` or `Lost`, once.

        Result: the number of the call, for `forget`. Raises as `call` does.
        """
        if self._lost is not None:
            raise Lost(self._lost)
        seq = next(self._seq)
        data = self.stream.request(f"{self._prefix}{name}", seq, schema, argument)
        self._pending[seq] = answered
        self._stream.write(data)
        return seq

    def forget(self, seq: int) -> None:
        """Wait no more for the reply to a call."""
        self._pending.pop(seq, None)

    def _receive(self, data: bytes) -> None:
        try:
            responses = self.stream.receive_responses(data)
        except RemoteProtocolError as error:
            logger.error("a stream of answers cannot be read any further: %s", error)
            self._stream.reset()
            self._end(str(error))
            return
        for response in responses:
            answered = self._pending.pop(response.seq, None)
            if answered is not None:  # else nobody waits for it any more
                answered(CallRefused(response.error) if response.error else response.reply)

    def _end(self, reason: str) -> None:
        self._lost = reason
        pending, self._pending = self._pending, {}
        for answered in pending.values():
            answered(Lost(reason))
