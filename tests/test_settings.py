"""The author's own settings: declaring them, what becomes of what the server says, and what people are told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, assert_type

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, Secret, SecretStr, field_validator, model_validator

from mmhooks import (
    APIError,
    App,
    AppError,
    ConfigurationError,
    GoError,
    HandlerError,
    HookName,
    RegistrationError,
    UnsupportedByHost,
)
from mmhooks.errors import HostUnavailable
from mmhooks.outcomes import Failed, Outcome, Unchanged
from tests.loop_caller import LoopCaller


class Colours(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["red", "blue"] = "red"
    size: int = Field(default=3, ge=1)
    api_token: SecretStr = Field(default=SecretStr("none"), alias="ApiToken", min_length=4)
    nickname: str | None = None


class Needy(BaseModel):
    token: SecretStr
    url: str = Field(min_length=3)
    size: int = 3


class Server(LoopCaller):
    """A server's plugin API that has settings."""

    def __init__(self) -> None:
        self.settings: Any = {}
        self.calls: list[str] = []

    def serve(self, app: App[Any]) -> None:
        self.loop = asyncio.get_running_loop()
        app.api_link.caller = self

    async def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        self.calls.append(method)
        if isinstance(self.settings, Exception):
            raise self.settings
        if callable(self.settings):
            return await self.settings()
        return json.dumps(self.settings).encode() if isinstance(self.settings, dict) else self.settings


Tell = Callable[..., Outcome]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def tell(server: Server) -> Iterator[Tell]:
    """Sets what the server says, and calls a hook: OnConfigurationChange, unless another is named."""
    used: list[App[Any]] = []

    def tell_it(app: App[Any], answer: Any, hook: str = "OnConfigurationChange", **more: Any) -> Outcome:
        used.append(app)
        server.settings = answer

        async def call() -> Outcome:
            server.serve(app)
            return await app.invoke_hook(hook, **more)

        return asyncio.run(call())

    yield tell_it
    for app in used:
        app.dispatcher.close()


def problem_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed)
    return str(outcome.error)


# declaring


def test_settings_are_the_models_defaults_at_first() -> None:
    app = App(settings=Colours)
    assert app.settings == Colours()
    assert app.settings is app.settings
    assert app.settings_model is Colours


def test_type_checkers_know_the_authors_class() -> None:
    app = App(settings=Colours)
    assert_type(app, App[Colours])
    assert_type(app.settings, Colours)
    assert_type(app.settings.nickname, str | None)
    named = App[Colours](settings=Colours)
    assert named.name == app.name == __name__


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (Colours(), "an instance of Colours"),
        (dict, "the class dict"),
        ("Colours", "an instance of str"),
        (Server, "the class Server"),
    ],
)
def test_what_is_no_model_is_refused_with_what_to_write(wrong: Any, found: str) -> None:
    with pytest.raises(RegistrationError) as caught:
        App(settings=wrong)
    assert str(caught.value) == (
        f"App(settings=…) takes a class that inherits from pydantic's BaseModel, not {found}: write "
        "App(settings=MySettings), after class MySettings(BaseModel)"
    )


def test_keys_that_mattermost_takes_for_one_are_refused() -> None:
    class Alike(BaseModel):
        token: str = ""
        other: str = Field(default="", alias="Token")

    with pytest.raises(RegistrationError) as caught:
        App(settings=Alike)
    assert str(caught.value) == (
        "App(settings=Alike): 'token' and 'Token' are one key to Mattermost, which knows no capitals: rename one"
    )


def test_an_app_without_settings_says_how_to_declare_them() -> None:
    app = App()
    assert app.settings_model is None
    with pytest.raises(ConfigurationError, match=r"declare them by App\(settings=MySettings\)"):
        _ = app.settings
    with pytest.raises(ConfigurationError, match=r"declare them by App\(settings=MySettings\)"):
        app.settings = Colours()


