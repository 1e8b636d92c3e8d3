"""The app as an author and a host meet it: registering handlers, merging blueprints, asking and calling."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmhooks import (
    App,
    Blueprint,
    ConfigurationError,
    Context,
    Dismiss,
    DuplicateHandler,
    HandlerMismatch,
    HandlerTimeout,
    HookName,
    NotImplementedByPlugin,
    Post,
    RegistrationClosed,
    RegistrationError,
    Reject,
    RuntimeConfig,
    UnknownHook,
    User,
)
from mmhooks.hooks import HOOKS
from mmhooks.outcomes import Failed, Outcome, Rejected, Replaced, Unchanged

Register = Callable[[Callable[..., Any]], Callable[..., Any]]
Invoke = Callable[..., Outcome]


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def invoke() -> Iterator[Invoke]:
    """Calls `app.invoke_hook` to its end, and closes the app's dispatcher afterwards."""
    used: list[App] = []

    def call(app: App, *arguments: Any, **named: Any) -> Outcome:
        used.append(app)
        return asyncio.run(app.invoke_hook(*arguments, **named))

    yield call
    for app in used:
        app.dispatcher.close()


async def never_ending() -> None:
    await asyncio.Event().wait()


def place_of(function: Callable[..., Any]) -> str:
    return f"{function.__qualname__} ({function.__code__.co_filename}:{function.__code__.co_firstlineno})"


# @app.hook


def test_a_hook_is_named_by_the_enum(app: App) -> None:
    @app.hook(HookName.OnActivate)
    def start() -> None: ...

    assert app.has_hook("OnActivate")


def test_a_hook_is_named_by_text(app: App) -> None:
    @app.hook("OnActivate")
    def start() -> None: ...

    assert app.has_hook(HookName.OnActivate)


def test_a_bare_decorator_takes_the_functions_name(app: App) -> None:
    @app.hook
    def on_saml_login(user: User) -> None: ...

    assert app.implemented_hooks() == ["OnSAMLLogin"]


def test_a_decorator_with_options_only_takes_the_functions_name(app: App) -> None:
    @app.hook()
    def on_activate() -> None: ...

    @app.hook(timeout=2.5)
    async def on_deactivate() -> None: ...

    assert app.implemented_hooks() == ["OnActivate", "OnDeactivate"]


@pytest.mark.parametrize(
    "register",
    [
        lambda app, f: app.hook(HookName.OnActivate)(f),
        lambda app, f: app.hook("OnActivate", timeout=1)(f),
        lambda app, f: app.hook(f),
        lambda app, f: app.hook()(f),
    ],
    ids=["enum", "text", "bare", "empty"],
)
def test_the_decorator_returns_the_very_function(app: App, register: Callable[[App, Any], Any]) -> None:
    def on_activate() -> None: ...

    async def on_activate_async() -> None: ...

    on_activate_async.__name__ = "on_activate"
    before = dict(vars(on_activate))
    assert register(app, on_activate) is on_activate
    assert register(App(), on_activate_async) is on_activate_async
    assert vars(on_activate) == before


def test_one_function_may_handle_several_hooks(app: App) -> None:
    @app.hook("UserHasBeenCreated")
    @app.hook("UserHasBeenDeactivated")
    def note(user: User) -> None: ...

    assert app.implemented_hooks() == ["UserHasBeenCreated", "UserHasBeenDeactivated"]


def test_an_object_that_can_be_called_is_inferred_by_its_class(app: App) -> None:
    class OnActivate:
        def __call__(self) -> None: ...

    app.hook(OnActivate())
    assert app.has_hook("OnActivate")


def test_a_partial_is_inferred_by_its_function(app: App) -> None:
    def on_activate(settings: str) -> None: ...

    app.hook(functools.partial(on_activate, "x"))
    app.hook()(functools.partial(on_deactivate, "x"))
    assert app.implemented_hooks() == ["OnActivate", "OnDeactivate"]


def on_deactivate(settings: str) -> None: ...


def test_a_wrong_name_is_told_before_there_is_a_function(app: App) -> None:
    with pytest.raises(UnknownHook, match="did you mean 'MessageWillBePosted'"):
        app.hook("MessageWillBePost")


