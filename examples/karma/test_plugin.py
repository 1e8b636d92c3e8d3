import threading

import pytest

from mmhooks.testing import LiveMattermost, Mattermost


@pytest.fixture(autouse=True)
def people(mattermost: Mattermost) -> None:
    for name in ("ada", "bob", "cy"):
        mattermost.add_user(name)


def says(mattermost: Mattermost, user: str, message: str) -> list[str]:
    """What the bot answers."""
    return [answer.message for answer in mattermost.thread(mattermost.post("town-square", message, user=user))]


def test_points_are_given_and_taken(mattermost: Mattermost) -> None:
    assert says(mattermost, "bob", "thanks @ada++ for the cake") == ["@ada has 1 now."]
    assert says(mattermost, "cy", "@ADA++") == ["@ada has 2 now."]
    assert says(mattermost, "cy", "@ada-- it was too sweet") == ["@ada has 1 now."]


def test_nobody_praises_themselves_and_strangers_have_no_karma(mattermost: Mattermost) -> None:
    assert says(mattermost, "ada", "@ada++") == ["Nobody praises themselves."]
    assert says(mattermost, "ada", "@nobody++") == []
    assert mattermost.run_command("/karma ada", user="bob").text == "@ada has 0."


def test_the_command_says_who_has_most(mattermost: Mattermost) -> None:
    assert mattermost.run_command("/karma top", user="ada").text == "Nobody has any karma yet."
    for message in ("@bob++", "@bob++", "@cy++"):
        says(mattermost, "ada", message)
    assert mattermost.run_command("/karma top", user="ada").text == "1. @bob: 2\n2. @cy: 1"
    assert mattermost.run_command("/karma top 1", user="ada").text == "1. @bob: 2"
    assert mattermost.run_command("/karma @bob", user="ada").text == "@bob has 2."


def test_only_administrators_reset(mattermost: Mattermost) -> None:
    says(mattermost, "ada", "@bob++")
    assert mattermost.run_command("/karma reset bob", user="ada").text == "Only administrators can do that."
    assert mattermost.run_command("/karma reset bob", user="admin").text == "@bob begins anew."
    assert mattermost.run_command("/karma bob", user="ada").text == "@bob has 0."


def test_votes_at_the_same_time_all_count(mattermost: Mattermost) -> None:
    threads = [threading.Thread(target=says, args=(mattermost, "bob", "@ada++")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mattermost.run_command("/karma ada", user="cy").text == "@ada has 20."


def test_it_counts_as_a_server_runs_it(live_mattermost: LiveMattermost) -> None:
    live_mattermost.add_user("ada")
    assert says(live_mattermost, "admin", "@ada++") == ["@ada has 1 now."]
    assert live_mattermost.run_command("/karma ada").text == "@ada has 1."
