"""Functions for messages from outside: which they get, in which order, and what they take of them."""

from __future__ import annotations

import asyncio
import enum
import functools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pytest

from mmhooks import (
    App,
    AppError,
    Blueprint,
    Bot,
    ConfigurationError,
    Context,
    GoError,
    HandlerMismatch,
    HandlerTimeout,
    Post,
    RegistrationClosed,
    RegistrationError,
    Reject,
    Stop,
    UnsupportedByHost,
    User,
)
from mmhooks.hooks import HOOKS
from mmhooks.models import Channel
from tests.loop_caller import LoopCaller

if TYPE_CHECKING:
    from decimal import Decimal

FROM_PLUGIN = {"from_plugin": "true"}
FROM_BOT = {"from_bot": "true"}
FROM_WEBHOOK = {"from_webhook": "true"}


@pytest.fixture
def app() -> App:
    return App(bot="karma")


@pytest.fixture
def heard() -> list[Any]:
    return []


def post(app: App, message: str = "", **more: Any) -> None:
    with app.test_client() as client:
        client.message_has_been_posted(Post(message=message, **more))


# which messages


def test_a_text_is_words_in_the_message_and_a_pattern_is_searched(app: App, heard: list[Any]) -> None:
    app.message("good morning")(lambda post: heard.append(("text", post.message)))
    app.message(re.compile(r"\d+"))(lambda post: heard.append(("pattern", post.message)))
    app.message()(lambda post: heard.append(("all", post.message)))
    post(app, "Good  Morning, all 5")
    assert heard == [(what, "Good  Morning, all 5") for what in ("text", "pattern", "all")]
    heard.clear()
    post(app, "good evening")
    assert heard == [("all", "good evening")]


@pytest.mark.parametrize("wanted", ["", "  ", 5, re.compile(b"x"), ["x"]])
def test_what_can_be_in_no_message_is_refused_at_its_line(app: App, wanted: Any) -> None:
    for decorator, name in ((app.message, "@app.message"), (app.mention, "@app.mention")):
        with pytest.raises(RegistrationError, match=rf"^{name} takes a text or a pattern of text, not "):
            decorator(wanted)
    with pytest.raises(RegistrationError, match=r"^@app\.message\(timeout=0\): expected seconds"):
        app.message(timeout=0)


@pytest.mark.parametrize(
    ("props", "type_", "usual", "with_bots"),
    [
        ({}, "", True, True),
        ({}, "me", True, True),
        ({}, "custom_game", True, True),
        ({"from_plugin": "false"}, "", True, True),
        (FROM_PLUGIN, "", False, False),
        (FROM_PLUGIN | FROM_BOT, "", False, False),
        ({"from_plugin": True}, "", False, False),
        (FROM_BOT, "", False, True),
        (FROM_WEBHOOK, "", False, True),
        ({}, "system_join_channel", False, False),
    ],
)
def test_who_a_message_is_from(
    app: App, heard: list[Any], props: dict[str, Any], type_: str, usual: bool, with_bots: bool
) -> None:
    app.message("hi")(lambda: heard.append("usual"))
    app.message("hi", bots=True)(lambda: heard.append("with bots"))
    post(app, "hi", props=props, type=type_)
    assert heard == ["usual"] * usual + ["with bots"] * with_bots


def test_an_own_handler_gets_every_message_and_nothing_stops_it(app: App, heard: list[Any]) -> None:
    @app.hook
    def message_has_been_posted(post: Post) -> None:
        heard.append(f"own {post.message}")

    @app.message("hi")
    async def hi() -> Stop:
        heard.append("function")
        return Stop()

    app.message()(lambda: heard.append("never after hi"))
    post(app, "hi")
    assert sorted(heard) == ["function", "own hi"]
    heard.clear()
    post(app, "hi", props=FROM_PLUGIN)
    assert heard == ["own hi"]
    assert app.implemented_hooks() == ["OnActivate", "MessageHasBeenPosted"]


