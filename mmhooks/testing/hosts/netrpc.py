"""The embedded net/rpc host, as every released Mattermost server."""

from __future__ import annotations

import asyncio
import codecs
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from mmhooks.errors import AppError, CallError, HandlerError, HandlerTimeout, NotImplementedByPlugin
from mmhooks.hooks import HOOKS, HookName
from mmhooks.hosts.handshake import Host as Wire
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.broker import Broker
from mmhooks.hosts.netrpc.calls import HookCodec, hook_codec, servable
from mmhooks.hosts.netrpc.gob.inbox import Message
from mmhooks.hosts.netrpc.gob.types import RemoteProtocolError, Side
from mmhooks.hosts.netrpc.peers import CallRefused, Client, Method, Server
from mmhooks.hosts.netrpc.plugin import ACTIVATION, NAMES
from mmhooks.hosts.netrpc.rpc import NOTHING
from mmhooks.hosts.netrpc.rpc import Stream as Calls
from mmhooks.hosts.netrpc.session import Lost, Session, Stream
from mmhooks.hosts.netrpc.yamux import Role
from mmhooks.outcomes import Outcome
from mmhooks.testing.hosts import API, Gone, Unreachable
from mmhooks.testing.hosts.netrpc_api import served

logger = logging.getLogger("mmhooks")

T = TypeVar("T")

_BOOL = contract.schema("bool")
_STRING = contract.schema("string")
_UINT32 = contract.schema("uint32")

_OF_OTHER_HOSTS = ("MATTERMOST_PLUGIN_API_TARGET", "MMHOOKS_HOST", "PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC")
"""Variables that a released server does not set."""


class EmbeddedHost:
    """See `mmhooks.testing.hosts.Host`.

    Arguments:
        api: what answers the plugin's calls of the plugin API. Without it the answer is that there is no such method, as of
            a server of an older version.
    """

    wire: Wire = "netrpc"
    start_timeout = 3.0
    patience = 60.0  # released servers wait for ever; so long that a plugin's own deadline comes first

    def __init__(self, api: API | None = None) -> None:
        self._methods = served(api) if api else {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: _Connection | None = None

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        return {
            **{name: value for name, value in environ.items() if name not in _OF_OTHER_HOSTS},
            "PLUGIN_MIN_PORT": "10000",
            "PLUGIN_MAX_PORT": "25000",
            "PLUGIN_PROTOCOL_VERSIONS": "1",
        }

    def connect(self, network: str, address: str, printed: Callable[[str], None]) -> list[str]:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mmhooks-netrpc-host", daemon=True)
        self._thread.start()
        try:
            return self._wait_for(self._connect(network, address, printed), self.patience)
        except TimeoutError:
            raise Unreachable(f"no answer within {self.patience:g} s") from None
        except (OSError, CallRefused, RemoteProtocolError) as error:
            raise Unreachable(str(error)) from None

    def call(self, name: str, arguments: Sequence[Any], timeout: float) -> Outcome | AppError:
        if not servable(HOOKS[name]):
            raise NotImplementedByPlugin(f"{name} takes streams, which this host does not make", hook=name)
        assert self._connection
        try:
            return self._wait_for(self._connection.call_hook(hook_codec(name), arguments), timeout)
        except TimeoutError:
            # The host's own patience: a plugin that keeps its deadline has said so by then, in a text like any other.
            raise HandlerTimeout(f"the plugin did not answer within {timeout:g} s", hook=name) from None
        except CallRefused as error:
            raise self._refusal(name, str(error)) from None
        except Lost as error:
            raise Gone(str(error)) from None
        except RemoteProtocolError as error:
            raise HandlerError(f"the answer cannot be read: {error}", hook=name) from error

    def ping(self, timeout: float) -> bool:
        assert self._connection
        try:
            self._wait_for(self._connection.control.call("Control.Ping", _BOOL, True), timeout)
        except (TimeoutError, Lost, CallRefused):
            return False
        return True

    def shutdown(self, timeout: float) -> None:
        assert self._connection
        with contextlib.suppress(TimeoutError, Lost, CallRefused):
            self._wait_for(self._connection.control.call("Control.Quit", _BOOL, True), timeout)

    def close(self, timeout: float) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._hang_up(timeout), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()

    async def _connect(self, network: str, address: str, printed: Callable[[str], None]) -> list[str]:
        connection, loop = _Connection(self._methods, printed), asyncio.get_running_loop()
        if network == "unix":
            await loop.create_unix_connection(lambda: connection.session, address)
        else:
            host, _, port = address.rpartition(":")
            await loop.create_connection(lambda: connection.session, host, int(port))
        self._connection = connection
        self._implemented = await connection.begin()
        return self._implemented

    def _refusal(self, name: str, text: str) -> CallError:
        """A server gets a text only; which hooks it may call it knows from the start."""
        if name not in self._implemented or text == f"rpc: can't find method Plugin.{name}":
            return NotImplementedByPlugin(text, hook=name)
        return HandlerError(text, hook=name)

    async def _hang_up(self, timeout: float) -> None:
        if self._connection is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._connection.lost.wait(), timeout)
            self._connection.session.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wait_for(self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        if self._loop is None:
            work.close()
            raise Lost("the host has hung up")
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout), self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise Lost("the host is hanging up") from None


class _Connection:
    """The connection to a plugin that is being used; on the loop."""

    def __init__(self, methods: Mapping[str, Method], printed: Callable[[str], None]) -> None:
        self._methods = methods
        self._printed = printed
        self._broker = Broker(lambda: self.session)
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost = asyncio.Event()
        self.session = Session(Role.CLIENT, self._accept, lambda reason: self.lost.set())

    async def begin(self) -> list[str]:
        """What a server does before all else. Result: the hooks that the plugin has."""
        self.control = Client(self.session.open(), "", side=Side.SERVER)
        for _ in ("stdout", "stderr"):
            self._read(self.session.open())
        calls, reply = await self.control.call("Dispenser.Dispense", _STRING, "hooks")
        self._hooks = Client(await self._broker.dial(calls.read(reply, _UINT32)), "Plugin", side=Side.SERVER)
        calls, reply = await self._hooks.call("Implemented", NOTHING, {})
        names: list[str] = calls.read(reply, NAMES)
        return names

    async def call_hook(self, codec: HookCodec, arguments: Sequence[Any]) -> Outcome | AppError:
        name = codec.hook.name
        if name == HookName.OnActivate:
            calls, reply = await self._activate()
        else:
            calls, reply = await self._hooks.call(name, codec.request, codec.make_request(arguments))
        return codec.read_reply(calls, reply, arguments)

    async def _activate(self) -> tuple[Calls, Message]:
        api, driver = self._broker.next_id(), self._broker.next_id()
        self._do(self._serve(api, self._methods))
        self._do(self._serve(driver, {}))
        return await self._hooks.call("OnActivate", ACTIVATION, {"APIMuxId": api, "DriverMuxId": driver})

    async def _serve(self, id_: int, methods: Mapping[str, Method]) -> None:
        try:
            stream = await self._broker.accept(id_)
        except TimeoutError as error:
            logger.warning("the plugin has been activated, and does not use what it was offered: %s", error)
        else:
            Server(stream, methods, side=Side.SERVER)

    def _accept(self, stream: Stream) -> None:
        self._do(self._broker.take(stream))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _read(self, stream: Stream) -> None:
        # A letter of several bytes may come in two pieces.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        stream.listen(lambda data: self._printed(decoder.decode(data)), lambda reason: None)
