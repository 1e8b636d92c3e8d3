"""Leads ExecuteCommand to the command that was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmhooks.binding import Handler
from mmhooks.commands.command import HOOK, Command, ephemeral
from mmhooks.commands.table import HELP, Table
from mmhooks.hooks import HookName
from mmhooks.outcomes import Outcome, Value

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI, PluginAPI
    from mmhooks.dispatch import Dispatcher, Running


class Router:
    """The handler of ExecuteCommand for an app that has commands.

    Arguments:
        table: the commands.
        own: the author's handlers: that of ExecuteCommand gets what no command takes.
        api: gives the plugin API for sync functions, by which users and channels are found.
        async_api: the same for async ones.
    """

    def __init__(
        self,
        table: Table,
        own: Mapping[str, Handler],
        api: Callable[[], PluginAPI],
        async_api: Callable[[], AsyncPluginAPI],
    ) -> None:
        self._table = table
        self._own = own
        self._api = api
        self._async_api = async_api
        self._handlers: dict[Command, Handler] = {}
        everything = frozenset(range(len(HOOK.parameters)))
        self.handler = Handler(HOOK, self.route, _routed, everything, is_async=False, route=self.route)

    def route(
        self,
        dispatcher: Dispatcher,
        handler: Handler,
        arguments: Sequence[Any],
        done: Callable[[Outcome], None],
        timeout: float | None,
    ) -> Running | None:
        """See `Handler.route`."""
        line = arguments[1].command if arguments[1] is not None else ""
        node, rest = self._table.find(line)
        if node is None:
            own = self._own.get(HookName.ExecuteCommand)
            if own is not None:
                return dispatcher.run(own, arguments, done, timeout)
            text = self._table.unknown(line)
        elif rest.strip().lower() in (HELP, f"--{HELP}"):
            text = node.help()
        elif node.command is not None and node.takes(rest):
            return dispatcher.start(self._handler(node.command), arguments, done, timeout)
        else:
            text = node.unknown(rest)
        done(Value(ephemeral(text)))
        return None

    def _handler(self, command: Command) -> Handler:
        if command not in self._handlers:
            self._handlers[command] = command.handler(self._api, self._async_api)
        return self._handlers[command]


def _routed(arguments: Sequence[Any]) -> Any:
    raise AssertionError("what is called has been chosen before")