def test_required_settings_are_named_when_they_are_read_before_there_are_any() -> None:
    app = App(settings=Needy)
    with pytest.raises(ConfigurationError) as caught:
        _ = app.settings
    assert str(caught.value) == (
        "app.settings: 'token' is required, and not set; 'url' is required, and not set. Settings are loaded when the "
        "plugin is activated; in a test, write app.settings = Needy(…)"
    )


def test_settings_need_two_hooks() -> None:
    app = App(settings=Colours)
    app.hook(HookName.MessageHasBeenPosted)(lambda post: None)
    assert app.implemented_hooks() == ["OnActivate", "OnConfigurationChange", "MessageHasBeenPosted"]
    assert not app.has_hook("OnActivate")


# loading


@pytest.mark.parametrize("hook", ["OnActivate", "OnConfigurationChange"])
def test_hooks_without_a_handler_load_and_say_that_all_is_well(tell: Tell, server: Server, hook: str) -> None:
    app = App(settings=Colours)
    before = app.settings
    assert tell(app, {"colour": "blue"}, hook) == Unchanged()
    assert (app.settings.colour, before.colour) == ("blue", "red"), "another instance"
    assert server.calls == ["LoadPluginConfiguration"]


def test_handlers_see_what_was_loaded_just_before(tell: Tell, server: Server) -> None:
    app = App(settings=Colours)
    seen = []

    @app.hook
    def on_configuration_change() -> None:
        seen.append(f"change: {app.settings.colour}")

    @app.hook
    async def on_activate() -> None:
        seen.append(f"activate: {app.settings.colour}")

    tell(app, {"colour": "blue"}, "OnActivate")
    assert server.calls == ["LoadPluginConfiguration"]
    tell(app, {"colour": None})
    assert seen == ["change: blue", "activate: blue", "change: red"]
    assert server.calls == ["LoadPluginConfiguration"] * 2


@pytest.mark.parametrize("hook", ["OnActivate", "OnConfigurationChange"])
def test_nothing_is_asked_for_an_app_without_settings(tell: Tell, server: Server, hook: str) -> None:
    app = App()
    app.hook(hook)(lambda: None)
    assert tell(app, {}, hook) == Unchanged()
    assert server.calls == []


@pytest.mark.parametrize(
    "given",
    [
        {"apitoken": "secret", "nickname": "N"},
        {"APITOKEN": "secret", "NickName": "N"},
        {"ApiToken": "secret", "nickname": "N"},
        {"api_token": "secret", "nickname": "N"},
        {"api_token": "other", "apitoken": "secret", "nickname": "N"},
    ],
)
def test_keys_are_aliases_or_names_whatever_their_case(tell: Tell, given: dict[str, Any]) -> None:
    app = App(settings=Colours)
    tell(app, given)
    assert app.settings == Colours(ApiToken=SecretStr("secret"), nickname="N")


def test_the_first_of_several_aliases_is_the_key(tell: Tell) -> None:
    class Aliases(BaseModel):
        size: int = Field(default=3, validation_alias=AliasChoices("Width", "Size"))

    app = App(settings=Aliases)
    tell(app, {"width": 4})
    assert app.settings.size == 4


def test_null_is_the_default_and_unknown_keys_are_nobodys(tell: Tell) -> None:
    app = App(settings=Colours)
    tell(app, {"colour": "blue", "size": 5})
    tell(app, {"colour": None, "size": None, "nickname": None, "apitoken": None, "of_an_older_version": [1]})
    assert app.settings == Colours()


@pytest.mark.parametrize("answer", [b'{"size": 4}', '{"size": 4}', {"size": "4"}])
def test_the_servers_answer_may_be_json_or_what_json_stands_for(tell: Tell, answer: Any) -> None:
    app = App(settings=Colours)
    tell(app, answer)
    assert app.settings.size == 4


