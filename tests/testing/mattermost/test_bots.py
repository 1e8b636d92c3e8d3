"""Bots, against the facts about a real server."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import App, GoError, Post, User
from mmhooks.api import PluginAPI
from mmhooks.models import Bot, BotGetOptions, BotPatch
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused


def test_a_new_bot(api: PluginAPI, server: Mattermost) -> None:
    bot = api.create_bot(Bot(username="robot", display_name="The Robot", description="does things"))
    assert bot.owner_id == "com.example.tested"
    assert bot.create_at
    user = api.get_user(bot.user_id)
    assert (user.username, user.email, user.first_name) == ("robot", "robot@localhost", "The Robot")
    assert (user.roles, user.is_bot) == ("system_user", True)
    assert api.get_bot(bot.user_id) == bot


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"username": "Robot"}, "model.bot.is_valid.username.app_error"),
        ({"username": ""}, "model.bot.is_valid.username.app_error"),
        ({"display_name": "x" * 65}, "model.bot.is_valid.user_id.app_error"),
        ({"description": "x" * 1025}, "model.bot.is_valid.description.app_error"),
        ({"username": "admin"}, "app.user.save.username_exists.app_error"),
    ],
)
def test_bots_that_are_refused(api: PluginAPI, fields: dict[str, str], error: str) -> None:
    with refused(400, error):
        api.create_bot(Bot(**{"username": "robot", **fields}))  # type: ignore[arg-type]


def test_owners(api: PluginAPI, server: Mattermost) -> None:
    bot = api.create_bot(Bot(username="robot"))
    with refused(400, "plugin_api.bot_cant_create_bot"):
        api.create_bot(Bot(username="child", owner_id=bot.user_id))
    owned = api.create_bot(Bot(username="owned", owner_id=server.admin.id))
    [message] = server.posts(api.get_direct_channel(owned.user_id, server.admin.id))
    assert (message.user_id, message.type) == (owned.user_id, "add_bot_teams_channels")


def test_the_plugin_s_own_bot(api: PluginAPI, server: Mattermost) -> None:
    user_id = api.ensure_bot_user(Bot(username="robot", display_name="Robot"))
    assert api.ensure_bot_user(Bot(username="android", display_name="Android", description="new")) == user_id
    bot = api.get_bot(user_id)
    assert (bot.username, bot.display_name, bot.description) == ("android", "Android", "new")
    assert bot.owner_id == "com.example.tested"
    assert api.get_user(user_id).username == "android"
    api.update_bot_active(user_id, False)
    assert api.ensure_bot_user(Bot(username="android")) == user_id
    with refused(404, "store.sql_bot.get.missing.app_error"):
        api.get_bot(user_id)
    api.kv_delete_all()
    bob = server.add_user("bob")
    assert api.ensure_bot_user(Bot(username="bob")) == bob.id  # even a human
    assert api.kv_get("mmi_botid") is None
    with pytest.raises(GoError):
        api.ensure_bot_user(Bot())


def test_changing_bots(api: PluginAPI, server: Mattermost) -> None:
    bot, other = api.create_bot(Bot(username="robot")), api.create_bot(Bot(username="other", owner_id="another.plugin"))
    patched = api.patch_bot(bot.user_id, BotPatch(display_name="New"))
    assert (patched.username, patched.display_name) == ("robot", "New")
    with refused(400, "app.user.save.username_exists.app_error"):
        api.patch_bot(bot.user_id, BotPatch(username="other"))
    off = api.update_bot_active(bot.user_id, False)
    assert off.delete_at
    assert api.get_user(bot.user_id).delete_at
    with refused(404, "store.sql_bot.get.missing.app_error"):
        api.get_bot(bot.user_id, False)
    assert api.get_bot(bot.user_id, True).delete_at
    names = [found.username for found in api.get_bots(BotGetOptions(per_page=10))]
    assert names == ["other"]
    everything = api.get_bots(BotGetOptions(per_page=10, include_deleted=True))
    assert [found.username for found in everything] == ["robot", "other"]
    assert api.get_bots(BotGetOptions(per_page=10, owner_id="another.plugin"))[0].user_id == other.user_id
    assert api.get_bots(BotGetOptions()) == []
    assert api.update_bot_active(bot.user_id, True).delete_at == 0
    api.permanent_delete_bot(bot.user_id)
    with refused(404, "store.sql_bot.get.missing.app_error"):
        api.get_bot(bot.user_id, True)
    with refused(404, "app.user.missing_account.const"):
        api.get_user(bot.user_id)
    assert api.create_bot(Bot(username="robot")).username == "robot"
    for call in (api.permanent_delete_bot, api.get_bot):
        with refused(404, "store.sql_bot.get.missing.app_error"):
            call(NOWHERE)
    with refused(404, "store.sql_bot.get.missing.app_error"):
        api.patch_bot(NOWHERE, BotPatch())
    with refused(404, "store.sql_bot.get.missing.app_error"):
        api.update_bot_active(NOWHERE, True)


def test_the_hooks_of_bots() -> None:
    app = App()
    seen: list[Any] = []
    app.hook("UserHasBeenCreated")(lambda context, user: seen.append("created"))

    @app.hook
    def user_has_been_deactivated(user: User) -> None:
        seen.append(f"{user.username} deactivated")

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        seen.append(post.type)

    with Mattermost(app) as mattermost:
        bot = app.api.create_bot(Bot(username="robot"))
        app.api.create_bot(Bot(username="owned", owner_id=mattermost.admin.id))
        app.api.update_bot_active(bot.user_id, False)
        mattermost.settle()
    assert seen == ["add_bot_teams_channels", "robot deactivated"]
