"""The command: measures, prints the table, and exits with 0 unless something did not run. It is a report, no gate."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Literal

from tests.bench import (
    asking,
    blocking,
    bundles,
    calling,
    gohost,
    machine,
    memory,
    netrpc,
    profiling,
    routing,
    starting,
)
from tests.bench.figures import MISSED, Figure, table
from tests.bench.machine import CannotMeasure, Wire

Where = Wire | Literal["inprocess"]

PARTS: dict[Where, tuple[str, ...]] = {
    "grpc": ("start", "call", "blocked", "api", "bundle"),
    "netrpc": ("start", "call", "api", "bundle"),
    "inprocess": ("routing", "memory"),
}

_WITHOUT_GO = ("start", "bundle", "routing", "memory")

_COMPARED: dict[Where, tuple[str, str]] = {
    "grpc": ("gRPC: beside programs for bare gRPC", "bare"),
    "netrpc": ("net/rpc: calls beside a plugin in Go, the start beside a bare asyncio program", "Go, bare"),
    "inprocess": ("In process: commands and messages, and the in-memory Mattermost", "before"),
}
"""The heading of each wire's table, and of the column of what mmhooks is compared with."""


def main() -> int:
    """Run what the command line asks for; the exit status."""
    parser = _parser()
    arguments = parser.parse_args()
    wires: list[Where] = [arguments.wire] if arguments.wire else [*PARTS]
    parts = {wire: [part for part in PARTS[wire] if arguments.only in (None, part)] for wire in wires}
    if not any(parts.values()):
        parser.error(f"{arguments.wire} has no part {arguments.only!r}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that programs and folders are cleared away
    machine.forget_settings()
    facts = machine.facts()
    print(", ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
    if machine.go() is None and (arguments.profile or any({*each} - {*_WITHOUT_GO} for each in parts.values())):
        print("Go is missing: only starts and bundles can be measured, since a host in Go makes the calls.")
        parts = {wire: [part for part in each if part in _WITHOUT_GO] for wire, each in parts.items()}
        if arguments.profile or not any(parts.values()):
            return 1
    figures: dict[Where, list[Figure]] = {wire: [] for wire in wires}
    failed = False
    with tempfile.TemporaryDirectory(prefix="mmhooks-bench-") as folder:
        try:
            for wire in wires:
                if arguments.profile and wire != "inprocess":
                    _profile(wire, Path(folder), quick=arguments.quick)
                    continue
                for part in () if arguments.profile else parts[wire]:
                    print(f"measuring: {wire}, {part} …", flush=True)
                    figures[wire] += _measure(wire, part, Path(folder), quick=arguments.quick)
        except CannotMeasure as error:
            print(error, file=sys.stderr)
            failed = True
    _report(figures)
    if arguments.json:
        told = [{"wire": wire, **figure.as_dict()} for wire, each in figures.items() for figure in each]
        text = json.dumps({"machine": facts, "figures": told}, indent=2, ensure_ascii=False)
        arguments.json.write_text(f"{text}\n", encoding="utf-8")
    return int(failed)


def _measure(wire: Where, part: str, folder: Path, *, quick: bool) -> list[Figure]:
    if wire == "inprocess":
        return memory.measure(2 if quick else 10) if part == "memory" else routing.measure(9, 300 if quick else 1000)
    if part == "start":
        return starting.measure(folder, runs=9 if quick else 21, wire=wire)
    if part == "bundle":
        return bundles.measure(folder, runs=5 if quick else 15, wire=wire)
    with gohost.Host(gohost.build(folder), folder) as host:
        if part == "blocked":
            return blocking.measure(host, runs=9, calls=100 if quick else 300)
        runs, calls = (9, 300) if quick else (15, 1000)
        if part == "api":
            return asking.measure(host, folder, runs, calls, wire)
        if wire == "netrpc":
            return netrpc.measure(host, folder, runs, calls)
        calling.generate_messages(folder)
        return calling.measure(host, folder, runs, calls)


def _report(figures: dict[Where, list[Figure]]) -> None:
    for wire, each in figures.items():
        if each:
            title, other = _COMPARED[wire]
            print(f"\n{title}\n\n{table(each, other)}")
    found = [figure for each in figures.values() for figure in each if figure.target is not None]
    if found:
        missed = sum(not figure.met for figure in found)
        print(f"\n{missed} of {len(found)} figures {MISSED} their targets." if missed else "\nAll targets are met.")


def _profile(wire: Wire, folder: Path, *, quick: bool) -> None:
    with gohost.Host(gohost.build(folder), folder) as host:
        profiling.profile(host, folder, calls=1000 if quick else 5000, wire=wire)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures mmhooks beside programs that do the same without it; see docs/performance.md.",
    )
    parser.add_argument("wire", nargs="?", choices=[*PARTS], help="one wire; both unless given")
    every_part = sorted({part for parts in PARTS.values() for part in parts})
    parser.add_argument("--only", choices=every_part, help="one part of the measurements")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and calls: sooner done, and less sure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file, too")
    parser.add_argument("--profile", action="store_true", help="instead of all this, show where a call's time goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
