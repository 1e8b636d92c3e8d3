"""Settings under the gRPC host: loaded by its plugin API, or the defaults where it offers none."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.conftest import Start
from tests.host_driver import GoPlugin

PLUGIN = """
    from pydantic import BaseModel
    from mmhooks import App

    class Settings(BaseModel):
        colour: str{default}

    app = App(settings=Settings)

    @app.hook
    def run_data_retention(now_time):
        return len(app.settings.colour)

    app.run()
"""


def test_the_defaults_stay_and_one_line_says_so(start_plugin: Start) -> None:
    plugin = start_plugin(PLUGIN.format(default=' = "red"'))
    hooks = plugin.call("Implemented")["hooks"]
    assert hooks == ["OnActivate", "OnConfigurationChange", "RunDataRetention"]
    assert plugin.call("OnActivate") == {}
    assert plugin.call("OnConfigurationChange") == {}
    assert plugin.call("RunDataRetention") == {"deleted_count": "3"}
    record = plugin.wait_log(
        "settings are not loaded, and stay as they are, at first the defaults: LoadPluginConfiguration: the plugin API is"
    )
    assert record["level"] == "warn"
    assert len([each for each in plugin.logs() if "settings" in each["message"]]) == 1


def test_a_required_setting_fails_the_activation(start_plugin: Start) -> None:
    plugin = start_plugin(PLUGIN.format(default=""))
    error = plugin.call("OnActivate")["error"]
    assert error["message"].startswith("the plugin's settings are not complete: 'colour' is required, and not set")


def set_(**settings: Any) -> dict[str, Any]:
    """The answers of a server where administrators have set this."""
    return {"LoadPluginConfiguration": {"config_json": base64.b64encode(json.dumps(settings).encode()).decode()}}


def length_of_colour(plugin: GoPlugin) -> str:
    found: str = plugin.call("RunDataRetention")["deleted_count"]
    return found


def test_settings_are_loaded_at_activation_and_at_each_change(start_plugin: Start) -> None:
    plugin = start_plugin(PLUGIN.format(default=' = "red"'), with_api=True, answers=set_(Colour="yellow"))
    assert plugin.call("OnActivate") == {}
    assert length_of_colour(plugin) == "6"
    plugin.set_answers(set_(colour="blue"))
    assert plugin.call("OnConfigurationChange") == {}
    assert length_of_colour(plugin) == "4"
    assert [call["method"] for call in plugin.api_calls()] == ["LoadPluginConfiguration"] * 2


def test_a_value_that_cannot_be_used_leaves_the_last_one_and_is_told(start_plugin: Start) -> None:
    plugin = start_plugin(PLUGIN.format(default=' = "red"'), with_api=True, answers=set_(colour="yellow"))
    plugin.call("OnActivate")
    plugin.set_answers(set_(colour=5))
    plugin.call("OnConfigurationChange")
    assert length_of_colour(plugin) == "6"
    assert plugin.wait_log("settings: 'colour' cannot be used")["level"] == "error"


def test_a_server_that_does_not_say_changes_nothing(start_plugin: Start) -> None:
    plugin = start_plugin(PLUGIN.format(default=' = "red"'), with_api=True, answers=set_(colour="yellow"))
    plugin.call("OnActivate")
    plugin.set_answers({"LoadPluginConfiguration": {"grpc_status": {"code": "INTERNAL", "message": "a.b: no"}}})
    plugin.call("OnConfigurationChange")
    assert length_of_colour(plugin) == "6"
    assert plugin.wait_log("settings could not be loaded, and stay as they were: no (a.b, 500)")["level"] == "error"


def test_nothing_is_asked_for_a_plugin_without_settings(start_plugin: Start) -> None:
    plugin = start_plugin(
        """
        from mmhooks import App
        app = App()
        @app.hook
        def on_activate(): pass
        @app.hook
        def on_deactivate(): pass
        app.run()
        """,
        with_api=True,
    )
    plugin.call("OnActivate")
    plugin.call("OnDeactivate")
    assert plugin.api_calls() == []
