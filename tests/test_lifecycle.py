"""A plugin's life in process: from when to when its calls of the plugin API work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from mmhooks import App, HostUnavailable
from tests.loop_caller import LoopCaller


class Server(LoopCaller):
    """Answers with the method's name."""

    async def answer(self, method: str, arguments: Sequence[Any]) -> str:
        return method


@pytest.fixture
def app() -> Iterator[App]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    app = App()
    app.api_link.caller = Server(loop)
    yield app
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_calls_work_in_activation_and_deactivation_and_not_after_it(app: App) -> None:
    answers = []

    @app.hook
    def on_activate() -> None:
        answers.append(app.api.call("GetServerVersion"))

    @app.hook
    async def on_deactivate() -> None:
        answers.append(await app.async_api.call("KVList", 0, 60))

    with app.test_client() as client:
        client.on_activate()
        client.on_deactivate()
        assert answers == ["GetServerVersion", "KVList"]
        with pytest.raises(HostUnavailable, match="has been deactivated"):
            app.api.call("GetUser", "late")
        with pytest.raises(HostUnavailable, match="has been deactivated"):
            asyncio.run(app.async_api.call("GetUser", "late"))
        client.on_activate()  # again
        assert app.api.call("GetUser", "in time") == "GetUser"


def test_a_deactivation_that_fails_is_one(app: App) -> None:
    @app.hook
    def on_deactivate() -> None:
        raise ZeroDivisionError

    with app.test_client(raise_exceptions=False) as client:
        assert client.on_deactivate().error
        with pytest.raises(HostUnavailable, match="has been deactivated"):
            app.api.call("GetUser", "late")


def test_a_client_that_is_closed_leaves_the_api_as_it_was(app: App) -> None:
    app.hook("OnDeactivate")(lambda: None)
    with app.test_client() as client:
        client.on_deactivate()
    assert app.api.call("GetUser", "x") == "GetUser"
    app.api_link.end()
    with pytest.raises(HostUnavailable, match="is stopping"):
        app.api.call("GetUser", "x")
