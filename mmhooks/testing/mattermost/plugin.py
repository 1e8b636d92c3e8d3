"""What the server needs of a plugin, whatever way it is reached."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from mmhooks.changes import changes, merged
from mmhooks.hooks import Hook
from mmhooks.outcomes import Outcome, Replaced
from mmhooks.testing.client import TestClient
from mmhooks.testing.results import LostChange


class Plugin(Protocol):
    """A plugin that is loaded. Its hooks are called in any thread, several at once."""

    @property
    def hooks(self) -> Collection[str]:
        """The hooks that it has, by their canonical names."""

    def call(self, hook: Hook, arguments: Sequence[object]) -> tuple[Outcome, Sequence[UserWarning]]:
        """Call a hook and wait for what comes of it.

        Arguments are in the table's order; the plugin gets copies. Result: the outcome, in which failures are `Failed`, and
        what the plugin's author should be told. Raises nothing that the plugin does.
        """


class InProcess:
    """A plugin in this process, by its test client."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.hooks = frozenset(client.implemented_hooks())
        """See `Plugin`."""

    def call(self, hook: Hook, arguments: Sequence[object]) -> tuple[Outcome, Sequence[UserWarning]]:
        """See `Plugin`. What a released server cannot be told of an answer is not in the outcome either."""
        outcome, slips = self._client.ask(hook, arguments)
        if isinstance(outcome, Replaced) and any(isinstance(slip, LostChange) for slip in slips):
            before = next(argument for argument in arguments if type(argument) is type(outcome.value))
            outcome = Replaced(merged(before, changes(before, outcome.value).attributes))  # type: ignore[arg-type]
        return outcome, slips
