"""Slash commands from outside: what people type, what the function gets, and what people read."""

from __future__ import annotations

import asyncio
import enum
import functools
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest

from mmhooks import (
    App,
    AppError,
    Blueprint,
    Channel,
    CommandArgs,
    CommandResponse,
    Context,
    DuplicateHandler,
    GoError,
    HandlerMismatch,
    HandlerTimeout,
    NotFound,
    Post,
    RegistrationClosed,
    RegistrationError,
    Reject,
    UnsupportedByHost,
    User,
)
from mmhooks.models import AutocompleteData, Command
from mmhooks.testing.results import Result
from tests.loop_caller import LoopCaller

if TYPE_CHECKING:
    from decimal import Decimal


class Units(enum.Enum):
    METRIC = "metric"
    US = "us"


class Level(enum.Enum):
    LOW = (1, 2)
    VERY_HIGH = (3, 4)


class Server(LoopCaller):
    """A server's plugin API with two people and two channels."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.calls: list[tuple[Any, ...]] = []
        self.fails: dict[str, Exception] = {}
        self.registered: list[Command] = []

    async def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        self.calls.append((method, *arguments))
        if method in self.fails:
            raise self.fails[method]
        return getattr(self, method)(*arguments)

    def RegisterCommand(self, command: Command) -> None:  # noqa: N802 - the server's names
        self.registered.append(Command.from_dict(command.to_dict()))

    def GetUserByUsername(self, name: str) -> User:  # noqa: N802
        return self.GetUser({"ada": "u1", "bob.b": "u2"}.get(name, name))

    def GetUser(self, user_id: str) -> User:  # noqa: N802
        if user_id not in ("u1", "u2"):
            raise AppError("no such user", status_code=404)
        return User(id=user_id, username="ada" if user_id == "u1" else "bob.b")

    def GetChannelByName(self, team_id: str, name: str, deleted: bool) -> Channel:  # noqa: N802
        assert (team_id, deleted) == ("t1", False)
        return self.GetChannel({"town-square": "c1", "secret": "c2"}.get(name, name))

    def GetChannel(self, channel_id: str) -> Channel:  # noqa: N802
        if channel_id not in ("c1", "c2"):
            raise AppError("no such channel", status_code=404)
        return Channel(id=channel_id, type="O" if channel_id == "c1" else "P")

    def GetChannelMember(self, channel_id: str, user_id: str) -> None:  # noqa: N802
        if user_id != "member":
            raise AppError("no such member", status_code=404)


@pytest.fixture
def app() -> App:
    return App()


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


def run(app: App, line: str, **more: Any) -> str:
    """What the user reads who types a line."""
    with app.test_client() as client:
        value = client.run_command(line, **more).value
    assert value is not None
    assert value.response_type == ("ephemeral" if value.text else "")
    return value.text


def shows(app: App, name: str = "do") -> Callable[[Callable[..., Any]], None]:
    """Makes a command of a function that returns what it was called with, as a tuple."""

    def decorate(function: Callable[..., Any]) -> None:
        @app.command(name)
        @functools.wraps(function)
        def command(*args: Any, **kwargs: Any) -> str:
            return repr(function(*args, **kwargs))

    return decorate


# routing


def test_a_function_is_called_with_what_was_typed(app: App) -> None:
    @app.command("weather")
    def weather(city: str) -> str:
        return f"In {city} it rains."

    assert run(app, "/weather Paris") == "In Paris it rains."
    assert weather("Rome") == "In Rome it rains.", "the function is as it was"


def test_an_async_function_runs_on_the_loop_and_a_sync_one_in_a_thread(app: App) -> None:
    @app.command("loop")
    async def on_loop() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    @app.command("thread")
    def in_thread() -> str:
        return threading.current_thread().name

    assert run(app, "/loop") == "mmhooks-testing"
    assert run(app, "/thread").startswith("mmhooks-handler")


def test_a_sync_function_may_return_what_is_to_be_awaited(app: App) -> None:
    async def later(text: str) -> str:
        return text.upper()

    @app.command("later")
    def command(text: str) -> Any:
        return later(text)

    assert run(app, "/later hi") == "HI"


def test_the_longest_words_that_are_a_command_count(app: App) -> None:
    app.command("weather")(lambda city="here": f"now in {city}")
    app.command("weather in")(lambda city: f"in {city}")
    app.command("weather in detail")(lambda: "in detail")
    assert run(app, "/weather") == "now in here"
    assert run(app, "/weather Rome") == "now in Rome"
    assert run(app, "/weather in Rome") == "in Rome"
    assert run(app, "/weather in detail") == "in detail"
    assert run(app, "/weather 'in' x").startswith("`x` is too much."), "in quotes it is no word of a command"


def test_capitals_and_blanks_do_not_count(app: App) -> None:
    app.command("/weather today")(lambda city: city)
    assert run(app, "/WEATHER   Today   Rome ") == "Rome"


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("hi", CommandResponse(response_type="ephemeral", text="hi")),
        (
            CommandResponse(response_type="in_channel", text="all"),
            CommandResponse(response_type="in_channel", text="all"),
        ),
        (None, CommandResponse()),
        ("", CommandResponse(response_type="ephemeral")),
    ],
)
def test_a_text_is_for_the_user_alone_a_response_as_it_is_and_nothing_is_an_empty_one(
    app: App, returned: Any, expected: CommandResponse
) -> None:
    app.command("x")(lambda: returned)
    with app.test_client() as client:
        assert client.run_command("/x").value == expected


def test_what_cannot_be_returned_is_a_failure(app: App) -> None:
    app.command("x")(lambda: 5)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="a command cannot return 5; return a text"):
        run(app, "/x")


def test_an_own_handler_gets_what_no_command_takes(app: App) -> None:
    @app.hook
    async def execute_command(args: CommandArgs) -> CommandResponse:
        return CommandResponse(response_type="ephemeral", text=f"own: {args.command}")

    app.command("weather")(lambda: "command")
    assert run(app, "/weather") == "command"
    assert run(app, "/other x") == "own: /other x"
    assert run(app, "no slash") == "own: no slash"
    assert app.implemented_hooks() == ["OnActivate", "ExecuteCommand"]


def test_an_own_handler_may_come_after_the_client_and_the_commands(app: App) -> None:
    with app.test_client() as client:
        app.command("weather")(lambda: "command")
        app.hook("ExecuteCommand")(lambda args: CommandResponse(text="own"))
        assert client.run_command("/x").value == CommandResponse(text="own")
        assert client.run_command("/weather").value


def test_without_one_unknown_commands_are_told(app: App) -> None:
    app.command("weather")(lambda: "")
    assert run(app, "/wether x") == "There is no `/wether` command; did you mean `/weather`?"
    assert run(app, "/zzz") == "There is no `/zzz` command."
    assert run(app, "weather") == "There is no `weather` command; did you mean `/weather`?"
    assert run(app, "") == "There is no such command."
    with app.test_client() as client:
        assert client.execute_command(None).value


def test_commands_need_two_hooks_and_are_no_handlers_of_the_authors(app: App) -> None:
    app.command("x")(lambda: "")
    assert app.implemented_hooks() == ["OnActivate", "ExecuteCommand"]
    assert not app.has_hook("ExecuteCommand")


def test_blueprints_bring_commands(app: App) -> None:
    blueprint = Blueprint()
    blueprint.command("a b")(lambda: "from the blueprint")
    app.command("a")(lambda: "from the app")
    app.include(blueprint)
    assert (run(app, "/a"), run(app, "/a b")) == ("from the app", "from the blueprint")
    with pytest.raises(RegistrationClosed, match=r"/late: .* comes too late: its blueprint was included before"):
        blueprint.command("late")(lambda: "")


# arguments


def test_words_go_into_parameters_by_their_annotations(app: App) -> None:
    @shows(app)
    def do(a: str, b: int, c: float, d: bool, e: Literal["x", 5], f: Units, g: Level, h=None) -> Any:  # type: ignore[no-untyped-def]
        return a, b, c, d, e, f, g, h

    assert run(app, "/do 7 -7 2.5 Yes 5 METRIC very_high rest") == str(
        ("7", -7, 2.5, True, 5, Units.METRIC, Level.VERY_HIGH, "rest")
    )
    assert run(app, '/do "" 0 1e3 off X us low') == str(("", 0, 1000.0, False, "x", Units.US, Level.LOW, None))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/do x", "`number` takes a whole number, not `x`."),
        ("/do 1.5", "`number` takes a whole number, not `1.5`."),
        ("/do 1 nan", "`share` takes a number, not `nan`."),
        ("/do 1 1 maybe", "`sure` takes yes or no, not `maybe`."),
        ("/do 1 1 yes ''", "`colour` takes red, green or blue, not nothing."),
        ("/do 1 1 yes grene", "`colour` takes red, green or blue, not `grene`; did you mean `green`?"),
        ("/do 1 1 yes red metrics", "`unit-name` takes metric or us, not `metrics`; did you mean `metric`?"),
        ("/do", "`number` is missing."),
        ("/do 1 1 yes red us too much", "`too much` is too much."),
    ],
)
def test_bad_usage_names_what_is_wrong_and_shows_the_usage(app: App, line: str, told: str) -> None:
    @app.command("do")
    def do(
        number: int,
        share: float = 0,
        sure: bool = True,
        colour: Literal["red", "green", "blue"] = "red",
        unit_name: Units = Units.US,
    ) -> str:
        raise AssertionError

    usage = "`/do <number> [share] [yes|no] [red|green|blue] [metric|us]`"
    assert run(app, line) == f"{told}\nUsage: {usage}"


def test_a_hint_stands_in_the_usage_in_place_of_the_parameters(app: App) -> None:
    app.command("do", hint="[what]")(lambda what: what)
    assert run(app, "/do") == "`what` is missing.\nUsage: `/do [what]`"


def test_what_people_typed_is_shown_short_and_formats_nothing(app: App) -> None:
    @app.command("do")
    def do(number: int) -> str:
        raise AssertionError

    told = run(app, "/do '`x` **y**\n" + "z" * 100 + "'").partition("\n")[0]
    assert told == "`number` takes a whole number, not `'x' **y** " + "z" * 49 + "…`."


def test_a_text_of_several_words_wants_quotes_and_that_is_said(app: App) -> None:
    app.command("do")(lambda city: city)
    assert run(app, '/do "New York"') == "New York"
    assert run(app, "/do New York").startswith("`York` is too much. Put quotes around a text of several words.")
    assert run(app, "/do don't") == "don't"


def test_rest_takes_all_that_is_left(app: App) -> None:
    @shows(app)
    def do(first: str, *rest: int) -> Any:
        return first, rest

    assert run(app, "/do a 1 2 3") == "('a', (1, 2, 3))"
    assert run(app, "/do a") == "('a', ())"
    assert run(app, "/do a 1 x").startswith("`rest` takes a whole number, not `x`.\nUsage: `/do <first> [rest…]`")


def test_none_may_be_left_out(app: App) -> None:
    @shows(app)
    def do(a: str | None, b: int | None = 5) -> Any:
        return a, b

    assert run(app, "/do") == "(None, 5)"
    assert run(app, "/do x 6") == "('x', 6)"


def test_keyword_only_parameters_are_options(app: App) -> None:
    @shows(app)
    def do(a: str = "", *, days: int = 1, dry_run: bool = False, loud: bool, ask: bool = True) -> Any:
        return a, days, dry_run, loud, ask

    assert run(app, "/do") == "('', 1, False, False, True)"
    assert run(app, "/do x --days 3 --dry-run") == "('x', 3, True, False, True)"
    assert run(app, "/do --DAYS=3 --dry_run --loud x --no-ask") == "('x', 3, True, True, False)"
    assert run(app, "/do —days 3 –loud x") == "('x', 3, False, True, True)", "phones make a dash of two"  # noqa: RUF001
    assert run(app, "/do --days -3") == "('', -3, False, False, True)"
    assert run(app, "/do '--days'") == "('--days', 1, False, False, True)"
    assert run(app, "/do --loud -- --days") == "('--days', 1, False, True, True)"
    assert run(app, "/do -- -") == "('-', 1, False, False, True)"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/do --to x --dais 3", "There is no option `--dais`; did you mean `--days`?"),
        ("/do --to x --no-days", "There is no option `--no-days`"),
        ("/do --to x --days", "`--days` needs a value: a whole number."),
        ("/do --to x --days many", "`--days` takes a whole number, not `many`."),
        ("/do --to x --loud=5", "`--loud` takes no value."),
        ("/do --days 3", "`--to` is missing."),
    ],
)
def test_bad_options_are_told(app: App, line: str, told: str) -> None:
    @app.command("do")
    def do(*, to: str, days: int = 1, loud: bool = False, quick: bool = True) -> str:
        raise AssertionError

    text = run(app, line)
    assert text.startswith(told)
    assert text.endswith("\nUsage: `/do --to <text> [--days <number>] [--loud] [--no-quick]`")


def test_without_options_dashes_are_text(app: App) -> None:
    app.command("say")(lambda text: text)
    assert run(app, "/say --hello") == "--hello"


def test_the_hooks_own_arguments_go_by_annotation_or_by_name(app: App) -> None:
    @app.command("x")
    async def by_name(context, word: str, args):  # type: ignore[no-untyped-def]
        return f"{type(context).__name__} {word} {args.user_id}"

    @app.command("y")
    def by_annotation(c: Context, word: str, *, given: CommandArgs) -> str:
        return f"{type(c).__name__} {word} {given.channel_id}"

    @app.command("z")
    def not_by_name(args: int, context: str) -> str:
        return f"{args + 1} {context}"

    with app.test_client() as client:
        answer = client.run_command("/x hi", user_id="u1", context=Context(request_id="r")).value
    assert answer
    assert answer.text == "Context hi u1"
    assert run(app, "/y hi", channel_id="c1", context=Context()) == "Context hi c1"
    assert run(app, "/z 4 5") == "5 5"


def test_users_are_found_by_mention(app: App, server: Server) -> None:
    @app.command("who")
    def who(*users: User) -> str:
        return " ".join(user.username for user in users)

    @app.command("async who")
    async def async_who(user: User | None = None) -> str:
        return user.id if user else "nobody"

    assert run(app, "/who @ada bob.b, @ADA!") == "ada bob.b ada"
    assert server.calls[0] == ("GetUserByUsername", "ada")
    assert run(app, "/async who @ada") == "u1"
    assert run(app, "/async who") == "nobody"
    assert run(app, "/async who @eve").startswith("There is no user `@eve`.\nUsage: `/async who [@user]`")
    assert run(app, "/who @").startswith("`users` takes a user, as in @name, not `@`.")


def test_what_the_server_found_in_the_line_is_used(app: App, server: Server) -> None:
    @app.command("at")
    def at(user: User, channel: Channel) -> str:
        return f"{user.id} {channel.id}"

    args = CommandArgs(
        command="/at @nick ~lounge", user_mentions={"nick": "u2"}, channel_mentions={"lounge": "c1"}, team_id="t1"
    )
    with app.test_client() as client:
        answer = client.execute_command(args).value
    assert answer == CommandResponse(response_type="ephemeral", text="u2 c1")
    assert server.calls == [("GetUser", "u2"), ("GetChannel", "c1")]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_private_channel_is_there_for_its_members_only(app: App, server: Server, is_async: bool) -> None:
    async def async_go(channel: Channel) -> str:
        return channel.id

    def go(channel: Channel) -> str:
        return channel.id

    app.command("go")(async_go if is_async else go)
    where = {"team_id": "t1"}
    assert run(app, "/go ~town-square", user_id="stranger", **where) == "c1"
    assert run(app, "/go ~secret", user_id="member", **where) == "c2"
    for name in ("secret", "nowhere"):
        text = run(app, f"/go ~{name}", user_id="stranger", **where)
        assert text.startswith(f"There is no channel `~{name}`.\nUsage: `/go <~channel>`")


def test_annotations_may_be_local_or_texts_and_describe(app: App) -> None:
    class Local(enum.Enum):
        ONE = "one"

    @app.command("do", description="Does it.")
    def do(which: Annotated[Local, "which one"], city: Annotated[str | None, "where"] = None) -> str:
        return f"{which} {city}"

    assert run(app, "/do one") == "Local.ONE None"
    assert run(app, "/do help") == "\n".join(
        ["`/do`: Does it.", "Usage: `/do <one> [city]`", "- `which`: which one", "- `city`: where"]
    )


class Remembers:
    """Methods and objects that can be called are functions, too."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def method(self, word: str, times: int = 1) -> str:
        self.seen += [word] * times
        return " ".join(self.seen)

    async def __call__(self, word: str) -> str:
        return word.upper()


