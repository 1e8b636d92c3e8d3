"""How functions are fitted to hooks, seen from what they are given and from the errors of those that do not fit."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mmhooks import App, Context, HandlerMismatch, Post, RegistrationError, WebSocketRequest
from mmhooks.binding import bind
from mmhooks.hooks import HOOKS

Function = Callable[..., Any]

NOW, BATCH = 7, 30


def given(function: Function) -> Any:
    """What a handler of RunDataRetention answers, whose arguments are `now_time=7` and `batch_size=30`."""
    app = App()
    app.hook("RunDataRetention")(function)
    with app.test_client() as client:
        return client.run_data_retention(now_time=NOW, batch_size=BATCH).value


def mismatch(hook: str, function: Function) -> str:
    """The text of the error when a function cannot be a hook's handler."""
    app = App()
    register: Function = app.hook(hook)
    with pytest.raises(HandlerMismatch) as caught:
        register(function)
    assert not app.has_hook(hook)
    return str(caught.value)


def line_of(function: Function) -> str:
    code = function.__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


class Counter:
    """Handlers as methods, and as an object that can be called."""

    def __init__(self, extra: int) -> None:
        self.extra = extra

    def method(self, batch_size: int) -> int:
        return batch_size + self.extra

    async def async_method(self, now_time: int) -> int:
        return now_time + self.extra

    @classmethod
    def of_class(cls, now_time: int) -> int:
        return now_time

    @staticmethod
    def static(now_time: int) -> int:
        return now_time

    def __call__(self, now_time: int, batch_size: int) -> int:
        return now_time + batch_size + self.extra


class AsyncCounter:
    async def __call__(self, batch_size: int) -> int:
        return batch_size


# by name


def test_parameters_are_given_by_name_in_any_order() -> None:
    def swapped(batch_size: int, now_time: int) -> int:
        return batch_size - now_time

    assert given(swapped) == BATCH - NOW


def test_any_subset_of_the_parameters_will_do() -> None:
    def first(now_time: int) -> int:
        return now_time

    def second(batch_size: int) -> int:
        return batch_size

    assert (given(first), given(second)) == (NOW, BATCH)


def test_a_parameter_of_the_authors_own_keeps_its_default() -> None:
    def extra(batch_size: int, factor: int = 2) -> int:
        return batch_size * factor

    assert given(extra) == BATCH * 2


def test_a_default_of_a_hooks_parameter_gives_way_to_the_argument() -> None:
    def defaulted(batch_size: int = 1) -> int:
        return batch_size

    assert given(defaulted) == BATCH


def test_keyword_only_parameters_are_given_by_name() -> None:
    def keyword_only(*, batch_size: int, now_time: int) -> int:
        return batch_size - now_time

    assert given(keyword_only) == BATCH - NOW


def test_positional_only_parameters_with_the_hooks_names_are_given_by_those() -> None:
    def positional_only(batch_size: int, now_time: int, /) -> int:
        return batch_size - now_time

    assert given(positional_only) == BATCH - NOW


def test_positional_only_and_named_parameters_mix() -> None:
    def mixed(batch_size: int, /, factor: int = 2, *, now_time: int) -> int:
        return batch_size * factor + now_time

    assert given(mixed) == BATCH * 2 + NOW


def test_star_args_beside_a_name_stay_empty() -> None:
    def named(batch_size: int, *args: int) -> int:
        return batch_size + len(args)

    assert given(named) == BATCH


def test_star_kwargs_beside_a_name_take_the_rest() -> None:
    def named(batch_size: int, **rest: int) -> int:
        assert rest == {"now_time": NOW}
        return batch_size

    assert given(named) == BATCH


def test_star_kwargs_are_not_given_again_what_goes_by_position() -> None:
    def named(batch_size: int, /, **rest: int) -> int:
        assert rest == {"now_time": NOW}
        return batch_size

    assert given(named) == BATCH


