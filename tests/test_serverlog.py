"""The plugin's records on their way to the server's log: in order, never waited for, never lost without a word."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from mmhooks import serverlog
from mmhooks.api import AsyncPluginAPI, Link
from mmhooks.errors import AppError, HostUnavailable, UnsupportedByHost
from mmhooks.log import HclogHandler
from mmhooks.serverlog import KEPT, REST, ServerLog
from tests.loop_caller import LoopCaller


class Server(LoopCaller):
    """A server on a loop of its own, whose log may be slow, or fail."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.calls: list[tuple[Any, ...]] = []
        self.failure: Exception | None = None
        self.asked = threading.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def answer(self, method: str, arguments: Sequence[Any]) -> None:
        self.asked.set()
        await self.free.wait()
        if self.failure is not None:
            raise self.failure
        self.calls.append((method, *arguments))


class Logging:
    """A logger whose records go to a server, and to what stands for stderr."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = self.on_loop(self._server())
        self.lines: list[dict[str, Any]] = []
        self.handler = HclogHandler(lambda data: self.lines.append(json.loads(data)))
        self.logger = logging.Logger("plugin")
        self.logger.addHandler(self.handler)
        self.now = 1000.0
        link = Link()
        link.caller = self.server
        api = AsyncPluginAPI(link)
        self.log: ServerLog = self.on_loop(self._log(api))

    async def _server(self) -> Server:
        return Server(self.loop)

    async def _log(self, api: AsyncPluginAPI) -> ServerLog:
        return ServerLog("plugin", api, self.loop, self.handler, clock=lambda: self.now)

    def on_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def flush(self) -> None:
        self.on_loop(self.log.flush(20))

    def block(self) -> None:
        """Have the server answer nothing until `unblock`."""
        self.loop.call_soon_threadsafe(self.server.free.clear)

    def unblock(self) -> None:
        self.loop.call_soon_threadsafe(self.server.free.set)

    @property
    def on_stderr(self) -> list[str]:
        return [line["@message"] for line in self.lines]

    def close(self) -> None:
        self.unblock()
        self.flush()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def to() -> Iterator[Logging]:
    made = Logging()
    yield made
    made.close()


def test_records_arrive_in_their_order_by_the_method_of_their_level(to: Logging) -> None:
    to.logger.debug("looking for %s", "tea")
    to.logger.info("found")
    to.logger.warning("low")
    to.logger.error("out")
    to.logger.critical("closed")
    to.flush()
    assert to.server.calls == [
        ("LogDebug", "looking for tea", []),
        ("LogInfo", "found", []),
        ("LogWarn", "low", []),
        ("LogError", "out", []),
        ("LogError", "closed", []),
    ]
    assert to.lines == []


def test_extra_values_arrive_as_pairs_of_texts(to: Logging) -> None:
    to.logger.info("sold", extra={"item": "tea", "count": 3, "price": None, "tags": ["a"]})
    to.flush()
    (call,) = to.server.calls
    assert call == ("LogInfo", "sold", ["item", "tea", "count", "3", "price", "None", "tags", "['a']"])


def test_an_exception_arrives_with_its_traceback(to: Logging) -> None:
    try:
        raise KeyError("tea")
    except KeyError:
        to.logger.exception("not sold")
    to.flush()
    ((method, message, pairs),) = to.server.calls
    assert (method, message, pairs[0]) == ("LogError", "not sold", "traceback")
    assert pairs[1].endswith("KeyError: 'tea'")


def test_a_logger_below_is_named(to: Logging) -> None:
    child = logging.Logger("plugin.shop")
    child.addHandler(to.handler)
    child.info("open")
    to.flush()
    assert to.server.calls == [("LogInfo", "open", ["logger", "plugin.shop"])]


@pytest.mark.parametrize("name", ["mmhooks", "plugins", "plugin2.shop", "other"])
def test_records_of_other_loggers_go_to_stderr(to: Logging, name: str) -> None:
    other = logging.Logger(name)
    other.addHandler(to.handler)
    other.info("hi")
    to.flush()
    assert (to.server.calls, to.on_stderr) == ([], ["hi"])


def test_what_is_no_text_to_the_wire_is_told_all_the_same(to: Logging) -> None:
    to.logger.info("file \udcff", extra={"path": "\ud800"})
    to.flush()
    assert to.server.calls == [("LogInfo", "file \\udcff", ["path", "\\ud800"])]


def test_a_slow_server_makes_nobody_wait_and_what_is_dropped_is_counted_in_its_place(to: Logging) -> None:
    to.block()
    to.logger.info("first")
    assert to.server.asked.wait(10)  # it is under way, and no longer among those that wait
    for number in range(KEPT + 7):
        to.logger.info("%d", number)
    to.unblock()
    to.flush()
    texts = [message for _, message, _ in to.server.calls]
    assert texts[:-1] == ["first", *map(str, range(KEPT))]
    assert to.server.calls[-1][0] == "LogWarn"
    assert texts[-1].startswith("7 records of the log were dropped here")
    to.logger.info("after")
    to.flush()
    assert to.server.calls[-1] == ("LogInfo", "after", [])
    assert to.lines == []


@pytest.mark.parametrize("failure", [AppError("no"), HostUnavailable("gone"), ValueError("a fault of ours")], ids=repr)
def test_what_the_server_does_not_take_goes_to_stderr_for_a_while(to: Logging, failure: Exception) -> None:
    to.block()
    to.server.failure = failure
    to.logger.info("one", extra={"key": "value"})
    to.logger.info("two")
    to.unblock()
    to.flush()
    assert to.on_stderr == ["one", "two"]
    assert to.lines[0]["key"] == "value"
    to.server.failure = None
    to.logger.info("three")
    to.now += REST + 1
    to.logger.info("four")
    to.flush()
    assert to.on_stderr == ["one", "two", "three"]
    assert to.server.calls == [("LogInfo", "four", [])]


def test_a_host_that_has_no_log_is_not_asked_again(to: Logging) -> None:
    to.server.failure = UnsupportedByHost("this host has no LogInfo")
    to.logger.info("one")
    to.flush()
    to.server.asked.clear()
    to.now += 1e9
    to.logger.info("two")
    to.flush()
    assert to.on_stderr == ["one", "two"]
    assert not to.server.asked.is_set()


def test_a_server_that_never_answers_has_its_time(to: Logging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serverlog, "TIMEOUT", 0.01)
    to.block()
    to.logger.info("one")
    to.flush()
    assert to.on_stderr == ["one"]


def test_at_the_end_the_rest_goes_to_stderr(to: Logging) -> None:
    to.block()
    to.logger.info("under way")
    assert to.server.asked.wait(10)
    for number in range(KEPT + 2):
        to.logger.info("%d", number)
    to.log.close()
    assert to.on_stderr[:-1] == [*map(str, range(KEPT))]
    assert to.on_stderr[-1].startswith("2 records of the log were dropped here")
    to.logger.info("late")
    assert to.on_stderr[-1] == "late"


def test_flush_waits_no_longer_than_it_is_told_to(to: Logging) -> None:
    to.block()
    to.logger.info("one")
    assert to.server.asked.wait(10)
    to.on_loop(to.log.flush(0.01))
    assert to.server.calls == []


def test_what_is_logged_on_the_loop_is_flushed_there(to: Logging) -> None:
    async def handler() -> None:
        to.logger.info("one")
        await to.log.flush(20)

    to.on_loop(handler())
    assert to.server.calls == [("LogInfo", "one", [])]


def test_records_of_many_threads_all_arrive(to: Logging) -> None:
    def work(name: str) -> None:
        for number in range(50):
            to.logger.info("%s %d", name, number)

    threads = [threading.Thread(target=work, args=[name]) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    to.flush()
    assert len(to.server.calls) == 400
    for name in "abcdefgh":
        texts = [message for _, message, _ in to.server.calls if message.startswith(name)]
        assert texts == [f"{name} {number}" for number in range(50)]
