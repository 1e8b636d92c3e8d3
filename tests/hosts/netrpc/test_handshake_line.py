"""The handshake as a released server sees it: a plugin that is started by hand, and a socket that a test connects to."""

from __future__ import annotations

import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmhooks.launch import COOKIE
from tests.conftest import as_file

PLUGIN = """
    import sys
    from mmhooks import App
    app = App()
    print("not the handshake")
    app.run()
"""

SERVER = {
    COOKIE[0]: COOKIE[1],
    "PLUGIN_MIN_PORT": "10000",
    "PLUGIN_MAX_PORT": "25000",
    "PLUGIN_PROTOCOL_VERSIONS": "1",
}
"""What a released server sets."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mm") as name:
        yield Path(name)


class Started:
    """A plugin that was started without go-plugin."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        file = as_file(PLUGIN, folder)
        environ = {**os.environ, **SERVER, **env}
        self.process = subprocess.Popen(
            [sys.executable, file], cwd="/", env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def started(folder: Path) -> Iterator[Started]:
    plugin = Started(folder, {"TMPDIR": str(folder)})
    yield plugin
    plugin.end()


def connect(line: bytes) -> socket.socket:
    fields = line.decode().split("|")
    if fields[2] == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(fields[3])
    else:
        host, _, port = fields[3].rpartition(":")
        connection = socket.create_connection((host, int(port)))
    connection.settimeout(10)
    return connection


def test_line_has_the_form_of_gos_and_is_all_that_is_written(started: Started, folder: Path) -> None:
    path = folder / f"plugin-{started.process.pid}"
    assert started.line.decode() == f"1|1|unix|{path}|netrpc|\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(10) == 0
    assert started.process.stdout
    assert started.process.stdout.read() == b""
    assert not path.exists()


def test_line_of_a_port_has_it_after_the_address(folder: Path) -> None:
    plugin = Started(folder, {"TMPDIR": str(folder / "missing")})
    try:
        core, version, network, address, protocol, certificate = plugin.line.decode().rstrip("\n").split("|")
        assert (core, version, network, protocol, certificate) == ("1", "1", "tcp", "netrpc", "")
        assert address.startswith("127.0.0.1:")
        connect(plugin.line).close()
        assert plugin.process.wait(10) == 0
    finally:
        plugin.end()


PING, SYN, ACK = 2, 1, 2
HEADER = struct.Struct(">BBHLL")


def test_keepalive_of_the_host_is_answered(started: Started) -> None:
    # The host asks every 30 s, and hangs up when no answer comes.
    with connect(started.line) as connection:
        for number in (7, 2**32 - 1):
            connection.sendall(HEADER.pack(0, PING, SYN, 0, number))
            assert HEADER.unpack(connection.recv(HEADER.size, socket.MSG_WAITALL)) == (0, PING, ACK, 0, number)


def test_lost_connection_ends_the_plugin_with_status_0(started: Started) -> None:
    connect(started.line).close()
    assert started.process.wait(10) == 0


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: plugin\r\n\r\n", b"\xff" * 64])
def test_peer_that_speaks_something_else_is_hung_up_on_and_the_plugin_ends(started: Started, data: bytes) -> None:
    with connect(started.line) as connection:
        connection.sendall(data)
        while connection.recv(4096):
            pass
    assert started.process.wait(10) == 0
    assert started.process.stderr
    assert b"the connection cannot go on" in started.process.stderr.read()


def test_plugin_that_nobody_connects_to_still_ends_at_sigterm(started: Started) -> None:
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(10) == 0
