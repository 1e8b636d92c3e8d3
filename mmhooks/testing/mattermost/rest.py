"""What people may do by the REST API, which asks for permissions where the plugin API does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Channel, Post
from mmhooks.models import constants as c
from mmhooks.testing.mattermost.areas.permissions import may_in_channel, may_in_team
from mmhooks.testing.mattermost.failures import bad_request, forbidden

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_IN_CHANNEL = {
    c.PermissionCreatePost: "post",
    c.PermissionUploadFile: "upload files",
    c.PermissionAddReaction: "react",
    c.PermissionRemoveReaction: "take back reactions",
    c.PermissionEditPost: "edit posts",
    c.PermissionEditOthersPosts: "edit posts of others",
    c.PermissionDeletePost: "delete posts",
    c.PermissionDeleteOthersPosts: "delete posts of others",
    c.PermissionReadChannelContent: "read",
}


def need_in_channel(server: Server, user_id: str, channel: Channel, permission: str) -> None:
    """Raises `Forbidden` when a user may not do something in a channel; the lock is held."""
    if may_in_channel(server, user_id, channel.id, permission):
        return
    name = server.state.users[user_id].username
    verb = _IN_CHANNEL.get(permission, f"do that ({permission})")
    member = "" if user_id in server.state.channel_members[channel.id] else f": {name} is no member of it"
    raise _refused(f"{name} may not {verb} in {channel.display_name or channel.name}{member}", permission)


def need_in_team(server: Server, user_id: str, team_id: str, permission: str) -> None:
    """Raises `Forbidden` when a user may not do something in a team; the lock is held."""
    if not may_in_team(server, user_id, team_id, permission):
        name, team = server.state.users[user_id].username, server.state.teams[team_id].name
        raise _refused(f"{name} may not do that ({permission}) in the team {team}", permission)


def _refused(message: str, permission: str) -> AppError:
    return forbidden("api.context.permissions.app_error", message, f"permission={permission}")


def check_writing(server: Server, user_id: str, channel: Channel, post_type: str) -> None:
    """Raises `Forbidden` or `BadRequest` when a user may not post in a channel; the lock is held."""
    need_in_channel(server, user_id, channel, c.PermissionCreatePost)
    if channel.delete_at:
        raise bad_request("api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel.")
    if post_type.startswith(c.PostSystemMessagePrefix):
        raise bad_request("api.context.invalid_param.app_error", "Invalid or missing type in request body.")


def check_changing(server: Server, user_id: str, channel: Channel, post: Post, own: str, others: str) -> None:
    """Raises `Forbidden` when a user may not change a post; the lock is held."""
    need_in_channel(server, user_id, channel, own)
    if post.user_id != user_id:
        need_in_channel(server, user_id, channel, others)


def members_permission(channel: Channel) -> str:
    """The permission to say who is in a channel."""
    if channel.type == c.ChannelTypeOpen:
        return c.PermissionManagePublicChannelMembers
    return c.PermissionManagePrivateChannelMembers


def archiving_permission(channel: Channel) -> str:
    """The permission to archive a channel."""
    if channel.type == c.ChannelTypeOpen:
        return c.PermissionDeletePublicChannel
    return c.PermissionDeletePrivateChannel
