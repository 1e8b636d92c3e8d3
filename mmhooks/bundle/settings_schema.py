"""The form of a plugin's settings in the System Console, made of the author's model.

What a form can have is in Mattermost's `model/manifest.go`, whose rules `mmhooks.bundle.manifest` checks; how it behaves,
in `schema_admin_settings` of its web app.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from mmhooks.errors import BundleError
from mmhooks.fields import console_words, is_secret, json_schema, keys_of, parts, same_but_for_case

_OWN = ("type", "display_name", "help_text", "regenerate_help_text", "placeholder", "hosting", "options", "secret")
"""What an author may say of a setting. Its key and its default are the field's."""

_WITH_OPTIONS = ("dropdown", "radio")

_CHOSEN = ("bool", *_WITH_OPTIONS)
"""The types of which the form always shows one of the possible values as chosen."""


def settings_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The `settings_schema` of a manifest.

    | field | type of its setting |
    |---|---|
    | `bool` | bool |
    | `int` | number: the console's are whole |
    | `str`, `float`, and whatever else is a text or a number in JSON, such as `HttpUrl` | text |
    | `SecretStr` | text, and secret |
    | `Literal`, or `Enum`, of texts | dropdown |

    `X | None` is as X. The key is the field's alias, or its name; `title` is the display name, `description` the help
    text, the first of `examples` the placeholder. `Field(json_schema_extra={"mattermost": {…}})` goes before all of that,
    and gives a type to fields that have none here. The header is the model's docstring;
    `ConfigDict(json_schema_extra={"mattermost": {…}})` may give another, and a footer.

    Raises `BundleError` with all faults.
    """
    keys = keys_of(model)
    faults = same_but_for_case(keys.values())
    settings = []
    for name, key in keys.items():
        try:
            settings.append(_setting(name, key, model.model_fields[name]))
        except _Fault as fault:
            faults.append(f"{key!r}: {fault}")
    if faults:
        raise BundleError([f"{model.__name__}: {fault}" for fault in faults])
    extra = model.model_config.get("json_schema_extra")
    words: Any = extra.get("mattermost", {}) if isinstance(extra, dict) else {}
    own = vars(model).get("__doc__") or ""  # and not that of a class above
    return {
        "header": words.get("header", inspect.cleandoc(own)),
        "footer": words.get("footer", ""),
        "settings": settings,
    }


class _Fault(Exception):
    """What a setting cannot be."""


def _setting(name: str, key: str, field: FieldInfo) -> dict[str, Any]:
    words = console_words(field)
    if strange := sorted(words.keys() - {*_OWN}):
        raise _Fault(f"{strange[0]!r} cannot be said of a setting: expected some of {', '.join(_OWN)}")
    type_, choices = _form(field)
    type_ = words.get("type", type_)
    if not type_:
        why = ", since one of its choices is empty or no text" if choices else ""
        raise _Fault(
            f"the System Console has no form for {inspect.formatannotation(field.annotation)}{why}; choose one: "
            'Field(json_schema_extra={"mattermost": {"type": "longtext"}}), or "custom" for one of your own'
        )
    setting = {
        "key": key,
        "display_name": field.title or _readable(name),
        "type": type_,
        "help_text": inspect.cleandoc(field.description or ""),
    }
    if field.examples and type_ not in _CHOSEN:
        setting["placeholder"] = str(field.examples[0])
    if is_secret(field):
        setting["secret"] = True
    elif (default := _default(field, type_)) is not None:
        setting["default"] = default
    if type_ in _WITH_OPTIONS:
        # Where nothing is stored, the console shows the first entry of a dropdown, whatever the default.
        first = setting.get("default") if type_ == "dropdown" else None
        setting["options"] = _options(field, sorted(choices, key=lambda choice: choice != first))
    setting |= {word: said for word, said in words.items() if word != "secret"}
    if type_ in _WITH_OPTIONS and not setting["options"]:
        raise _Fault(f"a {type_} needs options: a Literal or an Enum of texts that are not empty")
    if type_ in _CHOSEN and field.is_required():
        shown = "false" if type_ == "bool" else "the first option"
        raise _Fault(f"give it a default: while nothing is stored, the System Console shows {shown} as if it were")
    return setting


def _form(field: FieldInfo) -> tuple[str, list[str]]:
    """The type of a field's setting, empty if there is none for it, and the texts to choose from."""
    try:
        schema = json_schema(field)
    except PydanticUserError:
        return "", []
    kinds, choices = set(), []
    for form in _alternatives(schema, schema.get("$defs", {})):
        chosen = form.get("enum") or ([form["const"]] if "const" in form else [])
        choices += [choice for choice in chosen if choice is not None]
        kinds.add("choice" if chosen else str(form.get("type")))
    kinds.discard("null")
    if kinds == {"choice"}:
        return "dropdown" if all(isinstance(choice, str) and choice for choice in choices) else "", choices
    if kinds == {"boolean"}:
        return "bool", []
    if kinds == {"integer"}:
        return "number", []
    # A number with a fraction, too: the console's form for numbers cuts it off without a word.
    return "text" if kinds and kinds <= {"string", "number", "integer", "choice"} else "", []


def _alternatives(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    several = schema.get("anyOf") or schema.get("allOf") or schema.get("oneOf")
    if not several:
        yield schema
    for each in several or ():
        yield from _alternatives(each, definitions)


def _default(field: FieldInfo, type_: str) -> Any:
    """None for no default, and for what a factory makes: it may be another one each time."""
    if field.default is PydanticUndefined or field.default is None:
        return None
    try:
        default = to_jsonable_python(field.default)
    except ValueError:
        raise _Fault(f"its default is no JSON: an instance of {type(field.default).__name__}") from None
    return str(default) if type_ == "text" else default


def _options(field: FieldInfo, choices: list[str]) -> list[dict[str, str]]:
    names: dict[str, str] = {}
    for part in parts(field.annotation):
        if isinstance(part, type) and issubclass(part, enum.Enum):
            names |= {str(member.value): member.name.capitalize() for member in part}
    return [{"display_name": _readable(names.get(choice, choice)), "value": choice} for choice in choices]


def _readable(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
