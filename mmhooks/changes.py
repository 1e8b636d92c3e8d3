"""What a handler changed in a model, and what of that a released server cannot be told."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmhooks.hooks import HookName
from mmhooks.models.model import Model

MERGED = frozenset(
    (
        HookName.MessageWillBePosted,
        HookName.FileWillBeUploaded,
        HookName.ChannelMemberWillBeAdded,
        HookName.TeamMemberWillBeAdded,
    )
)
"""The hooks whose answer a released server decodes into the original: what is not in the answer stays, and so do keys of
maps (Mattermost's `client_rpc.go`)."""


class Changes(NamedTuple):
    """The attributes of a model that differ from another's.

    `attributes` has their new values: of a dict the keys that are new or other, of a model in the place of another one
    `Changes` again. `lost` names what no merging can bring about: `props['key']` that is gone, `metadata` that is None now.
    """

    attributes: Mapping[str, Any]
    lost: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.attributes)


def changes(before: Model, after: Model) -> Changes:
    """What to merge into the one model to make it the other; both of one class."""
    attributes: dict[str, Any] = {}
    lost: list[str] = []
    for name in _candidates(before, after):
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, Model) and type(new) is type(old):
            inner = changes(old, new)
            lost += [f"{name}.{path}" for path in inner.lost]
            if inner:
                attributes[name] = inner
        elif _same(old, new):
            continue
        elif _holds_anything(before, name):
            attributes[name] = new
        elif new is None:
            lost.append(name)
        elif isinstance(old, dict) and isinstance(new, dict):
            other = {key: value for key, value in new.items() if key not in old or not _same(old[key], value)}
            lost += [f"{name}[{key!r}]" for key in old if key not in new]
            if other:
                attributes[name] = other
        else:
            if isinstance(old, list) and isinstance(new, list):
                lost += _lost_in_list(name, old, new)
            attributes[name] = new
    return Changes(attributes, tuple(lost))


class Snapshot(NamedTuple):
    """What a model held before a handler got it: its plain fields, and that all others were empty or unread."""

    model: type[Model]
    unread: frozenset[str]
    plain: tuple[Any, ...]
    others: tuple[Any, ...]


def snapshot(model: Model) -> Snapshot | None:
    """Note what a model holds, in a tenth of the time that a copy takes; None when it holds more than plain values, in
    which a handler might change something."""
    unread = frozenset(model.unread())
    _, get_plain, get_others = _halves(type(model), unread)
    others = get_others(model)
    return None if any(others) else Snapshot(type(model), unread, get_plain(model), others)


def plain_changes(before: Snapshot, after: Any) -> Changes | None:
    """The changes since a snapshot, None when they are more than plain values, or something has been read."""
    if not isinstance(after, Model) or type(after) is not before.model or after.unread().keys() != before.unread:
        return None
    names, get_plain, get_others = _halves(before.model, before.unread)
    others, plain = get_others(after), get_plain(after)
    if any(others) or others != before.others:
        return None
    pairs = zip(names, before.plain, plain, strict=True)
    return Changes({name: new for name, old, new in pairs if old is not new and old != new})


def _candidates(before: Model, after: Model) -> list[str]:
    """The fields that may differ: all of those that do, and some more. Most calls change one of twenty-five."""
    left, still_left = before.unread(), after.unread()
    unread = frozenset(name for name in left if left[name] == still_left.get(name))
    names, get = _getter(type(before), unread)
    return [
        name
        for name, old, new in zip(names, get(before), get(after), strict=True)
        if old is not new and (old != new or type(old) not in _PLAIN or type(new) is not type(old))
    ]


_PLAIN = frozenset((str, int, float, bytes, bool))
"""Types of which equal values are the same."""


@functools.cache
def _halves(
    model: type[Model], unread: frozenset[str]
) -> tuple[list[str], Callable[[Model], tuple[Any, ...]], Callable[[Model], tuple[Any, ...]]]:
    """The names of the plain fields, what gets their values, and what gets those of all others that have been read."""
    default = model()
    names, _ = _getter(model, unread)
    plain = [name for name in names if type(getattr(default, name)) in _PLAIN]
    others = [name for name in names if name not in plain]
    return plain, _tuple_of(plain), _tuple_of(others)


def _tuple_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)  # where `attrgetter` gives no tuple


@functools.cache
def _getter(model: type[Model], unread: frozenset[str]) -> tuple[list[str], Callable[[Model], tuple[Any, ...]]]:
    names = [name for name in model.__struct_fields__ if name != "_unknown" and name not in unread]
    return names, _tuple_of(names)


def _same(old: Any, new: Any) -> bool:
    """Whether values are equal, and none is a boolean in the place of a number: for Python these are equal, too."""
    if old != new or isinstance(old, bool) is not isinstance(new, bool):
        return False
    if isinstance(old, dict) and isinstance(new, dict):
        return all(_same(value, new[key]) for key, value in old.items())
    return not isinstance(old, list | tuple) or all(map(_same, old, new))


def _holds_anything(model: Model, name: str) -> bool:
    """Whether a field is Go's `any`: what is told takes the place of what was there, whatever that was; nothing, too."""
    return type(model).__annotations__.get(name) == "Any"


def _lost_in_list(name: str, old: list[Any], new: list[Any]) -> list[str]:
    """Go decodes a list into the elements that are there, one by one, whichever they were."""
    return [
        f"{name}[{index}].{path}"
        for index, (before, after) in enumerate(zip(old, new, strict=False))
        if isinstance(before, Model) and type(after) is type(before)
        for path in changes(before, after).lost
    ]


def merged(original: Model, attributes: Mapping[str, Any]) -> Model:
    """A copy of a model with changes merged into it, as a released server does it."""
    result = original.__copy__()
    for name, value in attributes.items():
        old = getattr(original, name)
        if isinstance(value, Mapping) and isinstance(old, Model):
            value = merged(old, value)
        elif _holds_anything(original, name):
            pass
        elif isinstance(value, dict) and isinstance(old, dict):
            value = {**old, **value}
        elif isinstance(value, list) and isinstance(old, list):
            value = [*map(_over, old, value), *value[len(old) :]]
        setattr(result, name, value)
    return result


def _over(old: Any, new: Any) -> Any:
    """An element of a list as Go decodes it over the one that is there: all of it is sent, but not what is None."""
    if not isinstance(old, Model) or type(new) is not type(old):
        return new
    sent = {name: getattr(new, name) for name in new.__struct_fields__ if name != "_unknown"}
    return merged(old, {name: value for name, value in sent.items() if value is not None or _holds_anything(new, name)})


def advice(hook: str, lost: tuple[str, ...], argument: str) -> str:
    """What to tell the author of a handler some of whose changes are lost."""
    names = ", ".join(f"{argument}.{path}" for path in lost)
    return (
        f"{hook}: {names}: removed, but released servers merge the answer into what they have, and keep it there "
        "(Mattermost's Python runtime does remove it): set it to an empty value instead"
    )
