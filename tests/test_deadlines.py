"""Deadlines: calls come due in time, with one timer for all that have the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from mmhooks.deadlines import Deadlines


class Clock:
    """What a loop is to deadlines: the time, and timers that fire when it is moved on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.closed = False

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, function: Callable[[], None]) -> None:
        self.timers.append((when, function))

    def is_closed(self) -> bool:
        return self.closed

    def go_to(self, now: float) -> None:
        while due := [timer for timer in self.timers if timer[0] <= now]:
            timer = min(due, key=lambda timer: timer[0])
            self.timers.remove(timer)
            self.now = timer[0]
            timer[1]()
        self.now = now


class Call:
    def __init__(self, expired: list[Any], name: Any) -> None:
        self.over = False
        self._expired = expired
        self._name = name

    def expire(self) -> None:
        self.over = True
        self._expired.append(self._name)


def watching(clock: Clock, deadlines: Deadlines, seconds: float, expired: list[Any], name: Any) -> Call:
    call = Call(expired, name)
    deadlines.watch(call, cast(asyncio.AbstractEventLoop, clock), seconds)
    return call


def test_calls_expire_when_their_time_is_over_and_not_before() -> None:
    clock, deadlines, expired = Clock(), Deadlines(), []  # type: ignore[var-annotated]
    watching(clock, deadlines, 30, expired, "first")
    clock.go_to(10)
    watching(clock, deadlines, 30, expired, "second")
    clock.go_to(29.9)
    assert expired == []
    clock.go_to(30)
    assert expired == ["first"]
    clock.go_to(39.9)
    assert expired == ["first"]
    clock.go_to(40)
    assert expired == ["first", "second"]


def test_calls_that_are_over_do_not_expire() -> None:
    clock, deadlines, expired = Clock(), Deadlines(), []  # type: ignore[var-annotated]
    first = watching(clock, deadlines, 30, expired, "first")
    watching(clock, deadlines, 30, expired, "second")
    first.over = True
    clock.go_to(31)
    assert expired == ["second"]
    assert not clock.timers


def test_a_thousand_short_calls_take_one_timer() -> None:
    clock, deadlines, expired = Clock(), Deadlines(), []  # type: ignore[var-annotated]
    for number in range(1000):
        watching(clock, deadlines, 30, expired, number).over = True
    assert len(clock.timers) == 1
    clock.go_to(100)
    assert not clock.timers
    watching(clock, deadlines, 30, expired, "later")
    clock.go_to(130)
    assert expired == ["later"]


def test_a_call_that_hangs_does_not_keep_those_after_it() -> None:
    clock, deadlines, expired = Clock(), Deadlines(), []  # type: ignore[var-annotated]
    watching(clock, deadlines, 30, expired, "stuck")
    for number in range(10_000):
        watching(clock, deadlines, 30, expired, number).over = True
    (row,) = deadlines._rows.values()
    assert len(row._calls) < 2000
    clock.go_to(30)
    assert expired == ["stuck"]


def test_other_times_and_other_loops_have_rows_of_their_own() -> None:
    clock, other, deadlines, expired = Clock(), Clock(), Deadlines(), []  # type: ignore[var-annotated]
    watching(clock, deadlines, 30, expired, "long")
    watching(clock, deadlines, 1, expired, "short")
    watching(other, deadlines, 1, expired, "elsewhere")
    clock.go_to(2)
    assert expired == ["short"]
    other.go_to(2)
    assert expired == ["short", "elsewhere"]
    other.closed = True
    watching(clock, deadlines, 5, expired, "new")
    assert len(deadlines._rows) == 3  # and not the closed loop's
