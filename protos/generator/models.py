"""Makes the model classes from Mattermost's Go structs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from mmhooks.naming import snake

from .contract import interface, message_comments

# Which module holds which models. What only the configuration reaches goes to `config`.
MODULES: dict[str, tuple[str, ...]] = {
    "audit": ("AuditRecord", "AuditEventData", "AuditEventActor", "AuditEventError", "Level"),
    "bots": ("Bot", "BotPatch", "BotGetOptions"),
    "channels": ("Channel", "ChannelBannerInfo", "ChannelMember", "ChannelMemberIdentifier", "ChannelStats"),
    "commands": (
        "CommandArgs", "CommandResponse", "Command", "AutocompleteData", "AutocompleteArg", "AutocompleteTextArg",
        "AutocompleteStaticListArg", "AutocompleteListItem", "AutocompleteDynamicListArg",
    ),
    "dialogs": ("OpenDialogRequest", "Dialog", "DialogElement", "DialogDateTimeConfig"),
    "events": (
        "Context", "OnInstallEvent", "ProductLimits", "FilesLimits", "MessagesLimits", "TeamsLimits",
        "PluginClusterEvent", "PluginClusterEventSendOptions", "WebSocketRequest", "WebsocketBroadcast", "Session",
    ),
    "files": ("FileInfo", "FileData", "GetFileInfosOptions", "UploadSession"),
    "groups": (
        "Group", "GroupMember", "GroupSearchOpts", "PageOpts", "GroupSyncable", "CreateDefaultMembershipParams",
    ),
    "licenses": ("License", "LicenseLimits", "Customer", "Features"),
    "notifications": (
        "EmailNotification", "EmailNotificationContent", "PushNotification", "SendToastMessageOptions",
    ),
    "oauth": ("OAuthApp",),
    "permissions": ("Permission",),
    "plugins": (
        "Manifest", "ManifestServer", "ManifestWebapp", "PluginSettingsSchema", "PluginSettingsSection", "PluginSetting",
        "PluginOption", "PluginStatus", "PluginKVSetOptions",
    ),
    "posts": (
        "Post", "PostMetadata", "PostEmbed", "PostImage", "PostPriority", "PostAcknowledgement", "PostTranslation",
        "Emoji", "Reaction", "MessageAttachment", "MessageAttachmentField", "PostAction", "PostActionOptions",
        "PostActionIntegration", "PostList", "PreviewPost",
    ),
    "properties": (
        "PropertyGroup", "PropertyField", "PropertyFieldSearchOpts", "PropertyFieldSearchCursor", "PropertyValue",
        "PropertyValueSearchOpts", "PropertyValueSearchCursor",
    ),
    "searches": ("SearchParams", "SearchParameter", "PostSearchResults"),
    "shared_channels": (
        "SyncMsg", "SyncResponse", "RemoteCluster", "MembershipChangeMsg", "SharedChannel", "RegisterPluginOpts",
        "GetPostsSinceForSyncCursor",
    ),
    "sidebar": ("SidebarCategory", "SidebarCategoryWithChannels", "OrderedSidebarCategories"),
    "teams": ("Team", "TeamMember", "TeamMemberWithError", "TeamStats", "TeamUnread"),
    "users": (
        "User", "Preference", "Status", "CustomStatus", "UserAuth", "UserAccessToken", "UserGetOptions", "UserSearch",
        "ViewUsersRestrictions",
    ),
}  # fmt: skip
_HOME = {name: module for module, names in MODULES.items() for name in names}

_SUMMARIES = {
    "AssertionInfo": "What the identity provider said of a user who signs in by SAML.",
    "AuditEventActor": "Who did what an audit record tells, and from where.",
    "AuditEventData": "What an audit record's action was about: what was asked, and what was there before and after.",
    "AuditEventError": "Why an audited action failed.",
    "AuditRecord": "A line of the audit log: an action, who took it, on what, and how it ended.",
    "AutocompleteArg": "An argument of a slash command; `data` is the model that fits its `type`.",
    "AutocompleteData": "What is suggested to people who type a slash command: it, its arguments, and commands below it.",
    "AutocompleteDynamicListArg": "An argument whose suggestions come from an address when somebody types.",
    "AutocompleteListItem": "A suggestion for an argument.",
    "AutocompleteStaticListArg": "An argument with suggestions that are always the same.",
    "AutocompleteTextArg": "An argument that may be any text.",
    "Bot": "An account that a plugin or an integration posts by; its user has the same id.",
    "BotGetOptions": "Which bots are asked for.",
    "BotPatch": "What changes of a bot: None stays as it is.",
    "ChannelMemberIdentifier": "A user in a channel, by both ids.",
    "ChannelStats": "How many members, guests, pinned posts and files a channel has.",
    "Command": "A slash command, and how it is shown to people who type.",
    "Config": "The server's configuration. Fields are spelt as in Mattermost's config.json.",
    "Context": "Who caused a hook: filled for requests of people, empty for what plugins, jobs and imports cause.",
    "CreateDefaultMembershipParams": "Whose memberships in the teams and channels of their groups are to be made.",
    "CustomStatus": "The emoji and text that a user shows beside the name, and until when.",
    "Customer": "Whom a license was made out to.",
    "Dialog": "A form that is shown to a user.",
    "DialogDateTimeConfig": "How a date or a time is asked for in a dialog.",
    "DialogElement": "A field of a dialog.",
    "EmailNotification": "A mail about to be sent: what it is about, and its texts.",
    "Emoji": "A custom emoji.",
    "Features": "What a license allows.",
    "GetFileInfosOptions": "Which files are asked for, and in what order.",
    "GetPostsSinceForSyncCursor": "How far a shared channel has been passed on: the last post that was, by two orders.",
    "Group": "Users who are managed together: those of a directory, or a custom group.",
    "GroupMember": "A user in a group.",
    "GroupSearchOpts": "Which groups are asked for, and what is told of them.",
    "GroupSyncable": "A team or channel that a group's members join; `type` says which of the two `syncable_id` is.",
    "Level": "A level of the log.",
    "License": "The server's license.",
    "LicenseLimits": "What a license limits, by number.",
    "Manifest": "What a plugin says of itself in its plugin.json.",
    "ManifestServer": "A plugin's program for the server, for each platform.",
    "ManifestWebapp": "A plugin's script for the browser.",
    "MembershipChangeMsg": "A user joined or left a shared channel.",
    "MessageAttachment": "A box with title, text, fields and buttons under a message.",
    "MessageAttachmentField": "A labelled value in a message attachment.",
    "OAuthApp": "A program that users may allow to act for them.",
    "OpenDialogRequest": "A dialog to be opened, for whom, and where its answers go.",
    "OrderedSidebarCategories": "The categories of a user's sidebar in a team, and the order of their ids.",
    "PageOpts": "Which page of a list is asked for.",
    "Permission": "What somebody may be allowed to do: most questions need its id only.",
    "PluginClusterEventSendOptions": "Which servers of a cluster get an event, and how surely.",
    "PluginKVSetOptions": "How a value is stored in the key-value store.",
    "PluginOption": "A choice of a plugin's setting.",
    "PluginSetting": "A setting of a plugin, as the System Console shows it.",
    "PluginSettingsSchema": "The page of a plugin's settings in the System Console.",
    "PluginSettingsSection": "A part of the page of a plugin's settings.",
    "PluginStatus": "How a plugin fares on a server of the cluster; `state` is a number, 2 for running.",
    "PostAction": "A button or menu in a message attachment.",
    "PostActionIntegration": "What a button calls.",
    "PostActionOptions": "An entry of a menu in a message attachment.",
    "PostList": "Posts by their ids, and the order of the ids.",
    "PostSearchResults": "The posts that a search found, and by post the words that matched.",
    "PostTranslation": "A message in another language.",
    "PreviewPost": "What is shown of a post where another one links to it.",
    "PropertyField": "A property that things may have: its name, its type, and whom it is for.",
    "PropertyFieldSearchCursor": "Where the last page of properties ended.",
    "PropertyFieldSearchOpts": "Which properties are asked for.",
    "PropertyGroup": "A set of properties that belong together: those of one plugin, say.",
    "PropertyValue": "What a thing has for a property.",
    "PropertyValueSearchCursor": "Where the last page of values ended.",
    "PropertyValueSearchOpts": "Which values of properties are asked for.",
    "ProxyRestrictionInfo": "How often an assertion may be passed on, and to whom, as a warning tells it.",
    "RegisterPluginOpts": "How a plugin takes part in shared channels.",
    "SearchParameter": "A search for posts as somebody types it; what is None the server chooses.",
    "SearchParams": "A search for posts, taken apart: words, places, people, days.",
    "SendToastMessageOptions": "Where a message that passes by is shown.",
    "Session": "A login.",
    "SharedChannel": "A channel that other servers take part in, and how it is called there.",
    "SidebarCategory": "A category of channels in a user's sidebar.",
    "SidebarCategoryWithChannels": "A category of channels in a user's sidebar, with the ids of its channels.",
    "Status": "Whether a user is online, away, or not to be disturbed.",
    "SyncMsg": "What happened in a shared channel.",
    "Team": "A team.",
    "TeamMemberWithError": "A user who was to be added to a team: the membership, or why there is none.",
    "TeamStats": "How many members a team has.",
    "TeamUnread": "What a user has not read yet in a team.",
    "UploadSession": "A file that is being uploaded piece by piece.",
    "UserAccessToken": "A token by which programs act for a user.",
    "UserAuth": "How a user signs in: by which service, and who the user is there.",
    "UserGetOptions": "Which users are asked for.",
    "UserSearch": "A search for users.",
    "ViewUsersRestrictions": "The teams and channels whose members somebody may see.",
    "WebsocketBroadcast": "Who gets a WebSocket event; empty is everybody.",
}

_BASIC = {
    "string": "str",
    "bool": "bool",
    "any": "Any",
    "[]uint8": "bytes",
    "time.Time": "str",
    "json.RawMessage": "Any",
}
_DEFAULT = {"str": '""', "bool": "False", "int": "0", "float": "0.0", "bytes": 'b""', "Any": "None"}


ERRORS = {"model.AppError": "AppError", "plugin.ErrorString": "GoError"}
"""Go's structs that are exceptions here."""

