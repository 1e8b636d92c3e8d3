"""What the plugin has asked the server to do that leaves nothing in its tables: for tests to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mmhooks.models import AuditRecord, OpenDialogRequest, Post, PushNotification, WebsocketBroadcast


class ApiCall(NamedTuple):
    """A call of the plugin API."""

    method: str
    """Mattermost's name for it: `CreatePost`."""
    arguments: tuple[Any, ...]
    """In Go's order, as they were then."""


class LogLine(NamedTuple):
    """A line that the plugin wrote into the server's log by LogDebug and the like."""

    level: str
    """`debug`, `info`, `warn` or `error`."""
    message: str
    fields: dict[str, Any]


class WebSocketEvent(NamedTuple):
    """An event that the plugin sent to clients."""

    event: str
    """The name as the plugin gave it; clients see `custom_<plugin id>_<event>`."""
    payload: dict[str, Any]
    broadcast: WebsocketBroadcast
    """Who gets it; all fields empty: everybody."""


class Mail(NamedTuple):
    """An e-mail that the plugin sent."""

    to: str
    subject: str
    html_body: str


class Notification(NamedTuple):
    """A push notification that went out: what plugins refused is not here."""

    user_id: str
    notification: PushNotification


class Toast(NamedTuple):
    """A short notice that the plugin showed to a user."""

    user_id: str
    connection_id: str
    message: str
    position: str


class Typing(NamedTuple):
    """The plugin said that a user is typing."""

    user_id: str
    channel_id: str
    parent_id: str


class Ephemeral(NamedTuple):
    """A post that one user sees."""

    user_id: str
    post: Post


@dataclass
class Records:
    """Everything in the order in which it happened."""

    calls: list[ApiCall] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    websocket_events: list[WebSocketEvent] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    dialogs: list[OpenDialogRequest] = field(default_factory=list)
    toasts: list[Toast] = field(default_factory=list)
    typing: list[Typing] = field(default_factory=list)
    audits: list[AuditRecord] = field(default_factory=list)
    ephemeral: list[Ephemeral] = field(default_factory=list)
    """Those that can still be seen."""
