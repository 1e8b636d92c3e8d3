"""What it costs to find one of 200 functions for a command or a message, beside the bare hook; in process."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

from mmhooks import App, CommandArgs, Post
from tests.bench.figures import Figure, plain

FUNCTIONS = 200
TARGET = 20.0
"""Microseconds."""

_MESSAGE = "hello everybody, the build of release 42 is done, word150 again deploy150 42 thanks"


def _commands(app: App) -> None:
    for number in range(FUNCTIONS):

        @app.command(f"cmd{number}")
        async def command(city: str, days: int = 1, *, verbose: bool = False) -> None: ...


def _below(app: App) -> None:
    for number in range(FUNCTIONS):

        @app.command(f"cmd sub{number}")
        async def command(city: str, days: int = 1) -> None: ...


def _texts(app: App) -> None:
    for number in range(FUNCTIONS):

        @app.message(f"word{number} again")
        async def message(post: Post) -> None: ...


def _patterns(app: App) -> None:
    for number in range(FUNCTIONS):

        @app.message(re.compile(rf"\bdeploy{number}\s+(?P<n>\d+)", re.IGNORECASE))
        async def message(n: int) -> None: ...


def _bare(app: App) -> None:
    @app.hook
    async def execute_command(args: CommandArgs) -> None: ...

    @app.hook
    async def message_has_been_posted(post: Post) -> None: ...


CASES: dict[str, tuple[Callable[[App], None], str, Any]] = {
    "a command": (_commands, "ExecuteCommand", CommandArgs(command="/cmd150 Paris 3 --verbose")),
    "a subcommand": (_below, "ExecuteCommand", CommandArgs(command="/cmd sub150 Paris 3")),
    "a message with a text": (_texts, "MessageHasBeenPosted", Post(message=_MESSAGE)),
    "a message with a pattern": (_patterns, "MessageHasBeenPosted", Post(message=_MESSAGE)),
}


def measure(runs: int, calls: int) -> list[Figure]:
    """The figures of `runs` rounds, in which the bare hook and the functions take turns, after one that is not counted."""
    return [
        plain(f"{name}, one of {FUNCTIONS}: more than the bare hook", asyncio.run(_case(*case, runs, calls)), **_HOW)
        for name, case in CASES.items()
    ]


_HOW: dict[str, Any] = {"unit": "µs", "target": TARGET}


async def _case(fill: Callable[[App], None], hook: str, argument: Any, runs: int, calls: int) -> list[float]:
    apps = App(), App()
    _bare(apps[0])
    fill(apps[1])
    found = []
    for _ in range(runs + 1):
        floor, routed = [await _each(app, hook, argument, calls) for app in apps]
        found.append(routed - floor)
    for app in apps:
        app.dispatcher.close()
    return found[1:]


async def _each(app: App, hook: str, argument: Any, calls: int) -> float:
    """Microseconds of a call."""
    begun = time.perf_counter()
    for _ in range(calls):
        await app.dispatcher.call(hook, (None, argument), None)
    return (time.perf_counter() - begun) / calls * 1e6
