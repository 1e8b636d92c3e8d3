"""The table of methods: Mattermost's name for one, and the function here that answers it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from mmhooks.errors import UnsupportedByHost
from mmhooks.models import Context, Model

NOBODY = Context()
"""Who causes what a plugin does by its API: all fields are empty."""

F = TypeVar("F", bound=Callable[..., Any])


class Method(NamedTuple):
    """A method of the plugin API. Its function takes the server and the method's arguments, in Go's order, which are the
    server's own copies."""

    function: Callable[..., Any]
    fires: bool
    """Whether hooks may run within it, so that it takes the lock itself, and leaves it in between."""


_METHODS: dict[str, Method] = {}

_AREAS = (
    "bots",
    "channel_members",
    "channels",
    "command_calls",
    "commands",
    "config",
    "emoji",
    "ephemeral",
    "files",
    "groups",
    "kv",
    "logs",
    "notices",
    "permissions",
    "plugins",
    "post_lists",
    "posts",
    "preferences",
    "reactions",
    "sessions",
    "statuses",
    "team_members",
    "teams",
    "users",
)


def answers(name: str, *, fires: bool = False) -> Callable[[F], F]:
    """Register a function as the answer to a method."""

    def register(function: F) -> F:
        assert name not in _METHODS, name
        _METHODS[name] = Method(function, fires)
        return function

    return register


def refuse_fields(method: str, options: Model, *fields: str) -> None:
    """Raises `UnsupportedByHost` when one of some fields is set, which the in-memory server does not look at."""
    usual = type(options)()
    for name in fields:
        if getattr(options, name) != getattr(usual, name):
            raise UnsupportedByHost(
                f"{method}: the in-memory Mattermost does not look at {type(options).__name__}.{name}: give the method an "
                f"answer, mattermost.answer({method!r}, …)"
            )


def methods() -> dict[str, Method]:
    """Every method that the in-memory server does itself, by Mattermost's name."""
    for area in _AREAS:
        importlib.import_module(f"mmhooks.testing.mattermost.areas.{area}")
    return _METHODS
