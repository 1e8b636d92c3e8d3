"""The iterators over what the plugin API gives a page at a time: each is there twice, and asks for page after page."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mmhooks import App, HostUnavailable, ModelError, models
from mmhooks.api import AsyncPluginAPI, PluginAPI
from mmhooks.models import (
    Bot,
    BotGetOptions,
    Post,
    PostList,
    PropertyField,
    PropertyFieldSearchOpts,
    User,
    UserGetOptions,
)
from mmhooks.naming import snake
from mmhooks.testing import Mattermost

INTERFACE = json.loads((Path(__file__).parents[1] / "protos" / "interface.json").read_text(encoding="utf-8"))
ITERATORS = [name for name in vars(PluginAPI) if name.startswith("iter_")]


def has_pages(row: dict[str, Any]) -> bool:
    names = {name for name, _ in row["parameters"]}
    structs = [INTERFACE["types"].get(type_.lstrip("*"), {}) for _, type_ in row["parameters"]]
    return "perPage" in names or any("PerPage" in (f[0] for f in each.get("fields", [])) for each in structs)


PAGED = {row["name"] for row in INTERFACE["api"] if has_pages(row)}


class Server:
    """Answers every method with a page of what it has."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.items: list[Any] = []
        self.asked: list[tuple[str, list[Any]]] = []

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        self.asked.append((method, copy.deepcopy([*arguments])))
        page, per_page = self.page(method, arguments)
        found = self.items[page * per_page : (page + 1) * per_page]
        if method.startswith(("GetPosts", "SearchPosts")):
            list_ = PostList if method.startswith("Get") else models.PostSearchResults
            thread = Post(id="the rest of a thread")
            return list_(order=[each.id for each in found], posts={each.id: each for each in [*found, thread]})
        return found

    def page(self, method: str, arguments: Sequence[Any]) -> tuple[int, int]:
        [row] = [row for row in INTERFACE["api"] if row["name"] == method]
        named = dict(zip([name for name, _ in row["parameters"]], arguments, strict=True))
        if "perPage" in named:
            return named["page"], named["perPage"]
        [options] = [each for each in arguments if hasattr(each, "per_page")]
        if not hasattr(options, "cursor"):
            return options.page, options.per_page
        last = [*options.cursor.to_dict().values()]
        before = [0, *(number for number, each in enumerate(self.items, 1) if [each.id, each.create_at] == last)]
        assert before[-1] % options.per_page == 0
        return before[-1] // options.per_page, options.per_page

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        return self.call_from_thread(method, arguments, timeout)


@pytest.fixture
def server() -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    yield Server(loop)
    loop.close()


@pytest.fixture(params=["sync", "async"])
def every(request: pytest.FixtureRequest, server: Server) -> Any:
    """Gives all that an iterator gives, by its name, of one of the two kinds."""
    app = App()
    app.api_link.caller = server

    def listed(name: str, /, *arguments: Any, **named: Any) -> list[Any]:
        if request.param == "sync":
            return [*getattr(app.api, name)(*arguments, **named)]

        async def collect() -> list[Any]:
            return [each async for each in getattr(app.async_api, name)(*arguments, **named)]

        return server.loop.run_until_complete(collect())

    return listed


def item(annotation: str, number: int) -> Any:
    kind = annotation.removesuffix("]").rpartition("[")[2]
    if kind == "str":
        return f"k{number}"
    made = getattr(models, kind)()
    for field, value in (("id", f"i{number}"), ("user_id", f"u{number}"), ("create_at", number)):
        if hasattr(made, field):
            setattr(made, field, value)
    return made


def arguments_of(name: str) -> dict[str, Any]:
    """What cannot be left out."""
    needed = [p for p in inspect.signature(getattr(PluginAPI, name)).parameters.values() if p.default is p.empty][1:]
    return {p.name: "x" if p.annotation == "str" else getattr(models, p.annotation)() for p in needed}


