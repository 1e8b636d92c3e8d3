"""Who a post is from, by the marks that the server puts into its props; and guards that keep posts from handlers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mmhooks.outcomes import Outcome, Unchanged

if TYPE_CHECKING:
    from mmhooks.binding import Handler
    from mmhooks.dispatch import Dispatcher, Running
    from mmhooks.models import Post


def is_from_plugin(post: Post) -> bool:
    """Whether a plugin made a post by the plugin API; the server does not say which."""
    return _marked(post, "from_plugin")


def is_from_bot(post: Post) -> bool:
    """Whether a bot or a webhook made a post."""
    return _marked(post, "from_bot") or _marked(post, "from_webhook")


def _marked(post: Post, mark: str) -> bool:
    return post.props.get(mark) in ("true", True)


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
        if post is not None and ((self._own and is_from_plugin(post)) or (self._bots and is_from_bot(post))):
            done(Unchanged())
            return None
        return dispatcher.start(handler, arguments, done, timeout)
