"""What handlers may decide, and what a server makes of it, whichever way the call comes."""

from __future__ import annotations

import contextlib
import re

import pytest

from mmhooks import (
    AppError,
    CommandArgs,
    CommandResponse,
    Config,
    Context,
    EmailNotification,
    HandlerError,
    HandlerTimeout,
    NotImplementedByPlugin,
    Post,
    SyncResponse,
    User,
)
from mmhooks.testing import LostChange, UnreturnedEdit

from .conftest import Load


def said(error: Exception | None) -> str:
    """An error's text as the handler made it. Over net/rpc, where a server logs the text only, the hook and the handler
    stand before it."""
    return re.sub(r"^(MessageWillBePosted: )?\S+ \(\S+:\d+\): ", "", str(error))


FILTER = """
from mmhooks import *
app = App()
@app.hook
{kind} message_will_be_posted(post):
    match post.message:
        case "return reject": return Reject("returned")
        case "raise reject": raise Reject("raised")
        case "dismiss": return Dismiss()
        case "replace":
            post.message = "replaced"
            post.props["n"] = 1.0
            return post
        case "new": return Post(message="another")
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_filter_keeps_replaces_and_rejects(load: Load, kind: str) -> None:
    client = load(FILTER.format(kind=kind))
    kept = client.message_will_be_posted(Post(message="hello"))
    assert (kept.unchanged, kept.rejected, kept.reason, kept.error) == (True, False, None, None)
    assert kept.post == Post(message="hello")
    assert client.message_will_be_posted(Post(message="return reject")).reason == "returned"
    raised = client.message_will_be_posted(Post(message="raise reject"))
    assert (raised.rejected, raised.reason, raised.post, raised.unchanged) == (True, "raised", None, False)
    assert client.message_will_be_posted(Post(message="dismiss")).reason == (
        "plugin.message_will_be_posted.dismiss_post"
    )
    replaced = client.message_will_be_posted(Post(message="replace", props={"n": 0}))
    assert replaced.post == Post(message="replaced", props={"n": 1})
    assert not replaced.unchanged
    assert client.message_will_be_posted(Post(message="new", user_id="u")).post == Post(message="another")


def test_arguments_are_copies(load: Load) -> None:
    post = Post(message="replace", props={"n": 0})
    load(FILTER.format(kind="def")).message_will_be_posted(post)
    assert post == Post(message="replace", props={"n": 0})


def test_gate_allows_and_rejects(load: Load) -> None:
    client = load("""
from mmhooks import *
app = App()
@app.hook
def user_will_log_in(user, context):
    if user.username == "mallory":
        return Reject("not you")
""")
    assert client.user_will_log_in(User(username="alice"), Context()).unchanged
    assert client.user_will_log_in(User(username="mallory")).reason == "not you"


VALUES = """
from mmhooks import *
app = App()
@app.hook
def execute_command(args):
    if args.command == "/fail":
        raise AppError("no such thing", id="x.y", status_code=404)
    if args.command == "/crash":
        raise KeyError("oops")
    if args.command == "/nothing":
        return None
    return CommandResponse(text=args.command.upper(), props={"list": (1, 2)})
@app.hook
def on_shared_channels_ping(remote_cluster):
    return remote_cluster is None
@app.hook
def run_data_retention(now_time, batch_size):
    return now_time + batch_size
@app.hook
def messages_will_be_consumed(posts):
    for post in posts:
        post.message = post.message[::-1]
    return posts
@app.hook
def configuration_will_be_saved(config):
    if config.TeamSettings.SiteName == "bad":
        raise ValueError("choose a better name")
    config.TeamSettings.SiteName = "Chat"
    return config
@app.hook
def email_notification_will_be_sent(notification):
    notification.subject = "[chat] " + notification.subject
    return notification
