"""Shows that a bundle runs: unpacks it as a server does, and starts it by the real handshake."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mmhooks.bundle import archive
from mmhooks.bundle.targets import here
from mmhooks.errors import BundleError
from mmhooks.hosts.handshake import Host as Wire
from mmhooks.testing.process import PluginProcess, Program, StartFailed

_NOBODY = "nobody"
"""The user as whom root tries a bundle: it may read what everybody may, and write nothing."""


_NAMES: dict[Wire, str] = {"netrpc": "net/rpc", "grpc": "gRPC"}


def check(file: Path, say: Callable[[str], None]) -> None:
    """Start a bundle over each wire that it has, in a folder that cannot be written to, with an empty environment but for
    `PATH`; where the caller is root as another user.

    Arguments:
        file: the bundle.
        say: is told what happens.

    Raises `BundleError` when it does not start, with what the plugin said.
    """
    environ = {"PATH": os.environ.get("PATH", os.defpath)}
    with unpacked(file) as root:
        user = _other_user()
        if user is not None and not _can_run(user, root, environ):
            say(f"the user {_NOBODY} can reach no Python, or not {root.parent}: checked as root")
            user = None
        whom = f", as the user {_NOBODY}" if user else ""
        for wire in wires(root):
            began = time.monotonic()
            try:
                process = PluginProcess(program(root, wire, environ, user), wire)
            except StartFailed as error:
                raise BundleError([f"the bundle does not start over {_NAMES[wire]}{whom}:", str(error)]) from None
            took = time.monotonic() - began
            answers = process.ping()
            # The launcher serves its host even when the plugin cannot be imported, and then ends with another status.
            if process.stop() != 0:
                told = [text for line in process.log for text in (line.message, *map(str, line.fields.values()))]
                raise BundleError([f"the bundle starts over {_NAMES[wire]}{whom}, and the plugin does not:", *told])
            if not answers:
                raise BundleError(
                    [f"the bundle starts over {_NAMES[wire]}{whom}, and does not answer the server's ping"]
                )
            say(f"starts over {_NAMES[wire]} in {took:.2f} s{whom}")


@contextlib.contextmanager
def unpacked(file: Path) -> Iterator[Path]:
    """The plugin's folder as a server has it, in which nobody may write."""
    temporary = Path(tempfile.mkdtemp(prefix="mmhooks-check-"))
    try:
        root = archive.unpack(file, temporary)
        for folder in [temporary, *(path for path in temporary.rglob("*") if path.is_dir())]:
            folder.chmod(0o555)
        yield root
    finally:
        for folder in [temporary, *(path for path in temporary.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
        shutil.rmtree(temporary)


def wires(root: Path) -> list[Wire]:
    """The wires that an unpacked bundle has: gRPC only where its libraries are there."""
    has_grpc = any((root / "server" / "lib").glob("*/grpc/__init__.py"))
    return ["netrpc", "grpc"] if has_grpc else ["netrpc"]


def program(root: Path, wire: Wire, environ: Mapping[str, str], user: tuple[int, int] | None = None) -> Program:
    """How a server starts an unpacked bundle: a released one as a program, from its own working directory; the gRPC host
    by the Python on the `PATH`, from the plugin's folder."""
    server = archive.manifest_of(root)["server"]
    executable = server.get("executables", {}).get(here().platform) or server["executable"]
    if wire == "netrpc" or not executable.endswith(".py"):
        return Program(root / executable, [root / executable], Path("/"), environ, user)
    by_path = ["/bin/sh", "-c", 'exec python3 "$0"', executable]  # that user's: not all on the PATH may be open to it
    return Program(root / executable, by_path, root, environ, user)


def _other_user() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(_NOBODY)
    except KeyError:
        return None
    return found.pw_uid, found.pw_gid


def _can_run(user: tuple[int, int], root: Path, environ: Mapping[str, str]) -> bool:
    """Whether a user gets at an unpacked bundle and, where the bundle has none, at some Python."""
    look = _READS if (root / "server" / "standalone").exists() else f"{_READS} && {_FINDS_PYTHON}"
    try:
        looked = subprocess.run(
            ["/bin/sh", "-c", look, str(root / "plugin.json")],
            cwd="/",
            env=environ,
            user=user[0],
            group=user[1],
            extra_groups=[],
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return False  # in a container that has no other users
    return looked.returncode == 0


_READS = 'test -r "$0"'
_FINDS_PYTHON = (
    "for python in python3 python3.14 python3.13 python3.12 python3.11; do "
    '"$python" -I -S -c "" && exit 0; done 2>/dev/null; exit 1'
)
