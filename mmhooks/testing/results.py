"""Result: what a call of a hook came to, to assert on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mmhooks.changes import MERGED, advice, changes, plain_changes, snapshot
from mmhooks.errors import AppError, CallError, NotImplementedByPlugin
from mmhooks.hooks import Hook, HookName, Kind
from mmhooks.models import Post
from mmhooks.outcomes import Failed, Outcome, Rejected, Replaced, Unchanged, Value, app_error, fits

T = TypeVar("T")


class UnreturnedEdit(UserWarning):
    """A handler edited its argument and returned None: a server would keep the original."""


class LostChange(UserWarning):
    """A handler removed something from the model that it returned, in a way of which released servers cannot be told."""


@dataclass(frozen=True)
class Result(Generic[T]):
    """What a server goes on with after a hook."""

    hook: str
    """The hook's name."""
    outcome: Outcome | None
    """What the handler decided; None when it failed."""
    value: T | None
    """What the server goes on with: the value that was returned; for filters the model that is stored or sent, changed or
    as it was; None when there is no such thing, or it was rejected."""
    error: CallError | AppError | None = None
    """How the handler failed, as a host is told; None when it did not. Hooks that may fail give an `AppError`."""

    @property
    def rejected(self) -> bool:
        """Whether the server refuses what was about to happen."""
        return isinstance(self.outcome, Rejected)

    @property
    def reason(self) -> str | None:
        """Why it was rejected; None when it was not."""
        return self.outcome.reason if isinstance(self.outcome, Rejected) else None

    @property
    def unchanged(self) -> bool:
        """Whether things go on as if the plugin were absent: it had nothing to say, or failed where nobody is told."""
        return isinstance(self.outcome, Unchanged) or (self.outcome is None and not isinstance(self.error, AppError))

    @property
    def post(self) -> Post | None:
        """The post that is stored; None when it was rejected. Only for hooks about one post."""
        if self.value is not None and not isinstance(self.value, Post):
            raise AttributeError(f"the result of {self.hook} has no post; its value is a {type(self.value).__name__}")
        return self.value


def ordered(hook: Hook, arguments: dict[str, Any]) -> list[Any]:
    """Arguments in the table's order, None for those left out. Raises `TypeError` for a name that the hook lacks, and
    for a value of another type."""
    if hook.has_streams:
        raise NotImplementedByPlugin(f"{hook.name} takes streams, which this client does not make", hook=hook.name)
    names = [parameter.name for parameter in hook.parameters]
    if unknown := [name for name in arguments if name not in names]:
        raise TypeError(f"{hook.name} has no parameter {', '.join(map(repr, unknown))}; it takes {hook.signature}")
    for name, type_ in hook.parameters:
        if (value := arguments.get(name)) is not None and not fits(type_, value):
            raise TypeError(f"{hook.name}: {name} takes {type_}, not {value!r}")
    return [arguments.get(name) for name in names]


def result(hook: Hook, outcome: Outcome, arguments: list[Any]) -> Result[Any]:
    """The result of a call for the one who asked."""
    if isinstance(outcome, Failed):
        return failed(hook, outcome.error, arguments)
    value = outcome.value if isinstance(outcome, Replaced | Value) else None
    if isinstance(outcome, Unchanged):
        value = _kept(hook, arguments)
    return Result(hook.name, outcome, value)


def failed(hook: Hook, error: CallError, arguments: list[Any]) -> Result[Any]:
    """The result of a call that failed: the server goes on as if the plugin were absent, or tells who caused it."""
    if hook.kind.tells_errors:
        return Result(hook.name, None, None, app_error(error))
    return Result(hook.name, None, _kept(hook, arguments), error)


def _kept(hook: Hook, arguments: list[Any]) -> Any:
    """What the server goes on with when a plugin says nothing: the argument that could have been replaced."""
    if hook.kind is not Kind.FILTER and hook.name not in (
        HookName.MessagesWillBeConsumed,
        HookName.ConfigurationWillBeSaved,
    ):
        return None
    return next(
        value for parameter, value in zip(hook.parameters, arguments, strict=True) if parameter.name != "context"
    )


def lost_changes(hook: Hook, arguments: Sequence[Any], outcome: Outcome | AppError) -> str:
    """What to tell the author of a handler some of whose changes no released server can be told, if there are any.

    Arguments:
        arguments: as they were before the call, in the table's order.
    """
    if hook.name not in MERGED or not isinstance(outcome, Replaced):
        return ""
    for parameter, before in zip(hook.parameters, arguments, strict=True):
        if type(before) is type(outcome.value):
            noted = snapshot(before)
            if noted is not None and plain_changes(noted, outcome.value) is not None:
                return ""  # nothing but plain values, all of which can be told
            lost = changes(before, outcome.value).lost
            return advice(hook.name, lost, parameter.name) if lost else ""
    return ""
