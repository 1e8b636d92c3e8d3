"""A bundle as it is before it goes to a server: a .tar.gz file with a plugin.json in it."""

from __future__ import annotations

import json
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from mmhooks.errors import DeployError

MANIFEST = "plugin.json"

_LARGEST_MANIFEST = 1 << 20
"""Bytes: what is larger is no manifest."""

_ID = re.compile(r"[a-z0-9._-]{3,190}")
"""The rule of Mattermost's `plugin_valid.go`; servers lower the letters first."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, with what its manifest says."""

    path: Path
    id: str
    version: str
    size: int
    """Bytes."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Look into a bundle. What is none raises `DeployError`, which says why."""
        if not path.is_file():
            raise DeployError(f"{path}: there is no such file. `mmhooks bundle` makes bundles.")
        try:
            with tarfile.open(path, "r:gz") as archive:
                text = _manifest(archive)
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise DeployError(f"{path}: not a bundle, which is a .tar.gz file: {error}") from error
        if text is None:
            raise DeployError(f"{path}: not a bundle: no {MANIFEST} in it, neither at the top nor in a folder there.")
        manifest = _parsed(text, f"{MANIFEST} of {path}")
        return cls(path, manifest["id"], str(manifest.get("version", "")), path.stat().st_size)


def newest(folder: Path) -> Path:
    """The bundle in `dist` of a folder that was made last."""
    found = sorted(folder.glob("dist/*.tar.gz"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise DeployError(f"There is no bundle in {folder / 'dist'}: `mmhooks bundle` makes one.")
    return found[-1]


def checked_id(text: str) -> str:
    """A plugin's id as servers know it; `DeployError` for what cannot be one."""
    if not _ID.fullmatch(text.lower()):
        raise DeployError(f"{text}: not the id of a plugin: expected one such as com.example.hello")
    return text.lower()


def id_in(folder: Path) -> str:
    """The id of the plugin in a folder: that of its `plugin.json`, or else of its newest bundle."""
    manifest = folder / MANIFEST
    try:
        if manifest.is_file():
            return str(_parsed(manifest.read_bytes(), str(manifest))["id"])
        return Bundle.read(newest(folder)).id
    except (DeployError, OSError) as error:
        raise DeployError(f"Which plugin? Name its id, as in com.example.hello. (Not found here: {error})") from error


def _manifest(archive: tarfile.TarFile) -> bytes | None:
    for member in archive:
        parts = PurePosixPath(member.name).parts  # "./plugin.json" is ("plugin.json",)
        if parts[-1:] == (MANIFEST,) and len(parts) <= 2 and member.isfile():
            file = archive.extractfile(member)
            return file.read(_LARGEST_MANIFEST) if file else None
    return None


def _parsed(text: bytes, name: str) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise DeployError(f"{name}: not JSON: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("id"), str):
        raise DeployError(f'{name}: no id in it: expected {{"id": "com.example.hello", …}}')
    return {**manifest, "id": checked_id(manifest["id"])}
