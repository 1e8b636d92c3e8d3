"""Turns the arguments of the plugin API's methods into requests, and responses into results: one way for all methods.

A request has a field for each argument, a response one for each result, in the order that they have in Go.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from mmhooks import models
from mmhooks.api.calls import unknown_method
from mmhooks.errors import APIError, AppError, ModelError, UnsupportedByHost
from mmhooks.hosts.grpc.codec import converter, field_reader, field_writer, is_repeated, model_class, to_json
from mmhooks.hosts.grpc.differences import JSON, MODELS, NEVER_NONE, NOT_ON_THE_WIRE, PARTS
from mmhooks.hosts.grpc.messages import PACKAGE, api_methods, message_class
from mmhooks.hosts.grpc.structs import to_value

STREAMS = frozenset({"InstallPlugin", "PluginHTTP", "UploadData"})
"""Methods that take or give streams in Go, which plugins cannot have yet."""

Convert = Callable[[Any], Any]


def names() -> list[str]:
    """The methods that can be called, by their names."""
    return [name for name in api_methods() if name not in STREAMS]


@functools.cache
def method_codec(name: str) -> MethodCodec:
    """The codec of a method by its canonical name; made at its first call. Raises `UnsupportedByHost` for one that only
    other hosts have, and `APIError` for one that there is not."""
    if name in NOT_ON_THE_WIRE:
        raise UnsupportedByHost(
            f"{name} is not on the gRPC host's wire (released Mattermost servers, which speak net/rpc, have it)"
        )
    if name not in names():
        raise unknown_method(name, names())
    return MethodCodec(name)


class MethodCodec:
    """The request and the response of one method, as bytes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = f"/{PACKAGE}.PluginAPI/{name}"
        method = api_methods()[name]
        self._request: type[Any] = message_class(method.input_type.full_name)
        self._response: type[Any] = message_class(method.output_type.full_name)
        # Of a few methods the fields are those of the only argument.
        whole = method.input_type.name in MODELS
        self._parameters = [] if whole else [(field.name, _argument(field)) for field in method.input_type.fields]
        self._whole = model_class(method.input_type.name) if whole else None
        self._count = 1 if whole else len(self._parameters)
        results = [_result(field) for field in method.output_type.fields if field.name != "error"]
        self._result = results[0] if len(results) == 1 else _all(results)

    def request(self, arguments: Sequence[Any]) -> bytes:
        """The request with these arguments, of which None is an empty one. Raises `TypeError` for too many or too few,
        `ModelError` for one that does not fit, and `UnsupportedByHost` for one that the wire has no place for."""
        if len(arguments) != self._count:
            raise TypeError(f"{self.name} takes {self._count} arguments, not {len(arguments)}")
        values = {}
        parameter = ""
        try:
            if self._whole is not None:
                return self._flattened(arguments[0])
            for (parameter, write), argument in zip(self._parameters, arguments, strict=True):
                if argument is not None:
                    values[parameter] = write(argument)
            return self._request(**values).SerializeToString()  # type: ignore[no-any-return]
        except UnsupportedByHost as error:
            raise UnsupportedByHost(f"{self.name}: {error}") from error
        except ModelError as error:
            raise ModelError(f"{self.name}: {parameter}: {error}" if parameter else f"{self.name}: {error}") from error
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise ModelError(f"{self.name}: {self._misfit(values) or f'{parameter}: {error}'}") from error

    def result(self, data: bytes) -> Any:
        """What a response gives: nothing, a value, or a tuple of several. Raises the error that it holds, and `APIError`
        when it cannot be read."""
        try:
            response = self._response.FromString(data)
            if not response.HasField("error"):
                return self._result(response)
            error: AppError = converter("AppError").to_model(response.error)  # type: ignore[assignment]
        except (DecodeError, ModelError) as misread:
            raise APIError(f"{self.name}: the answer cannot be read: {misread}") from None
        raise error

    def _flattened(self, argument: Any) -> bytes:
        assert self._whole is not None
        if argument is None:
            return b""
        if not isinstance(argument, self._whole):
            raise ModelError(f"expected {self._whole.__name__}, found {type(argument).__name__}")
        return converter(self._request.DESCRIPTOR.name).to_message(argument).SerializeToString()

    def _misfit(self, values: dict[str, Any]) -> str:
        """Which of these arguments the request cannot hold, and why; nothing when it could hold each."""
        for name, value in values.items():
            try:
                self._request(**{name: value})
            except (TypeError, ValueError, OverflowError) as error:
                return f"{name}: {error}"
        return ""


def _argument(field: Any) -> Convert:
    """How an argument that is not None becomes the value of its field."""
    place = field.containing_type.name, field.name
    if place in JSON:
        return _checked(getattr(models, JSON[place]), to_json)
    if place in PARTS:
        model, attribute = PARTS[place]
        return _checked(getattr(models, model), operator.attrgetter(attribute))
    if field.message_type and field.message_type.name == "KeyValuePair":
        return _pairs
    return field_writer(field) or _scalar(field)


def _checked(model: type[Any], convert: Convert) -> Convert:
    def checked(value: Any) -> Any:
        if not isinstance(value, model):
            raise ModelError(f"expected {model.__name__}, found {type(value).__name__}")
        return convert(value)

    return checked


def _scalar(field: Any) -> Convert:
    # protobuf would take bytes for text, and for numbers whatever looks like one.
    kind = _SCALARS[field.type]

    def checked(value: Any) -> Any:
        if isinstance(value, kind):
            return int(value) if kind is int else value  # protobuf takes no bool for a number
        if kind is bytes and isinstance(value, bytearray | memoryview):
            return bytes(value)
        raise ModelError(f"takes {kind.__name__}, not {type(value).__name__}")

    return checked


_SCALARS: dict[int, type[Any]] = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BYTES: bytes,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_INT32: int,
    FieldDescriptor.TYPE_INT64: int,
}


def _pairs(values: Any) -> list[Any]:
    """Keys and values by turns, as Go's functions for logging take them."""
    if not isinstance(values, list | tuple):
        raise ModelError(f"expected a list, found {type(values).__name__}")
    pair = message_class(f"{PACKAGE}.KeyValuePair")
    padded = [*values, None] if len(values) % 2 else values
    return [pair(key=str(key), value=to_value(value)) for key, value in zip(padded[::2], padded[1::2], strict=True)]


def _result(field: Any) -> Convert:
    """How a result is read out of a response."""
    name, place = field.name, (field.containing_type.name, field.name)
    if place in JSON:
        from_json = getattr(models, JSON[place]).from_json
        return lambda response: from_json(text) if (text := getattr(response, name)) else None
    read = field_reader(field)
    if read is None:
        return operator.attrgetter(name)
    if is_repeated(field) or field.message_type.full_name == "google.protobuf.Struct":
        return lambda response: read(getattr(response, name))
    if place in NEVER_NONE:
        return lambda response: read(getattr(response, name))
    return lambda response: read(getattr(response, name)) if response.HasField(name) else None


def _all(results: list[Convert]) -> Convert:
    if not results:
        return lambda response: None
    return lambda response: tuple(read(response) for read in results)
