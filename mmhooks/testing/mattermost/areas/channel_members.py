"""Who is in which channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import ChannelMember, ChannelMemberIdentifier, Context, Post
from mmhooks.models.constants import (
    ChannelAdminRoleId,
    ChannelUserRoleId,
    DefaultChannelName,
    PostTypeAddToChannel,
    PostTypeJoinChannel,
    PostTypeLeaveChannel,
    PostTypeRemoveFromChannel,
)
from mmhooks.testing.mattermost.areas.channels import find_channel, is_private_talk
from mmhooks.testing.mattermost.areas.users import find_user
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, failure, forbidden, not_found
from mmhooks.testing.mattermost.methods import NOBODY, answers
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

REJECTED_BY_PLUGIN = "app.channel.add_user.to.channel.rejected_by_plugin"

_NOTIFY_PROPS = {
    "desktop": "default",
    "mark_unread": "all",
    "push": "default",
    "email": "default",
    "ignore_channel_mentions": "default",
    "channel_auto_follow_threads": "off",
}


def find_member(server: Server, channel_id: str, user_id: str) -> ChannelMember:
    """The stored membership. Raises `NotFound`."""
    member = server.state.channel_members[channel_id].get(user_id)
    if member is None:
        raise not_found(
            "app.channel.get_member.missing.app_error",
            "No channel member found for that user ID and channel ID.",
            f"channel_id={channel_id} user_id={user_id}",
        )
    return member


def new_member(channel_id: str, user_id: str, *, admin: bool = False) -> ChannelMember:
    """A membership with the usual settings."""
    return ChannelMember(
        channel_id=channel_id,
        user_id=user_id,
        scheme_user=True,
        scheme_admin=admin,
        notify_props=dict(_NOTIFY_PROPS),
    )


def store_member(server: Server, channel_id: str, user_id: str, *, admin: bool = False) -> ChannelMember:
    """Make a user a member, without a word to anybody; the lock is held. One who is it already stays it."""
    member = server.state.channel_members[channel_id].get(user_id)
    return member or keep_member(server, new_member(channel_id, user_id, admin=admin))


def keep_member(server: Server, member: ChannelMember) -> ChannelMember:
    """Store a membership as it is given; the lock is held."""
    channel = server.state.channels.get(member.channel_id)
    member.roles = _roles(member)
    member.last_update_at = server.clock.stamp()
    if channel is not None:
        member.msg_count, member.msg_count_root = channel.total_msg_count, channel.total_msg_count_root
    server.state.channel_members[member.channel_id][member.user_id] = member
    return member


def _roles(member: ChannelMember) -> str:
    given = [ChannelUserRoleId] * member.scheme_user + [ChannelAdminRoleId] * member.scheme_admin
    return " ".join([*given, *(role for role in member.explicit_roles.split() if role not in given)])


def add_member(server: Server, channel_id: str, user_id: str, requestor_id: str, context: Context) -> ChannelMember:
    """Add a user to a channel, with the hooks, and the message about it.

    Arguments:
        requestor_id: who adds the user; empty, or the user's own: they join.
    """
    from mmhooks.testing.mattermost.areas.posts import create_post

    with server.lock:
        channel = copied(find_channel(server, channel_id))
        user = copied(find_user(server, user_id))
        requestor = copied(find_user(server, requestor_id)) if requestor_id else None
        member = server.state.channel_members[channel_id].get(user_id)
        if member is not None:
            return copied(member)
        if user.delete_at:
            raise forbidden("app.channel.add_member.deleted_user.app_error", "A deactivated user cannot be added.")
        team_member = None if is_private_talk(channel) else server.state.team_members[channel.team_id].get(user_id)
        if team_member is None:
            raise not_found("app.team.get_member.missing.app_error", "No team member found for that user and team.")
        if team_member.delete_at:
            raise bad_request(
                "api.channel.add_user.to.channel.failed.deleted.app_error", "The user has left the channel's team."
            )
    member = new_member(channel_id, user_id)
    reason, replaced = server.hooks.filter("ChannelMemberWillBeAdded", context, member)
    if reason:
        raise bad_request(REJECTED_BY_PLUGIN, f"Channel membership rejected by plugin. {reason}", reason)
    with server.lock:
        member = copied(keep_member(server, replaced or member))
        server.hooks.later("UserHasJoinedChannel", context, member, requestor)
    if requestor is None or requestor.id == user.id:
        try:
            create_post(server, join_post(channel_id, user.id, user.username), context)
        except AppError as error:
            raise failure(
                "api.channel.post_user_add_remove_message_and_forget.error",
                500,
                "The user was added, but the message about it could not be posted.",
                str(error),
            ) from error
    else:
        post = Post(
            channel_id=channel_id,
            user_id=requestor.id,
            type=PostTypeAddToChannel,
            message=f"{user.username} added to the channel by {requestor.username}.",
            props={
                "userId": requestor.id,
                "username": requestor.username,
                "addedUserId": user.id,
                "addedUsername": user.username,
            },
        )
        server.hooks.put_off(lambda: server.try_to(lambda: create_post(server, post, context)), post.type)
    return member


def join_post(channel_id: str, user_id: str, username: str) -> Post:
    """The message that a user has joined a channel."""
    return Post(
        channel_id=channel_id,
        user_id=user_id,
        type=PostTypeJoinChannel,
        message=f"{username} joined the channel.",
        props={"username": username},
    )


def remove_member(server: Server, channel_id: str, user_id: str, remover_id: str, context: Context) -> None:
    """Take a user out of a channel, with the hook, and the message about it, which comes afterwards.

    Arguments:
        remover_id: who does it; the user's own id: they leave.
    """
    from mmhooks.testing.mattermost.areas.posts import create_post

    with server.lock:
        channel = find_channel(server, channel_id)
        user = find_user(server, user_id)
        if is_private_talk(channel):
            raise bad_request("api.channel.leave.direct.app_error", "Nobody can leave a direct or group message.")
        if channel.name == DefaultChannelName:
            raise bad_request("api.channel.remove.default.app_error", "Nobody can leave the default channel.")
        member = copied(find_member(server, channel_id, user_id))
        remover = copied(server.state.users.get(remover_id))
        del server.state.channel_members[channel_id][user_id]
        server.hooks.later("UserHasLeftChannel", context, member, remover)
        if remover is None or remover.id == user.id:
            post = Post(
                channel_id=channel_id,
                user_id=user.id,
                type=PostTypeLeaveChannel,
                message=f"{user.username} has left the channel.",
                props={"username": user.username},
            )
        else:
            post = Post(
                channel_id=channel_id,
                user_id=remover.id,
                type=PostTypeRemoveFromChannel,
                message=f"{user.username} was removed from the channel.",
                props={"removedUserId": user.id, "removedUsername": user.username},
            )
        server.hooks.put_off(lambda: server.try_to(lambda: create_post(server, post, context)), post.type)


@answers("AddChannelMember", fires=True)
def _add_channel_member(server: Server, channel_id: str, user_id: str) -> ChannelMember:
    return add_member(server, channel_id, user_id, "", NOBODY)


@answers("AddUserToChannel", fires=True)
def _add_user_to_channel(server: Server, channel_id: str, user_id: str, as_user_id: str) -> ChannelMember:
    return add_member(server, channel_id, user_id, as_user_id, NOBODY)


@answers("DeleteChannelMember")
def _delete_channel_member(server: Server, channel_id: str, user_id: str) -> None:
    remove_member(server, channel_id, user_id, user_id, NOBODY)


@answers("GetChannelMember")
def _get_channel_member(server: Server, channel_id: str, user_id: str) -> ChannelMember:
    return find_member(server, channel_id, user_id)


@answers("GetChannelMembers")
def _get_channel_members(server: Server, channel_id: str, number: int, size: int) -> list[ChannelMember]:
    members = server.state.channel_members[channel_id]
    return page([members[user_id] for user_id in sorted(members)], number, size)


@answers("GetChannelMembersByIds")
def _get_channel_members_by_ids(server: Server, channel_id: str, user_ids: list[str]) -> list[ChannelMember]:
    members = server.state.channel_members[channel_id]
    return [members[user_id] for user_id in dict.fromkeys(user_ids) if user_id in members]


@answers("GetChannelMembersForUser")
def _get_channel_members_for_user(
    server: Server, team_id: str, user_id: str, number: int, size: int
) -> list[ChannelMember]:
    # Mattermost does not look at the team.
    members = server.state.channel_members
    found = [members[channel_id][user_id] for channel_id in sorted(members) if user_id in members[channel_id]]
    return page(found, number, size)


@answers("UpdateChannelMemberRoles")
def _update_channel_member_roles(server: Server, channel_id: str, user_id: str, new_roles: str) -> ChannelMember:
    member = find_member(server, channel_id, user_id)
    roles = new_roles.split()
    if ChannelUserRoleId not in roles:
        raise bad_request(
            "api.channel.update_channel_member_roles.unset_user_scheme.app_error", "The role of a member must stay."
        )
    member.scheme_admin = ChannelAdminRoleId in roles
    member.explicit_roles = " ".join(role for role in roles if role not in (ChannelUserRoleId, ChannelAdminRoleId))
    member.roles = _roles(member)
    member.last_update_at = server.clock.stamp()
    return member


@answers("UpdateChannelMemberNotifications")
def _update_channel_member_notifications(
    server: Server, channel_id: str, user_id: str, notifications: dict[str, str]
) -> ChannelMember:
    member = find_member(server, channel_id, user_id)
    member.notify_props = {**member.notify_props, **notifications}
    member.last_update_at = server.clock.stamp()
    return member


@answers("PatchChannelMembersNotifications")
def _patch_channel_members_notifications(
    server: Server, members: list[ChannelMemberIdentifier | None], notify_props: dict[str, str]
) -> None:
    found = [find_member(server, each.channel_id, each.user_id) for each in members if each is not None]
    for member in found:
        member.notify_props = {**member.notify_props, **notify_props}
        member.last_update_at = server.clock.stamp()
