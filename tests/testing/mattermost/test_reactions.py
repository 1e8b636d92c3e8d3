"""Reactions and emoji, against the facts about a real server."""

from __future__ import annotations

from typing import Any

from mmhooks import App, Post, Reaction
from mmhooks.api import PluginAPI
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused


def of(post: Post, emoji: str = "thumbsup", user_id: str = "") -> Reaction:
    return Reaction(post_id=post.id, user_id=user_id or post.user_id, emoji_name=emoji)


def test_adding_and_removing(api: PluginAPI, server: Mattermost) -> None:
    post = server.post("town-square", "hello")
    added = api.add_reaction(of(post))
    assert (added.emoji_name, added.channel_id) == ("thumbsup", post.channel_id)
    assert added.create_at
    stored = api.get_post(post.id)
    assert stored.has_reactions
    assert stored.update_at > post.update_at
    assert api.add_reaction(of(post)).create_at == added.create_at
    api.add_reaction(of(post, "+1", NOWHERE))  # nobody looks whether the user exists
    assert [reaction.emoji_name for reaction in api.get_reactions(post.id)] == ["thumbsup", "+1"]
    api.remove_reaction(of(post))
    api.remove_reaction(of(post))
    api.remove_reaction(of(post, "+1", NOWHERE))
    assert api.get_reactions(post.id) == []
    assert not api.get_post(post.id).has_reactions


def test_reactions_that_are_refused(api: PluginAPI, server: Mattermost) -> None:
    post, channel = server.post("town-square", "hello"), server.add_channel("old")
    archived = server.post(channel, "hello")
    api.delete_channel(channel.id)
    with refused(404, "app.emoji.get_by_name.no_result"):
        api.add_reaction(of(post, "No Such Emoji"))
    with refused(404, "app.post.get.app_error"):
        api.add_reaction(of(Post(id=NOWHERE, user_id=post.user_id)))
    with refused(403, "api.reaction.save.archived_channel.app_error"):
        api.add_reaction(of(archived))
    with refused(403, "api.reaction.delete.archived_channel.app_error"):
        api.remove_reaction(of(archived))
    with refused(404, "app.post.get.app_error"):
        api.remove_reaction(of(Post(id=NOWHERE)))
    with refused(400, "model.reaction.is_valid.user_id.app_error"):
        api.add_reaction(of(post, user_id="nobody"))
    for number in range(50):
        api.add_reaction(of(post, f"emoji{number}"))
    with refused(400, "app.reaction.save.save.too_many_reactions"):
        api.add_reaction(of(post))
    api.add_reaction(of(post, "emoji7", NOWHERE))


def test_the_hooks_of_reactions() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def reaction_has_been_added(reaction: Reaction) -> None:
        seen.append(("added", reaction.emoji_name, reaction.channel_id != "", reaction.create_at > 0))

    @app.hook
    def reaction_has_been_removed(reaction: Reaction) -> None:
        seen.append(("removed", reaction.emoji_name, reaction.channel_id != "", reaction.create_at > 0))

    with Mattermost(app) as mattermost:
        bob, post = mattermost.add_user("bob"), mattermost.post("town-square", "hello")
        assert mattermost.react(post, "eyes", user=bob).user_id == bob.id
        mattermost.react(post, "eyes", user=bob)  # told of again
        mattermost.unreact(post, "eyes", user=bob)
        mattermost.unreact(post, "eyes", user=bob)  # told of, too
        app.api.add_reaction(of(post))
        mattermost.settle()
        mattermost.delete_post(post)  # not told of
        assert seen == [
            ("added", "eyes", True, True),
            ("added", "eyes", True, True),
            ("removed", "eyes", False, False),
            ("removed", "eyes", False, False),
            ("added", "thumbsup", True, True),
        ]
        outsider = mattermost.add_user("outsider", teams=[])
        with refused(403, "api.context.permissions.app_error"):
            mattermost.react(mattermost.post("town-square", "hello"), "eyes", user=outsider)


def test_custom_emoji(api: PluginAPI, server: Mattermost) -> None:
    parrot, cat = server.add_emoji("parrot", image=b"picture"), server.add_emoji("cat_own")
    assert api.get_emoji_by_name("parrot") == api.get_emoji(parrot.id) == parrot
    assert [emoji.name for emoji in api.get_emoji_list()] == ["parrot", "cat_own"]
    assert [emoji.name for emoji in api.get_emoji_list("name", 0, 1)] == ["cat_own"]
    assert api.get_emoji_image(parrot.id)[0] == b"picture"
    with refused(404, "app.emoji.get_by_name.no_result"):
        api.get_emoji_by_name("thumbsup")
    with refused(404, "app.emoji.get.no_result"):
        api.get_emoji(NOWHERE)
    with refused(404, "api.emoji.get_image.read.app_error"):
        api.get_emoji_image(cat.id)
    server.change_config(ServiceSettings={"EnableCustomEmoji": False})
    with refused(403, "api.emoji.disabled.app_error"):
        api.get_emoji_by_name("parrot")
