"""Result: what a call of a hook came to, to assert on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from mmhooks.errors import AppError, CallError
from mmhooks.models import Post
from mmhooks.outcomes import Outcome, Rejected, Unchanged

T = TypeVar("T")


class UnreturnedEdit(UserWarning):
    """A handler edited its argument and returned None: a server would keep the original."""


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
