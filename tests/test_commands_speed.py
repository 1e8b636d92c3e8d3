"""What it costs to find one of 200 functions: less than 20 µs beside the bare hook, on a machine that takes 8 µs for that."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from mmhooks import App, CommandArgs, Post

MOST = 20 / 8
"""Times the bare hook's own cost, so that it holds on other machines."""

MESSAGE = "hello everybody, the build of release 42 is done, word150 again deploy150 42 thanks"


def commands(app: App) -> None:
    for number in range(200):

        @app.command(f"cmd{number}")
        async def command(city: str, days: int = 1, *, verbose: bool = False) -> None: ...


def below(app: App) -> None:
    for number in range(200):

        @app.command(f"cmd sub{number}")
        async def command(city: str, days: int = 1) -> None: ...


def texts(app: App) -> None:
    for number in range(200):

        @app.message(f"word{number} again")
        async def message(post: Post) -> None: ...


def patterns(app: App) -> None:
    for number in range(200):

        @app.message(re.compile(rf"\bdeploy{number}\s+(?P<n>\d+)", re.IGNORECASE))
        async def message(n: int) -> None: ...


def bare(app: App) -> None:
    @app.hook
    async def execute_command(args: CommandArgs) -> None: ...

    @app.hook
    async def message_has_been_posted(post: Post) -> None: ...


def best(fill: Callable[[App], None], hook: str, argument: Any) -> float:
    """Microseconds of one call, in the quickest of several runs."""
    app = App()
    fill(app)

    async def runs() -> float:
        found = []
        for _ in range(12):
            begun = time.perf_counter()
            for _ in range(300):
                await app.dispatcher.call(hook, (None, argument), None)
            found.append((time.perf_counter() - begun) / 300)
        return min(found) * 1e6

    try:
        return asyncio.run(runs())
    finally:
        app.dispatcher.close()


@pytest.mark.parametrize(
    ("fill", "hook", "argument"),
    [
        (commands, "ExecuteCommand", CommandArgs(command="/cmd150 Paris 3 --verbose")),
        (below, "ExecuteCommand", CommandArgs(command="/cmd sub150 Paris 3")),
        (texts, "MessageHasBeenPosted", Post(message=MESSAGE)),
        (patterns, "MessageHasBeenPosted", Post(message=MESSAGE)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_finding_one_of_200_functions_costs_little(fill: Callable[[App], None], hook: str, argument: Any) -> None:
    floor = best(bare, hook, argument)
    more = best(fill, hook, argument) - floor
    assert more < MOST * floor, f"{more:.1f} µs beside {floor:.1f} µs of the bare hook"
