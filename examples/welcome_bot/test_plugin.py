import pytest
from plugin import app

from mmhooks.testing import LiveMattermost, Mattermost


def greetings(mattermost: Mattermost, user: str) -> list[str]:
    """What the bot says when a user joins the team Sales."""
    mattermost.join_team(mattermost.add_team("sales", display_name="Sales"), user=user)
    return [call.arguments[0].message for call in mattermost.calls_of("CreatePost")]


def test_a_newcomer_is_greeted_by_the_bot(mattermost: Mattermost) -> None:
    mattermost.add_user("ada", first_name="Ada")
    assert greetings(mattermost, "ada") == ["Welcome to Sales, Ada! Ask me nothing, I am only a bot."]
    (call,) = mattermost.calls_of("CreatePost")
    (post,) = mattermost.posts(call.arguments[0].channel_id)
    assert post.user_id == app.bot.user_id == mattermost.user("welcome").id
    assert {user.username for user in mattermost.members(post.channel_id)} == {"ada", "welcome"}


def test_the_words_are_those_of_the_administrators(mattermost: Mattermost) -> None:
    mattermost.add_user("ada")
    mattermost.change_settings({"greeting": "Hi {name}."})
    assert greetings(mattermost, "ada") == ["Hi ada."]


def test_bots_are_not_greeted(mattermost: Mattermost) -> None:
    mattermost.add_bot("robot")
    assert greetings(mattermost, "robot") == []


@pytest.mark.parametrize(("greet_guests", "number"), [(False, 0), (True, 1)])
def test_guests_are_greeted_if_so_set(mattermost: Mattermost, greet_guests: bool, number: int) -> None:
    mattermost.add_user("guest", roles="system_guest")
    mattermost.change_settings({"greet_guests": greet_guests})
    assert len(greetings(mattermost, "guest")) == number


def test_newcomers_are_greeted_as_a_server_runs_it(live_mattermost: LiveMattermost) -> None:
    live_mattermost.add_user("ada", first_name="Ada")
    assert greetings(live_mattermost, "ada") == ["Welcome to Sales, Ada! Ask me nothing, I am only a bot."]