def test_an_own_handler_that_fails_is_told_whatever_the_functions_do(app: App, heard: list[Any]) -> None:
    @app.hook
    def message_has_been_posted(post: Post) -> None:
        raise ZeroDivisionError

    app.message()(lambda: heard.append("function"))
    with pytest.raises(ZeroDivisionError):
        post(app, "hi")
    assert heard == ["function"]


def test_functions_need_the_hook_and_are_no_handlers_of_the_authors(heard: list[Any]) -> None:
    app = App()
    app.message("x")(lambda: None)
    assert app.implemented_hooks() == ["MessageHasBeenPosted"]
    assert not app.has_hook("MessageHasBeenPosted")
    with app.test_client() as client:
        assert client.message_has_been_posted(None).unchanged
        assert client.message_has_been_posted(Post(message="y")).unchanged


# order and stopping


@pytest.mark.parametrize("stop", [Stop, Stop()], ids=["class", "instance"])
@pytest.mark.parametrize("how", ["return", "raise", "async return", "async raise", "awaited"])
def test_functions_go_in_order_until_one_stops(app: App, heard: list[Any], stop: Any, how: str) -> None:
    def stopping() -> Any:
        heard.append("second")
        if how.endswith("raise"):
            raise stop
        return stop

    async def async_stopping() -> Any:
        return stopping()

    app.message("a")(lambda: heard.append("first"))

    def awaited() -> Any:
        return async_stopping()

    ways = {"async": async_stopping, "awaited": awaited}
    app.message(re.compile("a"))(ways.get(how.partition(" ")[0], stopping))
    app.message("a b")(lambda: heard.append("third"))
    post(app, "a b")
    assert heard == ["first", "second"]


