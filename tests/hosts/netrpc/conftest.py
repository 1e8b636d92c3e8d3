"""Plugins under the Go host, as released servers start them; and one that takes every hook."""

from __future__ import annotations

import functools
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import conftest
from tests.conftest import PLUGINS, Start, as_file
from tests.host_driver import GoHost, GoPlugin, start

LONG = {"wire": "netrpc", "start_timeout_ms": 20_000}
"""A busy machine may need longer than the 3 s that a server waits."""


@pytest.fixture
def start_plugin(start_plugin: Start) -> Start:
    """Starts plugins over net/rpc, and ends them after the test."""
    return functools.partial(start_plugin, **LONG)


@pytest.fixture
def gohost_start_fails(gohost_start_fails: Start) -> Start:
    """Starts a plugin over net/rpc that cannot start; the plugin's log can be asked for all the same."""
    return functools.partial(gohost_start_fails, **LONG)


class Echo:
    """The echo plugin under the Go host."""

    def __init__(self, plugin: GoPlugin, file: Path) -> None:
        self.plugin = plugin
        self._file = file
        self.activated = False

    def last(self) -> dict[str, Any]:
        """The last call, as the handler saw it: `hook`, `arguments` by attributes, `json`."""
        line: dict[str, Any] = json.loads(self._file.read_text().splitlines()[-1])
        return line

    def script(self, hook: str, source: str | None) -> None:
        """Have a hook answered by a function `answer`; by None as it is without one."""
        script = Path(f"{self._file}.{hook}")
        script.unlink(missing_ok=True)
        if source is not None:
            script.write_text(textwrap.dedent(source))

    def call(self, hook: str, args: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Call a hook as the server does: only for activation it offers its API."""
        if hook != "OnActivate":
            return self.plugin.call_rpc(hook, args, **more)
        return self.plugin.activate()

    def answered(self, hook: str, answer: str, args: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Call a hook whose handler has this body; what Go read."""
        self.script(hook, "def answer(**a):\n" + textwrap.indent(textwrap.dedent(answer), "    "))
        try:
            return self.call(hook, args, **more)
        finally:
            self.script(hook, None)


@pytest.fixture(scope="module")
def echo(gohost: GoHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    file = tmp_path_factory.mktemp("echo") / "calls"
    name = f"echo{next(conftest._numbers)}"
    plugin = start(gohost, name, as_file(PLUGINS / "echo.py", file.parent), {"ECHO_FILE": str(file)}, **LONG)
    yield Echo(plugin, file)
    plugin.ask("kill")
