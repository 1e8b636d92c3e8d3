"""Who comes and goes: what a test lets people do with teams and channels."""

from __future__ import annotations

from mmhooks.models import Channel, ChannelMember, TeamMember
from mmhooks.models import constants as c
from mmhooks.testing.mattermost import rest
from mmhooks.testing.mattermost.acting import Acting
from mmhooks.testing.mattermost.areas.channel_members import add_member, join_post, remove_member, store_member
from mmhooks.testing.mattermost.areas.channels import archive_channel, create_channel
from mmhooks.testing.mattermost.areas.posts import create_post
from mmhooks.testing.mattermost.areas.team_members import add_team_member, remove_team_member
from mmhooks.testing.mattermost.lookups import ChannelRef, TeamRef, UserRef


class Moving(Acting):
    """See `Acting`."""

    def create_channel(
        self,
        name: str,
        *,
        user: UserRef | None = None,
        team: TeamRef | None = None,
        private: bool = False,
        display_name: str = "",
        header: str = "",
        purpose: str = "",
    ) -> Channel:
        """Make a channel, with ChannelHasBeenCreated. Who makes it is its first member, and no hook tells of that."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                team_id = self._team_id(self._team if team is None else team)
                permission = c.PermissionCreatePrivateChannel if private else c.PermissionCreatePublicChannel
                rest.need_in_team(self.server, user_id, team_id, permission)
            channel = Channel(
                team_id=team_id,
                type=c.ChannelTypePrivate if private else c.ChannelTypeOpen,
                name=name,
                display_name=display_name or name,
                header=header,
                purpose=purpose,
                creator_id=user_id,
            )
            made = create_channel(self.server, channel, context)
            with self.server.lock:
                store_member(self.server, made.id, user_id, admin=True)
                username = self.server.state.users[user_id].username
            self.server.try_to(lambda: create_post(self.server, join_post(made.id, user_id, username), context))
        return self.channel(made)

    def archive_channel(self, channel: ChannelRef, *, user: UserRef | None = None) -> None:
        """Archive a channel. Raises `BadRequest` when a plugin refuses it."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                where = self.server.state.channels[self._channel_id(channel)]
                rest.need_in_channel(self.server, user_id, where, rest.archiving_permission(where))
            archive_channel(self.server, where.id, user_id, context)

    def join(self, channel: ChannelRef, *, user: UserRef | None = None) -> ChannelMember:
        """Join an open channel. Raises `BadRequest` when a plugin refuses it."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                where = self.server.state.channels[self._channel_id(channel)]
                if where.type == c.ChannelTypeOpen:
                    rest.need_in_team(self.server, user_id, where.team_id, c.PermissionJoinPublicChannels)
                else:
                    rest.need_in_channel(self.server, user_id, where, rest.members_permission(where))
            return add_member(self.server, where.id, user_id, user_id, context)

    def leave(self, channel: ChannelRef, *, user: UserRef | None = None) -> None:
        """Leave a channel."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                channel_id = self._channel_id(channel)
            remove_member(self.server, channel_id, user_id, user_id, context)

    def add_to_channel(self, channel: ChannelRef, member: UserRef, *, user: UserRef | None = None) -> ChannelMember:
        """Add somebody to a channel. Raises `BadRequest` when a plugin refuses it."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                where, member_id = self.server.state.channels[self._channel_id(channel)], self._user_id(member)
                rest.need_in_channel(self.server, user_id, where, rest.members_permission(where))
            return add_member(self.server, where.id, member_id, user_id, context)

    def remove_from_channel(self, channel: ChannelRef, member: UserRef, *, user: UserRef | None = None) -> None:
        """Take somebody out of a channel."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                where, member_id = self.server.state.channels[self._channel_id(channel)], self._user_id(member)
                rest.need_in_channel(self.server, user_id, where, rest.members_permission(where))
            remove_member(self.server, where.id, member_id, user_id, context)

    def join_team(self, team: TeamRef, *, user: UserRef | None = None) -> TeamMember:
        """Join a team, and with it its town-square and off-topic, of which no hook tells. Raises `BadRequest` when a plugin
        refuses it."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                team_id = self._team_id(team)
            return add_team_member(self.server, team_id, user_id, "", context)

    def leave_team(self, team: TeamRef, *, user: UserRef | None = None) -> None:
        """Leave a team, and with it all its channels, of which no hook tells."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                team_id = self._team_id(team)
            remove_team_member(self.server, team_id, user_id, user_id, context)

    def remove_from_team(self, team: TeamRef, member: UserRef, *, user: UserRef | None = None) -> None:
        """Take somebody out of a team."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                team_id, member_id = self._team_id(team), self._user_id(member)
                rest.need_in_team(self.server, user_id, team_id, c.PermissionRemoveUserFromTeam)
            remove_team_member(self.server, team_id, member_id, user_id, context)
