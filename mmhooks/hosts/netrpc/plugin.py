"""The service `Plugin`: every hook without streams is looked up by its canonical name, decoded, dispatched, answered."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING

from mmhooks.changes import Snapshot
from mmhooks.errors import AppError
from mmhooks.hooks import HOOKS, HookName
from mmhooks.hosts.connection import connect
from mmhooks.hosts.implemented import Implemented
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.broker import Broker
from mmhooks.hosts.netrpc.calls import HookCodec, check_size, hook_codec, servable
from mmhooks.hosts.netrpc.gob.schema import Field, Struct
from mmhooks.hosts.netrpc.peers import Client, Deferred, Method
from mmhooks.hosts.netrpc.pluginapi import ServerAPI
from mmhooks.hosts.netrpc.rpc import Request, Stream
from mmhooks.outcomes import Outcome, Unchanged

if TYPE_CHECKING:
    from mmhooks.app import App
    from mmhooks.hosts.netrpc.session import Stream as Connection

logger = logging.getLogger("mmhooks")

_UINT32 = contract.schema("uint32")
ACTIVATION = Struct(
    "Z_OnActivateArgs",
    dict,
    lambda: (Field("APIMuxId", "APIMuxId", _UINT32), Field("DriverMuxId", "DriverMuxId", _UINT32)),
)
"""What the server gives to OnActivate, which takes nothing: the streams of the plugin API and of its database driver."""

NAMES = contract.schema("[]string")


class PluginService:
    """The service for an app.

    Arguments:
        app: the app.
        broker: leads to the streams that OnActivate names.
    """

    def __init__(self, app: App, broker: Broker) -> None:
        self._app = app
        self._broker = broker
        self._dispatcher = app.dispatcher
        self._limit = app.limits.max_message_size
        self._implemented = Implemented(app, servable)
        self._driver: Connection | None = None

    def methods(self) -> dict[str, Method]:
        """What answers each call, by the methods' whole names."""
        methods: dict[str, Method] = {
            f"Plugin.{name}": functools.partial(self._call, name) for name, hook in HOOKS.items() if servable(hook)
        }
        methods["Plugin.Implemented"] = self._tell_implemented
        methods["Plugin.OnActivate"] = self._activate
        for name in (HookName.OnConfigurationChange, HookName.OnDeactivate):
            methods[f"Plugin.{name}"] = functools.partial(self._dispatch, name)
        return methods

    def _call(self, name: str, stream: Stream, request: Request) -> Deferred:
        handler = self._dispatcher.handlers.get(name)
        codec = hook_codec(name)
        answer = Deferred()
        before: Snapshot | None = None

        def done(outcome: Outcome) -> None:
            answer.set(self._answer(codec, outcome, stream, request, before))

        try:
            check_size(len(request.argument.data), self._limit, "request")
            arguments = codec.arguments(stream, request.argument, handler.wanted if handler else _NOTHING)
            before = codec.snapshot(arguments)
        except Exception as error:
            done(self._dispatcher.failure(codec.hook, error))
        else:
            self._dispatcher.begin(name, arguments, done)
        return answer

    def _answer(
        self,
        codec: HookCodec,
        outcome: Outcome,
        stream: Stream,
        request: Request,
        before: Snapshot | None = None,
    ) -> bytes:
        if isinstance(outcome, Unchanged) and outcome.edited:
            logger.warning("%s", outcome.advice(codec.hook))
        try:
            return codec.answer(outcome, stream, request, before, self._limit)
        except Exception as error:
            # It cannot be sent: this is an error of the handler then, which may be answered with a rejection.
            return codec.answer(self._dispatcher.failure(codec.hook, error), stream, request)

    def _tell_implemented(self, stream: Stream, request: Request) -> bytes:
        names = self._implemented.names()
        if HookName.OnActivate not in names:
            names.insert(0, HookName.OnActivate)  # by it the server tells where its plugin API is
        return stream.response(request, NAMES, names)

    async def _activate(self, stream: Stream, request: Request) -> bytes:
        """OnActivate. Its failures go into the reply: the server takes an error of the call for a success."""
        codec = hook_codec(HookName.OnActivate)
        ids = stream.read(request.argument, ACTIVATION)
        api, driver = await asyncio.gather(
            self._broker.dial(ids.get("APIMuxId", 0)),
            self._broker.dial(ids.get("DriverMuxId", 0)),
            return_exceptions=True,
        )
        if isinstance(driver, BaseException):
            logger.warning("the server's database driver cannot be reached: %s", driver)
        else:
            self._driver = driver
        if isinstance(api, BaseException):
            error = AppError(f"the server's plugin API cannot be reached: {api}")
            return stream.response(request, codec.reply, {"A": error})
        connect(self._app, ServerAPI(Client(api, "Plugin"), asyncio.get_running_loop()))
        needed = HookName.OnActivate in self._app.implemented_hooks()
        outcome = await self._dispatcher.dispatch(HookName.OnActivate, ()) if needed else Unchanged()
        return self._answer(codec, outcome, stream, request)

    async def _dispatch(self, name: str, stream: Stream, request: Request) -> bytes:
        outcome = await self._dispatcher.dispatch(name, ())
        return self._answer(hook_codec(name), outcome, stream, request)


_NOTHING: frozenset[int] = frozenset()
