import queue
from logging import LogRecord
from logging.handlers import QueueHandler

import plugin
import pytest

from mmhooks import Post
from mmhooks.testing import LiveClient, TestClient


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> "queue.SimpleQueue[LogRecord]":
    """What the plugin logs, to wait for."""
    records: queue.SimpleQueue[LogRecord] = queue.SimpleQueue()
    caplog.set_level("INFO")
    monkeypatch.setattr(plugin.app.logger, "handlers", [QueueHandler(records)])
    return records


def test_reports_come_regularly(
    plugin_client: TestClient, log: "queue.SimpleQueue[LogRecord]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "INTERVAL", 0.01)
    plugin_client.on_activate()
    for _ in range(2):
        plugin_client.message_has_been_posted(Post(channel_id="town-square"))
        assert log.get(timeout=10).getMessage() == "messages in town-square: 1"
    plugin_client.on_deactivate()


def test_the_last_report_comes_when_the_plugin_stops(
    plugin_client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    plugin_client.on_activate()
    for channel in ("town-square", "off-topic", "town-square"):
        plugin_client.message_has_been_posted(Post(channel_id=channel))
    plugin_client.on_deactivate()
    assert caplog.messages == ["messages in town-square: 2", "messages in off-topic: 1"]


def test_the_report_is_in_the_log_of_a_server(live_client: LiveClient) -> None:
    live_client.message_has_been_posted(Post(channel_id="town-square"))
    live_client.close()
    assert "messages in town-square: 1" in [line.message for line in live_client.process.log]
