"""The types of a stream: what its definitions say, by the numbers that its values use."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmhooks.errors import MmhooksError
from mmhooks.hosts.netrpc.gob.primitives import int_, read_int, read_string, read_uint, string, uint

BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX, INTERFACE = range(1, 9)
"""The types that need no definition."""

LAST_BUILTIN = 63
"""Numbers up to this one are gob's own."""

LAST = 1 << 23
"""No number is as high. (A definition's first bytes could not be told from others, if they were as long as they like.)"""


MOST_TYPES = 10_000
"""Definitions that a stream may have. Mattermost's whole interface has a few hundred; each is kept as long as the
stream."""


class RemoteProtocolError(MmhooksError):
    """The peer sent what gob does not allow: nothing of the stream can be read after it."""


class Form(enum.IntEnum):
    """What a type is; the numbers are those of the field of `wireType` that says so."""

    ARRAY = 1
    SLICE = 2
    STRUCT = 3
    MAP = 4
    GOB_ENCODER = 5
    BINARY_MARSHALER = 6
    TEXT_MARSHALER = 7

    @property
    def is_opaque(self) -> bool:
        """Whether values are bytes that only the type itself understands."""
        return self >= Form.GOB_ENCODER


class Definition(NamedTuple):
    """A type: `elem` of arrays, slices and maps, `key` of maps, `length` of arrays, `fields` of structs."""

    form: Form
    name: str = ""
    elem: int = 0
    key: int = 0
    length: int = 0
    fields: tuple[tuple[str, int], ...] = ()

    def parts(self) -> Iterator[int]:
        """The types that it is made of."""
        yield from (part for part in (self.key, self.elem) if part)
        yield from (type_ for _, type_ in self.fields)


class Side(enum.Enum):
    """Whose numbers are whose. A plugin sends the server's types back under the numbers that the server gave them: what
    came of them can go back as it is. So its own ones stand far above."""

    SERVER = LAST_BUILTIN + 1
    PLUGIN = 1 << 20


class Types:
    """The definitions of one direction of a stream, by the side that makes them."""

    def __init__(self, side: Side) -> None:
        self.first: int = side.value
        self._end = LAST if side is Side.PLUGIN else Side.PLUGIN.value
        self.by_id: dict[int, Definition] = {}
        self.structs: dict[str, int] = {}  # by name; the last of a name
        # What turned out to be structs that we know, where nothing but the place says so: Go leaves out the name of a type
        # that it first met behind a pointer in a list or map, `[]*model.Post`, and then for as long as the program runs.
        self.met: dict[Any, int] = {}

    def __deepcopy__(self, memo: object) -> Types:
        return self  # a stream has one, and copies of what came by it still belong to it

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "met": {}}  # what is pickled with a model leaves the stream

    def add(self, id_: int, definition: Definition) -> None:
        """Note a definition. Raises `RemoteProtocolError` when it cannot be one."""
        if not LAST_BUILTIN < id_ < self._end or id_ in self.by_id:
            raise RemoteProtocolError(f"gob: type {id_} is defined a second time, or cannot have that number")
        if len(self.by_id) >= MOST_TYPES:
            raise RemoteProtocolError(f"gob: more than {MOST_TYPES} types on one stream")
        self.by_id[id_] = definition
        if definition.form is Form.STRUCT and definition.name:
            self.structs[definition.name] = id_

    def get(self, id_: int) -> Definition:
        """Raises `RemoteProtocolError` for a type without a definition."""
        definition = self.by_id.get(id_)
        if definition is None:
            raise RemoteProtocolError(f"gob: type {id_} is not defined")
        return definition

    def with_parts(self, id_: int) -> Iterator[int]:
        """A type and all that it is made of, each once, leaving out gob's own."""
        found = [id_] if id_ > LAST_BUILTIN else []
        seen = set(found)
        for one in found:
            yield one
            for part in self.get(one).parts():
                if part > LAST_BUILTIN and part not in seen:
                    seen.add(part)
                    found.append(part)


def read_definition(data: bytes, pos: int) -> tuple[Definition, int]:
    """Read a `wireType`, the struct in which Go's encoder describes a type."""
    number, pos = read_uint(data, pos)
    form = Form(number)
    values, pos = _read_struct(data, pos, _PARTS.get(form, _COMMON_ONLY))
    if data[pos]:
        raise ValueError("a definition with more than one type in it")
    common = values.pop("common", {})
    return Definition(form, common.get("name", ""), **values), pos + 1


def write_definition(id_: int, definition: Definition) -> bytes:
    """The reverse, with the number's message around it."""
    form, name, elem, key, length, fields = definition
    common = (b"\1" + string(name) + b"\1" if name else b"\2") + int_(id_) + b"\0"
    body = int_(-id_) + uint(form) + b"\1" + common
    if form is Form.STRUCT:
        if fields:
            body += b"\1" + uint(len(fields))
            body += b"".join(
                (b"\1" + string(field) + b"\1" if field else b"\2") + int_(type_) + b"\0" for field, type_ in fields
            )
    elif form is Form.MAP:
        body += b"\1" + int_(key) + b"\1" + int_(elem)
    elif form is Form.ARRAY:
        body += b"\1" + int_(elem) + (b"\1" + int_(length) if length else b"")
    elif form is Form.SLICE:
        body += b"\1" + int_(elem)
    body += b"\0\0"
    return uint(len(body)) + body


def _read_struct(data: bytes, pos: int, parts: tuple[tuple[str, Any], ...]) -> tuple[dict[str, Any], int]:
    values = {}
    number = -1
    while delta := data[pos]:
        number += delta
        name, read = parts[number]
        values[name], pos = read(data, pos + 1)
    return values, pos + 1


def _read_common(data: bytes, pos: int) -> tuple[dict[str, Any], int]:
    return _read_struct(data, pos, (("name", read_string), ("id", read_int)))


def _read_fields(data: bytes, pos: int) -> tuple[tuple[tuple[str, int], ...], int]:
    count, pos = read_uint(data, pos)
    if count > len(data) - pos:
        raise IndexError("the end of the data")
    fields = []
    for _ in range(count):
        field, pos = _read_struct(data, pos, (("name", read_string), ("type", read_int)))
        fields.append((field.get("name", ""), field.get("type", 0)))
    return tuple(fields), pos


_COMMON_ONLY: tuple[tuple[str, Any], ...] = (("common", _read_common),)
_PARTS: dict[Form, tuple[tuple[str, Any], ...]] = {
    Form.ARRAY: (*_COMMON_ONLY, ("elem", read_int), ("length", read_int)),
    Form.SLICE: (*_COMMON_ONLY, ("elem", read_int)),
    Form.STRUCT: (*_COMMON_ONLY, ("fields", _read_fields)),
    Form.MAP: (*_COMMON_ONLY, ("key", read_int), ("elem", read_int)),
}
"""The fields of `wireType`'s parts, in Go's order."""
