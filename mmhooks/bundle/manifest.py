"""The manifest: what a plugin's folder says of the plugin, completed and checked as a Mattermost server checks it.

It is the folder's plugin.json, or `[tool.mmhooks]` in its pyproject.toml, whose keys are the same. The rules are those of
Mattermost's `model/manifest.go`; there is one fault for each that is broken.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from mmhooks.errors import BundleError
from mmhooks.hooks import HOOKS

LAUNCHER, LAUNCHER_NETRPC = "server/plugin.py", "server/plugin"
"""Where the launcher stands in a bundle. By `.py` a server with the runtime for Python plugins knows its own, and speaks
gRPC to them; without it it takes the bundle for a program, as released servers do all."""

_TYPES: dict[str, tuple[type, str]] = {
    "id": (str, "a text"),
    "name": (str, "a text"),
    "description": (str, "a text"),
    "homepage_url": (str, "a text"),
    "support_url": (str, "a text"),
    "release_notes_url": (str, "a text"),
    "icon_path": (str, "a text"),
    "version": (str, "a text"),
    "min_server_version": (str, "a text"),
    "webapp": (dict, "an object with bundle_path"),
    "settings_schema": (dict, "an object with settings"),
    "props": (dict, "an object"),
}
"""The keys of a manifest, but `server`, and what they hold."""

_OWN = ("exclude",)
"""The keys of `[tool.mmhooks]` that are for the bundler and not for the server."""

_ID = re.compile(r"[A-Za-z0-9\-_.]{3,190}")
_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
    r"(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_URLS = {"homepage": "homepage_url", "issues": "support_url", "changelog": "release_notes_url"}
"""What `[project.urls]` has, by the names that packages give them."""

_SETTING_TYPES = ("bool", "dropdown", "generated", "radio", "text", "longtext", "number", "username", "custom")
_WITH_PLACEHOLDER = ("generated", "text", "longtext", "number", "username", "custom")
_WITH_OPTIONS = ("radio", "dropdown")


@dataclass(frozen=True)
class Project:
    """What a plugin's folder says of the plugin."""

    folder: Path
    manifest: Mapping[str, Any]
    """As it is written; `check` says what is wrong with it."""
    source: str
    """Where it is written, for faults."""
    pyproject: Mapping[str, Any]
    exclude: tuple[str, ...] = ()
    """Patterns of files that the bundle is not to have."""


def read(folder: Path) -> Project:
    """Read a folder's plugin.json and pyproject.toml. Raises `BundleError` when there is no manifest to be made of them."""
    if not (folder / "plugin.py").is_file():
        raise BundleError(
            [f"{folder}: there is no plugin.py, with which a plugin begins (`mmhooks new NAME` makes one)"]
        )
    pyproject = _parse(folder / "pyproject.toml", tomllib.loads) or {}
    written = _parse(folder / "plugin.json", json.loads)
    table = table_of(pyproject, "tool", "mmhooks")
    exclude = table.get("exclude", [])
    if not (isinstance(exclude, list) and all(isinstance(pattern, str) for pattern in exclude)):
        raise BundleError([f"pyproject.toml, [tool.mmhooks] exclude: expected a list of patterns, found {exclude!r}"])
    keys = [key for key in table if key not in _OWN]
    if written is None:
        if not keys:
            raise BundleError(
                [
                    f"{folder}: nothing says what the plugin is called: write [tool.mmhooks] with id and name into "
                    f"pyproject.toml, or a plugin.json"
                ]
            )
        made = _from_pyproject(pyproject, table)
        return Project(folder, made, "pyproject.toml, [tool.mmhooks]", pyproject, tuple(exclude))
    if keys:
        raise BundleError(
            [
                f"plugin.json is there, and pyproject.toml has {', '.join(keys)} under [tool.mmhooks]: keep one of the two"
            ]
        )
    return Project(folder, written, "plugin.json", pyproject, tuple(exclude))


