"""The hosts that can start a plugin; each is loaded only when it did."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from mmhooks import launch
from mmhooks.errors import ConfigurationError
from mmhooks.hosts import handshake
from mmhooks.hosts.arrival import Arrival

if TYPE_CHECKING:
    from mmhooks.app import App
    from mmhooks.limits import Limits

logger = logging.getLogger("mmhooks")

hand_over: Callable[[App], None] | None = None
"""Set by whoever waits for the app before `app.run()` gives it: the bundle's launcher, which serves the host already,
and the bundler, which asks what the app has."""


class Server(Protocol):
    """The module that serves a host."""

    def serve(self, arrival: Arrival, launch: launch.Launch, shaken: Callable[[], None]) -> None:
        """Serve until the host says stop, or is gone; `shaken` is called when the handshake is written."""


def serve(app: App) -> None:
    """Serve the host that started this process until it says stop.

    Exits with status 1 when there is none, or one that cannot be served, and with 2 for a bad environment.
    """
    if hand_over is not None:
        hand_over(app)
        return
    if launch.launched is None:
        sys.stderr.write(_BY_HAND.format(file=sys.argv[0] or "plugin.py"))
        sys.exit(1)
    server = prepare(launch.launched.environ, lambda: app.limits)
    server.serve(Arrival(app), launch.launched, lambda: None)


def prepare(environ: Mapping[str, str], limits: Callable[[], Limits]) -> Server:
    """Check the environment, set the level of the log, and load the server of the host.

    Exits with status 1 for a host that cannot be served, and with 2 for a bad environment.
    """
    try:
        logging.getLogger().setLevel(limits().log_level)
    except ConfigurationError as error:
        logger.error("the environment cannot be used:\n%s", error)
        sys.exit(2)
    if problem := handshake.refusal(environ):
        logger.error("%s", problem)
        sys.exit(1)
    return cast(Server, importlib.import_module(f"mmhooks.hosts.{handshake.host_of(environ)}.server"))


_BY_HAND = """\
This is a plugin for a Mattermost server, which starts it by itself: it does nothing when it is run by hand.

To try it, with an embedded host that takes messages from the terminal:

    pip install 'mmhooks[dev]'
    mmhooks dev {file}
"""
