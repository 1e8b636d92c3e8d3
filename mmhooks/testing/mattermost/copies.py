"""Copies of what the server holds: nobody outside ever has the stored thing itself."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import msgspec

from mmhooks.models import Model

T = TypeVar("T")

_PLAIN = frozenset((str, int, float, bool, bytes, type(None)))


def copied(value: T) -> T:
    """A copy of models, lists, dicts and tuples, all the way down. Anything else is the same afterwards."""
    return _copied(value)  # type: ignore[no-any-return]


def _copied(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Model):
        made = value.__copy__()
        for name in others(type(value)):
            held = getattr(made, name)
            if type(held) not in _PLAIN:
                msgspec.structs.force_setattr(made, name, _copied(held))
        return made
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_copied(item) for item in value)
    return value


@functools.cache
def others(model: type[Model]) -> tuple[str, ...]:
    """The fields of a model that do not hold plain values."""
    default = model()
    names = (name for name in model.__struct_fields__ if name != "_unknown")
    return tuple(name for name in names if type(getattr(default, name)) not in _PLAIN - {type(None)})
