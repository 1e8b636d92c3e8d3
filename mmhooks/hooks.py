"""The hooks of Mattermost as one table; everything else about a hook is derived from its row here.

Two rules for this file:

* A row says what `hooks.go` of Mattermost says and nothing of wires, threads or functions.
* Names, order and minimum versions are exactly those of `hooks.go`; the parameters' names are public API of mmhooks.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple


class _Suggesting(enum.EnumType):
    """Says which hook was meant, where an enum would only say that there is none."""

    if not TYPE_CHECKING:  # type checkers know the members, and would take this for leave to write any name

        def __getattr__(cls, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(_unknown(name, [*HOOKS], f"HookName.{name} is not a hook of Mattermost"))


class HookName(enum.StrEnum, metaclass=_Suggesting):
    """The hooks a handler can be registered for, by Mattermost's own names, in the order of its `hooks.go`."""

    OnActivate = "OnActivate"
    OnDeactivate = "OnDeactivate"
    OnConfigurationChange = "OnConfigurationChange"
    ServeHTTP = "ServeHTTP"
    ExecuteCommand = "ExecuteCommand"
    UserHasBeenCreated = "UserHasBeenCreated"
    UserWillLogIn = "UserWillLogIn"
    UserHasLoggedIn = "UserHasLoggedIn"
    MessageWillBePosted = "MessageWillBePosted"
    MessageWillBeUpdated = "MessageWillBeUpdated"
    MessageHasBeenPosted = "MessageHasBeenPosted"
    MessageHasBeenUpdated = "MessageHasBeenUpdated"
    MessagesWillBeConsumed = "MessagesWillBeConsumed"
    MessageHasBeenDeleted = "MessageHasBeenDeleted"
    ChannelHasBeenCreated = "ChannelHasBeenCreated"
    ChannelWillBeArchived = "ChannelWillBeArchived"
    ChannelMemberWillBeAdded = "ChannelMemberWillBeAdded"
    UserHasJoinedChannel = "UserHasJoinedChannel"
    UserHasLeftChannel = "UserHasLeftChannel"
    TeamMemberWillBeAdded = "TeamMemberWillBeAdded"
    UserHasJoinedTeam = "UserHasJoinedTeam"
    UserHasLeftTeam = "UserHasLeftTeam"
    FileWillBeUploaded = "FileWillBeUploaded"
    FileWillBeDownloaded = "FileWillBeDownloaded"
    ReactionHasBeenAdded = "ReactionHasBeenAdded"
    ReactionHasBeenRemoved = "ReactionHasBeenRemoved"
    OnPluginClusterEvent = "OnPluginClusterEvent"
    OnWebSocketConnect = "OnWebSocketConnect"
    OnWebSocketDisconnect = "OnWebSocketDisconnect"
    WebSocketMessageHasBeenPosted = "WebSocketMessageHasBeenPosted"
    RunDataRetention = "RunDataRetention"
    OnInstall = "OnInstall"
    OnSendDailyTelemetry = "OnSendDailyTelemetry"
    OnCloudLimitsUpdated = "OnCloudLimitsUpdated"
    ConfigurationWillBeSaved = "ConfigurationWillBeSaved"
    EmailNotificationWillBeSent = "EmailNotificationWillBeSent"
    NotificationWillBePushed = "NotificationWillBePushed"
    UserHasBeenDeactivated = "UserHasBeenDeactivated"
    ServeMetrics = "ServeMetrics"
    OnSharedChannelsSyncMsg = "OnSharedChannelsSyncMsg"
    OnSharedChannelsPing = "OnSharedChannelsPing"
    PreferencesHaveChanged = "PreferencesHaveChanged"
    OnSharedChannelsAttachmentSyncMsg = "OnSharedChannelsAttachmentSyncMsg"
    OnSharedChannelsProfileImageSyncMsg = "OnSharedChannelsProfileImageSyncMsg"
    GenerateSupportData = "GenerateSupportData"
    OnSAMLLogin = "OnSAMLLogin"


class Kind(enum.Enum):
    """What a handler may do with its call."""

    NOTIFY = "notify"
    """Returns nothing."""
    FALLIBLE = "fallible"
    """Returns nothing, or raises: the server is told."""
    FILTER = "filter"
    """None: unchanged. A model: replaced. Reject: refused."""
    GATE = "gate"
    """None: allowed. Reject: refused."""
    VALUE = "value"
    """Returns the value."""
    FALLIBLE_VALUE = "fallible value"
    """Returns the value, or raises: the server is told."""
    STREAM = "stream"
    """Reads a request and writes a response, both as streams."""

    @property
    def may_reject(self) -> bool:
        return self in (Kind.FILTER, Kind.GATE)

    @property
    def tells_errors(self) -> bool:
        return self in (Kind.FALLIBLE, Kind.FALLIBLE_VALUE)


class Parameter(NamedTuple):
    """One parameter of a hook: its name, and the name of its type (a model's, mostly)."""

    name: str
    type: str


