"""Slash commands, against the facts about a real server."""

from __future__ import annotations

import pytest

from mmhooks import App, AppError, CommandArgs, CommandResponse, Context, GoError, Reject, UnsupportedByHost
from mmhooks.api import PluginAPI
from mmhooks.models import (
    AutocompleteArg,
    AutocompleteData,
    AutocompleteDynamicListArg,
    Command,
    Dialog,
    MessageAttachment,
    OpenDialogRequest,
)
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused


class Echo:
    """A plugin whose answer to every command a test chooses."""

    def __init__(self) -> None:
        self.app = App()
        self.answer: CommandResponse | Exception | None = CommandResponse(text="done")
        self.seen: list[tuple[Context, CommandArgs]] = []

        @self.app.hook
        def execute_command(context: Context, args: CommandArgs) -> CommandResponse | None:
            self.seen.append((context, args))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer


def test_running_a_command() -> None:
    echo = Echo()
    with Mattermost(echo.app) as mattermost:
        bob = mattermost.add_user("bob")
        channel = mattermost.add_channel("dev", members=[bob])
        echo.app.api.register_command(Command(trigger="Weather"))
        response = mattermost.run_command("/weather for @bob in ~dev", user=bob, channel="dev")
        context, args = echo.seen.pop()
        assert context.session_id
        assert (args.command, args.user_id) == ("/weather for @bob in ~dev", bob.id)
        assert (args.channel_id, args.team_id) == (channel.id, mattermost.main_team.id)
        assert args.site_url == "http://localhost:8065"
        assert response.text == "done"
        assert response.trigger_id
        assert [post.message for post in mattermost.ephemeral_posts(bob)] == ["done"]
        mattermost.run_command("/WEATHER now", user=bob)
        assert echo.seen.pop()[1].command == "/WEATHER now"
        for text in ("/weather\nx", "/nothing", "/ weather"):
            with refused(404, "api.command.execute_command.not_found.app_error"):
                mattermost.run_command(text, user=bob)
        with refused(400, "api.command.execute_command.format.app_error"):
            mattermost.run_command("weather", user=bob)
        outsider = mattermost.add_user("outsider", teams=[])
        with refused(403, "api.context.permissions.app_error"):
            mattermost.run_command("/weather", user=outsider)
        mattermost.archive_channel("dev", user=bob)
        with refused(400, "api.command.execute_command.deleted.error"):
            mattermost.run_command("/weather", user=bob, channel="dev")


def test_a_plugin_runs_a_command() -> None:
    echo = Echo()
    with Mattermost(echo.app) as mattermost:
        api, outsider = echo.app.api, mattermost.add_user("outsider", teams=[])
        channel = mattermost.channel("town-square")
        api.register_command(Command(trigger="weather", team_id=mattermost.main_team.id))
        args = CommandArgs(user_id=outsider.id, channel_id=channel.id, team_id=channel.team_id, command="/weather")
        assert api.execute_slash_command(args).text == "done"
        assert echo.seen.pop()[0] == Context()
        args.team_id = NOWHERE
        with refused(404, "api.command.execute_command.not_found.app_error"):
            api.execute_slash_command(args)
        args.user_id = NOWHERE
        with refused(404, "app.user.missing_account.const"):
            api.execute_slash_command(args)
        mattermost.change_config(ServiceSettings={"EnableCommands": False})
        with refused(501, "api.command.disabled.app_error"):
            mattermost.run_command("/nothing")
        assert mattermost.run_command("/weather").text == "done"