def test_one_that_fails_does_not_stop_the_others_and_tests_see_it(
    app: App, heard: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    @app.message("a")
    def first() -> None:
        raise ZeroDivisionError

    @app.message("a")
    async def second() -> None:
        raise KeyError

    app.message("a")(lambda: heard.append("third"))
    with pytest.raises(ZeroDivisionError):
        post(app, "a")
    assert heard == ["third"]
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [text.rpartition(" ")[2] for text in texts] == ["ZeroDivisionError", "KeyError"]
    assert "first (" in texts[0]
    assert "second (" in texts[1]


def test_one_alone_fails_likewise(app: App) -> None:
    @app.message("a")
    def only() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        post(app, "a")


def test_a_function_waits_for_the_one_before(app: App, heard: list[Any]) -> None:
    @app.message()
    async def first() -> None:
        await asyncio.sleep(0)
        heard.append(threading.current_thread().name)

    @app.message()
    def second() -> None:
        heard.append(threading.current_thread().name)

    post(app)
    assert heard[0] == "mmhooks-testing"
    assert heard[1].startswith("mmhooks-handler")


def test_each_has_its_own_deadline(app: App, heard: list[Any]) -> None:
    @app.message(timeout=0.05)
    async def late() -> None:
        await asyncio.Event().wait()

    app.message()(lambda: heard.append("in time"))
    with pytest.raises(HandlerTimeout, match=r"late .* did not answer within 0\.05 s"):
        post(app)
    assert heard == ["in time"]


def test_a_host_that_hangs_up_ends_the_chain(app: App, heard: list[Any]) -> None:
    async def test() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        @app.message()
        async def first() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        app.message()(lambda: heard.append("second"))
        call = asyncio.create_task(app.invoke_hook("MessageHasBeenPosted", None, Post()))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await ended.wait()

    asyncio.run(test())
    app.dispatcher.close()
    assert heard == []


def test_those_for_whom_no_time_is_left_are_named(app: App, heard: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    @app.message()
    async def first() -> None:
        end = time.monotonic() + 0.05
        while time.monotonic() < end:  # blocks the loop, so that its deadline is not noticed
            pass

    @app.message()
    def second() -> None:
        heard.append("second")

    asyncio.run(app.invoke_hook("MessageHasBeenPosted", None, Post(), timeout=0.05))
    app.dispatcher.close()
    assert heard == []
    assert re.search(r"second \(.*\) is not called: the functions before it took all of the time", caplog.text)


def test_what_cannot_be_returned_is_a_failure(app: App) -> None:
    app.message("a")(lambda: 5)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="a function for messages cannot return 5; return nothing, or Stop"):
        post(app, "a")


def test_a_function_with_several_decorators_gets_a_message_once(app: App, heard: list[Any]) -> None:
    @app.message("a")
    @app.message("b")
    def function(post: Post) -> None:
        heard.append(post.message)

    for message in ("a", "b", "a b"):
        post(app, message)
    assert heard == ["a", "b", "a b"]


def test_blueprints_bring_functions_after_those_there_are(app: App, heard: list[Any]) -> None:
    blueprint = Blueprint()
    blueprint.message("a")(lambda: heard.append("blueprint"))
    blueprint.mention(lambda: heard.append("mention"))
    app.message("a")(lambda: heard.append("app"))
    app.include(blueprint)
    app.message("a")(lambda: heard.append("later"))
    post(app, "a @karma")
    assert heard == ["app", "blueprint", "mention", "later"]
    with pytest.raises(RegistrationClosed, match=r"^@app\.message: .* comes too late: its blueprint was included"):
        blueprint.message("a")(lambda: None)


def test_functions_may_come_after_the_client_and_not_after_the_host(app: App, heard: list[Any]) -> None:
    with app.test_client() as client:
        app.message("a")(lambda: heard.append(1))
        client.message_has_been_posted(Post(message="a"))
        app.message("a")(lambda: heard.append(2))
        client.message_has_been_posted(Post(message="a"))
    assert heard == [1, 1, 2]
    app.close_registration("the host has asked")
    with pytest.raises(RegistrationClosed):
        app.message("a")(lambda: None)


# what functions take


class Colour(enum.Enum):
    RED = "red"


def test_groups_go_into_parameters_by_name_and_annotation(app: App, heard: list[Any]) -> None:
    pattern = re.compile(
        r"(?P<text>\w+) (?P<n>\S+) (?P<x>\S+) (?P<sure>\w+) (?P<colour>\w+) (?P<pick>\w+)( (?P<more>\w+))?( (?P<last>\w+))?"
    )

    @app.message(pattern)
    def function(  # type: ignore[no-untyped-def]
        n: int,
        x: float,
        sure: bool,
        colour: Colour,
        pick: Literal["a", "b"],
        text,
        more: str | None,
        last: int = 7,
    ) -> None:
        heard.append((text, n, x, sure, colour, pick, more, last))

    post(app, "hi 5 2.5 yes RED a")
    post(app, "hi 5 2.5 no red b more 8")
    assert heard == [("hi", 5, 2.5, True, Colour.RED, "a", None, 7), ("hi", 5, 2.5, False, Colour.RED, "b", "more", 8)]


def test_a_text_that_a_parameter_cannot_take_is_no_match(app: App, heard: list[Any]) -> None:
    @app.message(re.compile(r"take (?P<n>\S+)"))
    def take(n: int) -> None:
        heard.append(n)

    post(app, "take five")
    app.message("take")(lambda: heard.append("also"))
    post(app, "take five")
    post(app, "take 5")
    assert heard == ["also", 5, "also"]


def test_the_message_itself_goes_by_name_or_by_annotation(app: App, heard: list[Any]) -> None:
    @app.message(re.compile("a(b)"))
    async def function(p: Post, context, match, c: Context | None, m: re.Match[str], default: int = 3) -> None:  # type: ignore[no-untyped-def]
        heard.append((p.message, context.request_id, match[1], c and c.request_id, m is match, default))

    with app.test_client() as client:
        client.message_has_been_posted(Post(message="ab"), Context(request_id="r"))
    assert heard == [("ab", "r", "b", "r", True, 3)]


def test_each_function_of_a_handlers_kind_will_do(app: App, heard: list[Any]) -> None:
    class Object:
        async def __call__(self, post: Post) -> None:
            heard.append("object")

        def method(self, what: str, post: Post) -> None:
            heard.append(what)

    app.message("a")(Object())
    app.message("a")(functools.partial(Object().method, "partial"))
    app.message("a")(functools.partial(Object().method, what="named"))
    post(app, "a")
    assert heard == ["object", "partial", "named"]


def bad_name(poost): ...  # type: ignore[no-untyped-def]
def bad_group(name, other): ...  # type: ignore[no-untyped-def]
def bad_positional(post, /): ...  # type: ignore[no-untyped-def]
def bad_rest(*posts): ...  # type: ignore[no-untyped-def]
def bad_model(name: User) -> None: ...
def bad_annotation(name: list[str]) -> None: ...
def bad_import(name: Decimal) -> None: ...
def bad_match(match): ...  # type: ignore[no-untyped-def]


PATTERN = re.compile("(?P<name>.)")


@pytest.mark.parametrize(
    ("wanted", "function", "reason"),
    [
        (None, bad_name, "'poost' is none of what there is: context, post"),
        (PATTERN, bad_group, "'other' is none of what there is: context, post, match, name"),
        ("text", bad_match, "'match' is none of what there is: context, post"),
        (None, bad_positional, "'post' cannot be given by its name"),
        (None, bad_rest, "'posts' cannot be given by its name"),
        (PATTERN, bad_model, "'name' cannot be made of the group's text, as its annotation is User: use str"),
        (PATTERN, bad_annotation, "'name' cannot be made of the group's text, as its annotation is list[str]"),
        (PATTERN, bad_import, "the annotation of 'name' cannot be read: NameError: name 'Decimal'"),
    ],
)
def test_a_function_that_does_not_fit_is_refused_at_import(
    app: App, wanted: Any, function: Callable[..., Any], reason: str
) -> None:
    for decorator, name in ((app.message, "@app.message"), (app.mention, "@app.mention")):
        with pytest.raises(HandlerMismatch) as caught:
            decorator(wanted)(function)
        first, second = str(caught.value).splitlines()
        assert first.startswith(f"{name}: {function.__name__} ({__file__}:")
        assert f"cannot be called: {reason}" in first
        assert second.startswith(f"  the function: {function.__name__}(")


def test_what_is_no_function_is_refused(app: App) -> None:
    with pytest.raises(HandlerMismatch, match="or what can be called like one, not 'text'"):
        app.message("a")("text")  # type: ignore[type-var]
    with pytest.raises(HandlerMismatch, match="or what can be called like one, not <class"):
        app.mention(Post)  # type: ignore[type-var]


# mentions


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("@karma", True),
        ("hey @Karma, hello", True),
        ("(@karma)", True),
        ("@karma.", True),
        ("@karma: x", True),
        ("@karma_", True),
        ("@karmas", False),
        ("@karma.bot", False),
        ("@karma-2", False),
        ("me@karma", False),
        ("@@karma", False),
        ("karma", False),
        ("`@karma`", False),
        ("```\n@karma\n```", False),
        ("```\n@karma", False),
        ("`x` @karma `y`", True),
    ],
)
def test_mentions_of_the_bot(app: App, heard: list[Any], message: str, expected: bool) -> None:
    @app.mention
    def mentioned(post: Post) -> None:
        heard.append(post.message)

    post(app, message)
    assert heard == [message] * expected


