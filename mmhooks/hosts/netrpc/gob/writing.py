"""Python's values into bytes that Go can read.

A struct that the peer has sent goes back by the peer's own definition of it: whatever its version is, it can read that.
Others go by what we know of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmhooks.changes import Changes
from mmhooks.errors import ModelError
from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.primitives import bytes_, float_, int_, string, uint
from mmhooks.hosts.netrpc.gob.reading import Raw, made_once
from mmhooks.hosts.netrpc.gob.schema import (
    Basic,
    Field,
    Interface,
    Json,
    List,
    Map,
    Opaque,
    Pointer,
    Schema,
    Struct,
    zero,
)
from mmhooks.hosts.netrpc.gob.types import LAST_BUILTIN, Definition, Form, Side, Types, write_definition
from mmhooks.hosts.netrpc.gob.values import (
    BASIC,
    BOOL_HEAD,
    BYTES_HEAD,
    FLOAT_HEAD,
    STRING_HEAD,
    Misfit,
    Write,
    integer,
    list_of,
    map_of,
    opaque,
    text,
    write_json,
)

Named = Callable[[Any], tuple[str, Struct] | None]
"""The name and the struct by which a value other than plain ones stands behind an interface."""


def any_size(size: int) -> None:
    """A value may have any size."""


class Encoder:
    """Writes the values of one direction of a stream.

    Arguments:
        side: which of the two writes.
        peer: the types of the other direction.
        named: what may stand behind interfaces besides plain values.
    """

    def __init__(self, side: Side, peer: Types, named: Named) -> None:
        self._peer = peer
        self._named = named
        self._own = Types(side)
        self._adopts = side is Side.PLUGIN
        self._told: set[int] = set()  # types whose definitions have gone out
        self._needed: dict[int, None] = {}  # types that the value being written stands on
        self._ids: dict[Schema, int] = {}
        self._plans: dict[Schema, tuple[int, bytes, Write]] = {}  # for whole messages
        self._writers: dict[tuple[int, Schema, bool], Write] = {}
        self._seen = 0

    def encode(self, schema: Schema, value: Any, check_size: Callable[[int], None] = any_size) -> bytes:
        """A value as a message, with the definitions before it that the peer does not have yet.

        Arguments:
            check_size: is told how many bytes the value has, and may raise.

        Raises `ModelError` that names the field for a value that cannot be sent; then nothing counts as told.
        """
        if len(self._peer.by_id) + len(self._peer.met) != self._seen:
            self._look_again()
        self._needed.clear()
        try:
            plan = self._plans.get(schema)
            if plan is None:
                type_ = self.type_of(schema)
                start = int_(type_) if isinstance(schema, Struct) else int_(type_) + b"\0"
                plan = self._plans[schema] = type_, start, self._writer(type_, schema)
            type_, start, write = plan
            body = bytearray(start)
            write(value, body)
            if type_ not in self._told:
                self._need(type_)
        except Misfit as error:
            path = error.path.lstrip(".")
            raise ModelError(f"{path}: {error.text}" if path else error.text) from None
        except RecursionError:
            raise ModelError("a dict or list in it holds itself, or is nested too deep") from None
        check_size(len(body))
        message = uint(len(body)) + body
        if not self._needed:
            return message
        definitions = [write_definition(id_, self._definition(id_)) for id_ in self._needed]
        self._told.update(self._needed)
        return b"".join((*definitions, message))

    def type_of(self, schema: Schema) -> int:
        """The number of the type by which values of a schema are written."""
        if isinstance(schema, Basic):
            return schema.type
        if isinstance(schema, Interface):
            return types.INTERFACE
        if isinstance(schema, Json):
            return types.BYTES
        if isinstance(schema, Pointer):
            return self.type_of(schema.elem)
        id_ = self._ids.get(schema)
        if id_ is None:
            id_ = self._peers(schema) if isinstance(schema, Struct) else None
            self._ids[schema] = id_ or self._define(schema)
        return self._ids[schema]

    def _look_again(self) -> None:
        """The peer has told more types: what went by ours may now go by theirs."""
        self._seen = len(self._peer.by_id) + len(self._peer.met)
        names = self._peer.structs.keys() | {struct.name for struct in self._peer.met}
        if self._adopts and not self._own.structs.keys().isdisjoint(names):
            self._own.structs.clear()
            self._ids.clear()
            self._writers.clear()
            self._plans.clear()

    def _peers(self, struct: Struct) -> int | None:
        """The peer's own number of a struct."""
        if self._adopts and struct in self._peer.met:
            return self._peer.met[struct]
        id_ = self._peer.structs.get(struct.name)
        if id_ is None or not self._adopts:
            return None
        theirs = dict(self._peer.by_id[id_].fields)
        return id_ if all(self._fits(theirs[f.go], f.schema) for f in struct.fields if f.go in theirs) else None

    def _fits(self, type_: int, schema: Schema) -> bool:
        """Whether values of a schema can be written as a type; structs are taken to be alike inside."""
        if isinstance(schema, Pointer):
            return self._fits(type_, schema.elem)
        if isinstance(schema, Basic | Interface | Json):
            return type_ == self.type_of(schema)
        if type_ <= LAST_BUILTIN:
            return False
        definition = self._definition(type_)
        if isinstance(schema, List):
            return definition.form is Form.SLICE and self._fits(definition.elem, schema.elem)
        if isinstance(schema, Map):
            plain = definition.form is Form.MAP and definition.key == types.STRING
            return plain and self._fits(definition.elem, schema.elem)
        if isinstance(schema, Struct):
            return definition.form is Form.STRUCT
        return isinstance(schema, Opaque) and definition.form.is_opaque

    def _define(self, schema: Schema) -> int:
        """A definition of our own."""
        id_ = self._own.first + len(self._own.by_id)
        self._ids[schema] = id_
        self._own.by_id[id_] = Definition(Form.STRUCT)  # keeps the number: structs hold each other
        if isinstance(schema, List):
            definition = Definition(Form.SLICE, elem=self.type_of(schema.elem))
        elif isinstance(schema, Map):
            definition = Definition(Form.MAP, key=types.STRING, elem=self.type_of(schema.elem))
        elif isinstance(schema, Opaque):
            definition = Definition(Form.GOB_ENCODER, schema.name)
        else:
            assert isinstance(schema, Struct)
            fields = tuple((field.go, self.type_of(field.schema)) for field in schema.fields)
            definition = Definition(Form.STRUCT, schema.name, fields=fields)
            self._own.structs[schema.name] = id_
        self._own.by_id[id_] = definition
        return id_

    def _definition(self, id_: int) -> Definition:
        return self._own.by_id.get(id_) or self._peer.get(id_)

    def _need(self, id_: int) -> None:
        """Have a type told, with all that it is made of, unless it has been."""
        if id_ <= LAST_BUILTIN or id_ in self._told or id_ in self._needed:
            return
        self._needed[id_] = None
        for part in self._definition(id_).parts():
            self._need(part)

    def _writer(self, type_: int, schema: Schema, *, zeros: bool = False) -> Write:
        """What writes the values of a schema as a type.

        Arguments:
            zeros: write what is empty, too: the peer may have something there.
        """
        if isinstance(schema, Pointer):
            return self._writer(type_, schema.elem, zeros=zeros)
        return made_once(self._writers, (type_, schema, zeros), lambda: self._make_writer(type_, schema, zeros))

    def _make_writer(self, type_: int, schema: Schema, zeros: bool) -> Write:
        if isinstance(schema, Basic):
            return BASIC[type_](schema)
        if isinstance(schema, Interface):
            return self._write_error if schema.is_error else self._write_any
        if isinstance(schema, Json):
            return write_json
        if isinstance(schema, Opaque):
            return opaque(schema)
        definition = self._definition(type_)
        if isinstance(schema, List):
            return list_of(self._writer(definition.elem, schema.elem, zeros=zeros))
        if isinstance(schema, Map):
            return map_of(self._writer(definition.elem, schema.elem, zeros=zeros))
        assert isinstance(schema, Struct)
        return self._record(definition, schema) if schema.make is dict else self._struct(definition, schema, zeros)

    def _rows(self, definition: Definition, struct: Struct, zeros: bool) -> list[_Row]:
        """The fields of a definition, each with what we know of it."""
        known = {field.go: field for field in struct.fields}
        return [
            self._row(number, name, type_, known.get(name), zeros)
            for number, (name, type_) in enumerate(definition.fields)
        ]

    def _row(self, number: int, name: str, type_: int, field: Field | None, zeros: bool) -> _Row:
        if field is None or not self._fits(type_, field.schema):
            return _Row(number, name, type_, None, _nothing, None, False)
        if field.embedded:
            assert isinstance(field.schema, Struct)
            rows = self._rows(self._definition(type_), field.schema, zeros)

            def write_embedded(value: Any, out: bytearray) -> None:
                _write_fields(rows, value, out)

            return _Row(number, name, type_, "", write_embedded, None, False)
        write = self._writer(type_, field.schema, zeros=zeros)
        schema = field.schema
        empty = None if zeros else zero(schema)
        may_be_none = None if zeros and isinstance(schema, Interface) else not isinstance(schema, Basic | Struct)
        return _Row(number, name, type_, field.attribute, write, empty, may_be_none)

    def _struct(self, definition: Definition, struct: Struct, zeros: bool) -> Write:
        rows: list[_Row] = []
        known: list[_Row] = []
        changeable: list[_Row] = []

        def write(value: Any, out: bytearray) -> None:
            if not rows:  # now, and not before: structs hold each other
                rows.extend(self._rows(definition, struct, zeros))
                known.extend(row for row in rows if row.attribute is not None)
            if type(value) is Changes:
                if not changeable:
                    changeable.extend(self._rows(definition, struct, True))
                _write_changes(changeable, value, out)
            elif not isinstance(value, struct.make):  # type: ignore[arg-type]
                raise Misfit(f"expected {struct.make.__name__}, found {type(value).__name__}")
            elif struct.keeps and value._unknown:
                self._write_kept(rows, value, out)
            else:
                _write_fields(known, value, out)

        return write

    def _write_kept(self, rows: list[_Row], value: Any, out: bytearray) -> None:
        """A model with parts that go back as they came."""
        kept: Mapping[str, Raw] = value._unknown.get("netrpc", {})
        unread = value._unknown.get("unread", {})
        todo: list[_Row] = []
        last = -1
        for row in rows:
            raw = kept.get(row.name) if row.attribute is None else (left := unread.get(row.attribute)) and left.raw
            if raw is not None and self._returns(raw, row.type):
                last = _write_fields(todo, value, out, last, end=False)
                todo.clear()
                out += uint(row.number - last)
                last = row.number
                self._echo(raw, out)
            elif row.attribute is not None:
                todo.append(row)
        _write_fields(todo, value, out, last)

    def _record(self, definition: Definition, struct: Struct) -> Write:
        """Writes a dict, by the names of its struct's fields; what it lacks is not sent."""
        rows = self._rows(definition, struct, False)

        def write(value: dict[str, Any], out: bytearray) -> None:
            last = -1
            for row in rows:
                item = value.get(row.name)
                if item is None or (row.empty is not None and item == row.empty):
                    continue
                out += uint(row.number - last)
                last = row.number
                if type(item) is Raw:
                    self._echo(item, out)
                else:
                    row.write(item, out)
            out.append(0)

        return write

    def _returns(self, raw: Raw, type_: int) -> bool:
        """Whether a value can go back in a field of a type as it came. What came by another stream can when its bytes
        mean the same there: nothing stands behind interfaces, and the types are the same."""
        if raw.type != type_:
            return False
        if raw.types is self._peer or type_ < types.INTERFACE:
            return True
        if type_ == types.INTERFACE:
            return False
        parts = [*raw.types.with_parts(type_)]
        return all(
            self._peer.by_id.get(part) == (definition := raw.types.by_id[part])
            and types.INTERFACE not in definition.parts()
            for part in parts
        )

    def _echo(self, raw: Raw, out: bytearray) -> None:
        out += raw.data
        if raw.type >= types.INTERFACE:
            # Which types stand behind interfaces in it is not known: all that the peer has told may.
            for id_ in self._peer.by_id:
                self._need(id_)

    def _write_any(self, value: Any, out: bytearray) -> None:
        """A value behind an interface: its type's name and number, how long it is, and itself."""
        kind = type(value)
        if kind is str:
            body = b"\0" + text(value)
            out += STRING_HEAD + uint(len(body)) + body
        elif value is None:
            out.append(0)
        elif isinstance(value, bool):
            out += BOOL_HEAD + (b"\2\0\1" if value else b"\2\0\0")
        elif isinstance(value, int):
            body, head = integer(value)
            out += head + uint(len(body)) + body
        elif isinstance(value, float):
            body = b"\0" + float_(value)
            out += FLOAT_HEAD + uint(len(body)) + body
        elif isinstance(value, str):
            self._write_any(str.__str__(value), out)
        elif isinstance(value, dict):
            self._write_behind("map[string]interface {}", PLAIN_MAP, value, out)
        elif isinstance(value, list | tuple):
            self._write_behind("[]interface {}", PLAIN_LIST, value, out)
        elif isinstance(value, bytes | bytearray):
            body = b"\0" + bytes_(bytes(value))
            out += BYTES_HEAD + uint(len(body)) + body
        elif isinstance(value, Raw):
            self._echo(value, out)
        elif named := self._named(value):
            self._write_behind(*named, value, out)
        elif hasattr(value, "to_dict"):
            self._write_any(value.to_dict(), out)
        else:
            raise Misfit(
                f"{kind.__name__} is nothing that can be sent here: use text, numbers, booleans, None, lists and dicts"
            )

    def _write_error(self, value: Any, out: bytearray) -> None:
        named = self._named(value)
        if named is None:
            raise Misfit(f"expected an error, found {type(value).__name__}")
        self._write_behind(*named, value, out)

    def _write_behind(self, name: str, schema: Schema, value: Any, out: bytearray) -> None:
        type_ = self.type_of(schema)
        self._need(type_)
        body = bytearray() if isinstance(schema, Struct) else bytearray(1)
        self._writer(type_, schema)(value, body)
        out += string(name)
        out += int_(type_)
        out += uint(len(body))
        out += body


