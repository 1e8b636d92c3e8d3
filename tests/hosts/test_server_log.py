"""What a plugin logs, in the log of the real Go host, over each wire that has a plugin API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Start
from tests.hosts.conftest import Served, serve

TALKS = """
    from mmhooks import App
    app = App()

    @app.hook
    def on_activate():
        app.logger.info("activating", extra={"step": 1})

    @app.hook
    async def message_has_been_posted(post):
        for number in range(50):
            app.logger.info("%s %d", post.message, number)
        try:
            post.message.no_such_thing
        except AttributeError:
            app.logger.exception("trouble", extra={"post": post.id})

    @app.hook
    def on_deactivate():
        for number in range(100):
            app.logger.warning("last words %d", number)

    app.run()
"""


def logged(served: Served) -> list[tuple[str, str, dict[str, Any]]]:
    """What the plugin told the server's log by the plugin API."""
    return [(r["level"], r["message"], r["args"]) for r in served.plugin.logs() if r["name"] == "api"]


@pytest.fixture(params=["netrpc", "grpc"])
def talks(request: pytest.FixtureRequest, start_plugin: Start) -> Served:
    return serve(start_plugin, TALKS, request.param)


def test_records_arrive_in_order_with_their_pairs(talks: Served) -> None:
    talks.activate()
    talks.call("MessageHasBeenPosted", post={"id": "p1", "message": "hello"})
    talks.plugin.wait_log("trouble")
    assert logged(talks)[0] == ("info", "activating", {"step": "1"})
    assert [message for _, message, _ in logged(talks)[1:51]] == [f"hello {number}" for number in range(50)]
    level, message, pairs = logged(talks)[51]
    assert (level, message, pairs["post"]) == ("error", "trouble", "p1")
    assert "AttributeError" in pairs["traceback"]
    assert "plugin.py" in pairs["traceback"]


def test_all_is_told_when_deactivation_is_over(talks: Served) -> None:
    talks.activate()
    talks.call("OnDeactivate")
    words = [message for level, message, _ in logged(talks) if level == "warn"]
    assert words == [f"last words {number}" for number in range(100)]


def test_a_log_that_fails_leaves_the_records_to_stderr(talks: Served) -> None:
    talks.answer("LogInfo", failure="the log is full")
    talks.activate()
    assert talks.plugin.wait_log("activating")["name"] != "api"


def test_a_log_that_never_answers_holds_nobody_up(talks: Served) -> None:
    talks.answer("LogInfo", never=True)
    talks.activate()
    talks.call("MessageHasBeenPosted", post={"message": "hello"})
    assert [call["method"] for call in talks.plugin.api_calls()] == ["LogInfo"]


LATE = """
    import threading
    from mmhooks import App, HostUnavailable
    app = App()
    go_on = threading.Event()

    def late():
        go_on.wait()
        try:
            app.api.call("GetServerVersion")
        except HostUnavailable as error:
            print(error, flush=True)

    @app.hook
    def on_activate():
        threading.Thread(target=late).start()

    @app.hook
    def on_deactivate():
        app.api.call("GetServerVersion")

    @app.hook
    def message_has_been_posted(post):
        go_on.set()

    app.run()
"""


@pytest.mark.parametrize("wire", ["netrpc", "grpc"])
def test_a_late_thread_is_told_that_the_plugin_has_been_deactivated(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, LATE, wire)
    served.activate()
    served.call("OnDeactivate")
    served.call("MessageHasBeenPosted", post={"message": "go on"})
    told = served.plugin.ask("wait_stdio", channel="stdout", contains="\n")["stdout"]
    assert told.startswith("the plugin has been deactivated")
    assert len(served.plugin.api_calls("GetServerVersion")) == 1