def test_methods_objects_and_partials_can_be_commands(app: App) -> None:
    remembers = Remembers()
    app.command("method")(remembers.method)
    app.command("object")(remembers)
    app.command("partial")(functools.partial(remembers.method, times=2))
    assert run(app, "/method a") == "a"
    assert run(app, "/object hi") == "HI"
    assert run(app, "/partial b") == "a b b"
    assert run(app, "/partial b --times 3").startswith("`--times 3` is too much.")


# mistakes at import


def test_a_name_that_nobody_could_type_is_refused_at_its_line(app: App) -> None:
    for name in ("", "/", "Weather", "weather Today", "//x", "a -b", "a 'b"):
        with pytest.raises(RegistrationError, match=r"@app\.command"):
            app.command(name)
    with pytest.raises(RegistrationError, match="takes the words of a command, not <function"):
        app.command(lambda: "")  # type: ignore[arg-type]
    with pytest.raises(RegistrationError, match=r"@app\.command\('x', timeout='5'\): expected seconds"):
        app.command("x", timeout="5")  # type: ignore[arg-type]


def test_a_second_function_is_refused_with_both_places(app: App) -> None:
    @app.command("a b")
    def first() -> None: ...

    def second(x: int) -> None: ...

    with pytest.raises(DuplicateHandler) as caught:
        app.command("/a  b")(second)
    lines = str(caught.value).splitlines()
    assert lines[0] == "/a b has a function already, and a command takes one at most:"
    assert re.fullmatch(r"  first:  .*first \(.*test_commands.py:\d+\): first\(\) -> 'None'", lines[1])
    assert re.fullmatch(r"  second: .*second \(.*test_commands.py:\d+\): second\(x: 'int'\) -> 'None'", lines[2])


