"""How this process was started: by a host, whose environment and standard streams are taken over at once, or by hand.

go-plugin reads the handshake from the first line of standard output and throws away what follows; a line of more than
64 KiB there wedges the plugin, and so does a host that waits for pipes which a child of the plugin keeps. So, before
anything else runs, the real streams are put aside where children cannot get at them, and what is printed goes through
pipes to a thread of ours.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import faulthandler
import fcntl
import os
import select
import sys
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from mmhooks.lifeline import Lifeline

if TYPE_CHECKING:
    from mmhooks.log import HclogHandler

COOKIE = ("MATTERMOST_PLUGIN", "Securely message teams, anywhere.")
"""By this variable a plugin knows that Mattermost started it (Mattermost's plugin package, go-plugin's magic cookie)."""

STDOUT, STDERR = 1, 2
"""The two channels; go-plugin numbers them like the file descriptors."""

KEPT = 1 << 20
"""Bytes of printed text that wait for the host; beyond them the oldest is dropped. A print must neither block nor grow
without bound when the host does not read."""


class Launch:
    """What the host gave this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self._stdout = _put_aside(STDOUT)
        self._stderr = _put_aside(STDERR)
        self._stderr_lock = threading.Lock()
        self.output = Output(self.write_stderr)
        faulthandler.enable(self._stderr)  # a crash in C code leaves a traceback in the server's log
        self.lifeline = Lifeline(os.getppid(), self._stderr, self._end)
        self.lifeline.start()
        self.log: HclogHandler | None = None
        """What writes the records of all loggers to the host."""

    def write_handshake(self, line: str) -> None:
        """Write the one line that the host reads from the real standard output."""
        os.write(self._stdout, line.encode() + b"\n")

    def write_stderr(self, data: bytes) -> None:
        """Write to the real standard error, whose lines the host logs."""
        with self._stderr_lock, contextlib.suppress(OSError):  # the host may be gone
            while data:
                data = data[os.write(self._stderr, data) :]

    def tell_the_rest(self) -> None:
        """Write what was printed and never fetched, above all the traceback of a plugin that could not be imported."""
        self.output.flush()
        for _, data in self.output.take():
            self.write_stderr(data)

    def _end(self, reason: str) -> None:
        """The end of a plugin that is still being imported: nobody is served yet, and the import may never end."""
        self.tell_the_rest()
        os._exit(0)

    def _leave_to_parent(self) -> None:
        # In a forked child: the host waits until nobody has its pipes any more.
        self._stderr_lock = threading.Lock()
        if self.log is not None:
            self.log.divert = None  # its other way is the parent's
        faulthandler.enable(STDERR)
        for fd in (self._stdout, self._stderr):
            os.close(fd)
        self._stdout = self._stderr = STDERR


class Output:
    """What this process and its children print: a thread drains it from the first instruction on.

    Until a host listens, standard error goes straight to the real one, and standard output waits.
    """

    def __init__(self, write_stderr: Callable[[bytes], None]) -> None:
        self._write_stderr = write_stderr
        self._pipes = {_redirect(STDOUT): STDOUT, _redirect(STDERR): STDERR}
        self._wake, self._waker = os.pipe()
        self._lock = threading.Lock()
        self._kept: collections.deque[tuple[int, bytes]] = collections.deque()
        self._size = 0
        self._dropped = 0
        self._listener: Callable[[], None] | None = None
        self._drained = threading.Event()
        threading.Thread(target=self._drain, name="mmhooks-output", daemon=True).start()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from the thread, when there is something to take; it replaces one that listened before."""
        with self._lock:
            self._listener = listener
        listener()

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Call `listener` no more, if it is still the one."""
        with self._lock:
            if self._listener is listener:
                self._listener = None

    def take(self) -> list[tuple[int, bytes]]:
        """What has been printed since the last time, as pairs of channel and bytes."""
        with self._lock:
            kept = [*self._kept]
            if self._dropped:
                notice = f"[mmhooks: {self._dropped} bytes printed before this were dropped: nobody read them]\n"
                kept.insert(0, (STDERR, notice.encode()))
            self._kept.clear()
            self._size = self._dropped = 0
        return kept

    def flush(self, timeout: float = 0.2) -> None:
        """Wait until what was printed so far can be taken."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # a plugin may have put anything there, or closed it
                stream.flush()
        self._drained.clear()
        with contextlib.suppress(OSError):
            os.write(self._waker, b".")
            self._drained.wait(timeout)

    def _drain(self) -> None:
        while self._pipes:
            ready = select.select([*self._pipes, self._wake], [], [])[0]
            for pipe in ready:
                if pipe in self._pipes:
                    self._keep(pipe, os.read(pipe, 65536))
            if ready == [self._wake]:  # the pipes were empty, after the waker had printed what it meant to
                os.read(self._wake, 1)
                self._drained.set()

    def _keep(self, pipe: int, data: bytes) -> None:
        if not data:
            del self._pipes[pipe]
            return
        channel = self._pipes[pipe]
        with self._lock:
            listener = self._listener
            if listener or channel == STDOUT:
                self._kept.append((channel, data))
                self._size += len(data)
                while self._size > KEPT:
                    dropped = len(self._kept.popleft()[1])
                    self._size -= dropped
                    self._dropped += dropped
        if listener:
            listener()
        elif channel == STDERR:
            self._write_stderr(data)


launched: Launch | None = None
"""Set when a host started this process."""


def take_over() -> None:
    """Take the environment and the standard streams over from a host; nothing happens without its cookie.

    Called by the first import of mmhooks. The cookie and go-plugin's variables are taken out of the environment, so
    that programs which the plugin starts do not think that they are plugins.
    """
    global launched
    if launched or os.environ.get(COOKIE[0]) != COOKIE[1]:
        return
    environ = MappingProxyType(dict(os.environ))
    for name in environ:
        if name == COOKIE[0] or name.startswith("PLUGIN_"):
            del os.environ[name]
    # gRPC's own handling of forks makes forked children crash now and then; it is read when grpc is imported.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    launched = Launch(environ)
    os.register_at_fork(after_in_child=launched._leave_to_parent)
    atexit.register(_leave, launched, os.getpid())
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # a print is seen when it is made, as on a terminal
    from mmhooks import log

    launched.log = log.install(launched.write_stderr)


def _leave(launch: Launch, pid: int) -> None:
    if os.getpid() == pid:  # and not a forked child
        launch.tell_the_rest()


def _put_aside(fd: int) -> int:
    # Not inherited by programs that the plugin starts, and never in the place of a standard stream that is closed.
    with contextlib.suppress(OSError):  # closed by whoever started us
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        return fcntl.fcntl(nothing, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(nothing)


def _redirect(fd: int) -> int:
    """Put a pipe in the place of a standard stream; the end to read from."""
    ends = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        # C code may print while it keeps our thread from running: let it print much before the pipe is full.
        with contextlib.suppress(OSError):
            fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, KEPT)
    reader = fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, 3)
    writer = fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 3)
    for end in ends:
        os.close(end)
    os.dup2(writer, fd)
    os.close(writer)
    return reader
