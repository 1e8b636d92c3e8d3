"""What a test asks the in-memory Mattermost for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TypeAlias

from mmhooks.models import Channel, OpenDialogRequest, Post, Reaction, Team, User
from mmhooks.testing.mattermost.clock import Clock
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.records import ApiCall, LogLine, Mail, Notification, Toast, Typing, WebSocketEvent
from mmhooks.testing.mattermost.server import Server

UserRef: TypeAlias = User | str
"""A user: the model, a username with or without `@`, or an id."""
TeamRef: TypeAlias = Team | str
"""A team: the model, its name, or its id."""
ChannelRef: TypeAlias = Channel | str
"""A channel: the model, its name with or without `~`, or its id."""
PostRef: TypeAlias = Post | str
"""A post: the model, or its id."""


class Lookups:
    """Finds what is there. Everything that it gives is a copy of what the server has at that moment."""

    def __init__(self, server: Server) -> None:
        self.server = server
        """The server itself, for whoever serves it otherwise."""

    @property
    def clock(self) -> Clock:
        """The server's clock, which stands still until a test moves it: `mattermost.clock.advance(hours=1)`."""
        return self.server.clock

    def user(self, user: UserRef) -> User:
        """A user as the server has stored it, by name or id. Raises `LookupError` with the nearest name."""
        with self.server.lock:
            return copied(self.server.state.users[self._user_id(user)])

    def team(self, team: TeamRef) -> Team:
        """A team, by name or id. Raises `LookupError` with the nearest name."""
        with self.server.lock:
            return copied(self.server.state.teams[self._team_id(team)])

    def channel(self, channel: ChannelRef, *, team: TeamRef | None = None) -> Channel:
        """A channel, by name or id, archived ones too. Raises `LookupError` with the nearest name.

        Arguments:
            team: whose channel is meant; without it that of the server's first team which has one of that name.
        """
        with self.server.lock:
            return copied(self.server.state.channels[self._channel_id(channel, team)])

    def get_post(self, post: PostRef) -> Post:
        """A post as it is stored now, deleted ones too. Raises `LookupError`."""
        post_id = post if isinstance(post, str) else post.id
        with self.server.lock:
            if post_id not in self.server.state.posts:
                raise LookupError(f"there is no post {post_id!r}")
            return copied(self.server.state.posts[post_id])

    def posts(self, channel: ChannelRef, *, system: bool = False) -> list[Post]:
        """The posts of a channel that are not deleted, the oldest first.

        Arguments:
            system: the server's own messages, too: "alice joined the channel."
        """
        with self.server.lock:
            timeline = self.server.state.timelines[self._channel_id(channel)]
            found = [self.server.state.posts[post_id] for _, _, post_id in timeline]
            return copied([p for p in found if not p.delete_at and (system or not p.type.startswith("system_"))])

    def thread(self, post: PostRef) -> list[Post]:
        """The replies to a post that are not deleted, the oldest first."""
        root = self.get_post(post)
        with self.server.lock:
            replies = [self.server.state.posts[reply] for reply in self.server.state.threads.get(root.id, [])]
            return copied([reply for reply in replies if not reply.delete_at])

    def reactions(self, post: PostRef) -> list[Reaction]:
        """The reactions to a post, the oldest first."""
        post_id = self.get_post(post).id
        with self.server.lock:
            return copied([*self.server.state.reactions.get(post_id, {}).values()])

    def ephemeral_posts(self, user: UserRef | None = None) -> list[Post]:
        """The ephemeral posts that a user sees, or anybody, the oldest first; with their last texts, without those that were
        taken away."""
        with self.server.lock:
            user_id = None if user is None else self._user_id(user)
            return copied([shown.post for shown in self.server.records.ephemeral if user_id in (None, shown.user_id)])

    def members(self, channel: ChannelRef) -> list[User]:
        """The users in a channel, by name."""
        with self.server.lock:
            found = [
                self.server.state.users[user] for user in self.server.state.channel_members[self._channel_id(channel)]
            ]
            return copied(sorted(found, key=lambda user: user.username))

    @property
    def kv(self) -> dict[str, bytes]:
        """What the plugin has in its key-value store and has not expired."""
        with self.server.lock:
            now = self.server.clock.now
            return {key: value for key, (value, end) in self.server.state.keys.items() if not end or end > now}

    @property
    def calls(self) -> list[ApiCall]:
        """The plugin's calls of the API, as `(method, arguments)`, the oldest first."""
        return [*self.server.records.calls]

    def calls_of(self, method: str) -> list[ApiCall]:
        """The plugin's calls of one method, by Mattermost's name for it: `CreatePost`."""
        return [call for call in self.calls if call.method == method]

    @property
    def log(self) -> list[LogLine]:
        """What the plugin wrote into the server's log by the API."""
        return [*self.server.records.log]

    @property
    def websocket_events(self) -> list[WebSocketEvent]:
        """The events that the plugin sent to clients."""
        return [*self.server.records.websocket_events]

    @property
    def mails(self) -> list[Mail]:
        """The mails that the plugin sent."""
        return [*self.server.records.mails]

    @property
    def notifications(self) -> list[Notification]:
        """The push notifications that the plugin sent, but for those that it refused itself."""
        return [*self.server.records.notifications]

    @property
    def dialogs(self) -> list[OpenDialogRequest]:
        """The dialogs that the plugin opened."""
        return copied(self.server.records.dialogs)

    @property
    def toasts(self) -> list[Toast]:
        """The short notices that the plugin showed."""
        return [*self.server.records.toasts]

    @property
    def typing(self) -> list[Typing]:
        """Of whom the plugin said that they are typing."""
        return [*self.server.records.typing]

    def _user_id(self, user: UserRef) -> str:
        state = self.server.state
        text = user.id if isinstance(user, User) else user.removeprefix("@")
        found = text if text in state.users else state.usernames.get(text.lower())
        if found is None:
            raise LookupError(_nobody("user", text, state.usernames, "mattermost.add_user({!r})"))
        return found

    def _team_id(self, team: TeamRef) -> str:
        state = self.server.state
        text = team.id if isinstance(team, Team) else team
        found = text if text in state.teams else state.team_names.get(text)
        if found is None:
            raise LookupError(_nobody("team", text, state.team_names, "mattermost.add_team({!r})"))
        return found

    def _channel_id(self, channel: ChannelRef, team: TeamRef | None = None) -> str:
        state = self.server.state
        text = channel.id if isinstance(channel, Channel) else channel.removeprefix("~")
        if text in state.channels:
            return text
        teams = [*state.teams] if team is None else [self._team_id(team)]
        for team_id in (*teams, ""):
            if (team_id, text) in state.channel_names:
                return state.channel_names[team_id, text]
        names = [name for team_id, name in state.channel_names if team_id in teams]
        raise LookupError(_nobody("channel", text, names, "mattermost.add_channel({!r})"))


def _nobody(what: str, name: str, known: Iterable[str], how: str) -> str:
    close = difflib.get_close_matches(name, [*known], n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"make one by {how.format(name)}"
    return f"there is no {what} {name!r}; {hint}"
