"""Leads MessageHasBeenPosted to the functions that a message is for."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmhooks.binding import Handler
from mmhooks.hooks import HookName
from mmhooks.messages.matching import Matcher
from mmhooks.messages.rule import HOOK, Progress, Rule
from mmhooks.outcomes import Failed, Outcome, Unchanged

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI
    from mmhooks.bots.own import OwnBot
    from mmhooks.dispatch import Dispatcher, Running
    from mmhooks.models import Post

logger = logging.getLogger("mmhooks")

Found = list[tuple[int, Rule, "re.Match[str] | None"]]


class Router:
    """The handler of MessageHasBeenPosted for an app that has functions for messages.

    Arguments:
        rules: the functions, in their order.
        own: the author's handlers: that of MessageHasBeenPosted gets every message besides.
        bot: the app's bot, if it has one.
        async_api: gives the plugin API, by which direct channels are told from others.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        own: Mapping[str, Handler],
        bot: OwnBot | None,
        async_api: Callable[[], AsyncPluginAPI],
    ) -> None:
        self._rules = rules
        self._own = own
        self._bot = bot
        self._async_api = async_api
        self._known = 0
        self._everywhere: Matcher[Rule] = Matcher()
        self._beside_mentions: Matcher[Rule] = Matcher()
        everything = frozenset(range(len(HOOK.parameters)))
        self.handler = Handler(HOOK, self.route, _routed, everything, is_async=False, route=self.route)

    def route(
        self,
        dispatcher: Dispatcher,
        handler: Handler,
        arguments: Sequence[Any],
        done: Callable[[Outcome], None],
        timeout: float | None,
    ) -> Running | None:
        """See `Handler.route`."""
        context, post = arguments
        own = self._own.get(HookName.MessageHasBeenPosted)
        found = self._find(post) if post is not None else []
        if own is None and len(found) == 1 and not found[0][1].direct:
            _, rule, match = found[0]
            values = rule.values(context, post, match)
            if values is not None:
                return dispatcher.start(rule.handler, (context, post, values, Progress()), done, timeout)
            found = []
        if found:
            return _Chain(self, dispatcher, found, own, arguments, done, timeout)
        if own is not None:
            return dispatcher.run(own, arguments, done, timeout)
        done(Unchanged())
        return None

    async def is_for(self, rule: Rule, post: Post, timeout: float) -> bool:
        """Whether a message is for a function, as far as only the server can say it, and it does so in time."""
        return not rule.direct or (self._bot is not None and await self._bot.is_to_it(post, self._async_api(), timeout))

    def _find(self, post: Post) -> Found:
        """The functions that may get a post, in their order."""
        if self._known < len(self._rules):
            for rule in self._rules[self._known :]:
                (self._beside_mentions if rule.mention else self._everywhere).add(rule.wanted, rule, self._known)
                self._known += 1
        bot = self._bot
        if post.type.startswith("system_") or post.from_plugin:
            return []
        if bot is not None and post.user_id and post.user_id == bot.bot.user_id:
            return []
        found = self._everywhere.find(post.message)
        if bot is not None and (rest := bot.rest_of(post.message)) is not None:
            found = sorted(found + self._beside_mentions.find(rest), key=lambda each: each[0])
        if found and post.from_bot:
            found = [each for each in found if each[1].bots]
        return found


class _Chain:
    """Functions that get a message one after the other, and beside them the author's own handler."""

    def __init__(
        self,
        router: Router,
        dispatcher: Dispatcher,
        found: Found,
        own: Handler | None,
        arguments: Sequence[Any],
        done: Callable[[Outcome], None],
        timeout: float | None,
    ) -> None:
        self._router = router
        self._dispatcher = dispatcher
        self._found = found
        self._own = own
        self._arguments = arguments
        self._done = done
        self._end = None if timeout is None else time.monotonic() + timeout
        self._task = asyncio.get_running_loop().create_task(self._run(timeout))
        dispatcher.keep(self._task)

    def abandon(self) -> None:
        """See `Running`."""
        self._task.cancel()

    async def _run(self, timeout: float | None) -> None:
        if self._own is None:
            outcome = await self._functions()
        else:
            own, outcome = await asyncio.gather(
                self._dispatcher.ask(self._own, self._arguments, timeout), self._functions()
            )
            outcome = own if isinstance(own, Failed) else outcome
        self._done(outcome)

    async def _functions(self) -> Outcome:
        """Result: the first failure, if there was one."""
        context, post = self._arguments
        outcome: Outcome = Unchanged()
        called: list[Callable[..., Any]] = []
        for _, rule, match in self._found:
            if rule.function in called:  # it has several decorators
                continue
            timeout = None if self._end is None else self._end - time.monotonic()
            if timeout is not None and timeout <= 0:
                logger.error("%s is not called: the functions before it took all of the time", rule.location)
                break
            answer: Outcome
            progress = Progress()
            try:
                usual = self._dispatcher.limits.hook_timeout
                if not await self._router.is_for(rule, post, usual if timeout is None else min(usual, timeout)):
                    continue
            except Exception as error:
                answer = self._dispatcher.failure(HOOK, error, rule.handler)
            else:
                values = rule.values(context, post, match)
                if values is None:
                    continue
                called.append(rule.function)
                answer = await self._dispatcher.ask(rule.handler, (context, post, values, progress), timeout)
            if isinstance(answer, Failed) and not isinstance(outcome, Failed):
                outcome = answer
            if progress.stopped:
                break
        return outcome


def _routed(arguments: Sequence[Any]) -> Any:
    raise AssertionError("what is called has been chosen before")
