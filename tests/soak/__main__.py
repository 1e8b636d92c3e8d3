"""The command: exits with 1 when a standalone bundle does not run, the plugin has grown, or has given a wrong answer."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench import gohost, machine
from tests.soak import soaking, standalone


def main() -> int:
    """Run what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("calls", nargs="?", type=int, default=1_000_000, help="how many; a million unless given")
    calls = parser.parse_args().calls
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the plugin and the folder are cleared away
    machine.forget_settings()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mmhooks-soak-") as folder,
            gohost.Host(gohost.build(Path(folder)), Path(folder)) as host,
        ):
            standalone.run_all(host, Path(folder), _tell)
            found = soaking.soak(host, calls, _tell)
    except (machine.CannotMeasure, soaking.WrongAnswer) as error:
        print(error, file=sys.stderr)
        return 1
    grown = found.growth >= soaking.LIMIT
    print(f"{found.growth:+.2%} since the warm-up, less than {soaking.LIMIT:.0%} wanted{': GROWN' if grown else ''}")
    return int(grown)


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
