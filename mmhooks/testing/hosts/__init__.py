"""The embedded hosts: a peer for each wire, loaded when it is first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, get_args

from mmhooks.errors import AppError
from mmhooks.hosts.handshake import Host as Wire
from mmhooks.outcomes import Outcome

DEFAULT: Wire = "netrpc"
"""What every released server speaks."""


API = Callable[[str, Sequence[Any]], Any]
"""Answers a method of the plugin API by its name and its arguments, in Go's order: with what it gives besides its error, which
is raised. It is called in threads, several at once, and may call hooks of the plugin meanwhile. `UnsupportedByHost` says that
there is no such method."""


class Unreachable(Exception):
    """A plugin that has shaken hands does not answer; the text says what was tried."""


class Gone(Exception):
    """The connection to the plugin is lost."""


class Host(Protocol):
    """A host's connection to one plugin. The calls wait, and may come from any thread."""

    wire: Wire
    start_timeout: float
    """Seconds that a server gives for the handshake."""
    patience: float
    """Seconds that a call takes at most, unless it says otherwise."""

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment for a plugin, made of the caller's: it must take this one for its host."""

    def connect(self, network: str, address: str, printed: Callable[[str], None]) -> list[str]:
        """Connect to where the handshake says.

        Arguments:
            network: "unix" or "tcp".
            address: a path, or host and port.
            printed: is given what the plugin prints, from a thread.

        Result: the hooks that it says it has. Raises `Unreachable`.
        """

    def call(self, name: str, arguments: Sequence[Any], timeout: float) -> Outcome | AppError:
        """Call a hook; see `PluginProcess.call`. Raises `CallError`, and `Gone`."""

    def ping(self, timeout: float) -> bool:
        """Whether the plugin says that it is well."""

    def shutdown(self, timeout: float) -> None:
        """Ask the process to end; it may not answer."""

    def close(self, timeout: float) -> None:
        """Hang up, once all that the ended process has printed has come. May come without a `connect`, or after one
        that failed."""


def make(wire: str, api: API | None = None) -> Host:
    """The embedded host for a wire, with a plugin API if there is one. Raises `ValueError` for an unknown wire."""
    check(wire)
    host: Host = importlib.import_module(f"mmhooks.testing.hosts.{wire}").EmbeddedHost(api)
    return host


def check(wire: str) -> None:
    """Raises `ValueError` for an unknown wire."""
    if wire not in get_args(Wire):
        raise ValueError(f"host: found {wire!r}, expected {' or '.join(map(repr, get_args(Wire)))}")
