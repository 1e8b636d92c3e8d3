"""The test client in process: what is its own; what it shares with hosts is in tests/behaviour."""

from __future__ import annotations

import asyncio
import datetime
import threading

import pytest

from mmhooks import (
    App,
    CommandArgs,
    CommandResponse,
    Context,
    HandlerError,
    HandlerTimeout,
    ModelError,
    NotImplementedByPlugin,
    Post,
    Reject,
    ThreadsExhausted,
    UnknownHook,
    User,
    WebSocketRequest,
)
from mmhooks.hooks import HOOKS, Kind
from mmhooks.models import PostMetadata, Session
from mmhooks.testing import LostChange, TestClient


def test_handlers_own_exception_is_raised_as_it_is() -> None:
    app = App()
    error = LookupError("own")

    @app.hook
    def message_will_be_posted(post: Post) -> None:
        raise error

    with app.test_client() as client, pytest.raises(LookupError) as caught:
        client.message_will_be_posted(Post())
    assert caught.value is error


def test_exception_behind_a_rejection_is_raised_too_and_shown_as_rejection_with_the_switch() -> None:
    app = App(on_error=Reject("closed"))

    @app.hook
    def user_will_log_in(user: User) -> None:
        raise LookupError("own")

    with app.test_client() as client, pytest.raises(LookupError):
        client.user_will_log_in(User())
    with app.test_client(raise_exceptions=False) as client:
        assert client.user_will_log_in(User()).reason == "closed"


def test_deadline_is_raised_as_such() -> None:
    app = App(timeout=0.1)

    @app.hook
    async def user_will_log_in(user: User) -> None:
        await asyncio.Event().wait()

    with app.test_client() as client, pytest.raises(HandlerTimeout, match=r"within 0\.1 s"):
        client.user_will_log_in(User())


def test_exhausted_threads_are_raised_as_such() -> None:
    app = App(timeout=0.1, threads=1)
    free = threading.Event()

    @app.hook
    def user_will_log_in(user: User) -> None:
        free.wait()

    with app.test_client() as client:
        with pytest.raises(HandlerTimeout):
            client.user_will_log_in(User())
        with pytest.raises(ThreadsExhausted, match="all 1 threads"):
            client.user_will_log_in(User())
        free.set()


def test_thread_that_comes_free_again_is_used_again() -> None:
    app = App(timeout=0.2, threads=1)
    free = threading.Event()

    @app.hook
    def user_will_log_in(user: User) -> None:
        free.wait()

    @app.hook
    async def on_activate() -> None:
        free.set()

    with app.test_client() as client:
        with pytest.raises(HandlerTimeout):
            client.user_will_log_in(User())
        client.on_activate()
        for _ in range(1000):
            try:
                assert client.user_will_log_in(User()).unchanged
                break
            except ThreadsExhausted:  # the thread needs a moment to notice
                continue
        else:
            pytest.fail("the thread never came back")


def test_return_value_that_no_host_could_send_is_an_error_that_names_it() -> None:
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post:
        post.props["due"] = {"on": datetime.date(2026, 1, 1)}
        return post

    @app.hook
    def message_will_be_updated(new_post: Post) -> Post:
        new_post.message = 5  # type: ignore[assignment]  # the mistake
        return new_post

    with app.test_client() as client:
        with pytest.raises(ModelError, match=r"Post\.props.*due\.on.*date"):
            client.message_will_be_posted(Post())
        with pytest.raises(ModelError, match=r"Post\.message takes str, not int"):
            client.message_will_be_updated(Post(), Post())


def test_what_only_other_hosts_can_carry_passes() -> None:
    app = App()
    seen = []

    @app.hook
    def websocket_message_has_been_posted(request: WebSocketRequest) -> None:
        seen.append(request.session.id)

    @app.hook
    def execute_command(args: CommandArgs) -> CommandResponse:
        return CommandResponse(extra_responses=[CommandResponse(text="more")])

    with app.test_client() as client:
        client.websocket_message_has_been_posted("w", "u", WebSocketRequest(session=Session(id="s")))
        response = client.execute_command(CommandArgs()).value
    assert seen == ["s"]
    assert response
    assert response.extra_responses[0].text == "more"


def test_every_hook_that_takes_plain_values_has_a_method() -> None:
    for hook in HOOKS.values():
        streams = hook.kind is Kind.STREAM or any(p.type == "BinaryIO" for p in hook.parameters)
        assert hasattr(TestClient, hook.method) is not streams, hook.name


def test_unknown_names_are_refused() -> None:
    app = App()
    with app.test_client() as client:
        with pytest.raises(UnknownHook, match="did you mean 'UserWillLogIn'"):
            client.call("UserWillLogin")
        with pytest.raises(TypeError, match="has no parameter 'usr'"):
            client.call("UserWillLogIn", usr=User())


