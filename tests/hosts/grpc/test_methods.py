"""The plugin API over gRPC beside Mattermost's Go interface: each method, its arguments and results, has its place."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from mmhooks import APIError, ModelError, Post, UnsupportedByHost, models
from mmhooks.hosts.grpc.differences import JSON, MODELS, NEVER_NONE, NOT_ON_THE_WIRE, PARTS
from mmhooks.hosts.grpc.messages import api_methods, message_class
from mmhooks.hosts.grpc.methods import STREAMS, method_codec, names
from mmhooks.naming import snake
from protos.generator.contract import interface

METHODS: dict[str, dict[str, Any]] = {method["name"]: method | method.get("wire", {}) for method in interface()["api"]}

every_method = pytest.mark.parametrize("method", names())


class Place(NamedTuple):
    """A field of a request or a response: which message it stands in, its name, its type and whether it is a list."""

    message: str
    name: str
    type: str
    repeated: bool


def places(message: Any) -> list[Place]:
    return [place(message.name, field) for field in message.fields if field.name != "error"]


def place(message: str, field: Any) -> Place:
    repeated = hasattr(getattr(message_class(field.containing_type.full_name)(), field.name), "extend")
    if field.message_type and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        return Place(message, field.name, f"map of {place(message, inner).type}", False)
    kinds = {5: "int", 3: "int64", 8: "bool", 9: "string", 12: "[]uint8"}
    return Place(message, field.name, field.message_type.name if field.message_type else kinds[field.type], repeated)


def fits(go: str, place: Place) -> bool:
    """Whether a type of Go's is what a field holds."""
    type_ = interface()["types"].get(go, {})
    if "kind" in type_:
        kind = type_["kind"]
        return fits(f"[]{type_['elem']}" if kind == "slice" else kind, place)
    if go.startswith("[]") and go != "[]uint8":
        if place.type == "KeyValuePair":
            return go == "[]any"
        return place.repeated and fits(go[2:], place._replace(repeated=False))
    if place.repeated:
        return False
    model = go.lstrip("*").rpartition(".")[2]
    key = place.message, place.name
    if key in JSON:
        return JSON[key] == model and place.type == "[]uint8"
    if key in PARTS:
        return PARTS[key][0] == model and place.type == "string"
    if go.startswith("map[string]"):
        return place.type == ("Struct" if go.endswith("any") else f"map of {go[11:]}")
    if "." in go:
        return place.type == model
    return place.type == go


def test_every_method_is_there_but_one() -> None:
    assert {*api_methods()} == {*METHODS} - NOT_ON_THE_WIRE
    assert {*names()} == {*api_methods()} - STREAMS
    assert len(names()) == 233
    streams = {name for name, method in METHODS.items() if "wire" in method} - {"LoadPluginConfiguration"}
    assert streams == STREAMS


@every_method
def test_every_argument_has_its_place_in_gos_order(method: str) -> None:
    parameters = METHODS[method]["parameters"]
    if (name := f"{method}Request") in MODELS:
        assert [go for _, go in parameters] == [f"*model.{MODELS[name]}"]
        return
    found = places(api_methods()[method].input_type)
    assert [fits(go, place) for (_, go), place in zip(parameters, found, strict=True)] == [True] * len(found)
    for (parameter, _), place in zip(parameters, found, strict=True):
        assert snake(parameter) == ELSEWHERE.get((method, place.name), place.name), "by the name it is the same one"


ELSEWHERE = {
    ("CreateUploadSession", "upload_session"): "us",
    ("GetDirectChannel", "user_id_1"): "user_id1",
    ("GetDirectChannel", "user_id_2"): "user_id2",
    ("GetFileInfos", "options"): "opt",
    ("HasPermissionTo", "permission_id"): "permission",
    ("HasPermissionToChannel", "permission_id"): "permission",
    ("HasPermissionToTeam", "permission_id"): "permission",
    ("LogAuditRec", "record"): "rec",
    ("LogAuditRecWithLevel", "record"): "rec",
    ("PublishPluginClusterEvent", "event"): "ev",
    ("SaveConfig", "config_json"): "config",
    ("SetUserStatusTimedDND", "end_time"): "endtime",
    ("ShareChannel", "shared_channel"): "sc",
    ("UpdateSharedChannel", "shared_channel"): "sc",
    ("UpdateSharedChannelCursor", "cursor"): "cusror",
}
"""Parameters that Go calls otherwise."""


@every_method
def test_every_result_has_its_place_in_gos_order(method: str) -> None:
    results = [go for go in METHODS[method]["results"] if go not in ("error", "*model.AppError")]
    answer = api_methods()[method].output_type
    assert answer.fields[0].name == "error"
    found = places(answer)
    assert [fits(go, place) for go, place in zip(results, found, strict=True)] == [True] * len(found)
    structs = {
        (place.message, place.name)
        for go, place in zip(results, found, strict=True)
        if "fields" in interface()["types"].get(go, {})
    }
    assert structs == {place for place in NEVER_NONE if place[0] == answer.name}


