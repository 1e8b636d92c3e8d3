from mmhooks import Post

from plugin import app
from settings import Settings


def test_a_slip_is_mended(plugin_client):
    result = plugin_client.message_will_be_posted(Post(message="teh weather is nice"))
    assert result.post.message == "the weather is nice"


def test_shouting_is_rejected_unless_it_is_allowed(plugin_client):
    assert plugin_client.message_will_be_posted(Post(message="HELLO")).reason == "Please don't shout."
    app.settings = Settings(allow_shouting=True)
    assert plugin_client.message_will_be_posted(Post(message="HELLO")).unchanged


def test_it_runs_as_a_server_starts_it(live_client):
    assert live_client.message_will_be_posted(Post(message="good morning")).unchanged