@pytest.mark.parametrize("answer", [b"{}", b"null", None])
def test_nothing_set_is_the_defaults(tell: Tell, answer: Any) -> None:
    app = App(settings=Colours)
    tell(app, {"size": 4})
    tell(app, answer)
    assert app.settings == Colours()


def test_values_are_read_as_json_even_by_a_strict_model(tell: Tell) -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        token: SecretStr = SecretStr("")
        words: tuple[str, ...] = ()

    app = App(settings=Strict)
    tell(app, {"token": "t", "words": ["a", "b"]})
    assert app.settings == Strict(token=SecretStr("t"), words=("a", "b"))


# values that cannot be used


def test_a_value_that_cannot_be_used_leaves_its_setting_as_it_was_and_others_are_taken(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(settings=Colours)
    tell(app, {"colour": "blue", "size": 5})
    assert tell(app, {"colour": "green", "size": 0, "nickname": "N"}) == Unchanged()
    assert app.settings == Colours(colour="blue", size=5, nickname="N")
    assert {(record.levelname, record.message) for record in caplog.records} == {
        ("ERROR", "settings: 'colour' cannot be used: Input should be 'red' or 'blue'; it stays as it was"),
        (
            "ERROR",
            "settings: 'size' cannot be used: Input should be greater than or equal to 1; it stays as it was",
        ),
    }


def test_a_value_that_could_never_be_used_leaves_the_default(tell: Tell) -> None:
    app = App(settings=Colours)
    tell(app, {"size": "many"})
    assert app.settings == Colours()


def test_an_emptied_field_is_not_set_where_its_type_takes_no_empty_text(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(settings=Colours)
    tell(app, {"size": 5, "nickname": "N", "apitoken": "long enough"})
    tell(app, {"size": "", "nickname": "", "apitoken": ""})
    assert app.settings == Colours(nickname="")
    assert caplog.records == []


class Guarded(BaseModel):
    """Settings with secrets of all sorts, and validators that chatter."""

    token: SecretStr = Field(default=SecretStr("initial"), min_length=4)
    pin: Secret[int] | None = None
    key: str = Field(default="initial", min_length=4, json_schema_extra={"mattermost": {"secret": True}})
    keys: dict[str, list[SecretStr]] = {}
    word: str = "initial"
    low: int = 0
    high: int = 9

    @field_validator("word", "key")
    @classmethod
    def chatter(cls, value: str) -> str:
        if value.startswith("wrong"):
            raise ValueError(f"{value} is wrong")
        return value

    @model_validator(mode="before")
    @classmethod
    def compare(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("low", 0) > values.get("high", 9):
            raise ValueError(f"low is above high; token: {values.get('token')}")
        if "high" in values and values["high"] == values.get("low"):
            raise LookupError(values.get("token"))
        return values


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"token": "abc"}, "'token' cannot be used (too_short); it stays as it was"),
        ({"token": ["hush"]}, "'token' cannot be used (string_type); it stays as it was"),
        ({"pin": "hush"}, "'pin' cannot be used (int_parsing); it stays as it was"),
        ({"key": "abc"}, "'key' cannot be used (string_too_short); it stays as it was"),
        ({"key": "wrong hush"}, "'key' cannot be used (value_error); it stays as it was"),
        ({"keys": {"hush": "hush"}}, "'keys' cannot be used (list_type); it stays as it was"),
        ({"word": "wrong"}, "'word' cannot be used: Value error, wrong is wrong; it stays as it was"),
        ({"word": "wrong hush", "token": "hush"}, "'word' cannot be used (value_error); it stays as it was"),
        (
            {"low": 10, "token": "hush"},
            "the settings as a whole cannot be used (value_error); all settings stay as they were",
        ),
        (
            {"low": 10},
            "the settings as a whole cannot be used: Value error, low is above high; token: None; "
            "all settings stay as they were",
        ),
        (
            {"low": 9, "high": 9, "token": "hush"},
            "the settings as a whole cannot be checked: LookupError; all settings stay as they were",
        ),
    ],
)
def test_the_log_says_why_and_nothing_of_a_secret(
    tell: Tell, caplog: pytest.LogCaptureFixture, given: dict[str, Any], told: str
) -> None:
    app = App(settings=Guarded)
    before = app.settings
    tell(app, given)
    assert [record.message for record in caplog.records] == [f"settings: {told}"]
    assert "hush" not in caplog.text
    assert "abc" not in caplog.text
    assert app.settings.model_copy(update={"token": before.token}) == before


