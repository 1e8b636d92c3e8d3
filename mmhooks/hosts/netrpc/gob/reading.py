"""A value's bytes into Python's values: one reader for each pair of a type and what we expect there, made once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.primitives import read_bytes, read_float, read_int, read_string, read_uint
from mmhooks.hosts.netrpc.gob.schema import (
    Basic,
    Field,
    Interface,
    Json,
    List,
    Loose,
    Map,
    Opaque,
    Pointer,
    Schema,
    Struct,
    Verbatim,
)
from mmhooks.hosts.netrpc.gob.types import Definition, Form, RemoteProtocolError, Types

Read = Callable[[bytes, int], tuple[Any, int]]
Skip = Callable[[bytes, int], int]

Key = TypeVar("Key")
Function = TypeVar("Function", bound=Callable[[Any, Any], Any])

CORRUPT = (IndexError, ValueError, OverflowError, RecursionError, TypeError)
"""What readers raise when the bytes are no such value: too few, too many levels, a key that is no key."""


class Mismatch(Exception):
    """A type that is not what we expect: one of another version of the server."""


class Raw(NamedTuple):
    """A value as it came: its bytes, its type's number, and the types by which that is a number."""

    types: Types
    type: int
    data: bytes


class Unread(NamedTuple):
    """A field that nobody has looked at yet."""

    raw: Raw
    read: Read

    def __call__(self) -> Any:
        return read_whole(self.read, self.raw.data)


def read_whole(read: Read, data: bytes, start: int = 0) -> Any:
    """A value that ends with the data. Raises `RemoteProtocolError` when it does not, or is no such value."""
    try:
        value, end = read(data, start)
    except CORRUPT as error:
        raise corrupt(error) from error
    if end != len(data):
        raise RemoteProtocolError("gob: a value that ends too early or too late")
    return value


def corrupt(error: Exception) -> RemoteProtocolError:
    """What to raise for one of `CORRUPT`."""
    return RemoteProtocolError(f"gob: {error or type(error).__name__}")


def made_once(cache: dict[Key, Function], key: Key, make: Callable[[], Function]) -> Function:
    """What is made for a type, from the cache when it has been made before. Types may hold themselves: what is made
    meanwhile gets one that looks the finished one up at its first call."""
    found = cache.get(key)
    if found is None:
        cache[key] = lambda first, second: cache[key](first, second)  # type: ignore[assignment]
        try:
            found = cache[key] = make()
        except BaseException:
            del cache[key]
            raise
    return found


Known = Callable[[str], Struct | Opaque | None]
"""What a type of this name is, where nothing says what to expect."""


