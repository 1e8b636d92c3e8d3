"""Makes the reference page of the plugin API from Mattermost's Go interface and the notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmhooks.naming import snake

from .api_iterators import iterator
from .api_methods import Method, is_served, methods
from .contract import api_notes, interface

_INTRODUCTION = """# Plugin API

Every method by which a plugin calls the server back, by subject, with Mattermost's own name for it and the first version that
has it. [Calling the server](calls.md) says when and where they work, and what they raise.

```text
user = app.api.get_user(user_id)                 # in def handlers and other threads
user = await app.async_api.get_user(user_id)     # in async def handlers
```

Where a method gives a page, there is an iterator over all pages beside it:

```text
for user in app.api.iter_users_in_team(team_id): ...
async for user in app.async_api.iter_users_in_team(team_id): ...
```

Each also takes `timeout=`, the seconds for an answer, 30 unless given. Results are [models](models.md), lists and plain values;
several results come as a tuple. `NotFound`, `BadRequest`, `Forbidden` and `Conflict` are kinds of `AppError`; a method that
has only a text for what went wrong raises `GoError`. Any method may raise `DeadlineExceeded`, `HostUnavailable` when there is no
server, and `UnsupportedByHost` when this one does not have the method. Ids are the server's 26 letters and digits, times are
milliseconds since 1970 (UTC).
"""


def generate() -> Iterator[tuple[str, str]]:
    """The page, with its path."""
    served = {method.go: method for method in methods()}
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in interface()["api"]:
        groups.setdefault(api_notes()[row["name"]]["group"], []).append(row)
    lines = [_INTRODUCTION]
    for group, rows in groups.items():
        lines += [f"## {group[0].upper()}{group[1:]}", ""]
        for row in rows:
            lines += _entry(row, served.get(row["name"]))
    yield "docs/api.md", "\n".join(lines).rstrip() + "\n"


def _entry(row: dict[str, Any], method: Method | None) -> Iterator[str]:
    note = api_notes()[row["name"]]
    assert (method is not None) == is_served(row)
    yield f"### {snake(row['name'])}"
    yield ""
    if method is None:
        yield f"`{row['name']}`, since {row['since']}; not served yet: it needs streams. {_text(note['summary'])}"
    else:
        parameters = ", ".join(map(str, method.parameters))
        yield f"`{method.name}({parameters}) -> {method.result}`"
        yield ""
        yield f"`{row['name']}`, since {row['since']}. {_text(note['summary'])}"
    yield ""
    found = [f"- `{name}`: {_text(text)}" for name, text in note.get("arguments", {}).items()]
    found += [f"- **{key.capitalize()}:** {_text(note[key])}" for key in ("result", "errors") if key in note]
    if method is not None and (paged := iterator(method)):
        found.append(f"- **All pages:** `{paged.name}({paged.short_signature})` gives each `{paged.item}`")
    yield from [*found, ""] if found else []
    if surprises := note.get("surprises", "").strip():
        yield from (
            ("**Surprises.**", "", surprises, "")
            if surprises.startswith("- ")
            else (f"**Surprises.** {_text(surprises)}", "")
        )


def _text(text: str) -> str:
    return " ".join(text.split())