def test_a_function_with_no_hooks_name_is_told(app: App) -> None:
    with pytest.raises(UnknownHook, match="the function 'keep_calm'"):

        @app.hook
        def keep_calm(post: Post) -> None: ...


@pytest.mark.parametrize("name", [5, ["OnActivate"], b"OnActivate"])
def test_something_else_in_the_place_of_a_name_is_explained(app: App, name: Any) -> None:
    with pytest.raises(RegistrationError, match=r"takes a hook's name, not .*: @app\.hook\(HookName\."):
        app.hook(name)


def test_a_function_that_does_not_fit_is_not_registered(app: App) -> None:
    with pytest.raises(HandlerMismatch):

        @app.hook("OnActivate")
        def start(post: Post) -> None: ...

    assert app.implemented_hooks() == []


# one handler a hook


def test_a_second_handler_is_refused_with_both_places_and_signatures(app: App) -> None:
    def first(post: Post) -> None: ...

    def second(context: Context, post: Post) -> None: ...

    app.hook("MessageHasBeenPosted")(first)
    with pytest.raises(DuplicateHandler) as caught:
        app.hook("MessageHasBeenPosted")(second)
    text = str(caught.value)
    assert text.startswith("MessageHasBeenPosted has a handler already")
    assert f"first:  {place_of(first)}: first(post: 'Post') -> 'None'" in text
    assert f"second: {place_of(second)}: second(context: 'Context', post: 'Post') -> 'None'" in text


def test_the_first_handler_stays_when_a_second_is_refused(app: App) -> None:
    app.hook("RunDataRetention")(lambda now_time: 1)
    with pytest.raises(DuplicateHandler):
        app.hook("RunDataRetention")(lambda now_time: 2)
    with app.test_client() as client:
        assert client.run_data_retention(now_time=0, batch_size=0).value == 1


# blueprints


def test_an_app_takes_over_the_handlers_of_a_blueprint(app: App) -> None:
    blueprint = Blueprint()

    @blueprint.hook
    def message_will_be_posted(post: Post) -> Reject:
        return Reject("from the blueprint")

    app.hook("OnActivate")(lambda: None)
    app.include(blueprint)
    assert app.implemented_hooks() == ["OnActivate", "MessageWillBePosted"]
    with app.test_client() as client:
        assert client.message_will_be_posted(Post()).reason == "from the blueprint"


def test_a_blueprint_may_include_another(app: App) -> None:
    inner, outer = Blueprint(), Blueprint()
    inner.hook("OnActivate")(lambda: None)
    outer.include(inner)
    app.include(outer)
    assert app.implemented_hooks() == ["OnActivate"]


def test_one_blueprint_may_serve_two_apps() -> None:
    blueprint = Blueprint()
    blueprint.hook("OnActivate")(lambda: None)
    apps = [App(), App()]
    for each in apps:
        each.include(blueprint)
    assert [each.implemented_hooks() for each in apps] == [["OnActivate"], ["OnActivate"]]


def test_a_duplicate_across_blueprints_is_refused_and_nothing_is_half_merged(app: App) -> None:
    def mine(post: Post) -> None: ...

    def theirs(context: Context, post: Post) -> None: ...

    blueprint = Blueprint()
    blueprint.hook("OnActivate")(lambda: None)
    blueprint.hook("MessageHasBeenPosted")(theirs)
    blueprint.hook("OnSAMLLogin")(lambda user: None)
    app.hook("MessageHasBeenPosted")(mine)
    with pytest.raises(DuplicateHandler) as caught:
        app.include(blueprint)
    assert f"first:  {place_of(mine)}: mine(post: 'Post')" in str(caught.value)
    assert f"second: {place_of(theirs)}: theirs(context: 'Context', post: 'Post')" in str(caught.value)
    assert app.implemented_hooks() == ["MessageHasBeenPosted"]


def test_the_same_blueprint_twice_is_a_duplicate(app: App) -> None:
    blueprint = Blueprint()
    blueprint.hook("OnActivate")(lambda: None)
    app.include(blueprint)
    with pytest.raises(DuplicateHandler, match="OnActivate"):
        app.include(blueprint)


def test_a_handler_that_joins_a_blueprint_after_it_was_included_is_not_lost_in_silence(app: App) -> None:
    def late() -> None: ...

    blueprint = Blueprint()
    app.include(blueprint)
    with pytest.raises(RegistrationClosed) as caught:
        blueprint.hook("OnActivate")(late)
    assert str(caught.value).startswith(f"OnActivate: {place_of(late)} comes too late: its blueprint was included")