class Readers:
    """The readers of one direction of a stream.

    Arguments:
        table: its types.
        known: the types that may stand behind interfaces, by name.
        plain: makes of a struct from there what stands for it among plain values.
    """

    def __init__(self, table: Types, known: Known, plain: Callable[[Any], Any]) -> None:
        self.types = table
        self._known = known
        self._plain = plain
        self._readers: dict[tuple[int, Schema], Read] = {}
        self._loose: dict[int, Read] = {**_BASIC, types.FLOAT: _read_number, types.INTERFACE: self.any}
        self._skips: dict[int, Skip] = {}
        self._singles: dict[int, Read] = {}

    def reader(self, type_: int, schema: Schema) -> Read:
        """The reader for a type where this is expected. Raises `Mismatch`."""
        if isinstance(schema, Pointer):
            return self.reader(type_, schema.elem)
        return made_once(self._readers, (type_, schema), lambda: self._make(type_, schema))

    def _make(self, type_: int, schema: Schema) -> Read:
        if isinstance(schema, Basic):
            if type_ != schema.type:
                raise Mismatch
            return _BASIC[type_]
        if isinstance(schema, Interface):
            if type_ != types.INTERFACE:
                raise Mismatch
            return self.any
        if isinstance(schema, Loose):
            return self._loosely(type_)
        if isinstance(schema, Verbatim):
            return self._verbatim(type_)
        if isinstance(schema, Json):
            if type_ != types.BYTES:
                raise Mismatch
            return _read_json
        if type_ <= types.LAST_BUILTIN:
            raise Mismatch
        definition = self.types.get(type_)
        if isinstance(schema, Opaque):
            if not definition.form.is_opaque:
                raise Mismatch
            return _opaque(schema)
        if isinstance(schema, List):
            if definition.form not in (Form.SLICE, Form.ARRAY):
                raise Mismatch
            return _list(self.reader(definition.elem, schema.elem))
        if isinstance(schema, Map):
            if definition.form is not Form.MAP or definition.key != types.STRING:
                raise Mismatch
            return _map(self.reader(definition.elem, schema.elem))
        assert isinstance(schema, Struct)
        if definition.form is not Form.STRUCT:
            raise Mismatch
        self.types.met.setdefault(schema, type_)
        return self._struct(definition, schema)

    def _verbatim(self, type_: int) -> Read:
        skip = self.skip(type_)

        def read(data: bytes, pos: int) -> tuple[Raw, int]:
            end = skip(data, pos)
            return Raw(self.types, type_, data[pos:end]), end

        return read

    def _struct(self, definition: Definition, struct: Struct) -> Read:
        make = struct.make
        fill = self._fill(definition, struct)

        def read(data: bytes, pos: int) -> tuple[Any, int]:
            values: dict[str, Any] = {}
            pos = fill(data, pos, values)
            value = make(**values)
            if "_unknown" in values and (unread := values["_unknown"].get("unread")):
                for attribute in unread:
                    delattr(value, attribute)  # the model's `__getattr__` finds it then
            return value, pos

        return read

    def _fill(self, definition: Definition, struct: Struct) -> Callable[[bytes, int, dict[str, Any]], int]:
        """Reads the fields of a struct into a dict."""
        expected = {field.go: field for field in struct.fields}
        fields: list[tuple[str, Read | None, Any]] = []

        def fill(data: bytes, pos: int, values: dict[str, Any]) -> int:
            number = -1
            while delta := data[pos]:
                if delta < 128:
                    pos += 1
                else:
                    delta, pos = read_uint(data, pos)
                number += delta
                attribute, read, other = fields[number]
                if read is read_string:  # most fields are text, and calling costs as much as reading
                    length = data[pos]
                    if length < 128:
                        pos += 1
                    else:
                        length, pos = read_uint(data, pos)
                    end = pos + length
                    values[attribute] = str(data[pos:end], "utf-8", "surrogateescape")
                    pos = end
                elif read is not None:
                    values[attribute], pos = read(data, pos)
                else:
                    pos = other(data, pos, values)
            return pos + 1

        for name, type_ in definition.fields:
            fields.append(self._field(name, type_, expected.get(name), struct.keeps))
        return fill

    def _field(self, name: str, type_: int, field: Field | None, keeps: bool) -> tuple[str, Read | None, Any]:
        if field is not None and field.embedded:
            assert isinstance(field.schema, Struct)
            if type_ > types.LAST_BUILTIN and (definition := self.types.get(type_)).form is Form.STRUCT:
                return "", None, self._fill(definition, field.schema)
            field = None
        read: Read | None = None
        if field is not None:
            try:
                read = self.reader(type_, field.schema)
            except Mismatch:
                field = None
        skip = self.skip(type_)
        if field is None:
            if not keeps:
                return "", None, lambda data, pos, values: skip(data, pos)
            return "", None, self._keeper(name, type_, skip)
        assert read
        if keeps and field.schema == Map(Interface()):
            return "", None, self._leaver(field.attribute, type_, skip, read)
        return field.attribute, read, None

    def _keeper(self, name: str, type_: int, skip: Skip) -> Callable[[bytes, int, dict[str, Any]], int]:
        """Keeps a field that this version does not know, for the way back."""

        def keep(data: bytes, pos: int, values: dict[str, Any]) -> int:
            end = skip(data, pos)
            kept = values.setdefault("_unknown", {}).setdefault("netrpc", {})
            kept[name] = Raw(self.types, type_, data[pos:end])
            return end

        return keep

    def _leaver(
        self, attribute: str, type_: int, skip: Skip, read: Read
    ) -> Callable[[bytes, int, dict[str, Any]], int]:
        """Leaves a field unread: large props cost more than the rest of a call, and most handlers never look."""

        def leave(data: bytes, pos: int, values: dict[str, Any]) -> int:
            end = skip(data, pos)
            left = values.setdefault("_unknown", {}).setdefault("unread", {})
            left[attribute] = Unread(Raw(self.types, type_, data[pos:end]), read)
            return end

        return leave

    def any(self, data: bytes, pos: int) -> tuple[Any, int]:
        """What stands behind an interface, as plain values."""
        length, pos = read_uint(data, pos)
        if length == 0:
            return None, pos
        name = pos
        type_, pos = read_int(data, pos + length)
        single = self._singles.get(type_)
        if single is None:
            registered = data[name : name + length].decode("utf-8", "replace")
            single = self._singles[type_] = self.single(type_, self._loosely(type_, registered.rpartition(".")[2]))
        _, pos = read_uint(data, pos)
        return single(data, pos)

    def single(self, type_: int, read: Read) -> Read:
        """The reader for a value that stands alone."""
        definition = self.types.by_id.get(type_)
        if definition is not None and definition.form is Form.STRUCT:
            return read

        def read_single(data: bytes, pos: int) -> tuple[Any, int]:
            if data[pos]:
                raise ValueError("a value that should begin with a zero")
            return read(data, pos + 1)

        return read_single

    def _loosely(self, type_: int, name: str = "") -> Read:
        """The reader for a type of which nothing is expected: lists, dicts, numbers, text.

        Go defines a struct without its name when it comes to it by a list of pointers: it has the given one then.
        """
        return made_once(self._loose, type_, lambda: self._make_loose(type_, name))

    def _make_loose(self, type_: int, name: str) -> Read:
        definition = self.types.get(type_)
        known = self._known(definition.name or name)
        if definition.form.is_opaque:
            return _opaque(known) if isinstance(known, Opaque) else read_bytes
        if definition.form in (Form.SLICE, Form.ARRAY):
            return _list(self._loosely(definition.elem, name))
        if definition.form is Form.MAP:
            return _map(self._loosely(definition.elem), self._loosely(definition.key))
        if not isinstance(known, Struct):
            fields = tuple(Field(name, name, Loose()) for name, _ in definition.fields)
            return self._struct(definition, Struct(definition.name, dict, lambda: fields))
        read, plain = self._struct(definition, known), self._plain

        def read_plain(data: bytes, pos: int) -> tuple[Any, int]:
            value, pos = read(data, pos)
            return plain(value), pos

        return read_plain

    def skip(self, type_: int) -> Skip:
        """Finds the end of a value."""
        return made_once(self._skips, type_, lambda: self._make_skip(type_))

    def _make_skip(self, type_: int) -> Skip:
        if type_ in _SKIPS:
            return _SKIPS[type_]
        definition = self.types.get(type_)
        if definition.form.is_opaque:
            return _skip_bytes
        if definition.form is Form.STRUCT:
            return _skip_struct([self.skip(part) for _, part in definition.fields])
        elem = self.skip(definition.elem)
        return _skip_many(elem, self.skip(definition.key) if definition.key else None)


