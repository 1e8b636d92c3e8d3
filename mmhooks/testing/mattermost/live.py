"""Mattermost in memory, with the plugin as a process of its own: what it is told and asks for goes over a real wire."""

from __future__ import annotations

import contextlib
import contextvars
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from mmhooks.errors import APIError, AppError, CallError, HandlerError, MmhooksError
from mmhooks.hooks import Hook
from mmhooks.models import Manifest
from mmhooks.outcomes import Failed, Outcome, Unchanged
from mmhooks.testing import hosts
from mmhooks.testing.mattermost.clock import Clock
from mmhooks.testing.mattermost.hooks import endless
from mmhooks.testing.mattermost.mattermost import Mattermost
from mmhooks.testing.mattermost.server import Server
from mmhooks.testing.process import LogLine, PluginProcess, plugin_file

OnCall: TypeAlias = Callable[[Hook, Sequence[object], Outcome], None]


MOST_CAUSED = 300
"""Hooks at once that the plugin has caused by calls of the API: more are taken for an endless loop."""

_by_the_plugin: contextvars.ContextVar[bool] = contextvars.ContextVar("_by_the_plugin", default=False)
"""Whether this code answers a call of the plugin."""


class LiveMattermost(Mattermost):
    """A Mattermost server in memory, with your plugin as a process of its own, as under a server.

    All that `Mattermost` can do; what the plugin gets and asks for goes over the wire, and what it cannot be told there it is
    not told here. What a handler raises comes back as a server sees it: a `CallError`, or an `AppError`.

    Arguments:
        plugin: the plugin's file, or its folder.
        host: the wire: "netrpc", as every released server speaks it, or "grpc", that of Mattermost's runtime for Python
            plugins.
        settings: the plugin's settings, as an administrator has stored them in the System Console.
        manifest: its manifest; made of its name unless given.
        clock: the server's clock, which stands still unless given.
        raise_exceptions: raise how a handler failed, in whatever made the server call it; False only notes it in `errors`.
        on_log: is given each line of the plugin's log that does not come by the plugin API, from a thread.
        on_print: is given what it prints, from a thread.
        on_call: is given each hook that was called, its arguments, and what came of it, in the thread that called it.

    Raises `StartFailed`, on entering, with the plugin's output, when it does not start.
    """

    def __init__(
        self,
        plugin: str | Path,
        *,
        host: str = hosts.DEFAULT,
        settings: Mapping[str, Any] | None = None,
        manifest: Manifest | None = None,
        clock: Clock | None = None,
        raise_exceptions: bool = True,
        on_log: Callable[[LogLine], None] | None = None,
        on_print: Callable[[str], None] | None = None,
        on_call: OnCall | None = None,
    ) -> None:
        self._file = plugin_file(plugin)
        self.host = host
        """The wire."""
        self._on_log, self._on_print, self._on_call = on_log, on_print, on_call
        self.process: PluginProcess | None = None
        """The process, while it is entered."""
        name = self._file.parent.name if self._file.stem == "plugin" else self._file.stem
        manifest = manifest or Manifest(
            id="com.example." + re.sub(r"[^a-z0-9_-]", "-", name.lower()), name=name, version="1.0.0"
        )
        server = Server(manifest, settings or {}, clock or Clock(), bundle_path=str(self._file.parent))
        self._set_up(server, raise_exceptions)
        self._app = None

    def restart(self) -> None:
        """Stop the plugin, and start it again from its file, in a new process, which is activated.

        What the server has stays: users, channels, posts, the key-value store. The plugin's commands go, until it
        registers them again.

        Raises `StartFailed` when it does not start, and what OnActivate raised, as entering does. There is no plugin then,
        and this may be called again.
        """
        self._stop_process()
        self._start_process()
        try:
            self.enable_plugin()
        finally:
            if not self.server.hooks.active:
                self._stop_process()

    def _load(self, stack: contextlib.ExitStack) -> None:
        stack.callback(self._stop_process)
        self._start_process()

    def _start_process(self) -> None:
        self.process = PluginProcess(
            self._file,
            hosts.make(self.host, self._answer),
            on_log=self._on_log,
            on_print=self._on_print,
        )
        self.server.hooks.plugin = _Live(self.process, self._on_call)

    def _answer(self, method: str, arguments: Sequence[Any]) -> Any:
        """Answer the plugin. What is no answer of a server is told to the test: a function for `answer` may fail, too."""
        token = _by_the_plugin.set(True)
        try:
            return self.server.answer(method, arguments)
        except MmhooksError:
            raise
        except BaseException as error:
            self.server.hooks.note(method, error)
            raise APIError(f"{method}: {type(error).__name__}: {error}") from None
        finally:
            _by_the_plugin.reset(token)

    def _stop_process(self) -> None:
        if self.process is None:
            return
        if self.process.has_ended:  # nobody is there to be told
            self.server.hooks.active = False
            with self.server.lock:
                self.server.state.plugin_commands.clear()
        try:
            self.disable_plugin()
        finally:
            self.server.hooks.plugin = None
            self.process.stop(deactivate=False)


class _Live:
    """A plugin in another process; see `Plugin`."""

    def __init__(self, process: PluginProcess, on_call: OnCall | None) -> None:
        self._process = process
        self._on_call = on_call
        self.hooks = frozenset(process.implemented)
        self._lock = threading.Lock()
        self._running = 0

    def call(self, hook: Hook, arguments: Sequence[object]) -> tuple[Outcome, Sequence[UserWarning]]:
        """See `Plugin`. What a released server cannot be told the plugin logs itself."""
        outcome = self._ask(hook, arguments)
        if self._on_call:
            self._on_call(hook, arguments, outcome)
        return outcome, ()

    def _ask(self, hook: Hook, arguments: Sequence[object]) -> Outcome:
        # What happens in the other process does not show which hook caused which.
        caused = int(_by_the_plugin.get())
        with self._lock:
            self._running += caused
            too_deep = self._running > MOST_CAUSED
        try:
            if too_deep:
                raise endless(f"{hook.name} was called while {MOST_CAUSED} hooks that the plugin caused were under way")
            if self._process.is_stopped:
                return Unchanged()
            answer = self._process.call(hook.name, arguments)
        except CallError as error:
            return Failed(error)
        finally:
            with self._lock:
                self._running -= caused
        if isinstance(answer, AppError):
            told = HandlerError(str(answer), hook=hook.name)
            told.__cause__ = answer
            return Failed(told)
        return answer
