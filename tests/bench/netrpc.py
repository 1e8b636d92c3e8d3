"""Calls as a released server makes them, over net/rpc: a plugin with mmhooks beside one in Go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench import gohost
from tests.bench.calling import HOOK, MESSAGE, REQUEST
from tests.bench.figures import Figure, ratio
from tests.bench.gohost import Host
from tests.bench.machine import PROGRAMS, CannotMeasure

CALLERS = 16

_PERSON = REQUEST["plugin_context"]
_POST = REQUEST["post"]

SMALL: dict[str, Any] = {
    "args": {
        "A": {
            "SessionId": _PERSON["session_id"],
            "RequestId": _PERSON["request_id"],
            "IPAddress": _PERSON["ip_address"],
            "AcceptLanguage": _PERSON["accept_language"],
            "UserAgent": _PERSON["user_agent"],
        },
        "B": {
            "user_id": _POST["user_id"],
            "channel_id": _POST["channel_id"],
            "message": MESSAGE,
            "create_at": 1732341600000,
            "update_at": 1732341600000,
            "pending_post_id": _POST["pending_post_id"],
            "props": {"disable_group_highlight": True},
        },
    }
}
"""A post as a person writes it: 200 characters and one prop."""

BIG: dict[str, Any] = {"post": {"size": 10_000, "props": 40}}
"""10 KB, with 40 maps in the props."""

_Targets = Mapping[str, float | None]

_PROGRAMS = {"async": "async_plugin.py", "sync": "sync_plugin.py", "props": "props_plugin.py"}

_SMALL_CALL: _Targets = {"async": 1.5, "sync": None}
_SMALL_RATE: _Targets = {"async": 0.65, "sync": 0.45}
_BIG_CALL: _Targets = {"async": 1.8, "sync": 1.8, "props": None}
_BIG_RATE: _Targets = {"async": 0.5, "sync": 0.5, "props": None}
"""The targets, by plugin; None where a figure is told only."""

_HANDLERS = {"async": "async handler", "sync": "sync handler", "props": "async, reads props"}


def start_all(host: Host, folder: Path) -> None:
    """Start the plugins, and see that they answer the same."""
    host.start_command("Go", [str(gohost.build(folder, "./goplugin"))], "netrpc")
    for plugin, file in _PROGRAMS.items():
        host.start(plugin, PROGRAMS / file, wire="netrpc")
    for post in (SMALL, BIG):
        expected = host.ask("Go", "call", hook=HOOK, **post)["reply"]
        if not expected["A"]["message"].endswith("!"):
            raise CannotMeasure(f"Go: answered {expected}")
        for plugin in _PROGRAMS:
            answer = host.ask(plugin, "call", hook=HOOK, **post)["reply"]
            if answer != expected:
                raise CannotMeasure(f"{plugin}: answered {answer}, expected {expected}")


def measure(host: Host, folder: Path, runs: int, calls: int) -> list[Figure]:
    """The figures of `runs` rounds over the plugins, after one round of each kind that is not counted."""
    start_all(host, folder)
    figures = [
        *_one_at_a_time(host, "small post", SMALL, _SMALL_CALL, runs, calls),
        *_throughput(host, "small post", SMALL, _SMALL_RATE, runs, 12 * calls),
        *_one_at_a_time(host, "10 KB", BIG, _BIG_CALL, runs, calls),
        *_throughput(host, "10 KB", BIG, _BIG_RATE, runs, 2 * calls),
    ]
    for plugin in ("Go", *_PROGRAMS):
        host.ask(plugin, "kill")
    return figures


def _one_at_a_time(
    host: Host, name: str, post: dict[str, Any], targets: _Targets, runs: int, calls: int
) -> list[Figure]:
    found = _rounds(host, post, [*targets], runs, calls=calls)
    figures = []
    for kind, target in targets.items():
        for what, key, limit in (("one at a time", "median_us", target), ("its p99", "p99_us", None)):
            go, ours = ([one[key] for one in found[plugin]] for plugin in ("Go", kind))
            figures.append(ratio(f"{name}: {what}, {_HANDLERS[kind]}", go, ours, unit="µs", target=limit))
    return figures


def _throughput(host: Host, name: str, post: dict[str, Any], targets: _Targets, runs: int, calls: int) -> list[Figure]:
    found = _rounds(host, post, [*targets], runs, calls=calls, callers=CALLERS)
    rates = {plugin: [one["per_second"] for one in each] for plugin, each in found.items()}
    return [
        ratio(
            f"{name}: throughput of {CALLERS} callers, {_HANDLERS[kind]}",
            rates["Go"],
            rates[kind],
            unit="/s",
            target=target,
            at_least=True,
        )
        for kind, target in targets.items()
    ]


def _rounds(
    host: Host, post: dict[str, Any], plugins: list[str], runs: int, **how: int
) -> dict[str, list[dict[str, Any]]]:
    """What was measured in each round, in which the plugin in Go and the others take turns."""
    found: dict[str, list[dict[str, Any]]] = {plugin: [] for plugin in ("Go", *plugins)}
    for _ in range(runs + 1):
        for plugin, each in found.items():
            each.append(host.bench(plugin, HOOK, **how, **post))
    return {plugin: each[1:] for plugin, each in found.items()}
