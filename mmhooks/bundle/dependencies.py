"""A plugin's dependencies: read from its folder, and installed by pip for each target, what was compiled apart."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import Distribution
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from mmhooks import __version__
from mmhooks.bundle import wheel
from mmhooks.bundle.manifest import Project, table_of
from mmhooks.bundle.targets import Target, here
from mmhooks.errors import BundleError

_UNREAD = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""Files of pip's own beside a distribution's metadata, which name places of this machine or differ from run to run."""

_ROUNDS = 6
"""How often pip is asked again for what it left out; more means that something is badly wrong."""


class Needs(NamedTuple):
    """What a plugin needs: requirements; or a file of them, of which `requirements` is what could be read."""

    requirements: tuple[Requirement, ...] = ()
    file: str = ""

    def arguments(self, target: Target) -> list[str]:
        """What to tell pip. Markers are looked at here, as pip looks at them for the Python that runs it."""
        if self.file:
            return ["-r", self.file]
        return [_unmarked(each) for each in self.requirements if _applies(each.marker, target, "")]


class Placed(NamedTuple):
    """A distribution in a bundle, and its folder below `lib`: a target's, or `any` for what is pure Python."""

    name: str
    version: str
    place: str


def read(project: Project) -> Needs:
    """What the folder says: `[project] dependencies` of its pyproject.toml, else its requirements.txt.

    Raises `BundleError` for what is no requirement, and where the plugin asks for another mmhooks than this one.
    """
    table, file = table_of(project.pyproject, "project"), project.folder / "requirements.txt"
    if "dependencies" in str(table.get("dynamic", "")):
        raise BundleError(['pyproject.toml: dependencies are "dynamic": write them out, or into requirements.txt'])
    if "dependencies" in table:
        needs = _of_pyproject(table["dependencies"])
    else:
        needs = _of_file(file) if file.is_file() else Needs()
    for each in needs.requirements:
        if canonicalize_name(each.name) == "mmhooks" and not each.specifier.contains(__version__, True):
            raise BundleError(
                [f"the plugin needs {each}, and this is mmhooks {__version__}: install the one that it needs"]
            )
    return needs


def check_pythons(project: Project, targets: Sequence[Target]) -> None:
    """Raise `BundleError` for every target that `[project] requires-python` leaves out."""
    text = table_of(project.pyproject, "project").get("requires-python", "")
    try:
        wanted = SpecifierSet(text)
    except (InvalidSpecifier, TypeError, AttributeError):
        raise BundleError(
            [f"pyproject.toml, [project] requires-python: expected as in >=3.11, found {text!r}"]
        ) from None
    # Any release of that version may be the server's: the last ones fit where any does.
    unfit = [target for target in targets if not wanted.contains(f"{target.python}.999")]
    if unfit:
        raise BundleError(
            [
                f"{target}: pyproject.toml, [project] requires-python is {text}: choose others by --python"
                for target in unfit
            ]
        )


def _of_pyproject(dependencies: object) -> Needs:
    if not isinstance(dependencies, list):
        raise BundleError([f"pyproject.toml, [project] dependencies: expected a list, found {dependencies!r}"])
    found, faults = [], []
    for text in dependencies:
        try:
            found.append(Requirement(text))
        except (InvalidRequirement, TypeError) as error:
            why = str(error).splitlines()[0] if isinstance(text, str) else "expected a text"
            faults.append(f"pyproject.toml, [project] dependencies: {text!r} is no requirement: {why}")
    if faults:
        raise BundleError(faults)
    return Needs(tuple(found))


def _of_file(file: Path) -> Needs:
    try:
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    except (OSError, ValueError) as error:
        raise BundleError([f"{file.name} cannot be read: {error}"]) from None
    if "--hash" in text:
        # pip would then want hashes of mmhooks, too, whose wheel is made here.
        raise BundleError([f"{file.name} has hashes, by which mmhooks itself could not be installed: write it without"])
    found = []
    for line in text.splitlines():
        try:
            found.append(Requirement(line.split(" #")[0].split(" --")[0].strip()))
        except InvalidRequirement:  # an option, an address, a comment: pip knows
            continue
    return Needs(tuple(found), file.name)


def install(
    needs: Needs, targets: Sequence[Target], lib: Path, folder: Path, say: Callable[[str], None], *, grpc: bool
) -> list[Placed]:
    """Install the plugin's dependencies, mmhooks, and what it needs itself.

    Arguments:
        needs: the plugin's dependencies.
        targets: what for.
        lib: the folder for it: `any` below it gets what is pure Python, `linux-amd64-py3.11` what was compiled.
        folder: the plugin's, to which paths among the requirements are relative.
        say: is told what happens.
        grpc: whether the gRPC host and its libraries are wanted.

    Raises `BundleError` with pip's own words.
    """
    placed: list[Placed] = []
    with tempfile.TemporaryDirectory(prefix="mmhooks-bundle-") as temporary:
        own = str(wheel.make(Path(temporary), grpc=grpc))
        for target in targets:
            say(f"dependencies for {target.platform}, Python {target.python} …")
            installed = Path(temporary) / str(target)
            _install([own, *needs.arguments(target)], needs.requirements, target, installed, folder, say)
            placed += [_place(each, installed, target, lib, placed) for each in _distributions(installed)]
            (lib / str(target)).mkdir(parents=True, exist_ok=True)  # by it the launcher knows what fits
    for file in sorted(lib.glob("*/*.pth")):
        say(f"  {file.name} is not read in a bundle: does what needs it work without?")
    return sorted(set(placed))