def test_settings_that_do_not_go_together_all_stay_as_they_were(tell: Tell) -> None:
    app = App(settings=Guarded)
    tell(app, {"low": 3, "word": "hello"})
    before = app.settings
    tell(app, {"low": 30, "word": "changed"})
    assert app.settings is before


# what is required


@pytest.mark.parametrize("hook", ["OnActivate", "OnConfigurationChange"])
def test_without_a_required_setting_the_plugin_is_not_activated(
    tell: Tell, caplog: pytest.LogCaptureFixture, hook: str
) -> None:
    app = App(settings=Needy)
    seen: list[str] = []
    app.hook("OnActivate")(lambda: seen.append("activate"))
    app.hook("OnConfigurationChange")(lambda: seen.append("change"))
    outcome = tell(app, {"token": None, "url": "ab", "size": "many"}, hook)
    text = (
        "the plugin's settings are not complete: 'token' is required, and not set; 'url' cannot be used: String should "
        "have at least 3 characters; 'size' cannot be used: Input should be a valid integer, unable to parse string as "
        "an integer. Set them in the System Console"
    )
    assert problem_of(outcome) == text
    assert [record.message for record in caplog.records] == [f"{hook}: {text}"]
    assert seen == []


def test_the_plugin_is_activated_once_all_that_is_required_is_set(tell: Tell) -> None:
    app = App(settings=Needy)
    problem_of(tell(app, {"token": "t"}, "OnActivate"))
    assert tell(app, {"token": "t", "url": "http"}, "OnActivate") == Unchanged()
    assert app.settings == Needy(token=SecretStr("t"), url="http")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_required_setting_that_is_taken_away_stays_as_it_was(
    tell: Tell, caplog: pytest.LogCaptureFixture, nothing: str | None
) -> None:
    app = App(settings=Needy)
    tell(app, {"token": "t", "url": "http"})
    assert tell(app, {"token": "t", "url": nothing, "size": 4}) == Unchanged()
    assert app.settings == Needy(token=SecretStr("t"), url="http", size=4)
    assert caplog.messages == ["settings: 'url' is required, and not set; it stays as it was"]


def test_defaults_that_their_own_validators_refuse_are_told_like_missing_ones() -> None:
    class Wrong(BaseModel):
        size: int = Field(default=0, ge=1, validate_default=True)

    app = App(settings=Wrong)
    with pytest.raises(ConfigurationError, match="'size' cannot be used: Input should be greater than or equal to 1"):
        _ = app.settings


# a server that cannot be asked


def test_without_a_plugin_api_the_defaults_stay_and_one_line_says_so(caplog: pytest.LogCaptureFixture) -> None:
    app = App(settings=Colours)
    with app.test_client() as client:
        client.on_activate()
        client.on_configuration_change()
    assert app.settings == Colours()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.startswith(
        "settings are not loaded, and stay as they are, at first the defaults: the plugin API"
    )


