"""What happens on the console's Mattermost, as lines of text, each thing once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import click

from mmhooks.hooks import HOOKS, Hook, HookName
from mmhooks.models import Channel, Post
from mmhooks.models import constants as c
from mmhooks.outcomes import Outcome, Replaced
from mmhooks.testing.results import lost_changes

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.live import LiveMattermost
    from mmhooks.testing.process import LogLine

_COLOURS = {
    "stored": "green",
    "changed": "cyan",
    "rejected": "red",
    "error": "red",
    "answer": "green",
    "warning": "yellow",
}

_INDENT = "\n" + " " * 12


class Say(Protocol):
    """Prints a line."""

    def __call__(self, text: str, /) -> object:
        """See above."""


def show(say: Say, what: str, text: str) -> None:
    """Print a line with a word before it: what became of something, or who says it."""
    say(f"  {click.style(f'{what:9}', fg=_COLOURS.get(what, 'blue'))} {text.replace(chr(10), _INDENT)}")


@dataclass(frozen=True)
class Asked:
    """A hook that the plugin was asked by, about a post."""

    hook: str
    typed: str
    """The message as it was."""
    outcome: Outcome
    changed: bool
    lost: str
    """What no released server can be told of the change."""


class News:
    """Knows what people at the console have been shown.

    Arguments:
        say: prints a line.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self.mattermost: LiveMattermost
        """Where it happens."""
        self.asked: list[Asked] = []
        """What the plugin was asked by MessageWillBePosted and MessageWillBeUpdated; emptied by whoever looks at it."""
        self._lock = threading.Lock()
        self._lines_lock = threading.Lock()
        self._lines: list[str] = []
        self._unfinished = ""
        self._posts: dict[str, tuple[str, bool]] = {}
        self._ephemeral: dict[str, str] = {}
        self._reactions: dict[tuple[str, str, str], None] = {}
        self._logged = self._told = self._calls = 0

    def log(self, line: LogLine) -> None:
        """The plugin has logged something, elsewhere than by its API."""
        with self._lines_lock:
            self._lines += _log_lines(line)
        self.mattermost.server.news.tell()

    def printed(self, text: str) -> None:
        """The plugin has printed something."""
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        with self._lines_lock:
            self._lines += [f"  print: {line}" for line in lines]
        self.mattermost.server.news.tell()

    def called(self, hook: Hook, arguments: Sequence[Any], outcome: Outcome) -> None:
        """The plugin was called."""
        if hook.name in (HookName.MessageWillBePosted, HookName.MessageWillBeUpdated):
            before: Post = arguments[1]
            changed = isinstance(outcome, Replaced) and outcome.value != before
            self.asked.append(
                Asked(hook.name, before.message, outcome, changed, lost_changes(hook, arguments, outcome))
            )

    @property
    def waiting(self) -> bool:
        """Whether there may be something to show."""
        records = self.mattermost.server.records
        return bool(self._lines) or self._calls != len(records.calls)

    def knows(self, post: Post) -> None:
        """A post has been shown as it is."""
        self._posts[post.id] = _signature(post)

    def knows_answer(self, text: str, user_id: str) -> None:
        """A command's answer has been shown: the posts that it became need not be."""
        with self.mattermost.server.lock:
            for shown in self.mattermost.server.records.ephemeral:
                if shown.user_id == user_id and shown.post.message == text:
                    self._ephemeral.setdefault(shown.post.id, text)
            for post in self.mattermost.server.state.posts.values():
                if post.user_id == user_id and post.message == text:
                    self._posts.setdefault(post.id, _signature(post))

    def show_failures(self) -> bool:
        """Print which handlers failed. Result: whether there were any."""
        failures = self.mattermost.errors
        new, self._told = failures[self._told :], len(failures)
        for failure in new:
            text = str(failure.error)
            goes_on = HOOKS[failure.hook].kind.may_reject and not self._dead
            if failure.hook not in (HookName.MessageWillBePosted, text.partition(":")[0]) and not self._dead:
                text = f"{failure.hook}: {text}"
            show(self._say, "error", f"{text}: a server goes on as if the plugin were absent" if goes_on else text)
        return bool(new)

    @property
    def _dead(self) -> bool:
        process = self.mattermost.process
        return process is not None and process.has_ended

    def show(self, here: str, *, only_log: bool = False, begin: Callable[[], None] | None = None) -> bool:
        """Print all that is new.

        Arguments:
            here: the id of the channel that people look at. Posts in another one are shown with its name.
            only_log: print what the plugin logs and prints, and leave the rest for later.
            begin: called before the first line.

        Result: whether there was anything.
        """
        with self._lock:
            printed = [] if only_log else self._happened(here)
            log = self._log()
            if begin and (printed or log):
                begin()
            for who, text in printed:
                show(self._say, who, text)
            for line in log:
                self._say(click.style(line, dim=True))
            return bool(printed or log)

    def _happened(self, here: str) -> list[tuple[str, str]]:
        server = self.mattermost.server
        with server.lock:
            self._calls = len(server.records.calls)
            return [*self._new_posts(here), *self._new_ephemeral(here), *self._new_reactions()]

    def _new_posts(self, here: str) -> Iterator[tuple[str, str]]:
        state = self.mattermost.server.state
        fresh = [
            post
            for post in state.posts.values()
            if not post.original_id and self._posts.get(post.id) != _signature(post)
        ]
        for post in sorted(fresh, key=lambda post: post.update_at):
            known, signature = self._posts.get(post.id), _signature(post)
            self._posts[post.id] = signature
            if known is None and post.delete_at:
                continue
            did = "" if known is None else "deleted: " if post.delete_at else "edited: "
            yield self._author(post), self._place(post, here) + did + signature[0]

    def _new_ephemeral(self, here: str) -> Iterator[tuple[str, str]]:
        for shown in self.mattermost.server.records.ephemeral:
            text = text_of(shown.post)
            if self._ephemeral.get(shown.post.id) != text:
                self._ephemeral[shown.post.id] = text
                place = self._place(shown.post, here)
                yield self._author(shown.post), f"{place}only {self.name(shown.user_id)} sees: {text}"

    def _new_reactions(self) -> Iterator[tuple[str, str]]:
        state = self.mattermost.server.state
        now = {
            (post_id, user_id, emoji): None
            for post_id, reactions in state.reactions.items()
            for user_id, emoji in reactions
        }
        for what, keys in (("", now.keys() - self._reactions), ("no more ", self._reactions.keys() - now)):
            for post_id, user_id, emoji in sorted(keys):
                if post_id in state.posts:
                    yield self.name(user_id), f"{what}:{emoji}: to {_short(text_of(state.posts[post_id]))!r}"
        self._reactions = now

    def _log(self) -> list[str]:
        with self._lines_lock:
            lines, self._lines = self._lines, []
        records = self.mattermost.log
        for record in records[self._logged :]:
            lines += _log_lines(record)
        self._logged = len(records)
        return lines

    def _author(self, post: Post) -> str:
        if post.type.startswith(c.PostSystemMessagePrefix) and post.type != c.PostTypeEphemeral:
            return "system"
        return str(post.props.get(c.PostPropsOverrideUsername) or self.name(post.user_id) or "system")

    def name(self, user_id: str) -> str:
        """The username for an id."""
        user = self.mattermost.server.state.users.get(user_id)
        return user.username if user else user_id

    def _place(self, post: Post, here: str) -> str:
        channel = self.mattermost.server.state.channels.get(post.channel_id)
        if channel is None or channel.id == here:
            return ""
        if channel.type == c.ChannelTypeOpen or channel.type == c.ChannelTypePrivate:
            return f"(in {channel.name}) "
        return f"(to {', '.join(self.others(channel, post.user_id))}) "

    def others(self, channel: Channel, user_id: str) -> list[str]:
        """With whom somebody is in a direct or group message."""
        members = self.mattermost.server.state.channel_members[channel.id]
        return [self.name(member) for member in members if member != user_id] or [self.name(user_id)]


def text_of(post: Post) -> str:
    """What people read of a post."""
    attachments: Any = post.props.get(c.PostPropsAttachments) or []
    texts = [post.message] if post.message else []
    for attachment in attachments:
        fields = attachment if isinstance(attachment, dict) else attachment.to_dict()
        shown = [fields.get(name) for name in ("pretext", "title", "text")]
        texts.append("[" + " | ".join(filter(None, shown or [fields.get("fallback")])) + "]")
    return "\n".join(texts) or "(no text)"


def _signature(post: Post) -> tuple[str, bool]:
    return text_of(post), bool(post.delete_at)


def _short(text: str) -> str:
    first = text.partition("\n")[0]
    return first if len(first) <= 40 else first[:39] + "…"


def _log_lines(line: Any) -> list[str]:
    fields = ["    " + str(value).replace("\n", "\n    ") for value in line.fields.values()]
    return [f"  log {line.level}: {line.message}", *fields]
