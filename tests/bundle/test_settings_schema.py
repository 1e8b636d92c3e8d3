"""The form in the System Console that is made of a model: each type, each word of the author's, each fault."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Secret,
    SecretBytes,
    SecretStr,
)
from pydantic import create_model as create

from mmhooks.bundle.settings_schema import settings_schema
from mmhooks.errors import BundleError


class Level(enum.StrEnum):
    LOW = "low"
    VERY_HIGH = "very_high"


class Place(enum.Enum):
    North = "n"
    SOUTH = "s"


class Number(enum.Enum):
    ONE = 1


class Nested(BaseModel):
    token: str = ""


def setting(type_: Any, field: Any = ...) -> dict[str, Any]:
    """The one setting of a model with this field; its form is checked by Mattermost's rules."""
    [made] = settings_schema(create("Model", the_field=(type_, field)))["settings"]
    assert made.pop("key") == "the_field"
    assert made["type"] in MATTERMOSTS
    assert "options" not in made or made["type"] in ("dropdown", "radio")
    assert all(option["display_name"] and option["value"] for option in made.get("options", []))
    assert "placeholder" not in made or made["type"] not in ("bool", "dropdown", "radio")
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    return dict(made)


MATTERMOSTS = ("bool", "dropdown", "generated", "radio", "text", "longtext", "number", "username", "custom")
"""The types of Mattermost's `model/manifest.go`."""


def words(**said: Any) -> Any:
    """What an author says of a field that has the default "x"."""
    return Field(default="x", json_schema_extra={"mattermost": said})


def faults(**fields: Any) -> list[str]:
    with pytest.raises(BundleError) as caught:
        settings_schema(create("Model", **fields))
    assert str(caught.value).splitlines() == [*caught.value.faults]
    return [*caught.value.faults]


# types


@pytest.mark.parametrize(
    ("type_", "default", "form", "shown"),
    [
        (bool, True, "bool", True),
        (bool, False, "bool", False),
        (int, 0, "number", 0),
        (Annotated[int, Field(gt=3)], 5, "number", 5),
        (int | None, 5, "number", 5),
        (str, "", "text", ""),
        (str, "hello", "text", "hello"),
        (Optional[str], "hello", "text", "hello"),  # noqa: UP045 - as people write it
        (Annotated[str, BeforeValidator(str.strip)], "hello", "text", "hello"),
        (Annotated[Annotated[str, Field(max_length=9)] | None, Field(min_length=2)], "hello", "text", "hello"),
        (float, 2.5, "text", "2.5"),
        (float, float("inf"), "text", "inf"),
        (decimal.Decimal, decimal.Decimal("1.50"), "text", "1.50"),
        (HttpUrl, "http://example.com", "text", "http://example.com"),
        (HttpUrl, HttpUrl("http://example.com"), "text", "http://example.com/"),
        (datetime.timedelta, datetime.timedelta(seconds=45), "text", "PT45S"),
        (Literal["auto"] | int, 5, "text", "5"),
        (int | str, 5, "text", "5"),
    ],
)
def test_each_type_has_its_form_and_its_default(type_: Any, default: Any, form: str, shown: Any) -> None:
    made = setting(type_, default)
    assert made == {"display_name": "The field", "type": form, "help_text": "", "default": shown}
    assert type(made["default"]) is type(shown)


@pytest.mark.parametrize("type_", [bool, int, str, Level, Literal["a"]])
def test_what_is_optional_has_no_default_if_that_is_none(type_: Any) -> None:
    made = setting(type_ | None, None)
    assert "default" not in made
    assert made["type"] == {bool: "bool", int: "number", str: "text"}.get(type_, "dropdown")


@pytest.mark.parametrize("type_", [int, str, float, SecretStr])
def test_what_is_required_has_no_default(type_: Any) -> None:
    assert "default" not in setting(type_)


def test_what_a_factory_makes_is_no_default_since_it_may_be_another_one_each_time() -> None:
    assert "default" not in setting(str, Field(default_factory=lambda: "made"))


@pytest.mark.parametrize(
    ("type_", "form"),
    [
        (SecretStr, "text"),
        (SecretStr | None, "text"),
        (Annotated[SecretStr, Field(min_length=8)], "text"),
        (SecretBytes, "text"),
        (Secret[str], "text"),
        (Secret[int] | None, "number"),
    ],
)
def test_a_secret_is_marked_and_its_default_never_shown(type_: Any, form: str) -> None:
    field = Field(default=SecretStr("hush"), json_schema_extra={"mattermost": {"secret": False}})
    made = setting(type_, field)
    assert made == {"display_name": "The field", "type": form, "help_text": "", "secret": True}