def test_a_host_that_lacks_the_method_is_told_of_in_the_same_way(tell: Tell, caplog: pytest.LogCaptureFixture) -> None:
    app = App(settings=Colours)
    for _ in range(2):
        assert tell(app, UnsupportedByHost("this host has no such method"), "OnActivate") == Unchanged()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        (
            "WARNING",
            "settings are not loaded, and stay as they are, at first the defaults: this host has no such method",
        )
    ]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (AppError("away"), "away"),
        (GoError("away"), "away"),
        (APIError("away"), "away"),
        (b"no JSON", "LoadPluginConfiguration: the answer is no JSON: Expecting value"),
        (b"[1]", "LoadPluginConfiguration: expected a JSON object, not an instance of list"),
    ],
)
def test_a_server_that_fails_changes_nothing(
    tell: Tell, caplog: pytest.LogCaptureFixture, answer: Any, told: str
) -> None:
    app = App(settings=Colours)
    tell(app, {"size": 5})
    assert tell(app, answer) == Unchanged()
    assert app.settings.size == 5
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.message.startswith(f"settings could not be loaded, and stay as they were: {told}")


def test_a_server_that_is_late_leaves_the_handler_its_half_of_the_time(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(settings=Colours)
    called = []
    app.hook("OnActivate")(lambda: called.append("activate"))
    assert tell(app, asyncio.Event().wait, "OnActivate", timeout=0.4) == Unchanged()
    assert called == ["activate"]
    assert "LoadPluginConfiguration: the server did not answer within 0.2 s" in caplog.text


def test_a_server_that_is_late_has_as_long_as_a_handler(tell: Tell, caplog: pytest.LogCaptureFixture) -> None:
    assert tell(App(settings=Colours, timeout=0.1), asyncio.Event().wait) == Unchanged()
    assert "did not answer within 0.1 s" in caplog.text


def test_the_answer_to_the_last_question_counts(server: Server) -> None:
    app = App(settings=Colours)

    async def test() -> None:
        late, asked = asyncio.Event(), asyncio.Event()

        async def overtaken() -> bytes:
            asked.set()
            await late.wait()
            return b'{"size": 4}'

        server.serve(app)
        server.settings = overtaken
        first = asyncio.create_task(app.invoke_hook("OnConfigurationChange"))
        await asked.wait()
        server.settings = {"size": 5}
        await app.invoke_hook("OnConfigurationChange")
        late.set()
        await first

    asyncio.run(test())
    app.dispatcher.close()
    assert app.settings.size == 5


# in tests


def test_settings_may_be_assigned_and_closing_a_test_client_puts_back_what_was_there() -> None:
    app = App(settings=Colours)
    app.hook("RunDataRetention")(lambda now_time: app.settings.size)
    app.settings = Colours(size=4)
    with app.test_client() as client:
        assert client.run_data_retention(1, 1).value == 4
        app.settings = Colours(size=5)
        assert client.run_data_retention(1, 1).value == 5
    assert app.settings.size == 4
    app.settings = Colours(size=6)
    client.close()
    assert app.settings.size == 6, "it was closed before"


def test_what_is_required_may_be_assigned_for_one_test(caplog: pytest.LogCaptureFixture) -> None:
    app = App(settings=Needy)
    caplog.set_level(logging.CRITICAL)
    with app.test_client() as client:
        with pytest.raises(HandlerError, match="'token' is required, and not set; 'url' is required, and not set"):
            client.on_activate()
        app.settings = Needy(token=SecretStr("t"), url="http")
        assert client.on_activate().error is None
        assert app.settings.url == "http"
    with pytest.raises(ConfigurationError):
        _ = app.settings


def test_only_an_instance_of_the_model_may_be_assigned() -> None:
    app: App[Any] = App(settings=Colours)
    with pytest.raises(TypeError, match=r"^app\.settings takes a Colours, not an instance of dict$"):
        app.settings = {"size": 4}


def test_each_time_that_a_server_is_away_is_told(tell: Tell, caplog: pytest.LogCaptureFixture) -> None:
    app = App(settings=Colours)
    tell(app, {"size": 5})
    for _ in range(2):
        tell(app, HostUnavailable("away"))
        assert app.settings.size == 5
    assert [record.message for record in caplog.records] == [
        "settings could not be loaded, and stay as they were: away"
    ] * 2
