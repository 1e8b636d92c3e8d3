"""Standalone bundles of every example, each under the Go host by both wires."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from mmhooks.bundle import archive, build
from mmhooks.bundle.standalone import PROGRAM
from mmhooks.bundle.targets import here
from tests.bench.gohost import Host
from tests.bench.machine import ROOT, CannotMeasure, Wire

WIRES: tuple[Wire, ...] = ("netrpc", "grpc")


def run_all(host: Host, folder: Path, told: Callable[[str], None]) -> None:
    """Make them, start them, activate them, and end them. Raises `CannotMeasure` for one that does not do that."""
    for example in sorted(file.parent for file in (ROOT / "examples").glob("*/plugin.py")):
        copy = folder / example.name
        shutil.copytree(example, copy, ignore=shutil.ignore_patterns("__pycache__", "dist"))
        made = build.build(copy, [here()], with_python=True, say=lambda line: None)
        into = folder / f"{example.name}-unpacked"
        into.mkdir()
        program = archive.unpack(made.file, into) / PROGRAM
        for wire in WIRES:
            name = f"{example.name}-{wire}"
            host.start_command(name, [str(program)], wire)
            status = host.ask(name, "kill")["exit_code"]
            if status != 0:
                raise CannotMeasure(f"the standalone {example.name} ended with status {status} over {wire}")
        told(f"standalone {example.name}: starts and ends over both wires")
