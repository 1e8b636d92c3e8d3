"""The embedded gRPC host, as Mattermost's runtime for Python plugins."""

from __future__ import annotations

import codecs
import collections
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from mmhooks.errors import AppError, CallError, HandlerError, HandlerTimeout, NotImplementedByPlugin, ThreadsExhausted
from mmhooks.hooks import HOOKS
from mmhooks.hosts.grpc.calls import hook_codec, servable
from mmhooks.hosts.grpc.messages import PACKAGE, message_class
from mmhooks.hosts.grpc.pluginapi import TARGET
from mmhooks.hosts.handshake import Host as Wire
from mmhooks.outcomes import Outcome
from mmhooks.testing.hosts import API, Gone, Unreachable
from mmhooks.testing.hosts.grpc_api import APIServer

_ERRORS: dict[Any, type[CallError]] = {
    grpc.StatusCode.UNIMPLEMENTED: NotImplementedByPlugin,
    grpc.StatusCode.DEADLINE_EXCEEDED: HandlerTimeout,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ThreadsExhausted,
}


class EmbeddedHost:
    """See `mmhooks.testing.hosts.Host`.

    Arguments:
        api: what answers the plugin's calls of the plugin API. Without it the plugin is told of none.
    """

    wire: Wire = "grpc"
    start_timeout = 10.0
    patience = 30.0

    def __init__(self, api: API | None = None) -> None:
        self._api = APIServer(api) if api else None
        self._channel: Any = None
        self._thread: threading.Thread | None = None

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        ours = {"MMHOOKS_HOST": "grpc", "PLUGIN_PROTOCOL_VERSIONS": "1"}
        if self._api is not None:
            ours[TARGET] = self._api.target
        return {**environ, **ours}

    def connect(self, network: str, address: str, printed: Callable[[str], None]) -> list[str]:
        self._channel = grpc.insecure_channel(f"unix:{address}" if network == "unix" else address)
        request = message_class(f"{PACKAGE}.ImplementedRequest")
        method = self._method(f"/{PACKAGE}.PluginHooks/Implemented", message_class(f"{PACKAGE}.ImplementedResponse"))
        try:
            names = [*method(request(), timeout=self.patience).hooks]
        except grpc.RpcError as error:
            raise Unreachable(error.details()) from None
        self._thread = threading.Thread(
            target=self._read_prints, args=(printed,), name="mmhooks-plugin-prints", daemon=True
        )
        self._thread.start()
        return names

    def call(self, name: str, arguments: Sequence[Any], timeout: float) -> Outcome | AppError:
        if not servable(HOOKS[name]):
            raise NotImplementedByPlugin(f"{name} is not on the gRPC host's wire", hook=name)
        codec = hook_codec(name)
        method = self._method(f"/{PACKAGE}.PluginHooks/{name}", codec.response)
        try:
            response = method(codec.make_request(arguments), timeout=timeout)
        except grpc.RpcError as error:
            text = error.details() or error.code().name
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise Gone(text) from None
            raise _ERRORS.get(error.code(), HandlerError)(text, hook=name) from None
        return codec.read_response(response)

    def ping(self, timeout: float) -> bool:
        method = self._method("/grpc.health.v1.Health/Check", health_pb2.HealthCheckResponse)
        try:
            response = method(health_pb2.HealthCheckRequest(service="plugin"), timeout=timeout)
        except grpc.RpcError:
            return False
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    def shutdown(self, timeout: float) -> None:
        empty = message_class("plugin.Empty")
        with contextlib.suppress(grpc.RpcError):
            self._method("/plugin.GRPCController/Shutdown", empty)(empty(), timeout=timeout)

    def close(self, timeout: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout)
        if self._channel is not None:
            self._channel.close()
        if self._api is not None:
            self._api.close()

    def _method(self, path: str, response: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )

    def _read_prints(self, printed: Callable[[str], None]) -> None:
        data = message_class("plugin.StdioData")
        # A letter of several bytes may come in two pieces.
        decoders: dict[int, codecs.IncrementalDecoder] = collections.defaultdict(
            lambda: codecs.getincrementaldecoder("utf-8")("replace")
        )
        stream = self._channel.unary_stream(
            "/plugin.GRPCStdio/StreamStdio",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=data.FromString,
        )
        with contextlib.suppress(grpc.RpcError, ValueError):
            for piece in stream(message_class("google.protobuf.Empty")()):
                printed(decoders[piece.channel].decode(piece.data))