def test_a_blueprint_tells_its_hooks_in_mattermosts_order() -> None:
    blueprint = Blueprint()
    for name in sorted(HOOKS, reverse=True):
        blueprint.hook(name)(lambda *arguments: None)
    assert blueprint.registered_hooks() == [*HOOKS]
    assert blueprint.has_hook("OnActivate")


def test_handlers_keep_their_timeouts_in_the_app(app: App, invoke: Invoke) -> None:
    async def wait(post: Post) -> None:
        await never_ending()

    blueprint = Blueprint(on_error=Reject("late"))
    blueprint.hook("OnActivate", timeout=0.015)(never_ending)
    blueprint.hook("MessageWillBePosted", timeout=0.015)(wait)
    app.include(blueprint)
    assert "within 0.015 s" in late(invoke(app, "OnActivate"))
    rejected = invoke(app, "MessageWillBePosted")
    assert isinstance(rejected, Rejected)
    assert "within 0.015 s" in str(rejected.cause)


# on_error


def broken(post: Post | None = None, user: User | None = None) -> None:
    raise ValueError("broken")


def test_without_on_error_a_failure_stays_one(app: App, invoke: Invoke) -> None:
    app.hook("MessageWillBePosted")(broken)
    assert isinstance(invoke(app, "MessageWillBePosted"), Failed)


def test_on_error_of_a_hook_refuses_what_failed(app: App, invoke: Invoke) -> None:
    app.hook("MessageWillBePosted", on_error=Reject("try later"))(broken)
    app.hook("UserWillLogIn", on_error=Reject("not now"))(broken)
    assert invoke(app, "MessageWillBePosted") == Rejected("try later")
    assert invoke(app, "UserWillLogIn") == Rejected("not now")


def test_on_error_counts_for_a_late_handler_and_for_a_wrong_answer(app: App, invoke: Invoke) -> None:
    @app.hook("MessageWillBePosted", timeout=0.01, on_error=Reject("late"))
    async def wait(post: Post) -> None:
        await never_ending()

    text: Any = "no reason is a text"
    app.hook("UserWillLogIn", on_error=Reject("wrong"))(lambda user: text)
    assert invoke(app, "MessageWillBePosted") == Rejected("late")
    assert invoke(app, "UserWillLogIn") == Rejected("wrong")


def test_a_dismiss_may_be_the_answer_to_errors_of_new_posts(app: App, invoke: Invoke) -> None:
    app.hook("MessageWillBePosted", on_error=Dismiss())(broken)
    assert invoke(app, "MessageWillBePosted") == Rejected(Dismiss().reason)


def test_the_nearest_on_error_counts(invoke: Invoke) -> None:
    def answer(*, hook: str, blueprint: str, app: str) -> Outcome:
        made = Blueprint(on_error=Reject(blueprint) if blueprint else None)
        made.hook("MessageWillBePosted", on_error=Reject(hook) if hook else None)(broken)
        whole = App(on_error=Reject(app) if app else None)
        whole.include(made)
        return invoke(whole, "MessageWillBePosted")

    assert answer(hook="hook", blueprint="blueprint", app="app") == Rejected("hook")
    assert answer(hook="", blueprint="blueprint", app="app") == Rejected("blueprint")
    assert answer(hook="", blueprint="", app="app") == Rejected("app")


def test_a_blueprints_on_error_is_for_its_own_handlers_only(app: App, invoke: Invoke) -> None:
    blueprint = Blueprint(on_error=Reject("theirs"))
    blueprint.hook("UserWillLogIn")(broken)
    app.hook("MessageWillBePosted")(broken)
    app.include(blueprint)
    assert isinstance(invoke(app, "MessageWillBePosted"), Failed)
    assert invoke(app, "UserWillLogIn") == Rejected("theirs")


def test_the_apps_on_error_leaves_hooks_alone_that_cannot_be_refused(invoke: Invoke) -> None:
    app = App(on_error=Reject("no"))
    app.hook("OnActivate")(broken)
    assert isinstance(invoke(app, "OnActivate"), Failed)