def test_a_mention_may_have_a_text_which_is_looked_for_in_the_rest(app: App, heard: list[Any]) -> None:
    app.mention(re.compile(r"^roll (?P<n>\d+)$"))(lambda n: heard.append(n))
    app.mention("karma")(lambda: heard.append("the word"))
    app.message("karma")(lambda: heard.append("anywhere"))
    post(app, "@karma: roll 5")
    assert heard == ["5", "anywhere"]
    heard.clear()
    post(app, "@karma my karma?")
    assert heard == ["the word", "anywhere"]
    heard.clear()
    post(app, "roll @karma 6")
    assert heard == ["6", "anywhere"]


def test_mentions_by_bots_are_left_out_unless_wanted(app: App, heard: list[Any]) -> None:
    app.mention(lambda: heard.append("usual"))
    app.mention(bots=True)(lambda: heard.append("with bots"))
    post(app, "@karma", props=FROM_WEBHOOK)
    assert heard == ["with bots"]


def test_without_a_bot_what_needs_one_is_refused() -> None:
    app, blueprint = App(), Blueprint()
    blueprint.mention(lambda: None)
    for decorate in (
        lambda: app.mention(lambda: None),
        lambda: app.message(direct=True)(lambda: None),
        lambda: app.include(blueprint),
    ):
        with pytest.raises(RegistrationError, match=r'this app has none: declare it by App\(bot="username"\)'):
            decorate()
    assert app.implemented_hooks() == []
    with pytest.raises(ConfigurationError, match=r'declare it by App\(bot="username"\)'):
        _ = app.bot


