"""Trigger ids, by which a plugin may open a dialog for the user who ran a command (Mattermost's `integration_action.go`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.testing.mattermost.failures import bad_request
from mmhooks.testing.mattermost.ids import new_id

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server


def make_trigger(server: Server, user_id: str) -> tuple[str, str]:
    """A new trigger. Result: the id that the client is told, and the one for the plugin."""
    client_id = new_id()
    text = f"{client_id}:{user_id}:{server.clock.now}"
    return client_id, base64.b64encode(f"{text}:{_sign(server, text)}".encode()).decode()


def check_trigger(server: Server, trigger_id: str) -> tuple[str, str]:
    """Result: the client's id, and the user's. Raises `BadRequest` for one that is not the server's own, or too old."""
    try:
        text = base64.b64decode(trigger_id, validate=True).decode()
    except (binascii.Error, ValueError):
        raise _refused("base64_decode_failed", "Failed to decode base64 for the trigger ID.") from None
    parts = text.split(":")
    if len(parts) != 4 or not parts[2].isdigit():
        raise _refused("missing_data", "The trigger ID misses required data.")
    client_id, user_id, time, signature = parts
    limit = (server.config.ServiceSettings.OutgoingIntegrationRequestsTimeout or 0) * 1000
    if server.clock.now - int(time) > limit:
        raise _refused("expired", "The trigger ID has expired.")
    if not hmac.compare_digest(signature, _sign(server, f"{client_id}:{user_id}:{time}")):
        raise _refused("verify_signature_failed", "The signature of the trigger ID is not the server's.")
    return client_id, user_id


def _sign(server: Server, text: str) -> str:
    return hmac.new(server.telemetry_id.encode(), text.encode(), hashlib.sha256).hexdigest()


def _refused(why: str, message: str) -> AppError:
    return bad_request(f"interactive_message.decode_trigger_id.{why}", message)