def test_every_method_with_pages_has_an_iterator() -> None:
    assert len(ITERATORS) == len(PAGED) == 20
    assert [name for name in vars(AsyncPluginAPI) if name.startswith("iter_")] == ITERATORS
    assert {"iter_users", "iter_users_in_team", "iter_channel_members", "iter_posts_for_channel"} <= {*ITERATORS}
    assert {"iter_kv_keys", "iter_emoji", "iter_bots", "iter_groups", "iter_property_fields"} <= {*ITERATORS}


@pytest.mark.parametrize("name", ITERATORS)
def test_the_twins_differ_in_nothing_but_that_one_is_async(name: str) -> None:
    sync, not_sync = getattr(PluginAPI, name), getattr(AsyncPluginAPI, name)
    assert sync.__doc__ == not_sync.__doc__
    mine, other = inspect.signature(sync), inspect.signature(not_sync)
    assert mine.parameters == other.parameters
    assert f"Async{mine.return_annotation}" == other.return_annotation


@pytest.mark.parametrize("name", ITERATORS)
def test_all_pages_are_asked_for_and_no_more(every: Any, server: Server, name: str) -> None:
    annotation = inspect.signature(getattr(PluginAPI, name)).return_annotation
    server.items = [item(annotation, number) for number in range(450)]
    found = every(name, **arguments_of(name))
    [method] = {method for method, _ in server.asked}
    assert method in PAGED
    if method == "GetPostsAfter":  # whose pages begin with the newest of the page
        assert found == [*server.items[199::-1], *server.items[399:199:-1], *server.items[:399:-1]]
    else:
        assert found == server.items
    # A short page of posts need not be the last, since servers take out what may not be seen any more.
    assert len(server.asked) == (4 if annotation == "Iterator[Post]" else 3)


@pytest.mark.parametrize("name", ITERATORS)
def test_nothing_is_nothing(every: Any, server: Server, name: str) -> None:
    assert every(name, **arguments_of(name)) == []
    assert len(server.asked) == 1


def test_a_last_page_that_is_full_needs_one_more_question(every: Any, server: Server) -> None:
    server.items = [User(id=str(number)) for number in range(10)]
    assert every("iter_users_in_team", "t", per_page=5) == server.items
    assert server.asked == [("GetUsersInTeam", ["t", page, 5]) for page in range(3)]


def test_a_short_page_of_posts_is_not_the_last(every: Any, server: Server) -> None:
    server.items = posts = [Post(id=str(number)) for number in range(6)]
    real = server.call_from_thread

    def hides(method: str, arguments: Sequence[Any], timeout: float) -> Any:
        found = real(method, arguments, timeout)
        found.order = [each for each in found.order if each != "1"]
        return found

    server.call_from_thread = hides  # type: ignore[method-assign]
    assert every("iter_posts_for_channel", "c", per_page=3) == [posts[0], *posts[2:]]


def test_arguments_are_passed_on(every: Any, server: Server) -> None:
    every("iter_users_in_channel", "c", "status", per_page=7)
    every("iter_groups", models.GroupSearchOpts(q="a"), view_restrictions=models.ViewUsersRestrictions(teams=["t"]))
    every("iter_posts_before", channel_id="c", post_id="p")
    assert server.asked == [
        ("GetUsersInChannel", ["c", "status", 0, 7]),
        ("GetGroups", [0, 200, models.GroupSearchOpts(q="a"), models.ViewUsersRestrictions(teams=["t"])]),
        ("GetPostsBefore", ["c", "p", 0, 200]),
    ]


