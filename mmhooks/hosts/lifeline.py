"""Ends the process when it has to end: at SIGTERM, when its host is gone, and when a stop takes too long.

A thread, since the loop may be blocked by a handler just then. Python runs its own signal handlers only between two
instructions of the main thread, so the thread is woken by the descriptor that the C handler writes to.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable

POLL = 0.5
"""Seconds between two looks at the parent: together with `GRACE` less than the 2 s that a stop may take."""

GRACE = 1.4
"""Seconds from the wish to stop to the end of the process, whatever handlers are doing."""


class Lifeline:
    """Watches over a process that a host started.

    Arguments:
        parent: the id of the host's process. An id of 1 is as good as any other: in a container it may be the host.
        stop: asks the process to stop; called once, from the thread, with the reason.
    """

    def __init__(self, parent: int, stop: Callable[[str], None]) -> None:
        self._parent = parent
        self._stop = stop
        self._deadline: float | None = None
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)

    def start(self) -> None:
        """Begin to watch; called in the main thread.

        SIGINT is left to the host: Ctrl+C in its terminal reaches the plugin too. Both signals get handlers that do
        nothing, not SIG_IGN, which programs started by the plugin would inherit.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _nothing)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=_forget_signals)
        threading.Thread(target=self._watch, name="mmhooks-lifeline", daemon=True).start()

    def stopping(self) -> None:
        """Say that the process is about to end: it will, by force if need be. From any thread."""
        if self._deadline is None:
            self._deadline = time.monotonic() + GRACE
            with contextlib.suppress(OSError):
                os.write(self._waker, b"\0")

    def _watch(self) -> None:
        while True:
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
        self._stop(reason)


def _nothing(*_: object) -> None:
    """A signal handler that leaves the matter to the thread, or to the host."""


def _forget_signals() -> None:
    # A forked child shares the descriptor, and would stop its parent.
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
