"""Where the time of a call goes: the plugin with the async handler, under Python's profiler."""

from __future__ import annotations

import marshal
import pstats
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bench import netrpc
from tests.bench.calling import HOOK, REQUEST
from tests.bench.gohost import Host
from tests.bench.machine import PROGRAMS, ROOT, Wire

_LINES = 30

_PROGRAM = PROGRAMS / "async_plugin.py"

_REQUESTS: dict[Wire, dict[str, dict[str, Any]]] = {
    "grpc": {"a post of 200 characters": {"request": REQUEST}},
    "netrpc": {"a small post": netrpc.SMALL, "a post of 10 KB": netrpc.BIG},
}


def profile(host: Host, folder: Path, calls: int, wire: Wire = "grpc") -> None:
    """Print the profile of the process's main thread, where its event loop runs, over one call after the other."""
    data = folder / "profile"
    host.start("warm-up", _PROGRAM, wire=wire)  # leaves compiled modules, as in any start but the first
    host.ask("warm-up", "kill")
    for name, request in _REQUESTS[wire].items():
        start = _run(host, data, wire, request, calls=1)
        parts = _run(host, data, wire, request, calls=calls + 1)
        parts.subtract(start)
        print(f"\n{wire}, {name}: µs of the main thread for each of {calls} calls, without the start\n")
        for part, seconds in [("all", parts.total()), *parts.most_common(_LINES)]:
            if (each := seconds / calls * 1e6) >= 0.5:
                print(f"{each:9,.0f}  {part}")
        print()
        pstats.Stats(str(data)).strip_dirs().sort_stats("tottime").print_stats(_LINES)


def _run(host: Host, data: Path, wire: Wire, request: dict[str, Any], calls: int) -> Counter[str]:
    """The seconds by part of the program."""
    host.start("profiled", _PROGRAM, options=("-m", "cProfile", "-o", str(data)), wire=wire)
    host.bench("profiled", HOOK, calls=calls, **request)
    host.ask("profiled", "kill")
    parts: Counter[str] = Counter()
    for (file, _, function), (_, _, seconds, _, _) in marshal.loads(data.read_bytes()).items():
        if not _waits(function):
            parts[_part(file, function)] += seconds
    return parts


def _part(file: str, function: str) -> str:
    """A module of mmhooks, or what else a function belongs to."""
    path = Path(file)
    if file == "~":
        return function
    if path.is_relative_to(ROOT / "mmhooks"):
        return str(path.relative_to(ROOT))
    return path.parent.name if path.parent.name == "asyncio" else path.name


def _waits(function: str) -> bool:
    """Whether a built-in function does nothing but wait for events."""
    return any(part in function for part in ("'poll' of", "'control' of", "poll_wrapper", "'acquire' of"))
