"""Members of channels, against the facts about a real server."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import App, ChannelMember, Context, Reject, User
from mmhooks.api import PluginAPI
from mmhooks.models import ChannelMemberIdentifier
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused


def test_a_plugin_adds_a_member(api: PluginAPI, server: Mattermost) -> None:
    bob, channel = server.add_user("bob"), server.add_channel("dev", private=True)
    member = api.add_channel_member(channel.id, bob.id)
    assert (member.channel_id, member.user_id, member.roles) == (channel.id, bob.id, "channel_user")
    assert member.notify_props["mark_unread"] == "all"
    assert api.get_channel_member(channel.id, bob.id) == member
    [post] = server.posts(channel, system=True)
    assert (post.type, post.message, post.user_id) == ("system_join_channel", "bob joined the channel.", bob.id)
    assert api.add_channel_member(channel.id, bob.id) == member
    assert len(server.posts(channel, system=True)) == 1
    assert api.get_channel(channel.id).total_msg_count == 0  # such messages do not count


def test_a_plugin_adds_a_member_as_somebody(api: PluginAPI, server: Mattermost) -> None:
    bob, carol, channel = server.add_user("bob"), server.add_user("carol"), server.add_channel("dev")
    api.add_user_to_channel(channel.id, bob.id, carol.id)
    server.settle()  # the message comes afterwards
    [post] = server.posts(channel, system=True)
    assert (post.type, post.user_id) == ("system_add_to_channel", carol.id)
    assert post.message == "bob added to the channel by carol."
    assert post.props["addedUserId"] == bob.id


def test_members_who_are_refused(api: PluginAPI, server: Mattermost) -> None:
    bob, channel = server.add_user("bob"), server.add_channel("dev")
    outsider, gone = server.add_user("outsider", teams=[]), server.add_user("gone")
    with refused(404, "app.channel.get.existing.app_error"):
        api.add_channel_member(NOWHERE, bob.id)
    with refused(404, "app.user.missing_account.const"):
        api.add_channel_member(channel.id, NOWHERE)
    with refused(404, "app.team.get_member.missing.app_error"):
        api.add_channel_member(channel.id, outsider.id)
    with refused(404, "app.team.get_member.missing.app_error"):
        api.add_channel_member(api.get_direct_channel(bob.id, gone.id).id, outsider.id)
    api.delete_user(gone.id)
    with refused(403, "app.channel.add_member.deleted_user.app_error"):
        api.add_channel_member(channel.id, gone.id)
    api.delete_team_member(server.main_team.id, bob.id, "")
    with refused(400, "api.channel.add_user.to.channel.failed.deleted.app_error"):
        api.add_channel_member(channel.id, bob.id)


def test_leaving(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    channel = server.add_channel("dev", members=[bob])
    api.delete_channel_member(channel.id, bob.id)
    server.settle()
    [post] = server.posts(channel, system=True)
    assert (post.type, post.message) == ("system_leave_channel", "bob has left the channel.")
    with refused(404, "app.channel.get_member.missing.app_error"):
        api.get_channel_member(channel.id, bob.id)
    with refused(404, "app.channel.get_member.missing.app_error"):
        api.delete_channel_member(channel.id, bob.id)
    with refused(400, "api.channel.leave.direct.app_error"):
        api.delete_channel_member(api.get_direct_channel(bob.id, server.admin.id).id, bob.id)
    with refused(400, "api.channel.remove.default.app_error"):
        api.delete_channel_member(server.channel("town-square").id, bob.id)


def test_lists_of_members(api: PluginAPI, server: Mattermost) -> None:
    users = [server.add_user(name) for name in ("bob", "carol", "dave")]
    channel, other = server.add_channel("dev", members=users), server.add_team("sales")
    server.add_channel("elsewhere", team=other, members=users[:1])
    ids = sorted(user.id for user in users)
    assert [member.user_id for member in api.get_channel_members(channel.id)] == ids
    assert [member.user_id for member in api.get_channel_members(channel.id, 1, 2)] == ids[2:]
    assert api.get_channel_members(channel.id, 5, 2) == []
    found = api.get_channel_members_by_ids(channel.id, [ids[1], NOWHERE])
    assert [member.user_id for member in found] == [ids[1]]
    # of all teams, whichever is asked for
    mine = api.get_channel_members_for_user(server.main_team.id, users[0].id)
    assert len(mine) == 6
    assert [member.channel_id for member in mine] == sorted(member.channel_id for member in mine)


def test_roles_and_notifications(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    channel = server.add_channel("dev", members=[bob])
    member = api.update_channel_member_roles(channel.id, bob.id, "channel_user channel_admin")
    assert (member.roles, member.scheme_admin) == ("channel_user channel_admin", True)
    with refused(400, "api.channel.update_channel_member_roles.unset_user_scheme.app_error"):
        api.update_channel_member_roles(channel.id, bob.id, "channel_admin")
    with refused(404, "app.channel.get_member.missing.app_error"):
        api.update_channel_member_roles(channel.id, NOWHERE, "channel_user")
    member = api.update_channel_member_notifications(channel.id, bob.id, {"desktop": "none"})
    assert (member.notify_props["desktop"], member.notify_props["push"]) == ("none", "default")
    both = [ChannelMemberIdentifier(channel_id=channel.id, user_id=bob.id)]
    api.patch_channel_members_notifications(both, {"push": "all"})
    assert api.get_channel_member(channel.id, bob.id).notify_props["push"] == "all"


def test_the_hooks_of_channels() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def channel_member_will_be_added(context: Context, channel_member: ChannelMember) -> ChannelMember | Reject | None:
        if app.api.get_user(channel_member.user_id).username == "mallory":
            return Reject("Not you.")
        channel_member.notify_props["desktop"] = "none"
        return channel_member

    @app.hook
    def user_has_joined_channel(context: Context, channel_member: ChannelMember, actor: User | None) -> None:
        seen.append(("joined", channel_member.user_id, actor and actor.username, bool(context.session_id)))

    @app.hook
    def user_has_left_channel(channel_member: ChannelMember, actor: User | None) -> None:
        seen.append(("left", channel_member.user_id, channel_member.roles, actor and actor.username))

    with Mattermost(app) as mattermost:
        bob, mallory = mattermost.add_user("bob"), mattermost.add_user("mallory")
        channel = mattermost.add_channel("dev")
        mattermost.join("dev", user=bob)
        assert seen == [("joined", bob.id, "bob", True)]
        assert app.api.get_channel_member(channel.id, bob.id).notify_props["desktop"] == "none"
        with refused(400, "app.channel.add_user.to.channel.rejected_by_plugin"):
            mattermost.join("dev", user=mallory)
        with refused(400, "app.channel.add_user.to.channel.rejected_by_plugin"):
            app.api.add_channel_member(channel.id, mallory.id)
        mattermost.leave("dev", user=bob)
        assert seen.pop() == ("left", bob.id, "channel_user", "bob")
        app.api.add_channel_member(channel.id, bob.id)
        mattermost.settle()
        assert seen.pop() == ("joined", bob.id, None, False)
        mattermost.remove_from_channel("dev", bob)
        assert seen.pop() == ("left", bob.id, "channel_user", "admin")
        mattermost.add_to_channel("dev", bob)
        assert seen.pop() == ("joined", bob.id, "admin", True)
        app.api.delete_channel_member(channel.id, bob.id)
        mattermost.settle()
        assert seen.pop() == ("left", bob.id, "channel_user", "bob")
        app.api.add_user_to_channel(channel.id, bob.id, mallory.id)
        mattermost.settle()
        assert seen.pop() == ("joined", bob.id, "mallory", False)
        app.api.add_user_to_channel(channel.id, bob.id, mallory.id)  # a member already
        mattermost.settle()
        assert len(seen) == 1


def test_a_refused_message_of_joining_fails_the_call_though_the_member_is_there() -> None:
    app = App()
    app.hook("MessageWillBePosted")(lambda post: Reject("no"))
    with Mattermost(app) as mattermost:
        bob, channel = mattermost.add_user("bob"), mattermost.add_channel("dev")
        with refused(500, "api.channel.post_user_add_remove_message_and_forget.error"):
            mattermost.join("dev", user=bob)
        assert app.api.get_channel_member(channel.id, bob.id)
        mattermost.leave("dev", user=bob)  # of that message only the log tells
        assert len(mattermost.server.warnings) == 1


def test_people_need_permissions(server: Mattermost) -> None:
    bob, outsider = server.add_user("bob"), server.add_user("outsider", teams=[])
    server.add_channel("dev", members=[bob])
    secret = server.add_channel("secret", private=True)
    with refused(403, "api.context.permissions.app_error"):
        server.join("dev", user=outsider)
    with refused(403, "api.context.permissions.app_error"):
        server.join(secret, user=bob)
    with refused(403, "api.context.permissions.app_error"):
        server.add_to_channel(secret, outsider, user=bob)
    with pytest.raises(LookupError):
        server.join("nowhere", user=bob)
    assert [user.username for user in server.members("dev")] == ["bob"]