def test_star_kwargs_alone_take_everything_by_name() -> None:
    def everything(**arguments: int) -> int:
        assert arguments == {"now_time": NOW, "batch_size": BATCH}
        return 1

    assert given(everything) == 1


def test_star_kwargs_called_like_a_parameter_are_still_star_kwargs() -> None:
    def everything(**now_time: int) -> int:
        return now_time["batch_size"]

    assert given(everything) == BATCH


# by position


def test_other_names_are_given_by_position() -> None:
    def positional(when: int, how_many: int) -> int:
        return how_many - when

    assert given(positional) == BATCH - NOW


def test_star_args_alone_take_everything_in_the_hooks_order() -> None:
    def everything(*arguments: int) -> int:
        assert arguments == (NOW, BATCH)
        return 1

    assert given(everything) == 1


def test_star_args_after_other_names_take_what_is_left() -> None:
    def some(when: int, *rest: int) -> int:
        assert rest == (BATCH,)
        return when

    assert given(some) == NOW


def test_a_decorators_wrapper_without_signature_gets_everything() -> None:
    def plain(when: int, how_many: int) -> int:
        return how_many - when

    def wrapper(*args: Any, **kwargs: Any) -> int:
        return plain(*args, **kwargs)

    assert given(wrapper) == BATCH - NOW


def test_a_wrapper_that_keeps_the_signature_is_given_what_the_function_takes() -> None:
    def plain(batch_size: int) -> int:
        return batch_size

    @functools.wraps(plain)
    def wrapper(*args: Any, **kwargs: Any) -> int:
        return plain(*args, **kwargs)

    assert given(wrapper) == BATCH


def test_more_parameters_than_the_hook_has_keep_their_defaults() -> None:
    def positional(when: int, how_many: int, factor: int = 2) -> int:
        return (how_many - when) * factor

    assert given(positional) == (BATCH - NOW) * 2


@pytest.mark.parametrize(
    "function", [lambda when=0, how_many=0: how_many - when, lambda when, how_many=0: how_many - when]
)
def test_parameters_with_defaults_are_given_by_position_when_the_count_is_the_same(function: Function) -> None:
    assert given(function) == BATCH - NOW


def test_a_hook_without_parameters_takes_a_function_without() -> None:
    called = []
    app = App()

    @app.hook("OnDeactivate")
    def leave() -> None:
        called.append(True)

    with app.test_client() as client:
        client.on_deactivate()
    assert called == [True]


def test_a_builtin_method_can_be_a_handler() -> None:
    seen: list[int | None] = []
    app = App()
    app.hook("OnCloudLimitsUpdated")(seen.append)
    with app.test_client() as client:
        client.on_cloud_limits_updated()
    assert seen == [None]


def test_all_of_a_hooks_parameters_arrive_in_their_places() -> None:
    seen: list[Any] = []
    app = App()

    @app.hook("WebSocketMessageHasBeenPosted")
    def listen(request: WebSocketRequest, web_conn_id: str, user_id: str) -> None:
        seen.extend([web_conn_id, user_id, request.action])

    with app.test_client() as client:
        client.websocket_message_has_been_posted("c", "u", WebSocketRequest(action="typing"))
    assert seen == ["c", "u", "typing"]


# what is not a plain function


def test_a_bound_method_is_called_on_its_object() -> None:
    assert given(Counter(100).method) == BATCH + 100


def test_an_async_bound_method_is_awaited() -> None:
    assert given(Counter(100).async_method) == NOW + 100


@pytest.mark.parametrize("function", [Counter.of_class, Counter.static], ids=["classmethod", "staticmethod"])
def test_methods_without_an_object_work(function: Function) -> None:
    assert given(function) == NOW


def test_an_object_that_can_be_called_is_called() -> None:
    assert given(Counter(100)) == NOW + BATCH + 100


def test_an_object_with_an_async_call_is_awaited() -> None:
    assert given(AsyncCounter()) == BATCH