PLAIN_MAP = Map(Interface())
PLAIN_LIST = List(Interface())


class _Row(NamedTuple):
    """A field of a definition: `attribute` is None where we have none, `empty` what need not be written, and
    `may_be_none` whether None is another word for that; None itself if it is written."""

    number: int
    name: str
    type: int
    attribute: str | None
    write: Write
    empty: Any
    may_be_none: bool | None


def _write_fields(rows: list[_Row], value: Any, out: bytearray, last: int = -1, *, end: bool = True) -> int:
    for number, _, _, attribute, write, empty, may_be_none in rows:
        item = getattr(value, attribute) if attribute else value
        if item is None and may_be_none is not None:
            if may_be_none:
                continue
            raise Misfit("cannot be None: set it to its empty value instead", f".{attribute}")
        if empty is not None and item == empty:
            continue
        out += uint(number - last)
        last = number
        try:
            write(item, out)
        except Misfit as error:
            raise error.within(f".{attribute}" if attribute else "") from None
    if end:
        out.append(0)
    return last


def _write_changes(rows: list[_Row], changes: Changes, out: bytearray) -> None:
    last = -1
    for row in rows:
        if row.attribute and row.attribute in changes.attributes:
            out += uint(row.number - last)
            last = row.number
            try:
                row.write(changes.attributes[row.attribute], out)
            except Misfit as error:
                raise error.within(f".{row.attribute}") from None
    out.append(0)


def _nothing(value: Any, out: bytearray) -> None:
    raise AssertionError("a field without a writer")
