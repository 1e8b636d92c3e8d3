"""Bots, and the users behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import GoError
from mmhooks.models import Bot, BotGetOptions, BotPatch, Post, User
from mmhooks.models.constants import PostTypeAddBotTeamsChannels
from mmhooks.testing.mattermost.areas.channels import direct_channel
from mmhooks.testing.mattermost.areas.users import set_active, store_user, valid_username
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, not_found
from mmhooks.testing.mattermost.methods import NOBODY, answers
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

BOT_KEY = "mmi_botid"
"""Where EnsureBotUser keeps the bot's id, among the plugin's own keys."""

_GREETING = "Please add me to teams and channels you want me to interact in."


def find_bot(server: Server, user_id: str, *, include_deleted: bool = True) -> Bot:
    """The stored bot. Raises `NotFound`."""
    bot = server.state.bots.get(user_id)
    if bot is None or (bot.delete_at and not include_deleted):
        raise not_found("store.sql_bot.get.missing.app_error", "Bot does not exist.", f"user_id={user_id}")
    return bot


def _check(bot: Bot) -> None:
    for field, fits in (
        ("username", valid_username(bot.username)),
        ("user_id", len(bot.display_name) <= 64),  # Mattermost's id for it is that of another field
        ("description", len(bot.description) <= 1024),
    ):
        if not fits:
            raise bad_request(f"model.bot.is_valid.{field}.app_error", f"Invalid {field}.", f"username={bot.username}")


def store_bot(server: Server, bot: Bot) -> Bot:
    """Check and store a new bot with its user; the lock is held. Result: the stored one."""
    bot = copied(bot)
    _check(bot)
    user = User(username=bot.username, email=f"{bot.username}@localhost", first_name=bot.display_name)
    bot.user_id = store_user(server, user, bot=True).id
    bot.create_at = bot.update_at = server.clock.stamp()
    bot.delete_at = bot.last_icon_update = 0
    server.state.bots[bot.user_id] = bot
    return bot


@answers("CreateBot", fires=True)
def _create_bot(server: Server, bot: Bot | None) -> Bot:
    from mmhooks.testing.mattermost.areas.posts import create_post

    bot = bot or Bot()
    with server.lock:
        bot.owner_id = bot.owner_id or server.plugin_id
        if bot.owner_id in server.state.bots:
            raise bad_request("plugin_api.bot_cant_create_bot", "A bot cannot create a bot.")
        stored = copied(store_bot(server, bot))
        has_human_owner = stored.owner_id in server.state.users
    if has_human_owner:
        channel = direct_channel(server, stored.user_id, stored.owner_id, NOBODY)
        post = Post(channel_id=channel.id, user_id=stored.user_id, type=PostTypeAddBotTeamsChannels, message=_GREETING)
        create_post(server, post, NOBODY)
    return stored


@answers("EnsureBotUser")
def _ensure_bot_user(server: Server, bot: Bot | None) -> str:
    if bot is None:
        raise GoError("passed a nil bot")
    if not bot.username:
        raise GoError("passed a bot with no username")
    bot.owner_id = server.plugin_id
    known = server.state.keys.get(BOT_KEY, (b"", 0))[0].decode()
    if known in server.state.bots:
        _patch(
            server, known, BotPatch(username=bot.username, display_name=bot.display_name, description=bot.description)
        )
        return known
    existing = server.state.usernames.get(bot.username)
    if existing is not None:
        server.warn(f"EnsureBotUser: there is a user {bot.username!r} already, who is taken for the bot")
        return existing
    stored = store_bot(server, bot)
    server.state.keys[BOT_KEY] = stored.user_id.encode(), 0
    return stored.user_id


@answers("GetBot")
def _get_bot(server: Server, user_id: str, include_deleted: bool) -> Bot:
    return find_bot(server, user_id, include_deleted=include_deleted)


@answers("GetBots")
def _get_bots(server: Server, options: BotGetOptions | None) -> list[Bot]:
    options = options or BotGetOptions()

    def orphaned(bot: Bot) -> bool:
        owner = server.state.users.get(bot.owner_id)
        return owner is not None and bool(owner.delete_at)

    found = [
        bot
        for bot in server.state.bots.values()
        if (not options.owner_id or bot.owner_id == options.owner_id)
        and (options.include_deleted or not bot.delete_at)
        and (not options.only_orphaned or orphaned(bot))
    ]
    return page(sorted(found, key=lambda bot: (bot.create_at, bot.username)), options.page, options.per_page)


@answers("PatchBot")
def _patch_bot(server: Server, user_id: str, patch: BotPatch | None) -> Bot:
    return _patch(server, user_id, patch or BotPatch())


def _patch(server: Server, user_id: str, patch: BotPatch) -> Bot:
    state = server.state
    changed, user = copied(find_bot(server, user_id)), copied(state.users[user_id])
    for name in ("username", "display_name", "description"):
        if (value := getattr(patch, name)) is not None:
            setattr(changed, name, value)
    _check(changed)
    if state.usernames.get(changed.username, user_id) != user_id:
        raise bad_request("app.user.save.username_exists.app_error", "An account with that username already exists.")
    changed.update_at = user.update_at = server.clock.stamp()
    del state.usernames[user.username], state.emails[user.email]
    user.username, user.email = changed.username, f"{changed.username}@localhost"
    user.first_name = changed.display_name
    state.usernames[user.username] = state.emails[user.email] = user_id
    state.bots[user_id], state.users[user_id] = changed, user
    return changed


@answers("UpdateBotActive")
def _update_bot_active(server: Server, user_id: str, active: bool) -> Bot:
    bot = find_bot(server, user_id)
    set_active(server, user_id, active, NOBODY)
    bot.update_at = server.clock.stamp()
    bot.delete_at = 0 if active else bot.update_at
    return bot


@answers("PermanentDeleteBot")
def _permanent_delete_bot(server: Server, user_id: str) -> None:
    find_bot(server, user_id)
    del server.state.bots[user_id]
    user = server.state.users.pop(user_id)
    del server.state.usernames[user.username], server.state.emails[user.email]
