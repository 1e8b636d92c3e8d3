"""Channels, direct and group messages, against the facts about a real server."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from mmhooks import App, BadRequest, Context, Reject
from mmhooks.api import PluginAPI
from mmhooks.models import Channel
from mmhooks.testing import Mattermost
from mmhooks.testing.mattermost.ids import is_id
from tests.testing.mattermost.facts import NOWHERE, refused


def new(server: Mattermost, name: str = "dev", **fields: object) -> Channel:
    given = {"team_id": server.main_team.id, "type": "O", "display_name": "Dev", **fields}
    return Channel(name=name, **given)  # type: ignore[arg-type]


def test_a_new_channel(api: PluginAPI, server: Mattermost) -> None:
    channel = api.create_channel(new(server, creator_id=server.admin.id))
    assert is_id(channel.id)
    assert channel.create_at == channel.update_at != 0
    assert (channel.delete_at, channel.total_msg_count, channel.creator_id) == (0, 0, server.admin.id)
    assert api.get_channel_members(channel.id) == []
    assert api.get_channel(channel.id) == api.get_channel_by_name(server.main_team.id, "dev", False) == channel
    assert api.get_channel_by_name_for_team_name("main", "dev", False) == channel
    assert api.create_channel(new(server, team_id=NOWHERE)).team_id == NOWHERE  # nobody looks at the team


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, "model.channel.is_valid.1_or_more.app_error"),
        ({"name": "Dev"}, "model.channel.is_valid.name.app_error"),
        ({"name": "-dev"}, "model.channel.is_valid.name.app_error"),
        ({"name": "a" * 40}, "model.channel.is_valid.name.app_error"),
        ({"name": f"{NOWHERE}__{NOWHERE}"}, "model.channel.is_valid.name.app_error"),
        ({"display_name": "x" * 65}, "model.channel.is_valid.display_name.app_error"),
        ({"type": "X"}, "model.channel.is_valid.type.app_error"),
        ({"header": "x" * 1025}, "model.channel.is_valid.header.app_error"),
        ({"purpose": "x" * 251}, "model.channel.is_valid.purpose.app_error"),
        ({"type": "D"}, "store.sql_channel.save.direct_channel.app_error"),
        ({"id": NOWHERE}, "store.sql_channel.save_channel.existing.app_error"),
        ({"name": "town-square"}, "store.sql_channel.save_channel.exists.app_error"),
    ],
)
def test_channels_that_are_refused(api: PluginAPI, server: Mattermost, fields: dict[str, str], error: str) -> None:
    with refused(400, error):
        api.create_channel(new(server, **{"name": "dev", **fields}))


def test_names_stay_taken_and_teams_may_be_full(api: PluginAPI, server: Mattermost) -> None:
    channel = api.create_channel(new(server, display_name=""))
    api.delete_channel(channel.id)
    with refused(400, "store.sql_channel.save_channel.exists.app_error"):
        api.create_channel(new(server))
    server.change_config(TeamSettings={"MaxChannelsPerTeam": 2})
    with refused(400, "store.sql_channel.save_channel.limit.app_error"):
        api.create_channel(new(server, "more"))


def test_what_is_not_there(api: PluginAPI, server: Mattermost) -> None:
    with refused(404, "app.channel.get.existing.app_error"):
        api.get_channel(NOWHERE)
    with refused(404, "app.channel.get_by_name.missing.app_error"):
        api.get_channel_by_name(server.main_team.id, "nowhere", False)
    with refused(404, "app.team.get_by_name.missing.app_error"):
        api.get_channel_by_name_for_team_name("nowhere", "town-square", False)
    with refused(404, "app.channel.get_channels.not_found.app_error"):
        api.get_channels_for_team_for_user(server.main_team.id, NOWHERE, False)


def test_lists_of_channels(api: PluginAPI, server: Mattermost) -> None:
    bob, team = server.add_user("bob"), server.main_team.id
    api.create_channel(new(server, "zzz", display_name="Ants", purpose="insects"))
    server.add_channel("secret", private=True, members=[bob])
    gone = server.add_channel("gone", members=[bob])
    api.delete_channel(gone.id)
    direct = api.get_direct_channel(bob.id, server.admin.id)
    public = api.get_public_channels_for_team(team)
    assert [channel.display_name for channel in public] == ["Ants", "Off-Topic", "Town Square"]
    assert [channel.display_name for channel in api.get_public_channels_for_team(team, 1, 2)] == ["Town Square"]
    mine = api.get_channels_for_team_for_user(team, bob.id, False)
    assert mine[0].id == direct.id  # its display name is empty
    assert [channel.name for channel in mine[1:]] == ["off-topic", "secret", "town-square"]
    everything = api.get_channels_for_team_for_user(team, bob.id, True)
    assert "gone" in [channel.name for channel in everything]
    assert [channel.name for channel in api.search_channels(team, "insect")] == ["zzz"]
    assert api.get_channel(gone.id).delete_at
    with refused(404, "app.channel.get_by_name.missing.app_error"):
        api.get_channel_by_name(team, "gone", False)
    assert api.get_channel_by_name(team, "gone", True).id == gone.id
    assert api.get_channel_by_name(team, direct.name, False).id == direct.id


def test_updating_a_channel(api: PluginAPI, server: Mattermost) -> None:
    channel = api.create_channel(new(server))
    channel.header, channel.name = "welcome", "development"
    changed = api.update_channel(channel)
    assert (changed.header, changed.name) == ("welcome", "development")
    assert changed.update_at > channel.create_at
    assert api.get_channel_by_name(server.main_team.id, "development", False) == changed
    assert api.create_channel(new(server, "dev")).name == "dev"
    unknown = api.update_channel(new(server, "unknown", id=NOWHERE))  # no error, and nothing happens
    assert unknown.id == NOWHERE
    with refused(404, "app.channel.get.existing.app_error"):
        api.get_channel(NOWHERE)
    changed.delete_at = 5
    with refused(400, "app.channel.update.bad_id"):
        api.update_channel(changed)
    changed.delete_at, changed.name = 0, "town-square"
    with pytest.raises(BadRequest, match="already exists"):
        api.update_channel(changed)


def test_stats_count_members_twice(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    server.add_user("carol")
    api.delete_user(bob.id)
    stats = api.get_channel_stats(server.channel("town-square").id)
    assert (stats.member_count, stats.guest_count) == (2, 2)
    with refused(404, "app.channel.get.existing.app_error"):
        api.get_channel_stats(NOWHERE)


def test_archiving(api: PluginAPI, server: Mattermost) -> None:
    channel = server.add_channel("dev")
    api.delete_channel(channel.id)
    [post] = server.posts(channel, system=True)
    assert post.type == "system_channel_deleted"
    assert server.user(post.user_id).username == "system-bot"
    with refused(400, "api.channel.delete_channel.deleted.app_error"):
        api.delete_channel(channel.id)
    with refused(400, "api.channel.delete_channel.cannot.app_error"):
        api.delete_channel(server.channel("town-square").id)
    with refused(404, "app.channel.get.existing.app_error"):
        api.delete_channel(NOWHERE)


def test_the_gate_of_archiving() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def channel_will_be_archived(context: Context, channel: Channel) -> Reject | None:
        seen.append((channel.name, bool(context.session_id)))
        return Reject("It is needed.") if channel.name == "needed" else None

    with Mattermost(app) as mattermost:
        bob = mattermost.add_user("bob")
        for name in ("needed", "old"):
            mattermost.add_channel(name, members=[bob])
        with refused(400, "app.channel.delete_channel.rejected_by_plugin"):
            mattermost.archive_channel("needed", user=bob)
        assert not mattermost.channel("needed").delete_at
        mattermost.archive_channel("old", user=bob)
        assert mattermost.channel("old").delete_at
        assert mattermost.posts("old", system=True)[-1].user_id == bob.id
        with refused(400, "api.channel.delete_channel.deleted.app_error"):
            mattermost.archive_channel("old")
        with refused(400, "api.channel.delete_channel.cannot.app_error"):
            mattermost.archive_channel("town-square")
        assert seen == [("needed", True), ("old", True)]
        outsider = mattermost.add_user("outsider")
        with refused(403, "api.context.permissions.app_error"):
            mattermost.archive_channel("needed", user=outsider)


def test_a_refused_message_about_archiving_is_only_a_warning() -> None:
    app = App()
    app.hook("MessageWillBePosted")(lambda post: Reject("no"))
    with Mattermost(app) as mattermost:
        channel = mattermost.add_channel("dev")
        app.api.delete_channel(channel.id)
        assert mattermost.channel(channel).delete_at
        assert len(mattermost.server.warnings) == 1


def test_direct_messages(api: PluginAPI, server: Mattermost) -> None:
    bob, carol = server.add_user("bob"), server.add_user("carol")
    channel = api.get_direct_channel(bob.id, carol.id)
    assert channel.name == "__".join(sorted((bob.id, carol.id)))
    assert (channel.type, channel.team_id, channel.display_name) == ("D", "", "")
    assert api.get_direct_channel(carol.id, bob.id) == channel
    assert {member.user_id for member in api.get_channel_members(channel.id)} == {bob.id, carol.id}
    assert len(api.get_channel_members(api.get_direct_channel(bob.id, bob.id).id)) == 1
    with refused(400, "api.channel.create_direct_channel.invalid_user.app_error"):
        api.get_direct_channel(bob.id, NOWHERE)


def test_group_messages(api: PluginAPI, server: Mattermost) -> None:
    users = [server.add_user(name) for name in ("dave", "bob", "carol")]
    ids = [user.id for user in users]
    channel = api.get_group_channel(ids)
    assert channel.name == hashlib.sha1("".join(sorted(ids)).encode()).hexdigest()
    assert (channel.type, channel.display_name) == ("G", "bob, carol, dave")
    assert api.get_group_channel(ids[::-1]) == channel
    with refused(400, "api.channel.create_group.bad_size.app_error"):
        api.get_group_channel(ids[:2])
    with refused(400, "api.channel.create_group.bad_size.app_error"):
        api.get_group_channel([*ids] * 3)
    with refused(400, "api.channel.create_group.bad_user.app_error"):
        api.get_group_channel([*ids[:2], NOWHERE])
    with refused(400, "api.channel.create_group.bad_user.app_error"):
        api.get_group_channel([*ids, ids[0]])


def test_the_hook_of_new_channels() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def channel_has_been_created(channel: Channel) -> None:
        seen.append((channel.type, channel.name, channel.creator_id))

    @app.hook
    def user_has_joined_channel(context: Context) -> None:
        pytest.fail("those who make a channel, and members of direct and group messages, are not told of")

    with Mattermost(app) as mattermost:
        users = [mattermost.add_user(name) for name in ("bob", "carol", "dave")]
        mattermost.add_channel("silent")
        channel = mattermost.create_channel("dev", user=users[0])
        assert seen.pop() == ("O", "dev", users[0].id)
        assert [member.roles for member in app.api.get_channel_members(channel.id)] == ["channel_user channel_admin"]
        assert mattermost.create_channel("hidden", user=users[0], private=True).type == "P"
        app.api.create_channel(new(mattermost, "api"))
        app.api.get_group_channel([user.id for user in users])
        mattermost.direct_message("carol", "hello", user="bob")
        mattermost.direct_message("carol", "hello again", user="bob")
        assert [kind for kind, *_ in seen] == ["P", "O", "G", "D"]
        assert seen[1] == ("O", "api", "")
        assert [post.message for post in mattermost.posts(app.api.get_direct_channel(users[0].id, users[1].id))] == [
            "hello",
            "hello again",
        ]