# Two Go packages have a struct of that name; this is the one whose audiences are plain text.
_RENAMED = {"saml2.ProxyRestriction": "ProxyRestrictionInfo"}


_PROPERTIES = {
    "Post": """
    @property
    def from_plugin(self) -> bool:
        \"\"\"Whether a plugin made it by the plugin API, by the server's mark in its props; which one it does not say.\"\"\"
        return self.props.get("from_plugin") in ("true", True)

    @property
    def from_bot(self) -> bool:
        \"\"\"Whether a bot or a webhook made it, by the server's marks in its props.\"\"\"
        return any(self.props.get(mark) in ("true", True) for mark in ("from_bot", "from_webhook"))
""",
}
"""What a model has besides its fields."""


class Field(NamedTuple):
    name: str
    json_name: str | None
    omit_empty: bool
    type: str
    default: str


def all_models() -> dict[str, dict[str, list[Field]]]:
    """The fields of every model, by its module and name."""
    modules: dict[str, dict[str, list[Field]]] = {}
    for go_name, home, in_config in _placed():
        classes = modules.setdefault(home, {})
        assert class_name(go_name) not in classes, f"two models named {class_name(go_name)}: add one to _RENAMED"
        classes[class_name(go_name)] = [*_fields(go_name, in_config)]
    return modules


