"""What a handler may answer: one small set for each kind of hook, and the line to write where it answers something else."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mmhooks import (
    App,
    AppError,
    BadRequest,
    CommandResponse,
    Config,
    Conflict,
    Context,
    Dismiss,
    EmailNotification,
    EmailNotificationContent,
    FileData,
    Forbidden,
    HandlerError,
    HandlerTimeout,
    HookName,
    NotFound,
    Post,
    Reject,
    SyncResponse,
    ThreadsExhausted,
    User,
)
from mmhooks.hooks import HOOKS, Kind
from mmhooks.outcomes import Rejected, Replaced, Unchanged, Value, app_error, judge
from mmhooks.testing.client import TestClient

DISMISSED = "plugin.message_will_be_posted.dismiss_post"


@contextmanager
def answering(hook: str, answer: Callable[[], Any], *, raise_exceptions: bool = True) -> Iterator[TestClient]:
    """A client of an app whose handler of one hook answers what `answer` says."""
    app = App()
    app.hook(hook)(lambda *_: answer())
    with app.test_client(raise_exceptions=raise_exceptions) as client:
        yield client


def raising(error: BaseException) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


def wrong(hook: str, returned: Any) -> str:
    """What a handler is told that returned something its hook doesn't allow."""
    with pytest.raises(TypeError) as caught:
        judge(HOOKS[hook], returned)
    return str(caught.value)


of_kind = {kind: [hook for hook in HOOKS.values() if hook.kind is kind] for kind in Kind}


# Reject and Dismiss


def test_an_empty_reason_is_refused_because_servers_read_it_as_consent() -> None:
    with pytest.raises(ValueError, match=r'Reject\(""\) would be read as consent; give a reason, or Dismiss\(\)'):
        Reject("")


@pytest.mark.parametrize("reason", [None, 5, b"why", Post(message="why")])
def test_a_reason_that_is_no_text_is_refused(reason: Any) -> None:
    with pytest.raises(TypeError, match=f"takes the reason as a str, not {type(reason).__name__}"):
        Reject(reason)


def test_a_reject_tells_its_reason() -> None:
    assert Reject("why").reason == "why"
    assert repr(Reject("why")) == "Reject('why')"
    assert repr(Dismiss()) == "Dismiss()"


@pytest.mark.parametrize("answer", [Reject("why"), Dismiss()])
def test_answers_survive_copies_and_other_processes(answer: Reject) -> None:
    for made in (copy.deepcopy(answer), pickle.loads(pickle.dumps(answer))):
        assert (type(made), made.reason) == (type(answer), answer.reason)


@pytest.mark.parametrize("answer", [lambda: Reject("why"), raising(Reject("why"))], ids=["returned", "raised"])
def test_a_reject_may_be_returned_or_raised(answer: Callable[[], Any]) -> None:
    with answering("MessageWillBePosted", answer) as client:
        result = client.message_will_be_posted(Post(message="hi"))
    assert (result.rejected, result.reason, result.post, result.error) == (True, "why", None, None)
    with answering("UserWillLogIn", answer) as client:
        assert client.user_will_log_in(User(username="u")).reason == "why"


@pytest.mark.parametrize("answer", [Dismiss, raising(Dismiss())], ids=["returned", "raised"])
def test_dismiss_drops_a_post_by_the_reason_that_clients_know(answer: Callable[[], Any]) -> None:
    with answering("MessageWillBePosted", answer) as client:
        result = client.message_will_be_posted(Post(message="hi"))
    assert (result.rejected, result.reason) == (True, DISMISSED)


@pytest.mark.parametrize("hook", [h for h in HOOKS.values() if h.kind.may_reject and h.name != "MessageWillBePosted"])
def test_dismiss_is_only_for_new_posts(hook: Any) -> None:
    assert wrong(hook.name, Dismiss()) == (
        f'{hook.name}: Dismiss() is only for MessageWillBePosted; write: return Reject("why")'
    )


def test_a_raised_dismiss_of_another_hook_fails_the_call() -> None:
    with (
        answering("UserWillLogIn", raising(Dismiss())) as client,
        pytest.raises(TypeError, match=r"Dismiss\(\) is only for MessageWillBePosted"),
    ):
        client.user_will_log_in(User())


@pytest.mark.parametrize("hook", [hook for hook in HOOKS.values() if not hook.kind.may_reject], ids=lambda h: h.name)
def test_a_hook_that_cannot_be_refused_takes_no_reject(hook: Any) -> None:
    assert wrong(hook.name, Reject("why")).startswith(
        f"{hook.name}: Reject is for filters and gates, and this is a {hook.kind.value} hook; "
    )


