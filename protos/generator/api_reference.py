"""Makes the reference page of the plugin API from Mattermost's Go interface and the notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mmhooks.naming import snake

from .contract import api_notes, interface

_INTRODUCTION = """# Plugin API

Every method by which a plugin calls the server back, by subject. So far they are called by their names in Mattermost's
`api.go`, with the arguments in the order that is shown:

```text
user = app.api.call("GetUser", user_id)                 # in def handlers and other threads
user = await app.async_api.call("GetUser", user_id)     # in async def handlers
```

[Hosts](hosts.md#the-plugin-api) says when and where that works: over net/rpc, for all methods but those that are marked
here as not served yet. *Since* is the first Mattermost version with the method; older ones raise `UnsupportedByHost`.

Results are [models](models.md), lists and plain values; several results come as a tuple. What fails raises `AppError`. Where it
says NotFound, BadRequest, Forbidden or Conflict, its `status_code` is 404, 400, 403 or 409; a method that has only a text for
what went wrong raises `GoError`. Ids are the server's 26 letters and digits, times are milliseconds since 1970 (UTC).
"""


def generate() -> Iterator[tuple[str, str]]:
    """The page, with its path."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for method in interface()["api"]:
        groups.setdefault(api_notes()[method["name"]]["group"], []).append(method)
    lines = [_INTRODUCTION]
    for group, methods in groups.items():
        lines += [f"## {group[0].upper()}{group[1:]}", ""]
        for method in methods:
            lines += _method(method)
    yield "docs/api.md", "\n".join(lines).rstrip() + "\n"


def _method(method: dict[str, Any]) -> Iterator[str]:
    note = api_notes()[method["name"]]
    # Over the wire LoadPluginConfiguration gives what in Go it writes into its argument.
    takes_none = _is_served(method) and method.get("wire", method)["parameters"] == []
    names = [] if takes_none else [snake(name) for name, _ in method["parameters"]]
    served = "" if _is_served(method) else "; not served yet: it needs streams"
    yield f"### {method['name']}"
    yield ""
    yield f"`{method['name']}({', '.join(names)})`, since {method['since']}{served}. {_text(note['summary'])}"
    yield ""
    found = [f"- `{name}`: {_text(text)}" for name, text in note.get("arguments", {}).items()]
    found += [f"- **{key.capitalize()}:** {_text(note[key])}" for key in ("result", "errors") if key in note]
    yield from [*found, ""] if found else []
    if surprises := note.get("surprises", "").strip():
        listed = surprises if surprises.startswith("- ") else _text(surprises)
        yield from (
            ("**Surprises.**", "", _gos_names(listed), "")
            if listed.startswith("- ")
            else (
                f"**Surprises.** {listed}",
                "",
            )
        )


def _is_served(method: dict[str, Any]) -> bool:
    types = [type_ for _, type_ in method["parameters"]] + method["results"]
    return not any(re.search(r"\b(http|io)\.", type_) for type_ in types)


def _text(text: str) -> str:
    return _gos_names(" ".join(text.split()))


def _gos_names(text: str) -> str:
    """The notes have methods by their names to come; so far they are called by Mattermost's."""
    names = {snake(method["name"]): method["name"] for method in interface()["api"]}
    return re.sub(r"`(\w+)`", lambda found: f"`{names.get(found[1], found[1])}`", text)
