"""Preferences, statuses, sessions and permissions, against the facts about a real server."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import App, AppError, Context, Preference, Reject, User
from mmhooks.api import PluginAPI
from mmhooks.models import CustomStatus, Permission, Session, UserAccessToken
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused


def of(user: User, name: str = "name", **fields: str) -> Preference:
    return Preference(**{"user_id": user.id, "category": "mine", "name": name, "value": "v", **fields})  # type: ignore[arg-type]


def test_preferences(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    api.update_preferences_for_user(bob.id, [of(bob), of(bob, "other")])
    assert api.get_preference_for_user(bob.id, "mine", "name") == of(bob)
    assert len(api.get_preferences_for_user(bob.id)) == 5
    with refused(400, "app.preference.get.app_error"):
        api.get_preference_for_user(bob.id, "mine", "nothing")
    with refused(403, "api.preference.update_preferences.set.app_error"):
        api.update_preferences_for_user(bob.id, [of(bob, value="new"), of(server.admin)])
    for bad in (of(bob, category=""), of(bob, category="x" * 33), of(bob, name="x" * 33), of(bob, value="x" * 20001)):
        with pytest.raises(AppError) as caught:
            api.update_preferences_for_user(bob.id, [of(bob, value="new"), bad])
        assert caught.value.status_code == 400
    assert api.get_preference_for_user(bob.id, "mine", "name").value == "v"  # all or nothing
    with refused(403, "api.preference.delete_preferences.delete.app_error"):
        api.delete_preferences_for_user(bob.id, [of(server.admin)])
    api.delete_preferences_for_user(bob.id, [of(bob), of(bob, "nothing")])
    with refused(400, "app.preference.get.app_error"):
        api.get_preference_for_user(bob.id, "mine", "name")


def test_the_hook_of_preferences() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def preferences_have_changed(context: Context, preferences: list[Preference]) -> None:
        seen.append([preference.name for preference in preferences])

    with Mattermost(app) as mattermost:
        bob = mattermost.add_user("bob")
        mattermost.set_preference("mine", "one", "1", user=bob)
        app.api.update_preferences_for_user(bob.id, [of(bob, "two"), of(bob, "three")])
        app.api.delete_preferences_for_user(bob.id, [of(bob, "two")])
        mattermost.settle()
    assert seen == [["one"], ["two", "three"]]


def test_statuses(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    with refused(404, "app.status.get.missing.app_error"):
        api.get_user_status(bob.id)
    status = api.update_user_status(bob.id, "away")
    assert (status.status, status.manual) == ("away", True)
    assert api.get_user_status(bob.id) == status
    found = api.get_user_statuses_by_ids([bob.id, NOWHERE])
    assert [(each.user_id, each.status) for each in found] == [(bob.id, "away"), (NOWHERE, "offline")]
    with refused(400, "plugin.api.update_user_status.bad_status"):
        api.update_user_status(bob.id, "ooo")
    end = server.clock.now // 1000 + 600
    timed = api.set_user_status_timed_dnd(bob.id, end)
    assert timed.status == "dnd"
    assert timed.dnd_end_time == end - end % 60  # a full minute
    server.clock.advance(minutes=10)
    assert api.get_user_status(bob.id).status == "away"


def test_custom_statuses(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    api.update_user_custom_status(bob.id, CustomStatus(emoji="palm_tree", text="away"))
    assert "palm_tree" in api.get_user(bob.id).props["customStatus"]
    with pytest.raises(AppError) as caught:
        api.update_user_custom_status(bob.id, CustomStatus())
    assert caught.value.status_code == 400
    api.remove_user_custom_status(bob.id)
    assert api.get_user(bob.id).props["customStatus"] == ""


def test_sessions(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    made = api.create_session(Session(user_id=bob.id, token="mine", expires_at=server.clock.now + 1000))
    assert made.id
    assert made.token != "mine"
    assert api.get_session(made.id) == made
    with refused(400, "app.session.save.existing.app_error"):
        api.create_session(made)
    api.extend_session_expiry(made.id, server.clock.now + 5000)
    server.clock.advance(4)
    assert api.get_session(made.id)
    server.clock.advance(1)
    with refused(400, "app.session.get.app_error"):
        api.get_session(made.id)
    with refused(400, "app.session.get.app_error"):
        api.revoke_session(NOWHERE)
    other = server.log_in(bob)
    api.revoke_session(other.id)
    with refused(400, "app.session.get.app_error"):
        api.get_session(other.id)


def test_tokens(api: PluginAPI, server: Mattermost) -> None:
    bot = server.add_bot("robot")
    token = api.create_user_access_token(UserAccessToken(user_id=bot.id, description="d"))
    assert token.id
    assert token.token
    api.revoke_user_access_token(token.id)
    with refused(501, "app.user_access_token.disabled"):
        api.create_user_access_token(UserAccessToken(user_id=server.admin.id))
    server.change_config(ServiceSettings={"EnableUserAccessTokens": True})
    assert api.create_user_access_token(UserAccessToken(user_id=server.admin.id)).is_active


def test_the_hooks_of_logins() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def user_will_log_in(context: Context, user: User) -> Reject | None:
        seen.append(("will", user.username, bool(user.password), context.session_id))
        return Reject("Not on Sundays.") if user.username == "mallory" else None

    @app.hook
    def user_has_logged_in(context: Context, user: User) -> None:
        seen.append(("has", user.username, bool(user.password), context.session_id))

    with Mattermost(app) as mattermost:
        bob, mallory = mattermost.add_user("bob"), mattermost.add_user("mallory")
        session = mattermost.log_in(bob)
        assert app.api.get_session(session.id).user_id == bob.id
        assert seen == [("will", "bob", True, ""), ("has", "bob", True, "")]
        with pytest.raises(AppError) as caught:
            mattermost.log_in(mallory)
        error = caught.value
        assert (error.status_code, error.id) == (401, "api.user.login.invalid_credentials_email_username")
        assert "Sundays" not in str(error)
        cause = error.__cause__
        assert isinstance(cause, AppError)
        assert (cause.status_code, cause.message) == (400, "Login rejected by plugin: Not on Sundays.")
        app.api.create_session(Session(user_id=mallory.id))
        assert len(seen) == 3


def test_permissions(api: PluginAPI, server: Mattermost) -> None:
    bob, outsider = server.add_user("bob"), server.add_user("outsider", teams=[])
    channel, team = server.channel("town-square").id, server.main_team.id

    def may(user: User, permission: str) -> tuple[bool, bool, bool]:
        wanted = Permission(id=permission)
        return (
            api.has_permission_to(user.id, wanted),
            api.has_permission_to_team(user.id, team, wanted),
            api.has_permission_to_channel(user.id, channel, wanted),
        )

    assert may(bob, "create_team") == (True, True, True)
    assert may(bob, "invite_user") == (False, True, True)
    assert may(bob, "create_post") == (False, False, True)
    assert may(bob, "manage_system") == (False, False, False)
    assert may(outsider, "create_post") == (False, False, False)
    assert may(server.admin, "manage_system") == (True, True, True)
    api.update_channel_member_roles(channel, bob.id, "channel_user channel_admin")
    assert may(bob, "manage_channel_roles") == (False, False, True)
    api.update_team_member_roles(team, bob.id, "team_user team_admin")
    assert may(bob, "manage_team") == (False, True, True)
    api.delete_user(bob.id)
    assert may(bob, "create_team") == (True, True, True)  # those who are deactivated keep theirs
    api.delete_team_member(team, bob.id, "")
    assert may(bob, "invite_user") == (False, False, False)
    wanted = Permission(id="create_team")
    assert not api.has_permission_to(NOWHERE, wanted)
    assert not api.has_permission_to_team(bob.id, "", wanted)
    assert not api.has_permission_to_channel(bob.id, "", wanted)
    assert api.roles_grant_permission(["system_guest", "channel_user"], "create_post")
    assert not api.roles_grant_permission(["system_user", "king"], "create_post")
    assert not api.roles_grant_permission([], "create_post")
