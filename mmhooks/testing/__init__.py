"""For authors' tests: the test client, live plugins, and the pytest plugin that gives both as fixtures."""

from __future__ import annotations

from mmhooks.testing.client import TestClient
from mmhooks.testing.live import LiveClient, StartFailed
from mmhooks.testing.results import Result, UnreturnedEdit

__all__ = ["LiveClient", "Result", "StartFailed", "TestClient", "UnreturnedEdit"]
