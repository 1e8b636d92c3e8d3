"""Channels, and direct and group messages."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Channel, ChannelStats, Context, Post
from mmhooks.models.constants import (
    ChannelTypeDirect,
    ChannelTypeGroup,
    ChannelTypeOpen,
    ChannelTypePrivate,
    DefaultChannelName,
    PostTypeChannelDeleted,
    SystemAdminRoleId,
)
from mmhooks.testing.mattermost.areas.teams import find_team_by_name
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, not_found
from mmhooks.testing.mattermost.ids import is_id, new_id
from mmhooks.testing.mattermost.methods import NOBODY, answers
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LIKE_GROUP = re.compile(r"[0-9a-f]{40}")
_LONGEST_NAME = 64

REJECTED_BY_PLUGIN = "app.channel.delete_channel.rejected_by_plugin"


def find_channel(server: Server, channel_id: str) -> Channel:
    """The stored channel, which may be archived. Raises `NotFound`."""
    channel = server.state.channels.get(channel_id)
    if channel is None:
        raise not_found("app.channel.get.existing.app_error", "Unable to find the existing channel.", channel_id)
    return channel


def is_private_talk(channel: Channel) -> bool:
    """Whether it is a direct or group message."""
    return channel.type in (ChannelTypeDirect, ChannelTypeGroup)


def _invalid(field: str, channel: Channel) -> AppError:
    return bad_request(f"model.channel.is_valid.{field}.app_error", f"Invalid {field}.", f"id={channel.id}")


def _check(channel: Channel) -> None:
    if len(channel.display_name) > 64:
        raise _invalid("display_name", channel)
    if channel.type not in (ChannelTypeOpen, ChannelTypePrivate, ChannelTypeDirect, ChannelTypeGroup):
        raise _invalid("type", channel)
    if not channel.name:
        raise _invalid("1_or_more", channel)
    ids = channel.name.split("__")
    like_talk = _LIKE_GROUP.fullmatch(channel.name) or (len(ids) == 2 and all(map(is_id, ids)))
    fits = _NAME.fullmatch(channel.name) and len(channel.name) <= _LONGEST_NAME
    if not is_private_talk(channel) and (like_talk or not fits):
        raise _invalid("name", channel)
    if len(channel.header) > 1024:
        raise _invalid("header", channel)
    if len(channel.purpose) > 250:
        raise _invalid("purpose", channel)
    if len(channel.creator_id) > 26:
        raise _invalid("creator_id", channel)


def store_channel(server: Server, channel: Channel) -> Channel:
    """Check and store a new channel; the lock is held. Result: the stored one."""
    if channel.id:
        raise bad_request("store.sql_channel.save_channel.existing.app_error", "Must call update for existing channel.")
    channel = copied(channel)
    channel.id = new_id()
    channel.create_at = channel.create_at or server.clock.stamp()
    channel.update_at = channel.create_at
    channel.last_post_at = channel.last_root_post_at = channel.create_at
    channel.extra_update_at = channel.delete_at = 0
    channel.total_msg_count = channel.total_msg_count_root = 0
    _check(channel)
    if (channel.team_id, channel.name) in server.state.channel_names:
        raise bad_request(
            "store.sql_channel.save_channel.exists.app_error",
            "A channel with that name already exists on the same team.",
        )
    if not is_private_talk(channel):
        others = (other for other in server.state.channels.values() if other.team_id == channel.team_id)
        if sum(not other.delete_at for other in others) >= (server.config.TeamSettings.MaxChannelsPerTeam or 0):
            raise bad_request("store.sql_channel.save_channel.limit.app_error", "The team has too many channels.")
    server.state.channels[channel.id] = channel
    server.state.channel_names[channel.team_id, channel.name] = channel.id
    return channel


def create_channel(server: Server, channel: Channel, context: Context) -> Channel:
    """Create a channel, open or private, with the hook."""
    with server.lock:
        if channel.type == ChannelTypeDirect:
            raise bad_request("store.sql_channel.save.direct_channel.app_error", "Use the direct channel for that.")
        stored = store_channel(server, channel)
        server.hooks.later("ChannelHasBeenCreated", context, stored)
        return copied(stored)


@answers("CreateChannel")
def _create_channel(server: Server, channel: Channel | None) -> Channel:
    return create_channel(server, channel or Channel(), NOBODY)


def archive_channel(server: Server, channel_id: str, user_id: str, context: Context) -> None:
    """Archive a channel, with the hook that may refuse it, and the message about it."""
    from mmhooks.testing.mattermost.areas.posts import create_post

    with server.lock:
        channel = copied(find_channel(server, channel_id))
        if channel.delete_at:
            raise bad_request(
                "api.channel.delete_channel.deleted.app_error", "The channel has been archived or deleted."
            )
        if channel.name == DefaultChannelName:
            raise bad_request("api.channel.delete_channel.cannot.app_error", "Unable to delete the default channel.")
    reason, _ = server.hooks.filter("ChannelWillBeArchived", context, channel)
    if reason:
        raise bad_request(REJECTED_BY_PLUGIN, f"Channel archiving rejected by plugin. {reason}", reason)
    with server.lock:
        author = _teller_of_archiving(server, user_id)
        name = server.state.users[user_id].username if user_id in server.state.users else "system-bot"
    if author:
        post = Post(
            channel_id=channel_id,
            user_id=author,
            type=PostTypeChannelDeleted,
            message=f"@{name} archived the channel." if user_id else "The channel has been archived.",
            props={"username": name},
        )
        try:
            create_post(server, post, context)
        except AppError as error:
            server.warn(f"the message about archiving {channel.name} was not posted: {error}")
    with server.lock:
        channel = find_channel(server, channel_id)
        channel.delete_at = channel.update_at = server.clock.stamp()


def _teller_of_archiving(server: Server, user_id: str) -> str:
    """Who posts the message: the user, or the system's bot, which is made when it is first needed."""
    from mmhooks.models import Bot
    from mmhooks.testing.mattermost.areas.bots import store_bot

    if user_id:
        return user_id
    found = server.state.usernames.get("system-bot")
    if found is None:
        admins = (user.id for user in server.state.users.values() if SystemAdminRoleId in user.roles.split())
        owner = next(admins, "")
        if not owner:
            return ""
        found = store_bot(server, Bot(username="system-bot", display_name="System", owner_id=owner)).user_id
    return found


