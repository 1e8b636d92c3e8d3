"""Go's `time.Time`: the bytes in which it encodes itself, and the text by which models have it (RFC 3339)."""

from __future__ import annotations

import datetime
import re
import struct

_FORM = struct.Struct(">BQLh")
"""Version, seconds since the first of January of the year 1, nanoseconds, minutes east of Greenwich (Go's
`Time.MarshalBinary`)."""

_UTC = -1
"""The minutes that mean UTC itself."""

_EPOCH = datetime.datetime(1, 1, 1)

_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")


def read_time(data: bytes) -> str:
    """The text of a time. Raises `ValueError` for what is none."""
    if len(data) == _FORM.size + 1 and data[0] == 2:
        data = data[:-1]  # the seconds of an offset from before there were time zones: RFC 3339 has no place for them
    if len(data) != _FORM.size or data[0] not in (1, 2):
        raise ValueError("a time that is none")
    _, seconds, nanoseconds, minutes = _FORM.unpack(data)
    offset = 0 if minutes == _UTC else minutes
    try:
        moment = _EPOCH + datetime.timedelta(seconds=seconds + offset * 60)
    except OverflowError:
        raise ValueError("a time after the year 9999") from None
    fraction = f".{nanoseconds:09}".rstrip("0").rstrip(".")
    sign = "-" if offset < 0 else "+"
    zone = f"{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}" if offset else "Z"
    return f"{moment.isoformat()}{fraction}{zone}"


def write_time(text: str) -> bytes:
    """The bytes of a time; an empty text is Go's zero time. Raises `ValueError` for what is none."""
    if not text:
        return _FORM.pack(1, 0, 0, _UTC)
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a time such as 2026-01-31T23:59:59Z, found {text!r}")
    day, clock, fraction, zone = match.groups()
    minutes = _UTC
    if zone not in "Zz":
        minutes = int(zone[1:3]) * 60 + int(zone[4:])
        minutes = -minutes if zone[0] == "-" else minutes
    moment = datetime.datetime.fromisoformat(f"{day}T{clock}") - _EPOCH
    seconds = moment.days * 86400 + moment.seconds - (0 if minutes == _UTC else minutes * 60)
    return _FORM.pack(1, seconds, int((fraction or "").ljust(9, "0")), minutes)
