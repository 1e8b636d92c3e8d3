"""Calls the plugin's hooks: those that the server waits for, and those that come afterwards."""

from __future__ import annotations

import collections
import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mmhooks.errors import AppError, CallError, HandlerError
from mmhooks.hooks import HOOKS, HookName
from mmhooks.outcomes import Failed, Outcome, Rejected, Replaced, Unchanged, Value
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.lock import News, StateLock
from mmhooks.testing.mattermost.plugin import Plugin

DEEPEST = 30
"""Hooks within hooks that the server waits for. Each has a thread of the plugin's for itself, and of those there are 64."""

LONGEST = 100
"""Hooks that come afterwards and were each caused by the one before."""

_TOLD = frozenset((HookName.OnActivate, HookName.ExecuteCommand, HookName.ConfigurationWillBeSaved))
"""The hooks by which handlers tell somebody of an error. That of other hooks is only logged."""

_depth: contextvars.ContextVar[tuple[int, int]] = contextvars.ContextVar("_depth", default=(0, 0))
"""How many hooks this code is within, and how many came one after the other to cause it."""


def within_hook() -> bool:
    """Whether this is the code of a handler, or of what it calls."""
    return _depth.get() != (0, 0)


@dataclass(frozen=True)
class Trouble:
    """A hook whose handler failed. `error` is what the handler raised, where it raised something."""

    hook: str
    error: BaseException


class Hooks:
    """The plugin's hooks, as the server calls them.

    A handler that fails is noted, and the server goes on as if the plugin had nothing to say: a released server does so
    (Mattermost's `client_rpc.go`).

    Arguments:
        lock: the lock over the state, which must not be held while a hook runs.
        news: is told when one has run.
    """

    def __init__(self, lock: StateLock, news: News) -> None:
        self.plugin: Plugin | None = None
        self.active = False
        """Whether the plugin gets hooks: not before OnActivate has returned, and no more when OnDeactivate is called."""
        self.troubles: list[Trouble] = []
        """The handlers that failed."""
        self.slips: list[UserWarning] = []
        """What the plugin's author should be told."""
        self._lock = lock
        self._news = news
        self._changed = threading.Condition()
        self._queue: collections.deque[tuple[str, Callable[[], object]]] = collections.deque()
        self._busy = False
        self._thread: threading.Thread | None = None

    def has(self, name: str) -> bool:
        """Whether the plugin is to be told of such an event."""
        return self.active and self.plugin is not None and name in self.plugin.hooks

    def ask(self, name: str, *arguments: Any) -> Outcome:
        """Call a hook and wait; `Unchanged` when the plugin doesn't have it. `Failed` stays what it is, for those hooks whose
        errors somebody is told."""
        return self._call(name, arguments) if self.has(name) else Unchanged()

    def filter(self, name: str, *arguments: Any) -> tuple[str, Any]:
        """Call a filter or a gate and wait. Result: why it says no, or an empty text; and the model that it gives in the place
        of the other, or None."""
        outcome = self.ask(name, *arguments)
        if isinstance(outcome, Rejected):
            return outcome.reason, None
        return "", outcome.value if isinstance(outcome, Replaced | Value) else None

    def life(self, name: str) -> Outcome:
        """Call a hook of the plugin's life, which comes whether it is active or not."""
        if self.plugin is None or name not in self.plugin.hooks:
            return Unchanged()
        return self._call(name, ())

    def later(self, name: str, *arguments: Any) -> None:
        """Call a hook soon: after whatever has been put off already, and in another thread. Arguments are copied now."""
        if not self.has(name):
            return
        arguments = copied(arguments)
        self.put_off(lambda: self.ask(name, *arguments), name)

    def put_off(self, action: Callable[[], object], what: str) -> None:
        """Do something soon, as `later`; `what` names it."""
        _, chain = _depth.get()
        if chain >= LONGEST:
            self.note(what, endless(f"{what}: {LONGEST} hooks were each caused by the one before"))
            return
        context = contextvars.copy_context()
        context.run(_depth.set, (0, chain + 1))
        with self._changed:
            self._queue.append((what, lambda: context.run(action)))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="mmhooks-mattermost", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until nothing is put off any more. Must not be called by a handler: it would wait for itself."""
        if not self._queue and not self._busy:  # in this order: what leaves the queue makes it busy before
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._queue and not self._busy)

    def close(self) -> None:
        """Let the thread end in which things are done that were put off, after the last one."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._queue or self._thread is not threading.current_thread())
                if not self._queue:
                    return
                self._busy = True
                what, action = self._queue.popleft()
            try:
                action()
            except Exception as error:
                self.note(what, error)

    def _call(self, name: str, arguments: tuple[Any, ...]) -> Outcome:
        plugin = self.plugin
        if plugin is None:  # it has been stopped in this moment
            return Unchanged()
        assert not self._lock.held, f"{name} is called with the state locked"
        with _deeper(name):
            outcome, slips = plugin.call(HOOKS[name], list(arguments))
        self.slips += slips
        failure = outcome.error if isinstance(outcome, Failed) else None
        if isinstance(outcome, Rejected | Value):
            failure = outcome.cause
        if failure is not None and not (name in _TOLD and _meant(failure)):
            self.note(name, failure)
        self._news.tell()
        return outcome

    def note(self, name: str, error: BaseException) -> None:
        """Note a failure, of which whoever acts is told. `name` is that of a hook, or of a method of the plugin API."""
        cause = error.__cause__ if isinstance(error, HandlerError) else None
        self.troubles.append(Trouble(name, cause or error))
        self._news.tell()


@contextlib.contextmanager
def _deeper(name: str) -> Iterator[None]:
    nested, chain = _depth.get()
    if nested >= DEEPEST:
        raise endless(f"{name} was called within {DEEPEST} other hooks, all of which wait for it")
    token = _depth.set((nested + 1, chain))
    try:
        yield
    finally:
        _depth.reset(token)


def endless(what: str) -> RuntimeError:
    """The error of hooks that cause one another without an end."""
    return RuntimeError(
        f"{what}: does a handler react to what the plugin itself does? On a server this would go on for ever"
    )


def _meant(failure: CallError) -> bool:
    """Whether a handler has told of a failure in the way that is meant for it."""
    return isinstance(failure.__cause__, AppError)
