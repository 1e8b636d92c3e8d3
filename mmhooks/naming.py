"""Mattermost's names as Python spells them."""

from __future__ import annotations

import re


def snake(name: str) -> str:
    """A name of Go's in snake_case: `kv_set` for KVSet, `team_id` for TeamID, `on_websocket_connect`."""
    name = re.sub(r"ID(s?)\b", r"Id\1", name).replace("OAuth", "Oauth").replace("DMs", "Dms")
    name = name.replace("WebSocket", "Websocket")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