def complete(
    written: Mapping[str, Any], hooks: Iterable[str], settings_schema: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The manifest of the bundle.

    Arguments:
        written: as the author wrote it.
        hooks: those that the plugin has, whose first server version is `min_server_version` where none is written.
        settings_schema: made from the plugin's settings model, if it has one; what is written goes before it.
    """
    made = {key: value for key, value in written.items() if value is not None}  # null is absent to a server
    if isinstance(made.get("id"), str):
        made["id"] = made["id"].lower()  # as servers read it
    if settings_schema is not None:
        made.setdefault("settings_schema", settings_schema)
    made.setdefault("min_server_version", needed_version(hooks))
    made["server"] = {"executable": LAUNCHER}
    return made


def paths(manifest: Mapping[str, Any]) -> list[str]:
    """What a manifest without faults names in the plugin's folder: a file, and a folder, since servers copy all that is
    beside the webapp's script."""
    icon, script = manifest.get("icon_path"), manifest.get("webapp", {}).get("bundle_path")
    found = [PurePosixPath(icon)] if icon else []
    found += [PurePosixPath(script).parent] if script else []
    return [path.as_posix() for path in found]


def needed_version(hooks: Iterable[str]) -> str:
    """The first server version that has all these hooks, `9.3.0`."""
    newest = max((_number(HOOKS[name].since) for name in hooks), default=(5, 2))
    return ".".join(map(str, (*newest, 0)))


def newer_hooks(manifest: Mapping[str, Any], hooks: list[str]) -> list[str]:
    """Those of the hooks that the oldest server which the manifest allows does not have: it never calls them."""
    oldest = _number(str(manifest["min_server_version"]))
    return [name for name in hooks if _number(HOOKS[name].since) > oldest[:2]]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split(r"[-+]", version)[0].split("."))


def _parse(file: Path, parse: Any) -> dict[str, Any] | None:
    try:
        found = parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError, RecursionError) as error:  # both parsers' errors are ValueErrors, with line and column
        raise BundleError([f"{file.name} cannot be read: {error}"]) from None
    if not isinstance(found, dict):
        raise BundleError([f"{file.name}: expected an object, found {json.dumps(found)[:60]}"])
    return found