@pytest.mark.parametrize("bot", ["", "Karma", "@karma", "a b", "x" * 65, 5, Bot()])
def test_a_bot_needs_a_username(bot: Any) -> None:
    with pytest.raises(RegistrationError, match=r"^App\(bot=.*\): expected a username"):
        App(bot=bot)


# the bot, and direct messages


class Server(LoopCaller):
    """A server's plugin API with a direct channel of the bot's and another one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.calls: list[tuple[Any, ...]] = []
        self.fails: Exception | None = None

    async def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        if method == "GetBot":  # whether it is one
            return Bot(user_id=arguments[0])
        self.calls.append((method, *arguments))
        if self.fails is not None:
            raise self.fails
        if method == "EnsureBotUser":
            return "botid"
        assert method == "GetChannel"
        return {
            "direct": Channel(type="D", name="ada__botid"),
            "other": Channel(type="D", name="ada__bob"),
            "group": Channel(type="G", name="botid__x"),
        }[arguments[0]]


@pytest.fixture
def server(app: App) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    app.api_link.caller = server = Server(loop)
    yield server
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def activate(app: App) -> None:
    with app.test_client() as client:
        client.on_activate()


def test_the_bot_is_made_on_activation(server: Server) -> None:
    given = Bot(username="karma", display_name="Karma")
    app = App(bot=given)
    app.api_link.caller = server
    assert app.implemented_hooks() == ["OnActivate"]
    assert (app.bot.username, app.bot.user_id) == ("karma", "")
    seen = []
    app.hook("OnActivate")(lambda: seen.append(app.bot.user_id))
    activate(app)
    assert seen == ["botid"]
    [(method, bot)] = server.calls
    assert (method, bot.display_name) == ("EnsureBotUser", "Karma")
    assert given.user_id == "", "the author's own stays as it was"


def test_a_bot_that_cannot_be_made_fails_the_activation(app: App, server: Server) -> None:
    server.fails = GoError("no room")
    with app.test_client(raise_exceptions=False) as client:
        error = client.on_activate().error
    assert isinstance(error, AppError)
    assert error.message == "the bot @karma could not be made: no room"


def test_a_host_that_makes_no_bots_is_no_failure(app: App, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.fails = UnsupportedByHost("no bots here")
    activate(app)
    app.api_link.caller = None
    activate(app)
    assert "the bot @karma is not made: no bots here" in caplog.text
    assert "the bot @karma is not made: the plugin API is not there" in caplog.text


def test_direct_messages_are_those_to_the_bot_and_channels_are_asked_for_once(
    app: App, server: Server, heard: list[Any]
) -> None:
    app.message("hi", direct=True)(lambda post: heard.append(post.channel_id))
    post(app, "hi", channel_id="direct")
    assert heard == [], "the bot is not known before activation"
    activate(app)
    for channel in ("direct", "other", "group", "direct", "other"):
        post(app, "hi", channel_id=channel)
        post(app, "ho", channel_id="never asked for")
    assert heard == ["direct", "direct"]
    assert server.calls[1:] == [("GetChannel", "direct"), ("GetChannel", "other"), ("GetChannel", "group")]


def test_what_the_bot_posts_is_left_out_however_it_did(app: App, server: Server, heard: list[Any]) -> None:
    app.message(bots=True)(lambda: heard.append("x"))
    activate(app)
    post(app, "hi", user_id="botid", props=FROM_BOT)
    assert heard == []
    post(app, "hi", user_id="other", props=FROM_BOT)
    assert heard == ["x"]


def test_a_channel_that_cannot_be_asked_for_is_a_failure_of_that_function(
    app: App, server: Server, heard: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.message(direct=True)(lambda: heard.append("direct"))
    app.message()(lambda: heard.append("all"))
    activate(app)
    server.fails = AppError("no such channel")
    with pytest.raises(AppError):
        post(app, "hi", channel_id="direct")
    assert heard == ["all"]
    assert "failed: AppError: no such channel" in caplog.text


# guards


ABOUT_A_POST = [hook for hook in HOOKS.values() if hook.post is not None]


def test_the_hooks_about_a_post() -> None:
    assert [hook.name.value for hook in ABOUT_A_POST] == [
        "MessageWillBePosted",
        "MessageWillBeUpdated",
        "MessageHasBeenPosted",
        "MessageHasBeenUpdated",
        "MessageHasBeenDeleted",
    ]


@pytest.mark.parametrize("hook", ABOUT_A_POST, ids=lambda hook: hook.name)
@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({"ignore_own": True}, ["plugin"]),
        ({"ignore_bots": True}, ["bot", "webhook"]),
        ({"ignore_own": True, "ignore_bots": True}, ["plugin", "bot", "webhook"]),
        ({}, []),
    ],
)
def test_guards_keep_marked_posts_from_a_handler(
    hook: Any, heard: list[Any], options: dict[str, bool], left_out: list[str]
) -> None:
    app = App()

    @app.hook(hook.name, **options)  # type: ignore[untyped-decorator]
    def handler(context: Context | None) -> None:  # it takes no post: the guard does
        heard.append(context and context.request_id)

    posts = {"person": {}, "plugin": FROM_PLUGIN, "bot": FROM_BOT, "webhook": FROM_WEBHOOK}
    with app.test_client() as client:
        for name, props in posts.items():
            about = Post(message="hi", props=props)
            result = client.call(
                hook.name, context=Context(request_id=name), **{hook.parameters[hook.post].name: about}
            )
            assert result.unchanged
            assert result.value in (None, about)
        client.call(hook.name)
    assert heard == [name for name in posts if name not in left_out] + [None]


def test_a_guard_is_for_hooks_about_a_post(app: App) -> None:
    with pytest.raises(
        RegistrationError, match=r"^UserWillLogIn: ignore_own and ignore_bots are for the hooks about a"
    ):
        app.hook("UserWillLogIn", ignore_bots=True)(lambda user: None)  # type: ignore[call-overload]


def test_a_guard_and_functions_for_messages_go_together(app: App, heard: list[Any]) -> None:
    @app.hook("MessageHasBeenPosted", ignore_own=True)
    def own(post: Post) -> None:
        heard.append("own")

    app.message(bots=True)(lambda: heard.append("function"))
    post(app, "x", props=FROM_PLUGIN)
    post(app, "x", props=FROM_BOT)
    assert sorted(heard) == ["function", "own"]


def test_a_guarded_handler_of_a_blueprint_keeps_its_answer_to_failures() -> None:
    app, blueprint = App(), Blueprint(on_error=Reject("later"))

    @blueprint.hook("MessageWillBePosted", ignore_own=True)
    def broken(post: Post) -> None:
        raise ZeroDivisionError

    app.include(blueprint)
    with app.test_client(raise_exceptions=False) as client:
        assert client.message_will_be_posted(Post(message="x")).reason == "later"
        assert client.message_will_be_posted(Post(message="x", props=FROM_PLUGIN)).unchanged
