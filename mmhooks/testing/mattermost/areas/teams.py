"""Teams."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Channel, Team, TeamStats, TeamUnread
from mmhooks.models.constants import TeamInvite, TeamOpen
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, not_found
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_RESERVED = (
    "admin",
    "api",
    "channel",
    "claim",
    "error",
    "files",
    "help",
    "landing",
    "login",
    "mfa",
    "oauth",
    "plug",
    "plugins",
    "post",
    "signup",
    "boards",
    "playbooks",
)
"""Words with which a team's name must not begin (Mattermost's `model/utils.go`)."""


def find_team(server: Server, team_id: str) -> Team:
    """The stored team. Raises `NotFound`."""
    team = server.state.teams.get(team_id)
    if team is None:
        raise not_found("app.team.get.find.app_error", "Unable to find the existing team.", f"team_id={team_id}")
    return team


def _invalid(field: str, team: Team) -> AppError:
    return bad_request(f"model.team.is_valid.{field}.app_error", f"Invalid {field}.", f"id={team.id}")


def _check(team: Team) -> None:
    if not team.name:
        raise _invalid("url", team)
    if team.name.startswith(_RESERVED):
        raise _invalid("reserved", team)
    if not _NAME.fullmatch(team.name) or not 2 <= len(team.name) <= 64:
        raise _invalid("characters", team)
    if not 1 <= len(team.display_name) <= 64:
        raise _invalid("name", team)
    if team.type not in (TeamOpen, TeamInvite):
        raise _invalid("type", team)
    if len(team.description) > 255:
        raise _invalid("description", team)
    if len(team.email) > 128:
        raise _invalid("email", team)


def store_team(server: Server, team: Team) -> Team:
    """Check and store a new team with its first channels; the lock is held. Result: the stored one."""
    from mmhooks.testing.mattermost.areas.channels import store_channel

    if team.id:
        raise bad_request("store.sql_team.save_team.existing.app_error", "Must call update for existing team.")
    team = copied(team)
    team.id, team.invite_id = new_id(), new_id()
    team.create_at = team.update_at = server.clock.stamp()
    team.delete_at = 0
    _check(team)
    if team.name in server.state.team_names:
        raise bad_request("store.sql_team.save_team.existing.app_error", "A team with that name already exists.")
    server.state.teams[team.id] = team
    server.state.team_names[team.name] = team.id
    for name, display_name in (("town-square", "Town Square"), ("off-topic", "Off-Topic")):
        store_channel(server, Channel(team_id=team.id, type="O", name=name, display_name=display_name))
    return team


@answers("CreateTeam")
def _create_team(server: Server, team: Team | None) -> Team:
    return store_team(server, team or Team())


@answers("GetTeam")
def _get_team(server: Server, team_id: str) -> Team:
    return find_team(server, team_id)


def find_team_by_name(server: Server, name: str) -> Team:
    """The stored team. Raises `NotFound`."""
    found = server.state.team_names.get(name.lower())
    if found is None:
        raise not_found("app.team.get_by_name.missing.app_error", "Unable to find the existing team.", f"name={name}")
    return server.state.teams[found]


@answers("GetTeamByName")
def _get_team_by_name(server: Server, name: str) -> Team:
    return find_team_by_name(server, name)


@answers("GetTeams")
def _get_teams(server: Server) -> list[Team]:
    return sorted(server.state.teams.values(), key=_by_display_name)


def _by_display_name(team: Team) -> str:
    return team.display_name


@answers("SearchTeams")
def _search_teams(server: Server, term: str) -> list[Team]:
    term = term.lower()
    found = [
        team
        for team in server.state.teams.values()
        if not team.delete_at and (term in team.name or term in team.display_name.lower())
    ]
    return sorted(found, key=_by_display_name)


@answers("GetTeamsForUser")
def _get_teams_for_user(server: Server, user_id: str) -> list[Team]:
    found = []
    for team in server.state.teams.values():
        member = server.state.team_members[team.id].get(user_id)
        if member is not None and not member.delete_at and not team.delete_at:
            found.append(team)
    return sorted(found, key=_by_display_name)


@answers("UpdateTeam")
def _update_team(server: Server, team: Team | None) -> Team:
    team = team or Team()
    changed = copied(find_team(server, team.id))
    for name in (
        "display_name",
        "description",
        "allow_open_invite",
        "company_name",
        "allowed_domains",
        "last_team_icon_update",
        "group_constrained",
    ):
        setattr(changed, name, getattr(team, name))
    _check(changed)
    changed.update_at = server.clock.stamp()
    server.state.teams[team.id] = changed
    return changed


@answers("DeleteTeam")
def _delete_team(server: Server, team_id: str) -> None:
    team = find_team(server, team_id)
    team.delete_at = team.update_at = server.clock.stamp()


@answers("GetTeamStats")
def _get_team_stats(server: Server, team_id: str) -> TeamStats:
    find_team(server, team_id)
    users = [
        server.state.users[user_id]
        for user_id, member in server.state.team_members[team_id].items()
        if not member.delete_at
    ]
    active = sum(not user.delete_at for user in users)
    return TeamStats(team_id=team_id, total_member_count=len(users), active_member_count=active)


@answers("GetTeamsUnreadForUser")
def _get_teams_unread_for_user(server: Server, user_id: str) -> list[TeamUnread]:
    unread: dict[str, TeamUnread] = {}
    for channel_id, members in server.state.channel_members.items():
        member, channel = members.get(user_id), server.state.channels.get(channel_id)
        if member is None or channel is None or channel.delete_at or not channel.team_id:
            continue
        of_team = unread.setdefault(channel.team_id, TeamUnread(team_id=channel.team_id))
        of_team.msg_count += channel.total_msg_count - member.msg_count
        of_team.msg_count_root += channel.total_msg_count_root - member.msg_count_root
        of_team.mention_count += member.mention_count
        of_team.mention_count_root += member.mention_count_root
    return [*unread.values()]


@answers("GetTeamIcon")
def _get_team_icon(server: Server, team_id: str) -> bytes:
    find_team(server, team_id)
    if team_id not in server.state.images:
        raise not_found("api.team.get_team_icon.read_file.app_error", "Unable to read the team icon file.")
    return server.state.images[team_id]


@answers("SetTeamIcon")
def _set_team_icon(server: Server, team_id: str, data: bytes) -> None:
    team = find_team(server, team_id)
    server.state.images[team_id] = data or b""
    team.last_team_icon_update = team.update_at = server.clock.stamp()


@answers("RemoveTeamIcon")
def _remove_team_icon(server: Server, team_id: str) -> None:
    team = find_team(server, team_id)
    server.state.images.pop(team_id, None)
    team.last_team_icon_update = 0
    team.update_at = server.clock.stamp()
