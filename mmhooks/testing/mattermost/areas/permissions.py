"""What users may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.models import Permission
from mmhooks.testing.mattermost.areas.roles import grants
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server


def may(server: Server, user_id: str, permission: str) -> bool:
    """Whether a user has a permission for the whole server. Deactivated users keep theirs."""
    user = server.state.users.get(user_id)
    return user is not None and grants(user.roles, permission)


def may_in_team(server: Server, user_id: str, team_id: str, permission: str) -> bool:
    """Whether a user has a permission in a team, or for the whole server."""
    if not team_id or not user_id:
        return False
    member = server.state.team_members[team_id].get(user_id)
    if member is not None and not member.delete_at and grants(member.roles, permission):
        return True
    return may(server, user_id, permission)


def may_in_channel(server: Server, user_id: str, channel_id: str, permission: str) -> bool:
    """Whether a user has a permission in a channel, in its team, or for the whole server."""
    if not channel_id or not user_id:
        return False
    member = server.state.channel_members[channel_id].get(user_id)
    if member is not None and grants(member.roles, permission):
        return True
    channel = server.state.channels.get(channel_id)
    if channel is not None and channel.team_id:
        return may_in_team(server, user_id, channel.team_id, permission)
    return may(server, user_id, permission)


@answers("HasPermissionTo")
def _has_permission_to(server: Server, user_id: str, permission: Permission | None) -> bool:
    return permission is not None and may(server, user_id, permission.id)


@answers("HasPermissionToTeam")
def _has_permission_to_team(server: Server, user_id: str, team_id: str, permission: Permission | None) -> bool:
    return permission is not None and may_in_team(server, user_id, team_id, permission.id)


@answers("HasPermissionToChannel")
def _has_permission_to_channel(server: Server, user_id: str, channel_id: str, permission: Permission | None) -> bool:
    return permission is not None and may_in_channel(server, user_id, channel_id, permission.id)


@answers("RolesGrantPermission")
def _roles_grant_permission(server: Server, role_names: list[str], permission_id: str) -> bool:
    return grants(" ".join(role_names), permission_id)
