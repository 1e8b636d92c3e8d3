"""The manifest: what is read, what is made of it, and every fault by its key and rule, all at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmhooks import BundleError
from mmhooks.bundle import manifest

GOOD: dict[str, Any] = {
    "id": "com.example.hello",
    "name": "Hello",
    "description": "Says hello.",
    "homepage_url": "https://example.com/hello",
    "support_url": "http://example.com/issues",
    "release_notes_url": "https://example.com/changes",
    "icon_path": "assets/icon.svg",
    "version": "1.2.3-rc.1+build5",
    "min_server_version": "9.3.0",
    "webapp": {"bundle_path": "webapp/dist/main.js"},
    "settings_schema": {
        "header": "Hello's settings",
        "footer": "",
        "settings": [
            {
                "key": "Colour",
                "display_name": "Colour",
                "type": "radio",
                "options": [{"display_name": "Red", "value": "r"}],
            },
            {"key": "Token", "display_name": "Token", "type": "generated", "regenerate_help_text": "A new one."},
            {"key": "Word", "display_name": "Word", "type": "text", "placeholder": "teh", "hosting": "on-prem"},
        ],
        "sections": [{"key": "more", "settings": [{"key": "On", "type": "bool", "default": True}]}],
    },
    "props": {"anything": [1, 2]},
    "required_configuration": {},
}
"""All that a manifest may have, and a key that servers pass over."""


def folder_with(tmp_path: Path, *, json_: Any = None, toml: str | None = None) -> Path:
    (tmp_path / "plugin.py").write_text("")
    for name in ("assets/icon.svg", "webapp/dist/main.js", "assets/icon.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    if json_ is not None:
        (tmp_path / "plugin.json").write_text(json_ if isinstance(json_, str) else json.dumps(json_))
    if toml is not None:
        (tmp_path / "pyproject.toml").write_text(toml)
    return tmp_path


def faults(tmp_path: Path, **changes: Any) -> list[str]:
    written = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    project = manifest.read(folder_with(tmp_path, json_=written))
    found = manifest.check(manifest.complete(project.manifest, [], None), project)
    assert all(fault.startswith("plugin.json, ") for fault in found)
    return [fault.removeprefix("plugin.json, ") for fault in found]


def test_a_plugin_json_is_taken_as_it_is_but_for_what_starts_it(tmp_path: Path) -> None:
    written = GOOD | {"server": {"executable": "plugin.py"}}
    project = manifest.read(folder_with(tmp_path, json_=written))
    made = manifest.complete(project.manifest, ["OnSAMLLogin"], {"settings": []})
    assert made == GOOD | {"server": {"executable": "server/plugin.py"}}
    assert manifest.check(made, project) == []


def test_pyproject_says_the_same_with_what_packages_have_anyway(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        toml="""
            [project]
            name = "hello"
            version = "0.1.0"
            description = "Says hello."
            [project.urls]
            Homepage = "https://example.com/hello"
            Issues = "https://example.com/issues"
            Changelog = "https://example.com/changes"
            Funding = "https://example.com/money"
            [tool.mmhooks]
            id = "com.example.HELLO"
            icon_path = "assets/icon.svg"
            exclude = ["drafts"]
        """,
    )
    project = manifest.read(folder)
    made = manifest.complete(project.manifest, ["MessageHasBeenPosted", "ReactionHasBeenAdded"], {"settings": []})
    assert project.exclude == ("drafts",)
    assert manifest.check(made, project) == []
    assert made == {
        "id": "com.example.hello",  # servers make it small
        "name": "hello",
        "version": "0.1.0",
        "description": "Says hello.",
        "homepage_url": "https://example.com/hello",
        "support_url": "https://example.com/issues",
        "release_notes_url": "https://example.com/changes",
        "icon_path": "assets/icon.svg",
        "settings_schema": {"settings": []},
        "min_server_version": "5.30.0",
        "server": {"executable": "server/plugin.py"},
    }


def test_it_names_an_icon_and_the_folder_of_the_webapp() -> None:
    assert manifest.paths(GOOD) == ["assets/icon.svg", "webapp/dist"]
    assert manifest.paths({}) == []


def test_the_oldest_server_is_the_one_that_has_all_hooks() -> None:
    assert manifest.needed_version([]) == "5.2.0"
    assert manifest.needed_version(["OnActivate", "UserHasBeenCreated"]) == "5.10.0"  # and not 5.2, as texts go
    assert manifest.needed_version(["OnSAMLLogin", "MessagesWillBeConsumed"]) == "10.7.0"
    newer = manifest.newer_hooks({"min_server_version": "9.3.1"}, ["OnSAMLLogin", "MessagesWillBeConsumed"])
    assert newer == ["OnSAMLLogin"]


SETTING = {"key": "k", "type": "text"}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "id missing": ({"id": ...}, "id: it is missing"),
    "id short": ({"id": "ab"}, 'id: expected 3 to 190 of the letters A to Z, digits, and - _ . only, found "ab"'),
    "id long": ({"id": "a" * 191}, "id: expected 3 to 190"),
    "id letters": ({"id": "com example"}, "id: expected 3 to 190"),
    "id type": ({"id": 5}, "id: expected a text, found 5"),
    "name missing": ({"name": ...}, "name: it is missing"),
    "name empty": ({"name": " "}, "name: it is empty"),
    "version missing": ({"version": ...}, "version: it is missing"),
    "version short": (
        {"version": "1.0"},
        "version: expected three numbers as in semantic versioning, 1.2.3 or 1.2.3-rc1",
    ),
    "version zero": ({"version": "1.02.3"}, "version: expected three numbers"),
    "version v": ({"version": "v1.2.3"}, "version: expected three numbers"),
    "server version": ({"min_server_version": "9.3"}, "min_server_version: expected three numbers"),
    "homepage": ({"homepage_url": "example.com"}, "homepage_url: expected an address with http:// or https://"),
    "support": ({"support_url": "ftp://example.com"}, "support_url: expected an address"),
    "notes": ({"release_notes_url": "https://"}, "release_notes_url: expected an address"),
    "icon absolute": ({"icon_path": "/etc/icon.svg"}, "icon_path: expected a path within the plugin's folder"),
    "icon above": ({"icon_path": "assets/../../icon.svg"}, "icon_path: expected a path within the plugin's folder"),
    "icon missing": ({"icon_path": "assets/other.svg"}, "icon_path: there is no file assets/other.svg"),
    "icon bitmap": ({"icon_path": "assets/icon.png"}, "icon_path: servers show SVG pictures only"),
    "webapp type": ({"webapp": "main.js"}, "webapp: expected an object with bundle_path"),
    "webapp empty": ({"webapp": {}}, "webapp.bundle_path: expected the path of a script"),
    "webapp missing": ({"webapp": {"bundle_path": "webapp/x.js"}}, "webapp.bundle_path: there is no file webapp/x.js"),
    "webapp top": ({"webapp": {"bundle_path": "plugin.py"}}, "webapp.bundle_path: browsers may read all of its folder"),
    "webapp dot": ({"webapp": {"bundle_path": "./a/b.js"}}, "webapp.bundle_path: browsers may read all of its folder"),
    "props": ({"props": []}, "props: expected an object, found []"),
    "schema": ({"settings_schema": []}, "settings_schema: expected an object with settings"),
    "header": ({"settings_schema": {"header": 1}}, "settings_schema.header: expected a text, found 1"),
    "settings": ({"settings_schema": {"settings": {}}}, "settings_schema.settings: expected a list"),
    "sections": ({"settings_schema": {"sections": {}}}, "settings_schema.sections: expected a list"),
    "section": ({"settings_schema": {"sections": [{}]}}, "settings_schema.sections[0]: expected an object with a key"),
}
SETTING_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "key": ({"key": ""}, '.key: expected a text, found ""'),
    "type": ({"type": "colour"}, " (k).type: expected one of bool, dropdown, generated, radio, text, longtext, number"),
    "no type": ({"type": None}, " (k).type: expected one of"),
    "display": ({"display_name": 1}, " (k).display_name: expected a text"),
    "regenerate": ({"regenerate_help_text": "x"}, " (k).regenerate_help_text: only a setting of type generated has it"),
    "placeholder": ({"type": "bool", "placeholder": "x"}, " (k).placeholder: a setting of type bool has none"),
    "hosting": ({"hosting": "moon"}, ' (k).hosting: expected cloud or on-prem, found "moon"'),
    "options": ({"options": []}, " (k).options: a setting of type text has none"),
    "options type": ({"type": "radio", "options": "a"}, " (k).options: expected a list"),
    "option": (
        {"type": "radio", "options": [{"display_name": "A", "value": ""}]},
        " (k).options[0]: expected display_name",
    ),
}
for name, (change, text) in SETTING_FAULTS.items():
    FAULTS[f"setting {name}"] = (
        {"settings_schema": {"settings": [SETTING | change]}},
        f"settings_schema.settings[0]{text}",
    )


@pytest.mark.parametrize("case", [*FAULTS])
def test_a_fault_is_told_by_its_key_and_the_rule(tmp_path: Path, case: str) -> None:
    change, text = FAULTS[case]
    (fault,) = faults(tmp_path, **change)
    assert fault.startswith(text)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, id="a b", name="", version="1", icon_path="x.svg", settings_schema={"settings": [{}]})
    keys = [fault.partition(":")[0] for fault in found]
    assert keys == [
        "id", "name", "version", "icon_path",
        "settings_schema.settings[0].key", "settings_schema.settings[0].type",
    ]  # fmt: skip


def test_two_settings_that_servers_cannot_tell_apart_are_a_fault(tmp_path: Path) -> None:
    schema = {"settings": [{"key": "Word", "type": "text"}], "sections": [
        {"key": "s", "settings": [{"key": "word", "type": "text"}]}]}  # fmt: skip
    (fault,) = faults(tmp_path, settings_schema=schema)
    assert fault == (
        "settings_schema.sections[0].settings[0] (word).key: servers do not tell it from that of settings[0] (Word): they "
        "make all keys small"
    )


def test_a_misspelt_key_of_pyproject_is_named_with_the_right_one(tmp_path: Path) -> None:
    toml = '[project]\nname = "x"\nversion = "1.0.0"\n[tool.mmhooks]\nid = "abc"\nhome_page_url = "https://example.com"'
    project = manifest.read(folder_with(tmp_path, toml=toml))
    (fault,) = manifest.check(manifest.complete(project.manifest, [], None), project)
    assert fault == (
        "pyproject.toml, [tool.mmhooks], home_page_url: there is no such key; did you mean 'homepage_url'?"
    )


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "JSON": ({"json_": '{"id": }'}, "plugin.json cannot be read: Expecting value: line 1 column 8"),
    "a list": ({"json_": []}, "plugin.json: expected an object, found []"),
    "TOML": ({"toml": "[tool.mmhooks"}, "pyproject.toml cannot be read: "),
    "nothing": ({}, "nothing says what the plugin is called: write [tool.mmhooks] with id and name"),
    "both": (
        {"json_": GOOD, "toml": '[tool.mmhooks]\nid = "x"'},
        "plugin.json is there, and pyproject.toml has id under",
    ),
    "exclude": (
        {"json_": GOOD, "toml": "[tool.mmhooks]\nexclude = 1"},
        "exclude: expected a list of patterns, found 1",
    ),
}


@pytest.mark.parametrize("case", [*UNREADABLE])
def test_what_cannot_be_read_is_named(tmp_path: Path, case: str) -> None:
    written, text = UNREADABLE[case]
    with pytest.raises(BundleError) as refused:
        manifest.read(folder_with(tmp_path, **written))
    assert text in str(refused.value)


def test_a_folder_without_a_plugin_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"there is no plugin\.py, with which a plugin begins \(`mmhooks new NAME`"):
        manifest.read(tmp_path)
