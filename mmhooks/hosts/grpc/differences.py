"""Where the wire and the models differ: names, types, and what one side has no place for.

All else goes by the fields' names. What Mattermost's server makes of each field is in its conversions, in
`server/public/pluginapi/grpc/server`.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmhooks.errors import ModelError, UnsupportedByHost
from mmhooks.models import Model

RENAMED: dict[tuple[str, str], str] = {
    ("AuditRecord", "event"): "event_name",
    ("Channel", "auto_translation"): "autotranslation",
    ("CommandArgs", "user_mention"): "user_mentions",
    ("CommandArgs", "channel_mention"): "channel_mentions",
    ("EmailNotificationContent", "sub_title"): "subtitle",
    ("FileData", "data"): "body",
    ("FileInfo", "creator_id"): "user_id",
    ("GetFileInfosOptions", "channel_id"): "channel_ids",
    ("GetFileInfosOptions", "sort_order"): "sort_descending",
    ("GetFileInfosOptions", "user_id"): "user_ids",
    ("GetPostsSinceForSyncCursor", "last_post_id"): "last_post_update_id",
    ("GroupSyncable", "syncable_type"): "type",
    ("OAuthApp", "mattermostAppId"): "mattermost_app_id",
    ("PropertyFieldSearchOpts", "target_id"): "target_ids",
    ("PropertyValueSearchOpts", "target_id"): "target_ids",
    ("PushNotification", "is_crt"): "is_crt_enabled",
    ("RegisterPluginOpts", "display_name"): "displayname",
    ("SearchParams", "excluded_dates"): "excluded_date",
    ("SearchParams", "is_or_search"): "or_terms",
    ("SearchParams", "time_zone_offset"): "timezone_offset",
    ("SharedChannel", "channel_id"): "id",
    ("SharedChannel", "read_only"): "readonly",
    ("SharedChannel", "share_display_name"): "display_name",
    ("SharedChannel", "share_header"): "header",
    ("SharedChannel", "share_name"): "name",
    ("SharedChannel", "share_purpose"): "purpose",
}
"""Fields of messages that are called otherwise in the models."""

LEFT_OUT: frozenset[tuple[str, str]] = frozenset(
    {
        ("AuditRecord", "api_path"),
        ("AuditRecord", "create_at"),
        ("AuditRecord", "id"),
        ("AuditRecord", "level"),
        ("CommandArgs", "t"),  # a function
        ("CommandResponse", "attachments"),  # of a type that cannot hold any
        ("CreateDefaultMembershipParams", "scope_channels"),
        ("CreateDefaultMembershipParams", "scope_teams"),
        ("GroupSearchOpts", "filter_has_member"),  # a bool for the id of a user
        ("GroupSearchOpts", "include_channel_member_count"),  # a bool for the id of a channel
        ("GroupSearchOpts", "include_total_member_count"),
        ("PropertyFieldSearchOpts", "page"),
        ("PropertyValueSearchOpts", "page"),
        ("RegisterPluginOpts", "description"),
        ("SearchParams", "page"),
        ("SearchParams", "per_page"),
        ("WebsocketBroadcast", "contention_free_broadcast"),
    }
)
"""Fields of messages that hold nothing a model could use."""

MODELS: dict[str, str] = {
    "PluginContext": "Context",
    "ConfigJson": "Config",
    "EmailNotificationJson": "EmailNotification",
    "SamlAssertionInfoJson": "AssertionInfo",
    "SyncMsgJson": "SyncMsg",
    "DialogElementOption": "PostActionOptions",
    "GetUsersRequest": "UserGetOptions",
    "SearchUsersRequest": "UserSearch",
}
"""Models of messages that are called otherwise; those that end in Json hold the model as JSON, and a method's request
holds its only argument."""

JSON: dict[tuple[str, str], str] = {
    ("SaveConfigRequest", "config_json"): "Config",
    ("GetConfigResponse", "config_json"): "Config",
    ("GetUnsanitizedConfigResponse", "config_json"): "Config",
    ("GetLicenseResponse", "license_json"): "License",
    ("GetCloudLimitsResponse", "limits_json"): "ProductLimits",
}
"""Arguments and results of methods that are a model's JSON."""

PARTS: dict[tuple[str, str], tuple[str, str]] = {
    ("HasPermissionToRequest", "permission_id"): ("Permission", "id"),
    ("HasPermissionToTeamRequest", "permission_id"): ("Permission", "id"),
    ("HasPermissionToChannelRequest", "permission_id"): ("Permission", "id"),
    ("LogAuditRecWithLevelRequest", "level"): ("Level", "name"),
}
"""Arguments of methods of which one attribute travels, since the server knows the rest by it: the model and the attribute."""

NEVER_NONE = frozenset({("GetPreferenceForUserResponse", "preference")})
"""Results of methods that Go has as structs, not as pointers."""

NOT_ON_THE_WIRE = frozenset({"SendToastMessage"})
"""Methods that only released servers offer."""

LETTERS = {
    "CHANNEL_TYPE_OPEN": "O",
    "CHANNEL_TYPE_PRIVATE": "P",
    "CHANNEL_TYPE_DIRECT": "D",
    "CHANNEL_TYPE_GROUP": "G",
    "TEAM_TYPE_OPEN": "O",
    "TEAM_TYPE_INVITE": "I",
}
"""Values of enums, which are letters in the models."""