@every_method
def test_too_many_or_too_few_arguments_are_refused(method: str) -> None:
    codec, count = method_codec(method), len(METHODS[method]["parameters"])
    assert codec.request([None] * count) == b""
    for wrong in {count - 1, count + 1} - {-1}:
        with pytest.raises(TypeError, match=f"^{method} takes {count} arguments, not {wrong}$"):
            codec.request([None] * wrong)


def test_a_method_of_other_hosts_is_refused_with_their_names() -> None:
    with pytest.raises(UnsupportedByHost, match=r"SendToastMessage is not on the gRPC host's wire.*net/rpc"):
        method_codec("SendToastMessage")


def test_an_unknown_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(APIError, match=r"mmhooks knows no method 'GetUsr' of the plugin API; did you mean 'GetUser'\?"):
        method_codec("GetUsr")


class Odd:
    """Nothing that anybody could send."""


@pytest.mark.parametrize(
    ("method", "arguments", "text"),
    [
        ("GetUser", [5], "GetUser: user_id: takes str, not int"),
        ("GetUser", [b"u"], "GetUser: user_id: takes str, not bytes"),
        ("KVSet", ["k", "v"], "KVSet: value: takes bytes, not str"),
        ("UpdateUserActive", ["u", 1], "UpdateUserActive: active: takes bool, not int"),
        ("KVList", ["0", 1], "KVList: page: takes int, not str"),
        ("KVList", [1, 2**40], "KVList: per_page: "),
        ("GetUser", ["\ud800"], "GetUser: user_id: "),
        ("GetUsersByIds", ["u"], "GetUsersByIds: user_ids: expected a list, found str"),
        ("GetUsersByIds", [["u", 5]], "GetUsersByIds: user_ids: "),
        ("CreatePost", ["text"], "CreatePost: post: expected Post, found str"),
        ("CreatePost", [Post(props={"x": Odd()})], "CreatePost: post: Post.props[x]: Odd is nothing that JSON has"),
        ("GetUsers", [Post()], "GetUsers: expected UserGetOptions, found Post"),
        ("SaveConfig", [{}], "SaveConfig: config_json: expected Config, found dict"),
        ("HasPermissionTo", ["u", "create_post"], "HasPermissionTo: permission_id: expected Permission, found str"),
        ("LogInfo", ["text", "more"], "LogInfo: key_value_pairs: expected a list, found str"),
        ("LogInfo", ["text", ["key", Odd()]], "LogInfo: key_value_pairs: Odd is nothing that JSON has"),
        ("PublishWebSocketEvent", ["e", [], None], "PublishWebSocketEvent: payload: expected a dict, found list"),
        (
            "PatchChannelMembersNotifications",
            [[], "x"],
            "PatchChannelMembersNotifications: notify_props: expected a dict",
        ),
    ],
)
def test_an_argument_that_does_not_fit_is_named(method: str, arguments: list[Any], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        method_codec(method).request(arguments)
    assert str(caught.value).startswith(text)


def sent(method: str, *arguments: Any) -> Any:
    """The request that an API server would read."""
    request: Any = message_class(api_methods()[method].input_type.full_name)()
    request.ParseFromString(method_codec(method).request(arguments))
    return request


def unsupported(method: str, *arguments: Any) -> str:
    with pytest.raises(UnsupportedByHost) as caught:
        sent(method, *arguments)
    return str(caught.value)


def test_bytes_of_any_kind_are_bytes() -> None:
    for value in (b"v", bytearray(b"v"), memoryview(b"v")):
        assert sent("KVSet", "k", value).value == b"v"


def test_keys_and_values_of_the_log_are_pairs_whatever_they_are() -> None:
    pairs = sent("LogInfo", "text", ["key", "value", 5, [1, {"a": None}], "last"]).key_value_pairs
    assert [pair.key for pair in pairs] == ["key", "5", "last"]
    assert pairs[0].value.string_value == "value"
    assert pairs[1].value.list_value.values[0].number_value == 1
    assert pairs[2].value.WhichOneof("kind") == "null_value"


def test_options_that_are_one_argument_are_the_fields_of_the_request() -> None:
    request = sent("GetUsers", models.UserGetOptions(in_team_id="t", per_page=5, roles=["a", "b"]))
    assert (request.in_team_id, request.per_page, [*request.roles]) == ("t", 5, ["a", "b"])


def test_of_permissions_and_levels_the_server_needs_what_it_knows_them_by() -> None:
    permission = models.Permission(id="create_post", name="authentication.permissions.create_post.name")
    assert sent("HasPermissionTo", "u", permission).permission_id == "create_post"
    level = models.Level(id=100, name="audit-api")
    assert sent("LogAuditRecWithLevel", models.AuditRecord(status="success"), level).level == "audit-api"


# what has another form on the wire


def test_one_connection_is_left_out_or_the_only_one() -> None:
    event: tuple[Any, ...] = ("PublishWebSocketEvent", "e", {})
    broadcast = sent(*event, models.WebsocketBroadcast(omit_connection_id="c")).broadcast
    assert (broadcast.connection_id, broadcast.omit_connection_id) == ("c", True)
    broadcast = sent(*event, models.WebsocketBroadcast(connection_id="c", omit_users={"u": True, "v": False})).broadcast
    assert (broadcast.connection_id, broadcast.omit_connection_id, [*broadcast.omit_users]) == ("c", False, ["u"])
    text = unsupported(*event, models.WebsocketBroadcast(connection_id="c", omit_connection_id="d"))
    assert text.startswith(
        "PublishWebSocketEvent: WebsocketBroadcast.omit_connection_id beside connection_id cannot be sent"
    )


def test_an_audit_record_has_its_actor_in_fields_of_its_own() -> None:
    record = models.AuditRecord(event_name="e", status="success", meta={"a": 1})
    record.actor = models.AuditEventActor(user_id="u", session_id="s", client="c", ip_address="i")
    found = sent("LogAuditRec", record).record
    assert (found.event, found.status, found.meta.fields["a"].number_value) == ("e", "success", 1)
    assert (found.user_id, found.session_id, found.client, found.ip_address) == ("u", "s", "c", "i")
    record.actor.x_forwarded_for = "x"
    assert "AuditRecord.actor.x_forwarded_for cannot be sent" in unsupported("LogAuditRec", record)


def test_a_page_of_groups_is_in_fields_of_its_own() -> None:
    opts = sent("GetGroups", 0, 5, models.GroupSearchOpts(page_opts=models.PageOpts(page=2, per_page=7)), None).opts
    assert (opts.page_opts_page, opts.page_opts_per_page, opts.since) == (2, 7, "")
    opts = sent("GetGroups", 0, 5, models.GroupSearchOpts(since=12, filter_allow_reference=True), None).opts
    assert (opts.since, opts.filter_allow_reference) == ("12", "true")
    text = unsupported("GetGroups", 0, 5, models.GroupSearchOpts(filter_has_member="u"), None)
    assert "GroupSearchOpts.filter_has_member cannot be sent" in text


def test_a_list_with_room_for_one_value() -> None:
    assert sent("GetFileInfos", 0, 1, models.GetFileInfosOptions(user_ids=["u"])).options.user_id == "u"
    text = unsupported("GetFileInfos", 0, 1, models.GetFileInfosOptions(user_ids=["u", "v"]))
    assert text.startswith(
        "GetFileInfos: GetFileInfosOptions.user_ids: it has 2 values, and the gRPC host has room for one"
    )


def test_addresses_are_a_list_with_commas() -> None:
    app = models.OAuthApp(callback_urls=["https://a", "https://b"])
    assert sent("CreateOAuthApp", app).app.callback_urls == "https://a,https://b"
    assert "an address with a comma" in unsupported("CreateOAuthApp", models.OAuthApp(callback_urls=["https://a/?b,c"]))


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("2026-01-31T23:59:59.25+01:00", 1769900399250),
        ("2026-01-31T23:59:59.123456789Z", 1769903999123),
    ],
)
def test_the_end_of_a_custom_status_is_in_milliseconds(text: str, milliseconds: int) -> None:
    status = models.CustomStatus(emoji="tada", expires_at=text)
    assert sent("UpdateUserCustomStatus", "u", status).custom_status.expires_at == milliseconds


