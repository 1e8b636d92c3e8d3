"""Emoji: those that the server brings along, and custom ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mmhooks.models import Emoji
from mmhooks.testing.mattermost.failures import failure, forbidden, not_found
from mmhooks.testing.mattermost.methods import answers
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_NAME = re.compile(r"[a-z0-9_+-]+( you)?")


def check_emoji(server: Server, name: str) -> None:
    """Raises `NotFound` for what is no emoji.

    The names of the 3,000 or so that a server brings along are not here: whatever could be one of them passes.
    """
    if name not in server.state.emoji and not _NAME.fullmatch(name):
        raise not_found("app.emoji.get_by_name.no_result", "We couldn't find the emoji.", name)


def _check_custom(server: Server) -> None:
    if not server.config.ServiceSettings.EnableCustomEmoji:
        raise forbidden("api.emoji.disabled.app_error", "Custom emoji have been disabled by the system admin.")


@answers("GetEmojiList")
def _get_emoji_list(server: Server, sort_by: str, number: int, size: int) -> list[Emoji]:
    _check_custom(server)
    found = [*server.state.emoji.values()]
    return page(sorted(found, key=lambda emoji: emoji.name) if sort_by == "name" else found, number, size)


@answers("GetEmojiByName")
def _get_emoji_by_name(server: Server, name: str) -> Emoji:
    _check_custom(server)
    if name not in server.state.emoji:
        raise not_found("app.emoji.get_by_name.no_result", "We couldn't find the emoji.", name)
    return server.state.emoji[name]


@answers("GetEmoji")
def _get_emoji(server: Server, emoji_id: str) -> Emoji:
    _check_custom(server)
    for emoji in server.state.emoji.values():
        if emoji.id == emoji_id:
            return emoji
    raise not_found("app.emoji.get.no_result", "We couldn't find the emoji.", emoji_id)


@answers("GetEmojiImage")
def _get_emoji_image(server: Server, emoji_id: str) -> tuple[bytes, str]:
    _get_emoji(server, emoji_id)
    if emoji_id not in server.state.images:
        raise failure("api.emoji.get_image.read.app_error", 404, "Unable to read the image file for the emoji.")
    return server.state.images[emoji_id], "png"
