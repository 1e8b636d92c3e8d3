"""Users, against the facts about a real server."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import App, User
from mmhooks.api import PluginAPI
from mmhooks.models import UserAuth, UserGetOptions, UserSearch
from mmhooks.testing import Mattermost
from mmhooks.testing.mattermost.ids import is_id
from tests.testing.mattermost.facts import NOWHERE, refused


def new(username: str = "bob", **fields: object) -> User:
    given = {"email": f"{username}@example.com", "password": "longenough", **fields}
    return User(username=username, **given)  # type: ignore[arg-type]


def test_a_new_account(api: PluginAPI, server: Mattermost) -> None:
    user = api.create_user(new("Bob.B", email="Bob@Example.com", roles="system_admin", first_name="Bob"))
    assert is_id(user.id)
    assert (user.username, user.email) == ("bob.b", "bob@example.com")
    assert (user.roles, user.password, user.locale) == ("system_user", "", "en")
    assert user.create_at == user.update_at != 0
    assert user.notify_props["desktop"] == "mention"
    assert user.timezone["useAutomaticTimezone"] == "true"
    assert api.get_teams_for_user(user.id) == []
    preferences = api.get_preferences_for_user(user.id)
    assert {p.category for p in preferences} == {"recommended_next_steps", "tutorial_step", "system_notice"}
    assert len(preferences) == 3
    raw = api.get_user(user.id)
    assert raw.password.startswith("$2a$10$")
    assert api.get_user_by_email("BOB@example.com") == api.get_user_by_username("BOB.b") == raw


def test_the_first_user_is_the_administrator(server: Mattermost) -> None:
    assert server.admin.roles == "system_admin system_user"


def test_an_empty_username_is_made_of_the_id(api: PluginAPI) -> None:
    user = api.create_user(new("", email="nobody@example.com"))
    assert user.username == "a" + user.id


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"username": "bad name"}, "model.user.is_valid.username.app_error"),
        ({"username": "x" * 65}, "model.user.is_valid.username.app_error"),
        ({"username": "all"}, "model.user.is_valid.username.app_error"),
        ({"email": ""}, "model.user.is_valid.email.app_error"),
        ({"email": "two@at@signs"}, "model.user.is_valid.email.app_error"),
        ({"email": f"{'x' * 120}@example.com"}, "model.user.is_valid.email.app_error"),
        ({"nickname": "x" * 65}, "model.user.is_valid.nickname.app_error"),
        ({"first_name": "x" * 65}, "model.user.is_valid.first_name.app_error"),
        ({"last_name": "x" * 65}, "model.user.is_valid.last_name.app_error"),
        ({"position": "x" * 129}, "model.user.is_valid.position.app_error"),
        ({"password": "short"}, "model.user.is_valid.pwd_min_length.app_error"),
        ({"password": "x" * 73}, "model.user.is_valid.pwd_max_length.app_error"),
        ({"username": "ADMIN"}, "app.user.save.username_exists.app_error"),
        ({"email": "Admin@example.com"}, "app.user.save.email_exists.app_error"),
        ({"id": NOWHERE}, "app.user.save.existing.app_error"),
    ],
)
def test_accounts_that_are_refused(api: PluginAPI, fields: dict[str, str], error: str) -> None:
    with refused(400, error):
        api.create_user(new(**{"username": "bob", **fields}))


def test_a_password_is_not_needed_with_a_service_and_may_have_to_be_stronger(
    api: PluginAPI, server: Mattermost
) -> None:
    assert api.create_user(new(password="", auth_service="gitlab", auth_data="7")).auth_service == "gitlab"
    server.change_config(PasswordSettings={"Lowercase": True, "Number": True})
    with refused(400, "model.user.is_valid.pwd_lowercase_number.app_error"):
        api.create_user(new("carol", password="LONGENOUGH"))


def test_domains_and_the_limit_without_a_licence(api: PluginAPI, server: Mattermost) -> None:
    for number in range(248):
        server.add_user(f"user{number}", teams=[])
    api.create_user(new("last"))
    with refused(400, "api.user.create_user.user_limits.exceeded"):
        api.create_user(new("toomany"))
    server.change_config(TeamSettings={"RestrictCreationToDomains": "corp.com"})
    with refused(400, "api.user.create_user.accepted_domain.app_error"):
        api.create_user(new("outsider"))


def test_what_is_not_there(api: PluginAPI) -> None:
    with refused(404, "app.user.missing_account.const"):
        api.get_user("no id")
    with refused(404, "app.user.missing_account.const"):
        api.get_user_by_email("no@where.com")
    with refused(404, "app.user.get_by_username.app_error"):
        api.get_user_by_username("nobody")


def test_lists_of_users(api: PluginAPI, server: Mattermost) -> None:
    carol, bob = server.add_user("carol"), server.add_user("bob")
    dave = server.add_user("dave", teams=[])
    api.delete_user(carol.id)
    by_ids = api.get_users_by_ids([carol.id, bob.id, NOWHERE])
    assert [user.username for user in by_ids] == ["bob", "carol"]
    assert by_ids[0].password
    by_names = api.get_users_by_usernames(["CAROL", "nobody", "bob"])
    assert [(user.username, user.password) for user in by_names] == [("bob", ""), ("carol", "")]

    def names(**options: object) -> list[str]:
        return [user.username for user in api.get_users(UserGetOptions(per_page=10, **options))]  # type: ignore[arg-type]

    assert names() == ["admin", "bob", "carol", "dave"]
    assert api.get_users(UserGetOptions()) == []
    assert [user.username for user in api.get_users(UserGetOptions(page=1, per_page=3))] == ["dave"]
    assert not any(user.password for user in api.get_users(UserGetOptions(per_page=10)))
    assert names(active=True) == ["admin", "bob", "dave"]
    assert names(inactive=True) == ["carol"]
    assert names(role="system_admin") == ["admin"]
    assert names(without_team=True) == ["dave"]
    assert names(in_team_id=server.main_team.id) == ["admin", "bob", "carol"]
    assert names(not_in_channel_id=server.channel("off-topic").id) == ["dave"]
    in_team = api.get_users_in_team(server.main_team.id, 0, 10)
    assert [user.username for user in in_team] == ["admin", "bob", "carol"]
    assert [user.username for user in api.search_users(UserSearch(term="@da"))] == ["dave"]
    assert api.search_users(UserSearch(term="carol")) == []
    assert api.search_users(UserSearch(term="carol", allow_inactive=True))[0].username == "carol"
    assert dave.id


def test_users_in_a_channel(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    server.set_status(bob, "online")
    channel = server.channel("town-square").id
    assert [user.username for user in api.get_users_in_channel(channel)] == ["admin", "bob"]
    assert [user.username for user in api.get_users_in_channel(channel, "status")] == ["bob", "admin"]
    assert [user.username for user in api.get_users_in_channel(channel, "username", 1, 1)] == ["bob"]
    with refused(400, "plugin.api.get_users_in_channel"):
        api.get_users_in_channel(channel, "age")


def test_updating_an_account(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    raw = api.get_user(bob.id)
    changed = User(
        id=bob.id,
        username="Robert",
        email="rob@example.com",
        roles="system_admin",
        password="x",
        delete_at=5,
        nickname="R",
    )
    result = api.update_user(changed)
    stored = api.get_user(bob.id)
    assert (stored.username, stored.email, stored.nickname) == ("robert", "rob@example.com", "R")
    assert (stored.roles, stored.password, stored.delete_at, stored.create_at) == (
        raw.roles,
        raw.password,
        0,
        raw.create_at,
    )
    assert stored.update_at > raw.update_at
    assert result.password == ""
    assert api.create_user(new("bob")).username == "bob"
    with refused(404, "app.user.missing_account.const"):
        api.update_user(new(id=NOWHERE))
    with refused(400, "app.user.save.username_exists.app_error"):
        api.update_user(User(id=bob.id, username="admin", email="rob@example.com"))
    server.change_config(EmailSettings={"RequireEmailVerification": True})
    assert api.update_user(User(id=bob.id, username="robert", email="new@example.com")).email == "rob@example.com"


def test_roles(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    with refused(400, "app.role.check_roles_exist.role_not_found"):
        api.update_user_roles(bob.id, "system_user king")
    with refused(400, "app.user.missing_account.const"):
        api.update_user_roles(NOWHERE, "system_user")
    with refused(400, "app.user.update.lastAdmin.app_error"):
        api.update_user_roles(server.admin.id, "system_user")
    assert api.update_user_roles(bob.id, "system_user system_admin").roles == "system_user system_admin"
    assert api.update_user_roles(server.admin.id, "system_user").roles == "system_user"


def test_deactivating_and_activating() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def user_has_been_deactivated(user: User) -> None:
        seen.append((user.username, user.password, bool(user.delete_at)))

    with Mattermost(app) as mattermost:
        bob = mattermost.add_user("bob")
        session = mattermost.log_in(bob)
        app.api.delete_user(bob.id)
        mattermost.settle()
        app.api.update_user_active(bob.id, False)
        mattermost.settle()
        assert seen == [("bob", "", True)] * 2  # also when it was so already
        assert app.api.get_user(bob.id).delete_at
        assert app.api.get_team_member(mattermost.main_team.id, bob.id).delete_at == 0
        with refused(400, "app.session.get.app_error"):
            app.api.get_session(session.id)
        with refused(400, "app.user.save.username_exists.app_error"):
            app.api.create_user(new("bob", email="other@example.com"))
        app.api.update_user_active(bob.id, True)
        assert app.api.get_user(bob.id).delete_at == 0
        with refused(404, "app.user.missing_account.const"):
            app.api.delete_user(NOWHERE)
        mattermost.deactivate_user(bob)
        assert len(seen) == 3
        mattermost.activate_user(bob)
        assert not mattermost.user(bob).delete_at


def test_the_hook_of_new_accounts() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def user_has_been_created(user: User) -> None:
        seen.append((user.username, user.password))

    with Mattermost(app) as mattermost:
        mattermost.add_user("silent")
        app.api.create_user(new("bob"))
        mattermost.sign_up("carol", first_name="Carol")
        assert seen == [("bob", ""), ("carol", "")]
        assert app.api.get_teams_for_user(mattermost.user("carol").id) == []


def test_images_and_ways_to_log_in(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    assert api.get_profile_image(bob.id).startswith(b"\x89PNG")
    api.set_profile_image(bob.id, b"picture")
    assert api.get_profile_image(bob.id) == b"picture"
    assert api.get_user(bob.id).last_picture_update
    with refused(404, "app.user.missing_account.const"):
        api.get_profile_image(NOWHERE)
    with refused(404, "app.user.missing_account.const"):
        api.set_profile_image(NOWHERE, b"picture")
    auth = UserAuth(auth_service="gitlab", auth_data="7")
    assert api.update_user_auth(bob.id, auth) == auth
    assert api.get_user(bob.id).auth_service == "gitlab"