def test_a_partial_is_given_what_it_leaves_open() -> None:
    def scaled(factor: int, batch_size: int) -> int:
        return factor * batch_size

    assert given(functools.partial(scaled, 3)) == BATCH * 3
    assert given(functools.partial(scaled, factor=4)) == BATCH * 4


def test_a_partial_of_an_async_function_is_awaited() -> None:
    async def scaled(factor: int, batch_size: int) -> int:
        return factor * batch_size

    assert given(functools.partial(functools.partial(scaled), 3)) == BATCH * 3


def test_a_partial_of_an_object_with_an_async_call_is_awaited() -> None:
    assert given(functools.partial(AsyncCounter())) == BATCH


def test_what_a_partial_fixed_stays_fixed_even_under_a_name_of_the_hooks() -> None:
    def both(now_time: int, batch_size: int) -> int:
        return now_time * 1000 + batch_size

    assert given(functools.partial(both, now_time=1)) == 1000 + BATCH
    assert given(functools.partial(functools.partial(both, batch_size=2))) == NOW * 1000 + 2


def test_what_a_partial_fixed_is_not_given_again_to_star_kwargs() -> None:
    def everything(**arguments: int) -> int:
        return arguments["now_time"] * 1000 + arguments["batch_size"]

    assert given(functools.partial(everything, now_time=1)) == 1000 + BATCH


def test_a_plain_function_that_returns_an_awaitable_is_awaited() -> None:
    async def later(batch_size: int) -> int:
        return batch_size

    def now(batch_size: int) -> Awaitable[int]:
        return later(batch_size)

    assert given(now) == BATCH
    assert given(lambda batch_size: later(batch_size)) == BATCH


def test_any_object_that_can_be_awaited_will_do() -> None:
    class Promise:
        def __await__(self) -> Any:
            yield from ()
            return 11

    assert given(lambda batch_size: Promise()) == 11


@pytest.mark.parametrize(
    ("function", "waits"),
    [
        (Counter(1).async_method, True),
        (AsyncCounter(), True),
        (functools.partial(AsyncCounter()), True),
        (AsyncCounter().__call__, True),
        (Counter(1).method, False),
        (Counter(1), False),
        (lambda now_time: AsyncCounter()(now_time), False),
    ],
)
def test_what_runs_on_the_loop_is_settled_when_it_is_registered(function: Function, waits: bool) -> None:
    assert bind(HOOKS["RunDataRetention"], function).is_async is waits


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda now_time: 0, {0}),
        (lambda batch_size: 0, {1}),
        (lambda batch_size, now_time: 0, {0, 1}),
        (lambda batch_size, /, **rest: 0, {0, 1}),
        (lambda when, how_many: 0, {0, 1}),
        (lambda *arguments: 0, {0, 1}),
        (functools.partial(lambda now_time, batch_size: 0, now_time=1), {1}),
    ],
)
def test_a_host_is_told_which_arguments_need_not_be_made(function: Function, wanted: set[int]) -> None:
    assert bind(HOOKS["RunDataRetention"], function).wanted == wanted


def test_an_unset_argument_arrives_as_none() -> None:
    seen: list[Any] = []
    app = App()

    @app.hook("MessageHasBeenPosted")
    def listen(context: Context | None, post: Post | None) -> None:
        seen.extend([context, post])

    with app.test_client() as client:
        client.message_has_been_posted()
    assert seen == [None, None]


# what does not fit


