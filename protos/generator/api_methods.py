"""The methods of the plugin API as they are called from Python, by Mattermost's Go interface and the notes."""

from __future__ import annotations

import re
import textwrap
from typing import Any, NamedTuple

from mmhooks.naming import snake

from .contract import api_notes, interface
from .models import python_type

WIDTH = 112
"""Characters of a line, at most."""

ERRORS = ("error", "*model.AppError")
"""The types of what is raised."""

_RENAMED = {"cusror": "cursor"}
"""Parameters that are misspelt in Go."""


class Parameter(NamedTuple):
    """A parameter: its name and annotation, and its default as source, empty where there is none."""

    name: str
    type: str
    default: str

    @property
    def is_variadic(self) -> bool:
        """Whether it takes what is left."""
        return self.name.startswith("*")

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default else "")


class Method(NamedTuple):
    """A method of the plugin API as it is called from Python."""

    name: str
    go: str
    parameters: list[Parameter]
    result: str
    since: str

    @property
    def signature(self) -> str:
        """The parameters as one would write them, without `self`."""
        named = [*map(str, self.parameters)] + ["*"] * (not any(p.is_variadic for p in self.parameters))
        return ", ".join([*named, "timeout: float = TIMEOUT"])


def methods() -> list[Method]:
    """Those that can be called so far, in Mattermost's order."""
    return [_method(row) for row in interface()["api"] if is_served(row)]


def is_served(row: dict[str, Any]) -> bool:
    """Whether a method is a plain question and answer: the others take streams."""
    types = [type_ for _, type_ in row["parameters"]] + row["results"]
    return not any(re.search(r"\b(http|io)\.", type_) for type_ in types)


def _method(row: dict[str, Any]) -> Method:
    note = api_notes()[row["name"]]
    # What LoadPluginConfiguration in Go writes into its argument is its result over the wire.
    takes_none = row.get("wire", row)["parameters"] == []
    parameters = [] if takes_none else [_parameter(name, go, note) for name, go in row["parameters"]]
    return Method(snake(row["name"]), row["name"], parameters, _result(row, note), row["since"])


def _parameter(go_name: str, go: str, note: dict[str, Any]) -> Parameter:
    name = parameter_name(go_name)
    if go == "[]any":
        return Parameter(f"*{name}", "Any", "")
    type_ = python_type(go)[0].removesuffix(" | None")
    defaults = note.get("defaults", {})
    if name not in defaults:
        may_be_none = re.search(r"\bNone (deletes|when)\b", note.get("arguments", {}).get(name, ""))
        return Parameter(name, f"{type_} | None" if may_be_none else type_, "")
    default = None if defaults[name] == "None" else defaults[name]
    return Parameter(name, f"{type_} | None" if default is None else type_, repr(default))


def parameter_name(go_name: str) -> str:
    """What a parameter of Go's is called here."""
    return _RENAMED.get(go_name) or snake(go_name)


def _result(row: dict[str, Any], note: dict[str, Any]) -> str:
    if takes_settings(row["name"]):
        return "dict[str, Any]"
    types = [python_type(go)[0].removesuffix(" | None") for go in row["results"] if go not in ERRORS]
    if len(types) > 1:
        return f"tuple[{', '.join(types)}]"
    if not types:
        return "None"
    return f"{types[0]} | None" if re.search(r"\bor None\b", note.get("result", "")) else types[0]


def takes_settings(name: str) -> bool:
    """Whether the result is JSON that is still to be read."""
    return name == "LoadPluginConfiguration"


def docstring(method: Method) -> str:
    """What people should know of a method."""
    note = api_notes()[method.go]
    parts = ["\n".join(wrapped(note["summary"]))]
    if arguments := note.get("arguments"):
        told = [line for name, text in arguments.items() for line in wrapped(f"{name}: {text}", "    ")]
        parts.append("\n".join(["Arguments:", *told]))
    parts += ["\n".join(wrapped(f"{key.capitalize()}: {note[key]}")) for key in ("result", "errors") if key in note]
    if surprises := note.get("surprises", "").strip():
        listed = re.split(r"^- ", surprises, flags=re.MULTILINE)[1:] or [surprises]
        told = [line for text in listed for line in wrapped(text, "    ", "- ")]
        parts.append("\n".join(["Surprises:", *told]))
    parts.append(f"Mattermost's {method.go}, since {method.since}.")
    text = "\n\n".join(parts)
    return (text + "\n").replace("\\", "\\\\")


def wrapped(text: str, indent: str = "", mark: str = "") -> list[str]:
    """The lines of a text in a docstring; a mark stands before the first."""
    text = " ".join(text.split())
    text = text[0].upper() + text[1:] if not indent or mark else text
    follow = indent + " " * (len(mark) or 4 * bool(indent))
    return textwrap.wrap(
        text, WIDTH - 4, initial_indent=indent + mark, subsequent_indent=follow, break_on_hyphens=False
    )
