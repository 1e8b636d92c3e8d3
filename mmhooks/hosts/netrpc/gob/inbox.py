"""Bytes in, whole values out.

Go defines a type just before its first value. Where that value sits behind an interface, the definition comes in the
middle of what was begun: the message ends there, and the rest follows in the next one. Behind an interface that is
itself behind one, the inner value's bytes are cut in two with a length of their own each. Nobody after this module sees
any of that: a value that holds definitions is put together anew without them, so that it stands in one piece, and each
length in it says how long the whole is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import NamedTuple

from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.primitives import int_, read_int, read_uint, uint
from mmhooks.hosts.netrpc.gob.types import Form, RemoteProtocolError, Side, Types, read_definition

LARGEST = 1 << 30
"""Bytes of a message, as Go allows on machines of 32 bits. Only what has arrived takes room."""

DEEPEST = 100
"""Levels of values in values; Mattermost's own have about ten, and props of people who mean well hardly more."""

_DEFINITIONS = [
    re.compile(number + rb"[\x01-\x07]\x01[\x01\x02]", re.DOTALL)
    for number in (rb"\x7f", rb"\xff.", rb"\xfe..", rb"\xfd...")
]
"""What every definition begins with: a negative number from -64 on, which part of `wireType` it is, and the first field
of its `CommonType`. They find too much now and then, and never too little. Four, since each is as fast as looking for one
byte; together they would take ten times as long."""

_CORRUPT = (IndexError, ValueError, RecursionError)
"""What reading bytes raises that are not what they should be."""


class Message(NamedTuple):
    """A value: its type, and where in `data` it begins. It ends with the data."""

    type: int
    data: bytes
    start: int


class Inbox:
    """Takes the bytes of one direction of a stream, which one side sends."""

    def __init__(self, side: Side) -> None:
        self.types = Types(side)
        self._chunks: list[bytes] = []
        self._size = 0
        self._wanted = 1  # bytes without which there is no use in looking
        self._split: Generator[None, bytes | None, Message] | None = None

    def receive_data(self, data: bytes) -> None:
        """Add what has arrived."""
        self._chunks.append(data)
        self._size += len(data)

    def next_message(self) -> Message | None:
        """The next value, None while it has not arrived whole. Raises `RemoteProtocolError`."""
        try:
            while (data := self._next_frame()) is not None:
                message = self._take(data)
                if message is not None:
                    return message
        except _CORRUPT as error:
            raise RemoteProtocolError(f"gob: {error or type(error).__name__}") from error
        return None

    def _next_frame(self) -> bytes | None:
        if self._size < self._wanted:
            return None
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = [data]
        first = data[0]
        if first >= 128 and len(data) < 257 - first:
            self._wanted = 257 - first
            return None
        length, start = read_uint(data, 0)
        if length > LARGEST:
            raise RemoteProtocolError(f"gob: a message of {length} bytes; at most {LARGEST} are read")
        end = start + length
        if end > len(data):
            self._wanted = end
            return None
        self._wanted = 1
        self._chunks = [data[end:]] if end < len(data) else []
        self._size = len(data) - end
        return data[start:end]

    def _take(self, data: bytes) -> Message | None:
        if self._split is not None:
            return self._go_on(data)
        if not data:
            return None
        type_, pos = read_int(data, 0)
        if type_ < 0:
            end = self._define(-type_, data, pos)
            if end != len(data):
                raise ValueError("a definition with bytes behind it")
            return None
        for definition in _DEFINITIONS:
            if definition.search(data, pos):
                self._split = _Splicer(self.types, self._define, data, pos).splice(type_)
                return self._go_on(None)
        return Message(type_, data, pos)

    def _go_on(self, data: bytes | None) -> Message | None:
        assert self._split
        try:
            self._split.send(data)
        except StopIteration as done:
            self._split = None
            message: Message = done.value
            return message
        return None

    def _define(self, id_: int, data: bytes, pos: int) -> int:
        definition, end = read_definition(data, pos)
        if end > len(data):
            raise IndexError("the end of the data")
        self.types.add(id_, definition)
        return end


class _Splicer:
    """Puts a value that holds definitions together without them.

    A generator walks over it by its types; it yields for the next message.
    """

    def __init__(self, known: Types, define: Callable[[int, bytes, int], int], data: bytes, pos: int) -> None:
        self._types = known
        self._define = define
        self._data = data
        self._pos = self._mark = pos  # what is before the mark has been put out
        self._out: list[bytes] = []
        self._depth = 0

    def splice(self, type_: int) -> Generator[None, bytes | None, Message]:
        yield from self._single(type_)
        if self._pos != len(self._data):
            raise ValueError("a value with bytes behind it")
        self._flush()
        return Message(type_, b"".join(self._out), 0)

    def _flush(self) -> None:
        self._out.append(self._data[self._mark : self._pos])
        self._mark = self._pos

    def _uint(self) -> int:
        number, self._pos = read_uint(self._data, self._pos)
        return number

    def _skip(self, length: int) -> None:
        self._pos += length
        if self._pos > len(self._data):
            raise IndexError("the end of the data")

    def _single(self, type_: int) -> Generator[None, bytes | None, None]:
        """A value that stands alone: without the zero before it, which all but structs have, it would be a field."""
        definition = self._types.by_id.get(type_)
        if not (definition and definition.form is Form.STRUCT) and self._uint() != 0:
            raise ValueError("a value that should begin with a zero")
        yield from self._value(type_)

    def _value(self, type_: int) -> Generator[None, bytes | None, None]:
        if type_ in (types.BOOL, types.INT, types.UINT, types.FLOAT):
            self._uint()
        elif type_ in (types.BYTES, types.STRING):
            self._skip(self._uint())
        elif type_ == types.COMPLEX:
            self._uint()
            self._uint()
        else:
            self._depth += 1
            if self._depth > DEEPEST:
                raise ValueError(f"values in values, more than {DEEPEST} deep")
            yield from self._interface() if type_ == types.INTERFACE else self._defined(type_)
            self._depth -= 1

    def _defined(self, type_: int) -> Generator[None, bytes | None, None]:
        definition = self._types.get(type_)
        if definition.form.is_opaque:
            self._skip(self._uint())
        elif definition.form is Form.STRUCT:
            number = -1
            while delta := self._uint():
                number += delta
                yield from self._value(definition.fields[number][1])
        else:
            # As many as it says: the others may be in messages to come. (Where they are not, the data ends.)
            for _ in range(self._uint()):
                if definition.key:
                    yield from self._value(definition.key)
                yield from self._value(definition.elem)

    def _interface(self) -> Generator[None, bytes | None, None]:
        length = self._uint()
        if length == 0:
            return
        self._skip(length)
        self._flush()
        type_ = yield from self._concrete_type()
        self._uint()  # a length, of the first piece only
        outside, self._out, self._mark = self._out, [], self._pos
        yield from self._single(type_)
        self._flush()
        value = b"".join(self._out)
        self._out = [*outside, int_(type_), uint(len(value)), value]

    def _concrete_type(self) -> Generator[None, bytes | None, int]:
        while True:
            if self._pos == len(self._data):
                self._data, self._pos = (yield) or b"", 0
            type_, self._pos = read_int(self._data, self._pos)
            if type_ >= 0:
                return type_
            self._pos = self._define(-type_, self._data, self._pos)
            if self._pos < len(self._data):
                self._uint()  # the length of the piece that begins here