def table_of(pyproject: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """A table of a pyproject.toml, empty where there is none. Raises `BundleError` for what is no table."""
    found: Mapping[str, Any] = pyproject
    for depth, name in enumerate(names):
        found = found.get(name, {})
        if not isinstance(found, dict):
            raise BundleError(
                [f"pyproject.toml, {'.'.join(names[: depth + 1])}: expected a table, found {_shown(found)}"]
            )
    return found


def _from_pyproject(pyproject: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    project = table_of(pyproject, "project")
    made = {key: project[key] for key in ("name", "version", "description") if key in project}
    for label, url in table_of(pyproject, "project", "urls").items():
        if key := _URLS.get(label.lower()):
            made[key] = url
    return made | {key: value for key, value in table.items() if key not in _OWN}


# the rules


def check(manifest: Mapping[str, Any], project: Project) -> list[str]:
    """What a server would refuse, or could not use, in a manifest; a line for each, empty when all is well."""
    return [f"{_source(project, fault)}, {fault}" for fault in _faults(manifest, project)]


def _source(project: Project, fault: str) -> str:
    """Where the key of a fault is written: `[project]` gives some."""
    key = fault.partition(":")[0]
    table = project.pyproject.get("tool", {}).get("mmhooks", {})
    in_project = project.source != "plugin.json" and key not in table and key in project.manifest
    return "pyproject.toml, [project]" if in_project else project.source


def _faults(manifest: Mapping[str, Any], project: Project) -> Iterator[str]:
    if project.source != "plugin.json":  # where servers pass over what they do not know
        for key in manifest:
            if key not in _TYPES and key != "server":
                near = difflib.get_close_matches(key, [*_TYPES, *_OWN], n=1)
                yield f"{key}: there is no such key" + (f"; did you mean {near[0]!r}?" if near else "")
    wrong = {key for key, (type_, _) in _TYPES.items() if key in manifest and not isinstance(manifest[key], type_)}
    for key in sorted(wrong):
        yield f"{key}: expected {_TYPES[key][1]}, found {_shown(manifest[key])}"
    right = {key: value for key, value in manifest.items() if key not in wrong}
    for key in ("id", "name", "version"):
        if key not in manifest:
            yield f"{key}: it is missing, {_EXAMPLES[key]}"
    try:
        json.dumps(right)
    except (TypeError, ValueError) as error:  # TOML has dates, and infinite numbers
        yield f"it has something that JSON cannot have: {error}"
    yield from _plain_faults(right)
    yield from _path_faults(right, project)
    if schema := right.get("settings_schema"):
        yield from (f"settings_schema.{fault}" for fault in _schema_faults(schema))


_EXAMPLES = {
    "id": 'and is the name by which servers know the plugin: id = "com.example.hello"',
    "name": 'and is what people read: name = "Hello"',
    "version": 'and tells bundles apart: version = "0.1.0"',
}


def _plain_faults(manifest: Mapping[str, Any]) -> Iterator[str]:
    if "id" in manifest and not _ID.fullmatch(manifest["id"]):
        yield f"id: expected 3 to 190 of the letters A to Z, digits, and - _ . only, found {_shown(manifest['id'])}"
    if "name" in manifest and not manifest["name"].strip():
        yield "name: it is empty"
    for key in ("homepage_url", "support_url", "release_notes_url"):
        if (url := manifest.get(key)) and not _is_http(url):
            yield f"{key}: expected an address with http:// or https://, found {_shown(url)}"
    for key in ("version", "min_server_version"):
        if key in manifest and not _VERSION.fullmatch(manifest[key]):
            yield (
                f"{key}: expected three numbers as in semantic versioning, 1.2.3 or 1.2.3-rc1, "
                f"found {_shown(manifest[key])}"
            )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _path_faults(manifest: Mapping[str, Any], project: Project) -> Iterator[str]:
    paths = {"icon_path": manifest.get("icon_path")}
    if "webapp" in manifest:
        path = manifest["webapp"].get("bundle_path")
        if not path or not isinstance(path, str):
            yield 'webapp.bundle_path: expected the path of a script, as "webapp/dist/main.js"'
        else:
            paths["webapp.bundle_path"] = path
    for key, path in paths.items():
        if not path:
            continue
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            yield f"{key}: expected a path within the plugin's folder, found {_shown(path)}"
        elif key == "webapp.bundle_path" and (len(pure.parts) < 2 or path.startswith(".")):
            # Mattermost's `UnpackWebappBundle` copies the script's folder, and takes no path with a dot first.
            yield f"{key}: browsers may read all of its folder: give it one of its own, as webapp/dist, found {_shown(path)}"
        elif not (project.folder / path).is_file():
            yield f"{key}: there is no file {path} in the plugin's folder"
        elif key == "icon_path" and pure.suffix != ".svg":
            yield f"{key}: servers show SVG pictures only, found {_shown(path)}"


def _schema_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    for key in ("header", "footer"):
        if not isinstance(schema.get(key, ""), str):
            yield f"{key}: expected a text, found {_shown(schema[key])}"
    seen: dict[str, str] = {}
    yield from _settings_faults(schema.get("settings"), "settings", seen)
    sections = schema.get("sections", [])
    if not isinstance(sections, list):
        yield f"sections: expected a list, found {_shown(sections)}"
        return
    for number, section in enumerate(sections):
        place = f"sections[{number}]"
        if not isinstance(section, dict) or not section.get("key"):
            yield f"{place}: expected an object with a key"
            continue
        yield from _settings_faults(section.get("settings"), f"{place}.settings", seen)


def _settings_faults(settings: Any, place: str, seen: dict[str, str]) -> Iterator[str]:
    if settings is None:
        return
    if not isinstance(settings, list):
        yield f"{place}: expected a list, found {_shown(settings)}"
        return
    for number, setting in enumerate(settings):
        here = f"{place}[{number}]"
        if not isinstance(setting, dict):
            yield f"{here}: expected an object, found {_shown(setting)}"
            continue
        key = setting.get("key")
        if not key or not isinstance(key, str):
            yield f"{here}.key: expected a text, found {_shown(key)}"
        else:
            here = f"{place}[{number}] ({key})"
            first = seen.setdefault(key.lower(), here)
            if first != here:
                yield f"{here}.key: servers do not tell it from that of {first}: they make all keys small"
        yield from (f"{here}.{fault}" for fault in _setting_faults(setting))


def _setting_faults(setting: Mapping[str, Any]) -> Iterator[str]:
    type_ = setting.get("type")
    if type_ not in _SETTING_TYPES:
        yield f"type: expected one of {', '.join(_SETTING_TYPES)}, found {_shown(type_)}"
        return
    for key in ("display_name", "help_text", "regenerate_help_text", "placeholder", "hosting"):
        if not isinstance(setting.get(key, ""), str):
            yield f"{key}: expected a text, found {_shown(setting[key])}"
    if setting.get("regenerate_help_text") and type_ != "generated":
        yield "regenerate_help_text: only a setting of type generated has it"
    if setting.get("placeholder") and type_ not in _WITH_PLACEHOLDER:
        yield f"placeholder: a setting of type {type_} has none"
    if setting.get("hosting", "") not in ("", "cloud", "on-prem"):
        yield f"hosting: expected cloud or on-prem, found {_shown(setting['hosting'])}"
    options = setting.get("options")
    if options is None:
        return
    if type_ not in _WITH_OPTIONS:
        yield f"options: a setting of type {type_} has none"
    elif not isinstance(options, list):
        yield f"options: expected a list, found {_shown(options)}"
    else:
        for number, option in enumerate(options):
            pair = [option.get("display_name"), option.get("value")] if isinstance(option, dict) else []
            if len(pair) != 2 or not all(isinstance(text, str) and text for text in pair):
                yield f"options[{number}]: expected display_name and value, both texts that are not empty"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
