"""The in-memory Mattermost with the plugin as a process: everything goes over the wire, either one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmhooks import AppError, BadRequest, NotFound, UnsupportedByHost
from mmhooks.errors import CallError
from mmhooks.models import License
from mmhooks.testing import LiveMattermost, StartFailed
from tests.conftest import as_file

PLUGIN = """
    from pydantic import BaseModel
    from mmhooks import App, CommandResponse, Post, Reject
    from mmhooks.models import Bot, Command, License

    class Settings(BaseModel):
        greeting: str = "Hello"

    app = App(settings=Settings)

    @app.hook
    def on_activate():
        global bot
        bot = app.api.ensure_bot_user(Bot(username="greeter"))
        app.api.register_command(Command(trigger="count", auto_complete=True))
        app.logger.info("ready", extra={"bot": bot})

    @app.hook
    def message_will_be_posted(post):
        if "darn" in post.message:
            return Reject("We don't say that.")
        post.message = post.message.capitalize()
        return post

    @app.hook
    def message_has_been_posted(post):
        if post.user_id == bot:
            return
        n = int(app.api.kv_get("count") or 0) + 1
        app.api.kv_set("count", str(n).encode())
        author = app.api.get_user(post.user_id)
        text = f"{app.settings.greeting}, {author.username}"
        app.api.create_post(Post(channel_id=post.channel_id, user_id=bot, root_id=post.id, message=text))

    @app.hook
    async def execute_command(args):
        count = await app.async_api.kv_get("count")
        return CommandResponse(text=f"{int(count or 0)} so far")

    @app.hook
    def user_has_joined_channel(channel_member):
        raise LookupError("nobody")

    app.run()
"""

Live = Callable[..., LiveMattermost]


@pytest.fixture(params=["netrpc", "grpc"])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Live:
    def make(source: str = PLUGIN, **more: object) -> LiveMattermost:
        return LiveMattermost(as_file(source, tmp_path), host=request.param, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def mattermost(live: Live) -> Iterator[LiveMattermost]:
    with live(settings={"Greeting": "Hi"}) as made:
        yield made


def test_posts_are_filtered_stored_and_answered(mattermost: LiveMattermost) -> None:
    alice = mattermost.add_user("alice")
    post = mattermost.post("town-square", "hello", user=alice)
    assert post is not None
    assert post.message == "Hello"
    assert [reply.message for reply in mattermost.thread(post)] == ["Hi, alice"], "capitalized as all posts are"
    with pytest.raises(BadRequest, match="We don't say that"):
        mattermost.post("town-square", "darn", user=alice)
    assert len(mattermost.posts("town-square")) == 2


def test_commands_reach_the_plugin_and_its_store(mattermost: LiveMattermost) -> None:
    alice = mattermost.add_user("alice")
    for _ in range(3):
        mattermost.post("town-square", "hello", user=alice)
    assert mattermost.run_command("/count", user=alice).text == "3 so far"


def test_what_the_plugin_logs_and_calls_is_known(mattermost: LiveMattermost) -> None:
    mattermost.wait_for(lambda: mattermost.log)
    assert [line.message for line in mattermost.log] == ["ready"]
    assert {"EnsureBotUser", "RegisterCommand", "LoadPluginConfiguration"} <= {call.method for call in mattermost.calls}


def test_a_handler_that_fails_is_told_as_a_server_sees_it(mattermost: LiveMattermost) -> None:
    alice = mattermost.add_user("alice")
    channel = mattermost.add_channel("sales")
    with pytest.raises(CallError, match="nobody"):
        mattermost.join(channel, user=alice)


def test_an_activation_that_fails_is_raised_and_the_process_ends(live: Live) -> None:
    source = """
        from mmhooks import App, AppError
        app = App()
        @app.hook
        def on_activate():
            raise AppError("no disk")
        app.run()
    """
    server = live(source)
    with pytest.raises(AppError, match="no disk"):
        server.__enter__()
    assert server.process
    assert server.process.has_ended


def test_a_plugin_that_does_not_start_says_why(live: Live) -> None:
    with pytest.raises(StartFailed, match="ZeroDivisionError"):
        live("1 / 0\n").__enter__()


def test_methods_that_are_not_done_are_told_to_the_plugin_and_may_be_given_an_answer(live: Live) -> None:
    source = """
        from mmhooks import App, CommandResponse, UnsupportedByHost
        from mmhooks.models import Command
        app = App()
        @app.hook
        def on_activate():
            app.api.register_command(Command(trigger="licence"))
        @app.hook
        def execute_command(args):
            try:
                return CommandResponse(text=app.api.get_license().sku_name)
            except UnsupportedByHost as error:
                return CommandResponse(text="no such method")
        app.run()
    """
    with live(source) as mattermost:
        mattermost.answer("GetLicense", UnsupportedByHost("none here"))
        assert mattermost.run_command("/licence", user=mattermost.admin).text == "no such method"
        mattermost.answer("GetLicense", License(sku_name="professional"))
        assert mattermost.run_command("/licence", user=mattermost.admin).text == "professional"


LIFE = """
    from pathlib import Path
    from mmhooks import App, CommandResponse
    from mmhooks.models import Command
    app = App()
    def note(text):
        with Path("life").open("a") as file:
            print(text, file=file)
    @app.hook
    def on_activate():
        if Path("broken").exists():
            raise OSError("no disk")
        note("activated")
        app.api.register_command(Command(trigger="COMMAND"))
    @app.hook
    def on_deactivate():
        note("deactivated")
    @app.hook
    def execute_command(args):
        return CommandResponse(text=str(len(app.api.get_users_in_channel(app.api.get_channel_by_name(
            app.api.get_teams()[0].id, "town-square", False).id, "username", 0, 10))))
    app.run()