def test_a_blueprint_that_does_not_fit_brings_nothing(app: App) -> None:
    app.command("b")(lambda: "")
    blueprint = Blueprint()
    blueprint.command("a")(lambda: "")
    blueprint.command("b")(lambda: "")
    blueprint.hook("OnActivate")(lambda: None)
    with pytest.raises(DuplicateHandler):
        app.include(blueprint)
    assert run(app, "/a") == "There is no `/a` command."
    assert app.registered_hooks() == []


def test_commands_come_too_late_once_a_host_has_asked(app: App) -> None:
    app.close_registration("the host has asked which hooks there are")
    with pytest.raises(RegistrationClosed, match=r"^/x: .* comes too late: the host has asked"):
        app.command("x")(lambda: "")


def bad_dict(a: dict[str, int]) -> str: ...  # type: ignore[empty-body]
def bad_union(a: int | str) -> str: ...  # type: ignore[empty-body]
def bad_keywords(**options: str) -> str: ...  # type: ignore[empty-body]
def bad_import(a: Decimal) -> str: ...  # type: ignore[empty-body]
def bad_model(a: Post) -> str: ...  # type: ignore[empty-body]
def bad_literal(a: Literal[b"x"]) -> str: ...  # type: ignore[empty-body]
def bad_order(a: str | None, b: str) -> str: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (bad_dict, "'a' cannot be made of what people type, as its annotation is dict[str, int]"),
        (bad_union, "'a' cannot be made of what people type, as its annotation is int | str: use str, int"),
        (bad_keywords, "**options cannot be filled: name the options, as keyword-only parameters"),
        (bad_import, "the annotation of 'a' cannot be read: NameError: name 'Decimal' is not defined. Import what it"),
        (bad_model, "'a' cannot be made of what people type, as its annotation is Post"),
        (bad_literal, "'a' cannot be made of what people type, as its annotation is typing.Literal"),
        (bad_order, "'b' has to be given, and stands after 'a', which may be left out"),
    ],
)
def test_a_function_that_no_line_fits_is_refused_at_import(app: App, function: Callable[..., Any], reason: str) -> None:
    with pytest.raises(HandlerMismatch) as caught:
        app.command("do")(function)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"@app.command('do'): {function.__name__} ({__file__}:")
    assert f"cannot be its function: {reason}" in first
    assert second.startswith(f"  the function: {function.__name__}(")


