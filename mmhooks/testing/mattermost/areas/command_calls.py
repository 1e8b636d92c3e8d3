"""What happens when somebody types a slash command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mmhooks.errors import AppError, UnsupportedByHost
from mmhooks.models import Command, CommandArgs, CommandResponse, Context, Post
from mmhooks.models import constants as c
from mmhooks.outcomes import Failed, Value, app_error
from mmhooks.testing.mattermost.areas.channel_members import find_member
from mmhooks.testing.mattermost.areas.ephemeral import show
from mmhooks.testing.mattermost.areas.posts import create_post
from mmhooks.testing.mattermost.areas.triggers import make_trigger
from mmhooks.testing.mattermost.areas.users import find_user
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, failure, not_found
from mmhooks.testing.mattermost.methods import NOBODY, answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_USER = re.compile(r"\B@([A-Za-z0-9._-]+)")
_CHANNEL = re.compile(r"\B~([A-Za-z0-9_-]+)")
_SLACK_LINK = re.compile(r"<(https?://[^|>\s]+|mailto:[^|>\s]+)\|([^>]+)>")
_SLACK_URL = re.compile(r"<(https?://[^|>\s]+|mailto:[^|>\s]+)>")
_SLACK_CALL = re.compile(r"<!(channel|here|all)>")


def execute(server: Server, args: CommandArgs, context: Context) -> CommandResponse:
    """Run a slash command, show its response to whom it is for, and give it back."""
    if not args.command.startswith("/"):
        raise bad_request("api.command.execute_command.format.app_error", "The command does not begin with a slash.")
    trigger = args.command.split(" ", 1)[0][1:].lower()
    with server.lock:
        find_user(server, args.user_id)
        command = next((command for command in server.state.plugin_commands if _fits(command, trigger, args)), None)
        args = copied(args)
        _fill_in(server, args)
        client_trigger, args.trigger_id = make_trigger(server, args.user_id)
    if command is None:
        raise _nobody(server, trigger, args)
    response = _ask_plugin(server, args, context)
    response.trigger_id = client_trigger
    _respond(server, args, response, context)
    return response


def _fits(command: Command, trigger: str, args: CommandArgs) -> bool:
    return command.trigger == trigger and command.team_id in ("", args.team_id)


def _fill_in(server: Server, args: CommandArgs) -> None:
    state = server.state
    args.site_url = server.config.ServiceSettings.SiteURL or ""
    args.user_mentions = {
        name: state.usernames[name] for name in map(str.lower, _USER.findall(args.command)) if name in state.usernames
    }
    args.channel_mentions = {
        name: state.channel_names[args.team_id, name]
        for name in _CHANNEL.findall(args.command)
        if (args.team_id, name) in state.channel_names
    }


def _nobody(server: Server, trigger: str, args: CommandArgs) -> Exception:
    if any(_fits(command, trigger, args) for command in server.state.commands.values()):
        return UnsupportedByHost(
            f"the in-memory Mattermost calls no addresses: /{trigger} is a stored command with one"
        )
    if not server.config.ServiceSettings.EnableCommands:
        return failure("api.command.disabled.app_error", 501, "Commands have been disabled by the system admin.")
    return not_found(
        "api.command.execute_command.not_found.app_error",
        f"Command with a trigger of '/{trigger}' not found: no plugin has registered it (of the server's own, this "
        "in-memory one has none).",
    )


def _ask_plugin(server: Server, args: CommandArgs, context: Context) -> CommandResponse:
    if not server.hooks.has("ExecuteCommand"):
        raise failure("model.plugin_command.error.app_error", 500, "The plugin of this command is not working.")
    outcome = server.hooks.ask("ExecuteCommand", context, args)
    if isinstance(outcome, Failed):
        error = app_error(outcome.error)
        if not 100 <= error.status_code <= 999:
            error.status_code = 500
        raise error
    return copied(outcome.value) if isinstance(outcome, Value) else CommandResponse()


def _respond(server: Server, args: CommandArgs, response: CommandResponse, context: Context) -> None:
    for each in (response, *response.extra_responses):
        try:
            _show(server, args, each, context)
        except AppError as error:
            raise failure(
                "api.command.execute_command.create_post_failed.app_error",
                500,
                "Command failed to post response to channel.",
                str(error),
            ) from error


def _show(server: Server, args: CommandArgs, response: CommandResponse, context: Context) -> None:
    post = _post_of(server, args, response)
    if post.type.startswith(c.PostSystemMessagePrefix):
        raise bad_request("api.context.invalid_param.app_error", "Invalid or missing type of the post.")
    if response.response_type == c.CommandResponseTypeInChannel:
        create_post(server, post, context)
    elif response.response_type in ("", c.CommandResponseTypeEphemeral) and (response.text or response.attachments):
        with server.lock:
            show(server, args.user_id, post)


def _post_of(server: Server, args: CommandArgs, response: CommandResponse) -> Post:
    settings = server.config.ServiceSettings
    if response.channel_id:
        with server.lock:
            find_member(server, response.channel_id, args.user_id)
    post = Post(
        channel_id=response.channel_id or args.channel_id,
        root_id=args.root_id,
        user_id=args.user_id,
        type=response.type,
        message=response.text if response.skip_slack_parsing else _from_slack(response.text),
        props=copied(response.props),
    )
    overridden = False
    for wanted, allowed, prop in (
        (response.username, settings.EnablePostUsernameOverride, c.PostPropsOverrideUsername),
        (response.icon_url, settings.EnablePostIconOverride, c.PostPropsOverrideIconURL),
    ):
        if wanted and allowed:
            post.props[prop] = wanted
            overridden = True
    if overridden:
        post.props[c.PostPropsFromWebhook] = "true"
    if response.attachments:
        post.type = post.type or c.PostTypeMessageAttachment
        post.props[c.PostPropsAttachments] = [attachment.to_dict() for attachment in response.attachments]
    return post


def _from_slack(text: str) -> str:
    """A text in Slack's way of writing, in Markdown."""
    text = _SLACK_LINK.sub(r"[\2](\1)", _SLACK_URL.sub(r"\1", text))
    return _SLACK_CALL.sub(r"@\1", text)


@answers("ExecuteSlashCommand", fires=True)
def _execute_slash_command(server: Server, args: CommandArgs | None) -> CommandResponse:
    return execute(server, args or CommandArgs(), NOBODY)