@answers("DeleteChannel", fires=True)
def _delete_channel(server: Server, channel_id: str) -> None:
    archive_channel(server, channel_id, "", NOBODY)


@answers("GetChannel")
def _get_channel(server: Server, channel_id: str) -> Channel:
    return find_channel(server, channel_id)


def find_channel_by_name(server: Server, team_id: str, name: str, include_deleted: bool) -> Channel:
    """The stored channel of a team, or a direct or group message. Raises `NotFound`."""
    names = server.state.channel_names
    channel = server.state.channels.get(names.get((team_id, name)) or names.get(("", name)) or "")
    if channel is None or (channel.delete_at and not include_deleted):
        raise not_found("app.channel.get_by_name.missing.app_error", "Channel does not exist.", f"name={name}")
    return channel


@answers("GetChannelByName")
def _get_channel_by_name(server: Server, team_id: str, name: str, include_deleted: bool) -> Channel:
    return find_channel_by_name(server, team_id, name, include_deleted)


@answers("GetChannelByNameForTeamName")
def _get_channel_by_name_for_team_name(server: Server, team_name: str, name: str, include_deleted: bool) -> Channel:
    return find_channel_by_name(server, find_team_by_name(server, team_name).id, name, include_deleted)


def _by_display_name(channel: Channel) -> tuple[str, str]:
    return channel.display_name, channel.id


@answers("GetPublicChannelsForTeam")
def _get_public_channels_for_team(server: Server, team_id: str, number: int, size: int) -> list[Channel]:
    found = [
        channel
        for channel in server.state.channels.values()
        if channel.team_id == team_id and channel.type == ChannelTypeOpen and not channel.delete_at
    ]
    return page(sorted(found, key=_by_display_name), number, size)


@answers("GetChannelsForTeamForUser")
def _get_channels_for_team_for_user(server: Server, team_id: str, user_id: str, include_deleted: bool) -> list[Channel]:
    found = [
        channel
        for channel in server.state.channels.values()
        if channel.team_id in (team_id, "")
        and user_id in server.state.channel_members[channel.id]
        and (include_deleted or not channel.delete_at)
    ]
    if not found:
        raise not_found("app.channel.get_channels.not_found.app_error", "No channels were found.", f"user_id={user_id}")
    return sorted(found, key=_by_display_name)


