from pathlib import Path

import pytest
from plugin import app
from rules import logins

from mmhooks import Post, User
from mmhooks.testing import LiveClient, TestClient

CARD = "take 4111 1111 1111 1111, please"


def test_card_numbers_are_masked_in_new_messages(plugin_client: TestClient) -> None:
    result = plugin_client.message_will_be_posted(Post(message=CARD))
    assert result.post == Post(message="take card …1111, please")


def test_card_numbers_are_masked_in_edits(plugin_client: TestClient) -> None:
    result = plugin_client.message_will_be_updated(Post(id="p1", message=CARD), Post(id="p1", message="take cash"))
    assert result.post == Post(id="p1", message="take card …1111, please")


@pytest.mark.parametrize("message", ["call 0049 30 1234567", "on 2026-01-02 at 10:30", "hello"])
def test_other_messages_are_left_alone(plugin_client: TestClient, message: str) -> None:
    assert plugin_client.message_will_be_posted(Post(message=message)).unchanged


@pytest.mark.parametrize("email", ["boss@example.com", "ada@example.org"])
def test_known_people_may_log_in(plugin_client: TestClient, email: str) -> None:
    assert not plugin_client.user_will_log_in(User(email=email)).rejected


def test_strangers_may_not(plugin_client: TestClient) -> None:
    assert plugin_client.user_will_log_in(User(email="eve@example.net")).rejected


def test_without_the_list_only_people_of_the_house_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "GUESTS", tmp_path / "missing.txt")
    with app.test_client(raise_exceptions=False) as client:
        assert not client.user_will_log_in(User(email="boss@example.com")).rejected
        assert client.user_will_log_in(User(email="ada@example.org")).reason == (
            "The list of guests cannot be read. Please tell an administrator."
        )


def test_all_rules_hold_under_a_server(live_client: LiveClient) -> None:
    assert live_client.implemented_hooks() == [
        "OnActivate",
        "UserWillLogIn",
        "MessageWillBePosted",
        "MessageWillBeUpdated",
    ]
    assert live_client.message_will_be_posted(Post(message=CARD)).post == Post(message="take card …1111, please")
    assert live_client.user_will_log_in(User(email="eve@example.net")).rejected
