"""What is called again, by itself, when the server's plugin API cannot be reached."""

from __future__ import annotations

import pytest

from tests.conftest import Start
from tests.hosts.conftest import Served, serve
from tests.hosts.test_calls_back import FAILS, failures

AWAY = {"code": "UNAVAILABLE", "message": "the server is shutting down"}


@pytest.fixture
def served(start_plugin: Start) -> Served:
    return serve(start_plugin, FAILS, "grpc")


def test_a_method_that_only_reads_is_called_again(served: Served) -> None:
    served.answer("KVGet", grpc_status=AWAY)
    for name, text in failures(served, "kv_get"):
        assert name == "HostUnavailable"
        assert text.startswith("KVGet: ")
    assert len(served.plugin.api_calls("KVGet")) == 2 * 4, "async and sync"


def test_a_method_that_changes_something_is_not(served: Served) -> None:
    served.answer("KVDelete", grpc_status=AWAY)
    assert [name for name, _ in failures(served, "kv_delete")] == ["HostUnavailable"] * 2
    assert len(served.plugin.api_calls("KVDelete")) == 2


def test_other_failures_are_no_reason_to_call_again(served: Served) -> None:
    served.answer("KVGet", grpc_status={"code": "NOT_FOUND", "message": "app.x: no"})
    assert [name for name, _ in failures(served, "kv_get")] == ["NotFound"] * 2
    assert len(served.plugin.api_calls("KVGet")) == 2


def test_no_call_outlasts_its_deadline(served: Served) -> None:
    served.answer("KVGet", grpc_status=AWAY, delay_ms=300)
    assert [name for name, _ in failures(served, "kv_get", timeout=0.5)] == ["DeadlineExceeded"] * 2


def test_a_server_that_comes_back_meanwhile_is_found(served: Served) -> None:
    assert failures(served, "kv_delete") == ["None", "None"]
    served.plugin.api_stop()
    asking = served.plugin.begin("call", hook="ExecuteCommand", request={"args": {"command": '["kv_get", 20]'}})
    served.plugin.api_start()
    text = served.plugin.host.wait(asking)["response"]["response"]["text"]
    assert "HostUnavailable" not in text
