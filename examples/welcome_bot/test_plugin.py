import pytest
from plugin import Settings, app

from mmhooks import Channel, Post, TeamMember, User
from mmhooks.models import Bot, Team
from mmhooks.testing import LiveMattermost, TestClient

ADA = User(id="u1", username="ada", first_name="Ada", roles="system_user")


class Server:
    """What the plugin asks of a server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.user = ADA
        self.posts: list[Post] = []
        for method in (self.ensure_bot_user, self.get_user, self.get_team, self.get_direct_channel, self.create_post):
            monkeypatch.setattr(app.api, method.__name__, method)

    def ensure_bot_user(self, bot: Bot) -> str:
        return f"the bot {bot.username}"

    def get_user(self, user_id: str) -> User:
        assert user_id == self.user.id
        return self.user

    def get_team(self, team_id: str) -> Team:
        return Team(id=team_id, name="sales", display_name="Sales")

    def get_direct_channel(self, user_id_1: str, user_id_2: str) -> Channel:
        return Channel(id=f"{user_id_1} and {user_id_2}")

    def create_post(self, post: Post) -> Post:
        self.posts.append(post)
        return post


@pytest.fixture
def server(plugin_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(monkeypatch)
    plugin_client.on_activate()
    return made


def join(client: TestClient) -> None:
    client.user_has_joined_team(TeamMember(user_id="u1", team_id="t1"))


def test_a_newcomer_is_greeted_by_the_bot(plugin_client: TestClient, server: Server) -> None:
    join(plugin_client)
    (post,) = server.posts
    assert (post.user_id, post.channel_id) == ("the bot welcome", "the bot welcome and u1")
    assert post.message == "Welcome to Sales, Ada! Ask me nothing, I am only a bot."


def test_the_words_are_those_of_the_administrators(plugin_client: TestClient, server: Server) -> None:
    app.settings = Settings(greeting="Hi {name}.")
    join(plugin_client)
    assert [post.message for post in server.posts] == ["Hi Ada."]


@pytest.mark.parametrize("user", [User(id="u1", is_bot=True), User(id="u1", roles="system_guest")])
def test_bots_and_guests_are_not_greeted(plugin_client: TestClient, server: Server, user: User) -> None:
    server.user = user
    join(plugin_client)
    assert server.posts == []


def test_guests_are_greeted_if_so_set(plugin_client: TestClient, server: Server) -> None:
    app.settings = Settings(greet_guests=True)
    server.user = User(id="u1", username="guest", roles="system_guest")
    join(plugin_client)
    assert len(server.posts) == 1


def test_everybody_is_greeted_as_a_server_runs_it(live_mattermost: LiveMattermost) -> None:
    ada = live_mattermost.sign_up("ada", first_name="Ada")
    live_mattermost.join_team("main", user=ada)
    (post,) = live_mattermost.posts(live_mattermost.direct_channel("welcome", user=ada))
    assert post.message == "Welcome to Main, Ada! Ask me nothing, I am only a bot."
