"""Slash commands: those that the plugin registers, and those that are stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mmhooks.errors import AppError, GoError
from mmhooks.models import AutocompleteArg, AutocompleteData, AutocompleteDynamicListArg, Command
from mmhooks.models import constants as c
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, failure, not_found
from mmhooks.testing.mattermost.ids import is_id, new_id
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_KEPT = (
    "trigger",
    "team_id",
    "auto_complete",
    "auto_complete_desc",
    "auto_complete_hint",
    "display_name",
    "autocomplete_data",
    "autocomplete_icon_data",
)
"""What the server keeps of a command that a plugin registers (Mattermost's `plugin_commands.go`)."""

_STORED_TRIGGER = re.compile(r"[A-Za-z0-9_./-]{1,128}")


@answers("RegisterCommand")
def _register_command(server: Server, command: Command | None) -> None:
    if command is None or not command.trigger:
        raise GoError("invalid command")
    if command.autocomplete_data is not None:
        _check_data(command.autocomplete_data)
    kept = Command(**{name: copied(getattr(command, name)) for name in _KEPT}, plugin_id=server.plugin_id)
    kept.trigger = command.trigger.lower()
    if kept.autocomplete_data is not None:
        _complete_addresses(kept.autocomplete_data, f"/plugins/{server.plugin_id}")
    registered = server.state.plugin_commands
    for index, other in enumerate(registered):
        if (other.team_id, other.trigger) == (kept.team_id, kept.trigger):
            registered[index] = kept
            return
    registered.append(kept)


def _check_data(data: AutocompleteData) -> None:
    """Raises `GoError` for what cannot be suggested (Mattermost's `command_autocomplete.go`)."""
    fault = ""
    if not data.trigger:
        fault = "an empty command name"
    elif data.trigger.lower() != data.trigger:
        fault = "a command name is in lower case"
    elif data.role_id not in (c.SystemAdminRoleId, c.SystemUserRoleId, ""):
        fault = "a role that is neither that of administrators nor that of users"
    elif data.arguments and data.sub_commands:
        fault = "a command has arguments or commands below it, not both"
    else:
        fault = _fault_of_arguments(data.arguments)
    if fault:
        raise GoError(f"invalid autocomplete data of the command {data.trigger!r}: {fault}")
    for below in data.sub_commands:
        _check_data(below)


def _complete_addresses(data: AutocompleteData, base: str) -> None:
    """Lists that come from the plugin itself are asked for below its address."""
    for argument in data.arguments:
        if isinstance(argument.data, AutocompleteDynamicListArg) and "://" not in argument.data.fetch_url:
            argument.data.fetch_url = f"{base}/{argument.data.fetch_url.lstrip('/')}"
    for below in data.sub_commands:
        _complete_addresses(below, base)


def _fault_of_arguments(arguments: list[AutocompleteArg]) -> str:
    named = False
    for argument in arguments:
        if argument.name:
            named = True
        elif named:
            return "named arguments come after positional ones"
        elif argument.type == c.AutocompleteArgTypeText and not argument.required:
            return "a positional argument cannot be optional"
    return ""


@answers("UnregisterCommand")
def _unregister_command(server: Server, team_id: str, trigger: str) -> None:
    gone = (team_id, trigger.lower())
    server.state.plugin_commands[:] = [
        command for command in server.state.plugin_commands if (command.team_id, command.trigger) != gone
    ]


@answers("ListPluginCommands")
def _list_plugin_commands(server: Server, team_id: str) -> list[Command]:
    """Those that are suggested; the first of a trigger."""
    found: dict[str, Command] = {}
    for command in server.state.plugin_commands:
        if command.auto_complete and command.team_id in ("", team_id):
            found.setdefault(command.trigger, command)
    return [*found.values()]


@answers("ListCustomCommands")
def _list_custom_commands(server: Server, team_id: str) -> list[Command]:
    _check_enabled(server)
    return [command for command in server.state.commands.values() if command.team_id == team_id]


def _check_enabled(server: Server) -> None:
    if not server.config.ServiceSettings.EnableCommands:
        raise failure("api.command.disabled.app_error", 501, "Commands have been disabled by the system admin.")


def _invalid(field: str) -> AppError:
    return bad_request(f"model.command.is_valid.{field}.app_error", f"Invalid {field}.")


def _check(server: Server, command: Command) -> None:
    if not is_id(command.team_id):
        raise _invalid("team_id")
    if not _STORED_TRIGGER.fullmatch(command.trigger) or command.trigger.startswith("/"):
        raise _invalid("trigger")
    if not command.url.startswith(("http://", "https://")):
        raise _invalid("url_http" if command.url else "url")
    if command.method not in ("P", "G"):
        raise _invalid("method")
    if any(
        other.trigger == command.trigger and other.team_id == command.team_id and other.id != command.id
        for other in server.state.commands.values()
    ):
        raise bad_request("api.command.duplicate_trigger.app_error", "This trigger word is already in use.")


@answers("CreateCommand")
def _create_command(server: Server, command: Command | None) -> Command:
    _check_enabled(server)
    command = copied(command or Command())
    command.trigger = command.trigger.lower()
    command.plugin_id, command.creator_id = server.plugin_id, ""
    command.id = ""
    _check(server, command)
    command.id, command.token = new_id(), new_id()
    command.create_at = command.update_at = server.clock.stamp()
    server.state.commands[command.id] = command
    return command


def _find(server: Server, command_id: str) -> Command:
    _check_enabled(server)
    if command_id not in server.state.commands:
        raise not_found("store.sql_command.get.missing.app_error", "Command does not exist.", command_id)
    return server.state.commands[command_id]


@answers("GetCommand")
def _get_command(server: Server, command_id: str) -> Command:
    return _find(server, command_id)


@answers("UpdateCommand")
def _update_command(server: Server, command_id: str, command: Command | None) -> Command:
    old, changed = _find(server, command_id), copied(command or Command())
    for name in ("id", "token", "create_at", "delete_at", "creator_id", "plugin_id"):
        setattr(changed, name, getattr(old, name))
    changed.team_id = changed.team_id or old.team_id
    changed.trigger = changed.trigger.lower()
    _check(server, changed)
    changed.update_at = server.clock.stamp()
    server.state.commands[command_id] = changed
    return changed


@answers("DeleteCommand")
def _delete_command(server: Server, command_id: str) -> None:
    del server.state.commands[_find(server, command_id).id]
