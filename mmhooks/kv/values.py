"""Values as the bytes that are stored: bytes as they are, everything else as JSON, which plugins in Go can read, too."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

from mmhooks.errors import ModelError


def to_bytes(key: str, value: Any) -> bytes:
    """What is stored for a value. Raises `ModelError` for what cannot be stored."""
    if value is None:
        raise ModelError(
            f"{key!r}: None cannot be stored, since it is what a key has that does not exist; to delete a key there is delete"
        )
    if isinstance(value, bytes | bytearray | memoryview):
        if not (data := bytes(value)):
            raise ModelError(
                f"{key!r}: empty bytes cannot be stored, since servers take them for a deletion; to delete a key there is "
                "delete"
            )
        return data
    try:
        return _json(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{key!r}: cannot be written as JSON: {error}") from error


def from_bytes(key: str, data: bytes, kind: Any) -> Any:
    """The value of what is stored, as a `kind` unless that is None. Raises `ModelError` for what does not fit."""
    if kind is bytes:
        return data
    if kind is None:
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{key!r}: is not JSON; what was stored as bytes is read by type=bytes: {error}") from None
    if _is_model(kind):
        try:
            return kind.from_json(data)
        except ModelError as error:
            raise ModelError(f"{key!r}: {error}") from error
    from mmhooks.kv.validation import validate

    return validate(key, data, kind)


def kind_of(given: Any, example: Any) -> Any:
    """What values are read as: as it is said, or as an example of them that is bytes or a model; else None, which is JSON."""
    if given is not None:
        return given
    kind = type(example)
    return kind if kind is bytes or hasattr(kind, "model_validate_json") or _is_model(kind) else None


def is_same(key: str, data: bytes | None, expected: Any) -> bool:
    """Whether what is stored, if anything is, has the value that is expected, if any is."""
    if data is None or expected is None:
        return data is None and expected is None
    if isinstance(expected, bytes | bytearray | memoryview):
        return data == bytes(expected)
    kind = kind_of(None, expected)
    try:
        found = from_bytes(key, data, kind)
    except ModelError:
        return False
    # By JSON, since 1 and True are equal here, and lists and tuples are not.
    return _canonical(found) == _canonical(expected)


def _canonical(value: Any) -> str:
    """The one text of a value as JSON; keys are sorted as the texts that they are there."""
    return _json(json.loads(_json(value)), sort_keys=True)


def whole_seconds(seconds: float | datetime.timedelta | None) -> int:
    """For how long a value is kept, as the server wants it: 0 is for ever. Raises `ModelError` for no time at all."""
    if seconds is None:
        return 0
    number = seconds.total_seconds() if isinstance(seconds, datetime.timedelta) else seconds
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"expires_in takes seconds or a timedelta, not {type(number).__name__}")
    if not 0 < number < math.inf:
        raise ModelError(f"expires_in={seconds!r}: takes more than 0 seconds; for a value that stays, leave it out")
    return math.ceil(number)


def _json(value: Any, *, sort_keys: bool = False) -> str:
    return json.dumps(
        value, default=_plain, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys, separators=(",", ":")
    )


def _plain(value: Any) -> Any:
    """What JSON has for a value that it does not know."""
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("bytes are only stored by themselves, not within another value")
    if _is_model(type(value)):
        return value.to_dict()
    from mmhooks.kv.validation import plain

    return plain(value)


def _is_model(kind: Any) -> bool:
    """Whether it is one of Mattermost's models."""
    from mmhooks.models.model import Model

    return isinstance(kind, type) and issubclass(kind, Model)
