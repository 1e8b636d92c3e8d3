"""The numbers in force when nobody sets any, and the variables by which somebody may.

They stand apart from `mmhooks.config` so that they can be had without loading pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LONGEST_TIMEOUT = 86_400.0
"""Seconds of a deadline at most, a day: beyond it somebody has written milliseconds."""

MOST_THREADS = 1024


class Limits(NamedTuple):
    """What the core needs of the runtime configuration."""

    hook_timeout: float = 30.0
    """Seconds for one call of a hook: what a Mattermost server allows over gRPC."""
    threads: int = 64
    """Sync handlers that may run at the same time."""
    max_message_size: int | None = None
    """Bytes of one message, None for no limit: a file above a limit would pass a plugin that scans uploads unseen,
    because the server goes on as if the plugin were absent."""
    log_level: str = "INFO"
    """The least level that is sent to the server, which filters by its own besides."""


VARIABLES: dict[str, tuple[str, ...]] = {
    "hook_timeout": ("MATTERMOST_PLUGIN_HOOK_TIMEOUT",),
    "threads": ("MMHOOKS_THREADS",),
    "max_message_size": ("MMHOOKS_MAX_MESSAGE_SIZE",),
    "log_level": ("MATTERMOST_PLUGIN_LOG_LEVEL", "MATTERMOST_LOG_LEVEL"),
}
"""The variables whose text has to be checked, by the limit they set; the first that is set counts."""


def needs_checking(environ: Mapping[str, str]) -> bool:
    """Whether any variable is set that pydantic has to check."""
    return any(environ.get(variable) for variables in VARIABLES.values() for variable in variables)