def test_a_mismatch_names_hook_function_and_line_and_shows_both_signatures() -> None:
    def keep_calm(message: str) -> None: ...

    text = mismatch("MessageWillBePosted", keep_calm)
    assert text.startswith("MessageWillBePosted: ")
    assert f"keep_calm ({line_of(keep_calm)})" in text
    assert "keep_calm(message: 'str') -> 'None'" in text
    assert "message_will_be_posted(context: Context, post: Post)" in text
    assert "by their names, or all of them in this order" in text


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda post, message: None, "'message' is none of the hook's parameters"),
        (lambda message, post: None, "'message' is none of the hook's parameters"),
        (lambda post, *, channel: None, "'channel' is none of the hook's parameters"),
        (lambda posts: None, "it takes 1 parameter and none by the hook's names, and the hook has 2"),
        (lambda: None, "it takes 0 parameters and none by the hook's names, and the hook has 2"),
        (lambda a, b, c: None, "it takes 3 parameters and none by the hook's names, and the hook has 2"),
        (lambda a, b=1, c=2: None, "it takes 1 parameter and none by the hook's names, and the hook has 2"),
        (lambda a, **rest: None, "it takes 1 parameter and none by the hook's names, and the hook has 2"),
        (lambda a, b, c, *rest: None, "it takes 3 parameters and none by the hook's names, and the hook has 2"),
        (lambda a, b, *, flag: None, "its keyword-only parameters have none of the hook's names"),
        (lambda *, flag: None, "its keyword-only parameters have none of the hook's names"),
        (lambda extra=1, post=None, /: None, "'extra' stands before a parameter that goes by position only"),
    ],
)
def test_a_function_that_cannot_be_called_with_the_hooks_parameters_is_refused(function: Function, reason: str) -> None:
    text = mismatch("MessageWillBePosted", function)
    assert f"cannot be its handler: {reason}." in text
    assert line_of(function) in text


def test_a_parameter_too_many_for_a_hook_without_any_is_refused() -> None:
    def activate(context: Context) -> None: ...

    text = mismatch("OnActivate", activate)
    assert "it takes 1 parameter and none by the hook's names, and the hook has 0" in text
    assert "on_activate()" in text


def test_a_mismatch_of_an_object_shows_where_its_call_is_written() -> None:
    text = mismatch("OnActivate", Counter(1))
    assert f"Counter ({line_of(Counter.__call__)})" in text
    assert "Counter(now_time: 'int', batch_size: 'int') -> 'int'" in text


def test_a_mismatch_of_a_partial_shows_the_function_and_what_is_left_of_its_parameters() -> None:
    def scaled(factor: int, message: str) -> None: ...

    text = mismatch("MessageWillBePosted", functools.partial(scaled, 3))
    assert f"scaled ({line_of(scaled)})" in text
    assert "scaled(message: 'str') -> 'None'" in text


def test_a_mismatch_of_a_method_shows_its_class() -> None:
    text = mismatch("OnActivate", Counter(1).method)
    assert f"Counter.method ({line_of(Counter.method)})" in text


@pytest.mark.parametrize("thing", [Post, Counter], ids=["model", "class"])
def test_a_class_is_no_handler(thing: Any) -> None:
    assert "a handler is a function or what can be called like one, not <class" in mismatch("OnActivate", thing)


def test_what_cannot_be_called_is_no_handler() -> None:
    assert "not 42" in mismatch("OnActivate", 42)  # type: ignore[arg-type] # the mistake that is tested


def test_a_builtin_without_a_signature_is_explained() -> None:
    assert mismatch("OnActivate", max).startswith("OnActivate: the parameters of max cannot be read: ")


def test_a_mismatch_is_a_registration_error_and_a_type_error() -> None:
    assert issubclass(HandlerMismatch, RegistrationError)
    assert issubclass(HandlerMismatch, TypeError)


def test_positions_that_contradict_the_annotations_are_refused() -> None:
    def swapped(message: Post, ctx: Context) -> None: ...

    def quoted(message: Post | None, ctx: Context | None) -> None: ...

    def right(ctx: Context | None, message: Post | None) -> None: ...

    for wrong in (swapped, quoted):
        with pytest.raises(HandlerMismatch, match="'message' would get the hook's context: Context"):
            bind(HOOKS["MessageWillBePosted"], wrong)
    assert bind(HOOKS["MessageWillBePosted"], right).wanted == {0, 1}
