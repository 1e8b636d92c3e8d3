"""A plugin to begin with: made by the command, tested and bundled at once."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mmhooks import BundleError
from mmhooks.cli.new import make
from tests.bundle.conftest import PATH


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MMHOOKS_"))}
    return subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        cwd=folder,
        env=environ | {"PATH": PATH, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,  # it asks nothing
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(120)
def test_a_new_plugin_passes_its_tests_and_bundles_at_once(tmp_path: Path) -> None:
    made = run("mmhooks", "new", "weather-report", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "weather-report"
    assert {path.name for path in folder.iterdir()} == {
        ".gitignore",
        "README.md",
        "plugin.py",
        "pyproject.toml",
        "settings.py",
        "test_plugin.py",
    }
    assert all(f"weather-report/{path.name}" in made.stdout.splitlines() for path in folder.iterdir())
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["tool"]["mmhooks"] == {"id": "com.example.weather-report", "name": "Weather report"}
    for path in folder.iterdir():
        assert "$" not in path.read_text().replace("$ ", ""), f"{path.name} has a placeholder left"

    tested = run("pytest", "-q", "-p", "no:cacheprovider", "-W", "error", folder=folder)
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout
    talked = run("mmhooks", "dev", ".", "--post", "teh weather", folder=folder)
    assert "  changed   the weather\n" in talked.stdout
    bundled = run("mmhooks", "bundle", "--host", "netrpc", "--check", folder=folder)
    assert bundled.returncode == 0, bundled.stderr
    assert (folder / "dist" / "com.example.weather-report-0.1.0.tar.gz").is_file()
    assert "starts over net/rpc in" in bundled.stdout


@pytest.mark.parametrize("rules", [["check", "--select", "E,F,I,B,UP"], ["format", "--check"]])
def test_it_follows_the_usual_rules_of_style(tmp_path: Path, rules: list[str]) -> None:
    make("weather-report", tmp_path)
    ran = run("ruff", *rules, "--isolated", ".", folder=tmp_path / "weather-report")
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("name", ["Weather", "../weather", "weather report", "", "-x", "x."])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="cannot be a plugin's name: small letters, digits"):
        make(name, tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "weather").mkdir()
    make("weather", tmp_path)  # an empty folder will do
    (tmp_path / "weather" / "plugin.py").write_text("mine")
    made = run("mmhooks", "new", "weather", folder=tmp_path)
    assert made.returncode == 1
    assert "is there already, and not empty: take another name" in made.stderr
    assert (tmp_path / "weather" / "plugin.py").read_text() == "mine"
    (tmp_path / "file").touch()
    with pytest.raises(BundleError, match="is there already"):
        make("file", tmp_path)