def test_an_author_may_call_a_plain_text_a_secret() -> None:
    assert setting(str, words(secret=True)) == {
        "display_name": "The field",
        "type": "text",
        "help_text": "",
        "secret": True,
    }


@pytest.mark.parametrize(
    ("type_", "default", "options"),
    [
        (Literal["dark_red", "Blue"], "dark_red", {"Dark red": "dark_red", "Blue": "Blue"}),
        (Literal["de-DE", "English (UK)"] | None, None, {"De-DE": "de-DE", "English (UK)": "English (UK)"}),
        (Literal["a", None], None, {"A": "a"}),
        (Literal["only"], "only", {"Only": "only"}),
        (Literal["a"] | Literal["b"], "a", {"A": "a", "B": "b"}),
        (Level, Level.LOW, {"Low": "low", "Very high": "very_high"}),
        (Level | None, None, {"Low": "low", "Very high": "very_high"}),
        (Place, Place.North, {"North": "n", "South": "s"}),
        (Annotated[Place, Field()] | Literal["other"], "n", {"North": "n", "South": "s", "Other": "other"}),
    ],
)
def test_choices_are_a_dropdown(type_: Any, default: Any, options: dict[str, str]) -> None:
    made = setting(type_, default)
    assert made["type"] == "dropdown"
    assert {option["display_name"]: option["value"] for option in made["options"]} == options
    assert made.get("default") == getattr(default, "value", default)


def test_the_default_is_the_first_of_a_dropdown_since_the_console_shows_that_one() -> None:
    type_ = Literal["low", "middle", "high"]
    assert [option["value"] for option in setting(type_, "middle")["options"]] == ["middle", "low", "high"]
    radio = Field(default="middle", json_schema_extra={"mattermost": {"type": "radio"}})
    assert [option["value"] for option in setting(type_, radio)["options"]] == ["low", "middle", "high"]


# what an author says


def test_a_field_says_what_people_read() -> None:
    field = Field(title="Word of the day", description="Any *word*.\n    Or two.", examples=["hello", "bye"])
    assert setting(str, field) == {
        "display_name": "Word of the day",
        "type": "text",
        "help_text": "Any *word*.\nOr two.",
        "placeholder": "hello",
    }


def test_examples_are_texts_where_the_form_has_a_place_for_one() -> None:
    assert setting(int, Field(examples=[5]))["placeholder"] == "5"
    assert "placeholder" not in setting(bool, Field(default=True, examples=[True]))


@pytest.mark.parametrize("form", ["longtext", "username", "generated", "custom"])
def test_an_author_may_choose_another_form(form: str) -> None:
    assert setting(str, words(type=form)) == {
        "display_name": "The field",
        "type": form,
        "help_text": "",
        "default": "x",
    }


def test_what_an_author_says_to_the_console_goes_before_all_else() -> None:
    said: Any = {
        "type": "generated",
        "display_name": "Key",
        "help_text": "Of the door.",
        "regenerate_help_text": "Makes a new one.",
        "placeholder": "none",
        "hosting": "on-prem",
    }
    field = Field("x", title="t", description="d", examples=["e"], json_schema_extra={"mattermost": said})
    assert setting(str, field) == {**said, "default": "x"}


def test_an_author_may_give_the_options() -> None:
    options = [{"display_name": "X", "value": "x"}, {"display_name": "Y", "value": "y"}]
    assert setting(str, words(type="radio", options=options))["options"] == options


@pytest.mark.parametrize("default", [[], ["a"], {"a": 1}])
def test_a_field_without_a_form_may_be_given_one(default: Any) -> None:
    field = Field(default, json_schema_extra={"mattermost": {"type": "custom"}})
    assert setting(list[str] | dict[str, int], field)["default"] == default


def test_the_key_is_the_alias_or_else_the_name() -> None:
    class Model(BaseModel):
        api_token: str = Field(default="", alias="ApiToken")
        size: int = Field(default=3, validation_alias=AliasChoices("Width", "Size"))
        by_name: str = Field(default="", serialization_alias="not_this")

    made = settings_schema(Model)["settings"]
    assert [each["key"] for each in made] == ["ApiToken", "Width", "by_name"]
    assert [each["display_name"] for each in made] == ["Api token", "Size", "By name"]


