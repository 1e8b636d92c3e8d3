"""Makes the table of Go's structs by which the net/rpc host reads and writes models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .contract import interface
from .models import ERRORS, all_models, class_name

_KEPT = {"time.Time", "json.RawMessage"}
"""Named types that do not travel as what they are made of, or become something else than that here."""

_ERROR_FIELDS = {
    "Id": "id",
    "Message": "message",
    "DetailedError": "detailed_error",
    "StatusCode": "status_code",
    "Where": "where",
    "RequestId": "request_id",
    "Code": "code",
    "Err": "text",
}
"""The attributes of the errors, which are no models."""


def generate() -> Iterator[tuple[str, str]]:
    """The one file, by its path."""
    lines = ['"""Go\'s structs, the hooks and the methods of the plugin API, as net/rpc carries them."""', ""]
    lines += [
        "# By Go's name: the class here, and each field as name:attribute:type. The attribute is left out where it is the",
        "# name; an embedded struct has a plus sign.",
        "STRUCTS: dict[str, tuple[str, str]] = {",
    ]
    lines += [*_structs(), "}", "", "# Parameters and results.", "HOOKS: dict[str, tuple[str, str]] = {"]
    lines += [*_calls("hooks"), "}", "", "API: dict[str, tuple[str, str]] = {", *_calls("api"), "}"]
    yield "mmhooks/hosts/netrpc/structs.py", "\n".join(lines) + "\n"


def _structs() -> Iterator[str]:
    models = {name: fields for classes in all_models().values() for name, fields in classes.items()}
    for go_name, type_ in interface()["types"].items():
        if "fields" not in type_:
            continue
        if go_name in ERRORS:
            found = [f"{name}:{_ERROR_FIELDS[name]}:{go}" for name, go, *_ in type_["fields"] if name in _ERROR_FIELDS]
            yield f'    "{go_name}": ("{ERRORS[go_name]}", "{" ".join(found)}"),'
            continue
        known = class_name(go_name)
        attributes = iter([field.name for field in models[known]])
        fields = []
        for go_field, go_type, *rest in type_["fields"]:
            if rest and isinstance(rest[0], dict):
                go_type = go_type.lstrip("*")  # for gob it is the same
                for _ in interface()["types"][go_type]["fields"]:
                    next(attributes)
                fields.append(f"+{go_field}::{go_type}")
            else:
                attribute = next(attributes)
                fields.append(f"{go_field}:{'' if attribute == go_field else attribute}:{_expanded(go_type)}")
        text = " ".join(fields)
        yield f'    "{go_name}": ("{known}", "{text}"),'


def _calls(group: str) -> Iterator[str]:
    for row in interface()[group]:
        wire: dict[str, Any] = row.get("wire", row)
        parameters = [type_ for _, type_ in wire["parameters"]]
        types = [type_ for _, type_ in row["parameters"]] + row["results"]
        if any(re.search(r"\b(http|io)\.", type_) for type_ in types):
            continue  # streams
        yield f'    "{row["name"]}": ("{_joined(parameters)}", "{_joined(wire["results"])}"),'


def _joined(types: list[str]) -> str:
    return " ".join(map(_expanded, types))


def _expanded(go: str) -> str:
    """A type with the names of what are no structs replaced by what they are."""

    def replaced(match: re.Match[str]) -> str:
        name = match[0]
        type_ = interface()["types"][name]
        if name in _KEPT or "fields" in type_:
            return name
        kind = type_["kind"]
        if kind == "map":
            return _expanded(f"map[{type_['key']}]{type_['elem']}")
        return _expanded(f"[]{type_['elem']}") if kind == "slice" else str(kind)

    return re.sub(r"[a-z0-9]+\.\w+", replaced, go)
