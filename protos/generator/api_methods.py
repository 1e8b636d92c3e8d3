"""Makes the typed methods of the plugin API, sync and async, from Mattermost's Go interface and the notes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmhooks.naming import snake

from .contract import api_notes, interface
from .models import all_models, python_type

_WIDTH = 112

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


def generate() -> Iterator[tuple[str, str]]:
    """The files of both kinds of methods, with their paths."""
    yield "mmhooks/api/methods.py", _module("PluginAPI", "Calls", "sync code, in any thread but the event loop's", "")
    yield (
        "mmhooks/api/async_methods.py",
        _module("AsyncPluginAPI", "AsyncCalls", "async code, on any event loop", "async "),
    )


def _module(cls: str, calls: str, whom: str, prefix: str) -> str:
    found = methods()
    words = {word for m in found for text in (m.signature, m.result) for word in re.findall(r"\w+", text)}
    models = sorted(words & {name for classes in all_models().values() for name in classes})
    lines = [f'"""Every method of the plugin API, for {whom}."""', "", "from __future__ import annotations", ""]
    lines += ["from typing import TYPE_CHECKING, Any", ""]
    lines += [f"from mmhooks.api.calls import TIMEOUT, {calls}, read_settings", "", "if TYPE_CHECKING:"]
    lines += [f"    from mmhooks.models import {', '.join(models)}", "", ""]
    lines += [f"class {cls}({calls}):", f'    """The plugin API for {whom}.', ""]
    lines += [*textwrap.wrap(_COMMON, _WIDTH, initial_indent="    ", subsequent_indent="    "), '    """']
    for method in found:
        lines += ["", f"    {prefix}def {method.name}(self, {method.signature}) -> {method.result}:"]
        lines += textwrap.indent(f'"""{docstring(method)}"""', "        ").splitlines()
        lines.append(f"        {_body(method, 'await ' if prefix else '')}")
    return "\n".join(lines) + "\n"


_COMMON = (
    "Each method takes `timeout`, the seconds for its answer. Besides what it says itself, each may raise `DeadlineExceeded`, "
    "`HostUnavailable` when no host offers the API or it is gone, `UnsupportedByHost` when this host does not have the method or "
    "a field, and `ModelError` for an argument that cannot be sent."
)


def _body(method: Method, await_: str) -> str:
    arguments = "".join(
        f", [{parameter.name}]" if parameter.is_variadic else f", {parameter.name}" for parameter in method.parameters
    )
    call = f'{await_}self.call("{method.go}"{arguments}, timeout=timeout)'
    if takes_settings(method.go):
        return f"return read_settings({call})"
    if method.result == "None":
        return call
    if method.result == "bytes | None":  # on the wires nothing and no bytes are the same
        return f"return {call} or None"
    return f"return {call}"


def docstring(method: Method) -> str:
    """What people should know of a method."""
    note = api_notes()[method.go]
    parts = ["\n".join(_wrapped(note["summary"]))]
    if arguments := note.get("arguments"):
        told = [line for name, text in arguments.items() for line in _wrapped(f"{name}: {text}", "    ")]
        parts.append("\n".join(["Arguments:", *told]))
    parts += ["\n".join(_wrapped(f"{key.capitalize()}: {note[key]}")) for key in ("result", "errors") if key in note]
    if surprises := note.get("surprises", "").strip():
        listed = re.split(r"^- ", surprises, flags=re.MULTILINE)[1:] or [surprises]
        told = [line for text in listed for line in _wrapped(text, "    ", "- ")]
        parts.append("\n".join(["Surprises:", *told]))
    parts.append(f"Mattermost's {method.go}, since {method.since}.")
    text = "\n\n".join(parts)
    return (text + "\n").replace("\\", "\\\\")


def _wrapped(text: str, indent: str = "", mark: str = "") -> list[str]:
    text = " ".join(text.split())
    text = text[0].upper() + text[1:] if not indent or mark else text
    follow = indent + " " * (len(mark) or 4 * bool(indent))
    return textwrap.wrap(
        text, _WIDTH - 4, initial_indent=indent + mark, subsequent_indent=follow, break_on_hyphens=False
    )
