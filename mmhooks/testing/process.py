"""PluginProcess: an embedded host, which starts a plugin as a process by the real handshake and calls it over gRPC."""

from __future__ import annotations

import codecs
import collections
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

import grpc

from mmhooks.errors import (
    AppError,
    CallError,
    DeadlineExceeded,
    HandlerError,
    MmhooksError,
    NotImplementedByPlugin,
    ThreadsExhausted,
)
from mmhooks.hooks import HOOKS, HookName
from mmhooks.hosts.grpc.calls import hook_codec, servable
from mmhooks.hosts.grpc.messages import PACKAGE, message_class
from mmhooks.launch import COOKIE
from mmhooks.outcomes import Outcome

START_TIMEOUT = 10.0
"""Seconds for the handshake, as Mattermost's Python runtime gives."""

STOP_TIMEOUT = 2.0
"""Seconds between Shutdown and SIGKILL, as in go-plugin."""

_QUIET = 0.05
"""Seconds without news after which a plugin is taken to have said what it had to say."""

_LONGEST_SETTLE = 0.5
"""Seconds after which that is given up: a plugin may print all the time."""

_ERRORS = {
    grpc.StatusCode.UNIMPLEMENTED: NotImplementedByPlugin,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ThreadsExhausted,
}


class StartFailed(MmhooksError):
    """A plugin's process did not shake hands; the text has what it printed."""


@dataclass(frozen=True)
class LogLine:
    """A line of a plugin's log. What is no log record, such as a print, has the level "debug" and no fields."""

    level: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)


