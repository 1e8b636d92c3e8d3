"""Settings under the gRPC host, whose plugin API is not there yet."""

from __future__ import annotations

from tests.conftest import Start

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
