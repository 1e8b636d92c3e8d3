"""gob's numbers, of which everything else is made (Go's `encoding/gob`, "Encoding Details").

Readers take the bytes and a position, and give the value and the next position. Beyond the end they raise `IndexError`,
or give a position beyond the end: whoever calls them compares it in the end.
"""

from __future__ import annotations

import struct

_DOUBLE = struct.Struct("<d")


def read_uint(data: bytes, pos: int) -> tuple[int, int]:
    """Below 128 one byte; else how many bytes follow, negated, and those."""
    first = data[pos]
    if first < 128:
        return first, pos + 1
    start, end = pos + 1, pos + 257 - first
    if first < 248:
        raise ValueError("a number of more than 8 bytes")
    if end > len(data):
        raise IndexError("the end of the data")
    return int.from_bytes(data[start:end]), end


def read_int(data: bytes, pos: int) -> tuple[int, int]:
    """The lowest bit is the sign: set, the others are the number's complement."""
    number = data[pos]
    if number < 128:
        pos += 1
    else:
        number, pos = read_uint(data, pos)
    return ~(number >> 1) if number & 1 else number >> 1, pos


def read_float(data: bytes, pos: int) -> tuple[float, int]:
    """The bytes of the double in reverse, as an unsigned number: the many zeros at its end need no room."""
    number, pos = read_uint(data, pos)
    value: float = _DOUBLE.unpack(number.to_bytes(8))[0]
    return value, pos


def read_bytes(data: bytes, pos: int) -> tuple[bytes, int]:
    """A length, and so many bytes."""
    length, pos = read_uint(data, pos)
    end = pos + length
    if end > len(data):
        raise IndexError("the end of the data")
    return data[pos:end], end


def read_string(data: bytes, pos: int) -> tuple[str, int]:
    """Bytes that are UTF-8 as a rule. Go lets others pass: those become surrogates, which are written back as they
    were."""
    length = data[pos]
    if length < 128:
        pos += 1
    else:
        length, pos = read_uint(data, pos)
    end = pos + length
    return str(data[pos:end], "utf-8", "surrogateescape"), end


def uint(number: int) -> bytes:
    """The reverse of `read_uint`."""
    if number < 128:
        return _SMALL[number]
    size = (number.bit_length() + 7) >> 3
    return bytes((256 - size,)) + number.to_bytes(size)


def int_(number: int) -> bytes:
    """The reverse of `read_int`."""
    return uint(~number << 1 | 1 if number < 0 else number << 1)


def float_(number: float) -> bytes:
    """The reverse of `read_float`."""
    return uint(int.from_bytes(_DOUBLE.pack(number)))


def bytes_(data: bytes) -> bytes:
    """The reverse of `read_bytes`."""
    return uint(len(data)) + data


def string(text: str) -> bytes:
    """The reverse of `read_string`."""
    data = text.encode("utf-8", "surrogateescape")
    return uint(len(data)) + data


_SMALL = [bytes((number,)) for number in range(128)]
