import pytest
from plugin import app

from mmhooks import BadRequest
from mmhooks.testing import LiveMattermost, Mattermost


def test_words_are_masked(mattermost: Mattermost) -> None:
    post = mattermost.post("town-square", "Darn it, what the heck?")
    assert post.message == "**** it, what the ****?"


def test_words_are_masked_in_edits(mattermost: Mattermost) -> None:
    post = mattermost.post("town-square", "fine")
    assert mattermost.edit_post(post, "heckler, heck").message == "heckler, ****"


def test_words_are_refused_if_administrators_say_so(mattermost: Mattermost) -> None:
    mattermost.change_settings({"answer": "refuse", "words": "drat"})
    with pytest.raises(BadRequest, match="Please don't write 'drat' here"):
        mattermost.post("town-square", "Drat!")
    assert mattermost.posts("town-square") == []


def test_guests_cannot_post_links(mattermost: Mattermost) -> None:
    guest = mattermost.add_user("guest", roles="system_guest")
    link = "see https://example.com"
    with pytest.raises(BadRequest, match="Guests cannot post links"):
        mattermost.post("town-square", link, user=guest)
    assert mattermost.post("town-square", link, user=mattermost.add_user("ada"))
    mattermost.change_settings({"guests_may_link": True})
    assert mattermost.post("town-square", link, user=guest)


def test_some_channels_stay(mattermost: Mattermost) -> None:
    mattermost.change_settings({"keep": "sales news"})
    channel = mattermost.add_channel("sales", display_name="Sales")
    with pytest.raises(BadRequest, match="Sales stays"):
        mattermost.archive_channel(channel)
    mattermost.archive_channel(mattermost.add_channel("old"))


def test_nothing_passes_unchecked() -> None:
    with Mattermost(app, raise_exceptions=False) as mattermost:
        mattermost.answer("GetUser", RuntimeError("the server is in trouble"))
        with pytest.raises(BadRequest, match="This could not be checked"):
            mattermost.post("town-square", "see https://example.com")
        assert mattermost.posts("town-square") == []


def test_it_moderates_as_a_server_runs_it(live_mattermost: LiveMattermost) -> None:
    assert live_mattermost.post("town-square", "heck").message == "****"
    guest = live_mattermost.add_user("guest", roles="system_guest")
    with pytest.raises(BadRequest, match="Guests cannot post links"):
        live_mattermost.post("town-square", "www.example.com", user=guest)
