"""TestClient: calls an app's handlers in process, with the code that runs them under a host."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import threading
import warnings
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from mmhooks.api.calls import running_loop
from mmhooks.changes import MERGED
from mmhooks.errors import AppError, HandlerError, UnsupportedByHost
from mmhooks.hooks import Hook, find_hook
from mmhooks.hosts.grpc.calls import hook_codec, servable
from mmhooks.lifecycle import STAGES
from mmhooks.outcomes import Failed, Outcome, Rejected, Unchanged, Value
from mmhooks.testing.calls import HookCalls
from mmhooks.testing.results import LostChange, Result, UnreturnedEdit, lost_changes, ordered, result

if TYPE_CHECKING:
    from mmhooks.app import App
    from mmhooks.dispatch import Dispatcher


class TestClient(HookCalls):
    """Calls the handlers of an app, one method a hook.

    Arguments go through the wire's forms and back, so that a handler sees what it would see under a host: copies, lists in
    the place of tuples, whole numbers as ints. Made by `app.test_client()`; usable as a context manager.

    Arguments:
        app: the app.
        raise_exceptions: raise what a handler raised; False shows what a host would see, in `Result.error`.
    """

    __test__ = False  # pytest would take the name for a test's

    def __init__(self, app: App, *, raise_exceptions: bool = True) -> None:
        self._app = app
        self._raise = raise_exceptions
        self._dispatcher = app.make_dispatcher(notice_edits=True)
        self._put_back = self._dispatcher.lifecycle.memory() if self._dispatcher.lifecycle else lambda: None
        self._finalizer = weakref.finalize(self, self._dispatcher.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads of this client, and put back the settings that the app had before."""
        if self._finalizer.alive:
            self._put_back()
        self._finalizer()

    def implemented_hooks(self) -> list[str]:
        """What a host would be told."""
        return self._app.implemented_hooks()

    def call(self, name: str, /, **arguments: Any) -> Result[Any]:
        """Call a hook by its canonical name, with its parameters by their names; those left out arrive as None.

        Raises what the handler raised, unless the client was made with `raise_exceptions=False`; `HandlerTimeout`,
        `NotImplementedByPlugin` and the like when there was no answer; `TypeError` for an unknown parameter.
        """
        hook = find_hook(name)
        values = ordered(hook, arguments)
        outcome, slips = self.ask(hook, values)
        for slip in slips:
            warnings.warn(slip, stacklevel=3)
        failure = outcome.error if isinstance(outcome, Failed) else None
        if isinstance(outcome, Rejected | Value):
            failure = outcome.cause
        if failure and self._raise:
            raise (failure.__cause__ or failure) if isinstance(failure, HandlerError) else failure
        return result(hook, outcome, values)

    def ask(self, hook: Hook, arguments: Sequence[Any]) -> tuple[Outcome, list[UserWarning]]:
        """Call a hook, and raise nothing that comes of it.

        Arguments:
            hook: its row of the table.
            arguments: in the table's order. Streams reach the handler as they are, all else as copies.

        Result: the outcome as a server hears it, and what the author of the handler should be told.
        """
        if not self._finalizer.alive:
            raise RuntimeError("this test client is closed: make another by app.test_client()")
        received, before = _as_received(hook, arguments)
        outcome = self._dispatch(hook, received)
        slips: list[UserWarning] = []
        if isinstance(outcome, Unchanged) and outcome.edited:
            slips.append(UnreturnedEdit(outcome.advice(hook)))
        # Before it travels: what this wire does not have is not lost by the handler.
        if before and (lost := lost_changes(hook, before, outcome)):
            slips.append(LostChange(lost))
        return self._heard(hook, outcome), slips

    def _dispatch(self, hook: Hook, arguments: list[Any]) -> Outcome:
        loop = handlers_loop()
        if running_loop() is loop:
            raise RuntimeError(
                f"{hook.name} was called on the event loop of the handlers, where nothing could answer meanwhile: in an "
                "async handler write `await asyncio.to_thread(…)`"
            )
        if hook.name in STAGES:
            return asyncio.run_coroutine_threadsafe(self._dispatcher.dispatch(hook.name, arguments), loop).result()
        answer = _Answer()
        loop.call_soon_threadsafe(answer.ask, self._dispatcher, hook.name, arguments)
        return answer.wait()

    def _heard(self, hook: Hook, outcome: Outcome) -> Outcome:
        if not _servable(hook.name):
            return outcome
        codec = hook_codec(hook.name)
        try:
            outcome, response = codec.tell(self._dispatcher, outcome, lenient=True)
        except UnsupportedByHost:
            return copy.deepcopy(outcome)  # another host can carry it
        if isinstance(outcome, Failed | Rejected):
            return outcome
        heard = codec.read_response(response)
        assert not isinstance(heard, AppError)
        if isinstance(outcome, Value) and isinstance(heard, Value):
            return Value(heard.value, outcome.cause)
        return outcome if isinstance(heard, Unchanged) and isinstance(outcome, Unchanged) else heard


class _Answer:
    """The outcome of one call, for a thread that waits for it: a future of asyncio's, and one for threads, take longer
    than everything else about a call."""

    def __init__(self) -> None:
        self._there = threading.Lock()
        self._there.acquire()
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None

    def ask(self, dispatcher: Dispatcher, name: str, arguments: list[Any]) -> None:
        """Call the hook, on the loop."""
        try:
            dispatcher.begin(name, arguments, self._take)
        except BaseException as error:
            self._error = error
            self._there.release()

    def _take(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._there.release()

    def wait(self) -> Outcome:
        with self._there:
            if self._error is not None:
                raise self._error
            assert self._outcome is not None
            return self._outcome


def _as_received(hook: Hook, arguments: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The arguments as a handler gets them; and once more, where somebody will ask what it changed."""
    merged = hook.name in MERGED
    if _servable(hook.name):
        codec = hook_codec(hook.name)
        with contextlib.suppress(UnsupportedByHost):  # a field that only another host can carry
            request = codec.request.FromString(codec.make_request(arguments).SerializeToString())
            everything = frozenset(range(len(arguments)))
            return codec.arguments(request, everything), codec.arguments(request, everything) if merged else []
    received = [argument if hasattr(argument, "read") else copy.deepcopy(argument) for argument in arguments]
    return received, [*map(copy.deepcopy, arguments)] if merged and not hook.has_streams else []


@functools.cache
def _servable(name: str) -> bool:
    return servable(find_hook(name))


@functools.cache
def handlers_loop() -> asyncio.AbstractEventLoop:
    """The loop on which async handlers run, one for all clients: what handlers keep between calls belongs to it."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="mmhooks-testing", daemon=True).start()
    return loop