class Hook(NamedTuple):
    """A row of the table.

    `result` is the type that a handler may return, None included where it means something; empty where nothing but
    None (and, for filters and gates, Reject) may be returned. `since` is the first server version with the hook.
    """

    name: HookName
    kind: Kind
    parameters: tuple[Parameter, ...]
    result: str
    since: str

    @property
    def signature(self) -> str:
        """The parameters as one would write them in a function."""
        return "(" + ", ".join(f"{name}: {type_}" for name, type_ in self.parameters) + ")"

    @property
    def has_streams(self) -> bool:
        """Whether it takes streams, so that one request and one response are not all of its call."""
        return self.kind is Kind.STREAM or any(type_ == "BinaryIO" for _, type_ in self.parameters)

    @property
    def post(self) -> int | None:
        """Which of its parameters, by position, is the post that it is about; None for a hook about something else."""
        if len(self.parameters) > 1 and self.parameters[0].name == "context" and self.parameters[1].type == "Post":
            return 1
        return None

    @property
    def method(self) -> str:
        """The hook's name in snake_case, as the test client and inferred handlers spell it."""
        from mmhooks.naming import snake

        return snake(self.name)


def _row(name: HookName, kind: Kind, parameters: str = "", result: str = "", *, since: str) -> Hook:
    pairs = (Parameter(*pair.split(": ")) for pair in parameters.split(", ") if pair)
    return Hook(name, kind, tuple(pairs), result, since)


_N = HookName
_NOTIFY, _FALLIBLE, _FILTER, _GATE = Kind.NOTIFY, Kind.FALLIBLE, Kind.FILTER, Kind.GATE
_VALUE, _FALLIBLE_VALUE, _STREAM = Kind.VALUE, Kind.FALLIBLE_VALUE, Kind.STREAM

_HTTP = "context: Context, request: Request, response: Response"
_UPLOAD = "context: Context, info: FileInfo, file: BinaryIO, output: BinaryIO"
_USER = "context: Context, user: User"
_POST = "context: Context, post: Post"
_EDIT = "context: Context, new_post: Post, old_post: Post"
_IN_CHANNEL = "context: Context, channel_member: ChannelMember, actor: User | None"
_IN_TEAM = "context: Context, team_member: TeamMember, actor: User | None"
_REACTION = "context: Context, reaction: Reaction"
_CONNECTION = "web_conn_id: str, user_id: str"

