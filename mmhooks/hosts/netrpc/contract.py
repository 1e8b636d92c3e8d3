"""Mattermost's types, hooks and API methods as schemas for gob: made of the generated table when first needed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from mmhooks import errors
from mmhooks.errors import AppError, GoError
from mmhooks.hosts.netrpc.gob import types
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
)
from mmhooks.hosts.netrpc.structs import API, HOOKS, STRUCTS
from mmhooks.hosts.netrpc.timestamps import read_time, write_time

_BASIC: dict[str, Schema] = {
    "bool": Basic(types.BOOL, "bool"),
    "string": Basic(types.STRING, "string"),
    "float32": Basic(types.FLOAT, "float32"),
    "float64": Basic(types.FLOAT, "float64"),
    "[]uint8": Basic(types.BYTES, "[]uint8"),
    "int": Basic(types.INT, "int"),
    "uint": Basic(types.UINT, "uint"),
    **{f"int{bits}": Basic(types.INT, f"int{bits}", bits) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": Basic(types.UINT, f"uint{bits}", bits) for bits in (8, 16, 32, 64)},
    "any": Interface(),
    "error": Interface(is_error=True),
    "json.RawMessage": Json(),
    "time.Time": Opaque("Time", read_time, write_time),
}

_BEHIND_INTERFACES = frozenset(
    ("AutocompleteTextArg", "AutocompleteStaticListArg", "AutocompleteDynamicListArg", "PreviewPost")
)
"""The models that Mattermost looks for behind an interface, where a dict would not do."""

_ALIASES = {"SlackAttachment": "MessageAttachment"}
"""What Mattermost's structs are called by older versions, and in the names of what stands behind interfaces."""


@functools.cache
def schema(go: str) -> Schema:
    """The schema of a type as Go writes it: `[]*model.Post`."""
    if go in _BASIC:
        return _BASIC[go]
    if go.startswith("*"):
        return Pointer(schema(go[1:]))
    if go.startswith("[]"):
        return List(schema(go[2:]))
    if match := re.fullmatch(r"map\[string\](.*)", go):
        return Map(schema(match[1]))
    return struct(go)


@functools.cache
def struct(go: str) -> Struct:
    """The schema of a struct by its name in Go: `model.Post`."""
    name, fields = STRUCTS[go]
    return Struct(go.partition(".")[2], _class(name), lambda: _fields(fields), keeps=not hasattr(errors, name))


def hook(name: str) -> tuple[Struct, Struct]:
    """What a hook's arguments and its results travel as. `KeyError` for those that take streams."""
    return _call(name, *HOOKS[name])


def method(name: str) -> tuple[Struct, Struct]:
    """What the arguments and the results of a method of the plugin API travel as. `KeyError` for an unknown one."""
    return _call(name, *API[name])


@functools.cache
def _call(name: str, parameters: str, results: str) -> tuple[Struct, Struct]:
    return _lettered(f"Z_{name}Args", parameters), _lettered(f"Z_{name}Returns", results)


def _lettered(name: str, go_types: str) -> Struct:
    """A struct as Mattermost makes one for each call: its fields are called A, B, C, in order."""
    fields = tuple(Field(letter, letter, schema(go)) for letter, go in zip("ABCDEFGH", go_types.split(), strict=False))
    return Struct(name, dict, lambda: fields)


def known(name: str) -> Struct | Opaque | None:
    """What a type that stands behind an interface is, by its name without the package."""
    if name == "Time":
        return Opaque("Time", read_time, write_time)
    go = _by_name().get(_ALIASES.get(name, name))
    return struct(go) if go else None


def plain(value: Any) -> Any:
    """What stands for a struct among plain values: a dict of Mattermost's JSON names. What has a name by which it goes
    back stays what it is."""
    return value if named(value) else value.to_dict()


def named(value: Any) -> tuple[str, Struct] | None:
    """The name by which Mattermost registers what may stand behind an interface and is no plain value, and its schema."""
    if isinstance(value, AppError):
        return "*model.AppError", struct("model.AppError")
    if isinstance(value, GoError):
        return "*plugin.ErrorString", struct("plugin.ErrorString")
    if (name := type(value).__name__) in _BEHIND_INTERFACES:
        return f"*model.{name}", struct(f"model.{name}")
    return None


@functools.cache
def _by_name() -> dict[str, str]:
    return {go.partition(".")[2]: go for go in STRUCTS}


def _class(name: str) -> Callable[..., Any]:
    if hasattr(errors, name):
        return getattr(errors, name)  # type: ignore[no-any-return]
    from mmhooks import models

    return getattr(models, name)  # type: ignore[no-any-return]


def _fields(text: str) -> tuple[Field, ...]:
    fields = []
    for part in text.split():
        name, attribute, go = part.split(":", 2)
        if name[0] == "+":
            fields.append(Field(name[1:], "", schema(go), embedded=True))
        else:
            fields.append(Field(name, attribute or name, schema(go)))
    return tuple(fields)
