"""Users' preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.models import Context, Preference
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, forbidden
from mmhooks.testing.mattermost.ids import is_id
from mmhooks.testing.mattermost.methods import NOBODY, answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server


def update_preferences(server: Server, user_id: str, preferences: list[Preference], context: Context) -> None:
    """Store preferences of a user, all or none, with the hook."""
    with server.lock:
        _check_owner(user_id, preferences, "update_preferences.set")
        for preference in preferences:
            _check(preference)
        for preference in preferences:
            server.state.preferences[user_id, preference.category, preference.name] = copied(preference)
        server.hooks.later("PreferencesHaveChanged", context, preferences)


def _check_owner(user_id: str, preferences: list[Preference], verb: str) -> None:
    if any(preference.user_id != user_id for preference in preferences):
        raise forbidden(f"api.preference.{verb}.app_error", "These are not all preferences of that user.")


def _check(preference: Preference) -> None:
    for field, fits in (
        ("id", is_id(preference.user_id)),
        ("category", 1 <= len(preference.category.encode()) <= 32),
        ("name", len(preference.name.encode()) <= 32),
        ("value", len(preference.value) <= 20000),
    ):
        if not fits:
            raise bad_request(f"model.preference.is_valid.{field}.app_error", f"Invalid {field}.")


@answers("UpdatePreferencesForUser")
def _update_preferences_for_user(server: Server, user_id: str, preferences: list[Preference]) -> None:
    update_preferences(server, user_id, preferences, NOBODY)


@answers("DeletePreferencesForUser")
def _delete_preferences_for_user(server: Server, user_id: str, preferences: list[Preference]) -> None:
    _check_owner(user_id, preferences, "delete_preferences.delete")
    for preference in preferences:
        server.state.preferences.pop((user_id, preference.category, preference.name), None)


@answers("GetPreferencesForUser")
def _get_preferences_for_user(server: Server, user_id: str) -> list[Preference]:
    return [preference for key, preference in server.state.preferences.items() if key[0] == user_id]


@answers("GetPreferenceForUser")
def _get_preference_for_user(server: Server, user_id: str, category: str, name: str) -> Preference:
    found = server.state.preferences.get((user_id, category, name))
    if found is None:
        raise bad_request("app.preference.get.app_error", "We encountered an error while finding preferences.")
    return found
