"""Commands, functions for messages and the bot, with the real Go host at the other end of each wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Start
from tests.hosts.conftest import Served, serve

PLUGIN = """
    import enum, re
    from typing import Annotated, Literal
    from mmhooks import App, Channel, CommandArgs, User

    app = App(bot="karma")

    @app.command("weather", description="How the weather is.")
    def weather(city: Annotated[str, "where"], units: Literal["metric", "us"] = "metric", *, days: int = 1) -> str:
        return f"{city} {units} {days}"

    @app.command("weather who")
    async def who(user: User, channel: Channel | None, args: CommandArgs) -> str:
        return f"{user.username} {channel and channel.name} {args.user_id}"

    @app.command("plain")
    def plain(city: Annotated[str, "where"], units: Literal["metric", "us"] = "metric", *, days: int = 1) -> str:
        raise ZeroDivisionError("secret")

    @app.message(re.compile(r"(?P<name>\\w+)\\+\\+"))
    async def thanks(name: str) -> None:
        app.logger.info("thanks, %s", name)

    @app.message("hello", direct=True)
    def hello(post) -> None:
        app.logger.info("hello in %s", post.channel_id)

    app.run()
"""


@pytest.fixture(params=["netrpc", "grpc"])
def served(request: pytest.FixtureRequest, start_plugin: Start) -> Served:
    served = serve(start_plugin, PLUGIN, request.param)
    served.answer("EnsureBotUser", **given(served, "bot_user_id", "botid"))
    return served


def given(served: Served, field: str, value: Any) -> dict[str, Any]:
    """A result of the plugin API on the served wire: the first one over net/rpc, or a field of the response."""
    return {"A": value} if served.wire == "netrpc" else {field: value}


def text(served: Served, line: str, **args: str) -> str:
    answer = served.call("ExecuteCommand", args={"command": line, "user_id": "u9", "team_id": "t1", **args})
    response = answer["A"] if served.wire == "netrpc" else answer["response"]
    assert response["response_type"] == "ephemeral"
    return str(response["text"])


def sent(served: Served, method: str, name: str) -> list[Any]:
    """What a method was called with."""
    return [
        call["args"]["A"] if served.wire == "netrpc" else call["request"][name]
        for call in served.plugin.api_calls(method)
    ]


def test_commands_and_the_bot_are_told_to_the_server(served: Served) -> None:
    served.activate()
    [bot] = sent(served, "EnsureBotUser", "bot")
    assert bot["username"] == "karma"
    commands = [command for command in sent(served, "RegisterCommand", "command") if command.get("autocomplete_data")]
    plain = [command for command in sent(served, "RegisterCommand", "command") if not command.get("autocomplete_data")]
    hint = "<city> [metric|us] [--days <number>]"
    told = [(c["trigger"], c["auto_complete"], c["auto_complete_hint"]) for c in commands or plain]
    assert told == [("weather", True, hint), ("plain", True, hint)]
    if served.wire == "grpc":
        assert not commands, "this wire has no place for suggestions"
        return
    assert not plain
    below = commands[0]["autocomplete_data"]["SubCommands"]
    assert [(sub["Trigger"], sub["Hint"]) for sub in below] == [("who", "<@user> [~channel]"), ("help", "")]
    arguments = commands[1]["autocomplete_data"]["Arguments"]
    assert [(a["Name"], a["HelpText"], a["Type"], a["Required"]) for a in arguments] == [
        ("", "where", "TextInput", True),
        ("", "units", "StaticList", False),
        ("days", "days", "TextInput", False),
    ]
    assert [item["Item"] for item in arguments[1]["Data"]["PossibleArguments"]] == ["metric", "us"]


def test_commands_answer(served: Served) -> None:
    served.activate()
    assert text(served, "/weather 'New York' us --days 3") == "New York us 3"
    assert text(served, "/weather").startswith("`city` is missing.\nUsage: `/weather <city>")
    served.answer("GetUserByUsername", **given(served, "user", {"id": "u1", "username": "ada"}))
    served.answer(
        "GetChannelByName", **given(served, "channel", {"id": "c1", "name": "lounge", "type": channel_type(served)})
    )
    assert text(served, "/weather who @ada ~lounge") == "ada lounge u9"
    assert sent(served, "GetUserByUsername", "name") == ["ada"]


def channel_type(served: Served) -> str:
    return "O" if served.wire == "netrpc" else "CHANNEL_TYPE_OPEN"


def test_an_exception_is_an_apology_and_a_traceback_in_the_servers_log(served: Served) -> None:
    served.activate()
    assert text(served, "/plain x") == "Sorry, something went wrong with `/plain`."
    record = served.plugin.wait_log("failed: ZeroDivisionError: secret")
    assert record["level"] == "error"
    assert "plugin.py" in record["args"]["traceback"]


def test_messages_reach_their_functions(served: Served) -> None:
    served.answer("GetChannel", **given(served, "channel", {"name": "ada__botid", "type": direct_type(served)}))
    served.activate()
    served.call("MessageHasBeenPosted", post={"message": "ada++", "channel_id": "c"})
    served.plugin.wait_log("thanks, ada")
    served.call("MessageHasBeenPosted", post={"message": "ada++ hello", "props": {"from_plugin": "true"}})
    served.call("MessageHasBeenPosted", post={"message": "bob++ hello", "channel_id": "c"})
    served.plugin.wait_log("hello in c")
    said = [record["message"] for record in served.plugin.logs() if record["message"].startswith(("thanks", "hello"))]
    assert said == ["thanks, ada", "thanks, bob", "hello in c"]


def direct_type(served: Served) -> str:
    return "D" if served.wire == "netrpc" else "CHANNEL_TYPE_DIRECT"


def test_a_registration_that_fails_keeps_the_plugin_from_starting(served: Served) -> None:
    served.answer("RegisterCommand", failure="no room")
    if served.wire == "netrpc":
        error = served.plugin.activate()["reply"]["A"]
    else:
        error = served.plugin.call("OnActivate")["error"]
    assert "the command /weather could not be registered: " in error["detailed_error"]
    assert "no room" in error["detailed_error"]
