"""What is left for others when many sync handlers block their threads."""

from __future__ import annotations

from tests.bench.calling import HOOK, REQUEST
from tests.bench.figures import Figure, time
from tests.bench.gohost import Host
from tests.bench.machine import PROGRAMS, CannotMeasure

BLOCKED = 32
THREADS = 40

_PLUGIN = "blocking"


def measure(host: Host, runs: int, calls: int) -> list[Figure]:
    """The figures of `runs` rounds while the handlers are blocked, after one round that is not counted.

    Raises `CannotMeasure` when a handler came free before the last round had ended: then nothing is known.
    """
    host.start(_PLUGIN, PROGRAMS / "blocking_plugin.py", environ={"MMHOOKS_THREADS": str(THREADS)})
    idle = _rounds(host, runs, calls)
    blocked = [host.begin(_PLUGIN, "call", hook="MessageHasBeenPosted", request=REQUEST) for _ in range(BLOCKED)]
    host.ask(_PLUGIN, "wait_log", contains=f"blocked: {BLOCKED}.")
    busy = _rounds(host, runs, calls)
    if any(host.is_over(call) for call in blocked):
        raise CannotMeasure("the blocked handlers came free while others were measured: the machine is too busy")
    host.ask(_PLUGIN, "kill")
    what = f"{BLOCKED} of {THREADS} threads blocked"
    return [
        time(f"{what}: another sync hook, p99", busy[0], target=50, idle=idle[0]),
        time(f"{what}: health, p99", busy[1], target=10, idle=idle[1]),
    ]


def _rounds(host: Host, runs: int, calls: int) -> tuple[list[float], list[float]]:
    """The 99th percentiles of calls of a hook and of health checks, in milliseconds."""
    hooks, checks = [], []
    for _ in range(runs + 1):
        hooks.append(host.bench(_PLUGIN, HOOK, calls=calls, request=REQUEST)["p99_us"] / 1000)
        checks.append(host.ask(_PLUGIN, "bench_health", calls=calls)["p99_us"] / 1000)
    return hooks[1:], checks[1:]
