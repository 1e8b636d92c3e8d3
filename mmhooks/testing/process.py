"""PluginProcess: an embedded host, which starts a plugin as a process by the real handshake and calls its hooks."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mmhooks.errors import AppError, CallError, HandlerError, MmhooksError
from mmhooks.hooks import HookName
from mmhooks.launch import COOKIE
from mmhooks.outcomes import Outcome
from mmhooks.testing import hosts

STOP_TIMEOUT = 2.0
"""Seconds between the host's wish and SIGKILL, as in go-plugin."""

_QUIET = 0.05
"""Seconds without news after which a plugin is taken to have said what it had to say."""

_LONGEST_SETTLE = 0.5
"""Seconds after which that is given up: a plugin may print all the time."""


class StartFailed(MmhooksError):
    """A plugin's process did not shake hands; the text has what it printed."""


@dataclass(frozen=True)
class LogLine:
    """A line of a plugin's log. What is no log record, such as a print, has the level "debug" and no fields."""

    level: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """How a plugin's process is started.

    Arguments:
        file: what messages call it.
        command: the program and its arguments.
        folder: the working directory.
        environ: the variables besides those that hosts set; the caller's own unless given.
        user: the ids of a user and a group to run as, for a caller who may.
    """

    file: Path
    command: Sequence[str | Path]
    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    user: tuple[int, int] | None = None


