"""Bundles of `examples/hello`: what the launcher adds to a start, and a start on a machine that is busy and remembers
nothing; how large a bundle is, and how long it takes to make."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmhooks.bundle import archive, build
from mmhooks.bundle.standalone import PROGRAM
from mmhooks.bundle.targets import here
from tests.bench import figures
from tests.bench.figures import Figure, ratio
from tests.bench.machine import HELLO, ROOT, Wire, settings
from tests.bench.starting import start_program

LAUNCHER = 1.3
"""How much longer a start by the launcher may take than one of the same plugin by hand."""

BUSY: dict[Wire, float] = {"netrpc": 1000, "grpc": 2000}
"""Milliseconds to the handshake with all processors busy, when none of the bundle's files is in memory."""

LARGEST, LONGEST = 6.0, 10.0
"""MB of a bundle for released servers, and seconds to make it again."""


def measure(folder: Path, runs: int, wire: Wire) -> list[Figure]:
    """The figures of so many pairs of starts, after one that is not counted; over net/rpc those of the file, too."""
    found = starts(_bundles(folder), folder, runs, wire)
    return [*found, *_files(folder)] if wire == "netrpc" else found


def starts(roots: Mapping[str, Path], folder: Path, runs: int, wire: Wire) -> list[Figure]:
    """The figures of unpacked bundles, of which the one called "bundle" has a launcher."""
    direct, launched = [], []
    for _ in range(runs + 1):
        direct.append(_direct(folder, wire))
        launched.append(_launched(roots["bundle"], wire))
    found = [
        ratio(
            "bundle: the launcher's start beside the plugin's own",
            direct[1:],
            launched[1:],
            unit="ms",
            target=LAUNCHER,
        )
    ]
    for name, root in roots.items():
        idle = [_launched(root, wire) for _ in range(3)]
        busy = []
        with _all_processors_busy():
            for _ in range(runs):
                _forget(root)
                busy.append(_launched(root, wire))
        found.append(figures.time(f"{name}: start, cold and busy", busy, target=BUSY[wire], idle=idle))
    return found


@functools.cache
def _bundles(folder: Path) -> dict[str, Path]:
    """The folders of two unpacked bundles, one with Python in it."""
    return {
        "bundle": _unpacked(folder / "bundle"),
        "standalone": _unpacked(folder / "standalone", with_python=True),
    }


def _unpacked(folder: Path, **options: bool) -> Path:
    made = _build(folder, **options)
    (folder / "unpacked").mkdir()
    return archive.unpack(made.file, folder / "unpacked")


def _build(folder: Path, **options: bool) -> build.Bundle:
    copy = folder / "hello"
    shutil.copytree(HELLO.parent, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    return build.build(copy, [here()], say=lambda line: None, **options)


def _files(folder: Path) -> list[Figure]:
    sizes, seconds = [], []
    for number in range(4):
        began = time.perf_counter()
        made = _build(folder / f"again{number}", grpc=False)
        seconds.append(time.perf_counter() - began)
        sizes.append(made.file.stat().st_size / 1e6)
    return [
        figures.plain("bundle --host netrpc: size", sizes, unit="MB", target=LARGEST),
        figures.plain("bundle --host netrpc: made again", seconds[1:], unit="s", target=LONGEST),
    ]


def _direct(folder: Path, wire: Wire) -> float:
    """Start the plugin's own file, by the Python that the launcher finds."""
    installed = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    environ = {**os.environ, **settings(folder, wire), "PYTHONPATH": installed}
    return start_program([f"{sys.base_prefix}/bin/python3", str(HELLO)], wire, environ).milliseconds


def _launched(root: Path, wire: Wire) -> float:
    """Start an unpacked bundle as the wire's servers do; from a `PATH` on which this Python is the first."""
    environ = {"PATH": f"{sys.base_prefix}/bin{os.pathsep}{os.defpath}", "MMHOOKS_HOST": wire}
    if (root / PROGRAM).exists():
        command, folder = [str(root / PROGRAM)], Path("/")
    elif wire == "netrpc":
        command, folder = [str(root / "server/plugin.py")], Path("/")
    else:
        command, folder = [f"{sys.base_prefix}/bin/python3", "server/plugin.py"], root
    return start_program(command, wire, environ, folder).milliseconds


def _forget(root: Path) -> None:
    """Have the system drop the files of a folder from its memory."""
    if not hasattr(os, "posix_fadvise"):
        return  # macOS has no such wish
    os.sync()  # what is not written yet cannot be dropped
    for path in root.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)


@contextlib.contextmanager
def _all_processors_busy() -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
