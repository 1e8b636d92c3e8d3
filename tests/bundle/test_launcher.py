"""The launcher alone, started as each kind of server starts it, in a bundle whose mmhooks only says where it is."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mmhooks.bundle import launcher, targets

PYTHON = Path(sys.base_prefix, "bin", f"python{targets.here().python}")
OTHER = "3.99"
"""A version that no machine has."""

STUB = """
import json, os, sys

def run(file):
    json.dump(
        {"file": file, "argv": sys.argv, "path": sys.path, "isolated": sys.flags.isolated, "no_site": sys.flags.no_site,
         "host": os.environ["MMHOOKS_HOST"], "executable": sys.executable, "site": "site" in sys.modules},
        sys.stdout,
    )
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of an unpacked bundle for this machine and this Python."""
    root = tmp_path / "com.example.stub"
    (root / "server").mkdir(parents=True)
    shutil.copyfile(launcher.__file__, root / "server" / "plugin.py")
    (root / "server" / "plugin.py").chmod(0o755)
    hosts = root / "server" / "lib" / "any" / "mmhooks" / "hosts"
    hosts.mkdir(parents=True)
    (hosts / "__init__.py").touch()
    (hosts.parent / "__init__.py").touch()
    (hosts / "ahead.py").write_text(STUB)
    (root / "server" / "lib" / str(targets.here())).mkdir()
    return root


def bundled_for(root: Path, python: str) -> None:
    """Have the bundle be for another Python."""
    here = root / "server" / "lib" / str(targets.here())
    here.rename(here.with_name(f"{targets.here().platform}-py{python}"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The one folder on the `PATH`: with a `python3` that is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "python3", f'exec {PYTHON} "$@"')
    return folder


def script(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def start(
    root: Path, path: Path, *command: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Start it as a released server does, or by a command from the plugin's folder."""
    return subprocess.run(
        command or [str(root / "server" / "plugin.py")],
        cwd=root if command else "/",
        env={"PATH": str(path), **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def told(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert (ran.returncode, ran.stderr) == (0, "")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def complaint(ran: subprocess.CompletedProcess[str]) -> str:
    """The one line of the log, as go-plugin takes it for an error."""
    assert (ran.returncode, ran.stdout) == (1, "")
    (line,) = ran.stderr.splitlines()
    entry = json.loads(line)
    assert entry["@level"] == "error"
    assert len(entry["@timestamp"]) == len("2006-01-02T15:04:05.000000Z")
    return str(entry["@message"])


GRPC = ("python3", "server/plugin.py")


@pytest.mark.parametrize(("command", "host"), [((), "netrpc"), (GRPC, "grpc")])
def test_how_it_is_started_says_which_host_it_is(root: Path, path: Path, command: tuple[str, ...], host: str) -> None:
    assert told(start(root, path, *command))["host"] == host
    own = told(start(root, path, *command, environ={"MMHOOKS_HOST": "of my own"}))
    assert own["host"] == "of my own"


@pytest.mark.parametrize("command", [(), GRPC])
def test_it_runs_isolated_from_what_is_installed_there(root: Path, path: Path, command: tuple[str, ...]) -> None:
    found = told(start(root, path, *command, environ={"PYTHONPATH": "/elsewhere", "PYTHONHOME": ""}))
    assert (found["isolated"], found["no_site"], found["site"]) == (1, 1, False)
    lib = root / "server" / "lib"
    assert found["path"][0] == str(root)
    assert found["path"][-2:] == [str(lib / str(targets.here())), str(lib / "any")]
    assert not [entry for entry in found["path"] if "site-packages" in entry or "elsewhere" in entry]
    assert found["file"] == str(root / "plugin.py")
    assert found["argv"] == [str(root / "plugin.py")]


@pytest.mark.parametrize("command", [(), GRPC])
def test_another_python_on_the_path_that_fits_takes_over(
    root: Path, path: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    bundled_for(root, OTHER)
    script(path / f"python{OTHER}", f'[ "$3" = -c ] && echo {OTHER} || echo became "$@"')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / f"python{OTHER}").write_bytes(b"no program")
    (tmp_path / "broken" / f"python{OTHER}").chmod(0o755)
    path = Path(f"{tmp_path / 'broken'}:{path}")
    ran = start(root, path, *command)
    wire = "grpc" if command else "netrpc"
    assert ran.stdout == f"became -I -S {root / 'server' / 'plugin.py'} {wire}\n"


def test_what_was_found_and_what_would_do_is_one_error_in_the_log(root: Path, path: Path) -> None:
    bundled_for(root, OTHER)
    script(path / f"python{OTHER}", "echo 'python: no such version is chosen'; exit 127")
    text = complaint(start(root, path))
    assert text.startswith(f"this bundle needs {targets.here().platform} with Python {OTHER}; this machine is ")
    assert f" ({targets.here().python}), {path}/python{OTHER} (does not run); PATH is {path}" in text
    assert "--python" in text
    assert "--standalone" in text


def test_a_bundle_for_another_machine_says_so(root: Path, path: Path) -> None:
    here = root / "server" / "lib" / str(targets.here())
    here.rename(here.with_name(f"plan9-sparc-py{targets.here().python}"))
    text = complaint(start(root, path))
    assert f"plan9-sparc with Python {targets.here().python}" in text
    assert f"this machine is {targets.here().platform}" in text


def test_where_there_is_no_python_the_shell_says_so(root: Path, tmp_path: Path) -> None:
    ran = start(root, tmp_path / "nowhere")
    assert (ran.returncode, ran.stdout) == (1, "")
    (line,) = ran.stderr.splitlines()
    assert line.startswith("[ERROR] ")  # as go-plugin's hosts take plain text for an error
    assert "no python3 that runs on the PATH" in line
    assert str(tmp_path / "nowhere") in line


def test_an_administrator_may_name_the_python(root: Path, tmp_path: Path) -> None:
    named = tmp_path / "a folder with spaces" / "python"
    named.parent.mkdir()
    script(named, f'exec {PYTHON} "$@"')
    found = told(start(root, tmp_path / "nowhere", environ={"MMHOOKS_PYTHON": str(named)}))
    assert found["executable"] == str(PYTHON)


def test_a_named_python_that_fits_is_found_by_the_other_host_too(root: Path, path: Path, tmp_path: Path) -> None:
    bundled_for(root, OTHER)
    named = tmp_path / "named"
    script(named, f'[ "$3" = -c ] && echo {OTHER} || echo became "$@"')
    assert start(root, path, *GRPC, environ={"MMHOOKS_PYTHON": str(named)}).stdout.startswith("became -I -S ")


def test_a_named_python_that_does_not_run_is_told_and_another_is_taken(root: Path, path: Path, tmp_path: Path) -> None:
    ran = start(root, path, environ={"MMHOOKS_PYTHON": str(tmp_path)})
    assert ran.returncode == 0
    assert ran.stderr == f"[WARN] MMHOOKS_PYTHON is {tmp_path}, which does not run as a Python: looking for another\n"


OLD = [
    python
    for python in Path.home().glob(".pyenv/versions/3.*/bin/python3")
    if not python.parent.joinpath("python3.11").exists()
]


@pytest.mark.parametrize("old", OLD[:3], ids=lambda python: python.parts[-3])
def test_old_pythons_say_what_they_lack(root: Path, tmp_path: Path, old: Path) -> None:
    bundled_for(root, OTHER)
    assert f"{old} (3." in complaint(start(root, old.parent, str(old), "server/plugin.py"))


def test_old_pythons_can_read_what_it_has_to_say() -> None:
    ast.parse(Path(launcher.__file__).read_text(), feature_version=(3, 7))


def test_the_shell_looks_for_every_python_that_mmhooks_runs_on() -> None:
    text = Path(launcher.__file__).read_text()
    assert "python3.11; do" in text
    assert f" python{targets.here().python}" in text
