"""What type checkers say of plugins: `tests/types` is read by mypy, in one run for all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

TYPES = Path(__file__).parent / "types"
ROOT = TYPES.parents[1]

Finding = tuple[str, int, str]
"""File, line and mypy's code."""


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    """Every error that mypy finds in the programs of `tests/types`."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--no-error-summary", "--no-color-output"]
    ran = subprocess.run(
        [*command, *map(str, sorted(TYPES.glob("*.py")))], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    found = re.findall(r"^tests/types/(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", ran.stdout, re.MULTILINE)
    assert len(found) == ran.stdout.count(": error: "), ran.stdout
    return [(file, int(line), code) for file, line, code in found]


def test_handlers_as_people_write_them_are_accepted(findings: list[Finding]) -> None:
    assert not [finding for finding in findings if finding[0].startswith("good")]


@pytest.mark.parametrize("file", sorted(path.name for path in TYPES.glob("bad_*.py")))
def test_each_mistake_is_told_at_its_line_and_nothing_else_is(findings: list[Finding], file: str) -> None:
    lines = enumerate((TYPES / file).read_text().splitlines(), start=1)
    expected = Counter((file, number, code) for number, line in lines for code in re.findall(r"# expect: (\S+)$", line))
    assert len(expected) > 10
    assert Counter(finding for finding in findings if finding[0] == file) == expected
