"""Gives an app what its host offers, and takes it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks import launch
from mmhooks.serverlog import ServerLog

if TYPE_CHECKING:
    from mmhooks.api import Caller
    from mmhooks.app import App


def connect(app: App, caller: Caller) -> None:
    """Give an app the plugin API of its host, and its records to the server by it."""
    app.api_link.caller = caller
    if launch.launched is not None and launch.launched.log is not None:
        app.api_link.log = ServerLog(app.name, app.async_api, caller.loop, launch.launched.log)


def disconnect(app: App) -> None:
    """Let an app have nothing more: the host is gone, or will be. Handlers that run are left alone."""
    app.api_link.end()
    app.dispatcher.close()