def test_a_reject_raised_where_nothing_can_be_refused_fails_the_call() -> None:
    with answering("MessageHasBeenPosted", raising(Reject("why")), raise_exceptions=False) as client:
        result = client.message_has_been_posted(Post())
    assert isinstance(result.error, HandlerError)
    assert str(result.error).startswith("TypeError: MessageHasBeenPosted: Reject is for filters and gates")


# what each kind allows


@pytest.mark.parametrize("kind", [Kind.NOTIFY, Kind.FALLIBLE, Kind.FILTER, Kind.GATE, Kind.STREAM])
def test_none_leaves_things_as_they_are(kind: Kind) -> None:
    assert {judge(hook, None) for hook in of_kind[kind]} == {Unchanged()}


@pytest.mark.parametrize(
    "hook", ["ExecuteCommand", "MessagesWillBeConsumed", "ConfigurationWillBeSaved", "GenerateSupportData"]
)
def test_none_is_an_answer_where_the_hook_says_so(hook: str) -> None:
    assert judge(HOOKS[hook], None) == Unchanged()


@pytest.mark.parametrize("hook", ["RunDataRetention", "OnSharedChannelsSyncMsg", "OnSharedChannelsPing"])
def test_none_is_no_answer_where_a_value_is_needed(hook: str) -> None:
    assert wrong(hook, None).startswith(f"{hook}: a handler cannot return None; write: return ")


def test_a_filter_replaces_with_a_model_of_its_type() -> None:
    post = Post(message="new")
    assert judge(HOOKS["MessageWillBePosted"], post) == Replaced(post)
    assert wrong("MessageWillBePosted", User()).startswith("MessageWillBePosted: a handler cannot return a User; ")


@pytest.mark.parametrize(
    ("hook", "value"),
    [
        ("ExecuteCommand", CommandResponse(text="done")),
        ("RunDataRetention", 0),
        ("RunDataRetention", 12),
        ("OnSharedChannelsPing", True),
        ("OnSharedChannelsPing", False),
        ("OnSharedChannelsSyncMsg", SyncResponse()),
        ("MessagesWillBeConsumed", [Post(), Post(message="x")]),
        ("MessagesWillBeConsumed", []),
        ("GenerateSupportData", [FileData(filename="x")]),
        ("ConfigurationWillBeSaved", Config()),
    ],
)
def test_a_value_is_handed_on(hook: str, value: Any) -> None:
    assert judge(HOOKS[hook], value) == Value(value)


@pytest.mark.parametrize(
    ("hook", "value", "described"),
    [
        ("RunDataRetention", True, "a bool"),
        ("RunDataRetention", 1.5, "a float"),
        ("OnSharedChannelsPing", 1, "an int"),
        ("MessagesWillBeConsumed", (Post(),), "a tuple"),
        ("MessagesWillBeConsumed", [Post(), "x", 5], "a list of Post and int and str"),
        ("MessagesWillBeConsumed", [None], "a list of NoneType"),
        ("ConfigurationWillBeSaved", [], "an empty list"),
        ("MessageWillBePosted", EmailNotification(), "an EmailNotification"),
    ],
)
def test_what_is_nearly_right_is_not_taken(hook: str, value: Any, described: str) -> None:
    assert wrong(hook, value).startswith(f"{hook}: a handler cannot return {described}; write: return ")


def test_a_mail_may_be_answered_with_itself_or_with_its_texts() -> None:
    content = EmailNotificationContent(subject="s", button_url="u")
    hook = HOOKS["EmailNotificationWillBeSent"]
    assert judge(hook, content) == Replaced(content)
    assert judge(hook, EmailNotification(post_id="p", subject="s", button_url="u")) == Replaced(content)


# the line to write


@pytest.mark.parametrize("hook", of_kind[Kind.NOTIFY] + of_kind[Kind.STREAM], ids=lambda hook: hook.name)
@pytest.mark.parametrize("returned", ["why", (Post(), "why"), {"message": "hi"}, True, Post()])
def test_a_notification_expects_nothing_back(hook: Any, returned: Any) -> None:
    described = f"a {type(returned).__name__}"
    assert wrong(hook.name, returned) == (
        f"{hook.name}: a handler cannot return {described}; nothing is expected back: leave the return out"
    )


