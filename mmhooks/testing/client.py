"""TestClient: calls an app's handlers in process, with the code that runs them under a host."""

from __future__ import annotations

import asyncio
import copy
import functools
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Self

from mmhooks.errors import AppError, CallError, HandlerError, NotImplementedByPlugin, UnsupportedByHost
from mmhooks.hooks import Hook, HookName, Kind, find_hook
from mmhooks.hosts.grpc.calls import hook_codec, servable
from mmhooks.outcomes import Failed, Outcome, Rejected, Replaced, Unchanged, Value, app_error, fits
from mmhooks.testing.calls import HookCalls
from mmhooks.testing.results import Result, UnreturnedEdit

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
        self._finalizer = weakref.finalize(self, self._dispatcher.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads of this client."""
        self._finalizer()

    def implemented_hooks(self) -> list[str]:
        """What a host would be told."""
        return self._app.implemented_hooks()

    def call(self, name: str, /, **arguments: Any) -> Result[Any]:
        """Call a hook by its canonical name, with its parameters by their names; those left out arrive as None.

        Raises what the handler raised, unless the client was made with `raise_exceptions=False`; `DeadlineExceeded`,
        `NotImplementedByPlugin` and the like when there was no answer; `TypeError` for an unknown parameter.
        """
        if not self._finalizer.alive:
            raise RuntimeError("this test client is closed: make another by app.test_client()")
        hook = find_hook(name)
        values = ordered(hook, arguments)
        received = _as_received(hook, values)
        outcome = asyncio.run_coroutine_threadsafe(self._dispatch(hook, received), _loop()).result()
        if isinstance(outcome, Unchanged) and outcome.edited:
            warnings.warn(outcome.advice(hook), UnreturnedEdit, stacklevel=3)
        failure = outcome.error if isinstance(outcome, Failed) else None
        if isinstance(outcome, Rejected):
            failure = outcome.cause
        if failure and self._raise:
            raise (failure.__cause__ or failure) if isinstance(failure, HandlerError) else failure
        return result(hook, outcome, values)

    async def _dispatch(self, hook: Hook, arguments: list[Any]) -> Outcome:
        outcome = await self._dispatcher.dispatch(hook.name, arguments)
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
        return outcome if isinstance(heard, Unchanged) and isinstance(outcome, Unchanged) else heard


def ordered(hook: Hook, arguments: dict[str, Any]) -> list[Any]:
    """Arguments in the table's order, None for those left out. Raises `TypeError` for a name that the hook lacks, and
    for a value of another type."""
    if hook.has_streams:
        raise NotImplementedByPlugin(f"{hook.name} takes streams, which this client does not make", hook=hook.name)
    names = [parameter.name for parameter in hook.parameters]
    if unknown := [name for name in arguments if name not in names]:
        raise TypeError(f"{hook.name} has no parameter {', '.join(map(repr, unknown))}; it takes {hook.signature}")
    for name, type_ in hook.parameters:
        if (value := arguments.get(name)) is not None and not fits(type_, value):
            raise TypeError(f"{hook.name}: {name} takes {type_}, not {value!r}")
    return [arguments.get(name) for name in names]


def result(hook: Hook, outcome: Outcome, arguments: list[Any]) -> Result[Any]:
    """The result of a call for the one who asked."""
    if isinstance(outcome, Failed):
        return failed(hook, outcome.error, arguments)
    value = outcome.value if isinstance(outcome, Replaced | Value) else None
    if isinstance(outcome, Unchanged):
        value = _kept(hook, arguments)
    return Result(hook.name, outcome, value)


def failed(hook: Hook, error: CallError, arguments: list[Any]) -> Result[Any]:
    """The result of a call that failed: the server goes on as if the plugin were absent, or tells who caused it."""
    if hook.kind.tells_errors:
        return Result(hook.name, None, None, app_error(error))
    return Result(hook.name, None, _kept(hook, arguments), error)


def _kept(hook: Hook, arguments: list[Any]) -> Any:
    """What the server goes on with when a plugin says nothing: the argument that could have been replaced."""
    if hook.kind is not Kind.FILTER and hook.name not in (
        HookName.MessagesWillBeConsumed,
        HookName.ConfigurationWillBeSaved,
    ):
        return None
    return next(
        value for parameter, value in zip(hook.parameters, arguments, strict=True) if parameter.name != "context"
    )


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


__all__ = ["TestClient", "failed", "ordered", "result"]
