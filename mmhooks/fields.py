"""The fields of a model for settings, as Mattermost sees them: their keys, their JSON, and what is secret."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args

from pydantic import AliasChoices, BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema


def keys_of(model: type[BaseModel]) -> dict[str, str]:
    """By the names of a model's fields, the keys by which Mattermost knows them: the alias, or else the name."""
    return {name: _alias(field) or name for name, field in model.model_fields.items()}


def _alias(field: FieldInfo) -> str | None:
    alias = field.validation_alias
    first = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    return first if isinstance(first, str) else None


def same_but_for_case(keys: Iterable[str]) -> list[str]:
    """What to tell of keys that Mattermost takes for one."""
    alike: dict[str, list[str]] = {}
    for key in keys:
        alike.setdefault(key.lower(), []).append(key)
    texts = (" and ".join(map(repr, same)) for same in alike.values() if len(same) > 1)
    return [f"{text} are one key to Mattermost, which knows no capitals: rename one" for text in texts]


def console_words(field: FieldInfo) -> dict[str, Any]:
    """What the author says to the System Console: `Field(json_schema_extra={"mattermost": {…}})`."""
    extra = field.json_schema_extra
    words = extra.get("mattermost") if isinstance(extra, dict) else None
    return words if isinstance(words, dict) else {}


def is_secret(field: FieldInfo) -> bool:
    """Whether nobody may be shown a setting: it is a secret of pydantic's, has one inside, or its author says so."""
    if console_words(field).get("secret") or any(hasattr(part, "get_secret_value") for part in parts(field.annotation)):
        return True
    try:
        return '"writeOnly": true' in json.dumps(json_schema(field))
    except Exception:  # pydantic's, or of a type of the author's
        return True  # nobody knows what is in it


def parts(annotation: Any) -> Iterator[Any]:
    """A type, and the types that it is made of."""
    yield annotation
    for argument in get_args(annotation):
        yield from parts(argument)


def json_schema(field: FieldInfo) -> dict[str, Any]:
    """The JSON schema of a field's values. Raises `PydanticUserError` for a type that has none."""
    type_: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(type_).json_schema(schema_generator=_Quiet)


class _Quiet(GenerateJsonSchema):
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - the name is pydantic's
