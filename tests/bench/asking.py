"""Calls of the plugin API: over gRPC beside bare stubs in the same process, over net/rpc beside a plugin in Go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bench import gohost
from tests.bench.calling import generate_messages
from tests.bench.figures import Figure, ratio
from tests.bench.gohost import Host
from tests.bench.machine import PROGRAMS, CannotMeasure, Wire

USER: dict[str, Any] = {
    "id": "k3w9a7rtzjfz8e6h5c4x2v1bny",
    "create_at": 1732341600000,
    "update_at": 1732341600000,
    "username": "ada",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "roles": "system_user",
    "locale": "en",
    "notify_props": {"email": "true", "push": "mention", "desktop": "mention", "channel": "true"},
    "timezone": {"useAutomaticTimezone": "true", "automaticTimezone": "Europe/London", "manualTimezone": ""},
}
"""What the server answers."""

HOOK = "UserWillLogIn"
LOGIN: dict[str, Any] = {"args": {"A": {}, "B": {"id": USER["id"]}}}

CALLERS: dict[Wire, int] = {"grpc": 64, "netrpc": 16}


def start_callers(host: Host, generated: Path) -> None:
    """Start the plugin that calls over gRPC both ways; `generated` has protoc's modules."""
    numbers = ("create_at", "update_at")
    user = USER | {name: str(USER[name]) for name in numbers}
    host.start(
        "callers",
        PROGRAMS / "callers_plugin.py",
        environ={"PYTHONPATH": str(generated)},
        with_api=True,
        answers={"GetUser": {"user": user}},
    )


def start_askers(host: Host, folder: Path) -> list[str]:
    """Start the plugins that ask over net/rpc, and see that they answer the same; their names."""
    host.start_command("Go", [str(gohost.build(folder, "./goplugin"))], "netrpc")
    for kind in ("async", "sync"):
        host.start(kind, PROGRAMS / "asking_plugin.py", wire="netrpc", environ={"ASKS": kind})
    plugins = ["Go", "async", "sync"]
    for plugin in plugins:
        host.ask(plugin, "set_answers", answers={"GetUser": {"A": USER}})
        reply = host.ask(plugin, "call", hook=HOOK, **LOGIN)["reply"]
        if reply != {"A": "ada"}:
            raise CannotMeasure(f"{plugin}: answered {reply}")
    return plugins


def measure(host: Host, folder: Path, runs: int, calls: int, wire: Wire) -> list[Figure]:
    """The figures of `runs` rounds, in which those that are compared take turns, after one that is not counted."""
    return _over_grpc(host, folder, runs, calls) if wire == "grpc" else _over_netrpc(host, folder, runs, calls)


def _over_grpc(host: Host, folder: Path, runs: int, calls: int) -> list[Figure]:
    generate_messages(folder)
    start_callers(host, folder)
    figures = []
    for kind in ("sync", "async"):
        for callers, key, how in ((1, "median_us", {"target": 1.4}), (CALLERS["grpc"], "per_second", _AT_LEAST)):
            found: dict[str, list[float]] = {"bare": [], "mmhooks": []}
            for _ in range(runs + 1):
                for way, each in found.items():
                    asked = {"kind": kind, "way": way, "calls": calls * (2 if callers > 1 else 1), "callers": callers}
                    each.append(_told(host, asked)[key])
            name = f"get_user: one at a time, {kind}" if callers == 1 else f"get_user: {callers} at once, {kind}"
            unit = "µs" if callers == 1 else "/s"
            figures.append(ratio(name, found["bare"][1:], found["mmhooks"][1:], unit=unit, **how))
    return figures


_AT_LEAST: dict[str, Any] = {"target": 0.7, "at_least": True}


def _told(host: Host, asked: dict[str, Any]) -> dict[str, float]:
    request = {"args": {"command": json.dumps(asked)}}
    answer = host.ask("callers", "call", hook="ExecuteCommand", request=request)["response"]
    found: dict[str, float] = json.loads(answer["response"]["text"])
    return found


def _over_netrpc(host: Host, folder: Path, runs: int, calls: int) -> list[Figure]:
    plugins = start_askers(host, folder)
    alone: dict[str, list[float]] = {plugin: [] for plugin in plugins}
    many: dict[str, list[float]] = {plugin: [] for plugin in plugins}
    callers = CALLERS["netrpc"]
    for _ in range(runs + 1):
        for plugin in plugins:
            alone[plugin].append(host.bench(plugin, HOOK, calls=calls, **LOGIN)["median_us"])
    for _ in range(runs + 1):
        for plugin in plugins:
            many[plugin].append(host.bench(plugin, HOOK, calls=6 * calls, callers=callers, **LOGIN)["per_second"])
    for plugin in plugins:
        host.ask(plugin, "kill")
    figures = []
    for kind in plugins[1:]:
        name = f"{HOOK} with get_user: one at a time, {kind} handler"
        target = 1.3 if kind == "async" else None
        figures.append(ratio(name, alone["Go"][1:], alone[kind][1:], unit="µs", target=target))
    for kind in plugins[1:]:
        name = f"{HOOK} with get_user: throughput of {callers} callers, {kind} handler"
        target = 0.75 if kind == "async" else None
        figures.append(ratio(name, many["Go"][1:], many[kind][1:], unit="/s", target=target, at_least=True))
    return figures