def test_what_is_no_function_is_refused(app: App) -> None:
    with pytest.raises(HandlerMismatch, match="a command is a function or what can be called like one, not 'text'"):
        app.command("x")("text")  # type: ignore[type-var]
    with pytest.raises(HandlerMismatch, match="not <class"):
        app.command("x")(Remembers)  # type: ignore[type-var]


# help


@pytest.fixture
def karma(app: App) -> App:
    @app.command("karma", description="Who deserves what.")
    def karma(*, all: bool = False) -> str:  # noqa: A002
        return "yours"

    @app.command("karma top")
    def top(n: int = 5) -> str:
        """The best.

        More about them.
        """
        return str(n)

    app.command("karma of them", hint="@them")(lambda *them: "")
    app.command("group one")(lambda: "1")
    return app


KARMA_HELP = """\
`/karma`: Who deserves what.
Usage: `/karma [--all]`
Or:
- `/karma top [n]`: The best.
- `/karma of them @them`"""


@pytest.mark.parametrize("line", ["/karma help", "/karma HELP ", "/karma --help"])
def test_help_is_made_of_what_is_declared(karma: App, line: str) -> None:
    assert run(karma, line) == KARMA_HELP


def test_what_only_has_words_below_shows_them(karma: App) -> None:
    assert run(karma, "/group") == run(karma, "/group help") == "`/group` is followed by:\n- `/group one`"
    assert run(karma, "/karma top help") == "`/karma top`: The best.\nUsage: `/karma top [n]`"


