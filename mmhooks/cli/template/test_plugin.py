from mmhooks import Post

from plugin import app
from settings import Settings


def test_a_slip_is_mended(plugin_client):
    post = Post(message="teh weather is nice")
    result = plugin_client.message_will_be_posted(post)
    assert result.post.message == "the weather is nice"


def test_shouting_is_rejected_unless_it_is_allowed(plugin_client):
    post = Post(message="HELLO")
    result = plugin_client.message_will_be_posted(post)
    assert result.reason == "Please don't shout."
    app.settings = Settings(allow_shouting=True)
    assert plugin_client.message_will_be_posted(post).unchanged


def test_it_runs_as_a_server_starts_it(live_client):
    post = Post(message="good morning")
    assert live_client.message_will_be_posted(post).unchanged
