"""Models that are passed on without having been looked at: props go as bytes from where they came to where they go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Start
from tests.host_driver import GoPlugin

SOURCE = """
    from mmhooks import App
    app = App()
    kept = []

    @app.hook
    def message_has_been_posted(post):
        kept.append(post)

    @app.hook
    def message_will_be_posted(post):
        match post.message:
            case "kept": return kept[-1]
            case "from the server": return app.api.call("GetPost", "p")
            case "to the server":
                app.api.call("CreatePost", post)
                return None
            case "edited, and nothing returned":
                post.message = "edited"
                post.props["new"] = 1
                return None
        post.message = "changed"
        return post

    @app.hook
    def message_will_be_updated(new_post, old_post):
        match new_post.message:
            case "kept": return kept[-1]
            case "from the server": return app.api.call("GetPost", "p")
            case "old": return old_post
            case "edited, and nothing returned":
                new_post.message = "edited"
                new_post.props["new"] = 1
                return None
            case "props of another":
                new_post.props = old_post.props
                return new_post
        new_post.message = "changed"
        return new_post

    @app.hook
    def messages_will_be_consumed(posts):
        for post in posts:
            post.message = "changed"
        return posts + kept

    app.run()
"""


@pytest.fixture
def plugin(start_plugin: Start) -> GoPlugin:
    plugin = start_plugin(SOURCE)
    assert plugin.activate()["reply"] == {"A": None}
    return plugin


def sent(plugin: GoPlugin, hook: str, seed: int, letter: str) -> dict[str, Any]:
    """What the host fills in for an argument."""
    filled: dict[str, Any] = plugin.fill(hook, seed)["args"][letter]
    return filled


def answer(plugin: GoPlugin, hook: str, message: str, seed: int = 1) -> Any:
    """The post that a hook gives back for one with this message and all else filled."""
    reply = plugin.call_rpc(hook, {"B": {"message": message}}, seed=seed)["reply"]
    assert reply["B"] == ""
    return reply["A"]


HOOKS = pytest.mark.parametrize("hook", ["MessageWillBePosted", "MessageWillBeUpdated"])


@HOOKS
def test_fields_that_nobody_looked_at_go_back_as_they_came(plugin: GoPlugin, hook: str) -> None:
    for seed in (0, 1):
        assert answer(plugin, hook, "x", seed) == {**sent(plugin, hook, seed, "B"), "message": "changed"}


@HOOKS
def test_edits_that_are_not_returned_are_none(plugin: GoPlugin, hook: str) -> None:
    message = "edited, and nothing returned"
    assert answer(plugin, hook, message) == {**sent(plugin, hook, 1, "B"), "message": message}


@HOOKS
def test_post_of_an_earlier_call_may_be_returned(plugin: GoPlugin, hook: str) -> None:
    plugin.call_rpc("MessageHasBeenPosted", seed=4)
    other, own = sent(plugin, "MessageHasBeenPosted", 4, "B"), sent(plugin, hook, 1, "B")
    got = answer(plugin, hook, "kept")
    assert got["message"] == other["message"]
    assert got["props"] == ({**own["props"], **other["props"]} if hook == "MessageWillBePosted" else other["props"])
    if hook == "MessageWillBeUpdated":
        assert got == other


@HOOKS
def test_post_of_the_servers_api_may_be_returned(plugin: GoPlugin, hook: str) -> None:
    # It came by another stream, with type numbers of its own.
    plugin.ask("set_answers", answers={})
    other = plugin.host.ask("gob_encode", type="Z_GetPostReturns", seed=0)["value"]["A"]
    own = sent(plugin, hook, 1, "B")
    got = answer(plugin, hook, "from the server")
    assert got["message"] == other["message"]
    assert got["props"] == ({**own["props"], **other["props"]} if hook == "MessageWillBePosted" else other["props"])
    if hook == "MessageWillBeUpdated":
        assert got == other


def test_post_of_a_hook_may_be_given_to_the_server(plugin: GoPlugin) -> None:
    answer(plugin, "MessageWillBePosted", "to the server")
    (call,) = plugin.api_calls("CreatePost")
    given = {**sent(plugin, "MessageWillBePosted", 1, "B"), "message": "to the server"}
    assert call["args"]["A"] == given


def test_old_post_and_props_of_another_post_may_be_returned(plugin: GoPlugin) -> None:
    old = sent(plugin, "MessageWillBeUpdated", 1, "C")
    new = sent(plugin, "MessageWillBeUpdated", 1, "B")
    assert answer(plugin, "MessageWillBeUpdated", "old") == old
    got = answer(plugin, "MessageWillBeUpdated", "props of another")
    assert got == {**new, "message": "props of another", "props": old["props"]}


def test_lists_may_be_changed_in_part_and_have_posts_of_other_calls(plugin: GoPlugin) -> None:
    plugin.call_rpc("MessageHasBeenPosted", seed=4)
    got = plugin.call_rpc("MessagesWillBeConsumed", seed=2)["reply"]["A"]
    posts = plugin.fill("MessagesWillBeConsumed", 2)["args"]["A"]
    assert got == [{**post, "message": "changed"} for post in posts] + [sent(plugin, "MessageHasBeenPosted", 4, "B")]


@pytest.mark.parametrize("hook", ["MessageWillBePosted", "MessageWillBeUpdated", "MessagesWillBeConsumed"])
def test_many_calls_at_once_get_each_its_own_answer(plugin: GoPlugin, hook: str) -> None:
    done = plugin.ask("bench", hook=hook, seed=3, calls=160, callers=16)
    assert (done["errors"], done["error"]) == (0, None)
    calls = [plugin.begin("call", hook="MessageWillBePosted", seed=seed, args={}) for seed in range(30)]
    for seed, call in enumerate(calls):
        assert plugin.host.wait(call)["reply"]["A"]["id"] == f"Post.Id#{seed}"
