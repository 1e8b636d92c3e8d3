"""Everything that the server stores: Mattermost's tables, as dicts of models."""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from mmhooks.models import (
    Bot,
    Channel,
    ChannelMember,
    Command,
    Emoji,
    FileInfo,
    Post,
    Preference,
    Reaction,
    Session,
    Status,
    Team,
    TeamMember,
    User,
    UserAccessToken,
)


@dataclass
class State:
    """The tables. Whoever reads or changes one has the server's lock, and gives nothing of it away but copies."""

    users: dict[str, User] = field(default_factory=dict)
    usernames: dict[str, str] = field(default_factory=dict)
    """Users' ids by username."""
    emails: dict[str, str] = field(default_factory=dict)
    """Users' ids by email address."""
    images: dict[str, bytes] = field(default_factory=dict)
    """The images of users, teams and emoji, by their ids."""
    bots: dict[str, Bot] = field(default_factory=dict)
    preferences: dict[tuple[str, str, str], Preference] = field(default_factory=dict)
    """By user, category and name."""
    statuses: dict[str, Status] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    access_tokens: dict[str, UserAccessToken] = field(default_factory=dict)

    teams: dict[str, Team] = field(default_factory=dict)
    team_names: dict[str, str] = field(default_factory=dict)
    team_members: dict[str, dict[str, TeamMember]] = field(default_factory=lambda: defaultdict(dict))
    """By team and user; those who have left are there, too."""

    channels: dict[str, Channel] = field(default_factory=dict)
    channel_names: dict[tuple[str, str], str] = field(default_factory=dict)
    """Channels' ids by team, which is empty for direct and group messages, and name."""
    channel_members: dict[str, dict[str, ChannelMember]] = field(default_factory=lambda: defaultdict(dict))
    """By channel and user."""

    posts: dict[str, Post] = field(default_factory=dict)
    timelines: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    """The posts of each channel, by time of creation: the time, a number for those of the same time, and the id."""
    threads: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The ids of the replies to each post."""
    reply_counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How many of them are not deleted."""
    reactions: dict[str, dict[tuple[str, str], Reaction]] = field(default_factory=lambda: defaultdict(dict))
    """By post, and by user and emoji."""
    emoji: dict[str, Emoji] = field(default_factory=dict)
    """Custom emoji by name."""
    files: dict[str, FileInfo] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    """The bytes of files, by path."""

    keys: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    """The plugin's key-value store: the value, and when it expires, 0 for never."""
    plugin_commands: list[Command] = field(default_factory=list)
    """Those that the plugin has registered, in that order."""
    commands: dict[str, Command] = field(default_factory=dict)
    """Stored slash commands, by id."""

    def place(self, post: Post) -> None:
        """Put a new post into its channel's timeline, and into its thread."""
        timeline = self.timelines[post.channel_id]
        entry = (post.create_at, len(timeline), post.id)
        if timeline and timeline[-1][0] > post.create_at:
            bisect.insort(timeline, entry)
        else:
            timeline.append(entry)
        if post.root_id:
            self.threads[post.root_id].append(post.id)
            self.reply_counts[post.root_id] += 1
        self.posts[post.id] = post


def page(items: list[Any], number: int, size: int) -> list[Any]:
    """A page of a list, counted from 0. A size of 0 gives nothing."""
    return items[max(number, 0) * size : (max(number, 0) + 1) * size] if size > 0 else []
