"""Ends the process when it has to end: at SIGTERM, when its host is gone, and when a stop takes too long.

A thread, since the main thread may be busy with a handler, or with importing the plugin, just then. Python runs its own
signal handlers only between two instructions of the main thread, so the thread is woken by the descriptor to which the C
handler writes.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import signal
import threading
import time
from collections.abc import Callable

POLL = 0.25
"""Seconds between two looks at the parent: together with `GRACE` less than the 2 s that a stop may take."""

GRACE = 1.3
"""Seconds from the wish to stop to the end of the process, whatever handlers are doing."""

FROZEN = 120.0
"""Seconds without a chance for any thread to run, as when a regular expression never ends, after which the process says
where every thread stands and ends with status 1. By then its host has given it up: it asks every 30 s."""


class Lifeline:
    """Watches over a process that a host started.

    Arguments:
        parent: the id of the host's process. An id of 1 is as good as any other: in a container it may be the host.
        stderr: the descriptor for the last words of a frozen process.
        stop: asks the process to stop; called once, from the thread, with the reason. A server puts its own there.
    """

    def __init__(self, parent: int, stderr: int, stop: Callable[[str], None]) -> None:
        self._parent = parent
        self._stderr = stderr
        self.stop = stop
        self._deadline: float | None = None
        self._alarm = 0.0  # when the alarm for a frozen process is next put off
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)

    def start(self) -> None:
        """Begin to watch.

        SIGINT is left to the host: Ctrl+C in its terminal reaches the plugin too. Both signals get handlers that do
        nothing, not SIG_IGN, which programs started by the plugin would inherit.
        """
        if threading.current_thread() is threading.main_thread():  # Python allows signal handlers nowhere else
            signal.signal(signal.SIGTERM, self._tell)
            signal.signal(signal.SIGINT, _nothing)
            signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        # A forked child shares the descriptor: a signal to it, before it has forgotten ours, would stop its parent.
        os.register_at_fork(before=_hold_signals, after_in_parent=_release_signals, after_in_child=_forget_signals)
        threading.Thread(target=self._watch, name="mmhooks-lifeline", daemon=True).start()

    def stopping(self) -> None:
        """Say that the process is about to end: it will, by force if need be. From any thread."""
        if self._deadline is None:
            self._deadline = time.monotonic() + GRACE
            with contextlib.suppress(OSError):
                os.write(self._waker, b"\0")

    def _watch(self) -> None:
        while True:
            if time.monotonic() >= self._alarm:
                self._alarm = time.monotonic() + FROZEN / 4
                # A thread in C, which needs nobody's leave to run; it is put off for as long as this one runs.
                faulthandler.dump_traceback_later(FROZEN, exit=True, file=self._stderr)
            timeout = POLL if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            numbers = b""
            if select.select([self._wake], [], [], timeout)[0]:
                numbers = os.read(self._wake, 64)
            if self._deadline is not None:
                if time.monotonic() >= self._deadline:
                    os._exit(0)
            elif signal.SIGTERM in numbers:
                self._end("SIGTERM")
            elif os.getppid() != self._parent:
                self._end("the process that started this plugin is gone")

    def _end(self, reason: str) -> None:
        self.stopping()
        self.stop(reason)

    def _tell(self, number: int, _: object) -> None:
        # The C handler has told the thread already, unless a library put another descriptor there, as asyncio does.
        with contextlib.suppress(OSError):
            os.write(self._waker, bytes([number]))


def _nothing(*_: object) -> None:
    """A signal handler that leaves the matter to the thread, or to the host."""


_held = threading.local()


def _hold_signals() -> None:
    _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})


def _release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _held.mask)


def _forget_signals() -> None:
    if getattr(signal.getsignal(signal.SIGTERM), "__func__", None) is Lifeline._tell:  # and not the child's own
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _release_signals()
