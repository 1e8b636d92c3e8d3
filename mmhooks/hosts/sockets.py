"""Where a plugin listens: a unix socket, to which nobody else on the machine can connect, or a port where that cannot be."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping

LONGEST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a unix socket's path that the system takes."""


def path_in(folder: str) -> str:
    """A path for this process's socket."""
    return os.path.join(folder, f"plugin-{os.getpid()}")


def unix_socket(environ: Mapping[str, str]) -> tuple[socket.socket, str] | None:
    """A listening unix socket and its path, None where there cannot be one.

    It stands in the folder that go-plugin hosts name by `PLUGIN_UNIX_SOCKET_DIR`, else in the one for temporary files;
    `PLUGIN_UNIX_SOCKET_GROUP` is the group, by name or number, that may use it besides this user.
    """
    path = path_in(environ.get("PLUGIN_UNIX_SOCKET_DIR") or environ.get("TMPDIR") or "/tmp")
    listening = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        if os.path.exists(path):  # of a process that had our number and could not tidy up
            os.unlink(path)
        listening.bind(path)
        group = environ.get("PLUGIN_UNIX_SOCKET_GROUP")
        if group:
            shutil.chown(path, group=int(group) if group.isdecimal() else group)
            os.chmod(path, 0o660)
        listening.listen(1)
    except (OSError, LookupError):
        listening.close()
        return None
    finally:
        os.umask(mask)
    return listening, path
