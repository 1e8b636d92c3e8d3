"""Stores, iterators and the bot as people use them: type checkers have nothing to say."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, assert_type

from pydantic import BaseModel

from mmhooks import App, Bot, Post, User
from mmhooks.models import ChannelMember, GroupSearchOpts, UserGetOptions

app = App(bot=Bot(username="b"), bot_image="icon.png")


class Votes(BaseModel):
    up: int = 0


def up(votes: Votes) -> Votes:
    return Votes(up=votes.up + 1)


def first(votes: Votes | None) -> Votes:
    return votes or Votes()


async def later(votes: Votes) -> Votes:
    return votes


def sync() -> None:
    assert_type(app.kv.get("k"), Any)
    assert_type(app.kv.get("k", 0), Any)
    assert_type(app.kv.get("k", type=Votes), Votes | None)
    assert_type(app.kv.get("k", Votes()), Votes)
    assert_type(app.kv.get("k", Post()), Post)
    assert_type(app.kv.get("k", b""), bytes)
    assert_type(app.kv.get("k", 5, type=list[int]), list[int] | int)
    assert_type(app.kv.get("k", type=bytes, timeout=2), bytes | None)
    assert_type(app.kv.set("k", Votes(), expires_in=timedelta(days=1)), None)
    assert_type(app.kv.set_if("k", 1, expected=None, expires_in=1.5), bool)
    assert_type(app.kv.delete_if("k", expected=1), bool)
    assert_type(app.kv.update("k", lambda count: count + 1, default=0), int)
    assert_type(app.kv.update("k", up, default=Votes()), Votes)
    assert_type(app.kv.update("k", first, type=Votes), Votes)
    assert_type(app.kv.namespace("n").update("k", lambda old: [old]), list[Any])
    assert_type(app.kv.update("names", lambda names: [*names, "ada"], default=[]), list[str])
    assert_type(app.kv.keys("a"), Iterator[str])
    for key in app.kv:
        app.kv.delete(key)
    app.kv.clear()

    assert_type(app.api.iter_users(), Iterator[User])
    assert_type(app.api.iter_users(UserGetOptions(active=True)), Iterator[User])
    assert_type(app.api.iter_channel_members("c", per_page=5), Iterator[ChannelMember])
    assert_type([post.message for post in app.api.iter_posts_for_channel("c")], list[str])
    app.api.iter_groups(GroupSearchOpts(q="a"), timeout=3)

    assert_type(app.bot.dm("u", "hi"), Post)
    assert_type(app.bot.reply_to(Post(), Post(message="hi")), Post)
    assert_type(app.bot.user_id, str)


async def not_sync() -> None:
    assert_type(await app.async_kv.get("k", Votes()), Votes)
    assert_type(await app.async_kv.update("k", up, default=Votes()), Votes)
    assert_type(await app.async_kv.update("k", later, default=Votes()), Votes)
    assert_type(await app.async_kv.namespace("n").set_if("k", 1, expected=2), bool)
    assert_type(app.async_kv.keys(), AsyncIterator[str])
    assert_type([user async for user in app.async_api.iter_users_in_team("t")], list[User])
    assert_type(await app.async_bot.dm("u", "hi"), Post)