@pytest.mark.parametrize("text", ["tomorrow", "2026-01-31T23:59:59", "2026-01-31"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"UpdateUserCustomStatus: custom_status: CustomStatus\.expires_at"):
        sent("UpdateUserCustomStatus", "u", models.CustomStatus(expires_at=text))


@pytest.mark.parametrize(("sorting", "number"), [("", 0), ("manual", 1), ("recent", 2), ("alpha", 3)])
def test_a_sorting_is_a_number(sorting: str, number: int) -> None:
    category = models.SidebarCategoryWithChannels(sorting=sorting)
    assert sent("CreateChannelSidebarCategory", "u", "t", category).new_category.sorting == number


# results


def answered(method: str, **fields: Any) -> Any:
    response = message_class(api_methods()[method].output_type.full_name)(**fields)
    return method_codec(method).result(response.SerializeToString())


def test_results_that_are_json_are_models_or_for_settings_text() -> None:
    assert answered(
        "GetConfig", config_json=b'{"ServiceSettings": {"SiteURL": "https://x"}}'
    ).ServiceSettings.SiteURL == ("https://x")
    assert answered("GetLicense", license_json=b'{"id": "l"}').id == "l"
    assert answered("LoadPluginConfiguration", config_json=b'{"a": 1}') == b'{"a": 1}'
    with pytest.raises(APIError, match="GetLicense: the answer cannot be read: License: not JSON"):
        answered("GetLicense", license_json=b"{")


def test_several_results_are_a_tuple() -> None:
    assert answered("GetEmojiImage", image=b"i", content_type="image/png") == (b"i", "image/png")


@pytest.mark.parametrize("data", [b"\xff", b"\x12\x05ab", b"\x12\x02\x0a\x05"])
def test_bytes_that_are_no_answer_are_an_error_with_the_method(data: bytes) -> None:
    with pytest.raises(APIError, match="GetUser: the answer cannot be read"):
        method_codec("GetUser").result(data)
