"""The bundle's file: written so that the same content gives the same bytes, and unpacked as a server does it."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from mmhooks.errors import BundleError


def write(folder: Path, file: Path, top: str) -> None:
    """Write all files below a folder into a `.tar.gz`, below one top folder of that name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)
    temporary = Path(name)
    try:
        with (
            os.fdopen(descriptor, "wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
        ):
            for path in [folder, *sorted(folder.rglob("*"))]:
                member = tarfile.TarInfo(str(PurePosixPath(top) / path.relative_to(folder).as_posix()))
                if path.is_dir():
                    member.type, member.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(member)
                else:
                    found = path.stat()
                    # Whatever mask the bundler runs under: everybody may read, and run what may be run.
                    member.size, member.mode = found.st_size, 0o755 if found.st_mode & 0o100 else 0o644
                    with path.open("rb") as content:
                        tar.addfile(member, content)
        temporary.chmod(0o644)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def unpack(file: Path, into: Path) -> Path:
    """Unpack a bundle as a server does: folders and regular files only, modes from the archive, times lost.

    Result: the plugin's folder, which has the plugin.json. Raises `BundleError` for what a server would refuse.
    """
    try:
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                _take(tar, member, into)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BundleError([f"{file} is no bundle, which is a .tar.gz: {error}"]) from None
    inside = [*into.iterdir()]
    root = inside[0] if len(inside) == 1 and inside[0].is_dir() else into
    if not (root / "plugin.json").is_file():
        raise BundleError([f"{file} has no plugin.json, neither at its top nor in its one top folder"])
    return root


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    path = into / member.name
    if not path.resolve().is_relative_to(into.resolve()):
        raise BundleError([f"{member.name} leads out of the bundle"])
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
    elif member.isreg():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        assert content is not None
        path.write_bytes(content.read())
        path.chmod(member.mode & 0o777)


def manifest_of(root: Path) -> dict[str, Any]:
    """The manifest of an unpacked bundle."""
    found: dict[str, Any] = json.loads((root / "plugin.json").read_text(encoding="utf-8"))
    return found