def test_options_are_copied_and_never_changed(every: Any, server: Server) -> None:
    server.items = [Bot(user_id=str(number)) for number in range(10)]
    options = BotGetOptions(owner_id="me", page=1, per_page=4)
    assert every("iter_bots", options) == server.items[4:]
    assert options == BotGetOptions(owner_id="me", page=1, per_page=4)
    assert server.asked == [("GetBots", [BotGetOptions(owner_id="me", page=page, per_page=4)]) for page in (1, 2)]
    server.items = [User()]
    users = UserGetOptions(role="system_admin")
    assert every("iter_users", users) == [User()]
    assert users == UserGetOptions(role="system_admin")
    assert server.asked[-1] == ("GetUsers", [UserGetOptions(role="system_admin", per_page=200)])


def test_a_cursor_goes_on_behind_the_last_one(every: Any, server: Server) -> None:
    server.items = [PropertyField(id=f"i{number}", create_at=number + 100) for number in range(5)]
    options = PropertyFieldSearchOpts(object_type="post", per_page=2)
    assert every("iter_property_fields", "g", options) == server.items
    assert options == PropertyFieldSearchOpts(object_type="post", per_page=2)
    cursors = [asked.cursor for _, (_, asked) in server.asked]
    assert [(cursor.property_field_id, cursor.create_at) for cursor in cursors] == [("", 0), ("i1", 101), ("i3", 103)]


def test_pages_are_asked_for_when_they_are_needed(server: Server) -> None:
    app = App()
    app.api_link.caller = server
    server.items = [User(id=str(number)) for number in range(10)]
    users = app.api.iter_users_in_team("t", per_page=3)
    assert server.asked == []
    assert [next(users).id for _ in range(3)] == ["0", "1", "2"]
    assert len(server.asked) == 1
    assert next(users).id == "3"
    assert len(server.asked) == 2


@pytest.mark.parametrize("per_page", [0, -1, "5"])
def test_a_page_of_nothing_is_refused_at_once(server: Server, per_page: Any) -> None:
    app = App()
    app.api_link.caller = server
    for api in (app.api, app.async_api):
        with pytest.raises(ModelError, match="a page has at least one"):
            api.iter_users_in_team("t", per_page=per_page)


def test_failures_come_out_where_they_happen() -> None:
    users = App().api.iter_users()
    with pytest.raises(HostUnavailable):
        next(users)


def test_names_are_those_of_the_methods() -> None:
    usual = {re_name(snake(name)) for name in PAGED - {"KVList", "GetEmojiList"}}
    assert usual | {"iter_kv_keys", "iter_emoji"} == {*ITERATORS}


def re_name(method: str) -> str:
    return "iter_" + method.removeprefix("get_").removeprefix("search_")


def test_posts_come_in_the_order_that_their_names_promise() -> None:
    app = App()
    with Mattermost(app) as mattermost:
        channel = mattermost.channel("town-square").id
        posts = [mattermost.add_post("town-square", f"m{number}") for number in range(9)]

        def said(found: Iterator[Post]) -> list[str]:
            return [post.message for post in found]

        every = said(app.api.iter_posts_for_channel(channel, per_page=2))
        assert every == ["m8", "m7", "m6", "m5", "m4", "m3", "m2", "m1", "m0"]
        assert said(app.api.iter_posts_before(channel, posts[4].id, per_page=3)) == ["m3", "m2", "m1", "m0"]
        assert said(app.api.iter_posts_after(channel, posts[4].id, per_page=3)) == ["m5", "m6", "m7", "m8"]


def test_everybody_is_found_by_pages() -> None:
    app = App()
    with Mattermost(app) as mattermost:
        names = sorted(mattermost.add_user(f"u{number:02}").username for number in range(25))
        team = mattermost.main_team.id
        channel = mattermost.channel("town-square").id
        for per_page in (1, 5, 7, 1000):
            users = app.api.iter_users_in_team(team, per_page=per_page)
            assert [user.username for user in users if user.username != "admin"] == names
            members = app.api.iter_channel_members(channel, per_page=per_page)
            assert len({member.user_id for member in members}) >= 25
        assert len([*app.api.iter_users(UserGetOptions(per_page=4))]) == 26
