"""What people type at the console: messages, the plugin's commands, and the console's own, which begin with a colon."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mmhooks.cli.news import Asked, News, Say, show, text_of
from mmhooks.errors import AppError, MmhooksError
from mmhooks.hooks import HookName
from mmhooks.models import Channel, Command, Post
from mmhooks.models import constants as c
from mmhooks.outcomes import DISMISSED, Rejected
from mmhooks.testing.mattermost.live import LiveMattermost

_OWN = re.compile(r":([a-z]+)(?: +(.*))?", re.DOTALL)
"""A command of the console. A message may begin with an emoji: `:smile: hello`."""

SILENTLY = "(silently: the author is told nothing)"


class Refused(Exception):
    """What was typed cannot be done; the text says why."""


class Typist:
    """Somebody at the console, who is one user in one channel at a time.

    Arguments:
        mattermost: where they are.
        news: what they have been shown.
        say: prints a line.
        user: the name of the user, who is made if there is none.
        channel: the name of the channel, likewise.
        props: of what they post.
    """

    def __init__(
        self,
        mattermost: LiveMattermost,
        news: News,
        say: Say,
        *,
        user: str,
        channel: str,
        props: Mapping[str, Any],
    ) -> None:
        self._mattermost, self._news, self._say = mattermost, news, say
        self._props = props
        self._warned = False
        self._user = user.removeprefix("@")
        if not self._is_user(self._user):
            mattermost.add_user(self._user)
        self._first = mattermost.add_channel(channel.removeprefix("~"), members=[self._user])
        self._channel = self._first
        self._commands: dict[str, tuple[Callable[[str], bool], str, str]] = {
            "as": (self._be, "user", "be somebody else; an account that is not there is made"),
            "in": (self._go, "channel", "go to a channel, and join it; one that is not there is made"),
            "dm": (self._go_direct, "user", "go to your direct messages with somebody, a bot for example"),
            "reply": (self._reply, "text", "answer the last post, in its thread"),
            "react": (self._react, "emoji", "react to the last post; once more takes it back"),
            "edit": (self._edit, "text", "edit your last post"),
            "delete": (self._delete, "", "delete your last post"),
            "posts": (self._list, "", "list the posts of the channel"),
            "help": (self._help, "", "show this"),
        }

    @property
    def channel_id(self) -> str:
        """Where they are."""
        return self._channel.id

    @property
    def prompt(self) -> str:
        """Who they are, and where."""
        return f"{self._user} in {self._name_of(self._channel)}> "

    def take(self, line: str) -> bool:
        """Do what a line says. Result: whether it could be done; a message that the plugin rejects could."""
        self._news.asked.clear()
        own = _OWN.fullmatch(line.strip())
        try:
            if own:
                return self._own(own[1], own[2] or "")
            return self._run(line) if line.startswith("/") else self._post(line)
        except AppError as error:
            self._news.show_failures()
            show(self._say, "error", error.message or str(error))
        except (Refused, LookupError, MmhooksError) as error:
            show(self._say, "error", str(error))
        return False

    def _own(self, name: str, argument: str) -> bool:
        if name not in self._commands:
            close = difflib.get_close_matches(name, self._commands, n=1)
            hint = f"did you mean :{close[0]}?" if close else ":help lists what there is"
            raise Refused(f"the console has no command :{name}; {hint}")
        run, wanted, _ = self._commands[name]
        if wanted and not argument:
            raise Refused(f":{name} needs a word more: :{name} <{wanted}>")
        return run(argument)

    def _be(self, name: str) -> bool:
        name = name.removeprefix("@")
        if not self._is_user(name):
            self._mattermost.sign_up(name)
            self._mattermost.join_team(self._mattermost.main_team, user=name)
        self._user = name
        if not self._is_member(self._channel):
            if self._channel.type == c.ChannelTypeOpen:
                self._mattermost.join(self._channel, user=name)
            else:
                self._go(self._first.name)
        return True

    def _go(self, name: str) -> bool:
        name = name.removeprefix("~")
        team = self._mattermost.main_team
        with self._mattermost.server.lock:
            there = (team.id, name) in self._mattermost.server.state.channel_names
        channel = self._mattermost.channel(name, team=team) if there else self._mattermost.create_channel(name)
        if not self._is_member(channel):
            self._mattermost.join(channel, user=self._user)
        self._channel = channel
        return True

    def _go_direct(self, name: str) -> bool:
        self._channel = self._mattermost.direct_channel(name, user=self._user)
        return True

    def _post(self, message: str, root: Post | str | None = None) -> bool:
        def post() -> Post:
            return self._mattermost.post(self._channel, message, user=self._user, root=root, props=self._props)

        return self._write(HookName.MessageWillBePosted, message, post)

    def _reply(self, message: str) -> bool:
        last = self._last()
        return self._post(message, last.root_id or last)

    def _edit(self, message: str) -> bool:
        last = self._last(own=True)
        edit = partial(self._mattermost.edit_post, last, message, user=self._user)
        return self._write(HookName.MessageWillBeUpdated, message, edit)

    def _write(self, hook: str, message: str, action: Callable[[], Post]) -> bool:
        """Show what becomes of a message."""
        try:
            post = action()
        except AppError:
            asked = self._asked(hook, message)
            if asked is None or not isinstance(asked.outcome, Rejected):
                raise
            reason = asked.outcome.reason
            show(self._say, "rejected", SILENTLY if reason == DISMISSED else reason)
            return True
        asked = self._asked(hook, message)
        failed = self._news.show_failures()
        changed = asked is not None and asked.changed
        show(self._say, "changed" if changed else "stored", post.message)
        if changed and post.props:
            self._say(f"            props {post.props}")
        if asked is not None and asked.lost and self._mattermost.host == "grpc":  # over net/rpc the plugin logs it
            show(self._say, "warning", asked.lost)
        self._news.knows(post)
        return not failed

    def _asked(self, hook: str, message: str) -> Asked | None:
        """What the plugin was asked about a message that was typed."""
        return next((each for each in self._news.asked if (each.hook, each.typed) == (hook, message)), None)

    def _react(self, emoji: str) -> bool:
        emoji, last = emoji.strip(":"), self._last()
        user_id = self._mattermost.user(self._user).id
        given = any((found.user_id, found.emoji_name) == (user_id, emoji) for found in self._mattermost.reactions(last))
        change = self._mattermost.unreact if given else self._mattermost.react
        change(last, emoji, user=self._user)
        return True

    def _delete(self, _: str) -> bool:
        self._mattermost.delete_post(self._last(own=True), user=self._user)
        return True

    def _last(self, *, own: bool = False) -> Post:
        posts = self._mattermost.posts(self._channel)
        if own:
            user_id = self._mattermost.user(self._user).id
            posts = [post for post in posts if post.user_id == user_id]
        if not posts:
            raise Refused(f"there is no post {'of yours ' * own}in {self._name_of(self._channel)}")
        return posts[-1]

    def _list(self, _: str) -> bool:
        for post in self._mattermost.posts(self._channel):
            text = "  ↳ " * bool(post.root_id) + text_of(post)
            reactions = self._mattermost.reactions(post)
            if reactions:
                text += "  " + " ".join(f":{found.emoji_name}: {self._news.name(found.user_id)}" for found in reactions)
            show(self._say, self._news.name(post.user_id), text)
        return True

    def _help(self, _: str) -> bool:
        self._say("  A line is a message, or a /command of the plugin's. The console's own:")
        for name, (_run, wanted, text) in self._commands.items():
            usage = f":{name} <{wanted}>" if wanted else f":{name}"
            self._say(f"    {usage:16} {text}")
        return True

    def _run(self, line: str) -> bool:
        server = self._mattermost.server
        with server.lock:
            registered = [command.trigger for command in server.state.plugin_commands]
        trigger = line.split(" ", 1)[0][1:].lower()
        if trigger in registered:
            return self._execute(line)
        if registered:
            close = difflib.get_close_matches(trigger, registered, n=1)
            hint = f"did you mean /{close[0]}?" if close else "it has " + ", ".join(f"/{name}" for name in registered)
            raise Refused(f"the plugin has not registered /{trigger}; {hint}")
        if not server.hooks.has(HookName.ExecuteCommand):
            raise Refused("the plugin has no commands, and no handler for ExecuteCommand")
        return self._execute_unregistered(line, trigger)

    def _execute_unregistered(self, line: str, trigger: str) -> bool:
        """Run a command which a server would not know, for a handler that is being tried before it is registered."""
        server = self._mattermost.server
        if not self._warned:
            self._warned = True
            text = f"a server would not call the plugin: it has registered no commands, so not /{trigger} either"
            show(self._say, "warning", text)
        command = Command(trigger=trigger, plugin_id=server.plugin_id)
        with server.lock:
            server.state.plugin_commands.append(command)
        try:
            return self._execute(line)
        finally:
            with server.lock:
                server.state.plugin_commands[:] = [each for each in server.state.plugin_commands if each is not command]

    def _execute(self, line: str) -> bool:
        try:
            response = self._mattermost.run_command(line, user=self._user, channel=self._channel)
        except AppError as error:
            process = self._mattermost.process
            if self._news.show_failures() and process and process.has_ended:
                return False
            raise Refused(f"the user reads: {error.message or error.detailed_error}") from None
        show(self._say, "answer", response.text or "(empty)")
        if response.text:
            self._news.knows_answer(response.text, self._mattermost.user(self._user).id)
        return True

    def _is_user(self, name: str) -> bool:
        with self._mattermost.server.lock:
            return name.lower() in self._mattermost.server.state.usernames

    def _is_member(self, channel: Channel) -> bool:
        return any(member.username == self._user for member in self._mattermost.members(channel))

    def _name_of(self, channel: Channel) -> str:
        if channel.type in (c.ChannelTypeOpen, c.ChannelTypePrivate):
            return channel.name
        others = self._news.others(channel, self._mattermost.user(self._user).id)
        return ", ".join(f"@{name}" for name in others)
