"""Guards that keep posts of plugins and bots from handlers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mmhooks.outcomes import Outcome, Unchanged

if TYPE_CHECKING:
    from mmhooks.binding import Handler
    from mmhooks.dispatch import Dispatcher, Running


class Guard:
    """The route of a handler that some posts are kept from.

    Arguments:
        index: which of the hook's arguments is the post.
        own: keep those of plugins.
        bots: keep those of bots and webhooks.
    """

    def __init__(self, index: int, own: bool, bots: bool) -> None:
        self._index = index
        self._own = own
        self._bots = bots

    def __call__(
        self,
        dispatcher: Dispatcher,
        handler: Handler,
        arguments: Sequence[Any],
        done: Callable[[Outcome], None],
        timeout: float | None,
    ) -> Running | None:
        post = arguments[self._index]
        if post is not None and ((self._own and post.from_plugin) or (self._bots and post.from_bot)):
            done(Unchanged())
            return None
        return dispatcher.start(handler, arguments, done, timeout)