def generate() -> Iterator[tuple[str, str]]:
    """The files of the models, by their paths."""
    modules = all_models()
    for module, classes in sorted(modules.items()):
        yield f"mmhooks/models/{module}.py", _module(module, classes, modules)
    yield "mmhooks/models/__init__.py", _root(modules)


def _placed() -> Iterator[tuple[str, str, bool]]:
    """Every struct with its module, and whether it is one of the configuration's."""
    for name, type_ in interface()["types"].items():
        if "fields" not in type_ or name in ERRORS:
            continue
        if home := _HOME.get(class_name(name)):
            yield name, home, False
        elif name.startswith("model."):
            yield name, "config", True
        else:
            yield name, "saml", False


def class_name(go_name: str) -> str:
    return _RENAMED.get(go_name) or ERRORS.get(go_name) or go_name.split(".")[1]


def _fields(go_name: str, in_config: bool) -> Iterator[Field]:
    for go_field, go_type, *rest in interface()["types"][go_name]["fields"]:
        if rest and isinstance(rest[0], dict):  # embedded: its fields are this struct's in JSON
            yield from _fields(go_type.lstrip("*"), in_config)
            continue
        tag, _, options = (rest[0] if rest else "").partition(",")
        json_name = None if tag == "-" else tag or go_field
        name = go_field if in_config else tag if tag not in ("", "-") else snake(go_field)
        type_, default = python_type(go_type)
        yield Field(name + "_" * keyword.iskeyword(name), json_name, "omitempty" in options, type_, default)


