"""The plugin API over gRPC: from where it can be called, and what becomes of calls when the server is not as it should be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Start
from tests.host_driver import GoPlugin
from tests.hosts.conftest import Served, serve
from tests.hosts.test_calls_back import FAILS, failures

EVERYWHERE = """
    import asyncio, threading
    from mmhooks import App
    app = App()

    @app.hook
    def on_configuration_change():
        print("configuration", app.api.get_server_version(), flush=True)

    @app.hook
    async def on_activate():
        print("activation", await app.async_api.get_server_version(), flush=True)

    @app.hook
    def on_deactivate():
        print("deactivation", app.api.get_server_version(), flush=True)

    @app.hook
    def message_has_been_posted(post):
        versions = []
        def ask():
            versions.append(app.api.get_server_version())
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(versions), "threads", {*versions}, flush=True)
        other = asyncio.new_event_loop()
        print("another loop", other.run_until_complete(app.async_api.get_server_version()), flush=True)
        other.close()

    @app.hook
    async def user_has_been_created(user):
        try:
            app.api.get_server_version()
        except RuntimeError as error:
            print(error, flush=True)

    app.run()
"""


def test_the_api_can_be_called_from_everywhere(start_plugin: Start) -> None:
    plugin = start_plugin(EVERYWHERE, with_api=True, answers={"GetServerVersion": {"version": "11.6.0"}})
    plugin.call("OnActivate")
    plugin.call("MessageHasBeenPosted", {"post": {}})
    plugin.call("UserHasBeenCreated", {"user": {}})
    plugin.call("OnDeactivate")
    plugin.ask("wait_stdio", channel="stdout", contains="deactivation")
    assert plugin.ask("stdio")["stdout"].splitlines() == [
        "configuration 11.6.0",
        "activation 11.6.0",
        "20 threads {'11.6.0'}",
        "another loop 11.6.0",
        "app.api.get_server_version waits, and on the event loop nothing could answer meanwhile: in async code write "
        "`await app.async_api.get_server_version(…)`",
        "deactivation 11.6.0",
    ]


def test_without_an_address_there_is_no_api(start_plugin: Start) -> None:
    served = Served(start_plugin(FAILS), "grpc")
    for name, text in failures(served):
        assert name == "NoPluginAPI"
        assert "the host has not said where, by MATTERMOST_PLUGIN_API_TARGET" in text


@pytest.mark.parametrize("target", ["127.0.0.1:1", "nobody.invalid:80", "not an address"])
def test_an_address_where_nobody_is_found(start_plugin: Start, target: str) -> None:
    served = Served(start_plugin(FAILS, {"MATTERMOST_PLUGIN_API_TARGET": target}), "grpc")
    for name, text in failures(served, timeout=5):
        assert name in ("HostUnavailable", "DeadlineExceeded")
        assert "KVDelete" in text


@pytest.fixture
def served(start_plugin: Start) -> Served:
    return serve(start_plugin, FAILS, "grpc")


def test_calls_that_are_under_way_when_the_server_goes_are_told_and_later_ones_find_it_again(served: Served) -> None:
    assert failures(served) == ["None", "None"]
    served.answer("KVDelete", never=True)
    calls = [begun(served) for _ in range(8)]
    served.plugin.wait_api_calls("KVDelete", 2 + 8)
    served.plugin.api_stop()
    for call in calls:
        for name, text in told(served.plugin, call):
            assert name == "HostUnavailable"
            assert text.startswith("KVDelete: ")
    assert [name for name, _ in failures(served)] == ["HostUnavailable"] * 2, "while it is away"
    served.plugin.set_answers({"KVDelete": None})
    served.plugin.api_start()
    # What changes something is not repeated for the author; what only reads finds the server.
    assert "HostUnavailable" not in str(failures(served, "kv_get"))
    assert failures(served) == ["None", "None"]


def begun(served: Served) -> int:
    return served.plugin.begin("call", hook="ExecuteCommand", request={"args": {"command": '["kv_delete", 20]'}})


def told(plugin: GoPlugin, call: int) -> list[Any]:
    found: list[Any] = json.loads(plugin.host.wait(call)["response"]["response"]["text"])
    return found


@pytest.mark.parametrize(("delay_ms", "error"), [(0, "APIError"), (950, "DeadlineExceeded")])
def test_a_server_whose_clock_is_ahead_cancels_late_calls(served: Served, delay_ms: int, error: str) -> None:
    served.answer("KVDelete", grpc_status={"code": "CANCELLED", "message": "given up"}, delay_ms=delay_ms)
    assert [name for name, _ in failures(served, timeout=1)] == [error] * 2


SIZES = """
    from mmhooks import App, APIError
    app = App()

    @app.hook
    def run_data_retention(now_time, batch_size):
        try:
            if batch_size:
                app.api.kv_set("k", b"x" * batch_size)
            else:
                return len(app.api.kv_get("k") or b"")
        except APIError as error:
            print(error, flush=True)
        return 0

    app.run()
"""


def test_what_is_too_large_for_the_server_is_told(start_plugin: Start) -> None:
    plugin = start_plugin(SIZES, with_api=True)
    plugin.call("RunDataRetention", {"batch_size": 5 << 20})
    printed = plugin.ask("wait_stdio", channel="stdout", contains="\n")["stdout"]
    assert printed.startswith("KVSet: the request has 52428")
    assert "the server takes 4194304 at most" in printed
    plugin.call("RunDataRetention", {"batch_size": 1 << 20})
    assert len(plugin.api_calls("KVSet")) == 1


def test_an_answer_has_no_limit_unless_the_administrator_sets_one(start_plugin: Start) -> None:
    value = {"KVGet": {"value": "AAAA" * (2 << 20)}}  # 6 MiB in base 64
    plugin = start_plugin(SIZES, with_api=True, answers=value)
    assert plugin.call("RunDataRetention") == {"deleted_count": str(6 << 20)}
    limited = start_plugin(SIZES, {"MMHOOKS_MAX_MESSAGE_SIZE": "1000000"}, with_api=True, answers=value)
    assert limited.call("RunDataRetention") == {}
    printed = limited.ask("wait_stdio", channel="stdout", contains="\n")["stdout"]
    assert "MMHOOKS_MAX_MESSAGE_SIZE allows 1000000" in printed
