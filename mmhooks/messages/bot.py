"""The bot in whose name a plugin speaks: made when the plugin is activated, and known by its mentions."""

from __future__ import annotations

import copy
import logging
import re
from typing import TYPE_CHECKING

from mmhooks.errors import MmhooksError, NoPluginAPI, RegistrationError, UnsupportedByHost
from mmhooks.models import Bot

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI
    from mmhooks.models import Post

logger = logging.getLogger("mmhooks")

MOST_CHANNELS = 10_000
"""Channels that are remembered as direct ones or not."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


class OwnBot:
    """The bot of one app.

    Arguments:
        bot: its username, or more of it.

    Raises `RegistrationError` for a name that no bot can have.
    """

    def __init__(self, bot: str | Bot) -> None:
        model = Bot(username=bot) if isinstance(bot, str) else bot
        if not isinstance(model, Bot) or not re.fullmatch(r"[a-z0-9._-]{1,64}", model.username):
            raise RegistrationError(
                f"App(bot={bot!r}): expected a username, of small letters, digits, and . - _, or a Bot with one"
            )
        self.bot = copy.copy(model)
        """What is known of it; its `user_id` from activation on."""
        name = re.escape(model.username)
        # As the server finds mentions: what ends a sentence is not part of the name.
        self._mention = re.compile(rf"(?<![\w.@-])@{name}(?![._-]*[^\W_])[:,]?\s*", re.IGNORECASE)
        self._is_direct: dict[str, bool] = {}

    async def ensure(self, api: AsyncPluginAPI, timeout: float) -> str:
        """Make the bot, or find it. Result: why that failed, for administrators; empty when it did not."""
        self._is_direct.clear()
        try:
            self.bot.user_id = await api.call("EnsureBotUser", self.bot, timeout=timeout)
        except (NoPluginAPI, UnsupportedByHost) as error:
            logger.warning("the bot @%s is not made: %s", self.bot.username, error)
        except MmhooksError as error:
            return f"the bot @{self.bot.username} could not be made: {error}"
        return ""

    def rest_of(self, message: str) -> str | None:
        """A message without its mentions of the bot; None when it has none. What is in code is no mention."""
        if "@" not in message:
            return None
        plain = _CODE.sub(" ", message) if "`" in message else message
        if not self._mention.search(plain):
            return None
        return self._mention.sub("", message).strip()

    async def is_to_it(self, post: Post, api: AsyncPluginAPI) -> bool:
        """Whether a post is in a direct channel with the bot. Raises what the plugin API raises."""
        if not self.bot.user_id:
            return False
        known = self._is_direct.get(post.channel_id)
        if known is None:
            channel = await api.call("GetChannel", post.channel_id)
            if len(self._is_direct) >= MOST_CHANNELS:
                self._is_direct.clear()
            # The name of a direct channel is made of the ids of its two members.
            known = channel.type == "D" and self.bot.user_id in channel.name.split("__")
            self._is_direct[post.channel_id] = known
        return known
