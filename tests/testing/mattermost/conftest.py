"""A server with a plugin that does nothing, and its API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mmhooks import App
from mmhooks.api import PluginAPI
from mmhooks.testing import Mattermost


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def server(app: App) -> Iterator[Mattermost]:
    with Mattermost(app, plugin_id="com.example.tested") as mattermost:
        yield mattermost


@pytest.fixture
def api(server: Mattermost, app: App) -> PluginAPI:
    return app.api
