"""The one servicer: every unary hook is looked up by its canonical name, decoded, dispatched, and answered."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc

from mmhooks.errors import CallError, DeadlineExceeded, HandlerError, NotImplementedByPlugin, ThreadsExhausted
from mmhooks.hooks import HOOKS, Hook
from mmhooks.hosts.grpc.calls import HookCodec, hook_codec, servable
from mmhooks.hosts.grpc.messages import PACKAGE, message_class
from mmhooks.outcomes import Failed, Unchanged

if TYPE_CHECKING:
    from mmhooks.app import App

logger = logging.getLogger("mmhooks")

_CODES = {
    NotImplementedByPlugin: grpc.StatusCode.UNIMPLEMENTED,
    DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    ThreadsExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HandlerError: grpc.StatusCode.INTERNAL,
}

_DETAILS = 2000
"""Characters of a status's details: they travel in a header, for which peers allow 8 KiB or so."""

Call = Callable[[Any, Any], Awaitable[Any]]


class Servicer(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Serves `PluginHooks` for an app."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._methods: dict[str, Any] = {
            f"/{PACKAGE}.PluginHooks/Implemented": _method(
                self._implemented, message_class(f"{PACKAGE}.ImplementedRequest")
            )
        }
        self._warned = False

    def service(self, handler_call_details: Any) -> Any:
        """The method that gRPC asks for; None, which gRPC answers with UNIMPLEMENTED, for what is no unary hook."""
        path = handler_call_details.method
        if path not in self._methods:
            service, _, name = path.removeprefix("/").partition("/")
            hook = HOOKS.get(name)
            if service != f"{PACKAGE}.PluginHooks" or hook is None or not servable(hook):
                return None
            codec = hook_codec(name)
            self._methods[path] = _method(self._call(hook, codec), codec.request)
        return self._methods[path]

    def _call(self, hook: Hook, codec: HookCodec) -> Call:
        handlers, dispatcher = self._app._handlers, self._app.dispatcher
        nothing: frozenset[int] = frozenset()

        async def call(request: Any, context: Any) -> Any:
            handler = handlers.get(hook.name)
            arguments = codec.arguments(request, handler.wanted if handler else nothing)
            outcome = await dispatcher.dispatch(hook.name, arguments, context.time_remaining())
            if isinstance(outcome, Unchanged) and outcome.edited:
                logger.warning("%s", outcome.advice(hook))
            if not isinstance(outcome, Failed):
                try:
                    return codec.make_response(outcome)
                except Exception as error:
                    if handler is None:
                        raise
                    # The handler's answer cannot be sent: that is a failure of the handler, told as any other.
                    outcome = dispatcher.failure(handler, error)
                    if not isinstance(outcome, Failed):
                        return codec.make_response(outcome)
            if hook.kind.tells_errors and not isinstance(outcome.error, NotImplementedByPlugin):
                return codec.make_error(outcome.error)
            return await _abort(context, outcome.error)

        return call

    async def _implemented(self, request: Any, context: Any) -> Any:
        self._app.close_registration("the host has asked which hooks there are")
        names = self._app.implemented_hooks()
        served = [name for name in names if servable(HOOKS[name])]
        if len(served) < len(names) and not self._warned:
            self._warned = True  # the host asks twice
            logger.warning(
                "%s: not served under this host, which will not call %s",
                ", ".join(name for name in names if name not in served),
                "it" if len(names) - len(served) == 1 else "them",
            )
        return message_class(f"{PACKAGE}.ImplementedResponse")(hooks=served)


async def _abort(context: Any, error: CallError) -> Any:
    await context.abort(_CODES[type(error)], str(error)[:_DETAILS])


def _method(call: Call, request: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request.FromString, response_serializer=_serialize
    )


def _serialize(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data
