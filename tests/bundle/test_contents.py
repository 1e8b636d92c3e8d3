"""Which of the author's files a bundle has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmhooks import BundleError
from mmhooks.bundle import contents

THERE = (
    "plugin.py",
    "rules/__init__.py",
    "rules/words.txt",
    "assets/icon.svg",
    "public/hello.html",
    "LICENSE",
    "server/helper.py",
    "assets/dist/app.js",
    "rules/build/__init__.py",
    "rules/plugin.json",
)
FOR_DEVELOPMENT = (
    ".git/HEAD",
    ".env",
    ".venv/bin/python",
    "venv/pyvenv.cfg",
    "my-environment/pyvenv.cfg",
    "my-environment/lib/python3.11/site-packages/x.py",
    "__pycache__/plugin.cpython-311.pyc",
    "rules/__pycache__/x.pyc",
    "test_plugin.py",
    "conftest.py",
    "tests/test_more.py",
    "dist/com.example.hello-0.1.0.tar.gz",
    "build/x",
    "webapp/dist/main.js",
    "node_modules/x/index.js",
    "webapp/node_modules/x.js",
    "hello.egg-info/PKG-INFO",
    "plugin.json",
    "pyproject.toml",
    "requirements.txt",
    "requirements-dev.txt",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*THERE, *FOR_DEVELOPMENT):
        write(tmp_path / "p" / name)
    return tmp_path / "p"


def write(file: Path, text: str = "") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_what_is_for_development_stays_out(folder: Path) -> None:
    assert contents.find(folder) == sorted(THERE)


def test_more_can_be_left_out_by_name_and_by_path(folder: Path) -> None:
    found = contents.find(folder, ["*.html", "server/*", "rules"])
    assert found == sorted(
        {*THERE}
        - {
            "public/hello.html",
            "server/helper.py",
            "rules/__init__.py",
            "rules/words.txt",
            "rules/build/__init__.py",
            "rules/plugin.json",
        }
    )


def test_what_the_manifest_names_is_there_in_any_case(folder: Path) -> None:
    write(folder / "webapp" / "dist" / "chunk" / "1.js")
    found = contents.find(folder, keep=["build/x", "webapp/dist"])
    assert found == sorted([*THERE, "build/x", "webapp/dist/main.js", "webapp/dist/chunk/1.js"])


def test_links_become_what_they_lead_to(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "shared" / "words.txt", "shared")
    (folder / "words.txt").symlink_to(tmp_path / "shared" / "words.txt")
    (folder / "more").symlink_to(tmp_path / "shared")
    (folder / "rules" / "again").symlink_to(folder)  # round and round
    found = contents.find(folder)
    assert found == sorted([*THERE, "words.txt", "more/words.txt"])
    contents.copy(folder, found, tmp_path / "copy")
    assert (tmp_path / "copy" / "more" / "words.txt").read_text() == "shared"
    assert not [path for path in (tmp_path / "copy").rglob("*") if path.is_symlink()]


def test_what_cannot_be_bundled_is_named_all_at_once(folder: Path) -> None:
    (folder / "gone").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    write(folder / "server" / "plugin.py")
    write(folder / "server" / "lib" / "x.py")
    with pytest.raises(BundleError) as refused:
        contents.find(folder)
    assert list(refused.value.faults) == [
        "gone: a link that leads nowhere: mend it, or leave it out by exclude under [tool.mmhooks]",
        "pipe: neither a file nor a folder: leave it out by exclude under [tool.mmhooks]",
        "server/lib/x.py: the bundle has the launcher and its libraries there: call it something else",
        "server/plugin.py: the bundle has the launcher and its libraries there: call it something else",
    ]
    assert "gone" not in contents.find(folder, ["gone", "pipe", "server"])


def test_the_plugin_itself_cannot_be_left_out(folder: Path) -> None:
    with pytest.raises(
        BundleError, match=r"plugin\.py: exclude under \[tool\.mmhooks\] leaves it out, and it is the plugin"
    ):
        contents.find(folder, ["*.py"])


def test_modes_are_those_that_everybody_needs(folder: Path, tmp_path: Path) -> None:
    write(folder / "tool.sh", "#!/bin/sh\n")
    (folder / "tool.sh").chmod(0o700)
    (folder / "LICENSE").chmod(0o600)
    contents.copy(folder, ["tool.sh", "LICENSE"], tmp_path / "copy")
    assert (tmp_path / "copy" / "tool.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "copy" / "LICENSE").stat().st_mode & 0o777 == 0o644
