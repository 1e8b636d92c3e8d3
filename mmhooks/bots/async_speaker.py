"""What a plugin's bot says, for async code."""

# Its twin for sync code, speaker.py, is generated from it.

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from mmhooks.api.calls import TIMEOUT
from mmhooks.errors import HostUnavailable, ModelError
from mmhooks.models import Post

if TYPE_CHECKING:
    from mmhooks.api.async_methods import AsyncPluginAPI
    from mmhooks.bots.own import OwnBot


class AsyncPluginBot:
    """The app's bot, for async code.

    What it says is a text, or a `Post` with more than a text, of which a copy is posted: its author and its place are set here.
    Each method takes `timeout`, the seconds for each of its calls of the server, gives the post as it is stored, and raises
    what the plugin API raises; `HostUnavailable` before the plugin has been activated.
    """

    def __init__(self, bot: OwnBot, api: AsyncPluginAPI) -> None:
        self._bot = bot
        self._api = api

    @property
    def username(self) -> str:
        """Its name."""
        return self._bot.bot.username

    @property
    def user_id(self) -> str:
        """The id of its user; empty until the plugin has been activated."""
        return self._bot.bot.user_id

    async def dm(self, user_id: str, message: str | Post, *, timeout: float = TIMEOUT) -> Post:
        """Write to a user, in the direct channel of the two.

        Arguments:
            user_id: the user's id.
            message: what to say.
        """
        bot_id = self._known("dm")
        channel = await self._api.get_direct_channel(bot_id, user_id, timeout=timeout)
        return await self._say(bot_id, message, channel.id, "", timeout)

    async def reply_to(self, post: Post, message: str | Post, *, timeout: float = TIMEOUT) -> Post:
        """Answer a post, in its thread.

        Arguments:
            post: any post of a thread, or one that becomes its first. Raises `ModelError` for one that is not stored, as those of
                MessageWillBePosted.
            message: what to say.
        """
        bot_id = self._known("reply_to")
        if not post.id:
            raise ModelError(
                "reply_to: this post has no id yet, since it is not stored: answer it in MessageHasBeenPosted"
            )
        return await self._say(bot_id, message, post.channel_id, post.root_id or post.id, timeout)

    async def post(self, channel_id: str, message: str | Post, *, timeout: float = TIMEOUT) -> Post:
        """Write in a channel; the bot need not be a member.

        Arguments:
            channel_id: the channel's id.
            message: what to say; a `Post` with a `root_id` goes to that thread.
        """
        bot_id = self._known("post")
        root_id = message.root_id if isinstance(message, Post) else ""
        return await self._say(bot_id, message, channel_id, root_id, timeout)

    async def _say(self, bot_id: str, message: str | Post, channel_id: str, root_id: str, timeout: float) -> Post:
        said = copy.copy(message) if isinstance(message, Post) else Post(message=message)
        said.user_id, said.channel_id, said.root_id = bot_id, channel_id, root_id
        return await self._api.create_post(said, timeout=timeout)

    def _known(self, method: str) -> str:
        self._api.refuse_loop(f"bot.{method}")
        if not self.user_id:
            raise HostUnavailable(
                f"app.bot.{method}: the bot @{self.username} is made when the plugin is activated, and it has not been; in a "
                "test, activate it by client.on_activate()"
            )
        return self.user_id