def test_argument_of_another_type_is_refused_by_its_name() -> None:
    with App().test_client() as client:
        with pytest.raises(TypeError, match=r"MessageWillBePosted: post takes Post, not \{'message': 'x'\}"):
            client.call("MessageWillBePosted", post={"message": "x"})
        with pytest.raises(TypeError, match=r"MessagesWillBeConsumed: posts takes list\[Post\], not Post\(\)"):
            client.call("MessagesWillBeConsumed", posts=Post())
        with pytest.raises(TypeError, match="OnWebSocketConnect: user_id takes str, not 5"):
            client.call("OnWebSocketConnect", user_id=5)


def test_async_tests_can_use_it_and_async_state_lasts_from_call_to_call() -> None:
    app = App()
    lock = asyncio.Lock()

    @app.hook
    async def run_data_retention(now_time: int, batch_size: int) -> int:
        async with lock:
            await asyncio.sleep(0)
            return id(asyncio.get_running_loop())

    async def test() -> set[int | None]:
        with app.test_client() as client:
            return {client.run_data_retention(1, 2).value for _ in range(3)}

    assert len(asyncio.run(test())) == 1


def test_sync_handler_runs_in_a_thread_and_async_one_on_the_loop() -> None:
    app = App()
    names = []

    @app.hook
    def user_has_logged_in(user: User) -> None:
        names.append(threading.current_thread().name)

    @app.hook
    async def user_has_been_created(user: User) -> None:
        names.append(threading.current_thread().name)

    with app.test_client() as client:
        client.user_has_logged_in(User(), Context())
        client.user_has_been_created(User())
    assert names == ["mmhooks-handler-1", "mmhooks-testing"]


def test_handler_error_carries_hook_and_handler() -> None:
    app = App()

    @app.hook
    def user_will_log_in(user: User) -> None:
        raise SystemExit(3)

    with app.test_client(raise_exceptions=False) as client:
        error = client.user_will_log_in(User()).error
    assert isinstance(error, HandlerError)
    assert error.hook == "UserWillLogIn"
    assert "user_will_log_in" in error.handler
    assert isinstance(error.__cause__, SystemExit)


def test_result_without_a_post_says_so() -> None:
    app = App()

    @app.hook
    def run_data_retention(now_time: int, batch_size: int) -> int:
        return 1

    with app.test_client() as client, pytest.raises(AttributeError, match="the result of RunDataRetention has no post"):
        _ = client.run_data_retention(1, 1).post


def test_defaults_are_not_shared_between_calls() -> None:
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post:
        post.props["n"] = len(post.props)
        post.file_ids.append("f")
        return post

    with app.test_client() as client:
        for _ in range(2):
            assert client.message_will_be_posted(Post()).post == Post(props={"n": 0}, file_ids=["f"])


def test_closed_client_says_so() -> None:
    client = App().test_client()
    client.close()
    with pytest.raises(RuntimeError, match="this test client is closed"):
        client.user_will_log_in(User())


def test_hooks_of_streams_are_refused_by_name() -> None:
    with App().test_client() as client, pytest.raises(NotImplementedByPlugin, match="FileWillBeUploaded takes streams"):
        client.call("FileWillBeUploaded", info=None)


def test_rejection_that_is_raised_again_and_again_keeps_nothing_alive() -> None:
    app = App()
    no = Reject("no")

    @app.hook
    def user_will_log_in(user: User) -> None:
        raise no

    with app.test_client() as client:
        for _ in range(3):
            assert client.user_will_log_in(User()).reason == "no"
    assert no.__traceback__ is None


def test_change_that_released_servers_cannot_be_told_is_warned_of() -> None:
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post:
        del post.props["card"]
        post.message = ""
        return post

    with app.test_client() as client:
        with pytest.warns(LostChange, match=r"MessageWillBePosted: post\.props\['card'\]: .*set it to an empty value"):
            result = client.message_will_be_posted(Post(message="x", props={"card": "4111", "n": 1}))
        assert result.post == Post(props={"n": 1})


def test_change_that_can_be_told_is_not_warned_of() -> None:
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post:
        post.props["card"] = ""
        return post

    @app.hook
    def message_will_be_updated(new_post: Post) -> Post:
        del new_post.props["card"]
        return new_post

    with app.test_client() as client:
        client.message_will_be_posted(Post(props={"card": "4111"}, metadata=PostMetadata()))
        # Here a server takes the answer as it is.
        assert client.message_will_be_updated(Post(props={"card": "4111"}), Post()).post == Post()
