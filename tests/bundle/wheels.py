"""Small distributions, made on the spot, that pip finds in a folder."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

_BACKEND = """
import pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "{name}-{version}"
    with zipfile.ZipFile(pathlib.Path(folder, f"{{name}}-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("{name}.py", "built = True")
        wheel.writestr(f"{{name}}.dist-info/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(f"{{name}}.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{{name}}.dist-info/RECORD", "{name}.py,,\\n")
    return f"{{name}}-py3-none-any.whl"
"""


def wheel(
    folder: Path, name: str, version: str = "1.0", headers: str = "", files: Mapping[str, str] | None = None
) -> None:
    """A wheel in pure Python with one module of its name.

    Arguments:
        headers: further lines of its metadata, such as `Requires-Dist: other`.
        files: further files.
    """
    info = f"{name}-{version}.dist-info"
    content = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{headers}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **(files or {}),
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as made:
        for path, text in content.items():
            made.writestr(path, text)
        made.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"]))


def source(folder: Path, name: str, version: str = "1.0") -> None:
    """A distribution that has no wheel, and builds one without needing anything."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": _BACKEND.format(name=name, version=version),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as made:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text)
            made.addfile(member, io.BytesIO(text.encode()))