class PluginProcess:
    """A running plugin.

    Arguments:
        plugin: the plugin's file, or the folder that has its plugin.py.
        on_log: is given each line of its log, from a thread.
        on_print: is given what it prints, from a thread.
        environ: variables to set besides the caller's own.

    Raises `StartFailed` when it does not shake hands within `START_TIMEOUT` or stops before.
    """

    def __init__(
        self,
        plugin: str | Path,
        *,
        on_log: Callable[[LogLine], None] | None = None,
        on_print: Callable[[str], None] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.file = plugin_file(plugin)
        self.log: list[LogLine] = []
        self.printed = ""
        self._on_log, self._on_print = on_log, on_print
        self._news = threading.Condition()
        self._folder = tempfile.mkdtemp(prefix="mmhooks-")
        self._process = subprocess.Popen(
            [sys.executable, self.file.name],
            cwd=self.file.parent,
            env=self._environ(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdout
        assert self._process.stderr
        self._threads = [self._in_thread(self._read_log, self._process.stderr)]
        self._channel: Any = None
        try:
            self._channel = grpc.insecure_channel(self._shake_hands(self._process.stdout))
            self.implemented = [*self._implemented()]
        except BaseException:
            self.stop()
            raise
        self._threads.append(self._in_thread(self._read_prints))

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

    def call(self, name: str, arguments: Sequence[Any], timeout: float = 30.0) -> Outcome | AppError:
        """Call a hook.

        Arguments:
            name: the hook's canonical name.
            arguments: in the table's order, None for what is unset.
            timeout: seconds, as a Mattermost server gives.

        Result: the outcome, or the error that a hook which may fail told. Raises `CallError` when the call failed.
        """
        if not servable(HOOKS[name]):
            raise NotImplementedByPlugin(f"{name} is not on the gRPC host's wire", hook=name)
        codec = hook_codec(name)
        method = self._method(f"/{PACKAGE}.PluginHooks/{name}", codec.response)
        try:
            response = method(codec.make_request(arguments), timeout=timeout)
        except grpc.RpcError as error:
            raise self._call_error(name, error) from None
        return codec.read_response(response)

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

    def stop(self) -> int:
        """End the process as a host does: OnDeactivate, Shutdown, and SIGKILL after `STOP_TIMEOUT`.

        Result: its exit status, negative for a signal's number. May be called twice.
        """
        if self._channel is not None and self._process.poll() is None:
            if HookName.OnDeactivate in getattr(self, "implemented", ()):
                with contextlib.suppress(CallError):
                    self.call(HookName.OnDeactivate, [], timeout=10)
            with contextlib.suppress(grpc.RpcError):
                empty = message_class("plugin.Empty")
                self._method("/plugin.GRPCController/Shutdown", empty)(empty(), timeout=STOP_TIMEOUT)
        elif self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
        status = self._process.wait()
        for thread in self._threads:
            thread.join(STOP_TIMEOUT)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        if self._channel is not None:
            self._channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return status

    def _call_error(self, name: str, error: Any) -> CallError:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(STOP_TIMEOUT)
                return HandlerError(f"the plugin's process ended with status {status}", hook=name)
        return _ERRORS.get(error.code(), HandlerError)(error.details() or error.code().name, hook=name)

    def _environ(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            **os.environ,
            COOKIE[0]: COOKIE[1],
            "PLUGIN_PROTOCOL_VERSIONS": "1",
            "PLUGIN_UNIX_SOCKET_DIR": self._folder,  # nobody else on the machine can connect
            "MMHOOKS_HOST": "grpc",
            "MMHOOKS_DEV": "1",
            **more,
        }

    def _shake_hands(self, stdout: IO[bytes]) -> str:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

        def read() -> None:
            lines.put(stdout.readline())
            while stdout.read(65536):
                pass  # nothing may come any more; what does must not block the plugin

        self._threads.append(self._in_thread(read))
        try:
            first = lines.get(timeout=START_TIMEOUT)
        except queue.Empty:
            raise StartFailed(self._story(f"did not start within {START_TIMEOUT:g} s")) from None
        if not first:
            status = self._process.wait(STOP_TIMEOUT)
            hint = ": does it end with `app.run()`?" if status == 0 else ""
            self._threads[0].join(STOP_TIMEOUT)
            raise StartFailed(self._story(f"ended with status {status} while it was starting{hint}"))
        line = first.decode(errors="replace").strip()
        fields = line.split("|")
        if len(fields) < 5 or fields[2:3] != ["unix"] or fields[4] != "grpc":
            raise StartFailed(self._story(f"wrote a first line that is no handshake: {line!r}"))
        return f"unix:{fields[3]}"

    def _story(self, what: str) -> str:
        told = [line.message + "".join(f"\n{value}" for value in line.fields.values()) for line in self.log[-20:]]
        return "\n".join([f"{self.file} {what}", *told])

    def _implemented(self) -> Any:
        request = message_class(f"{PACKAGE}.ImplementedRequest")
        response = message_class(f"{PACKAGE}.ImplementedResponse")
        try:
            return self._method(f"/{PACKAGE}.PluginHooks/Implemented", response)(request(), timeout=START_TIMEOUT).hooks
        except grpc.RpcError as error:
            raise StartFailed(self._story(f"cannot be reached: {error.details()}")) from None

    def _method(self, path: str, response: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )

    def _read_log(self, stderr: IO[bytes]) -> None:
        for text in stderr:
            line = _log_line(text.decode(errors="replace").rstrip("\n"))
            self.log.append(line)
            if self._on_log:
                self._on_log(line)
            self._notify()

    def _read_prints(self) -> None:
        data = message_class("plugin.StdioData")
        # A letter of several bytes may come in two pieces.
        decoders: dict[int, codecs.IncrementalDecoder] = collections.defaultdict(
            lambda: codecs.getincrementaldecoder("utf-8")("replace")
        )
        stream = self._channel.unary_stream(
            "/plugin.GRPCStdio/StreamStdio",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=data.FromString,
        )
        with contextlib.suppress(grpc.RpcError, ValueError):
            for piece in stream(message_class("google.protobuf.Empty")()):
                text = decoders[piece.channel].decode(piece.data)
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
    return LogLine(level, message, {key: value for key, value in fields.items() if not key.startswith("@")})
