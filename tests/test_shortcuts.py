"""The app's bot: made with its picture when the plugin is activated, and what it says, sync and async."""

from __future__ import annotations

import asyncio
import inspect
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mmhooks import App, AppError, BadRequest, Bot, HostUnavailable, ModelError, NotFound, Post, RegistrationError
from mmhooks.bots import AsyncPluginBot, PluginBot
from mmhooks.models import Channel
from mmhooks.testing import LiveMattermost, Mattermost
from tests.loop_caller import LoopCaller

PNG = b"\x89PNG one"


class Server(LoopCaller):
    """A server with one bot, which keeps what it is told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.asked: list[tuple[Any, ...]] = []
        self.values: dict[str, bytes] = {}
        self.bot_id = "bot1"
        self.failures: dict[str, Exception] = {}

    async def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        self.asked.append((method, *arguments))
        if failure := self.failures.get(method):
            raise failure
        match method:
            case "EnsureBotUser":
                return self.bot_id
            case "GetBot":
                return Bot(user_id=arguments[0])
            case "KVGet":
                return self.values.get(arguments[0])
            case "KVSet":
                return self.values.update({arguments[0]: arguments[1]})
            case "SetProfileImage":
                return None
            case "GetDirectChannel":
                return Channel(id=f"{arguments[0]} and {arguments[1]}")
            case "CreatePost":
                return Post(**{name: getattr(arguments[0], name) for name in FIELDS}, id="stored")
            case _:
                raise AssertionError(method)

    def pictures(self) -> list[tuple[str, bytes]]:
        return [(arguments[0], arguments[1]) for method, *arguments in self.asked if method == "SetProfileImage"]


FIELDS = ("user_id", "channel_id", "root_id", "message", "props")


@pytest.fixture
def server() -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Server(loop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def activate(app: App, server: Server) -> Any:
    app.api_link.caller = server
    with app.test_client(raise_exceptions=False) as client:
        return client.on_activate().error


@pytest.fixture
def app(server: Server) -> App:
    app = App(bot=Bot(username="welcome", display_name="Welcome", description="Greets."))
    assert activate(app, server) is None
    server.asked.clear()
    return app


@pytest.fixture(params=["sync", "async"])
def say(request: pytest.FixtureRequest, app: App) -> Callable[..., Post]:
    """Calls a method of the bot, of one of the two kinds."""

    def call(name: str, /, *arguments: Any, **named: Any) -> Any:
        if request.param == "sync":
            return getattr(app.bot, name)(*arguments, **named)
        return asyncio.run(getattr(app.async_bot, name)(*arguments, **named))

    return call


# made at activation


def test_the_bot_is_made_and_found_again(server: Server) -> None:
    app = App(bot=Bot(username="welcome", display_name="Welcome", description="Greets."))
    assert (app.bot.username, app.bot.user_id) == ("welcome", "")
    for _ in range(2):
        assert activate(app, server) is None
        assert app.bot.user_id == app.async_bot.user_id == "bot1"
    methods = [method for method, *_ in server.asked]
    assert methods == ["EnsureBotUser", "GetBot"] * 2
    bot = server.asked[0][1]
    assert (bot.username, bot.display_name, bot.description) == ("welcome", "Welcome", "Greets.")


def test_an_account_of_a_person_is_not_taken_for_the_bot(server: Server) -> None:
    """EnsureBotUser gives the id of any account that has the name already."""
    server.failures["GetBot"] = NotFound(id="store.sql_bot.get.missing.app_error")
    app = App(bot="ada")
    error = activate(app, server)
    assert isinstance(error, AppError)
    assert "there is an account @ada already, and it is no bot" in str(error)
    assert app.bot.user_id == ""


def test_a_server_that_cannot_say_whether_it_is_a_bot_is_believed(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.failures["GetBot"] = BadRequest("too busy")
    app = App(bot="welcome")
    assert activate(app, server) is None
    assert app.bot.user_id == "bot1"
    assert "whether @welcome is a bot could not be found out: too busy" in caplog.text


# its picture


@pytest.mark.parametrize("as_file", [False, True])
def test_the_picture_is_set_once_for_each_bot_and_each_picture(server: Server, tmp_path: Path, as_file: bool) -> None:
    file = tmp_path / "icon.png"

    def start(image: bytes) -> None:
        file.write_bytes(image)
        assert activate(App(bot="welcome", bot_image=file if as_file else image), server) is None

    start(PNG)
    start(PNG)
    assert server.pictures() == [("bot1", PNG)]
    start(b"two")
    start(b"two")
    assert server.pictures()[1:] == [("bot1", b"two")]
    server.bot_id = "bot2"
    start(b"two")
    assert server.pictures()[2:] == [("bot2", b"two")]
    assert all(key.startswith("mmi_") for key in server.values), "app.kv.keys() must not show it"


def test_the_path_of_a_picture_begins_in_the_plugins_folder(tmp_path: Path) -> None:
    source = 'import mmhooks\napp = mmhooks.App(bot="welcome", bot_image="assets/icon.png")\n'
    file = tmp_path / "plugin.py"
    made = {"__name__": "plugin", "__file__": str(file)}
    with pytest.raises(
        RegistrationError, match=r"^App\(bot_image='assets/icon.png'\): there is no file .*/assets/icon"
    ):
        exec(compile(source, file, "exec"), made)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "icon.png").write_bytes(PNG)
    exec(compile(source, file, "exec"), made)


@pytest.mark.parametrize("method", ["SetProfileImage", "KVGet", "KVSet"])
def test_a_picture_that_cannot_be_set_does_not_keep_the_plugin_from_starting(
    server: Server, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    server.failures[method] = BadRequest("no picture")
    app = App(bot="welcome", bot_image=PNG)
    assert activate(app, server) is None
    assert app.bot.user_id == "bot1"
    assert "the picture of the bot is not set: no picture" in caplog.text


def test_a_file_that_is_gone_does_not_either(server: Server, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    file = tmp_path / "icon.png"
    file.write_bytes(PNG)
    app = App(bot="welcome", bot_image=file)
    file.unlink()
    assert activate(app, server) is None
    assert "the picture of the bot is not set" in caplog.text


def test_a_picture_needs_a_bot_and_is_a_picture() -> None:
    with pytest.raises(RegistrationError, match=r'^App\(bot_image=…\): there is no bot; declare it by App\(bot="user'):
        App(bot_image=PNG)
    with pytest.raises(RegistrationError, match=r"^App\(bot_image=5\): expected the path of a picture, or its bytes"):
        App(bot="welcome", bot_image=5)  # type: ignore[arg-type]


# what it says


def test_it_writes_to_a_user(say: Callable[..., Post], server: Server) -> None:
    post = say("dm", "u1", "Hello!")
    assert (post.id, post.message) == ("stored", "Hello!")
    assert server.asked == [
        ("GetDirectChannel", "bot1", "u1"),
        ("CreatePost", Post(user_id="bot1", channel_id="bot1 and u1", message="Hello!")),
    ]


@pytest.mark.parametrize(
    ("post", "root_id"),
    [
        (Post(id="p1", channel_id="c1", user_id="u1"), "p1"),
        (Post(id="p2", channel_id="c1", user_id="u1", root_id="p1"), "p1"),
    ],
)
def test_it_answers_in_the_thread(say: Callable[..., Post], server: Server, post: Post, root_id: str) -> None:
    say("reply_to", post, "Yes.")
    [(_, said)] = server.asked
    assert said == Post(user_id="bot1", channel_id="c1", root_id=root_id, message="Yes.")


def test_a_post_that_is_not_stored_cannot_be_answered(say: Callable[..., Post], server: Server) -> None:
    with pytest.raises(
        ModelError, match="this post has no id yet, since it is not stored: answer it in MessageHasBeen"
    ):
        say("reply_to", Post(channel_id="c1"), "Yes.")
    assert server.asked == []


def test_it_writes_in_a_channel(say: Callable[..., Post], server: Server) -> None:
    say("post", "c1", "Hello all!")
    say("post", "c1", Post(message="in a thread", root_id="p1"))
    assert [said for _, said in server.asked] == [
        Post(user_id="bot1", channel_id="c1", message="Hello all!"),
        Post(user_id="bot1", channel_id="c1", message="in a thread", root_id="p1"),
    ]


def test_a_post_is_copied_and_stays_as_it_was(say: Callable[..., Post], server: Server) -> None:
    message = Post(message="Hi", props={"k": 1}, user_id="somebody", channel_id="elsewhere", root_id="r")
    for name, to in (("dm", "u1"), ("reply_to", Post(id="p", channel_id="c")), ("post", "c")):
        say(name, to, message)
        said = server.asked[-1][1]
        assert (said.message, said.props, said.user_id) == ("Hi", {"k": 1}, "bot1")
        assert said.channel_id != "elsewhere"
    expected = Post(message="Hi", props={"k": 1}, user_id="somebody", channel_id="elsewhere", root_id="r")
    assert message == expected


def test_what_the_server_says_comes_out(say: Callable[..., Post], server: Server) -> None:
    server.failures["GetDirectChannel"] = BadRequest(id="api.channel.create_direct_channel.invalid_user.app_error")
    with pytest.raises(BadRequest):
        say("dm", "nobody", "Hello?")


def test_before_activation_it_says_what_to_do(server: Server) -> None:
    app = App(bot="welcome")
    app.api_link.caller = server
    with pytest.raises(HostUnavailable, match=r"^app\.bot\.dm: the bot @welcome is made when the plugin is activated"):
        app.bot.dm("u1", "Hello!")
    assert server.asked == []


def test_on_the_event_loop_the_sync_bot_says_what_to_write(app: App, server: Server) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"`await app\.async_bot\.dm\(…\)`"):
            app.bot.dm("u1", "Hello!")

    asyncio.run_coroutine_threadsafe(main(), server.loop).result(20)


def test_the_twins_differ_in_nothing_but_that_one_is_async() -> None:
    for name in ("dm", "reply_to", "post"):
        sync, not_sync = getattr(PluginBot, name), getattr(AsyncPluginBot, name)
        assert inspect.signature(sync) == inspect.signature(not_sync)
        assert inspect.iscoroutinefunction(not_sync)


# on a whole server


def test_a_conversation_with_the_bot() -> None:
    app = App(bot=Bot(username="helper", display_name="Helper"), bot_image=PNG)

    @app.message("help")
    def help_them(post: Post) -> None:
        app.bot.reply_to(post, "What is it?")

    @app.mention("privately")
    async def privately(post: Post) -> None:
        await app.async_bot.dm(post.user_id, Post(message="Yes?", props={"mood": "kind"}))
        await app.async_bot.post(post.channel_id, "I wrote to you.")

    with Mattermost(app) as mattermost:
        ada = mattermost.add_user("ada")
        first = mattermost.post("town-square", "I need help", user=ada)
        second = mattermost.post("town-square", "still no help", user=ada, root=first)
        assert [(post.user_id, post.message) for post in mattermost.thread(first)] == [
            (app.bot.user_id, "What is it?"),
            (ada.id, "still no help"),
            (app.bot.user_id, "What is it?"),
        ]
        assert second.root_id == first.id
        mattermost.post("town-square", "@helper privately, please", user=ada)
        [call] = mattermost.calls_of("GetDirectChannel")
        assert [*call.arguments] == [app.bot.user_id, ada.id]
        assert mattermost.posts("town-square")[-1].message == "I wrote to you."
        [direct] = mattermost.posts("__".join(sorted([app.bot.user_id, ada.id])))
        assert (direct.message, direct.props["mood"], direct.props["from_bot"]) == ("Yes?", "kind", "true")
        assert app.api.get_profile_image(app.bot.user_id) == PNG
        assert [*app.kv.keys()] == []
        mattermost.disable_plugin()
        mattermost.enable_plugin()
        assert len(mattermost.calls_of("SetProfileImage")) == 1


def test_a_person_who_has_the_bots_name_already() -> None:
    mattermost = Mattermost(App(bot="ada"))
    mattermost.add_user("ada")
    with pytest.raises(Exception, match="there is an account @ada already, and it is no bot"), mattermost:
        pass


LIVE = """
    from mmhooks import App, Bot, Post

    app = App(bot=Bot(username="helper", display_name="Helper"), bot_image="assets/icon.png")
    asked = app.kv.namespace("asked")

    @app.message("help")
    def help_them(post):
        number = asked.update(post.user_id, lambda count: count + 1, default=0)
        app.bot.reply_to(post, f"Question {number}?")

    @app.mention
    async def privately(post):
        members = [member.user_id async for member in app.async_api.iter_channel_members(post.channel_id, per_page=2)]
        await app.async_bot.dm(post.user_id, f"{len(members)} could read that.")

    app.run()