def test_near_misses_below_are_suggested(karma: App) -> None:
    assert run(karma, "/group oen 5") == (
        "There is no `/group oen`; did you mean `/group one`?\n`/group` is followed by:\n- `/group one`"
    )
    assert run(karma, "/karma tpo") == f"There is no `/karma tpo`; did you mean `/karma top`?\n{KARMA_HELP}"
    assert run(karma, "/karma --al").startswith("There is no option `--al`; did you mean `--all`?")
    assert run(karma, "/karma --all") == "yours"


def test_help_can_be_the_authors_own_and_words_of_a_text(app: App) -> None:
    app.command("say")(lambda *words: " ".join(words))
    app.command("do help")(lambda: "mine")
    assert run(app, "/say help me") == "help me"
    assert run(app, "/do help") == "mine"


# failures


def test_an_exception_is_raised_in_tests(app: App) -> None:
    @app.command("boom")
    def boom() -> str:
        raise ZeroDivisionError("by zero")

    with app.test_client() as client, pytest.raises(ZeroDivisionError):
        client.run_command("/boom")


@pytest.mark.parametrize("is_async", [False, True])
def test_under_a_host_the_user_reads_an_apology_and_the_log_has_the_traceback(
    app: App, caplog: pytest.LogCaptureFixture, is_async: bool
) -> None:
    async def async_boom() -> str:
        raise ZeroDivisionError("by zero")

    def boom() -> str:
        raise ZeroDivisionError("by zero")

    app.command("boom now")(async_boom if is_async else boom)
    result = run_as_host(app, "/boom now")
    assert result.error is None
    assert result.value == CommandResponse(
        response_type="ephemeral", text="Sorry, something went wrong with `/boom now`."
    )
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "boom (" in record.getMessage()
    assert record.getMessage().endswith("failed: ZeroDivisionError: by zero")
    assert record.exc_info
    assert record.exc_info[2]
    assert record.exc_info[2].tb_frame.f_code.co_filename == __file__, "from the author's code on"