HOOKS: dict[str, Hook] = {
    row.name.value: row
    for row in (
        _row(_N.OnActivate, _FALLIBLE, since="5.2"),
        _row(_N.OnDeactivate, _FALLIBLE, since="5.2"),
        _row(_N.OnConfigurationChange, _FALLIBLE, since="5.2"),
        _row(_N.ServeHTTP, _STREAM, _HTTP, since="5.2"),
        _row(
            _N.ExecuteCommand,
            _FALLIBLE_VALUE,
            "context: Context, args: CommandArgs",
            "CommandResponse | None",
            since="5.2",
        ),
        _row(_N.UserHasBeenCreated, _NOTIFY, _USER, since="5.10"),
        _row(_N.UserWillLogIn, _GATE, _USER, since="5.2"),
        _row(_N.UserHasLoggedIn, _NOTIFY, _USER, since="5.2"),
        _row(_N.MessageWillBePosted, _FILTER, _POST, "Post | None", since="5.2"),
        _row(_N.MessageWillBeUpdated, _FILTER, _EDIT, "Post | None", since="5.2"),
        _row(_N.MessageHasBeenPosted, _NOTIFY, _POST, since="5.2"),
        _row(_N.MessageHasBeenUpdated, _NOTIFY, _EDIT, since="5.2"),
        _row(_N.MessagesWillBeConsumed, _VALUE, "posts: list[Post]", "list[Post] | None", since="9.3"),
        _row(_N.MessageHasBeenDeleted, _NOTIFY, _POST, since="9.1"),
        _row(_N.ChannelHasBeenCreated, _NOTIFY, "context: Context, channel: Channel", since="5.2"),
        _row(_N.ChannelWillBeArchived, _GATE, "context: Context, channel: Channel", since="11.7"),
        _row(
            _N.ChannelMemberWillBeAdded,
            _FILTER,
            "context: Context, channel_member: ChannelMember",
            "ChannelMember | None",
            since="11.7",
        ),
        _row(_N.UserHasJoinedChannel, _NOTIFY, _IN_CHANNEL, since="5.2"),
        _row(_N.UserHasLeftChannel, _NOTIFY, _IN_CHANNEL, since="5.2"),
        _row(
            _N.TeamMemberWillBeAdded,
            _FILTER,
            "context: Context, team_member: TeamMember",
            "TeamMember | None",
            since="11.7",
        ),
        _row(_N.UserHasJoinedTeam, _NOTIFY, _IN_TEAM, since="5.2"),
        _row(_N.UserHasLeftTeam, _NOTIFY, _IN_TEAM, since="5.2"),
        _row(_N.FileWillBeUploaded, _FILTER, _UPLOAD, "FileInfo | None", since="5.2"),
        _row(
            _N.FileWillBeDownloaded,
            _GATE,
            "context: Context, file_info: FileInfo, user_id: str, download_type: str",
            since="11.5",
        ),
        _row(_N.ReactionHasBeenAdded, _NOTIFY, _REACTION, since="5.30"),
        _row(_N.ReactionHasBeenRemoved, _NOTIFY, _REACTION, since="5.30"),
        _row(_N.OnPluginClusterEvent, _NOTIFY, "context: Context, event: PluginClusterEvent", since="5.36"),
        _row(_N.OnWebSocketConnect, _NOTIFY, _CONNECTION, since="6.0"),
        _row(_N.OnWebSocketDisconnect, _NOTIFY, _CONNECTION, since="6.0"),
        _row(_N.WebSocketMessageHasBeenPosted, _NOTIFY, _CONNECTION + ", request: WebSocketRequest", since="6.0"),
        _row(_N.RunDataRetention, _FALLIBLE_VALUE, "now_time: int, batch_size: int", "int", since="6.4"),
        _row(_N.OnInstall, _FALLIBLE, "context: Context, event: OnInstallEvent", since="6.5"),
        _row(_N.OnSendDailyTelemetry, _NOTIFY, since="6.5"),
        _row(_N.OnCloudLimitsUpdated, _NOTIFY, "limits: ProductLimits", since="7.0"),
        _row(_N.ConfigurationWillBeSaved, _FALLIBLE_VALUE, "config: Config", "Config | None", since="8.0"),
        _row(
            _N.EmailNotificationWillBeSent,
            _FILTER,
            "notification: EmailNotification",
            "EmailNotification | EmailNotificationContent | None",
            since="11.0",
        ),
        _row(
            _N.NotificationWillBePushed,
            _FILTER,
            "push_notification: PushNotification, user_id: str",
            "PushNotification | None",
            since="9.0",
        ),
        _row(_N.UserHasBeenDeactivated, _NOTIFY, _USER, since="9.1"),
        _row(_N.ServeMetrics, _STREAM, _HTTP, since="9.2"),
        _row(
            _N.OnSharedChannelsSyncMsg,
            _FALLIBLE_VALUE,
            "sync_msg: SyncMsg, remote_cluster: RemoteCluster",
            "SyncResponse",
            since="9.5",
        ),
        _row(_N.OnSharedChannelsPing, _VALUE, "remote_cluster: RemoteCluster", "bool", since="9.5"),
        _row(_N.PreferencesHaveChanged, _NOTIFY, "context: Context, preferences: list[Preference]", since="9.5"),
        _row(
            _N.OnSharedChannelsAttachmentSyncMsg,
            _FALLIBLE,
            "file_info: FileInfo, post: Post, remote_cluster: RemoteCluster",
            since="9.5",
        ),
        _row(
            _N.OnSharedChannelsProfileImageSyncMsg,
            _FALLIBLE,
            "user: User, remote_cluster: RemoteCluster",
            since="9.5",
        ),
        _row(_N.GenerateSupportData, _FALLIBLE_VALUE, "context: Context", "list[FileData] | None", since="9.8"),
        _row(_N.OnSAMLLogin, _FALLIBLE, "context: Context, user: User, assertion: AssertionInfo", since="10.7"),
    )
}
"""Every hook by its canonical name, in the order of `hooks.go`."""


def find_hook(name: str) -> Hook:
    """The row of a hook by its exact name.

    Raises `UnknownHook`, with the nearest right name in its text, when there is none.
    """
    row = HOOKS.get(name)
    if row is None:
        from mmhooks.errors import UnknownHook

        raise UnknownHook(_unknown(name, [*HOOKS], f"{name!r} is not a hook of Mattermost"))
    return row


def infer_hook(function_name: str) -> Hook:
    """The row of a hook by the name of a function: `on_saml_login` is `OnSAMLLogin`.

    Underscores and capitals are not compared. Raises `UnknownHook` when no hook is called like that.
    """
    plain = function_name.replace("_", "").lower()
    for row in HOOKS.values():
        if row.name.lower() == plain:
            return row
    from mmhooks.errors import UnknownHook

    text = f"no hook of Mattermost is called like the function {function_name!r}"
    nearest = _unknown(function_name, [row.method for row in HOOKS.values()], text)
    raise UnknownHook(nearest if plain == "implemented" else f"{nearest} Or name the hook: @app.hook(HookName.…).")


def _unknown(name: str, known: list[str], text: str) -> str:
    import difflib

    plain = name.replace("_", "").lower()
    if plain == "implemented":
        return f"{text} that a handler can take: mmhooks answers it itself, with app.implemented_hooks()."
    folded = {candidate.replace("_", "").lower(): candidate for candidate in known}
    close = difflib.get_close_matches(plain, [*folded], n=1, cutoff=0.6)
    return f"{text}; did you mean {folded[close[0]]!r}?" if close else f"{text}; see HookName for all of them."