@pytest.mark.parametrize("hook", of_kind[Kind.FALLIBLE], ids=lambda hook: hook.name)
@pytest.mark.parametrize("returned", ["why", (None, "why"), {"error": "why"}, True])
def test_a_failure_is_raised_and_not_returned(hook: Any, returned: Any) -> None:
    assert wrong(hook.name, returned).endswith(
        '; leave the return out, or to tell the server of a failure write: raise AppError("why")'
    )


@pytest.mark.parametrize("hook", of_kind[Kind.FILTER] + of_kind[Kind.GATE], ids=lambda hook: hook.name)
@pytest.mark.parametrize("returned", ["it's off", (Post(), "it's off"), (None, "it's off")])
def test_a_reason_as_text_or_in_gos_pair_becomes_the_reject_to_write(hook: Any, returned: Any) -> None:
    assert wrong(hook.name, returned).endswith('; write: return Reject("it\'s off")')


@pytest.mark.parametrize("hook", of_kind[Kind.GATE], ids=lambda hook: hook.name)
@pytest.mark.parametrize("returned", [True, False, "", {"ok": True}, (None, "")])
def test_a_gate_is_told_how_to_allow_and_to_refuse(hook: Any, returned: Any) -> None:
    assert wrong(hook.name, returned).endswith('; write: return None (to allow), or return Reject("why")')


REPLACEMENTS = {
    "MessageWillBePosted": "post (a Post, to replace it)",
    "MessageWillBeUpdated": "new_post (a Post, to replace it)",
    "ChannelMemberWillBeAdded": "channel_member (a ChannelMember, to replace it)",
    "TeamMemberWillBeAdded": "team_member (a TeamMember, to replace it)",
    "FileWillBeUploaded": "info (a FileInfo, to replace it)",
    "EmailNotificationWillBeSent": "notification (an EmailNotification, to replace it)",
    "NotificationWillBePushed": "push_notification (a PushNotification, to replace it)",
}


@pytest.mark.parametrize("hook", of_kind[Kind.FILTER], ids=lambda hook: hook.name)
@pytest.mark.parametrize("returned", [{"message": "hi"}, True, (Post(), ""), ""])
def test_a_filter_is_told_the_argument_to_return(hook: Any, returned: Any) -> None:
    line = f'return {REPLACEMENTS[hook.name]}, return None (unchanged), or return Reject("why")'
    assert wrong(hook.name, returned).endswith(f"; write: {line}")


VALUES = {
    "ExecuteCommand": 'return CommandResponse(response_type="ephemeral", text=…), or return None, or raise AppError("why")',
    "MessagesWillBeConsumed": "return posts (a list[Post]), or return None",
    "RunDataRetention": 'return 0 (an int), or raise AppError("why")',
    "ConfigurationWillBeSaved": 'return config (a Config), or return None, or raise AppError("why")',
    "OnSharedChannelsSyncMsg": 'return SyncResponse(…), or raise AppError("why")',
    "OnSharedChannelsPing": "return True (a bool)",
    "GenerateSupportData": 'return [FileData(…)] (a list[FileData]), or return None, or raise AppError("why")',
}


@pytest.mark.parametrize("hook", of_kind[Kind.VALUE] + of_kind[Kind.FALLIBLE_VALUE], ids=lambda hook: hook.name)
@pytest.mark.parametrize("returned", ["why", (None, "why"), {"text": "done"}])
def test_a_hook_that_is_asked_for_a_value_is_told_which(hook: Any, returned: Any) -> None:
    assert wrong(hook.name, returned).endswith(f"; write: {VALUES[hook.name]}")


def test_the_author_reads_the_line_in_the_exception() -> None:
    with (
        answering("MessageWillBePosted", lambda: "no shouting") as client,
        pytest.raises(TypeError, match=r"^MessageWillBePosted: .* write: return Reject\('no shouting'\)$"),
    ):
        client.message_will_be_posted(Post())


def test_a_wrong_answer_leaves_things_as_they_were_for_the_server() -> None:
    with answering("MessageWillBePosted", lambda: {"message": "x"}, raise_exceptions=False) as client:
        result = client.message_will_be_posted(Post(message="hi"))
    assert (result.unchanged, result.post) == (True, Post(message="hi"))
    assert str(result.error).startswith("TypeError: MessageWillBePosted: a handler cannot return a dict")


# errors in Mattermost's words


def told(error: BaseException, hook: str = "OnActivate") -> AppError:
    """What the server is told of a handler that raised."""
    with answering(hook, raising(error), raise_exceptions=False) as client:
        result = client.call(hook)
    assert isinstance(result.error, AppError)
    return result.error


