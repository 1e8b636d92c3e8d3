"""The plugin API of the embedded gRPC host: a server of its own, as Mattermost's runtime for Python plugins has it."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import grpc

from mmhooks import models
from mmhooks.errors import AppError, GoError, UnsupportedByHost
from mmhooks.hosts.grpc.codec import converter, field_reader, field_writer
from mmhooks.hosts.grpc.differences import JSON, MODELS, PARTS
from mmhooks.hosts.grpc.messages import PACKAGE, api_methods, message_class
from mmhooks.hosts.grpc.methods import names
from mmhooks.hosts.grpc.structs import from_value
from mmhooks.testing.hosts import API

_THREADS = 256
"""Calls at once: each may wait for a hook, which calls the API again."""

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""How the runtime tells an error's HTTP status; all others are INTERNAL."""


class APIServer:
    """A server of the plugin API at a port of 127.0.0.1, `target`."""

    def __init__(self, api: API) -> None:
        self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, "mmhooks-plugin-api")
        self._server = grpc.server(self._threads)
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(_Method(api, name), lambda data: data, lambda data: data)
            for name in names()
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(f"{PACKAGE}.PluginAPI", handlers),))
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        """End it, and calls under way with it."""
        self._server.stop(None).wait()
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Method:
    def __init__(self, api: API, name: str) -> None:
        self._api = api
        self._name = name

    def __call__(self, data: bytes, context: Any) -> bytes:
        try:
            return response(self._name, self._api(self._name, arguments(self._name, data)))
        except UnsupportedByHost as error:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        except AppError as error:
            text = error.message or error.detailed_error
            context.abort(_CODES.get(error.status_code, grpc.StatusCode.INTERNAL), f"{error.id}: {text}")
        except GoError as error:
            context.abort(grpc.StatusCode.INTERNAL, f"internal error: {error.text}")
        raise AssertionError  # abort raises


def arguments(method: str, data: bytes) -> list[Any]:
    """The arguments that a request has, in Go's order."""
    type_ = api_methods()[method].input_type
    request: Any = message_class(type_.full_name).FromString(data)
    if type_.name in MODELS:
        return [converter(type_.name).to_model(request)]
    return [_argument(type_.name, field, request) for field in type_.fields]


def _argument(message: str, field: Any, request: Any) -> Any:
    value = getattr(request, field.name)
    if part := PARTS.get((message, field.name)):
        model, attribute = part
        return getattr(models, model)(**{attribute: value})
    if model := JSON.get((message, field.name), ""):
        return getattr(models, model).from_json(value) if value else None
    if field.name == "key_value_pairs":
        return [part for pair in value for part in (pair.key, from_value(pair.value))]
    read = field_reader(field)
    return read(value) if read else value


def response(method: str, result: Any) -> bytes:
    """A response with a result."""
    type_ = api_methods()[method].output_type
    fields = [field for field in type_.fields if field.name != "error"]
    results = result if len(fields) > 1 else [result] * len(fields)
    made: Any = message_class(type_.full_name)()
    for field, value in zip(fields, results, strict=True):
        if value is not None:
            made.MergeFrom(message_class(type_.full_name)(**{field.name: _written(type_.name, field, value)}))
    data: bytes = made.SerializeToString()
    return data


def _written(message: str, field: Any, value: Any) -> Any:
    if (message, field.name) in JSON:
        return value.to_json().encode()
    write = field_writer(field)
    return write(value) if write else value
