"""Iterators over all that methods of the plugin API give a page at a time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from mmhooks.api.async_pages import PER_PAGE

from .api_methods import Method, wrapped
from .contract import api_notes, interface

_NAMES = {"KVList": "kv_keys", "GetEmojiList": "emoji"}
"""What is listed, where the method's name does not say so."""

_ASCENDING = {"GetPostsAfter"}
"""Methods of which each page begins where the next one goes on."""

_ORDERS = {
    "GetPostsAfter": "They come in the order in which they were written, from the given post on.",
    "GetPostsBefore": "The newest come first, from the given post back.",
    "GetPostsForChannel": "The newest come first.",
}


class PageIterator(NamedTuple):
    """An iterator as it is called from Python."""

    name: str
    method: Method
    parameters: list[str]
    item: str
    made_by: str
    """The function of `mmhooks.api.pages` that makes it, and its call."""
    options: str
    """The model of the options that are made when none are given."""
    told: dict[str, str]

    @property
    def signature(self) -> str:
        """The parameters as one would write them, without `self`."""
        return ", ".join([*self.parameters, "timeout: float = TIMEOUT"])

    @property
    def short_signature(self) -> str:
        """The parameters without the one that all methods have."""
        return ", ".join(self.parameters).removesuffix(", *").removesuffix("*")


def iterator(method: Method) -> PageIterator | None:
    """The iterator over what a method gives by pages, if it does."""
    names = [parameter.name for parameter in method.parameters]
    passed = ", ".join(names)
    if {"page", "per_page"} <= {*names}:
        parameters = [str(p) for p in method.parameters if p.name not in ("page", "per_page")]
        backwards = ", backwards=True" * (method.go in _ASCENDING)
        call = f"pages(lambda page: self.{method.name}({passed}, timeout=timeout), per_page{backwards})"
        told = {"per_page": "how many are asked for at once"}
        return _made(method, [*parameters, "*", f"per_page: int = {PER_PAGE}"], call, "", told)
    for parameter in method.parameters:
        name, model = parameter.name, parameter.type.removesuffix(" | None")
        fields = _fields(model)
        if "PerPage" not in fields:
            continue
        about = f"the conditions; their `per_page` is how many are asked for at once, {PER_PAGE} unless set"
        ask = f"lambda {name}: self.{method.name}({passed}, timeout=timeout)"
        made_by = "cursor_pages" if "Cursor" in fields else "option_pages"
        # What is searched for has to be said; where options only narrow what is given, they may be left out.
        needed = "Terms" in fields
        given = name if needed else f"{name} or {model}()"
        call = f"{made_by}({ask}, {given})"
        parameters = [
            f"{p.name}: {model} | None = None" if p.name == name and not needed else str(p) for p in method.parameters
        ]
        return _made(method, [*parameters, "*"], call, "" if needed else model, {name: about})
    return None


def _fields(model: str) -> set[str]:
    return {name for name, *_ in interface()["types"].get(f"model.{model}", {}).get("fields", [])}


def _made(method: Method, parameters: list[str], call: str, options: str, told: dict[str, str]) -> PageIterator:
    listed = _NAMES.get(method.go) or re.sub("^(get|search)_", "", method.name)
    item = "Post" if method.result.startswith("Post") else re.sub(r"^list\[(.*)\]$", r"\1", method.result)
    return PageIterator(f"iter_{listed}", method, parameters, item, call, options, told)


def code(found: PageIterator, prefix: str) -> Iterator[str]:
    """The lines of an iterator in the class of the methods; `prefix` is "Async" or nothing."""
    yield f"    def {found.name}(self, {found.signature}) -> {prefix}Iterator[{found.item}]:"
    yield from textwrap.indent(f'"""{docstring(found)}"""', "        ").splitlines()
    if found.options:
        yield f"        from mmhooks.models import {found.options}"
        yield ""
    yield f"        return {found.made_by}"


def docstring(found: PageIterator) -> str:
    """What people should know of an iterator."""
    note = api_notes()[found.method.go]
    summary = note["summary"].replace("a page of ", "").replace(", a page at a time", "").rstrip(".")
    order = _ORDERS.get(found.method.go, "")
    parts = ["\n".join(wrapped(f"{summary}, one by one. {order}"))]
    names = [text.partition(":")[0] for text in found.parameters if text != "*"]
    about = note.get("arguments", {}) | found.told
    if told := [line for name in names if name in about for line in wrapped(f"{name}: {about[name]}", "    ")]:
        parts.append("\n".join(["Arguments:", *told]))
    if "errors" in note:
        parts.append("\n".join(wrapped(f"Errors: {note['errors']}")))
    parts.append(
        "\n".join(
            wrapped(
                f"Asks `{found.method.name}`, which says more, for the next page when all of one has been taken. What is "
                "added or removed meanwhile makes others come twice, or not at all."
            )
        )
    )
    return ("\n\n".join(parts) + "\n").replace("\\", "\\\\")