def test_responses() -> None:
    echo = Echo()
    with Mattermost(echo.app) as mattermost:
        bob = mattermost.add_user("bob")
        root = mattermost.post("town-square", "root")
        echo.app.api.register_command(Command(trigger="x"))

        def run(**fields: object) -> None:
            echo.answer = CommandResponse(**fields)  # type: ignore[arg-type]
            mattermost.run_command("/x", user=bob, root=root)

        run(response_type="in_channel", text="to <https://a.b|all> <!here>", props={"own": 1})
        [post] = mattermost.thread(root)
        assert (post.message, post.user_id, post.props) == ("to [all](https://a.b) @here", bob.id, {"own": 1})
        run(response_type="in_channel", text="<!here>", skip_slack_parsing=True)
        assert mattermost.thread(root)[-1].message == "<!here>"
        run(response_type="ephemeral", text="psst")
        assert mattermost.ephemeral_posts(bob)[-1].root_id == root.id
        count = len(mattermost.ephemeral_posts())
        run()
        run(response_type="other", text="nothing")
        assert len(mattermost.ephemeral_posts()) == count
        run(attachments=[MessageAttachment(text="box")])
        shown = mattermost.ephemeral_posts(bob)[-1]
        assert shown.props["attachments"][0]["text"] == "box"
        run(text="first", extra_responses=[CommandResponse(response_type="in_channel", text="second")])
        assert mattermost.ephemeral_posts(bob)[-1].message == "first"
        assert mattermost.thread(root)[-1].message == "second"
        count = len(mattermost.thread(root))
        with refused(500, "api.command.execute_command.create_post_failed.app_error"):
            run(response_type="in_channel", text="x", type="system_generic")
        with refused(500, "api.command.execute_command.create_post_failed.app_error"):
            run(response_type="in_channel", text="x", channel_id=mattermost.add_channel("hidden", private=True).id)
        assert len(mattermost.thread(root)) == count
        run(response_type="in_channel", text="x", username="somebody")
        assert "override_username" not in mattermost.thread(root)[-1].props
        mattermost.change_config(ServiceSettings={"EnablePostUsernameOverride": True})
        run(response_type="in_channel", text="x", username="somebody")
        assert mattermost.thread(root)[-1].props == {"override_username": "somebody", "from_webhook": "true"}
        echo.answer = None
        assert mattermost.run_command("/x").text == ""


def test_a_response_that_is_refused_as_a_post() -> None:
    echo = Echo()
    echo.app.hook("MessageWillBePosted")(lambda post: Reject("no"))
    echo.answer = CommandResponse(response_type="in_channel", text="x")
    with Mattermost(echo.app) as mattermost:
        echo.app.api.register_command(Command(trigger="x"))
        with refused(500, "api.command.execute_command.create_post_failed.app_error"):
            mattermost.run_command("/x")


def test_failures() -> None:
    echo = Echo()
    with Mattermost(echo.app) as mattermost:
        echo.app.api.register_command(Command(trigger="x"))
        echo.answer = AppError("no such city", id="weather.city", status_code=404)
        with refused(404, "weather.city"):
            mattermost.run_command("/x")
        echo.answer = AppError("odd", status_code=7)
        with pytest.raises(AppError) as caught:
            mattermost.run_command("/x")
        assert caught.value.status_code == 500
        echo.answer = LookupError("own")
        with pytest.raises(LookupError, match="own"):
            mattermost.run_command("/x")
    with Mattermost(echo.app, raise_exceptions=False) as mattermost:
        echo.app.api.register_command(Command(trigger="x"))
        with pytest.raises(AppError, match="LookupError: own") as caught:
            mattermost.run_command("/x")
        assert caught.value.status_code == 500


def test_a_plugin_without_the_hook() -> None:
    app = App()
    with Mattermost(app) as mattermost:
        app.api.register_command(Command(trigger="x"))
        with refused(500, "model.plugin_command.error.app_error"):
            mattermost.run_command("/x")


def test_registering(api: PluginAPI, server: Mattermost) -> None:
    team = server.main_team.id
    with pytest.raises(GoError, match="invalid command"):
        api.register_command(Command())
    api.register_command(
        Command(trigger="One", auto_complete=True, auto_complete_hint="[a]", description="lost", url="lost")
    )
    api.register_command(Command(trigger="two", auto_complete=True, team_id=team))
    api.register_command(Command(trigger="hidden"))
    api.register_command(Command(trigger="ONE", auto_complete=True, auto_complete_hint="[b]"))
    listed = api.list_plugin_commands(team)
    assert [(command.trigger, command.auto_complete_hint) for command in listed] == [("one", "[b]"), ("two", "")]
    assert (listed[0].plugin_id, listed[0].description, listed[0].url) == ("com.example.tested", "", "")
    assert [command.trigger for command in api.list_plugin_commands(NOWHERE)] == ["one"]
    api.unregister_command("", "ONE")
    api.unregister_command("", "two")  # of another team
    assert [command.trigger for command in api.list_plugin_commands(team)] == ["two"]


