"""TestClient: calls an app's handlers in process, with the code that runs them under a host."""

from __future__ import annotations

import asyncio
import copy
import functools
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Self

from mmhooks.changes import MERGED
from mmhooks.errors import AppError, HandlerError, UnsupportedByHost
from mmhooks.hooks import Hook, find_hook
from mmhooks.hosts.grpc.calls import hook_codec, servable
from mmhooks.outcomes import Failed, Outcome, Rejected, Unchanged, Value
from mmhooks.testing.calls import HookCalls
from mmhooks.testing.results import LostChange, Result, UnreturnedEdit, lost_changes, ordered, result

if TYPE_CHECKING:
    from mmhooks.app import App


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
        if not self._finalizer.alive:
            raise RuntimeError("this test client is closed: make another by app.test_client()")
        hook = find_hook(name)
        values = ordered(hook, arguments)
        received = _as_received(hook, values)
        outcome, lost = asyncio.run_coroutine_threadsafe(self._dispatch(hook, received), _loop()).result()
        if isinstance(outcome, Unchanged) and outcome.edited:
            warnings.warn(outcome.advice(hook), UnreturnedEdit, stacklevel=3)
        if lost:
            warnings.warn(lost, LostChange, stacklevel=3)
        failure = outcome.error if isinstance(outcome, Failed) else None
        if isinstance(outcome, Rejected | Value):
            failure = outcome.cause
        if failure and self._raise:
            raise (failure.__cause__ or failure) if isinstance(failure, HandlerError) else failure
        return result(hook, outcome, values)

    async def _dispatch(self, hook: Hook, arguments: list[Any]) -> tuple[Outcome, str]:
        """The outcome as a server hears it, and what released servers could not be told of it."""
        before = copy.deepcopy(arguments) if hook.name in MERGED else []
        outcome = await self._dispatcher.dispatch(hook.name, arguments)
        # Before it travels: what this wire does not have is not lost by the handler.
        return self._heard(hook, outcome), lost_changes(hook, before, outcome)

    def _heard(self, hook: Hook, outcome: Outcome) -> Outcome:
        if not servable(hook):
            return outcome
        codec = hook_codec(hook.name)
        try:
            outcome, response = codec.tell(self._dispatcher, outcome, lenient=True)
        except UnsupportedByHost:
            return outcome  # another host can carry it
        if isinstance(outcome, Failed | Rejected):
            return outcome
        heard = codec.read_response(response)
        assert not isinstance(heard, AppError)
        if isinstance(outcome, Value) and isinstance(heard, Value):
            return Value(heard.value, outcome.cause)
        return outcome if isinstance(heard, Unchanged) and isinstance(outcome, Unchanged) else heard


def _as_received(hook: Hook, arguments: list[Any]) -> list[Any]:
    if not servable(hook):
        return copy.deepcopy(arguments)
    codec = hook_codec(hook.name)
    try:
        request = codec.request.FromString(codec.make_request(arguments).SerializeToString())
    except UnsupportedByHost:
        return copy.deepcopy(arguments)  # a field that only another host can carry
    return codec.arguments(request, frozenset(range(len(arguments))))


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop on which async handlers run, one for all clients: what handlers keep between calls belongs to it."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="mmhooks-testing", daemon=True).start()
    return loop