def python_type(go: str) -> tuple[str, str]:
    if go in _BASIC:
        return _BASIC[go], _DEFAULT[_BASIC[go]]
    if re.fullmatch(r"u?int\d*", go):
        return "int", "0"
    if go.startswith("*"):
        return python_type(go[1:])[0] + " | None", "None"
    if go.startswith("[]"):
        return f"list[{_item(go[2:])}]", "[]"
    if match := re.match(r"map\[([^\]]+)\](.*)", go):
        return f"dict[str, {_item(match[2])}]", "{}"
    named = interface()["types"][go]
    if "fields" in named:
        return class_name(go), f"msgspec.field(default_factory=lambda: {class_name(go)}())"
    if named["kind"] == "map":
        return f"dict[str, {_item(named['elem'])}]", "{}"
    if named["kind"] == "slice":
        return f"list[{_item(named['elem'])}]", "[]"
    return python_type(named["kind"])


def _item(go: str) -> str:
    # A list of pointers holds models: Mattermost never puts an empty pointer there.
    return python_type(go)[0].removesuffix(" | None")


def _module(module: str, classes: dict[str, list[Field]], modules: dict[str, dict[str, list[Field]]]) -> str:
    used = {word for fields in classes.values() for field in fields for word in re.findall(r"\w+", field.type)}
    others = sorted((home, name) for home, names in modules.items() if home != module for name in names if name in used)
    nested = any("msgspec" in field.default for fields in classes.values() for field in fields)
    lines = [
        f'"""Mattermost\'s {module.replace("_", " ")}, as models."""',
        "",
        "from __future__ import annotations",
        "",
    ]
    lines += [
        f"from typing import {', '.join(['Any'] * ('Any' in used) + ['ClassVar'])}",
        "",
    ]
    lines += ["import msgspec", ""] if nested else []
    lines += [f"from mmhooks.errors import {name}" for name in sorted({*ERRORS.values()} & used)]
    lines += ["from mmhooks.models.model import Model", ""]
    if others:  # for real, not for type checkers only: help() and inspect.signature() look the annotations up
        lines += [f"from mmhooks.models.{home} import {name}" for home, name in others]
    for name, fields in classes.items():
        lines += ["", "", f"class {name}(Model, kw_only=True):", f'    """{summary(name)}"""', ""]
        lines += _json_rules(fields)
        lines += [f"    {field.name}: {field.type} = {field.default}" for field in fields]
        lines += _PROPERTIES.get(name, "").rstrip().splitlines()
    return "\n".join(lines) + "\n"


def summary(name: str) -> str:
    """What a model is, in a sentence or two."""
    return _SUMMARIES.get(name) or message_comments().get(name) or f"Part of a larger record: Mattermost's {name}."


def _json_rules(fields: Iterable[Field]) -> list[str]:
    """What JSON does otherwise than taking each field by its name."""
    fields = [*fields]
    renamed = {f.name: f.json_name for f in fields if f.json_name not in (None, f.name)}
    omitted = sorted(f.name for f in fields if f.omit_empty and f.json_name)
    absent = sorted(f.name for f in fields if f.json_name is None)
    lines = []
    if renamed:
        lines.append(f"    _json_names: ClassVar[dict[str, str]] = {renamed}")
    if omitted:
        lines.append(f"    _omit_empty: ClassVar[frozenset[str]] = frozenset({omitted})")
    if absent:
        lines.append(f"    _not_json: ClassVar[frozenset[str]] = frozenset({absent})")
    return [*lines, ""] if lines else []


def _root(modules: dict[str, dict[str, Any]]) -> str:
    lines = [
        '"""Mattermost\'s records as typed classes; each module is loaded when one of its models is first used."""'
    ]
    lines += [
        "",
        "from __future__ import annotations",
        "",
        "import importlib",
        "from typing import TYPE_CHECKING, Any",
        "",
    ]
    lines += ["if TYPE_CHECKING:"]
    lines += [
        f"    from mmhooks.models.{module} import {name} as {name}"
        for module, classes in sorted(modules.items())
        for name in sorted(classes)
    ]
    lines += ["    from mmhooks.models.model import Model as Model", "", "_HOMES = {"]
    lines += [f'    "{module}": "{" ".join(sorted(classes))}",' for module, classes in sorted(modules.items())]
    lines += ['    "model": "Model",', "}"]
    lines += ["_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}", ""]
    lines += ["__all__ = sorted(_HOME)", "", ""]
    lines += ["def __getattr__(name: str) -> Any:", "    try:"]
    lines += ['        module = importlib.import_module(f"mmhooks.models.{_HOME[name]}")', "    except KeyError:"]
    lines += ["        raise AttributeError(f\"module 'mmhooks.models' has no attribute {name!r}\") from None"]
    lines += ["    value = globals()[name] = getattr(module, name)", "    return value", "", ""]
    lines += ["def __dir__() -> list[str]:", "    return __all__"]
    return "\n".join(lines) + "\n"
