"""What belongs to the hooks of a plugin's life, beside their handlers: activation, configuration, deactivation."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mmhooks.errors import HandlerError
from mmhooks.hooks import HOOKS, HookName
from mmhooks.outcomes import Failed, Outcome, Unchanged

if TYPE_CHECKING:
    from mmhooks.api import Link
    from mmhooks.dispatch import Dispatcher
    from mmhooks.settings import Settings

logger = logging.getLogger("mmhooks")

STAGES = frozenset((HookName.OnActivate, HookName.OnConfigurationChange, HookName.OnDeactivate))
"""The hooks with more to do than their handlers."""


class Step(NamedTuple):
    """Something that is done at the server when the plugin is activated, before its handlers are called.

    `take` is given what tells the seconds that each of its calls may take, and gives the reason why it failed, for
    administrators, or nothing.
    """

    declared: str
    """What the author wrote for it."""
    take: Callable[[Callable[[], float]], Awaitable[str]]


class Lifecycle:
    """The life of one app under a host.

    Arguments:
        link: the way to the plugin API, which is closed when the plugin has been deactivated.
        settings: what is to be loaded before OnActivate and OnConfigurationChange, if there is any.
        steps: tells what is to be done before OnActivate besides.
    """

    def __init__(self, link: Link, settings: Settings[Any] | None, steps: Callable[[], Sequence[Step]]) -> None:
        self._link = link
        self._settings = settings
        self._steps = steps

    async def run(self, dispatcher: Dispatcher, name: str, timeout: float | None) -> Outcome:
        """Call a hook's handler, if it has one, with what comes before and after; arguments as for `Dispatcher.dispatch`."""
        if name == HookName.OnDeactivate:
            try:
                return await dispatcher.call(name, (), timeout)
            finally:
                await self._link.close(
                    "the plugin has been deactivated: threads and tasks of it should have ended by then"
                )
        if name == HookName.OnActivate:
            self._link.reopen()
        return await self._configure(dispatcher, name, timeout)

    async def _configure(self, dispatcher: Dispatcher, name: str, timeout: float | None) -> Outcome:
        """OnActivate or OnConfigurationChange, with what comes before its handler, which may be all there is.

        Each step has half of the time that the host leaves, so that the next has the other half.
        """
        end = None if timeout is None else time.monotonic() + timeout

        def left(share: float = 1) -> float | None:
            return None if end is None else share * (end - time.monotonic())

        def most() -> float:
            half, usual = left(0.5), dispatcher.limits.hook_timeout
            return usual if half is None else min(usual, half)

        if self._settings is not None:
            await self._settings.load(most())
            if problem := self._settings.problem:
                error = HandlerError(problem, hook=name, handler="App(settings=…)")
                return dispatcher.failure(HOOKS[name], error)
        steps = self._steps() if name == HookName.OnActivate else ()
        for step in steps:
            if problem := await step.take(most):
                return dispatcher.failure(HOOKS[name], HandlerError(problem, hook=name, handler=step.declared))
        # Mattermost's `hooks.go` promises OnConfigurationChange once before OnActivate; in Go, too, the plugin's side
        # keeps that promise. An error there does not keep the plugin from starting.
        configures = HookName.OnConfigurationChange in dispatcher.handlers
        if name == HookName.OnActivate and configures:
            outcome = await dispatcher.call(HookName.OnConfigurationChange, (), left(0.5))
            if isinstance(outcome, Failed):
                logger.warning("OnConfigurationChange failed before OnActivate; the plugin is activated all the same")
        if name not in dispatcher.handlers and (configures or steps or self._settings is not None):
            return Unchanged()
        return await dispatcher.call(name, (), left())

    def memory(self) -> Callable[[], None]:
        """Remember how things stand; what is returned puts them back so."""
        settings = self._settings
        state = settings.state if settings else None

        def put_back() -> None:
            self._link.reopen()
            if settings and state:
                settings.state = state

        return put_back
