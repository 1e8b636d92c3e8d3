"""From the start of a process to its handshake line: time and memory."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import Figure, ratio
from tests.bench.machine import HELLO, PATIENCE, PROGRAMS, CannotMeasure, Wire, python, settings


class Floor(NamedTuple):
    """What a start is compared with over one wire, and the targets."""

    program: str
    time: float
    memory: float
    line: bytes
    """What the handshake line begins with."""


FLOORS: dict[Wire, Floor] = {
    "grpc": Floor("bare_start.py", 1.5, 1.4, b"1|1|tcp|127.0.0.1:"),
    "netrpc": Floor("bare_start_netrpc.py", 1.6, 1.5, b"1|1|unix|/"),
}


class Start(NamedTuple):
    """One start."""

    milliseconds: float
    peak_mib: float


def measure(folder: Path, runs: int, wire: Wire = "grpc") -> list[Figure]:
    """The figures of `runs` pairs of starts, after one pair that is not counted."""
    floor = FLOORS[wire]
    bare: list[Start] = []
    ours: list[Start] = []
    for _ in range(runs + 1):
        bare.append(start(PROGRAMS / floor.program, folder, wire))
        ours.append(start(HELLO, folder, wire))
    del bare[0], ours[0]
    return [
        ratio(
            "start: process to handshake line",
            [one.milliseconds for one in bare],
            [one.milliseconds for one in ours],
            unit="ms",
            target=floor.time,
        ),
        ratio(
            "start: peak memory at the handshake",
            [one.peak_mib for one in bare],
            [one.peak_mib for one in ours],
            unit="MiB",
            target=floor.memory,
        ),
    ]


def start(file: Path, folder: Path, wire: Wire = "grpc") -> Start:
    """Start a Python program, read its handshake line, and end it. Raises `CannotMeasure` when no such line comes."""
    return start_program(python(file), wire, {**os.environ, **settings(folder, wire)})


def start_program(command: Sequence[str], wire: Wire, environ: Mapping[str, str], folder: Path | None = None) -> Start:
    """The same for any command.

    Arguments:
        command: the program and its arguments.
        wire: what it is to speak.
        environ: its environment, without what hosts set.
        folder: its working directory.
    """
    environ = {
        **environ,
        "MATTERMOST_PLUGIN": "Securely message teams, anywhere.",
        "PLUGIN_PROTOCOL_VERSIONS": "1",
    }
    # A folder of its own, by a short name: a process that is killed leaves its socket.
    with tempfile.TemporaryDirectory(prefix="mmhooks-", dir="/tmp") as sockets, tempfile.TemporaryFile() as errors:
        if wire == "netrpc":
            environ["PLUGIN_UNIX_SOCKET_DIR"] = sockets
        began = time.perf_counter()
        process = subprocess.Popen([*command], stdout=subprocess.PIPE, stderr=errors, env=environ, cwd=folder)
        assert process.stdout is not None
        # Not by Popen, which would wait for a process that has ended: what it used would be lost.
        alarm = threading.Timer(PATIENCE, os.kill, (process.pid, signal.SIGKILL))
        alarm.start()
        try:
            line = process.stdout.readline()
            took = time.perf_counter() - began
            peak = _peak_bytes(process.pid)
        finally:
            alarm.cancel()
            os.kill(process.pid, signal.SIGKILL)
            used = os.wait4(process.pid, 0)[2]
            process.returncode = 0  # it has been waited for
            process.stdout.close()
        if not line.startswith(FLOORS[wire].line):
            errors.seek(0)
            told = errors.read().decode(errors="replace")
            raise CannotMeasure(f"{command[-1]} gave no handshake line but {line!r}\n{told}")
    # ru_maxrss may be that of this process, of which the other one was a copy for a moment: second best.
    return Start(took * 1000, (peak or used.ru_maxrss * _MAXRSS_UNIT) / 2**20)


_MAXRSS_UNIT = 1 if os.uname().sysname == "Darwin" else 1024


def _peak_bytes(pid: int) -> int | None:
    """The most memory that a running process has used so far, where the system tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) * 1024 if lines else None