"""


def test_values_come_back_as_they_would_reach_a_server(load: Load) -> None:
    client = load(VALUES)
    response = client.execute_command(CommandArgs(command="/hi"))
    assert response.value
    assert response.value.text == "/HI"
    assert response.value.props == {"list": [1, 2]}
    assert client.on_shared_channels_ping().value is True
    assert client.run_data_retention(2**40, 2).value == 2**40 + 2
    posts = client.messages_will_be_consumed([Post(id="1", message="abc"), Post(id="2", message="def")])
    assert posts.value == [Post(id="1", message="cba"), Post(id="2", message="fed")]
    config = Config()
    config.ServiceSettings.SiteURL = "https://example.com"
    saved = client.configuration_will_be_saved(config).value
    assert saved
    assert (saved.TeamSettings.SiteName, saved.ServiceSettings.SiteURL) == ("Chat", "https://example.com")
    mail = client.email_notification_will_be_sent(EmailNotification(post_id="p", subject="Hello", title="t")).value
    assert mail
    assert (mail.subject, mail.title) == ("[chat] Hello", "t")


def test_hooks_that_may_fail_tell_the_server_why(load: Load) -> None:
    client = load(VALUES, raise_exceptions=False)
    told = client.execute_command(CommandArgs(command="/fail")).error
    assert isinstance(told, AppError)
    assert (told.id, told.message, told.detailed_error, told.status_code) == (
        "x.y", "no such thing", "no such thing", 404,
    )  # fmt: skip
    told = client.execute_command(CommandArgs(command="/crash")).error
    assert isinstance(told, AppError)
    assert (told.detailed_error, told.status_code) == ("KeyError: 'oops'", 500)
    config = Config()
    config.TeamSettings.SiteName = "bad"
    assert "choose a better name" in str(client.configuration_will_be_saved(config).error)


def test_failing_filter_lets_things_pass_unless_it_says_otherwise(load: Load) -> None:
    client = load(
        """
from mmhooks import *
app = App()
@app.hook
def message_will_be_posted(post):
    raise RuntimeError("broken")
@app.hook(on_error=Reject("closed"))
def user_will_log_in(user):
    raise RuntimeError("broken")
@app.hook(on_error=Reject("too slow"), timeout=0.1)
async def message_will_be_updated(new_post):
    import asyncio
    await asyncio.Event().wait()
""",
        raise_exceptions=False,
    )
    passed = client.message_will_be_posted(Post(message="hello"))
    assert (passed.unchanged, passed.rejected) == (True, False)
    assert passed.post == Post(message="hello")
    assert said(passed.error) == "RuntimeError: broken"
    assert client.user_will_log_in(User()).reason == "closed"
    assert client.message_will_be_updated(Post(), Post()).reason == "too slow"


def test_hook_without_handler_is_said_to_have_none(load: Load) -> None:
    client = load("from mmhooks import *\napp = App()\n")
    with pytest.raises(NotImplementedByPlugin):
        client.user_will_log_in(User())


def test_activation_configures_first(load: Load) -> None:
    client = load("""
from mmhooks import *
app = App()
calls = []
@app.hook
def on_activate(): calls.append("activate")
@app.hook
async def on_configuration_change(): calls.append("configuration")
@app.hook
def run_data_retention(now_time, batch_size): return len(calls)
@app.hook
def generate_support_data(context): return [FileData(filename=",".join(calls), body=b"x")]
""")
    assert client.implemented_hooks() == [
        "OnActivate", "OnConfigurationChange", "RunDataRetention", "GenerateSupportData",
    ]  # fmt: skip
    client.on_activate()
    files = client.generate_support_data().value
    assert files
    assert files[0].filename.endswith("configuration,activate")


def test_what_is_left_out_arrives_as_none(load: Load) -> None:
    client = load("""
from mmhooks import *
app = App()
@app.hook
def user_has_joined_channel(context, channel_member, actor):
    assert (context, channel_member, actor) == (None, None, None)
@app.hook
def message_will_be_posted(context, post):
    assert (context, post) == (None, None)
