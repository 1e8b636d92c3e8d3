"""Values that pydantic reads and writes. Loaded only when there is one."""

from __future__ import annotations

import functools
from typing import Any

import pydantic
import pydantic_core

from mmhooks.errors import ModelError


def plain(value: Any) -> Any:
    """What JSON has for a value. Raises `ValueError` for what has no form there."""
    return pydantic_core.to_jsonable_python(value)


def validate(key: str, data: bytes, kind: Any) -> Any:
    """The value of a JSON text. Raises `ModelError` for what is no JSON, or no `kind`."""
    try:
        return _reader(kind).validate_json(data)
    except pydantic.ValidationError as error:
        wrong = (
            ".".join(map(str, problem["loc"])) + ": " * bool(problem["loc"]) + problem["msg"]
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise ModelError(f"{key!r}: is no {getattr(kind, '__name__', kind)}: {'; '.join(wrong)}") from None


def _reader(kind: Any) -> pydantic.TypeAdapter[Any]:
    try:
        return _made(kind)
    except TypeError:  # what cannot be hashed
        return pydantic.TypeAdapter(kind)


@functools.lru_cache(maxsize=256)
def _made(kind: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(kind)
