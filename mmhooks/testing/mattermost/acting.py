"""What a test lets people do on the in-memory Mattermost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mmhooks.errors import AppError
from mmhooks.models import (
    Channel,
    CommandArgs,
    CommandResponse,
    Context,
    FileInfo,
    Post,
    Preference,
    Reaction,
    Session,
    User,
    WebSocketRequest,
)
from mmhooks.models import constants as c
from mmhooks.testing.mattermost import rest
from mmhooks.testing.mattermost.areas import sessions
from mmhooks.testing.mattermost.areas.channels import direct_channel, find_channel
from mmhooks.testing.mattermost.areas.command_calls import execute
from mmhooks.testing.mattermost.areas.config import save_config, save_settings
from mmhooks.testing.mattermost.areas.files import find_file, upload
from mmhooks.testing.mattermost.areas.posts import create_post, delete_post, find_post, update_post
from mmhooks.testing.mattermost.areas.preferences import update_preferences
from mmhooks.testing.mattermost.areas.reactions import add_reaction, remove_reaction
from mmhooks.testing.mattermost.areas.statuses import set_status
from mmhooks.testing.mattermost.areas.users import create_user, set_active
from mmhooks.testing.mattermost.arranging import PASSWORD, Arranging
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, failure, not_found
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.lookups import ChannelRef, PostRef, UserRef
from mmhooks.testing.mattermost.server import Server


class Acting(Arranging):
    """Does what people do with their clients: with permissions asked for, hooks called, and messages posted, as a server does.

    Each method returns when all of it has happened, the hooks that a server calls afterwards included, and what these have
    caused. It raises what the REST API would answer (an `AppError`), and what a handler of the plugin raised meanwhile.
    Who does it is `user`; without one it is the administrator.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._sessions: dict[str, str] = {}
        self._connections: dict[str, str] = {}
        self._frames = 0

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        """Something happens: wait for its ends, and raise what handlers raised."""
        yield

    @contextlib.contextmanager
    def _as(self, user: UserRef | None) -> Iterator[tuple[str, Context]]:
        """Somebody does something by the REST API."""
        with self.acting():
            with self.server.lock:
                user_id = self._user_id("admin" if user is None else user)
                context = self._context(user_id)
            yield user_id, context

    def _context(self, user_id: str) -> Context:
        session_id = self._sessions.get(user_id, "")
        session = self.server.state.sessions.get(session_id)
        if session is None or session.expires_at <= self.server.clock.now:
            session = sessions.store_session(
                self.server, sessions.new_session(self.server, self.server.state.users[user_id])
            )
            self._sessions[user_id] = session.id
        return _from_a_client(session.id)

    def post(
        self,
        channel: ChannelRef,
        message: str,
        *,
        user: UserRef | None = None,
        root: PostRef | None = None,
        props: Mapping[str, Any] | None = None,
        files: Iterable[FileInfo | str] = (),
    ) -> Post:
        """Write a message.

        Arguments:
            root: the post that it answers.
            files: what `upload` gave.

        Result: the post as it is stored after MessageWillBePosted. Raises `BadRequest` when a plugin rejects it: the text is
        "Post rejected by plugin." and the reason; of one that is dismissed the `id` is
        `plugin.message_will_be_posted.dismiss_post`. Raises `Forbidden` when the user may not write there.
        """
        with self._as(user) as (user_id, context):
            with self.server.lock:
                where = self.server.state.channels[self._channel_id(channel)]
                rest.check_writing(self.server, user_id, where, "")
                post = Post(
                    channel_id=where.id,
                    user_id=user_id,
                    message=message,
                    root_id="" if root is None else root if isinstance(root, str) else root.id,
                    props=copied(dict(props or {})),
                    file_ids=[file if isinstance(file, str) else file.id for file in files],
                )
            try:
                return create_post(self.server, post, context)
            except AppError as error:
                if error.id == "api.post.create_post.channel_root_id.app_error":
                    raise bad_request(error.id, error.message) from None
                raise

    def direct_channel(self, other: UserRef, *, user: UserRef | None = None) -> Channel:
        """Open the channel of two users' direct messages; it is made when they have none."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                other_id = self._user_id(other)
            return copied(direct_channel(self.server, user_id, other_id, context))

    def direct_message(self, to: UserRef, message: str, *, user: UserRef | None = None, **more: Any) -> Post:
        """Write a direct message, in a channel that is made when the two have none; else as `post`."""
        return self.post(self.direct_channel(to, user=user), message, user=user, **more)

    def edit_post(self, post: PostRef, message: str, *, user: UserRef | None = None) -> Post:
        """Edit a message: that of its author unless another user is given.

        Result: the post as it is stored after MessageWillBeUpdated. Raises `BadRequest` when a plugin rejects it.
        """
        stored = self.get_post(post)
        with self._as(stored.user_id if user is None else user) as (user_id, context):
            with self.server.lock:
                changed = copied(find_post(self.server, stored.id))
                channel = find_channel(self.server, changed.channel_id)
                own, others = c.PermissionEditPost, c.PermissionEditOthersPosts
                rest.check_changing(self.server, user_id, channel, changed, own, others)
                changed.message = message
            return update_post(self.server, changed, context)

    def delete_post(self, post: PostRef, *, user: UserRef | None = None) -> None:
        """Delete a message and its replies: its author does, unless another user is given."""
        stored = self.get_post(post)
        with self._as(stored.user_id if user is None else user) as (user_id, context):
            with self.server.lock:
                channel = find_channel(self.server, find_post(self.server, stored.id).channel_id)
                own, others = c.PermissionDeletePost, c.PermissionDeleteOthersPosts
                rest.check_changing(self.server, user_id, channel, stored, own, others)
            delete_post(self.server, stored.id, user_id, context)

    def react(self, post: PostRef, emoji: str, *, user: UserRef | None = None) -> Reaction:
        """Add an emoji to a message, by its name without colons."""
        with self._as(user) as (user_id, context):
            reaction = self._reaction(post, emoji, user_id, c.PermissionAddReaction)
            return add_reaction(self.server, reaction, context)

    def unreact(self, post: PostRef, emoji: str, *, user: UserRef | None = None) -> None:
        """Take an emoji back. One that is not there can be taken back, too."""
        with self._as(user) as (user_id, context):
            remove_reaction(self.server, self._reaction(post, emoji, user_id, c.PermissionRemoveReaction), context)

    def _reaction(self, post: PostRef, emoji: str, user_id: str, permission: str) -> Reaction:
        stored = self.get_post(post)
        with self.server.lock:
            rest.need_in_channel(self.server, user_id, find_channel(self.server, stored.channel_id), permission)
        return Reaction(user_id=user_id, post_id=stored.id, emoji_name=emoji)

    def run_command(
        self,
        command: str,
        *,
        user: UserRef | None = None,
        channel: ChannelRef = "town-square",
        root: PostRef | None = None,
    ) -> CommandResponse:
        """Type a slash command.

        Arguments:
            command: the whole text, with the slash.

        Result: the plugin's response, which has been posted or shown as it says. Raises `NotFound` when nobody has
        registered such a command, and the `AppError` that a handler raises.
        """
        with self._as(user) as (user_id, context):
            with self.server.lock:
                where = self.server.state.channels[self._channel_id(channel)]
                rest.need_in_channel(self.server, user_id, where, c.PermissionCreatePost)
                if where.delete_at:
                    raise bad_request(
                        "api.command.execute_command.deleted.error", "Cannot run it in a deleted channel."
                    )
                args = CommandArgs(
                    user_id=user_id,
                    channel_id=where.id,
                    team_id=where.team_id,
                    root_id="" if root is None else root if isinstance(root, str) else root.id,
                    command=command,
                )
            return execute(self.server, args, context)

    def upload(
        self, filename: str, data: bytes, *, channel: ChannelRef = "town-square", user: UserRef | None = None
    ) -> FileInfo:
        """Upload a file, for a post that is written afterwards. Raises `BadRequest` when a plugin rejects it."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                where = self.server.state.channels[self._channel_id(channel)]
                rest.need_in_channel(self.server, user_id, where, c.PermissionUploadFile)
                if len(data) > (self.server.config.FileSettings.MaxFileSize or 0):
                    raise failure("api.file.upload_file.too_large_detailed.app_error", 413, "The file is too large.")
            return upload(self.server, data, where.id, filename, user_id, context, by_plugin=False)

    def download(self, file: FileInfo | str, *, user: UserRef | None = None) -> bytes:
        """Download a file. Raises `Forbidden` when a plugin refuses it."""
        with self._as(user) as (user_id, context):
            with self.server.lock:
                info = copied(find_file(self.server, file if isinstance(file, str) else file.id))
                if info.user_id != user_id:
                    if info.channel_id not in self.server.state.channels:
                        raise not_found("app.file_info.get.app_error", "Unable to get file info.")
                    channel = find_channel(self.server, info.channel_id)
                    rest.need_in_channel(self.server, user_id, channel, c.PermissionReadChannelContent)
            reason, _ = self.server.hooks.filter("FileWillBeDownloaded", context, info, user_id, "file")
            if reason:
                raise failure("api.file.get_file.rejected_by_plugin", 403, f"Download rejected by plugin. {reason}")
            with self.server.lock:
                return self.server.state.contents[info.path]

    def sign_up(self, username: str, **fields: Any) -> User:
        """Make an account, with UserHasBeenCreated. Such a user is in no team yet: `join_team` comes next."""
        with self.acting():
            given = {"email": f"{username}@example.com", "password": PASSWORD, **fields}
            return create_user(self.server, User(username=username, **given), _from_a_client(""))

    def log_in(self, user: UserRef) -> Session:
        """Log in with the right password.

        Raises an `AppError` with the status 401 when a plugin refuses: people are told that their password is wrong. The
        plugin's reason, which only the server's log has, is in the error's `__cause__`.
        """
        with self.acting():
            return sessions.log_in(self.server, self.user(user), _from_a_client(""))

    def deactivate_user(self, user: UserRef) -> None:
        """Deactivate an account, as an administrator."""
        with self._as(None) as (_, context):
            set_active(self.server, self.user(user).id, False, context)

    def activate_user(self, user: UserRef) -> None:
        """Bring a deactivated account back, as an administrator."""
        with self._as(None) as (_, context):
            set_active(self.server, self.user(user).id, True, context)

    def set_preference(self, category: str, name: str, value: str, *, user: UserRef | None = None) -> Preference:
        """Change one of a user's settings."""
        with self._as(user) as (user_id, context):
            preference = Preference(user_id=user_id, category=category, name=name, value=value)
            update_preferences(self.server, user_id, [preference], context)
            return preference

    def set_status(self, user: UserRef, status: str) -> None:
        """A user says that they are `online`, `away`, `dnd` or `offline`. No hook tells of it."""
        with self._as(user) as (user_id, _), self.server.lock:
            set_status(self.server, user_id, status)

    def connect(self, user: UserRef | None = None) -> str:
        """A client opens its WebSocket, already logged in. Result: the connection's id."""
        with self._as(user) as (user_id, _):
            connection = new_id()
            self._connections[connection] = user_id
            self.server.hooks.later("OnWebSocketConnect", connection, user_id)
            return connection

    def send_frame(self, connection: str, action: str, data: Mapping[str, Any] | None = None) -> None:
        """A client sends something over its WebSocket: plugins see all of it, and of those beginning with `custom_` only they
        do. Raises `LookupError` for a connection that is not open."""
        with self._as(self._on(connection)) as (user_id, context):
            self._frames += 1
            request = WebSocketRequest(
                seq=self._frames,
                action=action,
                data={"remote_addr": context.ip_address, "x_forwarded_for": "", **copied(dict(data or {}))},
                session=Session(id=context.session_id),
            )
            self.server.hooks.later("WebSocketMessageHasBeenPosted", connection, user_id, request)

    def disconnect(self, connection: str) -> None:
        """A client closes its WebSocket. Raises `LookupError` for one that is not open."""
        with self._as(self._on(connection)) as (user_id, _):
            del self._connections[connection]
            self.server.hooks.later("OnWebSocketDisconnect", connection, user_id)

    def _on(self, connection: str) -> str:
        if connection not in self._connections:
            raise LookupError(f"there is no open connection {connection!r}: mattermost.connect() opens one")
        return self._connections[connection]

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """Change some of the plugin's settings in the System Console; None takes one away. OnConfigurationChange is called if
        it makes a difference."""
        with self.acting():
            with self.server.lock:
                changed = {**self.server.settings, **settings}
            save_settings(self.server, {key: value for key, value in changed.items() if value is not None})

    def change_config(self, **groups: Mapping[str, Any]) -> None:
        """Change the server's configuration in the System Console: `change_config(ServiceSettings={"EnableCommands": False})`.

        OnConfigurationChange is called if it makes a difference. Raises `AttributeError` for a setting that there is not.
        """
        with self.acting():
            with self.server.lock:
                config = copied(self.server.config)
            for group, values in groups.items():
                for name, value in values.items():
                    setattr(getattr(config, group), name, value)
            save_config(self.server, config)


def _from_a_client(session_id: str) -> Context:
    return Context(
        session_id=session_id,
        request_id=new_id(),
        ip_address="127.0.0.1",
        accept_language="en",
        user_agent="Mozilla/5.0 (mmhooks.testing)",
    )
