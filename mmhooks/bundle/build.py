"""From a plugin's folder to its bundle.

The bundle is the folder as it is, without what is for development only, and beside it `server/`: the launcher, which is
what servers start, and the libraries. So what a plugin finds by the path of its own files is where it was.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from mmhooks.bundle import archive, bytecode, contents, dependencies, inspection, manifest, standalone
from mmhooks.bundle.dependencies import Placed
from mmhooks.bundle.targets import Target, here
from mmhooks.errors import BundleError

LIB = "server/lib"

T = TypeVar("T")


class Part(NamedTuple):
    """A part of a bundle, for people: what it is, its bytes when it is unpacked, and its folder below `lib` if it is
    libraries."""

    what: str
    size: int
    place: str


class Bundle(NamedTuple):
    """A bundle that was made."""

    file: Path
    manifest: dict[str, Any]
    hooks: list[str]
    libraries: list[Placed]
    parts: list[Part]


class _Plan(NamedTuple):
    """What is to be bundled; all faults of the folder have been found by then."""

    folder: Path
    manifest: dict[str, Any]
    hooks: list[str]
    needs: dependencies.Needs
    files: list[str]


def describe(folder: Path) -> dict[str, Any]:
    """The manifest as the bundle would have it. Raises `BundleError` with all faults of the folder."""
    return _plan(folder, []).manifest


def build(
    folder: Path,
    targets: Sequence[Target],
    *,
    grpc: bool = True,
    with_python: bool = False,
    say: Callable[[str], None],
) -> Bundle:
    """Make the bundle, `dist/<id>-<version>.tar.gz` in the plugin's folder.

    Arguments:
        folder: the plugin's.
        targets: the platforms and Pythons that it is for.
        grpc: False leaves out what only the gRPC host needs.
        with_python: pack Python, too; then there is one target, and it is this machine and this Python.
        say: is told what happens, a line a time.

    Raises `BundleError`.
    """
    if with_python:
        standalone.check()
        if [*targets] != [here()]:
            raise BundleError([f"--standalone packs the Python that runs here, so it can be for {here()} only"])
    plan = _plan(folder, targets)
    with tempfile.TemporaryDirectory(prefix="mmhooks-bundle-") as temporary:
        stage = Path(temporary)
        contents.copy(folder, plan.files, stage)
        libraries = dependencies.install(plan.needs, targets, stage / LIB, folder, say, grpc=grpc)
        if with_python:
            say("Python itself …")
            standalone.add(stage)
            plan.manifest["server"] = {"executables": {here().platform: standalone.PROGRAM}}
        else:
            plan.manifest["server"] = {"executable": manifest.LAUNCHER if grpc else manifest.LAUNCHER_NETRPC}
            launcher = stage / plan.manifest["server"]["executable"]
            shutil.copyfile(Path(__file__).with_name("launcher.py"), launcher)
            launcher.chmod(0o755)
        _compile(stage, targets, plan.files, say)
        text = json.dumps(plan.manifest, indent=2, ensure_ascii=False)
        (stage / "plugin.json").write_text(f"{text}\n", encoding="utf-8")
        name = f"{plan.manifest['id']}-{plan.manifest['version']}"
        file = folder / "dist" / f"{name}.tar.gz"
        say("packing …")
        try:
            archive.write(stage, file, plan.manifest["id"])
        except OSError as error:
            raise BundleError([f"{file} cannot be written: {error}"]) from error
        return Bundle(file, plan.manifest, plan.hooks, libraries, _parts(stage, targets))


def _plan(folder: Path, targets: Sequence[Target]) -> _Plan:
    project = manifest.read(folder)
    faults: list[str] = []

    def attempt(function: Callable[[], T], otherwise: T) -> T:
        try:
            return function()
        except BundleError as error:
            faults.extend(error.faults)
            return otherwise

    nothing = inspection.About([], None)
    about = attempt(lambda: inspection.inspect(folder), nothing)
    needs = attempt(lambda: dependencies.read(project), dependencies.Needs())
    attempt(lambda: dependencies.check_pythons(project, targets), None)
    made = manifest.complete(project.manifest, about.hooks, about.settings_schema)
    broken = manifest.check(made, project)
    faults += broken
    keep = [] if broken else manifest.paths(made)
    no_files: list[str] = []
    files = attempt(lambda: contents.find(folder, project.exclude, keep), no_files)
    if faults:
        raise BundleError(faults)
    return _Plan(folder, made, about.hooks, needs, files)


def _compile(stage: Path, targets: Sequence[Target], own: Sequence[str], say: Callable[[str], None]) -> None:
    for version in dict.fromkeys(target.python for target in targets):
        python = bytecode.python_for(version)
        if python is None:
            say(f"no Python {version} here, so there is no byte-code for it: the plugin will start more slowly there")
            continue
        say(f"byte-code for Python {version} …")
        places = [f"{LIB}/any", *(f"{LIB}/{target}" for target in targets if target.python == version)]
        files = [path.relative_to(stage).as_posix() for place in places for path in (stage / place).rglob("*.py")]
        mine = [path for path in own if path.endswith(".py")]
        bytecode.compile_files(python, stage, sorted([*files, *mine]), mine)


def _parts(stage: Path, targets: Sequence[Target]) -> list[Part]:
    """Each file counts for the part with the longest prefix that its path has."""
    parts = {
        "": ("your files", ""),
        manifest.LAUNCHER_NETRPC: ("launcher", ""),
        f"{standalone.FOLDER}/": ("Python", ""),
        f"{LIB}/any/mmhooks": ("mmhooks", ""),
        f"{LIB}/any/": ("libraries in Python", "any"),
    }
    for target in targets:
        parts[f"{LIB}/{target}/"] = (f"libraries for {target.platform}, Python {target.python}", str(target))
    sizes = dict.fromkeys(parts, 0)
    for path in stage.rglob("*"):
        if path.is_file():
            name = path.relative_to(stage).as_posix()
            sizes[max(filter(name.startswith, parts), key=len)] += path.stat().st_size
    return [Part(what, sizes[prefix], place) for prefix, (what, place) in parts.items()]