def run_as_host(app: App, line: str) -> Result[CommandResponse]:
    with app.test_client(raise_exceptions=False) as client:
        return client.run_command(line)


@pytest.mark.parametrize("is_async", [False, True])
def test_an_app_error_keeps_its_message_for_the_user(
    app: App, caplog: pytest.LogCaptureFixture, is_async: bool
) -> None:
    async def async_no() -> str:
        raise NotFound("There is no such list.", detailed_error="of 5")

    def no() -> str:
        raise NotFound("There is no such list.", detailed_error="of 5")

    app.command("no")(async_no if is_async else no)
    with caplog.at_level(logging.INFO):
        assert run(app, "/no") == "There is no such list."
    [record] = caplog.records
    assert (record.levelname, record.exc_info) == ("INFO", None)
    assert record.getMessage().endswith("answers: There is no such list.: of 5")


def test_a_server_that_fails_to_find_a_user_says_why(app: App, server: Server) -> None:
    @app.command("who")
    def who(user: User) -> str:
        raise AssertionError

    server.fails["GetUserByUsername"] = AppError("The database is away.")
    assert run(app, "/who @ada") == "The database is away."
    server.fails["GetUserByUsername"] = GoError("EOF")
    with pytest.raises(GoError):
        run(app, "/who @ada")
    answer = run_as_host(app, "/who @ada").value
    assert answer
    assert answer.text == "Sorry, something went wrong with `/who`."