@pytest.mark.parametrize("hook", [hook for hook in HOOKS.values() if not hook.kind.may_reject], ids=lambda h: h.name)
def test_on_error_is_refused_where_nothing_can_be_refused(app: App, hook: Any) -> None:
    decorate: Callable[..., Register] = app.hook
    with pytest.raises(RegistrationError) as caught:
        decorate(hook.name, on_error=Reject("no"))(broken)
    assert f"{hook.name}: on_error is for hooks that can be refused" in str(caught.value)
    assert f"this one is a {hook.kind.value} hook" in str(caught.value)
    assert place_of(broken) in str(caught.value)
    assert app.implemented_hooks() == []


@pytest.mark.parametrize("wrong", ["no", Reject, ValueError("no"), True])
def test_on_error_takes_a_reject_and_nothing_else(app: App, wrong: Any) -> None:
    for make in (
        lambda: App(on_error=wrong),
        lambda: Blueprint(on_error=wrong),
        lambda: app.hook("MessageWillBePosted", on_error=wrong)(broken),
    ):
        with pytest.raises(RegistrationError, match=r'on_error takes Reject\("why"\), not '):
            make()


def test_a_dismiss_is_no_answer_to_errors_of_other_hooks(app: App) -> None:
    for make in (
        lambda: App(on_error=Dismiss()),
        lambda: Blueprint(on_error=Dismiss()),
        lambda: app.hook("UserWillLogIn", on_error=Dismiss())(broken),
    ):
        with pytest.raises(RegistrationError, match=r"Dismiss\(\) is only for MessageWillBePosted"):
            make()


# timeouts


@pytest.mark.parametrize("timeout", [0, -1, 0.0, float("nan"), float("inf"), "5", [1], True, 100_000])
def test_a_hooks_timeout_that_is_no_number_of_seconds_is_refused(app: App, timeout: Any) -> None:
    with pytest.raises(RegistrationError, match=r"OnActivate: timeout=.* expected seconds, more than 0"):
        app.hook("OnActivate", timeout=timeout)(lambda: None)
    assert not app.has_hook("OnActivate")


def late(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, HandlerTimeout)
    return str(outcome.error)


def test_the_apps_timeout_counts_for_hooks_without_their_own(invoke: Invoke) -> None:
    app = App(timeout=0.015)
    app.hook("OnActivate")(never_ending)
    app.hook("OnDeactivate", timeout=0.025)(never_ending)
    assert "within 0.015 s" in late(invoke(app, "OnActivate"))
    assert "within 0.025 s" in late(invoke(app, "OnDeactivate"))


def test_a_caller_with_less_time_is_answered_a_little_before(app: App, invoke: Invoke) -> None:
    app.hook("OnActivate", timeout=20)(never_ending)
    text = late(invoke(app, "OnActivate", timeout=0.05))
    assert float(text.split("within ")[1].removesuffix(" s")) < 0.05


def test_a_caller_with_more_time_does_not_lengthen_the_hooks(app: App, invoke: Invoke) -> None:
    app.hook("OnActivate", timeout=0.015)(never_ending)
    assert "within 0.015 s" in late(invoke(app, "OnActivate", timeout=30))


# what a host is told


def test_hooks_are_told_in_mattermosts_order_however_they_were_registered(app: App) -> None:
    for name in sorted(HOOKS, reverse=True):
        app.hook(name)(lambda *arguments: None)
    assert app.implemented_hooks() == [*HOOKS]


def test_hooks_are_told_the_same_every_time(app: App) -> None:
    app.hook("UserHasLeftTeam")(lambda context: None)
    app.hook("ExecuteCommand")(lambda args: None)
    first = app.implemented_hooks()
    first.append("spoilt")
    assert app.implemented_hooks() == ["ExecuteCommand", "UserHasLeftTeam"]
    assert app.implemented_hooks() is not app.implemented_hooks()


def test_an_app_without_handlers_tells_none(app: App) -> None:
    assert app.implemented_hooks() == []


def test_on_configuration_change_needs_on_activate(app: App) -> None:
    app.hook("OnConfigurationChange")(lambda: None)
    assert app.implemented_hooks() == ["OnActivate", "OnConfigurationChange"]