def _install(
    arguments: Sequence[str],
    wanted: Sequence[Requirement],
    target: Target,
    into: Path,
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Have pip install into a folder.

    pip looks at this Python's version and system where a requirement asks for certain ones, whatever it installs for. So
    what it left out is looked up, and asked for as well.
    """
    more: list[str] = []
    for _ in range(_ROUNDS):
        _pip([*arguments, *more], target, into, folder, say)
        missing = _missing(wanted, into, target)
        if not missing:
            return
        more += missing
    raise BundleError([f"dependencies for {target}: pip never installs {', '.join(missing)}"])


def _pip(arguments: Sequence[str], target: Target, into: Path, folder: Path, say: Callable[[str], None]) -> None:
    ran = _install_wheels(arguments, target, into, folder)
    if ran.returncode and target.is_here:
        # Something has no wheel that runs on all servers; on this machine it may be built.
        ran = _run_pip(["install", *_INTO, str(into), *arguments], folder)
        if not ran.returncode:
            say("  something was built on this machine: the bundle may need a server with a system as new")
    if ran.returncode:
        told = [line.strip() for line in ran.stderr.splitlines() if line.startswith("ERROR:")] or [ran.stderr.strip()]
        hint = ""
        if not target.is_here and "No matching distribution" in ran.stderr:
            hint = " (what has no wheel for it can be built only on such a machine)"
        raise BundleError(
            [f"the dependencies for {target.platform}, Python {target.python}, are not to be had{hint}:", *told]
        )


_NOT_FOR_PIP = ("PIP_DRY_RUN", "PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PIP_USER")
"""Variables that say where pip is to install; here it is told."""

_INTO = ("--no-compile", "--no-user", "--upgrade", "--target")


def _install_wheels(
    arguments: Sequence[str], target: Target, into: Path, folder: Path
) -> subprocess.CompletedProcess[str]:
    wheels = into.with_name(f"{into.name}-wheels")
    for earlier in (into, wheels):
        shutil.rmtree(earlier, ignore_errors=True)
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={target.python}"]
    options += [f"--platform={tag}" for tag in target.wheel_platforms]
    if target.python == here().python:
        return _run_pip(["install", *_INTO, str(into), *options, *arguments], folder)
    # `pip install` takes a distribution's Requires-Python for a matter of the Python that runs it; `pip download` does not.
    ran = _run_pip(["download", "--dest", str(wheels), *options, *arguments], folder)
    if ran.returncode:
        return ran
    found = sorted(map(str, wheels.iterdir()))
    return _run_pip(["install", *_INTO, str(into), *options, "--no-deps", "--ignore-requires-python", *found], folder)


def _run_pip(arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    fixed = ["--quiet", "--disable-pip-version-check", "--no-input"]
    command = [sys.executable, "-P", "-m", "pip", *arguments, *fixed]
    environ = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_PIP}
    ran = subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if "No module named pip" in ran.stderr:
        raise BundleError([f"{sys.executable} has no pip, which installs the dependencies: python -m ensurepip"])
    return ran


def _distributions(folder: Path) -> Iterator[Distribution]:
    found = importlib.metadata.distributions(path=[str(folder)])
    yield from sorted(found, key=lambda distribution: distribution.metadata["Name"])


def _missing(wanted: Sequence[Requirement], folder: Path, target: Target) -> list[str]:
    """What should be installed for the target, and is not."""
    there = {canonicalize_name(found.metadata["Name"]): found for found in _distributions(folder)}
    asked = [(each, "") for each in wanted]
    asked += [(Requirement(text), "") for found in there.values() for text in found.requires or []]
    seen: set[tuple[str, str]] = set()
    missing = set()
    while asked:
        requirement, extra = asked.pop()
        if (str(requirement), extra) in seen or not _applies(requirement.marker, target, extra):
            continue
        seen.add((str(requirement), extra))
        found = there.get(canonicalize_name(requirement.name))
        if found is None:
            missing.add(_unmarked(requirement))
            continue
        if not requirement.specifier.contains(found.version, prereleases=True):
            raise BundleError(
                [
                    f"dependencies for {target.platform}, Python {target.python}: {_unmarked(requirement)} is needed, and pip "
                    f"took {found.version}, as this is Python {here().python}: run mmhooks in Python {target.python} for it"
                ]
            )
        asked += [(Requirement(text), name) for name in requirement.extras for text in found.requires or []]
    return sorted(missing)


def _unmarked(requirement: Requirement) -> str:
    """A requirement as it is where its marker applies."""
    plain = Requirement(str(requirement))
    plain.marker = None
    return str(plain)


def _applies(marker: Marker | None, target: Target, extra: str) -> bool:
    return marker is None or marker.evaluate({**target.markers, "extra": extra})


def _place(distribution: Distribution, installed: Path, target: Target, lib: Path, placed: Sequence[Placed]) -> Placed:
    """Copy a distribution to where it belongs."""
    name, version = distribution.metadata["Name"], distribution.version
    found = Placed(name, version, "any" if _is_pure(distribution) else str(target))
    if found in placed:
        return found
    if any((each.name, each.place) == (name, "any") for each in placed):
        found = found._replace(place=str(target))  # another version than for the targets before
    for file in distribution.files or []:
        source = installed / file
        if ".." in file.parts or file.parts[0] == "bin" or not source.is_file():
            continue  # programs for a shell, which name this machine's Python
        if file.parent.name.endswith(".dist-info") and file.name in _UNREAD:
            continue
        goal = lib / found.place / file
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, goal)
        goal.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    return found


def _is_pure(distribution: Distribution) -> bool:
    tags = [line for line in (distribution.read_text("WHEEL") or "").splitlines() if line.startswith("Tag:")]
    return bool(tags) and all(tag.endswith("-none-any") for tag in tags)