"""


@pytest.mark.parametrize("host", ["netrpc", "grpc"])
def test_store_iterators_and_bot_of_a_plugin_as_a_process(tmp_path: Path, host: str) -> None:
    file = tmp_path / "plugin.py"
    file.write_text(textwrap.dedent(LIVE))
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "icon.png").write_bytes(PNG)
    with LiveMattermost(file, host=host) as mattermost:
        ada = mattermost.add_user("ada")
        for name in ("bob", "cy", "di"):
            mattermost.add_user(name)
        first = mattermost.post("town-square", "help", user=ada)
        mattermost.post("town-square", "help!", user=ada, root=first)
        bot = mattermost.user("helper")
        assert [reply.message for reply in mattermost.thread(first) if reply.user_id == bot.id] == [
            "Question 1?",
            "Question 2?",
        ]
        assert mattermost.kv[f"asked:{ada.id}"] == b"2"
        mattermost.post("town-square", "@helper are we alone?", user=ada)
        members = len(mattermost.members("town-square"))
        [call] = mattermost.calls_of("GetDirectChannel")
        assert [*call.arguments] == [bot.id, ada.id]
        [direct] = mattermost.posts("__".join(sorted([bot.id, ada.id])))
        assert direct.message == f"{members} could read that."
        assert members >= 5
        [picture] = mattermost.calls_of("SetProfileImage")
        assert [*picture.arguments] == [bot.id, PNG]
