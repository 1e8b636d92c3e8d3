"""Values that hold no structs into gob's bytes: what fits where, and the words for what does not."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import msgspec

from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.primitives import bytes_, float_, int_, string, uint
from mmhooks.hosts.netrpc.gob.schema import Basic, Opaque

Write = Callable[[Any, bytearray], None]
"""Appends a value. Raises `Misfit`."""


class Misfit(Exception):
    """A value that does not fit where it stands; each level that it passes puts its part of the path before it."""

    def __init__(self, text: str, path: str = "") -> None:
        super().__init__(f"{path}: {text}")
        self.text = text
        self.path = path

    def within(self, step: str) -> Misfit:
        """The same, told one level higher."""
        return Misfit(self.text, step + self.path)


def text(value: str) -> bytes:
    try:
        return string(value)
    except UnicodeEncodeError as error:
        raise Misfit(f"this text cannot be sent: {error}") from None


def _write_string(schema: Basic) -> Write:
    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, str):
            raise _mistyped(schema, value)
        out += text(value)

    return write


def _write_bool(schema: Basic) -> Write:
    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, bool):
            raise _mistyped(schema, value)
        out.append(value)

    return write


def _write_number(schema: Basic) -> Write:
    signed = schema.type == types.INT
    low, high = (-1 << schema.bits - 1, 1 << schema.bits - 1) if signed else (0, 1 << schema.bits)
    encode = int_ if signed else uint

    def write(value: Any, out: bytearray) -> None:
        try:
            number = operator.index(value)
        except TypeError:
            raise _mistyped(schema, value) from None
        if not low <= number < high:
            # Go's decoder fails on it, and with it every call that comes after.
            raise Misfit(f"{str(number)[:40]} is outside of {schema.name}, which holds {low} to {high - 1}")
        out += encode(number)

    return write


def _write_float(schema: Basic) -> Write:
    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, int | float):
            raise _mistyped(schema, value)
        try:
            out += float_(value)
        except OverflowError:
            raise Misfit("has more digits than a double") from None

    return write


def _write_bytes(schema: Basic) -> Write:
    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise _mistyped(schema, value)
        out += bytes_(bytes(value))

    return write


BASIC: dict[int, Callable[[Basic], Write]] = {
    types.BOOL: _write_bool,
    types.INT: _write_number,
    types.UINT: _write_number,
    types.FLOAT: _write_float,
    types.BYTES: _write_bytes,
    types.STRING: _write_string,
}

_PYTHON = {types.BOOL: "bool", types.FLOAT: "float", types.BYTES: "bytes", types.STRING: "str"}


def _mistyped(schema: Basic, value: Any) -> Misfit:
    return Misfit(f"takes {_PYTHON.get(schema.type, 'int')}, not {type(value).__name__}")


def integer(value: int) -> tuple[bytes, bytes]:
    if -1 << 63 <= value < 1 << 63:
        return b"\0" + int_(value), INT_HEAD
    if 0 <= value < 1 << 64:
        return b"\0" + uint(value), UINT_HEAD
    raise Misfit(f"{str(value)[:40]} has more than the 64 bits of Go's numbers")


STRING_HEAD = string("string") + int_(types.STRING)
BOOL_HEAD = string("bool") + int_(types.BOOL)
INT_HEAD = string("int") + int_(types.INT)
UINT_HEAD = string("uint64") + int_(types.UINT)
FLOAT_HEAD = string("float64") + int_(types.FLOAT)
BYTES_HEAD = string("[]uint8") + int_(types.BYTES)


def write_json(value: Any, out: bytearray) -> None:
    try:
        out += bytes_(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise Misfit(f"cannot be written as JSON: {error}") from None


def opaque(schema: Opaque) -> Write:
    def write(value: Any, out: bytearray) -> None:
        try:
            data = schema.write(value)
        except (TypeError, ValueError) as error:
            raise Misfit(f"is no {schema.name}: {error}") from None
        out += bytes_(data)

    return write


def list_of(elem: Write) -> Write:
    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, list | tuple):  # a text is a sequence, too
            raise Misfit(f"expected a list, found {type(value).__name__}")
        out += uint(len(value))
        for index, item in enumerate(value):
            try:
                elem(item, out)
            except Misfit as error:
                raise error.within(f"[{index}]") from None

    return write


def map_of(elem: Write) -> Write:
    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, dict):
            raise Misfit(f"expected a dict, found {type(value).__name__}")
        out += uint(len(value))
        for key, item in value.items():
            if not isinstance(key, str):
                raise Misfit(f"keys are text, not {type(key).__name__}", f"[{key!r}]")
            try:
                out += text(key)
                elem(item, out)
            except Misfit as error:
                raise error.within(f"[{key!r}]") from None

    return write