def test_a_late_function_is_an_apology_after_its_own_deadline(app: App) -> None:
    @app.command("slow", timeout=0.05)
    async def slow() -> None:
        await asyncio.Event().wait()

    with pytest.raises(HandlerTimeout, match=r"slow .* did not answer within 0\.05 s"):
        run(app, "/slow")
    answer = run_as_host(app, "/slow").value
    assert answer
    assert answer.text == "Sorry, something went wrong with `/slow`."


def test_reject_is_no_answer_of_a_command(app: App, caplog: pytest.LogCaptureFixture) -> None:
    @app.command("no")
    def no() -> str:
        raise Reject("no")

    answer = run_as_host(app, "/no").value
    assert answer
    assert answer.text.startswith("Sorry")
    assert "write: raise AppError('no')" in caplog.text


# registration


def activate(app: App) -> None:
    with app.test_client() as client:
        client.on_activate()


def test_commands_are_registered_on_activation_before_the_handler(app: App, server: Server) -> None:
    @app.command("weather", hint="[city]", description="How the weather is.")
    def weather(city: str) -> None: ...

    app.command("other")(lambda: "")

    @app.hook
    def on_activate() -> None:
        assert len(server.registered) == 2

    activate(app)
    first, second = server.registered
    assert (first.trigger, first.auto_complete, first.team_id) == ("weather", True, "")
    assert (first.auto_complete_desc, first.auto_complete_hint) == ("How the weather is.", "[city]")
    assert (second.trigger, second.auto_complete_desc, second.auto_complete_hint) == ("other", "", "")


def suggested(server: Server) -> AutocompleteData:
    data = server.registered[-1].autocomplete_data
    assert data
    return data


