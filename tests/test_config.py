"""The runtime configuration: what administrators may write, what they are told, and what it costs when they write nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from mmhooks import App, ConfigurationError, RuntimeConfig
from mmhooks.limits import Limits, needs_checking

TIMEOUT, THREADS, SIZE = "MATTERMOST_PLUGIN_HOOK_TIMEOUT", "MMHOOKS_THREADS", "MMHOOKS_MAX_MESSAGE_SIZE"
LEVEL, SERVER_LEVEL = "MATTERMOST_PLUGIN_LOG_LEVEL", "MATTERMOST_LOG_LEVEL"

FORMS = {
    TIMEOUT: "seconds for one call of a hook, more than 0 and at most 86400, fractions allowed: 2.5",
    THREADS: "a whole number from 1 to 1024, of sync handlers that may run at once",
    SIZE: "bytes of one message, from 1024 to 2147483647",
    LEVEL: "one of DEBUG, INFO, WARN, ERROR",
    SERVER_LEVEL: "one of DEBUG, INFO, WARN, ERROR",
}


def read(**environ: str) -> RuntimeConfig:
    return RuntimeConfig.from_environ(environ)


def complaint(environ: dict[str, str], defaults: Limits | None = None) -> list[str]:
    """The lines of the error for an environment that cannot be used."""
    with pytest.raises(ConfigurationError) as caught:
        RuntimeConfig.from_environ(environ, defaults or Limits())
    return str(caught.value).splitlines()


def test_nothing_set_gives_the_defaults() -> None:
    assert read().model_dump() == {
        "api_target": None,
        "plugin_id": None,
        "plugin_path": None,
        "hook_timeout": 30.0,
        "threads": 64,
        "max_message_size": None,
        "log_level": "INFO",
    }


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        (TIMEOUT, "5", "hook_timeout", 5.0),
        (TIMEOUT, "2.5", "hook_timeout", 2.5),
        (TIMEOUT, "0.001", "hook_timeout", 0.001),
        (TIMEOUT, "86400", "hook_timeout", 86400.0),
        (THREADS, "1", "threads", 1),
        (THREADS, "1024", "threads", 1024),
        (SIZE, "1024", "max_message_size", 1024),
        (SIZE, "2147483647", "max_message_size", 2**31 - 1),
        ("MATTERMOST_PLUGIN_API_TARGET", "127.0.0.1:9", "api_target", "127.0.0.1:9"),
        ("MATTERMOST_PLUGIN_ID", "com.example.hello", "plugin_id", "com.example.hello"),
        ("MATTERMOST_PLUGIN_PATH", "/plugins/hello", "plugin_path", "/plugins/hello"),
    ],
)
def test_a_variable_sets_its_value(variable: str, text: str, field: str, value: Any) -> None:
    assert getattr(read(**{variable: text}), field) == value


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("DEBUG", "DEBUG"),
        ("debug", "DEBUG"),
        ("trace", "DEBUG"),
        ("Info", "INFO"),
        ("WARN", "WARNING"),
        ("warning", "WARNING"),
        (" error ", "ERROR"),
        ("critical", "CRITICAL"),
        ("fatal", "CRITICAL"),
        ("panic", "CRITICAL"),
    ],
)
@pytest.mark.parametrize("variable", [LEVEL, SERVER_LEVEL])
def test_levels_are_taken_in_mattermosts_words_and_pythons(variable: str, text: str, level: str) -> None:
    assert read(**{variable: text}).log_level == level


def test_the_plugins_own_level_goes_before_the_servers() -> None:
    assert read(**{LEVEL: "error", SERVER_LEVEL: "debug"}).log_level == "ERROR"
    assert read(**{LEVEL: "", SERVER_LEVEL: "debug"}).log_level == "DEBUG"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        (TIMEOUT, "soon"),
        (TIMEOUT, "30s"),
        (TIMEOUT, "2,5"),
        (TIMEOUT, "0"),
        (TIMEOUT, "-1"),
        (TIMEOUT, "nan"),
        (TIMEOUT, "inf"),
        (TIMEOUT, "86401"),
        (TIMEOUT, " "),
        (THREADS, "many"),
        (THREADS, "0"),
        (THREADS, "2.5"),
        (THREADS, "1025"),
        (SIZE, "4MB"),
        (SIZE, "1023"),
        (SIZE, "2147483648"),
        (LEVEL, "loud"),
        (SERVER_LEVEL, "7"),
    ],
)
def test_a_bad_value_is_told_with_variable_text_and_form(variable: str, text: str) -> None:
    assert complaint({variable: text}) == [f"{variable}: found {text!r}, expected {FORMS[variable]}"]


def test_all_bad_values_are_told_at_once_a_line_each() -> None:
    environ = {TIMEOUT: "soon", THREADS: "many", SIZE: "4MB", LEVEL: "loud", "MATTERMOST_PLUGIN_ID": "fine"}
    lines = [f"{variable}: found {environ[variable]!r}, expected {FORMS[variable]}" for variable in [*environ][:4]]
    assert sorted(complaint(environ)) == sorted(lines)


def test_good_values_beside_a_bad_one_are_not_blamed() -> None:
    assert len(complaint({TIMEOUT: "2.5", THREADS: "many", LEVEL: "debug"})) == 1


def test_the_error_is_a_value_error() -> None:
    assert issubclass(ConfigurationError, ValueError)


def test_an_empty_variable_counts_as_not_set() -> None:
    empty = dict.fromkeys(
        [*FORMS, "MATTERMOST_PLUGIN_API_TARGET", "MATTERMOST_PLUGIN_ID", "MATTERMOST_PLUGIN_PATH"], ""
    )
    assert RuntimeConfig.from_environ(empty) == read()
    assert not needs_checking(empty)


def test_variables_go_before_the_apps_arguments_and_those_before_the_defaults() -> None:
    config = RuntimeConfig.from_environ({TIMEOUT: "1.5"}, Limits(hook_timeout=10, threads=2))
    assert (config.hook_timeout, config.threads, config.log_level) == (1.5, 2, "INFO")


def test_an_argument_of_the_app_that_cannot_be_used_is_told_by_its_name() -> None:
    lines = complaint({}, Limits(hook_timeout=100_000, threads=5000))
    assert lines == [
        f"App(timeout=…): found 100000, expected {FORMS[TIMEOUT]}",
        f"App(threads=…): found 5000, expected {FORMS[THREADS]}",
    ]


def test_the_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().threads = 5


def test_the_apps_configuration_is_a_runtime_config_whether_anything_is_set_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(App().config, RuntimeConfig)
    monkeypatch.setenv(TIMEOUT, "2.5")
    app = App()
    assert isinstance(app.config, RuntimeConfig)
    assert app.config.hook_timeout == app.limits.hook_timeout == 2.5


def test_other_variables_are_nobodys_business() -> None:
    assert read(MMHOOKS_UNKNOWN="x", PATH="/bin", THREADS="many") == read()


PROGRAM = """
import sys
from mmhooks import App, HookName, Post

app = App(timeout=2.5)

@app.hook(HookName.MessageWillBePosted)
def keep_calm(post: Post) -> Post:
    return post

app.implemented_hooks()
print(app.limits.hook_timeout, "pydantic" in sys.modules, type(app.config).__name__, "pydantic" in sys.modules)
"""


@pytest.mark.parametrize(
    ("environ", "printed"),
    [
        ({}, "2.5 False RuntimeConfig True"),
        ({TIMEOUT: "", LEVEL: ""}, "2.5 False RuntimeConfig True"),
        ({"MATTERMOST_PLUGIN_API_TARGET": "x:1", "MATTERMOST_PLUGIN_ID": "i"}, "2.5 False RuntimeConfig True"),
        ({TIMEOUT: "7.5"}, "7.5 True RuntimeConfig True"),
        ({SERVER_LEVEL: "debug"}, "2.5 True RuntimeConfig True"),
    ],
    ids=["nothing", "empty", "plain text only", "a timeout", "a level"],
)
def test_pydantic_is_loaded_only_when_something_has_to_be_checked(environ: dict[str, str], printed: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, text=True, capture_output=True, timeout=30, check=True
    )
    assert ran.stdout.strip() == printed