""")
    client.user_has_joined_channel()
    assert client.message_will_be_posted().post is None


def test_model_in_the_place_of_none_is_the_answer(load: Load) -> None:
    client = load("""
from mmhooks import *
app = App()
@app.hook
def message_will_be_posted(post):
    assert post is None
    return Post(message="new")
""")
    assert client.message_will_be_posted().post == Post(message="new")


def test_edit_that_the_handler_leaves_alone_is_unchanged(load: Load) -> None:
    client = load("""
from mmhooks import *
app = App()
app.hook("MessageWillBeUpdated")(lambda new_post, old_post: None)
app.hook("MessagesWillBeConsumed")(lambda posts: None)
""")
    result = client.message_will_be_updated(Post(message="new", props={"n": 1}), Post(message="old"))
    assert (result.unchanged, result.post) == (True, Post(message="new", props={"n": 1}))
    consumed = client.messages_will_be_consumed([Post(id="1")])
    assert (consumed.unchanged, consumed.value) == (True, [Post(id="1")])


REMOVES = """
from mmhooks import *
app = App()
def remove(post):
    del post.props["card"]
    post.message = ""
    return post
@app.hook
def message_will_be_posted(post):
    return remove(post)
@app.hook
def message_will_be_updated(new_post):
    return remove(new_post)
"""


def test_empty_values_take_the_place_of_others(load: Load, request: pytest.FixtureRequest) -> None:
    client = load(REMOVES)
    updated = client.message_will_be_updated(Post(message="x", props={"card": "4111", "n": 1}), Post())
    assert updated.post == Post(props={"n": 1})
    way_in = request.node.callspec.params["load"]
    with pytest.warns(LostChange) if way_in == "in process" else contextlib.nullcontext():
        posted = client.message_will_be_posted(Post(message="x", props={"card": "4111", "n": 1}))
    # A released server merges what this hook answers into the post that it has, and so keeps the key.
    kept = {"card": "4111"} if way_in == "net/rpc" else {}
    assert posted.post == Post(props={"n": 1, **kept})
    client.close()
    if way_in == "net/rpc":
        log = [line.message for line in client.process.log]  # type: ignore[union-attr]  # this is the live one
        assert any("post.props['card']: removed, but released servers" in line for line in log)


@pytest.mark.parametrize("raises", ["LookupError('lost')", "TimeoutError('slow')"])
def test_failures_have_a_class_that_says_what_happened(load: Load, raises: str, request: pytest.FixtureRequest) -> None:
    client = load(
        f"""
from mmhooks import *
app = App(timeout=0.1, threads=1)
@app.hook
async def user_will_log_in(user):
    import asyncio
    await asyncio.Event().wait()
@app.hook
def message_will_be_posted(post):
    raise {raises}
""",
        raise_exceptions=False,
    )
    assert type(client.message_will_be_posted(Post()).error) is HandlerError
    assert type(client.message_will_be_updated(Post(), Post()).error) is NotImplementedByPlugin
    late = client.user_will_log_in(User()).error
    assert "did not answer within 0.1 s" in str(late)
    # Over net/rpc an error is a text, by which no server could tell a deadline from anything else.
    assert type(late) is (HandlerError if request.node.callspec.params["load"] == "net/rpc" else HandlerTimeout)


@pytest.mark.parametrize(
    "answer",
    ["lambda post: 'no'", "lambda post: {'message': 'x'}", "lambda post: (post, 'reason')", "lambda post: True"],
)
def test_what_a_kind_does_not_allow_is_an_error_that_names_the_hook(load: Load, answer: str) -> None:
    client = load(
        f"from mmhooks import *\napp = App()\napp.hook('MessageWillBePosted')({answer})\n", raise_exceptions=False
    )
    result = client.message_will_be_posted(Post(message="x"))
    assert said(result.error).startswith("TypeError: MessageWillBePosted: a handler cannot return")
    assert result.unchanged


def test_callables_of_all_sorts_are_handlers(load: Load) -> None:
    client = load("""
