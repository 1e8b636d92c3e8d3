"""Lists of posts, and searches, against the facts about a real server."""

from __future__ import annotations

import pytest

from mmhooks import Post
from mmhooks.api import PluginAPI
from mmhooks.models import PostList, SearchParameter, SearchParams
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused


@pytest.fixture
def posts(server: Mattermost) -> dict[str, Post]:
    made: dict[str, Post] = {}
    for message, root in (("a", ""), ("b", ""), ("a1", "a"), ("c", ""), ("a2", "a"), ("d", "")):
        made[message] = server.post("town-square", message, root=made[root] if root else None)
    return made


@pytest.fixture
def channel(server: Mattermost) -> str:
    return server.channel("town-square").id


def told(found: PostList) -> str:
    return " ".join(found.posts[post_id].message for post_id in found.order)


def beside(found: PostList) -> set[str]:
    return {post.message for post_id, post in found.posts.items() if post_id not in found.order}


def test_pages_of_a_channel(api: PluginAPI, server: Mattermost, channel: str, posts: dict[str, Post]) -> None:
    assert told(api.get_posts_for_channel(channel)) == "d a2 c a1 b a"
    first, second = api.get_posts_for_channel(channel, 0, 2), api.get_posts_for_channel(channel, 1, 2)
    assert (told(first), beside(first)) == ("d a2", {"a", "a1"})
    assert told(second) == "c a1"
    assert api.get_posts_for_channel(channel, 9, 2) == PostList()
    assert api.get_posts_for_channel(channel, 0, 0) == PostList()
    api.delete_post(posts["c"].id)
    assert told(api.get_posts_for_channel(channel)) == "d a2 a1 b a"
    with refused(400, "app.post.get_posts.app_error"):
        api.get_posts_for_channel(channel, 0, 1001)
    assert told(api.get_posts_for_channel(channel, 0, 1000)) == "d a2 a1 b a"


def test_posts_since(api: PluginAPI, server: Mattermost, channel: str, posts: dict[str, Post]) -> None:
    found = api.get_posts_since(channel, posts["c"].create_at)
    assert told(found) == "d a2 a"  # a has changed by its reply
    api.delete_post(posts["b"].id)
    reply = server.edit_post(posts["a1"], "a1!")
    found = api.get_posts_since(channel, posts["d"].create_at)
    assert told(found) == "a1! b a"
    assert found.posts[posts["b"].id].delete_at
    found = api.get_posts_since(channel, reply.update_at - 1)
    assert told(found) in ("a1! a", "a1!")
    assert api.get_posts_since(channel, reply.update_at + 10) == PostList()


def test_posts_before_and_after(api: PluginAPI, channel: str, posts: dict[str, Post]) -> None:
    assert told(api.get_posts_before(channel, posts["c"].id)) == "a1 b a"
    assert told(api.get_posts_before(channel, posts["c"].id, 0, 2)) == "a1 b"
    assert told(api.get_posts_before(channel, posts["c"].id, 1, 2)) == "a"
    assert told(api.get_posts_after(channel, posts["b"].id)) == "d a2 c a1"
    assert told(api.get_posts_after(channel, posts["b"].id, 0, 2)) == "c a1"
    assert told(api.get_posts_after(channel, posts["b"].id, 1, 2)) == "d a2"
    assert api.get_posts_before(channel, NOWHERE) == api.get_posts_after(channel, NOWHERE) == PostList()


def test_a_thread(api: PluginAPI, posts: dict[str, Post]) -> None:
    found = api.get_post_thread(posts["a1"].id)
    assert told(found).split()[0] == "a1"
    assert sorted(told(found).split()) == ["a", "a1", "a2"]
    api.delete_post(posts["a2"].id)
    assert sorted(told(api.get_post_thread(posts["a"].id)).split()) == ["a", "a1"]
    with refused(404, "app.post.get.app_error"):
        api.get_post_thread(posts["a2"].id)


def test_an_earlier_time_puts_a_post_where_it_belongs(api: PluginAPI, channel: str, posts: dict[str, Post]) -> None:
    api.create_post(
        Post(channel_id=channel, user_id=posts["a"].user_id, message="early", create_at=posts["a"].create_at)
    )
    assert told(api.get_posts_for_channel(channel)) == "d a2 c a1 b early a"


def test_searches(api: PluginAPI, server: Mattermost) -> None:
    bob, team = server.add_user("bob"), server.main_team.id
    server.add_channel("secret", private=True)
    server.post("town-square", "The quick brown fox #animal", user=bob)
    server.post("off-topic", "quickly done")
    server.post("secret", "a quick secret")

    def found(**fields: object) -> list[str]:
        return [post.message for post in api.search_posts_in_team(team, [SearchParams(**fields)])]  # type: ignore[arg-type]

    assert found(terms="quick") == ["a quick secret", "The quick brown fox #animal"]
    assert found(terms="QUICK*") == ["a quick secret", "quickly done", "The quick brown fox #animal"]
    assert found(terms='"brown fox"') == ["The quick brown fox #animal"]
    assert found(terms="fox secret", or_terms=True) == ["a quick secret", "The quick brown fox #animal"]
    assert found(terms="quick", excluded_terms="fox") == ["a quick secret"]
    assert found(terms="quick", from_users=["bob"]) == ["The quick brown fox #animal"]
    assert found(terms="quick", in_channels=["secret"]) == ["a quick secret"]
    assert found(terms="#animal", ishashtag=True) == ["The quick brown fox #animal"]
    mine = api.search_posts_in_team_for_user(team, bob.id, SearchParameter(terms="quick from:bob"))
    assert [mine.posts[post_id].message for post_id in mine.order] == ["The quick brown fox #animal"]
    assert api.search_posts_in_team_for_user(team, bob.id, SearchParameter(terms="secret")).order == []
    server.change_config(ServiceSettings={"EnablePostSearch": False})
    with refused(501, "store.sql_post.search.disabled"):
        api.search_posts_in_team(team, [])
    with refused(501, "store.sql_post.search.disabled"):
        api.search_posts_in_team_for_user(team, bob.id, SearchParameter())
