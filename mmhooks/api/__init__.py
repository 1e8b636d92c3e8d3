"""The plugin API: what Mattermost offers to plugins, by methods for sync and for async code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mmhooks.api.calls import Caller as Caller
from mmhooks.api.calls import Link as Link

if TYPE_CHECKING:
    from mmhooks.api.async_methods import AsyncPluginAPI as AsyncPluginAPI
    from mmhooks.api.methods import PluginAPI as PluginAPI

_HOME = {"AsyncPluginAPI": "async_methods", "PluginAPI": "methods"}

__all__ = ["AsyncPluginAPI", "Caller", "Link", "PluginAPI"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mmhooks.api' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"mmhooks.api.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
