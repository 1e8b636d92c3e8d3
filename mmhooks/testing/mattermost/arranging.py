"""What a test puts into the in-memory Mattermost before something happens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmhooks.models import Bot, Channel, Emoji, Post, Team, User
from mmhooks.models import constants as c
from mmhooks.testing.mattermost.areas.bots import store_bot
from mmhooks.testing.mattermost.areas.channel_members import store_member
from mmhooks.testing.mattermost.areas.channels import store_channel
from mmhooks.testing.mattermost.areas.posts import store_post
from mmhooks.testing.mattermost.areas.team_members import store_team_member
from mmhooks.testing.mattermost.areas.teams import store_team
from mmhooks.testing.mattermost.areas.users import store_user
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.lookups import ChannelRef, Lookups, PostRef, TeamRef, UserRef

PASSWORD = "password"


class Arranging(Lookups):
    """Puts things where they have always been: no hook is called, and no message tells of it. What plugins are to see
    happen is done by the other methods: `sign_up`, `join`, `create_channel`."""

    _team: str = ""

    def add_user(
        self, username: str, *, teams: Iterable[TeamRef] | None = None, roles: str = "", **fields: Any
    ) -> User:
        """An account, and a member of a team's town-square and off-topic.

        Arguments:
            username: small letters, digits, dots, dashes and underscores.
            teams: of which teams; the server's first team unless given.
            roles: for the whole server, such as `system_user system_admin`.
            fields: other fields of the model: `first_name`, `email`, `locale`.

        Raises `AppError` for what a server would refuse.
        """
        given = {"email": f"{username}@example.com", "password": PASSWORD, **fields}
        with self.server.lock:
            team_ids = [self._team_id(team) for team in ([self._team] if teams is None else teams)]
            user = store_user(self.server, User(username=username, **given))
            user.roles = roles or user.roles
            for team_id in team_ids:
                store_team_member(self.server, team_id, user.id)
            return copied(user)

    def add_bot(self, username: str, **fields: Any) -> User:
        """A bot that is not the plugin's own, in the server's first team. Result: the user behind it."""
        with self.server.lock:
            owner = self.server.state.users[self._user_id("admin")].id
            bot = store_bot(self.server, Bot(username=username, **{"owner_id": owner, **fields}))
            store_team_member(self.server, self._team_id(self._team), bot.user_id)
            return copied(self.server.state.users[bot.user_id])

    def add_team(
        self, name: str, *, display_name: str = "", members: Iterable[UserRef] = (), private: bool = False
    ) -> Team:
        """A team, with town-square and off-topic. Raises `AppError` for what a server would refuse."""
        kind = c.TeamInvite if private else c.TeamOpen
        with self.server.lock:
            user_ids = [self._user_id(user) for user in members]
            team = store_team(self.server, Team(name=name, display_name=display_name or _title(name), type=kind))
            for user_id in user_ids:
                store_team_member(self.server, team.id, user_id)
            return copied(team)

    def add_channel(
        self,
        name: str,
        *,
        team: TeamRef | None = None,
        members: Iterable[UserRef] = (),
        private: bool = False,
        display_name: str = "",
        **fields: Any,
    ) -> Channel:
        """A channel of a team, the server's first one unless given; a channel that is there already gets the members.

        Members who are not in the team yet are put into it. Raises `AppError` for what a server would refuse.
        """
        kind = c.ChannelTypePrivate if private else c.ChannelTypeOpen
        with self.server.lock:
            state, team_id = self.server.state, self._team_id(self._team if team is None else team)
            user_ids = [self._user_id(user) for user in members]
            found = state.channel_names.get((team_id, name))
            if found is None:
                given = {"display_name": display_name or _title(name), "type": kind, **fields}
                found = store_channel(self.server, Channel(team_id=team_id, name=name, **given)).id
            for user_id in user_ids:
                member = state.team_members[team_id].get(user_id)
                if member is None or member.delete_at:
                    store_team_member(self.server, team_id, user_id)
                store_member(self.server, found, user_id)
            return copied(state.channels[found])

    def add_post(
        self, channel: ChannelRef, message: str, *, user: UserRef = "admin", root: PostRef | None = None, **fields: Any
    ) -> Post:
        """A post that has been there for long. Raises `AppError` for what a server would refuse."""
        with self.server.lock:
            root_id = "" if root is None else root if isinstance(root, str) else root.id
            post = Post(
                channel_id=self._channel_id(channel),
                user_id=self._user_id(user),
                message=message,
                root_id=root_id,
                **copied(fields),
            )
            return copied(store_post(self.server, post))

    def add_emoji(self, name: str, *, creator: UserRef = "admin", image: bytes = b"") -> Emoji:
        """A custom emoji."""
        with self.server.lock:
            now = self.server.clock.stamp()
            emoji = Emoji(id=new_id(), name=name, creator_id=self._user_id(creator), create_at=now, update_at=now)
            self.server.state.emoji[name] = emoji
            if image:
                self.server.state.images[emoji.id] = image
            return copied(emoji)


def _title(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").title()
