"""For authors' tests: the test client, a Mattermost in memory, live plugins, and the pytest plugin that gives all three as
fixtures.

Each name is loaded when it is first used: pytest imports this package in every session, whatever is tested.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmhooks.testing.client import TestClient as TestClient
    from mmhooks.testing.live import LiveClient as LiveClient
    from mmhooks.testing.mattermost.clock import Clock as Clock
    from mmhooks.testing.mattermost.live import LiveMattermost as LiveMattermost
    from mmhooks.testing.mattermost.mattermost import Mattermost as Mattermost
    from mmhooks.testing.process import StartFailed as StartFailed
    from mmhooks.testing.results import LostChange as LostChange
    from mmhooks.testing.results import Result as Result
    from mmhooks.testing.results import UnreturnedEdit as UnreturnedEdit

_HOME = {
    "Clock": "mattermost.clock",
    "LiveClient": "live",
    "LiveMattermost": "mattermost.live",
    "LostChange": "results",
    "Mattermost": "mattermost.mattermost",
    "Result": "results",
    "StartFailed": "process",
    "TestClient": "client",
    "UnreturnedEdit": "results",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    try:
        module = importlib.import_module(f"mmhooks.testing.{_HOME[name]}")
    except KeyError:
        raise AttributeError(f"module 'mmhooks.testing' has no attribute {name!r}") from None
    value = globals()[name] = getattr(module, name)
    return value
