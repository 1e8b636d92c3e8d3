"""The plugin API from an app's side: who may wait where, for how long, and what comes of it."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import mmhooks
from mmhooks import errors
from mmhooks.api import AsyncPluginAPI, Link, PluginAPI
from mmhooks.api.calls import is_repeatable
from mmhooks.errors import (
    APIError,
    AppError,
    CallError,
    DeadlineExceeded,
    GoError,
    HandlerError,
    HandlerTimeout,
    HostUnavailable,
    MmhooksError,
    NotImplementedByPlugin,
    ThreadsExhausted,
)
from tests.loop_caller import LoopCaller


class FakeCaller(LoopCaller):
    """Answers on a loop in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.calls: list[tuple[str, Sequence[Any]]] = []
        self.threads: list[threading.Thread] = []
        self.give: Callable[[], Any] = lambda: "answer"
        self.begun = threading.Event()
        self.cancelled = threading.Event()

    async def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        self.calls.append((method, arguments))
        self.threads.append(threading.current_thread())
        self.begun.set()
        try:
            answer = self.give()
            return await answer if inspect.isawaitable(answer) else answer
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class Running:
    """A link with a caller on a running loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="the host's loop")
        self.thread.start()
        self.caller = FakeCaller(self.loop)
        self.link = Link()
        self.link.caller = self.caller
        self.api = PluginAPI(self.link)
        self.async_api = AsyncPluginAPI(self.link)

    def on_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.close()


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def raising(error: BaseException) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


def test_a_call_waits_for_its_answer_which_is_made_on_the_loop(running: Running) -> None:
    assert running.api.call("GetUser", "id", 5, None) == "answer"
    assert running.caller.calls == [("GetUser", ("id", 5, None))]
    assert running.caller.threads == [running.thread]


def test_calls_from_many_threads_at_once_are_answered(running: Running) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(running.api.call("M"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == ["answer"] * 8


def test_a_sync_call_on_the_loop_is_refused_before_anything_is_sent(running: Running) -> None:
    async def handler() -> None:
        running.api.call("GetUser", "id")

    with pytest.raises(RuntimeError, match=r"await app\.async_api\.get_user\(…\)"):
        running.on_loop(handler())
    assert running.caller.calls == []


def test_a_sync_call_on_another_loop_is_answered(running: Running) -> None:
    async def handler() -> Any:
        return running.api.call("GetUser")

    assert asyncio.run(handler()) == "answer"


def test_an_async_call_on_the_loop_is_answered(running: Running) -> None:
    assert running.on_loop(running.async_api.call("GetUser", "id")) == "answer"
    assert running.caller.calls == [("GetUser", ("id",))]


def test_an_async_call_on_another_loop_is_answered_on_the_hosts(running: Running) -> None:
    assert asyncio.run(running.async_api.call("GetUser", "id")) == "answer"
    assert running.caller.threads == [running.thread]


WAYS: dict[str, Callable[[Running, float], Any]] = {
    "sync": lambda running, timeout: running.api.call("GetUser", timeout=timeout),
    "on the loop": lambda running, timeout: running.on_loop(running.async_api.call("GetUser", timeout=timeout)),
    "on another loop": lambda running, timeout: asyncio.run(running.async_api.call("GetUser", timeout=timeout)),
}
every_way = pytest.mark.parametrize("way", WAYS)


@every_way
def test_no_answer_in_time_is_a_timeout_that_ends_the_call(running: Running, way: str) -> None:
    running.caller.give = forever
    with pytest.raises(DeadlineExceeded, match=r"^GetUser: the server did not answer within 0\.01 s$"):
        WAYS[way](running, 0.01)
    assert running.caller.cancelled.wait(10)


@every_way
@pytest.mark.parametrize("error", [AppError("no", id="x"), GoError("EOF", 1), HostUnavailable("gone")], ids=repr)
def test_what_the_server_says_is_raised(running: Running, way: str, error: Exception) -> None:
    running.caller.give = raising(error)
    with pytest.raises(type(error)) as caught:
        WAYS[way](running, 20)
    assert caught.value is error


@every_way
def test_without_a_host_there_is_no_api(running: Running, way: str) -> None:
    running.link.caller = None
    with pytest.raises(HostUnavailable, match="OnActivate"):
        WAYS[way](running, 20)


def test_a_plugin_that_stops_leaves_nobody_waiting(running: Running) -> None:
    running.caller.give = forever
    raised: list[BaseException] = []

    def call() -> None:
        try:
            running.api.call("GetUser")
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert running.caller.begun.wait(10)

    async def stop() -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    running.on_loop(stop())
    thread.join(10)
    assert [type(error) for error in raised] == [HostUnavailable]
    assert "GetUser: the plugin is stopping" in str(raised[0])


def test_an_async_call_that_is_given_up_is_given_up_on_the_hosts_loop(running: Running) -> None:
    running.caller.give = forever

    async def handler() -> None:
        call = asyncio.ensure_future(running.async_api.call("GetUser"))
        assert await asyncio.to_thread(running.caller.begun.wait, 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(handler())
    assert running.caller.cancelled.wait(10)


@every_way
@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (float("nan"), ValueError),
        (None, TypeError),
        ("5", TypeError),
        (True, TypeError),
    ],
)
def test_what_is_no_time_to_wait_is_refused_before_anything_is_sent(
    running: Running, way: str, timeout: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"timeout=.*expected seconds, a number above 0"):
        WAYS[way](running, timeout)
    assert running.caller.calls == []


def test_an_async_call_does_not_wait_for_a_loop_that_has_ended(running: Running) -> None:
    running.loop.call_soon_threadsafe(running.loop.stop)
    running.thread.join(10)
    running.loop.close()
    with pytest.raises(HostUnavailable, match="GetUser: the plugin has stopped"):
        asyncio.run(running.async_api.call("GetUser"))
    # For the fixture, which stops a loop that runs.
    running.loop = asyncio.new_event_loop()
    running.thread = threading.Thread(target=running.loop.run_forever)
    running.thread.start()


@pytest.mark.parametrize("error", [HandlerTimeout, HandlerError, ThreadsExhausted, NotImplementedByPlugin])
def test_errors_of_hooks_travel_between_processes(error: type[CallError]) -> None:
    sent = error("late", hook="OnActivate", handler="f (plugin.py:3)")
    got = pickle.loads(pickle.dumps(sent))
    assert (type(got), str(got), got.hook, got.handler) == (error, "late", "OnActivate", "f (plugin.py:3)")


def test_the_errors_of_the_api_stand_in_the_tree() -> None:
    assert issubclass(DeadlineExceeded, (APIError, TimeoutError))
    assert issubclass(HostUnavailable, APIError)
    assert issubclass(APIError, MmhooksError)
    assert issubclass(GoError, MmhooksError)
    assert not issubclass(GoError, APIError)  # the server did answer
    assert errors.__doc__
    for error in (GoError, APIError, DeadlineExceeded, HostUnavailable):
        assert error.__name__ in errors.__doc__
        assert getattr(mmhooks, error.__name__) is error


def test_a_go_error_has_its_text_and_its_number() -> None:
    error = GoError("no rows", 2)
    assert (str(error), error.text, error.code) == ("no rows", "no rows", 2)
    assert (str(GoError()), GoError().code) == ("", 0)


def test_methods_that_only_read_may_be_repeated_and_no_others() -> None:
    rows = json.loads((Path(__file__).parents[1] / "protos" / "interface.json").read_text(encoding="utf-8"))["api"]
    names = {row["name"] for row in rows}
    repeatable = {name for name in names if is_repeatable(name)}
    changing = (
        "Set",
        "Create",
        "Update",
        "Delete",
        "Save",
        "Add",
        "Remove",
        "Send",
        "Publish",
        "Log",
        "Register",
        "Upsert",
    )
    assert not [name for name in repeatable if name.removeprefix("KV").startswith(changing)]
    assert {
        "GetUser",
        "KVGet",
        "KVList",
        "HasPermissionTo",
        "ReadFile",
        "IsEnterpriseReady",
        "CountPropertyFields",
    } <= repeatable
    not_reading = {"GetDirectChannel", "GetGroupChannel"}  # which make a channel if there is none
    without_word_for_it = {"KVCompareAndSet", "EnsureBotUser", "UploadFile", "ExecuteSlashCommand", "PatchBot"}
    assert not_reading <= repeatable
    assert not without_word_for_it & repeatable
