"""What a key may be, and which keys are whose."""

from __future__ import annotations

from typing import Any

from mmhooks.errors import ModelError

LONGEST = 150
"""Characters of a key, with its namespace: Mattermost's `KeyValueKeyMaxRunes`. Very old servers take 50."""

SEPARATOR = ":"
"""What stands between a namespace and its keys."""

RESERVED = "mmi_"
"""How the keys begin that the server, and Mattermost's library for plugins in Go, keep beside a plugin's own."""


def full_key(prefix: str, key: Any) -> str:
    """A key as the server has it. Raises `ModelError` for one that it could not have, `TypeError` for what is no text."""
    if not isinstance(key, str):
        raise TypeError(f"a key is a str, not {type(key).__name__}")
    if not key:
        raise ModelError("a key has at least one character, and this one is empty")
    if len(full := prefix + key) > LONGEST:
        namespace = f", {len(prefix)} of them for its namespace" if prefix else ""
        raise ModelError(f"{full!r}: a key has at most {LONGEST} characters, and this one has {len(full)}{namespace}")
    if full.startswith(RESERVED):
        raise ModelError(f"{full!r}: keys that begin with {RESERVED!r} are the server's own; take another name")
    try:
        full.encode()
    except UnicodeEncodeError as error:
        raise ModelError(f"{full!r}: this key cannot be sent: {error}") from None
    return full


def namespace_prefix(prefix: str, name: Any) -> str:
    """How the keys of a namespace begin. Raises `ModelError` for a name that does not do."""
    if not isinstance(name, str):
        raise TypeError(f"a namespace's name is a str, not {type(name).__name__}")
    if not name or SEPARATOR in name:
        raise ModelError(f"{name!r}: a namespace's name is a text without {SEPARATOR!r}, and not empty")
    full_key(prefix, name + SEPARATOR)
    return prefix + name + SEPARATOR
