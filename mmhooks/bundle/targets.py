"""Targets: the platform and the Python that a part of a bundle is made for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from mmhooks.errors import BundleError

OLDEST_GLIBC, NEWEST_GLIBC = 5, 28
"""Wheels for glibc 2.5 to 2.28 are taken: 2.28 is that of the oldest systems which Mattermost supports (RHEL 8)."""

OLDEST_MACOS, NEWEST_MACOS = 11, 13
"""Releases of macOS whose wheels are taken, besides those for 10.9 and later on Intel."""

MACHINES = {
    "linux-amd64": ("Linux", "x86_64"),
    "linux-arm64": ("Linux", "aarch64"),
    "darwin-amd64": ("Darwin", "x86_64"),
    "darwin-arm64": ("Darwin", "arm64"),
}
"""The platforms on which a Mattermost server runs plugins, by Go's names, with the system's and the machine's own."""

_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}


class Target(NamedTuple):
    """A platform by Go's name, `linux-amd64`, and a Python, `3.11`."""

    platform: str
    python: str

    def __str__(self) -> str:
        """The name of its folder in a bundle."""
        return f"{self.platform}-py{self.python}"

    @property
    def is_here(self) -> bool:
        """Whether it is this machine and this Python."""
        return self == here()

    @property
    def wheel_platforms(self) -> list[str]:
        """The platform tags of wheels that run there, the best first, as pip takes them by `--platform`."""
        system, machine = MACHINES[self.platform]
        return [*(_manylinux(machine) if system == "Linux" else _macos(machine))]

    @property
    def markers(self) -> dict[str, str]:
        """What requirements may ask for behind a semicolon, such as `python_version < "3.12"`."""
        system, machine = MACHINES[self.platform]
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": system,
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": system.lower(),
        }


def here() -> Target:
    """This machine and this Python. Raises `BundleError` where no server runs plugins."""
    system = os.uname()
    for platform, names in MACHINES.items():
        if names == (system.sysname, system.machine):
            return Target(platform, f"{sys.version_info.major}.{sys.version_info.minor}")
    raise BundleError([f"no Mattermost server runs on {system.sysname} {system.machine}: {_expected_platforms()}"])


def targets(platforms: str = "", pythons: str = "") -> list[Target]:
    """The targets that two lists with commas mean, each pair once.

    Arguments:
        platforms: `linux-amd64,linux-arm64`; this machine's if it is empty.
        pythons: `3.11,3.12`; this Python if it is empty.

    Raises `BundleError` with every name that cannot be used.
    """
    found = [*_names(platforms)] or [here().platform]
    versions = [*_names(pythons)] or [here().python]
    faults = [f"--platform {name}: {_expected_platforms()}" for name in found if name not in MACHINES]
    for version in versions:
        number = re.fullmatch(r"3\.(\d+)", version)
        if number is None:
            faults.append(f"--python {version}: expected a version such as 3.11, or several with commas")
        elif int(number[1]) < 11:
            faults.append(f"--python {version}: mmhooks needs Python 3.11 or newer")
    if faults:
        raise BundleError(faults)
    return [Target(platform, version) for platform in found for version in versions]


def _names(text: str) -> Iterator[str]:
    yield from dict.fromkeys(part.strip() for part in text.split(",") if part.strip())


def _expected_platforms() -> str:
    return f"expected one of {', '.join(MACHINES)}, or several with commas"


def _manylinux(machine: str) -> Iterator[str]:
    for minor in range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{minor}_{machine}"
        if minor in _LEGACY and (machine == "x86_64" or minor >= 17):
            yield f"{_LEGACY[minor]}_{machine}"


def _macos(machine: str) -> Iterator[str]:
    for release in range(NEWEST_MACOS, OLDEST_MACOS - 1, -1):
        yield from (f"macosx_{release}_0_{kind}" for kind in (machine, "universal2"))
    for minor in range(16, 8, -1):
        yield from (f"macosx_10_{minor}_{kind}" for kind in (machine, "universal2") if kind != "arm64")