class PluginProcess:
    """A running plugin.

    Arguments:
        plugin: the plugin's file, or the folder that has its plugin.py; or how else it is started.
        host: the wire, "netrpc" or "grpc"; or an embedded host of one's own.
        on_log: is given each line of its log, from a thread.
        on_print: is given what it prints, from a thread; it must not call the plugin.
        environ: variables to set besides the caller's own.

    Raises `StartFailed` when it does not shake hands within the time that servers give (3 s over net/rpc, 10 s over
    gRPC) or stops before.
    """

    def __init__(
        self,
        plugin: str | Path | Program,
        host: str | hosts.Host = hosts.DEFAULT,
        *,
        on_log: Callable[[LogLine], None] | None = None,
        on_print: Callable[[str], None] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        program = plugin if isinstance(plugin, Program) else _in_development(plugin_file(plugin))
        self.file = program.file
        self._host = hosts.make(host) if isinstance(host, str) else host
        self.log: list[LogLine] = []
        self.printed = ""
        self._on_log, self._on_print = on_log, on_print
        self._news = threading.Condition()
        self._folder = tempfile.mkdtemp(prefix="mmhooks-")
        self._process = self._start(program, environ or {})
        assert self._process.stdout
        assert self._process.stderr
        self._threads = [self._in_thread(self._read_log, self._process.stderr)]
        self._connected = self._stopped = False
        try:
            address = self._shake_hands(self._process.stdout)
            self.implemented = self._connect(*address)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def activate(self) -> None:
        """Call OnActivate, if the plugin has it. Raises `StartFailed` when it fails."""
        if HookName.OnActivate in self.implemented:
            try:
                answer = self.call(HookName.OnActivate, [])
            except CallError as error:
                raise StartFailed(f"{self.file}: OnActivate failed: {error}") from error
            if isinstance(answer, AppError):
                raise StartFailed(f"{self.file}: OnActivate failed: {answer.detailed_error}") from answer

    def call(self, name: str, arguments: Sequence[Any], timeout: float | None = None) -> Outcome | AppError:
        """Call a hook.

        Arguments:
            name: the hook's canonical name.
            arguments: in the table's order, None for what is unset.
            timeout: seconds; 30 over gRPC, as Mattermost's runtime gives, and 60 over net/rpc, where a server waits for
                ever.

        Result: the outcome, or the error that a hook which may fail told. Raises `CallError` when the call failed.
        """
        if self._stopped:
            raise RuntimeError("this plugin is stopped: start another")
        try:
            return self._host.call(name, arguments, self._host.patience if timeout is None else timeout)
        except hosts.Gone as error:
            text = str(error)
            with contextlib.suppress(subprocess.TimeoutExpired):
                text = f"the plugin's process ended with status {self._process.wait(STOP_TIMEOUT)}"
            raise HandlerError(text, hook=name) from None

    def ping(self, timeout: float = 5.0) -> bool:
        """Whether the plugin says that it is well, as servers ask every 30 s."""
        return not self._stopped and self._host.ping(timeout)

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` has been called."""
        return self._stopped

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def settle(self) -> None:
        """Wait until what it has logged and printed so far has most likely come: they take ways of their own."""
        end = time.monotonic() + _LONGEST_SETTLE
        with self._news:
            while time.monotonic() < end and self._news.wait(_QUIET):
                pass

    def stop(self, *, deactivate: bool = True) -> int:
        """End the process as a host does: OnDeactivate, the host's word for it, and SIGKILL after `STOP_TIMEOUT`.

        Arguments:
            deactivate: False leaves OnDeactivate out, for whoever has called it already.

        Result: its exit status, negative for a signal's number. May be called twice.
        """
        if self._connected and not self._stopped and self._process.poll() is None:
            if deactivate and HookName.OnDeactivate in self.implemented:
                with contextlib.suppress(CallError):
                    self.call(HookName.OnDeactivate, [], timeout=10)
            self._host.shutdown(STOP_TIMEOUT)
        elif self._process.poll() is None:
            self._process.terminate()
        self._stopped = True
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
        status = self._process.wait()
        for thread in self._threads:
            thread.join(STOP_TIMEOUT)
        for stream in (self._process.stdout, self._process.stderr):
            # One that a child of the plugin holds open is still being read, and to close it would wait for that.
            if stream and not any(thread.is_alive() for thread in self._threads):
                stream.close()
        self._host.close(STOP_TIMEOUT)
        shutil.rmtree(self._folder, ignore_errors=True)
        return status

    def _start(self, program: Program, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
        environ = {
            **self._host.environ(program.environ),
            COOKIE[0]: COOKIE[1],
            "PLUGIN_UNIX_SOCKET_DIR": self._folder,  # nobody else on the machine can connect
            "MMHOOKS_DEV": "1",
            **more,
        }
        user, group = program.user or (None, None)
        try:
            if user is not None:
                os.chown(self._folder, user, -1)
            return subprocess.Popen(
                [*program.command],
                cwd=program.folder,
                env=environ,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise StartFailed(f"{program.file} cannot be started: {error}") from None

    def _shake_hands(self, stdout: IO[bytes]) -> tuple[str, str]:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

        def read() -> None:
            lines.put(stdout.readline())
            while stdout.read(65536):
                pass  # nothing may come any more; what does must not block the plugin

        self._threads.append(self._in_thread(read))
        try:
            first = lines.get(timeout=self._host.start_timeout)
        except queue.Empty:
            raise StartFailed(self._story(f"did not start within {self._host.start_timeout:g} s")) from None
        if not first:
            try:
                status = self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                raise StartFailed(self._story("closed its standard output, and did not shake hands")) from None
            hint = ": does it end with `app.run()`?" if status == 0 else ""
            self._threads[0].join(STOP_TIMEOUT)
            raise StartFailed(self._story(f"ended with status {status} while it was starting{hint}"))
        line = first.decode(errors="replace").strip()
        fields = line.split("|")
        if len(fields) < 5 or fields[:2] != ["1", "1"] or fields[2] not in ("unix", "tcp"):
            raise StartFailed(self._story(f"wrote a first line that is no handshake: {line!r}"))
        if fields[4] != self._host.wire:
            raise StartFailed(self._story(f"speaks {fields[4]!r}, and its host {self._host.wire!r}: {line!r}"))
        return fields[2], fields[3]

    def _connect(self, network: str, address: str) -> list[str]:
        try:
            implemented = self._host.connect(network, address, self._take_print)
        except hosts.Unreachable as error:
            raise StartFailed(self._story(f"cannot be reached: {error}")) from None
        self._connected = True
        return implemented

    def _story(self, what: str) -> str:
        told = [line.message + "".join(f"\n{value}" for value in line.fields.values()) for line in self.log[-20:]]
        return "\n".join([f"{self.file} {what}", *told])

    def _read_log(self, stderr: IO[bytes]) -> None:
        for text in stderr:
            line = _log_line(text.decode(errors="replace").rstrip("\n"))
            self.log.append(line)
            if self._on_log:
                self._on_log(line)
            self._notify()

    def _take_print(self, text: str) -> None:
        self.printed += text
        if self._on_print:
            self._on_print(text)
        self._notify()

    def _notify(self) -> None:
        with self._news:
            self._news.notify_all()

    def _in_thread(self, target: Callable[..., None], *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, name="mmhooks-plugin-process", daemon=True)
        thread.start()
        return thread


def _in_development(file: Path) -> Program:
    return Program(file, [sys.executable, file.name], file.parent)


def plugin_file(plugin: str | Path) -> Path:
    """The file of a plugin that is given as a file or a folder. Raises `StartFailed` when there is none."""
    path = Path(plugin).resolve()
    file = path / "plugin.py" if path.is_dir() else path
    if not file.is_file():
        raise StartFailed(f"{plugin}: there is no such plugin: give a Python file, or a folder with a plugin.py")
    return file


def _log_line(text: str) -> LogLine:
    try:
        fields = json.loads(text)
        level, message = fields.pop("@level"), fields.pop("@message")
    except (ValueError, KeyError, AttributeError, TypeError):
        return LogLine("debug", text)
    return LogLine(str(level), str(message), {key: value for key, value in fields.items() if not key.startswith("@")})