"""


def test_the_plugin_is_started_again_on_the_same_server(live: Live, tmp_path: Path) -> None:
    with live(LIFE.replace("COMMAND", "before")) as mattermost:
        mattermost.add_user("alice")
        assert mattermost.process
        first = mattermost.process
        as_file(LIFE.replace("COMMAND", "after"), tmp_path)
        mattermost.restart()
        assert first.has_ended
        assert mattermost.run_command("/after", user="alice").text == "2"
        with pytest.raises(NotFound, match="/before"):
            mattermost.run_command("/before", user="alice")
    assert (tmp_path / "life").read_text().split() == ["activated", "deactivated"] * 2


def test_a_plugin_that_does_not_start_again_may_be_mended(live: Live, tmp_path: Path) -> None:
    with live(LIFE.replace("COMMAND", "count")) as mattermost:
        as_file("1 / 0\n", tmp_path)
        with pytest.raises(StartFailed, match="ZeroDivisionError"):
            mattermost.restart()
        as_file(LIFE.replace("COMMAND", "count"), tmp_path)
        (tmp_path / "broken").touch()
        with pytest.raises(AppError, match="no disk"):
            mattermost.restart()
        assert mattermost.process
        assert mattermost.process.has_ended
        with pytest.raises(NotFound):
            mattermost.run_command("/count")
        (tmp_path / "broken").unlink()
        mattermost.restart()
        assert mattermost.run_command("/count").text == "1"
    assert (tmp_path / "life").read_text().split() == ["activated", "deactivated"] * 2


def test_many_people_at_once_are_no_endless_loop(mattermost: LiveMattermost) -> None:
    alice = mattermost.add_user("alice")
    raised: list[BaseException] = []

    def post(number: int) -> None:
        try:
            mattermost.post("off-topic", f"n{number}", user=alice)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=post, args=[number]) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not raised
    assert len(mattermost.posts("off-topic")) >= 64


def test_an_answer_that_fails_is_told_to_the_test_and_at_once_to_the_plugin(live: Live) -> None:
    source = """
        from mmhooks import App, APIError, Post
        app = App()
        @app.hook
        def message_will_be_posted(post):
            try:
                app.api.get_license()
            except APIError as error:
                post.message = str(error)
            return post
        app.run()
    """

    def fails() -> None:
        pytest.fail("must not be asked")

    with live(source) as mattermost:
        mattermost.answer("GetLicense", fails)
        with pytest.raises(pytest.fail.Exception, match="must not be asked"):
            mattermost.post("town-square", "hello")
        assert "must not be asked" in mattermost.posts("town-square")[0].message
