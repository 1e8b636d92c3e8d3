"""What the plugin shows to users, and sends to them, without storing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmhooks.models import OpenDialogRequest, PushNotification, SendToastMessageOptions, WebsocketBroadcast
from mmhooks.testing.mattermost.areas.triggers import check_trigger
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request
from mmhooks.testing.mattermost.methods import answers
from mmhooks.testing.mattermost.records import Mail, Notification, Toast, Typing, WebSocketEvent

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server


@answers("PublishWebSocketEvent")
def _publish_web_socket_event(
    server: Server, event: str, payload: dict[str, Any], broadcast: WebsocketBroadcast | None
) -> None:
    server.records.websocket_events.append(WebSocketEvent(event, payload, broadcast or WebsocketBroadcast()))


@answers("PublishUserTyping")
def _publish_user_typing(server: Server, user_id: str, channel_id: str, parent_id: str) -> None:
    server.records.typing.append(Typing(user_id, channel_id, parent_id))


@answers("SendToastMessage")
def _send_toast_message(
    server: Server, user_id: str, connection_id: str, message: str, options: SendToastMessageOptions
) -> None:
    if not user_id or not message:
        raise bad_request("", "A toast needs a user and a message.")
    server.records.toasts.append(Toast(user_id, connection_id, message, options.position))


@answers("SendMail")
def _send_mail(server: Server, to: str, subject: str, html_body: str) -> None:
    for value, name in ((to, "to"), (subject, "subject"), (html_body, "htmlbody")):
        if not value:
            raise bad_request(f"plugin_api.send_mail.missing_{name}", f"Missing {name}.")
    server.records.mails.append(Mail(to, subject, html_body))


@answers("SendPushNotification", fires=True)
def _send_push_notification(server: Server, notification: PushNotification | None, user_id: str) -> None:
    notification = notification or PushNotification()
    reason, replaced = server.hooks.filter("NotificationWillBePushed", notification, user_id)
    if not reason:  # nobody is told of one that is refused
        with server.lock:
            server.records.notifications.append(Notification(user_id, copied(replaced or notification)))


@answers("OpenInteractiveDialog")
def _open_interactive_dialog(server: Server, request: OpenDialogRequest) -> None:
    check_trigger(server, request.trigger_id)
    server.records.dialogs.append(request)
