"""Each example passes its own tests, and runs in the dev console."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(file.parent.name for file in EXAMPLES.glob("*/plugin.py"))


def run(program: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        env=environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_there_are_examples() -> None:
    assert NAMES == ["hello", "house_rules", "pulse"]


@pytest.mark.timeout(180)  # many processes, one after another
@pytest.mark.parametrize("name", NAMES)
def test_an_example_passes_its_own_tests(name: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    ran = run(
        "pytest",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        "--strict-config",
        f"--junit-xml={report}",
        folder=EXAMPLES / name,
    )
    assert ran.returncode == 0, ran.stdout
    (suite,) = ElementTree.parse(report).getroot()
    cases = {case.get("name", "") for case in suite.iter("testcase")}
    assert len(cases) >= 3, ran.stdout
    assert all(suite.get(bad) == "0" for bad in ("failures", "errors", "skipped")), ran.stdout
    tests = (EXAMPLES / name / "test_plugin.py").read_text(encoding="utf-8")
    assert "plugin_client: TestClient" in tests
    assert "live_client: LiveClient" in tests


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_in_the_dev_console(name: str) -> None:
    ran = run("mmhooks", "dev", f"examples/{name}", "--post", "good morning", folder=EXAMPLES.parent)
    assert ran.returncode == 0, ran.stdout
    assert "\n  stored    good morning\n" in ran.stdout
