"""The hosts that can start a plugin; each is loaded only when it did."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import TYPE_CHECKING

from mmhooks import launch
from mmhooks.errors import ConfigurationError
from mmhooks.hosts import handshake

if TYPE_CHECKING:
    from mmhooks.app import App

logger = logging.getLogger("mmhooks")


def serve(app: App) -> None:
    """Serve the host that started this process until it says stop.

    Exits with status 1 when there is none, or one that cannot be served, and with 2 for a bad environment.
    """
    if launch.launched is None:
        sys.stderr.write(_BY_HAND.format(file=sys.argv[0] or "plugin.py"))
        sys.exit(1)
    environ = launch.launched.environ
    try:
        logging.getLogger().setLevel(app.limits.log_level)
    except ConfigurationError as error:
        logger.error("the environment cannot be used:\n%s", error)
        sys.exit(2)
    if problem := handshake.refusal(environ):
        logger.error("%s", problem)
        sys.exit(1)
    server = importlib.import_module(f"mmhooks.hosts.{handshake.host_of(environ)}.server")
    server.serve(app, launch.launched)


_BY_HAND = """\
This is a plugin for a Mattermost server, which starts it by itself: it does nothing when it is run by hand.

To try it, with an embedded host that takes messages from the terminal:

    pip install 'mmhooks[dev]'
    mmhooks dev {file}
"""
