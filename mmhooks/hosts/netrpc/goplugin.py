"""What go-plugin asks of every net/rpc plugin: how it is reached and stopped, and what it prints."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from mmhooks.hosts.loop import LAST_WORDS
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.broker import Broker
from mmhooks.hosts.netrpc.peers import Method, Server
from mmhooks.hosts.netrpc.rpc import NOTHING, Request
from mmhooks.hosts.netrpc.rpc import Stream as Calls
from mmhooks.hosts.netrpc.session import Session, Stream
from mmhooks.hosts.netrpc.yamux import Role
from mmhooks.launch import STDERR, STDOUT, Output

logger = logging.getLogger("mmhooks")

_STRING = contract.schema("string")
_UINT32 = contract.schema("uint32")

_WAITING = 64 * 1024
"""Bytes of output that may wait for a slow host; the rest stays where it is bounded."""


class GoPlugin:
    """One host's connection.

    Arguments:
        output: what the process prints.
        service: makes the methods of the hooks, given the broker; calls of them wait until it has.
        stop: asks the process to stop.
    """

    def __init__(
        self,
        output: Output,
        service: Callable[[Broker], Awaitable[Mapping[str, Method]]],
        stop: Callable[[str], None],
    ) -> None:
        self._output = output
        self._service = service
        self._stop = stop
        self._broker = Broker(lambda: self.session)
        # What the host opens first, in this order; all further streams are for the broker.
        self._expected = [self._serve_control, self._serve_stdout, self._serve_stderr]
        self._printing: dict[int, Stream] = {}
        self._all_told = asyncio.Event()
        self._hooks: Server | None = None
        self._gone = asyncio.Event()
        self._quitting = False
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.session = Session(Role.SERVER, self._accept, self._lost)

    async def finish(self, timeout: float) -> None:
        """Let calls under way have their answers, for as long as the host is there; and let a host that has said Quit hang up
        itself. It still writes that it has room for more, and what it has not read is lost to it when that fails."""
        rest = [self._hooks.rest()] if self._hooks is not None else []
        waits = [self._loop.create_task(work) for work in (*rest, self._gone.wait())]
        if rest and not self._quitting:
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        elif self._quitting:
            await asyncio.wait(waits[-1:], timeout=timeout)
        for wait in waits:
            wait.cancel()

    def end(self) -> None:
        """Let go of the host."""
        self._output.unlisten(self._wake)
        self.session.close()

    def _accept(self, stream: Stream) -> None:
        if self._expected:
            self._expected.pop(0)(stream)
        else:
            self._do(self._broker.take(stream))

    def _lost(self, reason: str) -> None:
        self._output.unlisten(self._wake)
        self._gone.set()
        self._stop(reason)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # the control stream

    def _serve_control(self, stream: Stream) -> None:
        # One stream carries two services, so the methods are looked up by their whole names.
        Server(stream, {"Control.Ping": _pong, "Control.Quit": self._quit, "Dispenser.Dispense": self._dispense})

    async def _quit(self, calls: Calls, request: Request) -> bytes:
        # The host hangs up once it has the answer: the last words have to go before it.
        self._output.flush()
        self._print()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_told.wait(), LAST_WORDS)
        self._quitting = True
        self._stop("the host said Quit")
        return calls.response(request, NOTHING, {})

    def _dispense(self, calls: Calls, request: Request) -> bytes:
        name = calls.read(request.argument, _STRING)
        if name != "hooks":
            return calls.error(request, f"unknown plugin type: {name}")
        id_ = self._broker.next_id()
        self._do(self._serve_hooks(id_))
        return calls.response(request, _UINT32, id_)

    async def _serve_hooks(self, id_: int) -> None:
        try:
            stream = await self._broker.accept(id_)
        except TimeoutError as error:
            logger.error("the host asked for the hooks and did not come for them: %s", error)
        else:
            self._hooks = Server(stream, await self._service(self._broker))

    # what is printed

    def _serve_stdout(self, stream: Stream) -> None:
        self._serve_output(STDOUT, stream)

    def _serve_stderr(self, stream: Stream) -> None:
        self._serve_output(STDERR, stream)
        self._output.listen(self._wake)

    def _serve_output(self, channel: int, stream: Stream) -> None:
        self._printing[channel] = stream
        stream.on_credit = self._print
        stream.listen(lambda data: None, lambda reason: None)

    def _wake(self) -> None:
        """Called by the thread that drains the output."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody reads any more
            self._loop.call_soon_threadsafe(self._print)

    def _print(self) -> None:
        if len(self._printing) == 2 and all(stream.waiting < _WAITING for stream in self._printing.values()):
            for channel, data in self._output.take():
                self._printing[channel].write(data)
        if any(stream.waiting for stream in self._printing.values()):
            self._all_told.clear()
        else:
            self._all_told.set()


def _pong(calls: Calls, request: Request) -> bytes:
    return calls.response(request, NOTHING, {})
