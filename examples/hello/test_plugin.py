from mmhooks import Post
from mmhooks.testing import LiveClient, TestClient


def test_a_calm_post_is_stored_as_it_is(plugin_client: TestClient) -> None:
    result = plugin_client.message_will_be_posted(Post(message="good morning"))
    assert result.unchanged


def test_a_slip_is_mended(plugin_client: TestClient) -> None:
    result = plugin_client.message_will_be_posted(Post(message="teh weather is nice"))
    assert result.post == Post(message="the weather is nice")


def test_shouting_is_rejected(plugin_client: TestClient) -> None:
    result = plugin_client.message_will_be_posted(Post(message="WHERE IS EVERYBODY"))
    assert result.reason == "Please don't shout."
    assert result.post is None


def test_it_runs_as_a_server_would_run_it(live_client: LiveClient) -> None:
    assert live_client.implemented_hooks() == ["OnActivate", "MessageWillBePosted"]
    assert live_client.message_will_be_posted(Post(message="HELLO")).rejected
