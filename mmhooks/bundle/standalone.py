"""Python for bundles that bring it along: the interpreter and its whole standard library, made by PyInstaller.

Only these are frozen. A plugin may import any module of the standard library, and libraries find their files where they
expect them, so nothing has to be found out about what imports what.
"""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mmhooks.errors import BundleError

FOLDER = "server/standalone"
PROGRAM = f"{FOLDER}/plugin"

_LEFT_OUT = {
    "_tkinter",
    "distutils",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "test",
    "tkinter",
    "turtle",
    "turtledemo",
    "venv",
}
"""Parts of the standard library for windows on a screen, for tests, and for setting Python up."""

_SPEC = """
a = Analysis([{program!r}], hiddenimports={modules!r}, excludes={excluded!r})
# Without the scripts that PyInstaller puts before the program: each costs time, and the program does what is needed.
scripts = [each for each in a.scripts if not each[0].startswith("pyi_rth_")]
options = [("X utf8", None, "OPTION")]  # as Python itself has it where the environment names no encoding
exe = EXE(PYZ(a.pure), scripts, options, exclude_binaries=True, name="plugin", upx=False)
COLLECT(exe, a.binaries, a.datas, name="standalone", upx=False)
"""


def check() -> None:
    """Raise `BundleError` where PyInstaller is not installed."""
    if importlib.util.find_spec("PyInstaller") is None:
        raise BundleError(["--standalone needs PyInstaller: pip install 'mmhooks[standalone]'"])


def add(stage: Path) -> None:
    """Put Python into a bundle's folder. Raises `BundleError` with PyInstaller's own words."""
    program = Path(__file__).with_name("frozen.py")
    with tempfile.TemporaryDirectory(prefix="mmhooks-standalone-") as temporary:
        spec = Path(temporary, "plugin.spec")
        excluded = ["mmhooks", "setuptools", *sorted(_LEFT_OUT)]
        spec.write_text(_SPEC.format(program=str(program), modules=[*_standard_library()], excluded=excluded))
        places = ["--distpath", f"{temporary}/dist", "--workpath", f"{temporary}/work"]
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", *places, str(spec)]
        environ = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "315532800"}  # zip files begin in 1980
        ran = subprocess.run(
            command,
            cwd=temporary,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if ran.returncode:
            raise BundleError(["PyInstaller cannot pack this Python:", *ran.stderr.strip().splitlines()[-8:]])
        # Servers drop links, of which there are some: copies take their place.
        shutil.copytree(f"{temporary}/dist/standalone", stage / FOLDER, symlinks=False)


def _standard_library() -> Iterator[str]:
    """The names of all its modules that a plugin may want."""
    folder = sysconfig.get_path("stdlib")
    for place in (folder, os.path.join(folder, "lib-dynload")):
        yield from (name for name in _modules(place, "") if name.partition(".")[0] in sys.stdlib_module_names)
    yield from (name for name in sys.builtin_module_names if name not in ("__main__", "sys", "builtins"))


def _modules(folder: str, prefix: str) -> Iterator[str]:
    for found in pkgutil.iter_modules([folder]):
        if found.name in _LEFT_OUT or found.name in ("__main__", "tests") or found.name.startswith(("_test", "xx")):
            continue
        yield f"{prefix}{found.name}"
        if found.ispkg:
            yield from _modules(os.path.join(folder, found.name), f"{prefix}{found.name}.")
