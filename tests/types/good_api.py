"""Calls of the plugin API as people write them: type checkers have nothing to say."""

from typing import Any, assert_type

from mmhooks import App, Post, User
from mmhooks.models import Bot, Channel, License, PluginKVSetOptions, PostList, WebsocketBroadcast

app = App()


def sync() -> None:
    user = app.api.get_user("u1")
    assert_type(user, User)
    assert_type(app.api.get_user(user_id="u1", timeout=2.5), User)
    assert_type(app.api.get_users_in_team("t1"), list[User])
    assert_type(app.api.get_users_in_team("t1", 2, per_page=100), list[User])
    assert_type(app.api.create_post(Post(channel_id="c1", message="hi")), Post)
    assert_type(app.api.delete_post("p1"), None)
    assert_type(app.api.kv_get("k"), bytes | None)
    assert_type(app.api.kv_set("k", None), None)
    assert_type(app.api.kv_compare_and_set("k", None, b"v"), bool)
    assert_type(app.api.kv_set_with_options("k", b"v", PluginKVSetOptions(expire_in_seconds=60)), bool)
    assert_type(app.api.kv_set_with_options("k", b"v"), bool)
    assert_type(app.api.kv_list(), list[str])
    assert_type(app.api.get_license(), License | None)
    assert_type(app.api.get_emoji_image("e1"), tuple[bytes, str])
    assert_type(app.api.load_plugin_configuration(), dict[str, Any])
    app.api.log_info("hello", "key", 1)
    app.api.publish_websocket_event("ping", {"n": 1}, WebsocketBroadcast(user_id="u1"))
    assert_type(app.api.ensure_bot_user(Bot(username="b")), str)


async def not_sync() -> None:
    assert_type(await app.async_api.get_user("u1"), User)
    assert_type(await app.async_api.get_direct_channel("u1", "u2"), Channel)
    assert_type(await app.async_api.get_posts_for_channel("c1", timeout=1), PostList)
    await app.async_api.log_warn("hello")
