"""Posts, against the facts about a real server."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import App, Context, ModelError, Post, Reject
from mmhooks.api import PluginAPI
from mmhooks.models import MessageAttachment, PostAction, PostMetadata
from mmhooks.testing import Mattermost
from mmhooks.testing.mattermost.ids import is_id
from tests.testing.mattermost.facts import NOWHERE, refused


def new(server: Mattermost, message: str = "hello", **fields: Any) -> Post:
    given = {"channel_id": server.channel("town-square").id, "user_id": server.admin.id, **fields}
    return Post(message=message, **given)


def test_a_plugin_s_post(api: PluginAPI, server: Mattermost) -> None:
    given = new(
        server,
        props={"add_channel_member": {}, "force_notification": "x", "own": 1, "override_username": "me"},
        metadata=PostMetadata(),
        edit_at=5,
        delete_at=5,
        original_id=NOWHERE,
    )
    post = api.create_post(given)
    assert is_id(post.id)
    assert post.create_at == post.update_at != 0
    assert (post.edit_at, post.delete_at, post.original_id, post.metadata) == (0, 0, "", None)
    assert post.props == {"from_plugin": "true", "own": 1, "override_username": "me"}
    assert api.get_post(post.id) == post
    channel = api.get_channel(post.channel_id)
    assert (channel.total_msg_count, channel.total_msg_count_root, channel.last_post_at) == (1, 1, post.create_at)
    assert api.create_post(new(server, "")).message == ""
    assert api.create_post(new(server, create_at=1234)).create_at == 1234


def test_what_nobody_checks(api: PluginAPI, server: Mattermost) -> None:
    outsider, channel = server.add_user("outsider", teams=[]), server.add_channel("old")
    api.delete_channel(channel.id)
    post = api.create_post(new(server, channel_id=channel.id, user_id=outsider.id, type="system_join_channel"))
    assert post.type == "system_join_channel"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"channel_id": NOWHERE}, 404, "app.channel.get.existing.app_error"),
        ({"user_id": NOWHERE}, 404, "app.user.missing_account.const"),
        ({"id": NOWHERE}, 400, "app.post.save.existing.app_error"),
        ({"message": "x" * 16384}, 400, "model.post.is_valid.message_length.app_error"),
        ({"props": {"x": "x" * 800000}}, 400, "model.post.is_valid.props.app_error"),
        ({"file_ids": [NOWHERE] * 11}, 400, "model.post.is_valid.file_ids.app_error"),
        ({"type": "strange"}, 400, "model.post.is_valid.type.app_error"),
        ({"type": "system_ephemeral"}, 400, "model.post.is_valid.type.app_error"),
        ({"root_id": NOWHERE}, 400, "api.post.create_post.root_id.app_error"),
    ],
)
def test_posts_that_are_refused(
    api: PluginAPI, server: Mattermost, fields: dict[str, Any], status: int, error: str
) -> None:
    with refused(status, error):
        api.create_post(new(server, **{"message": "hello", **fields}))
    assert server.posts("town-square") == []


def test_what_is_just_allowed(api: PluginAPI, server: Mattermost) -> None:
    post = api.create_post(new(server, "😀" * 16383, type="custom_mine", file_ids=[NOWHERE] * 10))
    assert (len(post.message), post.type, post.file_ids) == (16383, "custom_mine", [])


def test_props_that_no_server_could_be_sent(api: PluginAPI, server: Mattermost) -> None:
    with pytest.raises(ModelError, match=r"Post\.props"):
        api.create_post(new(server, props={"x": object()}))


def test_replies(api: PluginAPI, server: Mattermost) -> None:
    root = api.create_post(new(server))
    first = api.create_post(new(server, "one", root_id=root.id))
    second = api.create_post(new(server, "two", root_id=root.id))
    assert (first.reply_count, second.reply_count) == (1, 2)
    assert api.get_post(root.id).update_at == second.create_at
    channel = api.get_channel(root.channel_id)
    assert (channel.total_msg_count, channel.total_msg_count_root) == (3, 1)
    with refused(400, "api.post.create_post.root_id.app_error"):
        api.create_post(new(server, root_id=first.id))
    elsewhere = server.channel("off-topic").id
    with refused(500, "api.post.create_post.channel_root_id.app_error"):
        api.create_post(new(server, root_id=root.id, channel_id=elsewhere))
    with refused(400, "api.post.create_post.channel_root_id.app_error"):  # people are told otherwise
        server.post("off-topic", "hello", root=root)
    api.delete_post(root.id)
    with refused(400, "api.post.create_post.root_id.app_error"):
        api.create_post(new(server, root_id=root.id))


def test_bots_are_marked(api: PluginAPI, server: Mattermost) -> None:
    bot = server.add_bot("robot")
    assert api.create_post(new(server, user_id=bot.id)).props == {"from_bot": "true", "from_plugin": "true"}


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("hello #world and #two-words, #x1", "#world #two-words #x1"),
        ("#a #1st # ##double (#inner) #end.", "#double #inner #end"),
        ("nothing#here", ""),
        ("#" + "x" * 999 + " #more", "#" + "x" * 999),
    ],
)
def test_hashtags(api: PluginAPI, server: Mattermost, text: str, tags: str) -> None:
    assert api.create_post(new(server, text)).hashtags == tags


def test_channels_that_are_named(api: PluginAPI, server: Mattermost) -> None:
    server.add_channel("secret", private=True)
    post = api.create_post(new(server, "see ~off-topic, ~secret and ~nothing", props={"channel_mentions": {"x": 1}}))
    assert post.props["channel_mentions"] == {"off-topic": {"display_name": "Off-Topic", "team_name": "main"}}
    assert "channel_mentions" not in api.create_post(new(server, props={"channel_mentions": {"x": 1}})).props


def test_attachments_become_plain(api: PluginAPI, server: Mattermost) -> None:
    attachment = MessageAttachment(text="choose", actions=[PostAction(name="Yes")])
    post = api.create_post(new(server, props={"attachments": [attachment]}))
    [plain] = post.props["attachments"]
    assert plain["text"] == "choose"
    assert is_id(plain["actions"][0]["id"])
    assert post.type == ""


def test_calling_everybody(api: PluginAPI, server: Mattermost) -> None:
    outsider, member = server.add_user("outsider", teams=[]), server.add_user("member")
    post = api.create_post(new(server, "@all listen", user_id=outsider.id))
    assert post.props["mentionHighlightDisabled"] is True
    assert len(server.ephemeral_posts(outsider)) == 1
    assert "mentionHighlightDisabled" not in api.create_post(new(server, "hi @here", user_id=member.id)).props
    assert "mentionHighlightDisabled" not in api.create_post(new(server, "@allan", user_id=outsider.id)).props


def test_files_of_posts(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    own = server.upload("own.txt", b"1", user=bob)
    nobody = api.upload_file(b"2", server.channel("town-square").id, "nobody.txt")
    other = server.upload("other.txt", b"3")
    post = server.post("town-square", "files", user=bob, files=[own, nobody, other])
    assert post.file_ids == [own.id, nobody.id]
    assert api.get_file_info(own.id).post_id == post.id
    assert api.get_file_info(nobody.id).channel_id == post.channel_id
    assert api.create_post(new(server, user_id=bob.id, file_ids=[own.id])).file_ids == []


def test_editing(api: PluginAPI, server: Mattermost) -> None:
    post = api.create_post(new(server, "one #tag", props={"own": 1}))
    post.message, post.user_id, post.create_at, post.is_pinned = "two #other", NOWHERE, 5, True
    edited = api.update_post(post)
    assert (edited.message, edited.hashtags, edited.is_pinned) == ("two #other", "#other", True)
    assert (edited.user_id, edited.create_at) == (server.admin.id, api.get_post(post.id).create_at)
    assert edited.update_at > edited.create_at
    assert edited.edit_at > 0
    pinned = api.update_post(Post(id=post.id, message=edited.message, is_pinned=False, props={"x": 1}))
    assert pinned.edit_at == edited.edit_at  # neither the message, nor files, nor attachments
    assert pinned.update_at > edited.update_at
    assert pinned.props == {"x": 1}  # and not from_plugin
    history = [each for each in server.server.state.posts.values() if each.original_id == post.id]
    assert [(each.message, bool(each.delete_at)) for each in history] == [("one #tag", True), ("two #other", True)]
    assert [each.message for each in server.posts("town-square")] == ["two #other"]


def test_edits_that_are_refused(api: PluginAPI, server: Mattermost) -> None:
    channel = server.add_channel("old")
    post = api.create_post(new(server, channel_id=channel.id))
    system = api.create_post(new(server, type="system_generic"))
    with refused(400, "app.post.get.app_error"):
        api.update_post(Post())
    with refused(404, "app.post.get.app_error"):
        api.update_post(Post(id=NOWHERE))
    with refused(400, "api.post.update_post.system_message.app_error"):
        api.update_post(system)
    api.delete_channel(channel.id)
    with refused(400, "api.post.update_post.can_not_update_post_in_deleted.error"):
        api.update_post(post)


def test_deleting(api: PluginAPI, server: Mattermost) -> None:
    root = api.create_post(new(server))
    reply = api.create_post(new(server, root_id=root.id))
    api.delete_post(reply.id)
    assert server.thread(root) == []
    second = api.create_post(new(server, root_id=root.id))
    assert second.reply_count == 1
    api.delete_post(root.id)
    for post in (root, reply, second):
        stored = server.get_post(post)
        assert stored.delete_at
        assert stored.props["deleteBy"] == "com.example.tested"
        with refused(404, "app.post.get.app_error"):
            api.get_post(post.id)
        with refused(400, "app.post.get.app_error"):
            api.delete_post(post.id)
    with refused(400, "app.post.get.app_error"):
        api.delete_post(NOWHERE)
    channel = server.add_channel("old")
    post = api.create_post(new(server, channel_id=channel.id))
    api.delete_channel(channel.id)
    with refused(400, "api.post.delete_post.can_not_delete_post_in_deleted.error"):
        api.delete_post(post.id)


def test_ephemeral_posts(server: Mattermost) -> None:
    app = App()
    app.hook("MessageWillBePosted")(lambda post: Reject("no"))
    with Mattermost(app) as mattermost:
        bob = mattermost.add_user("bob")
        post = app.api.send_ephemeral_post(bob.id, Post(message="x" * 20000))
        assert (post.type, post.update_at) == ("system_ephemeral", 0)
        assert is_id(post.id)
        assert post.create_at
        assert mattermost.ephemeral_posts(bob) == mattermost.ephemeral_posts() == [post]
        assert mattermost.ephemeral_posts("admin") == []
        updated = app.api.update_ephemeral_post(bob.id, Post(id=post.id, message="new"))
        assert updated.update_at
        assert [each.message for each in mattermost.ephemeral_posts(bob)] == ["new"]
        app.api.delete_ephemeral_post(bob.id, post.id)
        assert mattermost.ephemeral_posts() == []
        app.api.delete_ephemeral_post(bob.id, post.id)


def test_what_people_may_do(server: Mattermost) -> None:
    bob, outsider = server.add_user("bob"), server.add_user("outsider", teams=[])
    with refused(403, "api.context.permissions.app_error"):
        server.post("town-square", "hello", user=outsider)
    post = server.post("town-square", "hello")
    with refused(403, "api.context.permissions.app_error"):
        server.edit_post(post, "mine", user=bob)
    with refused(403, "api.context.permissions.app_error"):
        server.delete_post(post, user=bob)
    own = server.post("town-square", "own", user=bob)
    assert server.edit_post(own, "edited", user="admin").user_id == bob.id
    server.delete_post(own, user="admin")
    assert server.get_post(own).props["deleteBy"] == server.admin.id
    channel = server.add_channel("old", members=[bob])
    server.archive_channel(channel)
    with refused(400, "api.post.create_post.can_not_post_to_deleted.error"):
        server.post(channel, "hello", user=bob)


def test_the_hooks_of_posts() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def message_will_be_posted(context: Context, post: Post) -> Post | None:
        seen.append(("will", post.message, post.id, post.create_at, post.hashtags))
        if post.message == "move":
            post.channel_id = app.api.get_channel_by_name_for_team_name("main", "off-topic").id
            return post
        return None

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        seen.append(("has", post.message, bool(post.id), bool(post.create_at), post.hashtags))

    @app.hook
    def message_will_be_updated(new_post: Post, old_post: Post) -> Post | Reject | None:
        if new_post.message == "no":
            return Reject("Leave it.")
        seen.append(("edit", old_post.message, new_post.message, old_post.id == new_post.id, old_post.delete_at))
        new_post.message += "!"
        new_post.props.clear()
        return new_post

    @app.hook
    def message_has_been_updated(new_post: Post, old_post: Post) -> None:
        seen.append(
            ("edited", old_post.message, new_post.message, old_post.original_id == new_post.id, old_post.delete_at > 0)
        )

    @app.hook
    def message_has_been_deleted(post: Post) -> None:
        seen.append(("deleted", post.message, post.delete_at))

    with Mattermost(app) as mattermost:
        mattermost.add_post("town-square", "silent")
        post = mattermost.post("town-square", "one #tag", props={"own": 1})
        assert seen == [("will", "one #tag", "", 0, "#tag"), ("has", "one #tag", True, True, "#tag")]
        seen.clear()
        moved = mattermost.post("town-square", "move")
        assert moved.channel_id == mattermost.channel("off-topic").id
        seen.clear()
        edited = mattermost.edit_post(post, "two")
        assert (edited.message, edited.props) == ("two!", {})  # here a field can be cleared
        assert seen == [("edit", "one #tag", "two", True, 0), ("edited", "one #tag", "two!", True, True)]
        with refused(400, "Post rejected by plugin. Leave it."):
            mattermost.edit_post(post, "no")
        seen.clear()
        mattermost.post("town-square", "reply", root=post)
        seen.clear()
        mattermost.delete_post(post)
        assert seen == [("deleted", "two!", 0)]  # and nothing of the reply


def test_a_filter_that_gives_an_id_is_refused() -> None:
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post:
        post.id = NOWHERE
        return post

    with Mattermost(app) as mattermost, refused(400, "app.post.save.existing.app_error"):
        mattermost.post("town-square", "hello")
