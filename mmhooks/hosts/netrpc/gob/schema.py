"""What we expect of a value, or mean to send: Go's types as far as plugins meet them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmhooks.hosts.netrpc.gob import types


@dataclass(frozen=True)
class Basic:
    """A bool, number, string or byte slice. `type` is gob's number for it; `bits` the size of a number in Go, beyond
    which its decoder fails."""

    type: int
    name: str
    bits: int = 64


@dataclass(frozen=True)
class Interface:
    """Go's `any`, or `error` when `is_error`."""

    is_error: bool = False


@dataclass(frozen=True)
class Opaque:
    """A type that encodes itself: how its bytes become a value, and back."""

    name: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


@dataclass(frozen=True)
class Json:
    """Go's `json.RawMessage`: bytes, which hold JSON."""


@dataclass(frozen=True)
class Loose:
    """Anything: lists, dicts, numbers and text, as they come."""


@dataclass(frozen=True)
class Verbatim:
    """The value as it came: it is to go back, or to be read later."""


@dataclass(frozen=True)
class Pointer:
    """None, or a value."""

    elem: Schema


@dataclass(frozen=True)
class List:
    """A slice."""

    elem: Schema


@dataclass(frozen=True)
class Map:
    """A map with strings for keys."""

    elem: Schema


@dataclass(frozen=True)
class Field:
    """A field of a struct: its name in Go, and in Python. An embedded struct's fields are attributes of the outer one."""

    go: str
    attribute: str
    schema: Schema
    embedded: bool = False


class Struct:
    """A struct.

    Arguments:
        name: its name in Go, without the package.
        make: makes the Python value of attributes by name.
        fields: gives the fields when they are first asked for: structs hold each other.
        keeps: whether the Python value is a model, which keeps what it has no field for, and can leave maps unread.
    """

    def __init__(
        self, name: str, make: Callable[..., Any], fields: Callable[[], tuple[Field, ...]], *, keeps: bool = False
    ) -> None:
        self.name = name
        self.make = make
        self.keeps = keeps
        self._make_fields = fields
        self._fields: tuple[Field, ...] | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """In Go's order."""
        if self._fields is None:
            self._fields = self._make_fields()
        return self._fields


Schema = Basic | Interface | Opaque | Json | Loose | Verbatim | Pointer | List | Map | Struct


def zero(schema: Schema) -> Any:
    """What Go leaves out when it writes: the zero value, None for pointers and for what has none."""
    if isinstance(schema, Basic):
        return _ZEROS[schema.type]
    if isinstance(schema, List):
        return []
    return {} if isinstance(schema, Map) else None


_ZEROS = {types.BOOL: False, types.INT: 0, types.UINT: 0, types.FLOAT: 0.0, types.BYTES: b"", types.STRING: ""}
