"""The one servicer: every unary hook is looked up by its canonical name, decoded, dispatched, and answered."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc

from mmhooks.errors import (
    CallError,
    HandlerError,
    HandlerTimeout,
    ModelError,
    NotImplementedByPlugin,
    ThreadsExhausted,
)
from mmhooks.hooks import HOOKS, Hook
from mmhooks.hosts.arrival import Arrival
from mmhooks.hosts.grpc.calls import HookCodec, hook_codec, servable
from mmhooks.hosts.grpc.messages import PACKAGE, message_class
from mmhooks.hosts.implemented import Implemented
from mmhooks.outcomes import Failed, Unchanged

if TYPE_CHECKING:
    from mmhooks.app import App

logger = logging.getLogger("mmhooks")

_CODES = {
    NotImplementedByPlugin: grpc.StatusCode.UNIMPLEMENTED,
    HandlerTimeout: grpc.StatusCode.DEADLINE_EXCEEDED,
    ThreadsExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HandlerError: grpc.StatusCode.INTERNAL,
}

_DETAILS = 2000
"""Bytes of a status's details: they travel in a header, where other letters than English ones take three times the
room, and for which peers allow 8 KiB or so."""

Call = Callable[[Any, Any], Awaitable[Any]]


class Servicer(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Serves `PluginHooks` for an app."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._methods: dict[str, Any] = {f"/{PACKAGE}.PluginHooks/Implemented": _method(self._implemented)}
        self._names = Implemented(app, servable)

    def service(self, handler_call_details: Any) -> Any:
        """The method that gRPC asks for; None, which gRPC answers with UNIMPLEMENTED, for what is no unary hook."""
        path = handler_call_details.method
        if path not in self._methods:
            service, _, name = path.removeprefix("/").partition("/")
            hook = HOOKS.get(name)
            if service != f"{PACKAGE}.PluginHooks" or hook is None or not servable(hook):
                return None
            codec = hook_codec(name)
            self._methods[path] = _method(self._call(hook, codec))
        return self._methods[path]

    def _call(self, hook: Hook, codec: HookCodec) -> Call:
        dispatcher, limit = self._app.dispatcher, self._app.limits.max_message_size
        nothing: frozenset[int] = frozenset()

        async def call(data: bytes, context: Any) -> Any:
            handler = dispatcher.handlers.get(hook.name)
            try:
                _check_size(limit, len(data), "request")
                arguments = codec.arguments(codec.request.FromString(data), handler.wanted if handler else nothing)
            except Exception as error:
                outcome = dispatcher.failure(hook, error)
            else:
                outcome = await dispatcher.dispatch(hook.name, arguments, context.time_remaining())
            if isinstance(outcome, Unchanged) and outcome.edited:
                logger.warning("%s", outcome.advice(hook))
            outcome, response = codec.tell(dispatcher, outcome)
            try:
                _check_size(limit, response.ByteSize() if response else 0, "answer")
            except ModelError as error:
                outcome, response = codec.tell(dispatcher, dispatcher.failure(hook, error))
            if response is not None:
                return response
            assert isinstance(outcome, Failed)
            return await context.abort(_CODES[type(outcome.error)], _details(outcome.error))

        return call

    async def _implemented(self, request: Any, context: Any) -> Any:
        return message_class(f"{PACKAGE}.ImplementedResponse")(hooks=self._names.names())


LONGEST_IMPORT = 25.0
"""Seconds that the first call waits for the plugin's modules: Mattermost gives 30 s for it."""


class ArrivingServicer(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Serves `PluginHooks` for an app that may come later; calls wait for it.

    One that does not come within `LONGEST_IMPORT` is replaced by one whose activation fails and says so.

    Arguments:
        arrival: the app, or the wait for it.
        connect: gives the app what the host offers, before its first hook is called.
    """

    def __init__(self, arrival: Arrival, connect: Callable[[App], None]) -> None:
        self._arrival = arrival
        self._connect = connect
        self._servicer: Servicer | None = None

    def service(self, handler_call_details: Any) -> Any:
        """See `Servicer.service`."""
        if self._arrival.app is not None:
            return self._arrived(self._arrival.app).service(handler_call_details)
        if not handler_call_details.method.startswith(f"/{PACKAGE}.PluginHooks/"):
            return None

        async def call(request: Any, context: Any) -> Any:
            method = self._arrived(await self._app()).service(handler_call_details)
            if method is None:
                return await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such hook")
            return await method.unary_unary(request, context)

        return _method(call)

    def _arrived(self, app: App) -> Servicer:
        if self._servicer is None:
            self._connect(app)
            self._servicer = Servicer(app)
        return self._servicer

    async def _app(self) -> App:
        try:
            return await self._arrival.wait(LONGEST_IMPORT)
        except TimeoutError:
            from mmhooks.hosts.ahead import failing_app, where_main_is

            reason = (
                f"the plugin's modules have not been imported within {LONGEST_IMPORT:g} s (the import is at "
                f"{where_main_is()}): move slow work to OnActivate"
            )
            self._arrival.put(failing_app(reason))
            return await self._arrival.wait()


def _check_size(limit: int | None, size: int, what: str) -> None:
    if limit is not None and size > limit:
        raise ModelError(
            f"this {what} has {size} bytes, and MMHOOKS_MAX_MESSAGE_SIZE allows {limit}: raise it, or leave it unset"
        )


def _details(error: CallError) -> str:
    return str(error).encode()[:_DETAILS].decode(errors="ignore")


def _method(call: Call) -> Any:
    # Requests come as bytes: gRPC's own answer to those that cannot be read says nothing to anybody.
    return grpc.unary_unary_rpc_method_handler(call, response_serializer=_serialize)


def _serialize(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data
