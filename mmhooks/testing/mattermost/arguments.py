"""The arguments of the plugin API's methods: checked against Mattermost's Go types, and copied."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from mmhooks.api.calls import unknown_method
from mmhooks.errors import ModelError
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.schema import Basic, List, Map, Pointer, Schema, Struct, zero
from mmhooks.hosts.netrpc.structs import API
from mmhooks.models import Model
from mmhooks.testing.mattermost.copies import copied

Take = Callable[[Any, str], Any]
"""Makes the server's own copy of a value; the text says what it is, for errors."""

_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "string": (str,),
    "float32": (float, int),
    "float64": (float, int),
}


def received(method: str, arguments: Sequence[Any]) -> list[Any]:
    """The arguments as a server gets them: copies, lists in the place of tuples, None for an empty pointer only.

    Raises `APIError` when Mattermost has no such method, `TypeError` for too many or too few, and `ModelError` for one that
    does not fit; all name it.
    """
    takes = _takes(method)
    if len(arguments) != len(takes):
        raise TypeError(f"{method} takes {len(takes)} arguments, not {len(arguments)}")
    return [
        take(argument, f"{method}: argument {number}")
        for number, (take, argument) in enumerate(zip(takes, arguments, strict=True), 1)
    ]


@functools.cache
def _takes(method: str) -> list[Take]:
    try:
        schema, _ = contract.method(method)
    except KeyError:
        raise unknown_method(method, API) from None
    return [_take(field.schema) for field in schema.fields]


@functools.cache
def _take(schema: Schema) -> Take:
    if isinstance(schema, Basic):
        return _take_basic(schema.name)
    if isinstance(schema, Pointer):
        inner = _take(schema.elem)
        return lambda value, what: None if value is None else inner(value, what)
    if isinstance(schema, Struct):
        return _take_model(schema)
    if isinstance(schema, List):
        item = _take(schema.elem)
        return lambda value, what: [
            item(one, f"{what}[{n}]") for n, one in enumerate(_checked(value, (list, tuple), what))
        ]
    if isinstance(schema, Map):
        item = _take(schema.elem)
        return lambda value, what: {
            key: item(one, f"{what}[{key!r}]") for key, one in _checked(value, (dict,), what).items()
        }
    return _take_anything


def _take_basic(name: str) -> Take:
    if name == "[]uint8":
        return _take_bytes
    types = _TYPES.get(name, (int,))

    def take(value: Any, what: str) -> Any:
        if type(value) in types:
            return value
        if isinstance(value, types) and not isinstance(value, bool):
            return types[0](value)  # of a class below it, such as an enum's
        raise ModelError(f"{what} takes {types[0].__name__}, not {type(value).__name__}")

    return take


def _take_bytes(value: Any, what: str) -> Any:
    if value is None or type(value) is bytes:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise ModelError(f"{what} takes bytes, not {type(value).__name__}")


def _take_model(schema: Struct) -> Take:
    model = schema.make
    if not (isinstance(model, type) and issubclass(model, Model)):
        return _take_anything

    @functools.cache
    def fields() -> list[tuple[str, Take, Any]]:
        flat = [
            inner
            for field in schema.fields
            for inner in (field.schema.fields if field.embedded and isinstance(field.schema, Struct) else (field,))
        ]
        return [(field.attribute, _take(field.schema), zero(field.schema)) for field in flat if field.attribute]

    def take(value: Any, what: str) -> Any:
        if value is None:
            return model()  # what Go makes of a struct that nobody sends
        if not isinstance(value, model):
            raise ModelError(f"{what} takes {model.__name__}, not {type(value).__name__}")
        made = value.__copy__()
        for name, take_field, empty in fields():
            held = getattr(made, name)
            if held is None or held == empty:
                if held.__class__ in (list, dict):
                    setattr(made, name, type(held)())
                continue
            taken = take_field(held, f"{what}: {model.__name__}.{name}")
            if taken is not held:
                setattr(made, name, taken)
        return made

    return take


def _take_anything(value: Any, what: str) -> Any:
    return copied(value)


def _checked(value: Any, types: tuple[type, ...], what: str) -> Any:
    if value is None:
        return types[0]()
    if not isinstance(value, types):
        raise ModelError(f"{what} takes {types[0].__name__}, not {type(value).__name__}")
    return value
