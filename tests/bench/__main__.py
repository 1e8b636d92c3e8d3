"""The command: measures, prints the table, and exits with 0 unless something did not run. It is a report, no gate."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench import blocking, calling, gohost, machine, profiling, starting
from tests.bench.figures import MISSED, Figure, table
from tests.bench.machine import CannotMeasure

PARTS = ("start", "call", "blocked")


def main() -> int:
    """Run what the command line asks for; the exit status."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that programs and folders are cleared away
    machine.forget_settings()
    facts = machine.facts()
    print(", ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
    parts = [arguments.only] if arguments.only else [*PARTS]
    if machine.go() is None and (arguments.profile or parts != ["start"]):
        print("Go is missing: only the start can be measured, since a host in Go makes the calls.")
        if arguments.profile or "start" not in parts:
            return 1
        parts = ["start"]
    figures: list[Figure] = []
    failed = False
    with tempfile.TemporaryDirectory(prefix="mmhooks-bench-") as folder:
        try:
            if arguments.profile:
                _profile(Path(folder), quick=arguments.quick)
                return 0
            for part in parts:
                print(f"measuring: {part} …", flush=True)
                figures += _measure(part, Path(folder), quick=arguments.quick)
        except CannotMeasure as error:
            print(error, file=sys.stderr)
            failed = True
    if figures:
        _report(figures)
    if arguments.json:
        told = {"machine": facts, "figures": [figure.as_dict() for figure in figures]}
        arguments.json.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(failed)


def _measure(part: str, folder: Path, *, quick: bool) -> list[Figure]:
    if part == "start":
        return starting.measure(folder, runs=9 if quick else 21)
    with gohost.Host(gohost.build(folder), folder) as host:
        if part == "call":
            calling.generate_messages(folder)
            return calling.measure(host, folder, runs=9 if quick else 15, calls=300 if quick else 1000)
        return blocking.measure(host, runs=9, calls=100 if quick else 300)


def _report(figures: list[Figure]) -> None:
    print(f"\n{table(figures)}\n")
    missed = sum(not figure.met for figure in figures)
    print(f"{missed} of {len(figures)} figures {MISSED} their targets." if missed else "All targets are met.")


def _profile(folder: Path, *, quick: bool) -> None:
    with gohost.Host(gohost.build(folder), folder) as host:
        profiling.profile(host, folder, calls=1000 if quick else 5000)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures mmhooks beside bare gRPC programs that do the same; see docs/performance.md.",
    )
    parser.add_argument("--only", choices=PARTS, help="one part of the measurements")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and calls: two minutes less, and less sure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file, too")
    parser.add_argument("--profile", action="store_true", help="instead of all this, show where a call's time goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
