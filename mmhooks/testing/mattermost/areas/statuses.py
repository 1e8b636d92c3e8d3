"""Whether users are online, and what they say beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mmhooks.models import CustomStatus, Status
from mmhooks.models.constants import StatusAway, StatusDnd, StatusOffline, StatusOnline
from mmhooks.testing.mattermost.areas.users import find_user
from mmhooks.testing.mattermost.failures import bad_request, failure, not_found
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server


def _present(server: Server, user_id: str) -> Status | None:
    """What is stored; do-not-disturb that has run out gives way to what was before."""
    status = server.state.statuses.get(user_id)
    if status is not None and status.dnd_end_time and status.dnd_end_time * 1000 <= server.clock.now:
        status.status, status.dnd_end_time = status.prev_status or StatusOnline, 0
        status.manual = False
    return status


@answers("GetUserStatus")
def _get_user_status(server: Server, user_id: str) -> Status:
    status = _present(server, user_id)
    if status is None:
        raise not_found("app.status.get.missing.app_error", "No entry for that status exists.", f"user_id={user_id}")
    return status


@answers("GetUserStatusesByIds")
def _get_user_statuses_by_ids(server: Server, user_ids: list[str]) -> list[Status]:
    return [
        _present(server, user_id) or Status(user_id=user_id, status=StatusOffline)
        for user_id in dict.fromkeys(user_ids)
    ]


def set_status(server: Server, user_id: str, word: str, *, until: int = 0) -> Status:
    """Set a user's status by hand; the lock is held. `until` is in seconds since 1970."""
    find_user(server, user_id)
    before = _present(server, user_id)
    status = Status(
        user_id=user_id,
        status=word,
        manual=True,
        last_activity_at=server.clock.stamp(),
        dnd_end_time=until,
        prev_status=before.status if before else StatusOffline,
    )
    server.state.statuses[user_id] = status
    return status


@answers("UpdateUserStatus")
def _update_user_status(server: Server, user_id: str, word: str) -> Status:
    if word not in (StatusOnline, StatusAway, StatusDnd, StatusOffline):
        raise bad_request("plugin.api.update_user_status.bad_status", "Unable to set the user status: unknown status.")
    return set_status(server, user_id, word)


@answers("SetUserStatusTimedDND")
def _set_user_status_timed_dnd(server: Server, user_id: str, end: int) -> Status:
    return set_status(server, user_id, StatusDnd, until=end - end % 60)


@answers("UpdateUserCustomStatus")
def _update_user_custom_status(server: Server, user_id: str, custom: CustomStatus | None) -> None:
    if not server.config.TeamSettings.EnableCustomUserStatuses:
        raise failure("api.custom_status.disabled", 501, "Custom status has been disabled.")
    if custom is None or not (custom.emoji or custom.text):
        raise bad_request(
            "api.custom_status.set_custom_statuses.update.app_error", "Failed to update the custom status: it is empty."
        )
    user = find_user(server, user_id)
    custom.emoji = custom.emoji or "speech_balloon"
    custom.text = custom.text[:100]
    custom.expires_at = custom.expires_at or "0001-01-01T00:00:00Z"
    _put(server, user.id, custom.to_dict())


@answers("RemoveUserCustomStatus")
def _remove_user_custom_status(server: Server, user_id: str) -> None:
    find_user(server, user_id)
    _put(server, user_id, {})


def _put(server: Server, user_id: str, custom: dict[str, object]) -> None:
    """Mattermost keeps it in the user's props."""
    user = find_user(server, user_id)
    user.props = {**user.props, "customStatus": json.dumps(custom) if custom else ""}
    user.update_at = server.clock.stamp()
