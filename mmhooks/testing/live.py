"""LiveClient: calls the hooks of a plugin that runs as a process of its own, as under a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from mmhooks.errors import AppError, CallError
from mmhooks.hooks import find_hook
from mmhooks.testing.calls import HookCalls
from mmhooks.testing.hosts import DEFAULT, Host
from mmhooks.testing.process import PluginProcess
from mmhooks.testing.results import Result, failed, ordered, result


class LiveClient(HookCalls):
    """Starts a plugin by the real handshake, activates it, and calls its hooks.

    It has the methods of the test client, and no plugin API: a plugin that calls the server is tested with `LiveMattermost`. What a handler raises comes back as a host sees it: a `CallError`, or an
    `AppError` from hooks that may fail.

    Arguments:
        plugin: the plugin's file, or its folder.
        host: the wire: "netrpc", as every released server speaks it, or "grpc", that of Mattermost's runtime for Python
            plugins.
        raise_exceptions: raise those errors; False puts them in `Result.error`.

    Raises `StartFailed`, with the plugin's output, when it does not start.
    """

    def __init__(self, plugin: str | Path, *, host: str | Host = DEFAULT, raise_exceptions: bool = True) -> None:
        self.process = PluginProcess(plugin, host)
        self._raise = raise_exceptions
        try:
            self.process.activate()
        except BaseException:
            self.process.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the plugin."""
        self.process.stop()

    def implemented_hooks(self) -> list[str]:
        """What the plugin told its host."""
        return self.process.implemented

    def call(self, name: str, /, **arguments: Any) -> Result[Any]:
        """Call a hook by its canonical name; see `TestClient.call`."""
        hook = find_hook(name)
        values = ordered(hook, arguments)
        try:
            answer = self.process.call(hook.name, values)
        except CallError as error:
            if self._raise:
                raise
            return failed(hook, error, values)
        if isinstance(answer, AppError):
            if self._raise:
                raise answer
            return Result(hook.name, None, None, answer)
        return result(hook, answer, values)
