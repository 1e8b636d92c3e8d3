"""The author's own part of a bundle: which files of a plugin's folder go into it."""

from __future__ import annotations

import fnmatch
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmhooks.errors import BundleError

LEFT_OUT = (".*", "*.egg-info", "*.pyc", "__pycache__", "conftest.py", "node_modules", "test_*.py", "tests")
"""Names, at any depth, of what is there to develop a plugin and not to run it."""

LEFT_OUT_AT_THE_TOP = ("build", "dist", "plugin.json", "pyproject.toml", "requirements*.txt", "venv", "webapp")
"""The same in the plugin's folder itself; further down they may be anything. Of `webapp` the bundle has the folder that the
manifest names, and a plugin.json of its own."""

RESERVED = ("server/plugin", "server/plugin.py", "server/lib", "server/standalone")
"""Where the launcher and the libraries stand in a bundle."""


def find(folder: Path, exclude: Sequence[str] = (), keep: Sequence[str] = ()) -> list[str]:
    """The files to bundle, as paths below the folder, in order.

    Arguments:
        folder: the plugin's.
        exclude: further patterns, of names (`*.psd`) or of paths (`data/raw`), to leave out.
        keep: files, and folders with all below them, to take in any case: those that the manifest names.

    Links are followed, as a server drops them. Raises `BundleError` for what cannot be bundled.
    """
    faults: list[str] = []
    found = {*_walk(folder, folder, (*LEFT_OUT, *exclude), frozenset(), faults)}
    for path in keep:
        kept = folder / path
        found |= {*_walk(folder, kept, (), frozenset(), faults)} if kept.is_dir() else {path}
    faults += [
        f"{path}: the bundle has the launcher and its libraries there: call it something else"
        for path in sorted(found)
        if any(path == reserved or path.startswith(f"{reserved}/") for reserved in RESERVED)
    ]
    if "plugin.py" not in found:
        faults.append("plugin.py: exclude under [tool.mmhooks] leaves it out, and it is the plugin")
    if faults:
        raise BundleError(faults)
    return sorted(found)


def _walk(root: Path, folder: Path, exclude: Sequence[str], above: frozenset[Path], faults: list[str]) -> Iterator[str]:
    real = folder.resolve()
    if real in above:
        return  # a link to a folder that it is in
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        faults.append(f"{folder.relative_to(root).as_posix()}: it cannot be read: {error.strerror}")
        return
    for entry in entries:
        path = entry.relative_to(root).as_posix()
        patterns = (*exclude, *LEFT_OUT_AT_THE_TOP) if folder == root else exclude
        if any(fnmatch.fnmatch(entry.name, pattern) or fnmatch.fnmatch(path, pattern) for pattern in patterns):
            continue
        if entry.is_dir():
            if not (entry / "pyvenv.cfg").exists():  # a virtual environment by another name
                yield from _walk(root, entry, exclude, above | {real}, faults)
        elif entry.is_file():
            if os.access(entry, os.R_OK):
                yield path
            else:
                faults.append(f"{path}: it cannot be read")
        elif entry.is_symlink():
            faults.append(
                f"{path}: a link that leads nowhere: mend it, or leave it out by exclude under [tool.mmhooks]"
            )
        else:
            faults.append(f"{path}: neither a file nor a folder: leave it out by exclude under [tool.mmhooks]")


def copy(folder: Path, paths: Sequence[str], into: Path) -> None:
    """Copy files with their folders; all may be read, and those that may be run stay so."""
    for path in paths:
        goal = into / path
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / path, goal)
        goal.chmod(0o755 if os.access(folder / path, os.X_OK) else 0o644)
