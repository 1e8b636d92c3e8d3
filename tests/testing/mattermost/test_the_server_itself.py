"""Configuration, the plugin, logs, notices and groups, against the facts about a real server."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import App, AppError, Config, PushNotification, Reject
from mmhooks.api import PluginAPI
from mmhooks.models import (
    AuditRecord,
    Group,
    Level,
    Manifest,
    PluginClusterEvent,
    PluginClusterEventSendOptions,
    PluginSetting,
    PluginSettingsSchema,
    PluginSettingsSection,
    SendToastMessageOptions,
    WebsocketBroadcast,
)
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused

HIDDEN = "*" * 32


def test_secrets_are_hidden_and_kept(api: PluginAPI, server: Mattermost) -> None:
    config = api.get_config()
    assert config.SqlSettings.DataSource == HIDDEN
    real = api.get_unsanitized_config()
    assert real.SqlSettings.DataSource
    assert real.SqlSettings.DataSource != HIDDEN
    config.TeamSettings.SiteName = "New"
    api.save_config(config)
    stored = api.get_unsanitized_config()
    assert stored.TeamSettings.SiteName == "New"
    assert stored.SqlSettings.DataSource == real.SqlSettings.DataSource


def test_settings_of_the_plugin() -> None:
    schema = PluginSettingsSchema(
        settings=[
            PluginSetting(key="Word", default="hi"),
            PluginSetting(key="Token", secret=True),
            PluginSetting(key="N"),
        ],
        sections=[PluginSettingsSection(settings=[PluginSetting(key="InSection", default=7)])],
    )
    app = App()
    manifest = Manifest(id="com.example.mine", name="Mine", version="1.2.3", settings_schema=schema)
    with Mattermost(app, manifest=manifest, settings={"Token": "secret", "Word": None, "Odd": [1]}) as mattermost:
        api = app.api
        assert api.load_plugin_configuration() == {"word": None, "token": "secret", "n": None, "odd": [1]}
        assert api.get_plugin_config() == {"Token": HIDDEN, "Word": None, "Odd": [1]}
        assert api.get_config().PluginSettings.Plugins["com.example.mine"]["Token"] == HIDDEN
        api.save_plugin_config({"Token": HIDDEN})
        assert api.load_plugin_configuration() == {"word": "hi", "token": "secret", "n": None}
        assert api.get_plugins() == [manifest]
        assert api.get_plugin_id() == "com.example.mine"
        mattermost.change_settings({"Token": None, "N": 5})
        assert api.get_plugin_config() == {"N": 5}


def test_the_hooks_of_the_configuration() -> None:
    app = App()
    told: list[Any] = []

    @app.hook
    def configuration_will_be_saved(config: Config) -> Config | None:
        name = config.TeamSettings.SiteName
        if name == "refused":
            raise AppError("Not that name.", id="mine.name", status_code=409)
        if name == "broken":
            raise LookupError("own")
        if name == "small":
            config.TeamSettings.SiteName = "BIG"
            return config
        return None

    @app.hook
    def on_configuration_change() -> None:
        told.append(app.api.get_config().TeamSettings.SiteName)

    with Mattermost(app) as mattermost:
        told.clear()
        mattermost.change_config(TeamSettings={"SiteName": "small"})
        assert told == ["BIG"]
        mattermost.change_config(TeamSettings={"SiteName": "BIG"})  # changes nothing
        with refused(409, "mine.name"):
            mattermost.change_config(TeamSettings={"SiteName": "refused"})
        with pytest.raises(LookupError, match="own"):
            mattermost.change_config(TeamSettings={"SiteName": "broken"})
        assert told == ["BIG"]
        assert app.api.get_config().TeamSettings.SiteName == "BIG"
    with Mattermost(app, raise_exceptions=False) as mattermost, refused(400, "app.save_config.plugin_hook_error"):
        mattermost.change_config(TeamSettings={"SiteName": "broken"})


def test_a_failing_change_of_settings_is_told() -> None:
    app = App()
    fail: list[Any] = []

    @app.hook
    def on_configuration_change() -> None:
        if fail:
            raise AppError("no good")

    with Mattermost(app) as mattermost:
        fail.append(True)
        with pytest.raises(AppError, match="no good"):  # on a server only the log has it
            mattermost.change_settings({"A": 1})
        assert app.api.get_plugin_config() == {"A": 1}


def test_the_server_and_the_plugin(api: PluginAPI, server: Mattermost, tmp_path: object) -> None:
    assert api.get_server_version() == "11.6.0"
    assert api.get_system_install_date() == server.clock.now
    assert api.get_diagnostic_id() == api.get_telemetry_id() != ""
    assert api.get_license() is None
    assert api.is_enterprise_ready() is True
    assert api.get_plugin_id() == "com.example.tested"
    status = api.get_plugin_status("com.example.tested")
    assert (status.state, status.plugin_id) == (2, "com.example.tested")
    with refused(404, "app.plugin.not_installed.app_error"):
        api.get_plugin_status("com.example.other")
    api.publish_plugin_cluster_event(PluginClusterEvent(id="x"), PluginClusterEventSendOptions())
    server.change_config(PluginSettings={"Enable": False})
    with refused(501, "app.plugin.disabled.app_error"):
        api.get_plugin_status("com.example.tested")
    app = App()
    with Mattermost(app, bundle_path="/plugins/mine"):
        assert app.api.get_bundle_path() == "/plugins/mine"


def test_a_plugin_that_is_off_has_the_status_for_it(app: App, server: Mattermost) -> None:
    server.disable_plugin()
    assert app.api.get_plugin_status("com.example.tested").state == 0


def test_logs(api: PluginAPI, server: Mattermost) -> None:
    api.log_debug("one", "key", "value", "number", 5)
    api.log_info("two")
    api.log_warn("three")
    api.log_error("four", "odd")
    assert [(line.level, line.message) for line in server.log] == [
        ("debug", "one"),
        ("info", "two"),
        ("warn", "three"),
        ("error", "four"),
    ]
    assert server.log[0].fields == {"key": "value", "number": "5"}
    record = AuditRecord(event_name="x")
    api.log_audit_rec(record)
    api.log_audit_rec_with_level(record, Level(id=1, name="fatal"))
    assert server.server.records.audits == [record, record]


def test_notices(api: PluginAPI, server: Mattermost) -> None:
    api.publish_websocket_event("done", {"a": [1]}, WebsocketBroadcast(user_id=server.admin.id))
    [event] = server.websocket_events
    assert (event.event, event.payload, event.broadcast.user_id) == ("done", {"a": [1]}, server.admin.id)
    api.publish_user_typing(server.admin.id, "channel", "")
    assert server.typing[0].channel_id == "channel"
    api.send_toast_message(server.admin.id, "", "hello", SendToastMessageOptions(position="top"))
    assert server.toasts[0].position == "top"
    for user_id, message in (("", "hello"), (server.admin.id, "")):
        with pytest.raises(AppError) as caught:
            api.send_toast_message(user_id, "", message, SendToastMessageOptions())
        assert caught.value.status_code == 400
    api.send_mail("a@b.c", "subject", "<p>text</p>")
    assert server.mails == [("a@b.c", "subject", "<p>text</p>")]
    for mail in (("", "s", "t"), ("a@b.c", "", "t"), ("a@b.c", "s", "")):
        with pytest.raises(AppError) as caught:
            api.send_mail(*mail)
        assert caught.value.status_code == 400


def test_the_hook_of_push_notifications() -> None:
    app = App()

    @app.hook
    def notification_will_be_pushed(
        push_notification: PushNotification, user_id: str
    ) -> PushNotification | Reject | None:
        if push_notification.message == "secret":
            return Reject("no")
        push_notification.message += "!"
        return push_notification

    with Mattermost(app) as mattermost:
        app.api.send_push_notification(PushNotification(message="hello"), mattermost.admin.id)
        app.api.send_push_notification(PushNotification(message="secret"), mattermost.admin.id)  # no error
        assert [(each.user_id, each.notification.message) for each in mattermost.notifications] == [
            (mattermost.admin.id, "hello!")
        ]


def test_groups_need_a_licence(api: PluginAPI, server: Mattermost) -> None:
    with refused(403, "app.group.license_error"):
        api.create_group(Group(name="g"))
    with refused(403, "app.group.license_error"):
        api.upsert_group_member(NOWHERE, server.admin.id)
    assert api.get_groups_for_user(server.admin.id) == api.get_groups() == []
    with pytest.raises(AppError) as caught:
        api.get_group(NOWHERE)
    assert caught.value.status_code == 404
