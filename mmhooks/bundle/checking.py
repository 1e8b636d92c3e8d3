"""Shows that a bundle runs: unpacks it as a server does, and starts it by the real handshake."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mmhooks.bundle import archive
from mmhooks.bundle.targets import here
from mmhooks.errors import BundleError
from mmhooks.hosts import ahead
from mmhooks.hosts.handshake import Host as Wire
from mmhooks.testing.process import PluginProcess, Program, StartFailed

_NOBODY = "nobody"
"""The user as whom root tries a bundle: it may read what everybody may, and write nothing."""


def check(file: Path, say: Callable[[str], None]) -> None:
    """Start a bundle over each wire that it has, in a folder that cannot be written to, with an empty environment but for
    `PATH`; where the caller is root as another user.

    Arguments:
        file: the bundle.
        say: is told what happens.

    Raises `BundleError` when it does not start, with what the plugin said.
    """
    with unpacked(file) as root:
        for wire in wires(root):
            began = time.monotonic()
            process = start(root, wire)
            took = time.monotonic() - began
            try:
                _judge(process, wire)
            finally:
                process.stop()
            say(f"starts over {_NAMES[wire]} in {took:.2f} s{_as_whom()}")


_NAMES: dict[Wire, str] = {"netrpc": "net/rpc", "grpc": "gRPC"}


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
    """The wires that an unpacked bundle has: gRPC only where its libraries are there, and Python is the server's."""
    has_grpc = any((root / "server" / "lib").glob("*/grpc/__init__.py"))
    return ["netrpc", "grpc"] if has_grpc else ["netrpc"]


def program(root: Path, wire: Wire, environ: Mapping[str, str]) -> Program:
    """How a server starts an unpacked bundle: a released one as a program, from its own working directory; the gRPC host
    by the Python on the `PATH`, from the plugin's folder."""
    server = archive.manifest_of(root)["server"]
    executable = server.get("executables", {}).get(here().platform) or server["executable"]
    user = _other_user()
    if wire == "netrpc" or not executable.endswith(".py"):
        return Program(root / executable, [root / executable], Path("/"), environ, user)
    by_path = ["/bin/sh", "-c", 'exec python3 "$0"', executable]  # that user's: not all on the PATH may be open to it
    return Program(root / executable, by_path, root, environ, user)


def start(root: Path, wire: Wire) -> PluginProcess:
    """Start an unpacked bundle. Raises `BundleError`."""
    try:
        return PluginProcess(program(root, wire, {"PATH": os.environ.get("PATH", os.defpath)}), wire)
    except StartFailed as error:
        raise BundleError([f"the bundle does not start over {_NAMES[wire]}{_as_whom()}:", str(error)]) from None


def _judge(process: PluginProcess, wire: Wire) -> None:
    """The launcher answers its host even when the plugin cannot be imported: then the log says so."""
    failed = [line for line in process.log if any(text in line.message for text in ahead.FAILURES)]
    if failed:
        told = [text for line in failed for text in (line.message, *map(str, line.fields.values()))]
        raise BundleError([f"the bundle starts over {_NAMES[wire]}{_as_whom()}, and the plugin does not:", *told])
    if not process.ping():
        raise BundleError([f"the bundle starts over {_NAMES[wire]}, and does not answer the server's ping"])


def _other_user() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(_NOBODY)
    except KeyError:
        return None
    return found.pw_uid, found.pw_gid


def _as_whom() -> str:
    return f", as the user {_NOBODY}" if _other_user() else ""
