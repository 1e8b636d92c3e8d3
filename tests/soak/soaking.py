"""Calls of every kind at the same time, and the plugin's memory from round to round."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.calling import HOOK
from tests.bench.gohost import Host
from tests.bench.machine import CannotMeasure
from tests.bench.netrpc import SMALL

LIMIT = 0.02
"""How much a plugin may grow: of what it has after the first rounds."""

ROUNDS = 20
"""At least; the first of so many is the warm-up."""

_MOST_A_ROUND = 10_000
"""Calls, so that a round ends in time on any machine."""

_PLUGIN = "soaked"
_BIG = {"size": 10_000, "props": 40}
_PATIENCE = 300.0
"""Seconds for one round."""


class WrongAnswer(Exception):
    """A call was not answered as it has to be."""


class Kind(NamedTuple):
    """One kind of calls."""

    type: str
    """The post's, by which the handler knows what to do."""
    callers: int
    share: float
    """Of all calls."""
    is_right: Callable[[dict[str, Any], str], bool]
    """Whether an answer is right, given the message. A call that failed has its error's text as `error`."""
    big: bool = True


def _posted(answer: dict[str, Any], message: str) -> bool:
    return bool(answer["A"]["message"] == f"{message}!" and answer["B"] == "")


def _with_props(answer: dict[str, Any], message: str) -> bool:
    props = answer["A"]["props"]
    changed = props["prop00"] == {"text": message, "list": [1, 2.5, None]} and props[f"new {message}"] is True
    return _posted(answer, message) and changed and len(props) == _BIG["props"] + 1


KINDS = (
    Kind("", 5, 0.40, _posted, big=False),
    Kind("custom_big", 4, 0.30, _posted),
    Kind("custom_props", 4, 0.20, _with_props),
    Kind("custom_reject", 1, 0.06, lambda answer, message: bool(answer["B"] == f"not this: {message}"), big=False),
    Kind("custom_error", 1, 0.02, lambda answer, message: f"RuntimeError: out of order: {message}" in answer["error"]),
    Kind("custom_unsendable", 1, 0.02, lambda answer, message: "props['unsendable']" in answer["error"]),
)
"""16 callers. Errors are few, since the host keeps what is logged of each."""

FAILING = ("custom_error", "custom_unsendable")


class Soaked(NamedTuple):
    """What came out of it."""

    calls: int
    memory: list[int]
    """KiB after each round, the warm-up first."""

    @property
    def growth(self) -> float:
        """How much the plugin has grown since the warm-up, as a part of what it had then."""
        return self.memory[-1] / self.memory[0] - 1


def soak(host: Host, calls: int, told: Callable[[str], None] = lambda line: None) -> Soaked:
    """Make so many calls, and measure at equal points: nothing is under way then, and what is garbage is collected.

    Raises `WrongAnswer`, and `CannotMeasure` where the system tells nothing of memory.
    """
    if not sys.platform.startswith("linux"):
        raise CannotMeasure("only Linux tells how much memory another process has")
    host.start(_PLUGIN, Path(__file__).parent / "plugin.py", wire="netrpc")
    rounds = max(ROUNDS, -(-calls // _MOST_A_ROUND))
    warm_up = rounds // ROUNDS
    made, memory = 0, []
    for number in range(1, rounds + 1):
        made += _round(host, number, round(calls / rounds))
        used = host.bench(_PLUGIN, "OnConfigurationChange", calls=1)["peer_rss_kb"]
        if number >= warm_up:
            memory.append(used)
        if number % warm_up == 0 or number == rounds:
            told(f"{made:>9,} calls: {used:,} KiB")
    for kind in KINDS:
        _check(kind, f"last {kind.type}", _ask(host, kind, f"last {kind.type}"))
    host.ask(_PLUGIN, "kill")
    return Soaked(made, memory)


def _round(host: Host, number: int, calls: int) -> int:
    """Make calls of all kinds at the same time; how many."""
    message = f"teh message of round {number}"
    running = []
    for kind in KINDS:
        count = max(round(calls * kind.share), 1)
        begun = host.begin(_PLUGIN, "bench", hook=HOOK, calls=count, callers=kind.callers, **_request(kind, message))
        running.append((kind, count, begun))
    for kind, count, begun in running:
        found = host.wait(_PLUGIN, begun, _PATIENCE)
        failed = found["errors"]
        if failed != (count if kind.type in FAILING else 0):
            raise WrongAnswer(f"{kind.type}: {failed} of {count} calls failed, at last with {found['error']}")
        _check(kind, message, {"error": found["error"]["message"]} if failed else found["reply"])
    return sum(count for _, count, _ in running)


def _ask(host: Host, kind: Kind, message: str) -> dict[str, Any]:
    """Make one call."""
    found = host.ask(_PLUGIN, "bench", hook=HOOK, calls=1, **_request(kind, message))
    answer: dict[str, Any] = {"error": found["error"]["message"]} if found["errors"] else found["reply"]
    return answer


def _request(kind: Kind, message: str) -> dict[str, Any]:
    post = {"message": message, "type": kind.type}
    if kind.big:
        # Everything but the message is from there; the text beside the props makes up for it.
        return {"post": _BIG, "args": {"B": {**post, "hashtags": "#x " * 1500}}}
    return {"args": {**SMALL["args"], "B": {**SMALL["args"]["B"], **post}}}


def _check(kind: Kind, message: str, answer: dict[str, Any]) -> None:
    try:
        right = kind.is_right(answer, message)
    except (KeyError, TypeError):
        right = False
    if not right:
        raise WrongAnswer(f"{kind.type}: {message!r} was answered with {str(answer)[:1000]}")
