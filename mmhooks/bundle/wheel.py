"""A wheel of the mmhooks that runs here, without what only its authors' side needs: pip installs it like all else."""

from __future__ import annotations

import importlib.metadata
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mmhooks import __version__

AUTHORS_SIDE = ("bundle", "cli", "deploy", "testing")
"""Packages below mmhooks that a plugin on a server has no use for."""

GRPC_ONLY = ("grpcio", "grpcio-health-checking", "protobuf")
"""What only the gRPC host needs."""


def make(folder: Path, *, grpc: bool) -> Path:
    """Write the wheel into a folder.

    Arguments:
        folder: where.
        grpc: False leaves the gRPC host out, and the libraries that only it needs.

    Result: its file.
    """
    info = f"mmhooks-{__version__}.dist-info"
    file = folder / f"mmhooks-{__version__}-py3-none-any.whl"
    package = Path(__file__).parents[1]
    left_out = {package / name for name in AUTHORS_SIDE} | (set() if grpc else {package / "hosts" / "grpc"})
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as wheel:
        names = []
        for source in sorted(package.rglob("*")):
            if source.is_file() and "__pycache__" not in source.parts and left_out.isdisjoint(source.parents):
                names.append(f"mmhooks/{source.relative_to(package).as_posix()}")
                wheel.write(source, names[-1])
        wheel.writestr(f"{info}/METADATA", "".join(f"{line}\n" for line in _metadata(grpc=grpc)))
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        names += [f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"]
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names))
    return file


def _metadata(*, grpc: bool) -> Iterator[str]:
    found = importlib.metadata.metadata("mmhooks")
    yield "Metadata-Version: 2.1"
    yield from (f"{key}: {found[key]}" for key in ("Name", "Version", "Summary", "License-Expression") if key in found)
    for text in found.get_all("Requires-Dist") or []:
        requirement = Requirement(text)
        is_extra = requirement.marker is not None and "extra" in str(requirement.marker)
        if not is_extra and (grpc or canonicalize_name(requirement.name) not in GRPC_ONLY):
            yield f"Requires-Dist: {text}"
