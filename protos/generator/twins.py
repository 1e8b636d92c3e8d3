"""Makes modules for sync code of those for async code, which differ in nothing but that they wait."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .contract import ROOT

SOURCES = ("mmhooks/api/async_pages.py", "mmhooks/bots/async_speaker.py", "mmhooks/kv/async_store.py")
"""Modules with a twin, which is called like them without `async_`."""

_RULES = {
    r"^# Its twin .*\n": "",
    # What takes async functions has no twin beside what takes others.
    r"    @overload\n    async def (?:(?!@overload)[\s\S])*?Awaitable\[(?:(?!@overload)[\s\S])*?: \.\.\.\n\n": "",
    r"\basync (?=(def|for|with)\b)": "",
    r"\bawait ": "",
    r"\bAsync(?=[A-Z])": "",  # AsyncIterator, AsyncPluginAPI
    r"\basync_(?=[a-z])": "",  # async_pause, app.async_kv
    r"\b__aiter__\b": "__iter__",
    r"\basync code\b": "sync code",
    r"\bAwaitable\[((?:[^\[\]]|\[[^\[\]]*\])*)\]": r"\1",
}
"""What is written otherwise in a twin, in its docstrings, too."""


def generate(source: str) -> Iterator[tuple[str, str]]:
    """The twin of a module, with its path."""
    text = (ROOT / source).read_text(encoding="utf-8")
    for pattern, usual in _RULES.items():
        text = re.sub(pattern, usual, text, flags=re.MULTILINE)
    yield source.replace("async_", ""), text