class Form(NamedTuple):
    """How a field is read into its attribute, and the attribute written to its field: called only with what is set."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def _write_only(values: Any) -> Any:
    """The one value of a list that has no more."""
    if not isinstance(values, list | tuple):
        raise ModelError(f"expected a list, found {type(values).__name__}")
    if len(values) > 1:
        raise UnsupportedByHost(
            f"it has {len(values)} values, and the gRPC host has room for one on its wire (released Mattermost servers, "
            "which speak net/rpc, have room for all)"
        )
    return values[0]


def _write_time(text: str) -> int:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"expected a time such as 2026-01-31T23:59:59Z, found {text!r}")
    return (moment - _EPOCH) // datetime.timedelta(milliseconds=1)


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _read_time(milliseconds: int) -> str:
    text = (_EPOCH + datetime.timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
    return text.replace(".000", "").replace("+00:00", "Z")


def _write_addresses(values: list[str]) -> str:
    if any("," in value for value in values):
        raise UnsupportedByHost(
            "an address with a comma in it cannot be sent: the gRPC host has commas between addresses (released Mattermost "
            "servers, which speak net/rpc, have not)"
        )
    return ",".join(values)


def _read_mentions(text: str) -> dict[str, str]:
    # A map that travels as text; whatever is not such a map is as good as none.
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_SORTINGS = ["", "manual", "recent", "alpha"]


def _write_sorting(sorting: str) -> int:
    if sorting not in _SORTINGS:
        raise ModelError(f"expected one of {', '.join(_SORTINGS[1:])}, found {sorting!r}")
    return _SORTINGS.index(sorting)


_FLAG = Form(lambda text: text == "true", lambda flag: "true" if flag else "")
_ONE_OF_A_LIST = Form(lambda value: [value], _write_only)
_LIST_OF_ONE = Form(lambda values: values[0], lambda value: [value])
_MENTIONS = Form(_read_mentions, json.dumps)

FORMS: dict[tuple[str, str], Form] = {
    ("CommandArgs", "user_mention"): _MENTIONS,
    ("CommandArgs", "channel_mention"): _MENTIONS,
    ("CustomStatus", "expires_at"): Form(_read_time, _write_time),
    ("GetFileInfosOptions", "channel_id"): _ONE_OF_A_LIST,
    ("GetFileInfosOptions", "sort_order"): Form(lambda text: text == "desc", lambda flag: "desc" if flag else ""),
    ("GetFileInfosOptions", "user_id"): _ONE_OF_A_LIST,
    ("GroupSearchOpts", "filter_allow_reference"): _FLAG,
    ("GroupSearchOpts", "since"): Form(int, str),
    ("OAuthApp", "callback_urls"): Form(lambda text: text.split(","), _write_addresses),
    ("PostList", "first_inaccessible_post_time"): Form(int, bool),
    ("PostSearchResults", "matches"): Form(
        lambda found: {key: list(words.values) for key, words in found.items()},
        lambda matches: {key: {"values": words} for key, words in matches.items()},
    ),
    ("PropertyFieldSearchOpts", "target_id"): _ONE_OF_A_LIST,
    ("PropertyValueSearchOpts", "target_id"): _ONE_OF_A_LIST,
    ("SearchParams", "excluded_after_date"): _LIST_OF_ONE,
    ("SearchParams", "excluded_before_date"): _LIST_OF_ONE,
    ("SearchParams", "excluded_dates"): _LIST_OF_ONE,
    ("SharedChannel", "home"): _FLAG,
    ("SidebarCategoryWithChannels", "sorting"): Form(
        lambda number: _SORTINGS[number] if number < len(_SORTINGS) else "", _write_sorting
    ),
    ("WebsocketBroadcast", "omit_connection_id"): Form(lambda flag: "", bool),
    ("WebsocketBroadcast", "omit_users"): Form(
        lambda ids: dict.fromkeys(ids, True), lambda users: [id_ for id_, omitted in users.items() if omitted]
    ),
}
"""Fields whose types differ from those of their attributes in a way of their own."""


class Spread(NamedTuple):
    """Attributes whose parts have fields of their own: what puts them there, in messages that only go out."""

    attributes: frozenset[str]
    fields: frozenset[str]
    """Those that are not written but so."""
    write: Callable[[Any, dict[str, Any]], None]


def _parts(attribute: str, fields: Mapping[str, str]) -> Spread:
    """The parts of a model in an attribute, by the fields that hold them."""

    def write(model: Any, values: dict[str, Any]) -> None:
        parts = getattr(model, attribute)
        if parts is None:
            return
        default = type(parts)()
        for name in parts.__struct_fields__:
            value = getattr(parts, name)
            if value == getattr(default, name):
                continue
            if name not in fields:
                raise no_place(model, f"{attribute}.{name}")
            values[fields[name]] = value

    return Spread(frozenset([attribute]), frozenset(fields.values()), write)


def _write_connection(model: Any, values: dict[str, Any]) -> None:
    # There is one field for a connection, and one that says whether it is the one that gets the event, or does not.
    if model.omit_connection_id:
        if model.connection_id:
            raise no_place(model, "omit_connection_id beside connection_id")
        values["connection_id"] = model.omit_connection_id


SPREADS: dict[str, Spread] = {
    "AuditRecord": _parts("actor", {name: name for name in ("user_id", "session_id", "client", "ip_address")}),
    "GroupSearchOpts": _parts("page_opts", {"page": "page_opts_page", "per_page": "page_opts_per_page"}),
    "WebsocketBroadcast": Spread(frozenset(), frozenset(), _write_connection),
}
"""By message."""


def no_place(model: Model, attribute: str) -> UnsupportedByHost:
    """The error of an attribute that is set, and that the wire has no field for."""
    return UnsupportedByHost(
        f"{type(model).__name__}.{attribute} cannot be sent: the gRPC host has no place for it on its wire "
        "(released Mattermost servers, which speak net/rpc, have)"
    )
