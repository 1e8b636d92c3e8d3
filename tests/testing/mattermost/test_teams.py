"""Teams and their members, against the facts about a real server."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import App, Context, Reject, TeamMember, User
from mmhooks.api import PluginAPI
from mmhooks.models import Team
from mmhooks.testing import Mattermost
from mmhooks.testing.mattermost.ids import is_id
from tests.testing.mattermost.facts import NOWHERE, refused


def new(name: str = "sales", **fields: object) -> Team:
    given = {"display_name": "Sales", "type": "O", **fields}
    return Team(name=name, **given)  # type: ignore[arg-type]


def test_a_new_team(api: PluginAPI) -> None:
    team = api.create_team(new())
    assert is_id(team.id)
    assert is_id(team.invite_id)
    assert team.create_at == team.update_at != 0
    assert [channel.name for channel in api.get_public_channels_for_team(team.id)] == ["off-topic", "town-square"]
    assert api.get_team_members(team.id) == []
    assert api.get_team(team.id) == api.get_team_by_name("sales") == team


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, "model.team.is_valid.url.app_error"),
        ({"name": "api-team"}, "model.team.is_valid.reserved.app_error"),
        ({"name": "x"}, "model.team.is_valid.characters.app_error"),
        ({"name": "Sales"}, "model.team.is_valid.characters.app_error"),
        ({"name": "-sales"}, "model.team.is_valid.characters.app_error"),
        ({"name": "x" * 65}, "model.team.is_valid.characters.app_error"),
        ({"display_name": ""}, "model.team.is_valid.name.app_error"),
        ({"display_name": "x" * 65}, "model.team.is_valid.name.app_error"),
        ({"type": "X"}, "model.team.is_valid.type.app_error"),
        ({"description": "x" * 256}, "model.team.is_valid.description.app_error"),
        ({"name": "main"}, "store.sql_team.save_team.existing.app_error"),
        ({"id": NOWHERE}, "store.sql_team.save_team.existing.app_error"),
    ],
)
def test_teams_that_are_refused(api: PluginAPI, fields: dict[str, str], error: str) -> None:
    with refused(400, error):
        api.create_team(new(**{"name": "sales", **fields}))


def test_the_first_channels_of_a_team_are_not_told_of() -> None:
    app = App()
    seen: list[Any] = []
    app.hook("ChannelHasBeenCreated")(lambda channel: seen.append(channel.name))
    with Mattermost(app) as mattermost:
        app.api.create_team(new())
        mattermost.settle()
    assert seen == []


def test_finding_teams(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob", teams=[])
    zebra, archived = (
        api.create_team(new("aaa", display_name="Zebra")),
        api.create_team(new("bbb", display_name="Ants")),
    )
    api.create_team_member(zebra.id, bob.id)
    api.create_team_member(archived.id, bob.id)
    api.create_team_member(server.main_team.id, bob.id)
    api.delete_team(archived.id)
    assert [team.display_name for team in api.get_teams()] == ["Ants", "Main", "Zebra"]
    assert [team.display_name for team in api.get_teams_for_user(bob.id)] == ["Main", "Zebra"]
    api.delete_team_member(zebra.id, bob.id, "")
    assert [team.display_name for team in api.get_teams_for_user(bob.id)] == ["Main"]
    assert [team.name for team in api.search_teams("zeb")] == ["aaa"]
    assert api.get_channel_by_name(archived.id, "town-square", False).delete_at == 0
    with refused(404, "app.team.get.find.app_error"):
        api.get_team(NOWHERE)
    with refused(404, "app.team.get_by_name.missing.app_error"):
        api.get_team_by_name("nowhere")


def test_updating_a_team(api: PluginAPI) -> None:
    team = api.create_team(new())
    changed = api.update_team(
        Team(
            id=team.id,
            name="other",
            type="I",
            display_name="Better",
            description="d",
            invite_id="x",
            allow_open_invite=True,
        )
    )
    assert (changed.display_name, changed.description, changed.allow_open_invite) == ("Better", "d", True)
    assert (changed.name, changed.type, changed.invite_id) == ("sales", "O", team.invite_id)
    assert changed.update_at > team.update_at
    with refused(404, "app.team.get.find.app_error"):
        api.update_team(new(id=NOWHERE))


def test_icons(api: PluginAPI) -> None:
    team = api.create_team(new())
    api.set_team_icon(team.id, b"icon")
    assert api.get_team_icon(team.id) == b"icon"
    assert api.get_team(team.id).last_team_icon_update
    api.remove_team_icon(team.id)
    assert api.get_team(team.id).last_team_icon_update == 0
    for call in (api.get_team_icon, api.remove_team_icon):
        with refused(404, "app.team.get.find.app_error"):
            call(NOWHERE)
    with refused(404, "app.team.get.find.app_error"):
        api.set_team_icon(NOWHERE, b"icon")


def test_joining_a_team(api: PluginAPI, server: Mattermost) -> None:
    team, bob = api.create_team(new()), server.add_user("bob", teams=[])
    member = api.create_team_member(team.id, bob.id)
    assert (member.team_id, member.user_id, member.roles, member.scheme_user) == (team.id, bob.id, "team_user", True)
    assert api.create_team_member(team.id, bob.id) == member
    names = {channel.name: channel.id for channel in api.get_channels_for_team_for_user(team.id, bob.id, False)}
    assert [*names] == ["off-topic", "town-square"]
    [joined] = server.posts(names["town-square"], system=True)
    assert (joined.type, joined.message, joined.user_id) == ("system_join_team", "bob joined the team.", bob.id)
    [joined] = server.posts(names["off-topic"], system=True)
    assert (joined.type, joined.message) == ("system_join_channel", "bob joined the channel.")
    with refused(404, "app.team.get.find.app_error"):
        api.create_team_member(NOWHERE, bob.id)
    with refused(404, "app.user.missing_account.const"):
        api.create_team_member(team.id, NOWHERE)


def test_being_added_to_a_team_by_somebody(api: PluginAPI, server: Mattermost) -> None:
    team, bob, carol = api.create_team(new()), server.add_user("bob", teams=[]), server.add_user("carol")
    api.create_team_members(team.id, [bob.id], carol.id)
    [added] = server.posts(server.channel("town-square", team=team), system=True)
    assert (added.type, added.message) == ("system_add_to_team", "bob added to the team by carol.")
    assert added.props["addedUserId"] == bob.id
    results = api.create_team_members_gracefully(team.id, [carol.id, NOWHERE], "")
    assert results[0].member
    assert results[0].error is None
    assert results[1].error
    assert results[1].error.id == "app.user.missing_account.const"


def test_teams_may_be_full_or_closed_to_some(api: PluginAPI, server: Mattermost) -> None:
    server.change_config(TeamSettings={"MaxUsersPerTeam": 1})
    team = api.create_team(new(allowed_domains="corp.com"))
    insider, other = (server.add_user(name, teams=[], email=f"{name}@corp.com") for name in ("bob", "carol"))
    outsider = server.add_user("dave", teams=[])
    with refused(400, "api.team.join_user_to_team.allowed_domains.app_error"):
        api.create_team_member(team.id, outsider.id)
    api.create_team_member(team.id, insider.id)
    with refused(400, "app.team.join_user_to_team.max_accounts.app_error"):
        api.create_team_member(team.id, other.id)


def test_messages_of_joining_can_be_switched_off(api: PluginAPI, server: Mattermost) -> None:
    server.change_config(ServiceSettings={"ExperimentalEnableDefaultChannelLeaveJoinMessages": False})
    team, bob = api.create_team(new()), server.add_user("bob", teams=[])
    api.create_team_member(team.id, bob.id)
    assert server.posts(server.channel("town-square", team=team), system=True) == []


def test_leaving_a_team(api: PluginAPI, server: Mattermost) -> None:
    team, bob = api.create_team(new()), server.add_user("bob", teams=[])
    api.create_team_member(team.id, bob.id)
    extra = server.add_channel("extra", team=team, members=[bob])
    api.delete_team_member(team.id, bob.id, bob.id)
    member = api.get_team_member(team.id, bob.id)
    assert member.delete_at
    assert member.roles == ""
    assert api.get_team_members(team.id) == []
    assert [each.team_id for each in api.get_team_members_for_user(bob.id)] == [team.id]
    with refused(404, "app.channel.get_member.missing.app_error"):
        api.get_channel_member(extra.id, bob.id)
    left = server.posts(server.channel("town-square", team=team), system=True)[-1]
    assert (left.type, left.message) == ("system_leave_team", "bob left the team.")
    revived = api.create_team_member(team.id, bob.id)
    assert (revived.delete_at, revived.roles) == (0, "team_user")
    with refused(404, "app.team.get_by_invite_id.finding.app_error"):
        api.delete_team_member(NOWHERE, bob.id, "")
    carol = server.add_user("carol", teams=[])
    with refused(400, "api.team.remove_user_from_team.missing.app_error"):
        api.delete_team_member(team.id, carol.id, "")
    with refused(404, "app.team.get_member.missing.app_error"):
        api.get_team_member(team.id, carol.id)


def test_lists_of_members_stats_and_roles(api: PluginAPI, server: Mattermost) -> None:
    team = api.create_team(new())
    users = [server.add_user(name, teams=[team]) for name in ("bob", "carol", "dave")]
    assert [member.user_id for member in api.get_team_members(team.id)] == sorted(user.id for user in users)
    assert [member.user_id for member in api.get_team_members(team.id, 1, 2)] == [sorted(user.id for user in users)[2]]
    api.delete_user(users[0].id)
    stats = api.get_team_stats(team.id)
    assert (stats.team_id, stats.total_member_count, stats.active_member_count) == (team.id, 3, 2)
    member = api.update_team_member_roles(team.id, users[1].id, "team_user team_admin")
    assert (member.roles, member.scheme_admin) == ("team_user team_admin", True)
    with refused(400, "api.channel.update_team_member_roles.unset_user_scheme.app_error"):
        api.update_team_member_roles(team.id, users[1].id, "team_admin")
    with refused(404, "app.team.get_member.missing.app_error"):
        api.update_team_member_roles(team.id, NOWHERE, "team_user")


def test_what_is_unread(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    assert api.get_teams_unread_for_user(bob.id)[0].msg_count == 0
    post = server.post("town-square", "one")
    server.post("town-square", "two", root=post)
    [unread] = api.get_teams_unread_for_user(bob.id)
    assert (unread.team_id, unread.msg_count, unread.msg_count_root) == (server.main_team.id, 2, 1)


def test_the_hooks_of_teams() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def team_member_will_be_added(context: Context, team_member: TeamMember) -> TeamMember | Reject | None:
        if context.request_id == "":
            return None
        user = app.api.get_user(team_member.user_id)
        if user.username == "mallory":
            return Reject("Not you.")
        team_member.scheme_admin = True
        return team_member

    @app.hook
    def user_has_joined_team(team_member: TeamMember, actor: User | None) -> None:
        seen.append(("joined", team_member.user_id, team_member.roles, actor and actor.username))

    @app.hook
    def user_has_left_team(team_member: TeamMember, actor: User | None) -> None:
        seen.append(
            ("left", team_member.user_id, team_member.roles, bool(team_member.delete_at), actor and actor.username)
        )

    @app.hook
    def channel_member_will_be_added(context: Context) -> Reject:
        return Reject("never asked")

    @app.hook
    def user_has_joined_channel(context: Context) -> None:
        seen.append("never told")

    @app.hook
    def user_has_left_channel(context: Context) -> None:
        seen.append("never told")

    with Mattermost(app) as mattermost:
        bob, mallory = (mattermost.add_user(name, teams=[]) for name in ("bob", "mallory"))
        mattermost.join_team("main", user=bob)
        assert seen == [("joined", bob.id, "team_user team_admin", None)]
        with refused(400, "app.team.join_user_to_team.rejected_by_plugin"):
            mattermost.join_team("main", user=mallory)
        mattermost.join_team("main", user=bob)  # a member already
        mattermost.leave_team("main", user=bob)
        assert seen[1:] == [("left", bob.id, "", True, "bob")]
        app.api.create_team_members(mattermost.main_team.id, [mallory.id], bob.id)
        mattermost.settle()
        assert seen[2:] == [("joined", mallory.id, "team_user", "bob")]
        mattermost.remove_from_team("main", mallory)
        assert seen[3:] == [("left", mallory.id, "", True, "admin")]


def test_a_refused_message_of_joining_does_not_matter() -> None:
    app = App()
    app.hook("MessageWillBePosted")(lambda post: Reject("no") if post.type else None)
    with Mattermost(app) as mattermost:
        bob = mattermost.add_user("bob", teams=[])
        mattermost.join_team("main", user=bob)
        assert app.api.get_team_member(mattermost.main_team.id, bob.id).delete_at == 0
        assert len(mattermost.server.warnings) == 2
