"""The dev console: runs a plugin under an embedded host and shows what a server would make of messages."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO

import click
import watchfiles

from mmhooks.cli.news import News, show
from mmhooks.cli.typed import Typist
from mmhooks.errors import MmhooksError
from mmhooks.hooks import HookName
from mmhooks.testing.hosts import DEFAULT
from mmhooks.testing.mattermost.clock import Clock
from mmhooks.testing.mattermost.live import LiveMattermost
from mmhooks.testing.process import StartFailed, plugin_file

_WATCH_START = 5.0
"""Seconds that the first message waits at most until files are watched."""

_LOOK = 1.0
"""Seconds that news of the plugin's log wait for the end of what it is doing."""

_ROUNDS = 5
"""How often the console looks at most whether a plugin goes on after it has done what it was asked to."""


class Console:
    """Talks to one plugin, which runs on an in-memory Mattermost.

    Arguments:
        plugin: its file or folder.
        user: the name of the user who posts.
        channel: the name of the channel.
        host: the wire, "netrpc" or "grpc".
        props: the props of the posts.
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
        self._say = say
        self._news = News(say)
        self._mattermost = self._news.mattermost = LiveMattermost(
            plugin,
            host=host,
            clock=Clock(ticking=True),
            raise_exceptions=False,
            on_log=self._news.log,
            on_print=self._news.printed,
            on_call=self._news.called,
        )
        self._typist = Typist(self._mattermost, self._news, say, user=user, channel=channel, props=props or {})
        self._lock = threading.Lock()  # a restart and a message must not meet
        self._prompts = False

    def post_all(self, messages: Iterable[str]) -> bool:
        """Start the plugin, take the lines, stop. Result: whether no call failed."""
        with self._running():
            taken = [self.take(message) for message in messages]
        return all(taken)

    def converse(self, lines: TextIO) -> None:
        """Take a line after the other until the input ends; restart the plugin when its files change."""
        with self._running():
            watching, ended = threading.Event(), threading.Event()
            watcher = threading.Thread(
                target=self._watch, args=(watching, ended), name="mmhooks-dev-watch", daemon=True
            )
            watcher.start()
            watching.wait(_WATCH_START)
            listener = threading.Thread(target=self._listen, args=(ended,), name="mmhooks-dev-listen", daemon=True)
            listener.start()
            self._say(
                f"Type a message, or /command; :help says what else, Ctrl+D ends. Watching {self._file.parent} for changes."
            )
            self._prompts = lines.isatty()
            try:
                for line in iter(lambda: self._read(lines), ""):
                    if line.strip():
                        self.take(line.rstrip("\n"))
            except KeyboardInterrupt:
                pass
            finally:
                ended.set()
                self._mattermost.server.news.tell()
                watcher.join()
                listener.join()

    def take(self, line: str) -> bool:
        """Do what a line says. Result: whether nothing failed."""
        with self._lock:
            if not self._mattermost.server.hooks.active:
                self._show("error", "the plugin does not run; save it once it is mended")
                return False
            if not self._prompts:  # else it stands there already
                self._say(click.style(f"> {line}", bold=True))
            taken = self._typist.take(line)
            taken = not self._news.show_failures() and taken
            self._show_news()
            if self._mattermost.process and self._mattermost.process.has_ended:
                self._restart()
            return taken

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        begun = time.monotonic()
        try:
            with self._mattermost:
                self._tell_start(begun)
                yield
        finally:
            self._news.show(self._typist.channel_id)

    def _tell_start(self, begun: float) -> None:
        if self._mattermost.server.plugin_error:
            raise StartFailed(f"{self._file}: OnActivate failed: {self._mattermost.server.plugin_error}")
        assert self._mattermost.process
        implemented = self._mattermost.process.implemented
        hooks = ", ".join(implemented) or "none"
        if not {*implemented} - {HookName.OnActivate}:  # which over net/rpc every plugin names
            hooks += "; handlers are registered with @app.hook"
        self._say(f"{self._file.name} runs, started in {time.monotonic() - begun:.2f} s. Hooks: {hooks}")
        self._news.show_failures()
        self._show_news()

    def _show_news(self) -> None:
        """Wait until the plugin has most likely done all that follows, and show it."""
        process, records = self._mattermost.process, self._mattermost.server.records
        assert process
        for _ in range(_ROUNDS):
            calls = len(records.calls)
            process.settle()
            self._mattermost.settle()
            if calls == len(records.calls):
                break
        self._news.show_failures()
        self._news.show(self._typist.channel_id)

    def _restart(self) -> None:
        begun = time.monotonic()
        try:
            self._mattermost.restart()
            self._tell_start(begun)
        except (MmhooksError, OSError) as error:
            self._news.show(self._typist.channel_id)
            self._show("error", in_brief(error))

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
                self._leave_prompt()
                self._say(f"{names} changed: starting again")
                self._restart()
                self._ask()

    def _listen(self, ended: threading.Event) -> None:
        """Show what the plugin does by itself. What it does for a line is shown with that, if that does not take long."""
        news = self._mattermost.server.news
        while not ended.is_set():
            if not news.wait_for(lambda: ended.is_set() or self._news.waiting, _LOOK, look=_LOOK):
                continue
            idle = self._lock.acquire(timeout=_LOOK)
            try:
                begin = self._leave_prompt if idle else None
                if self._news.show(self._typist.channel_id, only_log=not idle, begin=begin) and idle:
                    self._ask()
            finally:
                if idle:
                    self._lock.release()

    def _ask(self) -> None:
        if self._prompts:
            click.echo(self._typist.prompt, nl=False)

    def _leave_prompt(self) -> None:
        if self._prompts:
            click.echo()

    def _read(self, lines: TextIO) -> str:
        with self._lock:
            self._ask()
        return lines.readline()

    def _show(self, what: str, text: str) -> None:
        show(self._say, what, text)


def in_brief(error: Exception) -> str:
    """What happened, and the last line of why: the rest is the plugin's log, which has been shown as it came."""
    first, _, rest = str(error).partition("\n")
    return ": ".join([first, *rest.strip().splitlines()[-1:]])
