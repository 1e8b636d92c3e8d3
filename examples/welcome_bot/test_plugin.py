import pytest
from plugin import Settings, app

from mmhooks import TeamMember, User
from mmhooks.models import Team
from mmhooks.testing import TestClient

ADA = User(id="u1", username="ada", first_name="Ada", roles="system_user")


class Server:
    """What the plugin asks of a server, and what its bot says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.user = ADA
        self.said: list[tuple[str, str]] = []
        monkeypatch.setattr(app.api, "get_user", self.get_user)
        monkeypatch.setattr(app.api, "get_team", self.get_team)
        monkeypatch.setattr(app.bot, "dm", self.dm)

    def get_user(self, user_id: str) -> User:
        assert user_id == self.user.id
        return self.user

    def get_team(self, team_id: str) -> Team:
        return Team(id=team_id, name="sales", display_name="Sales")

    def dm(self, user_id: str, message: str) -> None:
        self.said.append((user_id, message))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def join(client: TestClient) -> None:
    client.user_has_joined_team(TeamMember(user_id="u1", team_id="t1"))


def test_a_newcomer_is_greeted_by_the_bot(plugin_client: TestClient, server: Server) -> None:
    join(plugin_client)
    assert server.said == [("u1", "Welcome to Sales, Ada! Ask me nothing, I am only a bot.")]


def test_the_words_are_those_of_the_administrators(plugin_client: TestClient, server: Server) -> None:
    app.settings = Settings(greeting="Hi {name}.")
    join(plugin_client)
    assert server.said == [("u1", "Hi Ada.")]


@pytest.mark.parametrize("user", [User(id="u1", is_bot=True), User(id="u1", roles="system_guest")])
def test_bots_and_guests_are_not_greeted(plugin_client: TestClient, server: Server, user: User) -> None:
    server.user = user
    join(plugin_client)
    assert server.said == []


def test_guests_are_greeted_if_so_set(plugin_client: TestClient, server: Server) -> None:
    app.settings = Settings(greet_guests=True)
    server.user = User(id="u1", username="guest", roles="system_guest")
    join(plugin_client)
    assert len(server.said) == 1
