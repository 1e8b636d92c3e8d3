"""The dev console: runs a plugin under an embedded host and shows what a server would make of messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

import click
import watchfiles

from mmhooks.errors import AppError, CallError, MmhooksError
from mmhooks.hooks import HOOKS, HookName
from mmhooks.models import CommandArgs, CommandResponse, Context, Post
from mmhooks.outcomes import DISMISSED, Rejected, Replaced, Unchanged, Value
from mmhooks.testing.hosts import DEFAULT
from mmhooks.testing.process import LogLine, PluginProcess, plugin_file
from mmhooks.testing.results import lost_changes

_WATCH_START = 5.0
"""Seconds that the first message waits at most until files are watched."""

_COLOURS = {
    "stored": "green",
    "changed": "cyan",
    "rejected": "red",
    "error": "red",
    "answer": "green",
    "warning": "yellow",
}


class Console:
    """Talks to one plugin.

    Arguments:
        plugin: its file or folder.
        user: the user_id of the posts.
        channel: their channel_id.
        host: the wire, "netrpc" or "grpc".
        props: their props.
        say: prints a line.
    """

    def __init__(
        self,
        plugin: str,
        *,
        user: str,
        channel: str,
        host: str = DEFAULT,
        props: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = click.echo,
    ) -> None:
        self._file = plugin_file(plugin)
        self._user, self._channel, self._host = user, channel, host
        self._props = props or {}
        self._say = say
        self._process: PluginProcess | None = None
        self._lock = threading.Lock()  # a restart and a message must not meet
        self._posted = 0
        self._prompt = ""
        self._unfinished = ""

    def post_all(self, messages: Iterable[str]) -> bool:
        """Start the plugin, post the messages, stop. Result: whether no call failed."""
        self._start()
        try:
            taken = [self.take(message) for message in messages]
            return all(taken)
        finally:
            self._stop()

    def converse(self, lines: TextIO) -> None:
        """Take a message a line until the input ends; restart the plugin when its files change."""
        self._start()
        watching, ended = threading.Event(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(watching, ended), name="mmhooks-dev-watch", daemon=True)
        watcher.start()
        watching.wait(_WATCH_START)
        self._say(f"Type a message, or /command; Ctrl+D ends. Watching {self._file.parent} for changes.")
        self._prompt = "> " if lines.isatty() else ""
        try:
            for line in iter(lambda: self._read(lines), ""):
                if line.strip():
                    self.take(line.rstrip("\n"))
        except KeyboardInterrupt:
            pass
        finally:
            ended.set()
            watcher.join()
            self._stop()

    def take(self, message: str) -> bool:
        """Post a message or run a command. Result: whether the call did not fail."""
        with self._lock:
            if self._process is None:
                self._show("error", "the plugin does not run; save it once it is mended")
                return False
            if not self._prompt:  # else it stands there already
                self._say(click.style(f"> {message}", bold=True))
            try:
                return self._command(message) if message.startswith("/") else self._post(message)
            except MmhooksError as error:
                self._show("error", str(error))
                if self._process.has_ended:
                    self._restart()
                return False
            finally:
                if self._process is not None:
                    self._process.settle()

    def _post(self, message: str) -> bool:
        assert self._process
        now = int(time.time() * 1000)
        self._posted += 1
        post = Post(
            user_id=self._user,
            channel_id=self._channel,
            message=message,
            props={**self._props},
            create_at=now,
            update_at=now,
        )
        succeeded = True
        if HookName.MessageWillBePosted in self._process.implemented:
            try:
                outcome = self._process.call(HookName.MessageWillBePosted, [Context(), post])
            except CallError as error:
                if self._process.has_ended:
                    raise
                self._show("error", f"{error}: a server goes on as if the plugin were absent")
                outcome, succeeded = Unchanged(), False
            if isinstance(outcome, Rejected):
                silent = outcome.reason == DISMISSED
                self._show("rejected", "(silently: the author is told nothing)" if silent else outcome.reason)
                return True
            lost = lost_changes(HOOKS[HookName.MessageWillBePosted], [Context(), post], outcome)
            changed = isinstance(outcome, Replaced) and outcome.value != post
            if isinstance(outcome, Replaced):
                post = outcome.value
            self._show("changed" if changed else "stored", post.message)
            if changed and post.props:
                self._say(f"            props {post.props}")
            if lost:  # over net/rpc the plugin logs it
                self._show("warning", lost)
        else:
            self._show("stored", post.message)
        if HookName.MessageHasBeenPosted in self._process.implemented:
            post.id = f"post{self._posted}"
            self._process.call(HookName.MessageHasBeenPosted, [Context(), post])
        return succeeded

    def _command(self, message: str) -> bool:
        assert self._process
        if HookName.ExecuteCommand not in self._process.implemented:
            self._show("error", "the plugin has no handler for ExecuteCommand")
            return False
        args = CommandArgs(command=message, user_id=self._user, channel_id=self._channel)
        answer = self._process.call(HookName.ExecuteCommand, [Context(), args])
        if isinstance(answer, AppError):
            self._show("error", f"the user reads: {answer.message or answer.detailed_error}")
            return False
        response = answer.value if isinstance(answer, Value) else CommandResponse()
        self._show("answer", response.text or "(empty)")
        return True

    def _start(self) -> None:
        begun = time.monotonic()
        self._process = None
        self._process = PluginProcess(self._file, self._host, on_log=self._log, on_print=self._print)
        try:
            self._process.activate()
        except BaseException:
            self._stop()
            raise
        started = time.monotonic() - begun
        self._process.settle()
        hooks = ", ".join(self._process.implemented) or "none"
        if not {*self._process.implemented} - {HookName.OnActivate}:  # which over net/rpc every plugin names
            hooks += "; handlers are registered with @app.hook"
        self._say(f"{self._file.name} runs, started in {started:.2f} s. Hooks: {hooks}")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _watch(self, watching: threading.Event, ended: threading.Event) -> None:
        for changes in watchfiles.watch(
            self._file.parent,
            watch_filter=watchfiles.PythonFilter(),
            stop_event=ended,
            debounce=200,
            step=50,
            rust_timeout=200,
            yield_on_timeout=True,  # the first time says that it watches
        ):
            watching.set()
            if not changes:
                continue
            names = ", ".join(sorted({path.rpartition("/")[2] for _, path in changes}))
            with self._lock:
                self._say(f"{names} changed: starting again")
                self._restart()
                click.echo(self._prompt, nl=False)

    def _restart(self) -> None:
        self._stop()
        try:
            self._start()
        except (MmhooksError, OSError) as error:
            self._show("error", in_brief(error))

    def _show(self, what: str, text: str) -> None:
        self._say(f"  {click.style(f'{what:9}', fg=_COLOURS[what])} {text}")

    def _log(self, line: LogLine) -> None:
        self._say(click.style(f"  log {line.level}: {line.message}", dim=True))
        for value in line.fields.values():
            self._say(click.style("    " + str(value).replace("\n", "\n    "), dim=True))

    def _read(self, lines: TextIO) -> str:
        click.echo(self._prompt, nl=False)
        return lines.readline()

    def _print(self, text: str) -> None:
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            self._say(click.style(f"  print: {line}", dim=True))


def in_brief(error: Exception) -> str:
    """What happened, and the last line of why: the rest is the plugin's log, which has been shown as it came."""
    first, _, rest = str(error).partition("\n")
    return ": ".join([first, *rest.strip().splitlines()[-1:]])
