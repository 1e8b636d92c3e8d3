"""Byte-code for a bundle: of the unchecked kind, as the times of files do not survive their way to a server, where the
folder may not be writable besides."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mmhooks.bundle.launcher import version_of
from mmhooks.bundle.targets import here
from mmhooks.errors import BundleError

_COMPILE = """
import json, py_compile, sys
mode, faults = py_compile.PycInvalidationMode.UNCHECKED_HASH, []
for file in json.load(sys.stdin):
    try:
        py_compile.compile(file, dfile=file, doraise=True, invalidation_mode=mode)
    except py_compile.PyCompileError as error:
        where = error.exc_value
        faults.append([file, getattr(where, "lineno", None), getattr(where, "msg", None) or str(where)])
json.dump(faults, sys.stdout)
"""


def python_for(version: str) -> str | None:
    """The command of a Python of this version, `3.12`: this one, or one on the PATH; None where there is none."""
    if version == here().python:
        return sys.executable
    python = shutil.which(f"python{version}")
    return python if python is not None and version_of(python) == version else None


def compile_files(python: str, root: Path, files: Sequence[str], own: Sequence[str] = ()) -> None:
    """Compile files for a Python.

    Arguments:
        python: its command.
        root: the folder to which the paths of the files are relative. They alone stand in the byte-code.
        files: the paths.
        own: those in which an error is a fault; libraries may have files that are not meant for this Python.

    Raises `BundleError` with file, line and what is wrong.
    """
    # Sets among the constants are written in the order of their hashes: the same bundle has to come out every time.
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}
    ran = subprocess.run(
        [python, "-P", "-S", "-s", "-c", _COMPILE],
        cwd=root,
        env=environ,
        input=json.dumps(list(files)),
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
    )
    found = [(file, f", line {line}" if line else "", text) for file, line, text in json.loads(ran.stdout)]
    faults = [f"{file}{line}: {text}" for file, line, text in found if file in own]
    if faults:
        raise BundleError(faults)