@answers("SearchChannels")
def _search_channels(server: Server, team_id: str, term: str) -> list[Channel]:
    term = term.lower()
    found = [
        channel
        for channel in server.state.channels.values()
        if channel.team_id == team_id
        and channel.type == ChannelTypeOpen
        and not channel.delete_at
        and (term in channel.name or term in channel.display_name.lower() or term in channel.purpose.lower())
    ]
    return sorted(found, key=_by_display_name)


@answers("UpdateChannel")
def _update_channel(server: Server, channel: Channel | None) -> Channel:
    changed = copied(channel or Channel())
    changed.update_at = server.clock.stamp()
    _check(changed)
    if changed.delete_at:
        raise bad_request("app.channel.update.bad_id", "An archived channel cannot be updated.")
    stored = server.state.channels.get(changed.id)
    if stored is None:
        return changed  # a row that is not there is not updated, and the server looks at nothing else
    names = server.state.channel_names
    if names.get((changed.team_id, changed.name), changed.id) != changed.id:
        raise bad_request("store.sql_channel.update.exists.app_error", "A channel with that name already exists.")
    del names[stored.team_id, stored.name]
    names[changed.team_id, changed.name] = changed.id
    server.state.channels[changed.id] = changed
    return changed


@answers("GetChannelStats")
def _get_channel_stats(server: Server, channel_id: str) -> ChannelStats:
    find_channel(server, channel_id)
    members = [
        user_id
        for user_id in server.state.channel_members[channel_id]
        if (user := server.state.users.get(user_id)) is not None and not user.delete_at
    ]
    # Mattermost's plugin API gives the number of members twice.
    return ChannelStats(channel_id=channel_id, member_count=len(members), guest_count=len(members))


def direct_channel(server: Server, user_id: str, other_id: str, context: Context) -> Channel:
    """The direct message of two users, which is made when there is none, with the hook."""
    from mmhooks.testing.mattermost.areas.channel_members import store_member

    with server.lock:
        for each in (user_id, other_id):
            if each not in server.state.users:
                raise bad_request(
                    "api.channel.create_direct_channel.invalid_user.app_error", "Invalid user ID.", f"user_id={each}"
                )
        name = "__".join(sorted((user_id, other_id)))
        found = server.state.channel_names.get(("", name))
        if found is not None:
            return copied(server.state.channels[found])
        channel = store_channel(server, Channel(type=ChannelTypeDirect, name=name, creator_id=user_id))
        for each in dict.fromkeys((user_id, other_id)):
            store_member(server, channel.id, each)
        server.hooks.later("ChannelHasBeenCreated", context, channel)
        return copied(channel)


@answers("GetDirectChannel")
def _get_direct_channel(server: Server, user_id: str, other_id: str) -> Channel:
    return direct_channel(server, user_id, other_id, NOBODY)


def group_channel(server: Server, user_ids: list[str], context: Context) -> Channel:
    """The group message of some users, which is made when there is none, with the hook."""
    from mmhooks.testing.mattermost.areas.channel_members import store_member

    with server.lock:
        if not 3 <= len(user_ids) <= 8:
            raise bad_request(
                "api.channel.create_group.bad_size.app_error", "Groups have at least 3 and at most 8 users."
            )
        users = [server.state.users[user_id] for user_id in dict.fromkeys(user_ids) if user_id in server.state.users]
        if len(users) != len(user_ids):
            raise bad_request("api.channel.create_group.bad_user.app_error", "One of the users does not exist.")
        name = hashlib.sha1("".join(sorted(user_ids)).encode(), usedforsecurity=False).hexdigest()
        found = server.state.channel_names.get(("", name))
        if found is not None:
            return copied(server.state.channels[found])
        display_name = ", ".join(sorted(user.username for user in users))[:64]
        channel = store_channel(server, Channel(type=ChannelTypeGroup, name=name, display_name=display_name))
        for user in users:
            store_member(server, channel.id, user.id)
        server.hooks.later("ChannelHasBeenCreated", context, channel)
        return copied(channel)


@answers("GetGroupChannel")
def _get_group_channel(server: Server, user_ids: list[str]) -> Channel:
    return group_channel(server, user_ids, NOBODY)
