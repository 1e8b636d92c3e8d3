"""Calls of the plugin API where something else listens than Mattermost, or nobody answers: errors, and nothing hangs."""

from __future__ import annotations

import contextlib
import functools
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.host_driver import HostError
from tests.hosts.conftest import Served, serve
from tests.hosts.test_calls_back import FAILS, failures

SETTINGS = bytes.fromhex("000000 04 00 00000000")
"""The empty frame by which a server of HTTP/2 begins."""

GOAWAY = bytes.fromhex("000008 07 00 00000000 00000000 00000000")

NOISE = bytes(number * 37 % 251 for number in range(2000))


class Listener:
    """A server that does one thing to each connection. Connections stay open until its end."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._behave = behave
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._accepting = self._start(self._accept)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listening.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in self._connections:
            connection.close()

    def _start(self, function: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=function)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._threads.append(self._start(functools.partial(self._serve, connection)))

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._behave(connection)


def says_nothing(connection: socket.socket) -> None:
    pass


def hangs_up(connection: socket.socket) -> None:
    connection.close()


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_a_web_server(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def makes_noise(connection: socket.socket) -> None:
    connection.sendall(NOISE)


def begins_and_says_nothing(connection: socket.socket) -> None:
    connection.sendall(SETTINGS)


def begins_and_makes_noise(connection: socket.socket) -> None:
    connection.sendall(SETTINGS)
    connection.recv(1000)
    connection.sendall(NOISE)


def begins_and_goes_away(connection: socket.socket) -> None:
    connection.sendall(SETTINGS)
    connection.recv(1000)
    connection.sendall(GOAWAY)
    connection.close()


ODD = [
    says_nothing,
    hangs_up,
    resets,
    is_a_web_server,
    makes_noise,
    begins_and_says_nothing,
    begins_and_makes_noise,
    begins_and_goes_away,
]


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    found = Listener(request.param)
    yield found
    found.close()


@pytest.mark.parametrize("listener", ODD, ids=lambda behave: behave.__name__, indirect=True)
def test_whatever_listens_there_a_call_ends_with_an_error_that_names_it(
    start_plugin: Start, listener: Listener
) -> None:
    served = Served(start_plugin(FAILS, {"MATTERMOST_PLUGIN_API_TARGET": listener.address}), "grpc")
    for method, name in (("kv_delete", "KVDelete"), ("kv_get", "KVGet")):  # the second is tried again
        for kind, text in failures(served, method, timeout=1):
            assert kind in ("HostUnavailable", "DeadlineExceeded", "APIError")
            assert text.startswith(f"{name}: ")


def test_a_proxy_is_never_asked(start_plugin: Start) -> None:
    proxy = dict.fromkeys(
        ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:1"
    )
    served = Served(start_plugin(FAILS, proxy, with_api=True), "grpc")
    assert failures(served) == ["None", "None"]


@pytest.mark.parametrize("seconds", ["Infinity", "1e12"])
def test_a_deadline_that_is_far_away_is_none(start_plugin: Start, seconds: str) -> None:
    served = serve(start_plugin, FAILS, "grpc")
    answer = served.call("ExecuteCommand", args={"command": f'["kv_delete", {seconds}]'})
    assert answer["response"]["text"] == '["None", "None"]'


def test_a_long_text_of_an_error_arrives_whole(start_plugin: Start) -> None:
    served = serve(start_plugin, FAILS, "grpc")
    text = "every letter of it: " + "ä" * 20_000
    served.answer("KVDelete", grpc_status={"code": "NOT_FOUND", "message": f"app.some.error: {text}"})
    for kind, found in failures(served):
        assert kind == "NotFound"
        assert text in found


WAITS = """
    import asyncio, atexit, threading
    from mmhooks import App, HostUnavailable
    app = App()
    noted = threading.Event()
    atexit.register(noted.wait, 5)  # the process does not wait for threads that handlers run in

    def note(error):
        with open(FILE, "a") as file:
            file.write(str(error))
        noted.set()

    @app.hook
    {handler}

    app.run()
"""

HANDLERS = {
    "sync": """
    def message_has_been_posted(post):
        try:
            app.api.kv_delete("k")
        except HostUnavailable as error:
            note(error)
    """,
    "background": """
    async def message_has_been_posted(post):
        global task  # of its own: that of a handler is cancelled
        task = asyncio.create_task(wait())

    async def wait():
        try:
            await app.async_api.kv_delete("k")
        except HostUnavailable as error:
            note(error)
    """,
}


@pytest.mark.parametrize("kind", HANDLERS)
def test_calls_under_way_when_the_plugin_is_stopped_are_told_so(start_plugin: Start, kind: str, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    source = WAITS.replace("{handler}", HANDLERS[kind].strip()).replace("FILE", repr(str(seen)))
    plugin = start_plugin(source, with_api=True, answers={"KVDelete": {"never": True}})
    call = plugin.begin("call", hook="MessageHasBeenPosted", request={"post": {}})
    plugin.wait_api_calls("KVDelete")
    plugin.ask("kill")
    with contextlib.suppress(HostError):
        plugin.host.wait(call)
    assert seen.read_text() == "KVDelete: the plugin is stopping"