def test_an_exception_is_told_with_its_type_and_text_and_where_it_came_from() -> None:
    error = told(KeyError("channel"))
    assert error.detailed_error == "KeyError: 'channel'"
    assert error.message == "KeyError: 'channel'"
    assert (error.id, error.status_code) == ("mmhooks.handler.app_error", 500)
    assert error.where.startswith("OnActivate: ")
    assert "test_outcomes.py:" in error.where


def test_an_exception_without_text_is_told_by_its_type() -> None:
    assert told(ZeroDivisionError()).detailed_error == "ZeroDivisionError"


def test_an_app_error_reaches_the_server_as_it_is() -> None:
    error = told(AppError("m", id="i", detailed_error="m: d", status_code=404, where="w", params={"p": [1]}))
    assert (error.message, error.id, error.detailed_error, error.status_code, error.where, error.params) == (
        "m", "i", "m: d", 404, "w", {"p": [1]},
    )  # fmt: skip


def test_an_app_errors_message_goes_into_the_details_too_since_hosts_may_drop_it() -> None:
    assert told(AppError("no licence")).detailed_error == "no licence"
    assert told(AppError("no licence", detailed_error="ends 1970")).detailed_error == "no licence: ends 1970"


def test_what_an_app_error_leaves_open_is_filled_in() -> None:
    error = told(AppError("no licence"))
    assert (error.id, error.status_code, error.params) == ("mmhooks.handler.app_error", 500, {})
    assert error.where.startswith("OnActivate: ")


def test_an_app_error_reads_in_a_log_as_all_that_helps() -> None:
    assert str(AppError("m")) == "m"
    assert str(AppError("m", detailed_error="d", id="i", status_code=404)) == "m: d (i, 404)"
    assert str(AppError("m", detailed_error="m: d", id="i")) == "m: d (i, 500)"
    assert str(AppError("m: d", detailed_error="d")) == "m: d"
    assert str(AppError(detailed_error="d", id="i")) == "d (i, 500)"
    assert str(AppError(id="i")) == "i"
    assert str(AppError()) == ""


BY_STATUS = {400: BadRequest, 403: Forbidden, 404: NotFound, 409: Conflict}


@pytest.mark.parametrize(("status", "kind"), BY_STATUS.items())
def test_an_app_error_is_of_the_class_of_its_status(status: int, kind: type[AppError]) -> None:
    for error in (AppError("m", status_code=status, where="w"), kind("m", where="w")):
        assert type(error) is kind
        assert isinstance(error, AppError)
        assert (error.status_code, error.where, str(error)) == (status, "w", "m")
    assert AppError("m", status_code=status) == kind("m") != AppError("m")
    assert pickle.loads(pickle.dumps(kind("m", id="i"))) == kind("m", id="i")


def test_an_app_error_of_another_status_is_just_one() -> None:
    for status in (0, 200, 401, 413, 418, 500, 501):
        error = AppError("m", status_code=status)
        assert (type(error), error.status_code) == (AppError, status)
    assert AppError().status_code == 500
    assert pickle.loads(pickle.dumps(AppError("m", status_code=418))) == AppError("m", status_code=418)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HandlerTimeout("late", hook="OnActivate", handler="f"), 504),
        (ThreadsExhausted("stuck", hook="OnActivate", handler="f"), 503),
        (HandlerError("broken", hook="OnActivate", handler="f"), 500),
    ],
)
def test_a_call_without_an_answer_has_a_status_that_says_why(error: Any, status: int) -> None:
    made = app_error(error)
    assert (made.status_code, made.detailed_error, made.where) == (status, str(error), "OnActivate: f")


def test_a_filter_that_raises_is_no_app_error() -> None:
    with answering("MessageWillBePosted", raising(AppError("m")), raise_exceptions=False) as client:
        result = client.message_will_be_posted(Post())
    assert isinstance(result.error, HandlerError)
    assert result.error.hook == HookName.MessageWillBePosted


def test_rejections_compare_by_reason_whatever_caused_them() -> None:
    cause = HandlerError("x", hook="UserWillLogIn")
    assert Rejected("why", cause) == Rejected("why")
    assert Rejected("why") != Rejected("other")


def test_an_edit_that_was_not_returned_is_named_with_the_line_to_write() -> None:
    advice = Unchanged(("post.message", "post.props")).advice(HOOKS["MessageWillBePosted"])
    assert "changed post.message, post.props and returned None" in advice
    assert "write `return post`" in advice


def test_context_is_no_answer_of_anything() -> None:
    for hook in HOOKS.values():
        assert "a handler cannot return a Context; " in wrong(hook.name, Context())
