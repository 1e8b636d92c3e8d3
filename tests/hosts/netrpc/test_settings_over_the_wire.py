"""Settings as a released server gives them: loaded at activation and at each change of the configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmhooks.testing import LiveClient
from tests.conftest import Start, as_file
from tests.host_driver import GoPlugin

MODEL = """
    from pydantic import BaseModel, Field, SecretStr
    from mmhooks import App, CommandResponse

    class Settings(BaseModel):
        colour: str = Field(default="red", max_length=6)
        size: int = 3
        api_token: SecretStr = Field(default=SecretStr("none"), alias="ApiToken", min_length=4)

    def show(settings):
        return [settings.colour, settings.size, settings.api_token.get_secret_value()]

    app = App(settings=Settings)

    @app.hook
    def execute_command(args):
        import json
        return CommandResponse(text=json.dumps(show(app.settings)))
"""

HANDLERS = """
    @app.hook
    def on_configuration_change():
        app.logger.info("change: %s", show(app.settings))

    @app.hook
    async def on_activate():
        app.logger.info("activate: %s", show(app.settings))
"""

RUN = """
    app.run()
"""


def set_(**values: Any) -> dict[str, Any]:
    """What the server answers."""
    return {"LoadPluginConfiguration": {"A": values}}


def settings_of(plugin: GoPlugin) -> Any:
    return json.loads(plugin.call_rpc("ExecuteCommand", {"A": {}, "B": {}})["reply"]["A"]["text"])


def change(plugin: GoPlugin, **values: Any) -> Any:
    """Set settings on the server, which tells the plugin; its answer."""
    plugin.ask("set_answers", answers=set_(**values))
    return plugin.call_rpc("OnConfigurationChange")["reply"]


def methods_asked(plugin: GoPlugin) -> list[str]:
    """What the server was asked, apart from what the plugin itself logged."""
    return [call["method"] for call in plugin.api_calls() if call["method"] != "LogInfo"]


@pytest.fixture
def plugin(start_plugin: Start) -> GoPlugin:
    """One with settings, and without handlers that have to do with them."""
    return start_plugin(MODEL + RUN)


def test_settings_are_loaded_at_activation_and_at_each_change_without_a_handler(plugin: GoPlugin) -> None:
    assert plugin.ask("call", hook="Implemented")["reply"] == ["OnActivate", "OnConfigurationChange", "ExecuteCommand"]
    assert settings_of(plugin) == ["red", 3, "none"]
    assert methods_asked(plugin) == []
    assert plugin.activate(set_(colour="blue", size=4, apitoken="secret"))["reply"] == {"A": None}
    assert settings_of(plugin) == ["blue", 4, "secret"]
    assert change(plugin, colour="green", size=5, apitoken="other") == {"A": None}
    assert settings_of(plugin) == ["green", 5, "other"]
    assert methods_asked(plugin) == ["LoadPluginConfiguration"] * 2


def test_handlers_of_both_hooks_see_the_new_settings(start_plugin: Start) -> None:
    plugin = start_plugin(MODEL + HANDLERS + RUN)
    plugin.activate(set_(colour="blue"))
    plugin.wait_log("activate: ['blue', 3, 'none']")
    change(plugin, colour="green")
    plugin.wait_log("change: ['green', 3, 'none']")
    texts = [record["message"] for record in plugin.logs() if record["message"].startswith(("change", "activate"))]
    assert [text.split(",")[0] for text in texts] == ["change: ['blue'", "activate: ['blue'", "change: ['green'"]
    assert methods_asked(plugin) == ["LoadPluginConfiguration"] * 2


def test_keys_have_any_case_null_is_the_default_and_unknown_keys_are_ignored(plugin: GoPlugin) -> None:
    plugin.activate(set_(COLOUR="blue", Size=None, apiToken=None, unknown={"a": 1}))
    assert settings_of(plugin) == ["blue", 3, "none"]
    change(plugin, colour=None, size=7, API_TOKEN="by its name")
    assert settings_of(plugin) == ["red", 7, "by its name"]


def test_a_value_that_cannot_be_used_keeps_the_old_one_and_the_log_does_not_show_secrets(plugin: GoPlugin) -> None:
    plugin.activate(set_(colour="blue", size=4, apitoken="secret"))
    assert change(plugin, colour="far too long", size=5, apitoken="hsh") == {"A": None}
    assert settings_of(plugin) == ["blue", 5, "secret"]
    first = plugin.wait_log("'colour' cannot be used: String should have at most 6 characters; it stays as it was")
    second = plugin.wait_log("'ApiToken' cannot be used (too_short); it stays as it was")
    assert (first["level"], second["level"]) == ("error", "error")
    assert not [record for record in plugin.logs() if "hsh" in json.dumps(record)]


def test_a_server_that_fails_to_give_settings_does_not_keep_a_plugin_from_starting(plugin: GoPlugin) -> None:
    assert plugin.activate({"LoadPluginConfiguration": {"error": "no configuration"}})["reply"] == {"A": None}
    record = plugin.wait_log("settings could not be loaded, and stay as they were: LoadPluginConfiguration: no config")
    assert record["level"] == "error"
    assert settings_of(plugin) == ["red", 3, "none"]


NEEDY = """
    from pydantic import BaseModel, SecretStr
    from mmhooks import App

    class Settings(BaseModel):
        token: SecretStr

    app = App(settings=Settings)

    @app.hook
    def on_activate():
        app.logger.info("activated with %s letters", len(app.settings.token.get_secret_value()))

    app.run()
"""


def test_a_required_setting_that_nobody_has_set_fails_the_activation_and_says_where_to_set_it(
    start_plugin: Start,
) -> None:
    plugin = start_plugin(NEEDY)
    error = plugin.activate(set_(token=None))["reply"]["A"]
    text = "the plugin's settings are not complete: 'token' is required, and not set. Set them in the System Console"
    assert (error["message"], error["detailed_error"]) == (text, text)
    plugin.wait_log(f"OnActivate: {text}")


def test_with_it_the_plugin_is_activated(start_plugin: Start) -> None:
    plugin = start_plugin(NEEDY)
    assert plugin.activate(set_(token="secret"))["reply"] == {"A": None}
    plugin.wait_log("activated with 6 letters")


def test_nothing_is_asked_for_a_plugin_without_settings(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import sys
        from mmhooks import App
        app = App()
        @app.hook
        def on_configuration_change():
            app.logger.info("pydantic: %s", "pydantic" in sys.modules)
        app.run()
    """)
    assert plugin.activate(set_(colour="blue"))["reply"] == {"A": None}
    assert change(plugin, colour="green") == {"A": None}
    plugin.wait_log("pydantic: False")
    assert methods_asked(plugin) == []


def test_an_embedded_host_has_no_settings_and_one_line_of_the_log_says_so(tmp_path: Path) -> None:
    with LiveClient(as_file(MODEL + RUN, tmp_path)) as client:
        assert client.implemented_hooks() == ["OnActivate", "OnConfigurationChange", "ExecuteCommand"]
        assert client.on_configuration_change().error is None
        answer = client.execute_command().value
        assert answer
        assert json.loads(answer.text) == ["red", 3, "none"]
    said = [line for line in client.process.log if line.message.startswith("settings")]
    assert [line.level for line in said] == ["warn"]
    assert "this host has no LoadPluginConfiguration" in said[0].message