def test_on_activate_is_told_once_when_the_author_has_it_too(app: App) -> None:
    app.hook("OnConfigurationChange")(lambda: None)
    app.hook("OnActivate")(lambda: None)
    assert app.implemented_hooks() == ["OnActivate", "OnConfigurationChange"]


def test_the_configuration_is_announced_once_before_the_activation(app: App, invoke: Invoke) -> None:
    calls: list[str] = []
    app.hook("OnConfigurationChange")(lambda: calls.append("configuration"))
    app.hook("OnActivate")(lambda: calls.append("activation"))
    assert invoke(app, "OnActivate") == Unchanged()
    assert calls == ["configuration", "activation"]


def test_a_derived_activation_announces_the_configuration(app: App, invoke: Invoke) -> None:
    calls: list[str] = []
    app.hook("OnConfigurationChange")(lambda: calls.append("configuration"))
    assert invoke(app, "OnActivate") == Unchanged()
    assert calls == ["configuration"]


def test_has_hook_is_about_the_authors_handlers(app: App) -> None:
    app.hook("OnConfigurationChange")(lambda: None)
    assert app.has_hook("OnConfigurationChange")
    assert not app.has_hook("OnActivate")


def test_has_hook_refuses_a_name_that_is_none(app: App) -> None:
    with pytest.raises(UnknownHook, match="did you mean 'OnActivate'"):
        app.has_hook("OnActive")


# invoke_hook


def test_arguments_go_by_order_or_by_name(app: App, invoke: Invoke) -> None:
    seen: list[Any] = []
    app.hook("OnWebSocketConnect")(lambda web_conn_id, user_id: seen.append((web_conn_id, user_id)))
    invoke(app, "OnWebSocketConnect", "c", "u")
    invoke(app, "OnWebSocketConnect", user_id="u", web_conn_id="c")
    invoke(app, "OnWebSocketConnect", "c", user_id="u")
    invoke(app, HookName.OnWebSocketConnect, user_id="u")
    assert seen == [("c", "u"), ("c", "u"), ("c", "u"), (None, "u")]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("c", "u", "more"), {}), (("c",), {"web_conn_id": "again"}), ((), {"conn": "c"}), ((), {"post": Post()})],
    ids=["too many", "twice", "unknown", "another hook's"],
)
def test_arguments_that_the_hook_does_not_have_are_refused(
    app: App, invoke: Invoke, arguments: tuple[Any, ...], named: dict[str, Any]
) -> None:
    app.hook("OnWebSocketConnect")(lambda web_conn_id: None)
    with pytest.raises(TypeError, match=r"^OnWebSocketConnect takes \(web_conn_id: str, user_id: str\), each once$"):
        invoke(app, "OnWebSocketConnect", *arguments, **named)


def test_invoking_an_unknown_hook_suggests_the_nearest(app: App, invoke: Invoke) -> None:
    with pytest.raises(UnknownHook, match="did you mean 'OnActivate'"):
        invoke(app, "OnActive")


def test_invoking_a_hook_without_a_handler_is_a_failure_that_says_so(app: App, invoke: Invoke) -> None:
    outcome = invoke(app, "OnActivate")
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, NotImplementedByPlugin)
    assert outcome.error.hook == "OnActivate"


def test_invoking_gives_the_outcome(app: App, invoke: Invoke) -> None:
    app.hook("MessageWillBePosted")(lambda post: post if post.message else Reject("empty"))
    post = Post(message="hi")
    assert invoke(app, "MessageWillBePosted", post=post) == Replaced(post)
    assert invoke(app, "MessageWillBePosted", post=Post()) == Rejected("empty")


# the end of registration


def test_a_handler_after_a_host_has_asked_is_refused(app: App) -> None:
    def late() -> None: ...

    app.hook("OnDeactivate")(lambda: None)
    app.close_registration("a host has asked which hooks there are")
    with pytest.raises(RegistrationClosed) as caught:
        app.hook("OnActivate")(late)
    assert str(caught.value).startswith(
        f"OnActivate: {place_of(late)} comes too late: a host has asked which hooks there are."
    )
    assert app.implemented_hooks() == ["OnDeactivate"]


def test_a_blueprint_after_a_host_has_asked_is_refused(app: App) -> None:
    blueprint = Blueprint()
    blueprint.hook("OnActivate")(lambda: None)
    app.close_registration("a host has asked")
    with pytest.raises(RegistrationClosed, match=r"OnActivate: .* comes too late"):
        app.include(blueprint)
    assert app.implemented_hooks() == []


