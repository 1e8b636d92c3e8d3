"""The bot in whose name a plugin speaks, by methods for sync and for async code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmhooks.bots.async_speaker import AsyncPluginBot as AsyncPluginBot
    from mmhooks.bots.speaker import PluginBot as PluginBot

_HOME = {"AsyncPluginBot": "async_speaker", "PluginBot": "speaker"}

__all__ = ["AsyncPluginBot", "PluginBot"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mmhooks.bots' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mmhooks.bots.{_HOME[name]}"), name)
