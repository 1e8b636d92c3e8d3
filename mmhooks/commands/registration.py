"""Tells the server of the commands, with all that it suggests to people who type."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mmhooks.commands.parameters import Argument
from mmhooks.commands.table import HELP, Node, Table
from mmhooks.errors import MmhooksError, NoPluginAPI, UnsupportedByHost

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI
    from mmhooks.models import AutocompleteArg, AutocompleteData, Command

logger = logging.getLogger("mmhooks")


async def register(table: Table, api: AsyncPluginAPI, left: Callable[[], float]) -> str:
    """Register every command by the plugin API.

    Arguments:
        left: the seconds that the next call may take.

    Result: why it failed, for administrators; empty when it did not.
    """
    suggests = True
    for root in table.roots.values():
        command = command_of(root)
        try:
            if suggests:
                try:
                    await api.call("RegisterCommand", command, timeout=left())
                    continue
                except UnsupportedByHost:
                    suggests = False
            command.autocomplete_data = None
            await api.call("RegisterCommand", command, timeout=left())
        except (NoPluginAPI, UnsupportedByHost) as error:
            logger.warning("commands are not registered: %s", error)
            return ""
        except MmhooksError as error:
            return f"the command {root.name} could not be registered: {error}"
    return ""


def command_of(root: Node) -> Command:
    """A command as the server takes it."""
    from mmhooks.models import Command

    trigger = root.name.removeprefix("/")
    return Command(
        trigger=trigger,
        display_name=trigger,
        description=root.description,
        auto_complete=True,
        auto_complete_desc=root.description,
        auto_complete_hint=root.hint,
        autocomplete_data=_suggestions(root),
    )


def _suggestions(node: Node) -> AutocompleteData:
    from mmhooks.models import AutocompleteData

    data = AutocompleteData(trigger=node.name.removeprefix("/").split()[-1], hint=node.hint, help_text=node.description)
    data.sub_commands = [_suggestions(child) for child in node.children.values()]
    if data.sub_commands and HELP not in node.children:
        data.sub_commands.append(AutocompleteData(trigger=HELP, help_text=f"How to use {node.name}"))
    # The server takes either arguments or commands below.
    if node.command is not None and not data.sub_commands:
        parameters = node.command.parameters
        data.arguments = [_argument(argument) for argument in parameters.positional]
        # What has a name has a value there, and switches have none.
        options: Sequence[Argument] = [option for option in parameters.options.values() if not option.is_switch]
        data.arguments += [_argument(option, option.name) for option in options]
    return data


def _argument(argument: Argument, name: str = "") -> AutocompleteArg:
    from mmhooks.models import AutocompleteArg, AutocompleteListItem, AutocompleteStaticListArg, AutocompleteTextArg
    from mmhooks.models.constants import AutocompleteArgTypeStaticList, AutocompleteArgTypeText

    about = argument.help or argument.name.replace("-", " ")
    if argument.kind.choices:
        items = [AutocompleteListItem(item=choice) for choice in argument.kind.choices]
        return AutocompleteArg(
            name=name,
            help_text=about,
            type=AutocompleteArgTypeStaticList,
            required=argument.required,
            data=AutocompleteStaticListArg(possible_arguments=items),
        )
    hint = f"<{argument.kind.short or 'text'}>" if name else argument.usage()
    # The server refuses a text that has no name and may be left out.
    return AutocompleteArg(
        name=name,
        help_text=about,
        type=AutocompleteArgTypeText,
        required=argument.required or not name,
        data=AutocompleteTextArg(hint=hint),
    )
