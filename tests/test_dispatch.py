"""How calls are run, where it cannot be seen from outside a process: hang-ups, queues, and what is left behind."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mmhooks import App, HandlerTimeout, Post, Reject, ThreadsExhausted, User
from mmhooks.dispatch import Dispatcher, margin
from mmhooks.outcomes import Failed, Outcome, Rejected, Unchanged, Value


def run(app: App, test: Callable[[Dispatcher], Coroutine[Any, Any, None]]) -> None:
    """Run an async test with the app's dispatcher."""
    try:
        asyncio.run(test(app.dispatcher))
    finally:
        app.dispatcher.close()


def error_of(outcome: Outcome) -> Exception:
    assert isinstance(outcome, Failed)
    return outcome.error


def test_host_that_hangs_up_ends_an_async_handler() -> None:
    app = App()
    started, ended = asyncio.Event(), asyncio.Event()

    @app.hook
    async def user_will_log_in(user: User) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def test(dispatcher: Dispatcher) -> None:
        call = asyncio.create_task(dispatcher.dispatch("UserWillLogIn", [None, None]))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await ended.wait()

    run(app, test)


def test_thread_whose_caller_hung_up_is_not_stuck_before_its_own_deadline() -> None:
    app = App(threads=1, timeout=30)
    started, free = threading.Event(), threading.Event()

    @app.hook
    def user_will_log_in(user: User) -> None:
        started.set()
        free.wait()

    @app.hook
    def run_data_retention(now_time: int, batch_size: int) -> int:
        return now_time

    async def test(dispatcher: Dispatcher) -> None:
        call = asyncio.create_task(dispatcher.dispatch("UserWillLogIn", [None, None]))
        await asyncio.to_thread(started.wait)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        queued = asyncio.create_task(dispatcher.dispatch("RunDataRetention", [7, 0]))
        free.set()
        assert await queued == Value(7)

    run(app, test)


def test_queued_call_whose_caller_hung_up_is_never_run() -> None:
    app = App(threads=1)
    started, free = threading.Event(), threading.Event()
    run_for = []

    @app.hook
    def user_will_log_in(user: User) -> None:
        started.set()
        free.wait()

    @app.hook
    def run_data_retention(now_time: int, batch_size: int) -> int:
        run_for.append(now_time)
        return now_time

    async def test(dispatcher: Dispatcher) -> None:
        first = asyncio.create_task(dispatcher.dispatch("UserWillLogIn", [None, None]))
        await asyncio.to_thread(started.wait)
        given_up = asyncio.create_task(dispatcher.dispatch("RunDataRetention", [1, 0]))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        last = asyncio.create_task(dispatcher.dispatch("RunDataRetention", [2, 0]))
        await asyncio.sleep(0)
        free.set()
        assert (await first, await last) == (Unchanged(), Value(2))

    run(app, test)
    assert run_for == [2]


def test_calls_in_the_queue_fail_too_when_the_last_thread_is_past_its_deadline() -> None:
    app = App(threads=1, timeout=30)
    free = threading.Event()

    @app.hook(timeout=0.2)
    def user_will_log_in(user: User) -> None:
        free.wait()

    @app.hook
    def run_data_retention(now_time: int, batch_size: int) -> int:
        return now_time

    async def test(dispatcher: Dispatcher) -> None:
        stuck = asyncio.create_task(dispatcher.dispatch("UserWillLogIn", [None, None]))
        await asyncio.sleep(0)
        queued = asyncio.create_task(dispatcher.dispatch("RunDataRetention", [1, 0]))
        assert isinstance(error_of(await stuck), HandlerTimeout)
        assert isinstance(error_of(await queued), ThreadsExhausted)
        free.set()

    run(app, test)


def test_deadline_of_a_hook_goes_before_the_apps_and_the_hosts_before_both() -> None:
    app = App(timeout=30)

    @app.hook(timeout=20)
    async def user_will_log_in(user: User) -> None:
        await asyncio.Event().wait()

    async def test(dispatcher: Dispatcher) -> None:
        error = error_of(await dispatcher.dispatch("UserWillLogIn", [None, None], timeout=0.1))
        assert isinstance(error, HandlerTimeout)
        assert "within 0.09 s" in str(error)

    run(app, test)


@pytest.mark.parametrize("timeout", [0.01, 1, 5, 30, 3600])
def test_answer_is_due_a_little_before_the_hosts_deadline(timeout: float) -> None:
    assert 0 < margin(timeout) <= min(0.5, timeout / 2)


def test_awaitable_from_a_plain_function_shares_the_calls_deadline() -> None:
    app = App(timeout=0.1)

    @app.hook
    def user_will_log_in(user: User) -> Any:
        return asyncio.Event().wait() if False else _never()

    async def _never() -> Reject:
        await asyncio.Event().wait()
        return Reject("never")

    async def test(dispatcher: Dispatcher) -> None:
        assert isinstance(error_of(await dispatcher.dispatch("UserWillLogIn", [None, None])), HandlerTimeout)

    run(app, test)


def test_context_variables_of_the_caller_reach_the_handler() -> None:
    app = App()
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    @app.hook
    def user_has_logged_in(user: User) -> None:
        seen.append(variable.get())

    @app.hook
    async def user_has_been_created(user: User) -> None:
        seen.append(variable.get())

    async def test(dispatcher: Dispatcher) -> None:
        variable.set("set")
        await dispatcher.dispatch("UserHasLoggedIn", [None, None])
        await dispatcher.dispatch("UserHasBeenCreated", [None, None])

    run(app, test)
    assert seen == ["set", "set"]


def test_many_calls_at_once_all_get_their_own_answer() -> None:
    app = App(threads=8)

    @app.hook
    def run_data_retention(now_time: int, batch_size: int) -> int:
        return now_time * 2

    @app.hook
    async def message_will_be_posted(post: Post) -> Post:
        await asyncio.sleep(0)
        return Post(message=post.message * 2)

    async def test(dispatcher: Dispatcher) -> None:
        numbers = await asyncio.gather(*[dispatcher.dispatch("RunDataRetention", [n, 0]) for n in range(500)])
        assert numbers == [Value(2 * n) for n in range(500)]
        posts = [Post(message=str(n)) for n in range(500)]
        answers = await asyncio.gather(*[dispatcher.dispatch("MessageWillBePosted", [None, post]) for post in posts])
        assert [answer.value.message for answer in answers] == [str(n) * 2 for n in range(500)]  # type: ignore[union-attr]  # all replaced

    run(app, test)


def test_threads_that_the_system_does_not_give_fail_the_call_and_may_come_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = App(on_error=Reject("closed"), threads=2)

    @app.hook
    def user_will_log_in(user: User) -> None:
        return None

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def test(dispatcher: Dispatcher) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            for _ in range(5):
                outcome = await dispatcher.dispatch("UserWillLogIn", [None, None])
                assert isinstance(outcome, Rejected)
                assert isinstance(outcome.cause, ThreadsExhausted)
                assert "could not be made" in str(outcome.cause)
        assert await dispatcher.dispatch("UserWillLogIn", [None, None]) == Unchanged()

    run(app, test)
