"""What a host is told when it asks which hooks a plugin has."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from mmhooks.hooks import HOOKS, Hook

if TYPE_CHECKING:
    from mmhooks.app import App

logger = logging.getLogger("mmhooks")


class Implemented:
    """The hooks of an app that one host can call.

    Arguments:
        app: the app.
        servable: whether a hook is on the host's wire.
    """

    def __init__(self, app: App, servable: Callable[[Hook], bool]) -> None:
        self._app = app
        self._servable = servable
        self._warned = False

    def names(self) -> list[str]:
        """Close the registration and give the names; those that the host cannot call are told once."""
        self._app.close_registration("the host has asked which hooks there are")
        names = self._app.implemented_hooks()
        served = [name for name in names if self._servable(HOOKS[name])]
        if len(served) < len(names) and not self._warned:
            self._warned = True  # the host asks twice
            logger.warning(
                "%s: not served under this host, which will not call %s",
                ", ".join(name for name in names if name not in served),
                "it" if len(names) - len(served) == 1 else "them",
            )
        return served
