"""What the measurements ran on, and the environment that all measured programs get."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
HELLO = ROOT / "examples" / "hello" / "plugin.py"

Wire = Literal["grpc", "netrpc"]

PATIENCE = 60.0
"""Seconds after which a start has failed."""


class CannotMeasure(Exception):
    """Something that is to be measured did not run."""


def forget_settings() -> None:
    """Take what is meant for plugins out of this process's environment, which the measured programs inherit."""
    for name in [*os.environ]:
        if name.startswith(("MATTERMOST_", "MMHOOKS_", "PLUGIN_")):
            del os.environ[name]


def settings(folder: Path, wire: Wire = "grpc") -> dict[str, str]:
    """The variables that every program gets, ours or not.

    Compiled modules are kept in a folder, so that after the first start none is compiled: installers leave them like
    that. mmhooks switches gRPC's fork support off by itself; it is off for the others too, so that it makes no
    difference.
    """
    return {
        "MMHOOKS_HOST": wire,
        "GRPC_ENABLE_FORK_SUPPORT": "0",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
    }


def go() -> str | None:
    """The Go command, if there is one."""
    return shutil.which("go")


def facts() -> dict[str, str]:
    """The machine and the versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": str(cores),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "Go": _go_version(),
        **{package: version(package) for package in ("grpcio", "protobuf", "msgspec")},
    }


def _go_version() -> str:
    command = go()
    if command is None:
        return "none"
    told = subprocess.run([command, "env", "GOVERSION"], capture_output=True, text=True, cwd=ROOT, check=False)
    return told.stdout.strip().removeprefix("go") or "unknown"


def python(file: Path) -> list[str]:
    """The command that runs a program."""
    return [sys.executable, str(file)]
