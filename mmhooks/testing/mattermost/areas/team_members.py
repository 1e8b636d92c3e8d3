"""Who is in which team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Context, Post, Team, TeamMember, TeamMemberWithError, User
from mmhooks.models.constants import (
    DefaultChannelName,
    PostTypeAddToChannel,
    PostTypeAddToTeam,
    PostTypeJoinTeam,
    PostTypeLeaveTeam,
    PostTypeRemoveFromTeam,
    TeamAdminRoleId,
    TeamUserRoleId,
)
from mmhooks.testing.mattermost.areas.channel_members import join_post, store_member
from mmhooks.testing.mattermost.areas.teams import find_team
from mmhooks.testing.mattermost.areas.users import find_user
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, not_found
from mmhooks.testing.mattermost.methods import NOBODY, answers
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

REJECTED_BY_PLUGIN = "app.team.join_user_to_team.rejected_by_plugin"


def find_member(server: Server, team_id: str, user_id: str) -> TeamMember:
    """The stored membership, which may have ended. Raises `NotFound`."""
    member = server.state.team_members[team_id].get(user_id)
    if member is None:
        raise not_found(
            "app.team.get_member.missing.app_error",
            "No team member found for that user and team.",
            f"team_id={team_id} user_id={user_id}",
        )
    return member


def _roles(member: TeamMember) -> str:
    given = [TeamUserRoleId] * member.scheme_user + [TeamAdminRoleId] * member.scheme_admin
    return " ".join([*given, *(role for role in member.explicit_roles.split() if role not in given)])


def store_team_member(server: Server, team_id: str, user_id: str) -> TeamMember:
    """Make a user a member, also of the first channels, without a word to anybody; the lock is held."""
    member = keep_team_member(server, TeamMember(team_id=team_id, user_id=user_id, scheme_user=True))
    for channel_id in default_channels(server, team_id):
        store_member(server, channel_id, user_id)
    return member


def keep_team_member(server: Server, member: TeamMember) -> TeamMember:
    """Store a membership as it is given; the lock is held."""
    member.roles = _roles(member)
    member.delete_at = 0
    member.create_at = server.clock.stamp()
    server.state.team_members[member.team_id][member.user_id] = member
    return member


def default_channels(server: Server, team_id: str) -> list[str]:
    """The ids of the channels that new members of a team are put into."""
    others = server.config.TeamSettings.ExperimentalDefaultChannels or ["off-topic"]
    names = dict.fromkeys([DefaultChannelName, *others])
    found = [server.state.channel_names.get((team_id, name)) for name in names]
    return [channel_id for channel_id in found if channel_id and not server.state.channels[channel_id].delete_at]


def _may_join(server: Server, team: Team, user: User) -> None:
    allowed = team.allowed_domains.replace(",", " ").replace("@", " ").lower().split()
    if allowed and user.email.rpartition("@")[2] not in allowed:
        raise bad_request(
            "api.team.join_user_to_team.allowed_domains.app_error", "The domain of the user's email is not allowed."
        )
    active = [
        user_id
        for user_id, member in server.state.team_members[team.id].items()
        if not member.delete_at and not server.state.users[user_id].delete_at
    ]
    if len(active) >= (server.config.TeamSettings.MaxUsersPerTeam or 0):
        raise bad_request("app.team.join_user_to_team.max_accounts.app_error", "The team has its most members already.")


def add_team_member(server: Server, team_id: str, user_id: str, requestor_id: str, context: Context) -> TeamMember:
    """Add a user to a team and its first channels, with the hooks of the team, and the messages about it.

    Arguments:
        requestor_id: who adds the user, if it is somebody else.
    """
    with server.lock:
        team, user = copied(find_team(server, team_id)), copied(find_user(server, user_id))
        requestor = copied(find_user(server, requestor_id)) if requestor_id else None
        existing = server.state.team_members[team_id].get(user_id)
        if existing is not None and not existing.delete_at:
            return copied(existing)
        _may_join(server, team, user)
    member = TeamMember(team_id=team_id, user_id=user_id, scheme_user=True)
    reason, replaced = server.hooks.filter("TeamMemberWillBeAdded", context, member)
    if reason:
        raise bad_request(REJECTED_BY_PLUGIN, f"Team membership rejected by plugin. {reason}", reason)
    with server.lock:
        member = copied(keep_team_member(server, replaced or member))
        channel_ids = default_channels(server, team_id)
        for channel_id in channel_ids:
            store_member(server, channel_id, user_id)
        names = [server.state.channels[channel_id].name for channel_id in channel_ids]
    if server.config.ServiceSettings.ExperimentalEnableDefaultChannelLeaveJoinMessages:
        for channel_id, name in zip(channel_ids, names, strict=True):
            _tell(server, _welcome(channel_id, name, user, requestor), context)
    server.hooks.later("UserHasJoinedTeam", context, member, requestor)
    return member


def _welcome(channel_id: str, name: str, user: User, requestor: User | None) -> Post:
    if requestor is None or requestor.id == user.id:
        post = join_post(channel_id, user.id, user.username)
        if name == DefaultChannelName:
            post.type, post.message = PostTypeJoinTeam, f"{user.username} joined the team."
        return post
    where = "team" if name == DefaultChannelName else "channel"
    return Post(
        channel_id=channel_id,
        user_id=requestor.id,
        type=PostTypeAddToTeam if where == "team" else PostTypeAddToChannel,
        message=f"{user.username} added to the {where} by {requestor.username}.",
        props={
            "userId": requestor.id,
            "username": requestor.username,
            "addedUserId": user.id,
            "addedUsername": user.username,
        },
    )


def _tell(server: Server, post: Post, context: Context) -> None:
    from mmhooks.testing.mattermost.areas.posts import create_post

    server.try_to(lambda: create_post(server, post, context))


def remove_team_member(server: Server, team_id: str, user_id: str, requestor_id: str, context: Context) -> None:
    """Take a user out of a team and its channels, with the hook of the team, and the message about it."""
    with server.lock:
        if team_id not in server.state.teams:
            raise not_found("app.team.get_by_invite_id.finding.app_error", "Unable to find the existing team.", team_id)
        user = copied(find_user(server, user_id))
        requestor = copied(server.state.users.get(requestor_id))
        member = server.state.team_members[team_id].get(user_id)
        if member is None:
            raise bad_request("api.team.remove_user_from_team.missing.app_error", "The user is no member of the team.")
        for channel in server.state.channels.values():
            if channel.team_id == team_id:
                server.state.channel_members[channel.id].pop(user_id, None)
        town_square = server.state.channel_names.get((team_id, DefaultChannelName))
    if town_square and server.config.ServiceSettings.ExperimentalEnableDefaultChannelLeaveJoinMessages:
        left = requestor_id == user_id
        post = Post(
            channel_id=town_square,
            user_id=user_id,
            type=PostTypeLeaveTeam if left else PostTypeRemoveFromTeam,
            message=f"{user.username} left the team." if left else f"{user.username} was removed from the team.",
            props={"username": user.username},
        )
        _tell(server, post, context)
    with server.lock:
        member.delete_at = server.clock.stamp()
        member.roles = ""
        server.hooks.later("UserHasLeftTeam", context, member, requestor)


@answers("CreateTeamMember", fires=True)
def _create_team_member(server: Server, team_id: str, user_id: str) -> TeamMember:
    return add_team_member(server, team_id, user_id, "", NOBODY)


@answers("CreateTeamMembers", fires=True)
def _create_team_members(server: Server, team_id: str, user_ids: list[str], requestor_id: str) -> list[TeamMember]:
    return [add_team_member(server, team_id, user_id, requestor_id, NOBODY) for user_id in user_ids]


@answers("CreateTeamMembersGracefully", fires=True)
def _create_team_members_gracefully(
    server: Server, team_id: str, user_ids: list[str], requestor_id: str
) -> list[TeamMemberWithError]:
    def add(user_id: str) -> TeamMemberWithError:
        try:
            member = add_team_member(server, team_id, user_id, requestor_id, NOBODY)
        except AppError as error:
            return TeamMemberWithError(user_id=user_id, error=error)
        return TeamMemberWithError(user_id=user_id, member=member)

    return [add(user_id) for user_id in user_ids]


@answers("DeleteTeamMember", fires=True)
def _delete_team_member(server: Server, team_id: str, user_id: str, requestor_id: str) -> None:
    remove_team_member(server, team_id, user_id, requestor_id, NOBODY)


@answers("GetTeamMember")
def _get_team_member(server: Server, team_id: str, user_id: str) -> TeamMember:
    return find_member(server, team_id, user_id)


@answers("GetTeamMembers")
def _get_team_members(server: Server, team_id: str, number: int, size: int) -> list[TeamMember]:
    members = server.state.team_members[team_id]
    return page([members[user_id] for user_id in sorted(members) if not members[user_id].delete_at], number, size)


@answers("GetTeamMembersForUser")
def _get_team_members_for_user(server: Server, user_id: str, number: int, size: int) -> list[TeamMember]:
    # Those of teams that the user has left, too.
    all_members = server.state.team_members
    found = [all_members[team_id][user_id] for team_id in sorted(all_members) if user_id in all_members[team_id]]
    return page(found, number, size)


@answers("UpdateTeamMemberRoles")
def _update_team_member_roles(server: Server, team_id: str, user_id: str, new_roles: str) -> TeamMember:
    member, roles = find_member(server, team_id, user_id), new_roles.split()
    if TeamUserRoleId not in roles:
        raise bad_request(
            "api.channel.update_team_member_roles.unset_user_scheme.app_error", "The role of a member must stay."
        )
    member.scheme_admin = TeamAdminRoleId in roles
    member.explicit_roles = " ".join(role for role in roles if role not in (TeamUserRoleId, TeamAdminRoleId))
    member.roles = _roles(member)
    return member
