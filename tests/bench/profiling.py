"""Where the time of a call goes: the plugin with the async handler, under Python's profiler."""

from __future__ import annotations

import pstats
from pathlib import Path

from tests.bench.calling import HOOK, REQUEST
from tests.bench.gohost import Host
from tests.bench.machine import PROGRAMS

_LINES = 30


def profile(host: Host, folder: Path, calls: int) -> None:
    """Print the profile of the process's main thread, where its event loop runs, over one call after the other."""
    data = folder / "profile"
    host.start("warm-up", PROGRAMS / "async_plugin.py")  # leaves compiled modules, as in any start but the first
    host.ask("warm-up", "kill")
    host.start("profiled", PROGRAMS / "async_plugin.py", options=("-m", "cProfile", "-o", str(data)))
    host.bench("profiled", HOOK, REQUEST, calls=calls)
    host.ask("profiled", "kill")
    pstats.Stats(str(data)).strip_dirs().sort_stats("tottime").print_stats(_LINES)