# a second copy of the plugin's module


def run_plugin(folder: Path, **files: str) -> subprocess.CompletedProcess[str]:
    """Run `plugin.py` of these files as a program."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return subprocess.run(
        [sys.executable, "plugin.py"], cwd=folder, text=True, capture_output=True, timeout=30, check=False
    )


@pytest.mark.parametrize("first", ["from mmhooks import App", "import handlers; from mmhooks import App"])
def test_a_program_whose_modules_import_it_again_is_stopped_with_an_explanation(tmp_path: Path, first: str) -> None:
    ran = run_plugin(
        tmp_path,
        plugin=f"{first}\napp = App()\nimport handlers\nif __name__ == '__main__': print('got here')\n",
        handlers="from plugin import app\napp.hook('OnActivate')(lambda: None)\n",
    )
    assert ran.returncode == 1
    assert "got here" not in ran.stdout
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(f"mmhooks.errors.SecondCopy: {os.path.realpath(tmp_path / 'plugin.py')} runs as the program")
    assert "handlers go on a Blueprint there, and the program says app.include(blueprint)" in last


def test_a_program_that_includes_a_blueprint_of_a_module_is_fine(tmp_path: Path) -> None:
    ran = run_plugin(
        tmp_path,
        plugin="from mmhooks import App\nimport handlers\napp = App()\napp.include(handlers.blueprint)\n"
        "other = App()\nprint(app.implemented_hooks())\n",
        handlers="from mmhooks import Blueprint\nblueprint = Blueprint()\nblueprint.hook('OnActivate')(lambda: None)\n",
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("['OnActivate']\n", "", 0)


# App(...)


@pytest.mark.parametrize("timeout", [0, -2.5, float("nan"), float("inf"), 100_000, "5", True])
def test_an_app_refuses_deadlines_that_cannot_be(timeout: Any) -> None:
    with pytest.raises(RegistrationError, match=r"App\(timeout=.*\): expected seconds, more than 0 and at most 86400"):
        App(timeout=timeout)


@pytest.mark.parametrize("threads", [0, -1, 1025, 2.5, "4", True])
def test_an_app_refuses_numbers_of_threads_that_cannot_be(threads: Any) -> None:
    with pytest.raises(RegistrationError, match=r"App\(threads=.*\): expected a whole number, 1 to 1024"):
        App(threads=threads)


def test_an_app_has_limits_of_its_own() -> None:
    app = App(timeout=2.5, threads=3)
    assert (app.limits.hook_timeout, app.limits.threads) == (2.5, 3)
    assert (app.config.hook_timeout, app.config.threads) == (2.5, 3)


def test_an_apps_limits_are_a_go_hosts_and_64_threads_unless_given(app: App) -> None:
    assert (app.limits.hook_timeout, app.limits.threads) == (30, 64)


def test_an_administrators_variables_go_before_the_apps_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTERMOST_PLUGIN_HOOK_TIMEOUT", "7.5")
    app = App(timeout=2.5, threads=3)
    assert (app.limits.hook_timeout, app.limits.threads) == (7.5, 3)


def test_a_bad_variable_is_told_when_the_configuration_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMHOOKS_THREADS", "many")
    app = App()
    with pytest.raises(ConfigurationError, match="MMHOOKS_THREADS: found 'many'"):
        _ = app.config


def test_the_configuration_is_read_once(app: App) -> None:
    assert isinstance(app.config, RuntimeConfig)
    assert app.config is app.config


def test_an_app_and_its_logger_are_named_after_the_module(app: App) -> None:
    assert app.name == __name__
    assert app.logger is logging.getLogger(__name__)


def test_a_programs_app_is_named_after_its_file(tmp_path: Path) -> None:
    ran = run_plugin(tmp_path, plugin="from mmhooks import App\nprint(App().name)\n")
    assert (ran.stdout, ran.stderr) == ("plugin\n", "")


def test_a_program_without_a_host_explains_how_to_try_it(tmp_path: Path) -> None:
    ran = run_plugin(tmp_path, plugin="from mmhooks import App\nApp().run()\n")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "mmhooks dev plugin.py" in ran.stderr