def test_suggestions_are_made_of_the_parameters(app: App, server: Server) -> None:
    @app.command("do")
    def do(
        city: Annotated[str, "the city"],
        units: Units = Units.US,
        sure: bool = True,
        *more: Channel,
        days: int = 1,
        colour: Literal["red", "blue"] = "red",
        verbose: bool = False,
        user: User,
    ) -> None:
        """Does it."""

    activate(app)
    data = suggested(server)
    hint = "<city> [metric|us] [yes|no] [~more…] [--days <number>] [--colour <red|blue>] [--verbose] --user <@user>"
    assert (data.trigger, data.help_text, data.hint, data.sub_commands) == ("do", "Does it.", hint, [])
    shown = [(a.name, a.help_text, a.type, a.required) for a in data.arguments]
    assert shown == [
        ("", "the city", "TextInput", True),
        ("", "units", "StaticList", False),
        ("", "sure", "StaticList", False),
        ("", "more", "TextInput", True),  # the server wants it so of a text without a name
        ("days", "days", "TextInput", False),
        ("colour", "colour", "StaticList", False),
        ("user", "user", "TextInput", True),
    ]
    lists = [[item["Item"] for item in a.data["PossibleArguments"]] for a in data.arguments if a.type == "StaticList"]
    assert lists == [["metric", "us"], ["yes", "no"], ["red", "blue"]]


def test_commands_below_are_suggested_in_place_of_arguments(karma: App, server: Server) -> None:
    activate(karma)
    assert [command.trigger for command in server.registered] == ["karma", "group"]
    data = server.registered[0].autocomplete_data
    assert data
    assert (data.arguments, data.hint) == ([], "[--all]")
    below = [(sub.trigger, sub.hint, sub.help_text) for sub in data.sub_commands]
    assert below == [
        ("top", "[n]", "The best."),
        ("of", "[them]", "them"),
        ("help", "", "How to use /karma"),
    ]
    assert [sub.trigger for sub in data.sub_commands[1].sub_commands] == ["them", "help"]
    assert (server.registered[1].auto_complete_desc, server.registered[1].auto_complete_hint) == ("one", "[one]")


def test_what_is_suggested_keeps_the_servers_rules(karma: App, server: Server) -> None:
    activate(karma)
    waiting = [command.autocomplete_data for command in server.registered]
    seen = 0
    while waiting:
        data = waiting.pop()
        assert data
        seen += 1
        assert data.trigger
        assert data.trigger == data.trigger.lower()
        assert not (data.arguments and data.sub_commands)
        names = [bool(argument.name) for argument in data.arguments]
        assert names == sorted(names), "those without a name come first"
        assert all(a.required for a in data.arguments if a.type == "TextInput" and not a.name)
        waiting += data.sub_commands
    assert seen == 9


def test_a_host_without_suggestions_gets_the_hints(app: App, server: Server) -> None:
    class Plain(Server):
        def RegisterCommand(self, command: Command) -> None:  # noqa: N802
            if command.autocomplete_data is not None:
                raise UnsupportedByHost("Command.autocomplete_data")
            super().RegisterCommand(command)

    app.api_link.caller = plain = Plain(server.loop)
    app.command("a")(lambda x: "")
    app.command("b")(lambda: "")
    activate(app)
    assert [(c.trigger, c.auto_complete_hint, c.autocomplete_data) for c in plain.registered] == [
        ("a", "<x>", None),
        ("b", "", None),
    ]
    assert len(plain.calls) == 3, "it is asked once"


@pytest.mark.parametrize("error", [GoError("invalid command"), AppError("no"), TimeoutError()])
def test_a_failing_registration_fails_the_activation(app: App, server: Server, error: Exception) -> None:
    app.command("a")(lambda: "")
    called: list[None] = []
    app.hook("OnActivate")(lambda: called.append(None))
    server.fails["RegisterCommand"] = error
    with app.test_client(raise_exceptions=False) as client:
        told = client.on_activate().error
    assert isinstance(told, AppError)
    assert told.message.startswith("the command /a could not be registered: ")
    assert not called


def test_a_host_without_a_plugin_api_is_no_failure(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.command("a")(lambda: "")
    activate(app)
    assert "commands are not registered: the plugin API is not there" in caplog.text


def test_without_commands_nothing_is_registered(app: App, server: Server) -> None:
    app.hook("OnActivate")(lambda: None)
    activate(app)
    assert server.calls == []