def test_the_docstring_is_the_header_and_a_base_classs_is_not() -> None:
    class Documented(BaseModel):
        """What the plugin needs.

        - a *token*
        """

    class Plain(Documented):
        word: str = ""

    assert settings_schema(Documented) == {
        "header": "What the plugin needs.\n\n- a *token*",
        "footer": "",
        "settings": [],
    }
    assert settings_schema(Plain)["header"] == ""


def test_a_model_may_say_its_header_and_footer() -> None:
    class Model(BaseModel):
        """For developers."""

        model_config = ConfigDict(json_schema_extra={"mattermost": {"header": "Above.", "footer": "Below."}})

    made = settings_schema(Model)
    assert (made["header"], made["footer"]) == ("Above.", "Below.")


# faults


@pytest.mark.parametrize(
    ("type_", "shown"),
    [
        (list[str], "list[str]"),
        (dict[str, int], "dict[str, int]"),
        (Nested, f"{__name__}.Nested"),
        (Any, "Any"),
        (object, "object"),
        (bool | str, "bool | str"),
        (Literal[1, 2], "Literal[1, 2], since one of its choices is empty or no text"),
        (Literal["", "a"], "Literal['', 'a'], since one of its choices is empty or no text"),
        (Number, f"{__name__}.Number, since one of its choices is empty or no text"),
    ],
)
def test_a_type_without_a_form_is_a_fault_that_says_how_to_choose_one(type_: Any, shown: str) -> None:
    [fault] = faults(word=(type_, ...))
    assert fault.replace("typing.", "") == (
        f"Model: 'word': the System Console has no form for {shown}; choose one: "
        'Field(json_schema_extra={"mattermost": {"type": "longtext"}}), or "custom" for one of your own'
    )


class Odd:
    """What pydantic knows nothing of."""


def test_a_type_that_has_no_json_is_a_fault_unless_it_is_given_a_form() -> None:
    arbitrary = ConfigDict(arbitrary_types_allowed=True)
    custom = Field(json_schema_extra={"mattermost": {"type": "custom"}})
    [made] = settings_schema(create("Model", odd=(Odd, custom), __config__=arbitrary))["settings"]
    assert (made["type"], made["secret"]) == ("custom", True), "nobody knows what is in it"
    with pytest.raises(BundleError, match=r"no form for .*Odd"):
        settings_schema(create("Model", odd=(Odd, ...), __config__=arbitrary))


@pytest.mark.parametrize(
    ("type_", "shown"), [(bool, "false"), (Level, "the first option"), (Literal["a", "b"], "the first option")]
)
def test_a_choice_needs_a_default_since_the_console_shows_one_as_chosen(type_: Any, shown: str) -> None:
    assert faults(word=(type_, ...)) == [
        f"Model: 'word': give it a default: while nothing is stored, the System Console shows {shown} as if it were"
    ]


@pytest.mark.parametrize("form", ["dropdown", "radio"])
def test_a_choice_needs_options(form: str) -> None:
    assert faults(word=(str, words(type=form))) == [
        f"Model: 'word': a {form} needs options: a Literal or an Enum of texts that are not empty"
    ]


@pytest.mark.parametrize("word", ["kind", "key", "default"])
def test_what_cannot_be_said_of_a_setting_is_a_fault(word: str) -> None:
    assert faults(word=(str, words(**{word: "x"}))) == [
        f"Model: 'word': {word!r} cannot be said of a setting: expected some of type, display_name, help_text, "
        "regenerate_help_text, placeholder, hosting, options, secret"
    ]


def test_a_default_that_is_no_json_is_a_fault() -> None:
    custom = Field(default=object(), json_schema_extra={"mattermost": {"type": "custom"}})
    assert faults(word=(list[str], custom)) == ["Model: 'word': its default is no JSON: an instance of object"]


def test_all_faults_are_told_at_once() -> None:
    found = faults(word=(list[str], []), Word=(str, ""), level=(Level, ...), fine=(str, ""))
    assert [fault.split(" ", 3)[1] for fault in found] == ["'word'", "'word':", "'level':"]
    assert found[0] == "Model: 'word' and 'Word' are one key to Mattermost, which knows no capitals: rename one"
