"""Drives the real go-plugin host in `tests/gohost`: a program in Go, over its standard streams."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class HostError(Exception):
    """An operation that failed: `code` is a gRPC status, `rpc` for an error over net/rpc, or one of the host's own words."""

    def __init__(self, code: str, message: str, rest: dict[str, Any]) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.rest = rest


class GoHost:
    """One running host. Operations may be asked for from several threads at once."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program, "-protos", ROOT / "protos"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._numbers = itertools.count(1)
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, op: str, **arguments: Any) -> Any:
        """Carry out an operation and wait for its answer. Raises `HostError`."""
        return self.wait(self.begin(op, **arguments))

    def begin(self, op: str, **arguments: Any) -> int:
        """Start an operation; `wait` gives its answer."""
        number = next(self._numbers)
        assert self.process.stdin
        with self._lock:
            self._answers[number] = queue.SimpleQueue()
            self.process.stdin.write(json.dumps({"id": number, "op": op, **arguments}) + "\n")
            self.process.stdin.flush()
        return number

    def wait(self, number: int, timeout: float = 50) -> Any:
        """The answer to an operation that was begun."""
        answer = self._answers[number].get(timeout=timeout)
        del self._answers[number]
        if answer["ok"]:
            return answer.get("result", {})
        error = answer["error"]
        raise HostError(error.pop("code"), error.pop("message"), error)

    def close(self) -> None:
        """End the host, which ends its plugins."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self._reader.join(5)
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            answer = json.loads(line)
            self._answers[answer["id"]].put(answer)


class GoPlugin:
    """A plugin that the Go host has started."""

    def __init__(self, host: GoHost, name: str, started: dict[str, Any], wire: str = "grpc") -> None:
        self.host = host
        self.name = name
        self.started = started
        self.wire = wire

    @property
    def pid(self) -> int:
        return int(self.started["pid"])

    def ask(self, op: str, **arguments: Any) -> Any:
        return self.host.ask(op, plugin=self.name, **arguments)

    def begin(self, op: str, **arguments: Any) -> int:
        return self.host.begin(op, plugin=self.name, **arguments)

    def call(self, hook: str, request: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Call a hook with a request in protojson; its response."""
        response: dict[str, Any] = self.ask("call", hook=hook, request=request or {}, **more)["response"]
        return response

    def fill(self, name: str, seed: int = 0, *, api: bool = False, zeros: bool = False) -> dict[str, Any]:
        """What the host would send for a hook with every field set; or what an API method is called with.

        Of an API method over gRPC it has the `response`, too, that one without an answer gives.
        """
        wanted = {"wire": self.wire, "api" if api else "hook": name, "seed": seed}
        filled: dict[str, Any] = self.host.ask("fill", **wanted, **({"zeros": True} if zeros else {}))
        return filled

    def call_rpc(self, hook: str, args: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Call a hook over net/rpc with arguments `A`, `B` …; `reply`, `hidden` and `ms`."""
        answer: dict[str, Any] = self.ask("call", hook=hook, args=args or {}, **more)
        return answer

    def activate(self, answers: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Have OnActivate called as Mattermost does it, with the API served from these answers."""
        answer: dict[str, Any] = self.ask("activate", answers=answers or {}, **more)
        return answer

    def set_answers(self, answers: dict[str, Any] | None = None, *, kv: bool | None = None) -> None:
        """Say how methods of the API are answered from now on, None takes that back; `kv` serves a real key-value store."""
        self.ask("set_answers", answers=answers or {}, **({} if kv is None else {"kv": kv}))

    def api_calls(self, method: str | None = None) -> list[dict[str, Any]]:
        """What the plugin has asked the API for so far; of one method if given.

        Each has its `method`; `args` and `hidden` over net/rpc; `request`, `request_hex` and `timeout_ms` over gRPC.
        """
        calls: list[dict[str, Any]] = self.ask("api_calls")["calls"]
        return [call for call in calls if method in (None, call["method"])]

    def wait_api_calls(self, method: str, count: int = 1, timeout_ms: int = 20_000) -> list[dict[str, Any]]:
        """Wait until a method of the API has been called so often since the start; its calls."""
        found = self.ask("wait_api_calls", method=method, count=count, timeout_ms=timeout_ms)
        calls: list[dict[str, Any]] = found["calls"]
        return calls

    def api_stop(self) -> None:
        """End the API server over gRPC, and its connections, in the middle of what they do."""
        self.ask("api_stop")

    def api_start(self) -> None:
        """Serve the API again, at the same address."""
        self.ask("api_start")

    def logs(self) -> list[dict[str, Any]]:
        """The records of the plugin itself, without go-plugin's own."""
        return [record for record in self.ask("logs")["records"] if record["name"] not in ("", "stdio")]

    def wait_log(self, contains: str, timeout_ms: int = 20_000) -> dict[str, Any]:
        record: dict[str, Any] = self.ask("wait_log", contains=contains, timeout_ms=timeout_ms)
        return record


def start(host: GoHost, name: str, file: Path, env: dict[str, str] | None = None, **more: Any) -> GoPlugin:
    """Start a plugin's file under the host, with this interpreter; with `wire="netrpc"` as a released server does."""
    wire = more.setdefault("wire", "grpc")
    environ = {**({"MMHOOKS_HOST": "grpc"} if wire == "grpc" else {}), **(env or {})}
    started = host.ask("start", plugin=name, cmd=[sys.executable, file.name], dir=str(file.parent), env=environ, **more)
    return GoPlugin(host, name, started, wire)