@pytest.mark.parametrize(
    "data",
    [
        AutocompleteData(),
        AutocompleteData(trigger="Upper"),
        AutocompleteData(trigger="x", role_id="king"),
        AutocompleteData(
            trigger="x",
            arguments=[AutocompleteArg(type="TextInput", required=True)],
            sub_commands=[AutocompleteData(trigger="y")],
        ),
        AutocompleteData(
            trigger="x",
            arguments=[AutocompleteArg(name="n", type="TextInput"), AutocompleteArg(type="TextInput", required=True)],
        ),
        AutocompleteData(trigger="x", arguments=[AutocompleteArg(type="TextInput")]),
        AutocompleteData(trigger="x", sub_commands=[AutocompleteData(trigger="Upper")]),
    ],
)
def test_suggestions_that_are_refused(api: PluginAPI, data: AutocompleteData) -> None:
    with pytest.raises(GoError, match="invalid autocomplete data"):
        api.register_command(Command(trigger="x", autocomplete_data=data))


def test_lists_of_the_plugin_s_own_get_its_address(api: PluginAPI, server: Mattermost) -> None:
    def argument(url: str) -> AutocompleteArg:
        return AutocompleteArg(type="DynamicList", data=AutocompleteDynamicListArg(fetch_url=url))

    data = AutocompleteData(trigger="x", arguments=[argument("/cities"), argument("https://example.com/all")])
    api.register_command(Command(trigger="x", auto_complete=True, autocomplete_data=data))
    [command] = api.list_plugin_commands(server.main_team.id)
    assert command.autocomplete_data
    assert [each.data.fetch_url for each in command.autocomplete_data.arguments] == [
        "/plugins/com.example.tested/cities",
        "https://example.com/all",
    ]


def test_stored_commands(api: PluginAPI, server: Mattermost) -> None:
    team = server.main_team.id

    def new(**fields: str) -> Command:
        return Command(**{"team_id": team, "trigger": "web", "url": "https://example.com", "method": "P", **fields})  # type: ignore[arg-type]

    command = api.create_command(new())
    assert command.id
    assert command.token
    assert command.plugin_id == "com.example.tested"
    assert api.get_command(command.id) == command
    assert api.list_custom_commands(team) == [command]
    with refused(400, "api.command.duplicate_trigger.app_error"):
        api.create_command(new())
    with refused(400, "model.command.is_valid.trigger.app_error"):
        api.create_command(new(trigger="sp ace"))
    with refused(400, "model.command.is_valid.method.app_error"):
        api.create_command(new(trigger="y", method="PUT"))
    with refused(400, "model.command.is_valid.team_id.app_error"):
        api.create_command(new(trigger="y", team_id=""))
    changed = api.update_command(command.id, new(trigger="net", token="x"))
    assert (changed.trigger, changed.token) == ("net", command.token)
    with pytest.raises(UnsupportedByHost, match="calls no addresses"):
        server.run_command("/net")
    api.delete_command(command.id)
    with refused(404, "store.sql_command.get.missing.app_error"):
        api.get_command(command.id)
    server.change_config(ServiceSettings={"EnableCommands": False})
    with refused(501, "api.command.disabled.app_error"):
        api.list_custom_commands(team)


def test_dialogs() -> None:
    echo = Echo()
    with Mattermost(echo.app) as mattermost:
        api = echo.app.api
        api.register_command(Command(trigger="x"))
        mattermost.run_command("/x")
        trigger = echo.seen[0][1].trigger_id
        request = OpenDialogRequest(trigger_id=trigger, url="/plugins/x", dialog=Dialog(title="Choose"))
        api.open_interactive_dialog(request)
        assert mattermost.dialogs == [request]
        mattermost.clock.advance(31)
        with refused(400, "interactive_message.decode_trigger_id.expired"):
            api.open_interactive_dialog(request)
        for bad, error in (("?", "base64_decode_failed"), ("eHh4", "missing_data"), ("", "missing_data")):
            with refused(400, f"interactive_message.decode_trigger_id.{error}"):
                api.open_interactive_dialog(OpenDialogRequest(trigger_id=bad))
        import base64

        forged = base64.b64encode(f"{NOWHERE}:{NOWHERE}:{mattermost.clock.now}:x".encode()).decode()
        with refused(400, "interactive_message.decode_trigger_id.verify_signature_failed"):
            api.open_interactive_dialog(OpenDialogRequest(trigger_id=forged))
