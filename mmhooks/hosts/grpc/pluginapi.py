"""The way back: calls of the plugin API by a connection to the server's own gRPC server."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio

from mmhooks.api.calls import is_repeatable
from mmhooks.errors import HostUnavailable, MmhooksError, NoPluginAPI
from mmhooks.hosts.grpc.messages import PACKAGE
from mmhooks.hosts.grpc.methods import MethodCodec, method_codec
from mmhooks.hosts.grpc.methods import names as names_of_methods
from mmhooks.hosts.grpc.statuses import failure
from mmhooks.limits import LONGEST_TIMEOUT

TARGET = "MATTERMOST_PLUGIN_API_TARGET"
"""The variable with the address of the server's plugin API."""

_OPTIONS = (
    ("grpc.max_send_message_length", -1),  # the server has a limit of its own, and says so
    ("grpc.enable_http_proxy", 0),  # the server is on this machine
    # A server that is back is found again within half a second; gRPC's own waits grow to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    # How long a connection may take to be made: whoever listens there may be no gRPC server at all.
    ("grpc.min_reconnect_backoff_ms", 2000),
    # Texts of errors travel in headers.
    ("grpc.max_metadata_size", 1 << 20),
    ("grpc.absolute_max_metadata_size", 1 << 20),
)


_ENDING = 0.1
"""Seconds that calls under way have at most to end with their connection."""

ATTEMPTS = 4
"""How often a method that may be repeated is called when the server cannot be reached, in a second or so."""


@functools.cache
def _retries() -> str:
    """gRPC's own word for what is to be tried again, and when."""
    names = [{"service": f"{PACKAGE}.PluginAPI", "method": name} for name in names_of_methods() if is_repeatable(name)]
    policy = {
        "maxAttempts": ATTEMPTS,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}]})


class ServerAPI:
    """Calls the plugin API of the server that started this process.

    Connections open when they are first used: one for the event loop, and one for threads, which then need not wait for
    the loop.

    Arguments:
        target: the server's address.
        loop: the event loop of the plugin.
        limit: bytes that an answer may have; None for no limit.
    """

    def __init__(self, target: str, loop: asyncio.AbstractEventLoop, limit: int | None = None) -> None:
        self.loop = loop
        self._target = target
        self._limit = limit
        size = -1 if limit is None else limit
        self._options = [*_OPTIONS, ("grpc.max_receive_message_length", size), ("grpc.service_config", _retries())]
        self._lock = threading.Lock()
        self._channel: Any = None
        self._thread_channel: Any = None
        self._calls: dict[str, tuple[MethodCodec, Any]] = {}
        self._thread_calls: dict[str, tuple[MethodCodec, Any]] = {}
        self._closed = False
        self._under_way = 0
        self._ended = asyncio.Event()

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method, on the loop."""
        codec, send = self._calls.get(method) or self._prepared(method)
        request = codec.request(arguments)
        began = time.monotonic()
        self._under_way += 1
        try:
            answer = await send(request, timeout=min(timeout, LONGEST_TIMEOUT))  # gRPC takes what is far away for now
        except grpc.aio.AioRpcError as error:
            raise self._failure(method, timeout, began, error) from None
        except asyncio.CancelledError:
            # The end of the connection cancels its calls.
            task = asyncio.current_task()
            if self._closed and not (task and task.cancelling()):
                raise _stopping(method) from None
            raise
        except grpc.aio.UsageError:
            if self._closed:
                raise _stopping(method) from None
            raise
        finally:
            self._under_way -= 1
            if self._closed and not self._under_way:
                self._ended.set()
        return codec.result(answer)

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Call a method and wait for its answer, in any thread but the loop's."""
        codec, send = self._thread_calls.get(method) or self._prepared_for_threads(method)
        request = codec.request(arguments)
        began = time.monotonic()
        try:
            answer = send(request, timeout=min(timeout, LONGEST_TIMEOUT))
        except grpc.RpcError as error:
            if self._closed:
                raise _stopping(method) from None
            raise self._failure(method, timeout, began, error) from None
        except ValueError:
            if self._closed:
                raise _stopping(method) from None
            raise
        return codec.result(answer)

    async def close(self) -> None:
        """Close the connections; calls under way raise `HostUnavailable`, as all do from then on."""
        with self._lock:
            self._closed = True
        if self._thread_channel is not None:
            self._thread_channel.close()
        if self._channel is not None:
            await self._channel.close()
        if self._under_way:
            # Else the loop would end them first, and tasks learn nothing but that.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _ENDING)

    def _prepared(self, method: str) -> tuple[MethodCodec, Any]:
        codec = method_codec(method)
        if self._closed:
            raise _stopping(method)
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._target, self._options)
        self._calls[method] = codec, self._channel.unary_unary(codec.path)
        return self._calls[method]

    def _prepared_for_threads(self, method: str) -> tuple[MethodCodec, Any]:
        codec = method_codec(method)
        with self._lock:
            if self._closed:
                raise _stopping(method)
            if self._thread_channel is None:
                self._thread_channel = grpc.insecure_channel(self._target, self._options)
            self._thread_calls[method] = codec, self._thread_channel.unary_unary(codec.path)
            return self._thread_calls[method]

    def _failure(self, method: str, timeout: float, began: float, error: Any) -> MmhooksError:
        return failure(
            method,
            error.code(),
            error.details() or "",
            target=self._target,
            timeout=timeout,
            seconds=time.monotonic() - began,
            limit=self._limit,
        )


class NoServerAPI:
    """In the place of the plugin API under a host that offers none."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Raises `NoPluginAPI`."""
        self.call_from_thread(method, arguments, timeout)

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        """Raises `NoPluginAPI`."""
        raise NoPluginAPI(f"{method}: the plugin API is not there: the host has not said where, by {TARGET}")


def _stopping(method: str) -> HostUnavailable:
    return HostUnavailable(f"{method}: the plugin is stopping")
