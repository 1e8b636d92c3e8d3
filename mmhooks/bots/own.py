"""The bot in whose name a plugin speaks: made when the plugin is activated, and known by its mentions."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from mmhooks.errors import MmhooksError, NoPluginAPI, NotFound, RegistrationError, UnsupportedByHost
from mmhooks.models import Bot

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI
    from mmhooks.bots.picture import Picture
    from mmhooks.models import Post

logger = logging.getLogger("mmhooks")

MOST_CHANNELS = 10_000
"""Channels that are remembered as direct ones or not."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


class OwnBot:
    """The bot of one app.

    Arguments:
        bot: its username, or more of it.
        picture: what it looks like.

    Raises `RegistrationError` for a name that no bot can have.
    """

    def __init__(self, bot: str | Bot, picture: Picture | None = None) -> None:
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
        self._picture = picture
        self._is_direct: dict[str, bool] = {}
        self._given_id = model.user_id

    def forget(self) -> None:
        """Know of no server any more, as before the first activation."""
        self.bot.user_id = self._given_id
        self._is_direct.clear()

    async def ensure(self, api: AsyncPluginAPI, most: Callable[[], float]) -> str:
        """Make the bot, or find it, and see to its picture.

        Arguments:
            api: the plugin API.
            most: tells the seconds that each call may take.

        Result: why that failed, for administrators; empty when it did not.
        """
        self.forget()
        try:
            user_id = await api.ensure_bot_user(self.bot, timeout=most())
        except (NoPluginAPI, UnsupportedByHost) as error:
            logger.warning("the bot @%s is not made: %s", self.bot.username, error)
            return ""
        except MmhooksError as error:
            return f"the bot @{self.bot.username} could not be made: {error}"
        try:
            await api.get_bot(user_id, include_deleted=True, timeout=most())
        except NotFound:  # servers take any account of that name for the bot
            return f"there is an account @{self.bot.username} already, and it is no bot: the plugin would write in its name"
        except MmhooksError as error:
            logger.warning("whether @%s is a bot could not be found out: %s", self.bot.username, error)
        self.bot.user_id = user_id
        if self._picture is not None:
            await self._picture.show(api, user_id, most)
        return ""

    def rest_of(self, message: str) -> str | None:
        """A message without its mentions of the bot; None when it has none. What is in code is no mention."""
        if "@" not in message:
            return None
        plain = _CODE.sub(" ", message) if "`" in message else message
        if not self._mention.search(plain):
            return None
        return self._mention.sub("", message).strip()

    async def is_to_it(self, post: Post, api: AsyncPluginAPI, timeout: float) -> bool:
        """Whether a post is in a direct channel with the bot, found out within so many seconds. Raises what the plugin API
        raises."""
        if not self.bot.user_id:
            return False
        known = self._is_direct.get(post.channel_id)
        if known is None:
            channel = await api.get_channel(post.channel_id, timeout=timeout)
            if len(self._is_direct) >= MOST_CHANNELS:
                self._is_direct.clear()
            # The name of a direct channel is made of the ids of its two members.
            known = channel.type == "D" and self.bot.user_id in channel.name.split("__")
            self._is_direct[post.channel_id] = known
        return known
