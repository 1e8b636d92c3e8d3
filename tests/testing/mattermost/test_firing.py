"""How hooks are called: in which order, within one another, from many threads, and not for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mmhooks import App, Post, User, WebSocketRequest
from mmhooks.hooks import HOOKS, HookName
from mmhooks.testing import Mattermost

FIRED = {
    HookName.OnActivate,
    HookName.OnDeactivate,
    HookName.OnConfigurationChange,
    HookName.ExecuteCommand,
    HookName.UserHasBeenCreated,
    HookName.UserWillLogIn,
    HookName.UserHasLoggedIn,
    HookName.MessageWillBePosted,
    HookName.MessageWillBeUpdated,
    HookName.MessageHasBeenPosted,
    HookName.MessageHasBeenUpdated,
    HookName.MessageHasBeenDeleted,
    HookName.ChannelHasBeenCreated,
    HookName.ChannelWillBeArchived,
    HookName.ChannelMemberWillBeAdded,
    HookName.UserHasJoinedChannel,
    HookName.UserHasLeftChannel,
    HookName.TeamMemberWillBeAdded,
    HookName.UserHasJoinedTeam,
    HookName.UserHasLeftTeam,
    HookName.FileWillBeUploaded,
    HookName.FileWillBeDownloaded,
    HookName.ReactionHasBeenAdded,
    HookName.ReactionHasBeenRemoved,
    HookName.ConfigurationWillBeSaved,
    HookName.NotificationWillBePushed,
    HookName.UserHasBeenDeactivated,
    HookName.PreferencesHaveChanged,
    HookName.OnWebSocketConnect,
    HookName.OnWebSocketDisconnect,
    HookName.WebSocketMessageHasBeenPosted,
}
"""The hooks that the in-memory server calls."""


def by_the_plugin(app: App, post: Post, message: str) -> Post:
    return app.api.create_post(Post(channel_id=post.channel_id, user_id=post.user_id, message=message))


def test_hooks_within_hooks_that_the_server_waits_for(app: App) -> None:
    seen = []

    @app.hook
    def message_will_be_posted(post: Post) -> None:
        depth = int(post.message)
        seen.append(("begin", depth))
        if depth < 5:
            by_the_plugin(app, post, str(depth + 1))
        seen.append(("end", depth))

    with Mattermost(app) as mattermost:
        mattermost.post("town-square", "0")
        assert seen == [("begin", n) for n in range(6)] + [("end", n) for n in range(5, -1, -1)]
        assert [post.message for post in mattermost.posts("town-square")] == ["5", "4", "3", "2", "1", "0"]


def test_hooks_that_come_afterwards_come_one_after_the_other(app: App) -> None:
    lock = threading.Lock()  # which would be taken twice if the one ran within the other
    seen = []

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        with lock:
            seen.append(post.message)
            if post.message in ("a", "b"):
                by_the_plugin(app, post, post.message * 2)
                assert app.api.get_posts_for_channel(post.channel_id).order  # it is stored by then
                seen.append(f"{post.message} done")

    with Mattermost(app) as mattermost:
        mattermost.post("town-square", "a")
        mattermost.post("town-square", "b")
    assert seen == ["a", "a done", "aa", "b", "b done", "bb"]


def test_the_order_of_what_an_edit_and_a_join_cause(app: App) -> None:
    seen: list[str] = []
    for name in FIRED - {HookName.FileWillBeUploaded}:
        if name not in (HookName.OnActivate, HookName.OnDeactivate, HookName.OnConfigurationChange):
            app.hook(name)(lambda *_, name=name: seen.append(name.value) or None)  # type: ignore[func-returns-value]
    with Mattermost(app) as mattermost:
        bob = mattermost.add_user("bob", teams=[])
        mattermost.join_team("main", user=bob)
        assert seen == [
            "TeamMemberWillBeAdded",
            *["MessageWillBePosted"] * 2,
            *["MessageHasBeenPosted"] * 2,
            "UserHasJoinedTeam",
        ]
        seen.clear()
        mattermost.add_channel("dev")
        mattermost.join("dev", user=bob)
        assert seen == [
            "ChannelMemberWillBeAdded",
            "MessageWillBePosted",
            "UserHasJoinedChannel",
            "MessageHasBeenPosted",
        ]
        seen.clear()
        mattermost.leave("dev", user=bob)
        assert seen == ["UserHasLeftChannel", "MessageWillBePosted", "MessageHasBeenPosted"]
        seen.clear()
        mattermost.archive_channel("dev")
        assert seen == ["ChannelWillBeArchived", "MessageWillBePosted", "MessageHasBeenPosted"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_plugin_that_answers_itself_for_ever_is_found_out(app: App, asynchronous: bool) -> None:
    def message_has_been_posted(post: Post) -> None:
        by_the_plugin(app, post, "again")

    async def message_has_been_posted_too(post: Post) -> None:
        again = Post(channel_id=post.channel_id, user_id=post.user_id, message="again")
        await app.async_api.create_post(again)

    handler = message_has_been_posted_too if asynchronous else message_has_been_posted
    app.hook(HookName.MessageHasBeenPosted)(handler)
    with Mattermost(app) as mattermost:
        with pytest.raises(RuntimeError, match="does a handler react to what the plugin itself does"):
            mattermost.post("town-square", "hello")
        assert len(mattermost.posts("town-square")) == 101


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_filter_that_calls_itself_for_ever_is_found_out(app: App, asynchronous: bool) -> None:
    def message_will_be_posted(post: Post) -> None:
        by_the_plugin(app, post, "again")

    async def message_will_be_posted_too(post: Post) -> None:
        again = Post(channel_id=post.channel_id, user_id=post.user_id, message="again")
        await app.async_api.create_post(again)

    app.hook(HookName.MessageWillBePosted)(message_will_be_posted_too if asynchronous else message_will_be_posted)
    with Mattermost(app) as mattermost, pytest.raises(RuntimeError, match="would go on for ever"):
        mattermost.post("town-square", "hello")


def test_posts_from_many_threads(app: App) -> None:
    handled: list[str] = []

    @app.hook
    def message_will_be_posted(post: Post) -> Post:
        user: User = app.api.get_user(post.user_id)
        post.message = f"{user.username}: {post.message}"
        return post

    @app.hook
    async def message_has_been_posted(post: Post) -> None:
        await app.async_api.kv_set(post.id, b"seen")
        handled.append(post.id)

    with Mattermost(app) as mattermost, ThreadPoolExecutor(16) as pool:
        users = [mattermost.add_user(f"user{number}") for number in range(16)]

        def write(user: User) -> list[Post]:
            return [mattermost.post("town-square", str(number), user=user) for number in range(20)]

        made = [post for posts in pool.map(write, users) for post in posts]
        stored = mattermost.posts("town-square")
        assert len(made) == len(handled) == len(stored) == 320
        assert {post.id for post in stored} == {*mattermost.kv}
        assert [post.create_at for post in stored] == sorted({post.create_at for post in stored})
        assert all(post.message.startswith("user") for post in stored)
        assert mattermost.channel("town-square").total_msg_count == 320


def test_the_hooks_of_connections(app: App) -> None:
    seen: list[Any] = []

    @app.hook
    def on_websocket_connect(web_conn_id: str, user_id: str) -> None:
        seen.append(("on", web_conn_id, user_id))

    @app.hook
    def websocket_message_has_been_posted(web_conn_id: str, user_id: str, request: WebSocketRequest) -> None:
        seen.append(
            (request.action, web_conn_id, user_id, request.data, app.api.get_session(request.session.id).user_id)
        )

    @app.hook
    def on_websocket_disconnect(web_conn_id: str, user_id: str) -> None:
        seen.append(("off", web_conn_id, user_id))

    with Mattermost(app) as mattermost:
        bob = mattermost.add_user("bob").id
        connection = mattermost.connect(bob)
        mattermost.send_frame(connection, "custom_x_vote", {"answer": 1})
        mattermost.disconnect(connection)
        data = {"answer": 1, "remote_addr": "127.0.0.1", "x_forwarded_for": ""}
        assert seen == [
            ("on", connection, bob),
            ("custom_x_vote", connection, bob, data, bob),
            ("off", connection, bob),
        ]
        with pytest.raises(LookupError, match="no open connection"):
            mattermost.send_frame(connection, "ping")


def test_hooks_that_are_never_called_are_known() -> None:
    never = {*HOOKS} - {name.value for name in FIRED}
    assert never == {
        "ServeHTTP",  # with the streams of a later version
        "ServeMetrics",
        "GenerateSupportData",
        "MessagesWillBeConsumed",  # off by default on servers
        "OnPluginClusterEvent",  # not without a cluster
        "RunDataRetention",
        "OnInstall",
        "OnSendDailyTelemetry",
        "OnCloudLimitsUpdated",
        "EmailNotificationWillBeSent",
        "OnSharedChannelsSyncMsg",
        "OnSharedChannelsPing",
        "OnSharedChannelsAttachmentSyncMsg",
        "OnSharedChannelsProfileImageSyncMsg",
        "OnSAMLLogin",
    }
