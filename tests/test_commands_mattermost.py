"""Commands, functions for messages and the bot on a server in memory: what it takes, and what people see there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from mmhooks import App, Channel, CommandArgs, Context, Post, User
from mmhooks.testing import Mattermost

app = App(bot="karma")
heard: list[Any] = []


@app.command("karma", description="Who deserves what.")
def karma(user: User, points: int = 1, *, why: Literal["help", "cake"] = "cake", quiet: bool = False) -> str:
    return f"{user.username} {points} {why} {quiet}"


@app.command("look")
async def look(channel: Channel, args: CommandArgs) -> str:
    return f"{channel.name} {args.user_id}"


@app.command("look at")
def at(*users: User) -> str:
    return ", ".join(user.username for user in users)


@app.command("boom")
def boom() -> str:
    raise ZeroDivisionError("secret")


@app.mention
async def mentioned(post: Post, context: Context) -> None:
    answer = Post(user_id=app.bot.user_id, channel_id=post.channel_id, message="@karma hears you, @karma ++ai")
    await app.async_api.create_post(answer)


@app.message(re.compile(r"\+\+(?P<what>\w+)"))
def added(what: str) -> None:
    heard.append(what)


@app.message(direct=True)
def direct(post: Post) -> None:
    heard.append(post.message)


@pytest.fixture
def mattermost() -> Iterator[Mattermost]:
    heard.clear()
    with Mattermost(app) as mattermost:
        yield mattermost


def test_the_server_takes_the_commands_and_routes_them(mattermost: Mattermost) -> None:
    ada = mattermost.add_user("ada")
    assert mattermost.run_command("/karma @ada 5 --why help --quiet", user=ada).text == "ada 5 help True"
    assert mattermost.run_command("/LOOK ~off-topic", user=ada).text == f"off-topic {ada.id}"
    assert mattermost.run_command("/look at @ada @karma").text == "ada, karma"
    assert mattermost.run_command("/karma @eve").text.startswith("There is no user `@eve`.")


def test_private_channels_stay_private(mattermost: Mattermost) -> None:
    ada, eve = mattermost.add_user("ada"), mattermost.add_user("eve")
    mattermost.create_channel("plans", private=True, user=ada)
    assert mattermost.run_command("/look ~plans", user=ada).text == f"plans {ada.id}"
    assert mattermost.run_command("/look ~plans", user=eve).text.startswith("There is no channel `~plans`.")


def test_the_bot_is_there_and_answers_without_hearing_itself(mattermost: Mattermost) -> None:
    ada = mattermost.add_user("ada")
    assert app.bot.user_id == app.api.get_user_by_username("karma").id
    mattermost.post("town-square", "hey @karma", user=ada)
    mattermost.settle()
    texts = sorted(post.message for post in mattermost.posts("town-square") if not post.type)
    assert texts == ["@karma hears you, @karma ++ai", "hey @karma"]
    assert heard == []


def test_what_is_said_to_the_bot_alone_is_direct(mattermost: Mattermost) -> None:
    ada, eve = mattermost.add_user("ada"), mattermost.add_user("eve")
    mattermost.direct_message("karma", "psst", user=ada)
    mattermost.direct_message(eve, "not for bots", user=ada)
    mattermost.post("town-square", "for all ++x", user=ada)
    mattermost.settle()
    assert sorted(heard) == ["psst", "x"]


def test_an_exception_is_an_apology_that_the_user_sees() -> None:
    with Mattermost(app, raise_exceptions=False) as mattermost:
        assert mattermost.run_command("/boom").text == "Sorry, something went wrong with `/boom`."


def test_nothing_waits_on_the_wrong_loop(mattermost: Mattermost) -> None:
    async def many() -> list[Any]:
        runs = [
            asyncio.to_thread(mattermost.run_command, f"/karma @{mattermost.admin.username} {n}") for n in range(20)
        ]
        return await asyncio.gather(*runs)

    assert [answer.text.split()[1] for answer in asyncio.run(many())] == [str(n) for n in range(20)]
