"""The key-value store: values under keys that outlive the plugin, by methods for sync and for async code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmhooks.kv.async_store import AsyncKeyValue as AsyncKeyValue
    from mmhooks.kv.store import KeyValue as KeyValue

_HOME = {"AsyncKeyValue": "async_store", "KeyValue": "store"}

__all__ = ["AsyncKeyValue", "KeyValue"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mmhooks.kv' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mmhooks.kv.{_HOME[name]}"), name)