import asyncio, functools
from mmhooks import *
app = App()
class Rules:
    def reject(self, user): return Reject("method")
    async def __call__(self, post): return Reject("object")
async def later(text, new_post, old_post): return Reject(text)
def awaitable(push_notification, user_id): return asyncio.sleep(0, Reject("awaitable"))
app.hook("UserWillLogIn")(Rules().reject)
app.hook("MessageWillBePosted")(Rules())
app.hook("MessageWillBeUpdated")(functools.partial(later, "partial"))
app.hook("NotificationWillBePushed")(awaitable)
""")
    assert client.user_will_log_in(User()).reason == "method"
    assert client.message_will_be_posted(Post()).reason == "object"
    assert client.message_will_be_updated(Post(), Post()).reason == "partial"
    assert client.notification_will_be_pushed(user_id="u").reason == "awaitable"


def test_late_thread_cannot_change_an_answer_already_given(load: Load) -> None:
    client = load(
        """
import threading
from mmhooks import *
app = App()
go, done = threading.Event(), threading.Event()
@app.hook(timeout=0.1)
def message_will_be_posted(post):
    go.wait()
    post.message = "too late"
    done.set()
    return post
@app.hook
def on_shared_channels_ping(remote_cluster):
    go.set()
    return done.wait(10)
""",
        raise_exceptions=False,
    )
    post = Post(message="hello")
    result = client.message_will_be_posted(post)
    assert "did not answer within 0.1 s" in str(result.error)
    assert client.on_shared_channels_ping().value is True
    assert result.post == post == Post(message="hello")


EDIT = """
from mmhooks import *
app = App()
@app.hook
def message_will_be_posted(post):
    post.message = post.message.upper()
    post.props["seen"] = True
"""


def test_author_who_edits_and_returns_none_is_told(load: Load, request: pytest.FixtureRequest) -> None:
    client = load(EDIT)
    text = r"changed post.message, post.props and returned None.*write `return post`"
    if request.node.callspec.params["load"] == "in process":
        with pytest.warns(UnreturnedEdit, match=text):
            result = client.message_will_be_posted(Post(message="hello"))
    else:
        result = client.message_will_be_posted(Post(message="hello"))
        client.close()  # all of its log has come then
        process = client.process  # type: ignore[union-attr]  # this is the live one
        assert any("changed post.message, post.props and returned None" in line.message for line in process.log)
    assert result.post == Post(message="hello")


def test_empty_list_of_posts_leaves_them_all_as_they_were(load: Load) -> None:
    client = load("from mmhooks import *\napp = App()\napp.hook('MessagesWillBeConsumed')(lambda posts: [])\n")
    result = client.messages_will_be_consumed([Post(id="1")])
    assert (result.unchanged, result.value) == (True, [Post(id="1")])


def test_failure_that_the_server_is_told_of_leaves_nothing_unchanged(load: Load) -> None:
    client = load(VALUES, raise_exceptions=False)
    config = Config()
    config.TeamSettings.SiteName = "bad"
    result = client.configuration_will_be_saved(config)
    assert (result.unchanged, result.value, result.rejected) == (False, None, False)


def test_command_without_an_answer_is_an_empty_response(load: Load) -> None:
    assert load(VALUES).execute_command(CommandArgs(command="/nothing")).value == CommandResponse()


def test_nothing_at_all_is_a_value_too(load: Load) -> None:
    client = load("""
from mmhooks import *
app = App()
app.hook("RunDataRetention")(lambda now_time, batch_size: 0)
app.hook("OnSharedChannelsPing")(lambda remote_cluster: False)
app.hook("OnSharedChannelsSyncMsg")(lambda sync_msg, remote_cluster: SyncResponse())
""")
    assert client.run_data_retention(1, 1).value == 0
    assert client.on_shared_channels_ping().value is False
    assert client.on_shared_channels_sync_msg().value == SyncResponse()