def _opaque(schema: Opaque) -> Read:
    def read(data: bytes, pos: int) -> tuple[Any, int]:
        found, pos = read_bytes(data, pos)
        return schema.read(found), pos

    return read


def _list(elem: Read) -> Read:
    def read(data: bytes, pos: int) -> tuple[Any, int]:
        count, pos = _read_count(data, pos)
        values = []
        for _ in range(count):
            value, pos = elem(data, pos)
            values.append(value)
        return values, pos

    return read


def _map(elem: Read, key: Read = read_string) -> Read:
    def read(data: bytes, pos: int) -> tuple[Any, int]:
        count, pos = _read_count(data, pos)
        values = {}
        for _ in range(count):
            name, pos = key(data, pos)
            values[name], pos = elem(data, pos)
        return values, pos

    return read


def _read_count(data: bytes, pos: int) -> tuple[int, int]:
    count, pos = read_uint(data, pos)
    if count > len(data) - pos:  # each element takes a byte at least
        raise IndexError("the end of the data")
    return count, pos


def _read_bool(data: bytes, pos: int) -> tuple[bool, int]:
    number, pos = read_uint(data, pos)
    return number != 0, pos


def _read_number(data: bytes, pos: int) -> tuple[float, int]:
    """A double among plain values. What came to the server as JSON has no other numbers: whole ones are ints here, as
    under the gRPC host; beyond 2**53 not every number is one."""
    number, pos = read_float(data, pos)
    whole = number.is_integer() and abs(number) < 1 << 53 and (number or math.copysign(1, number) > 0)
    return (int(number) if whole else number), pos


def _read_complex(data: bytes, pos: int) -> tuple[complex, int]:
    real, pos = read_float(data, pos)
    imaginary, pos = read_float(data, pos)
    return complex(real, imaginary), pos


def _read_json(data: bytes, pos: int) -> tuple[Any, int]:
    text, pos = read_bytes(data, pos)
    return msgspec.json.decode(text) if text else None, pos


_BASIC: dict[int, Read] = {
    types.BOOL: _read_bool,
    types.INT: read_int,
    types.UINT: read_uint,
    types.FLOAT: read_float,
    types.BYTES: read_bytes,
    types.STRING: read_string,
    types.COMPLEX: _read_complex,
}


def _skip_uint(data: bytes, pos: int) -> int:
    first = data[pos]
    if first < 128:
        return pos + 1
    return read_uint(data, pos)[1]


def _skip_bytes(data: bytes, pos: int) -> int:
    length = data[pos]
    if length < 128:
        return pos + 1 + length
    length, pos = read_uint(data, pos)
    return pos + length


def _skip_interface(data: bytes, pos: int) -> int:
    length = data[pos]
    if length == 0:
        return pos + 1
    return _skip_bytes(data, _skip_uint(data, _skip_bytes(data, pos)))


def _skip_struct(fields: list[Skip]) -> Skip:
    def skip(data: bytes, pos: int) -> int:
        number = -1
        while data[pos]:
            delta, pos = read_uint(data, pos)
            number += delta
            pos = fields[number](data, pos)
        return pos + 1

    return skip


def _skip_many(elem: Skip, key: Skip | None) -> Skip:
    def skip(data: bytes, pos: int) -> int:
        count, pos = _read_count(data, pos)
        for _ in range(count):
            if key is not None:
                pos = key(data, pos)
            pos = elem(data, pos)
        return pos

    return skip


_SKIPS: dict[int, Skip] = {
    types.BOOL: _skip_uint,
    types.INT: _skip_uint,
    types.UINT: _skip_uint,
    types.FLOAT: _skip_uint,
    types.BYTES: _skip_bytes,
    types.STRING: _skip_bytes,
    types.COMPLEX: lambda data, pos: _skip_uint(data, _skip_uint(data, pos)),
    types.INTERFACE: _skip_interface,
}
