"""What a text is turned into, by the annotation of the parameter that takes it."""

from __future__ import annotations

import enum
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

Lookup = Literal["", "user", "channel"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of values.

    `what` names one for people who wrote something else, and `short` stands for it in a line of usage. `read` makes a
    value of a text, and raises `ValueError` for one that is none; that of a user or a channel gives the name to look up.
    """

    what: str
    short: str
    read: Callable[[str], Any]
    choices: tuple[str, ...] = ()
    lookup: Lookup = ""


class Unsupported(Exception):
    """An annotation that says nothing about how to read a text."""


def kind_of(annotation: Any) -> Kind:
    """The kind that an annotation asks for. Raises `Unsupported`."""
    try:
        return _PLAIN[annotation]
    except (KeyError, TypeError):  # TypeError: what cannot be hashed
        pass
    if get_origin(annotation) is Literal:
        return _chosen({_said(value): value for value in get_args(annotation)})
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _member(annotation)
    if isinstance(annotation, type) and annotation.__module__.startswith("mmhooks.models"):
        from mmhooks.models import Channel, User

        if annotation is User:
            return Kind("a user, as in @name", "@user", _user_name, lookup="user")
        if annotation is Channel:
            return Kind("a channel, as in ~name", "~channel", _channel_name, lookup="channel")
    raise Unsupported


def optional(annotation: Any) -> tuple[Any, bool]:
    """An annotation without None, and whether it had it."""
    if get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [option for option in get_args(annotation) if option is not type(None)]
        if len(rest) == 1 and len(get_args(annotation)) == 2:
            return rest[0], True
    return annotation, False


def shown(annotation: Any) -> str:
    """An annotation as it is written."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def described(annotation: Any) -> tuple[Any, str]:
    """An annotation and the text that describes it, from `Annotated[…, "text"]`."""
    if get_origin(annotation) is not typing.Annotated:
        return annotation, ""
    inner, *more = get_args(annotation)
    return inner, next((text for text in more if isinstance(text, str)), "")


def annotation_of(parameter: inspect.Parameter, names: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    """A parameter's annotation: what its text means in a function's module, and where the function is made.

    Raises what Python raises for names that are not there.
    """
    annotation = parameter.annotation
    if isinstance(annotation, str):
        annotation = eval(annotation, dict(names), dict(more))
    return annotation


def names_of(function: Any) -> Mapping[str, Any]:
    """The names that a function's annotations are written in: those of its module."""
    plain = inspect.unwrap(function)
    if not inspect.isroutine(plain):
        plain = inspect.unwrap(type(plain).__call__)
    names: Mapping[str, Any] = getattr(plain, "__globals__", {})
    return names


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


_FLAGS = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


def _flag(text: str) -> bool:
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise ValueError
    return flag


_PLAIN: dict[Any, Kind] = {
    str: Kind("a text", "", str),
    inspect.Parameter.empty: Kind("a text", "", str),
    int: Kind("a whole number", "number", int),
    float: Kind("a number", "number", _number),
    bool: Kind("yes or no", "yes|no", _flag, ("yes", "no")),
}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int) and not isinstance(value, enum.Enum):
        return str(value)
    raise Unsupported


def _member(cls: type[enum.Enum]) -> Kind:
    """Members go by their values where these are texts or numbers, and by their names."""
    members = [*cls]
    if all(isinstance(member.value, str | int) and str(member.value) for member in members):
        said = {str(member.value): member for member in members}
    else:
        said = {member.name.lower(): member for member in members}
    return _chosen(said, {member.name: member for member in members})


def _chosen(said: dict[str, Any], also: Mapping[str, Any] | None = None) -> Kind:
    if not said:
        raise Unsupported
    found = {name.lower(): value for name, value in [*(also or {}).items(), *said.items()]}

    def read(text: str) -> Any:
        try:
            return found[text.lower()]
        except KeyError:
            raise ValueError from None

    choices = tuple(said)
    what = " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    return Kind(what, "|".join(choices), read, choices)


def _user_name(text: str) -> str:
    return _name(text, "@").lower()


def _channel_name(text: str) -> str:
    return _name(text, "~").lower()


def _name(text: str, mark: str) -> str:
    name = text.removeprefix(mark).rstrip(",:;!?")
    if not name:
        raise ValueError
    return name
