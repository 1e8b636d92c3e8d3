"""Messages become models and models messages, and nothing is lost or sent wrong without a word."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from mmhooks import (
    Channel,
    ChannelMember,
    CommandArgs,
    CommandResponse,
    Config,
    FileInfo,
    ModelError,
    Post,
    PushNotification,
    Reaction,
    UnsupportedByHost,
    User,
    WebSocketRequest,
    models,
)
from mmhooks.hooks import HOOKS
from mmhooks.hosts.grpc.calls import hook_codec, servable
from mmhooks.hosts.grpc.codec import converter
from mmhooks.hosts.grpc.differences import FORMS, LEFT_OUT, MODELS, RENAMED, SPREADS
from mmhooks.hosts.grpc.messages import PACKAGE, api_methods, message_class, methods
from mmhooks.hosts.grpc.structs import dict_to_struct, struct_to_dict
from mmhooks.models import Model, PostMetadata
from mmhooks.outcomes import Rejected, Replaced, Unchanged, Value
from tests.test_models import filled as filled_model

SERVABLE = [name for name, hook in HOOKS.items() if servable(hook)]

WITHOUT_MODEL = {"RequestContext", "AppError", "KeyValuePair", "StringList"}
"""Messages that are not models here: an always empty one, one that is an exception, parts of plain lists and dicts."""


def names_within(descriptor: Any) -> Iterator[str]:
    """The names of the plugin API's messages in the fields of a message, and in theirs."""
    for field in descriptor.fields:
        in_package = field.message_type and field.message_type.file.package == PACKAGE
        if in_package and (descriptor.name, field.name) not in LEFT_OUT:
            if not is_map(field):
                yield field.message_type.name
            yield from names_within(field.message_type)


def is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def is_repeated(value: Any) -> bool:
    # By the value: what descriptors say of it differs between the versions of protobuf.
    return hasattr(value, "extend")


CALLS = [*(methods()[name] for name in SERVABLE), *api_methods().values()]

MESSAGES: list[str] = sorted(
    {found for call in CALLS for side in (call.input_type, call.output_type) for found in names_within(side)}.union(
        ["GetUsersRequest", "SearchUsersRequest"]  # whose fields are those of the only argument
    )
    - WITHOUT_MODEL
    - SPREADS.keys()
)
"""Every message that holds a model in the request or response of a hook or of a method of the plugin API."""

PLAIN = [name for name in MESSAGES if not name.endswith("Json")]

every_message = pytest.mark.parametrize("name", MESSAGES)
every_plain_message = pytest.mark.parametrize("name", PLAIN)
every_hook = pytest.mark.parametrize("hook", SERVABLE)


def model_of(name: str) -> type[Model]:
    found: type[Model] = getattr(models, MODELS.get(name, name))
    return found


def attribute_of(name: str, field: str) -> str:
    return RENAMED.get((name, field), field)


def made(name: str) -> Any:
    return message_class(f"{PACKAGE}.{name}")()


numbers = itertools.count(5)

SPECIAL: dict[tuple[str, str], Any] = {
    # Whole numbers and maps that travel as text.
    ("PushNotification", "badge"): "12",
    ("PushNotification", "cont_ava"): "1",
    ("CommandArgs", "user_mention"): '{"ada": "u1"}',
    ("CommandArgs", "channel_mention"): '{"town-square": "c1"}',
    ("GetFileInfosOptions", "sort_order"): "desc",
    ("SharedChannel", "home"): "true",
    ("SidebarCategoryWithChannels", "sorting"): 3,
}


def fill(message: Any, *only: str) -> Any:
    """Put something into every field of a message, or into some, and into all fields of the messages in it."""
    name = message.DESCRIPTOR.name
    for field in message.DESCRIPTOR.fields:
        if (only and field.name not in only) or (name, field.name) in LEFT_OUT:
            continue
        target = getattr(message, field.name)
        if is_map(field):
            inner = field.message_type.fields_by_name["value"]
            for key in ("a", "b"):
                if inner.message_type:
                    fill_message(target[key])
                else:
                    target[key] = scalar(name, inner)
        elif is_repeated(target):
            for _ in range(1 if (name, field.name) in FORMS and name == "SearchParams" else 2):
                if field.message_type:
                    fill_message(target.add())
                else:
                    target.append(scalar(name, field))
        elif field.message_type:
            fill_message(target)
        else:
            setattr(message, field.name, scalar(name, field))
    return message


def fill_message(message: Any) -> None:
    kind = message.DESCRIPTOR.full_name
    if kind == "google.protobuf.Struct":
        fields = message.fields
        fields["text"].string_value = "täxt"
        fields["whole"].number_value = next(numbers)
        fields["fraction"].number_value = 2.5
        fields["flag"].bool_value = True
        fields["none"].null_value = 0
        fields["struct"].struct_value.fields["deep"].string_value = "x"
        fields["list"].list_value.values.add().string_value = "y"
        fields["empty struct"].struct_value.SetInParent()
        fields["empty list"].list_value.SetInParent()
    elif kind == "google.protobuf.Value":
        message.list_value.values.add().number_value = next(numbers)
    elif kind.endswith("Json"):
        setattr(
            message,
            message.DESCRIPTOR.fields[0].name,
            filled_model(model_of(message.DESCRIPTOR.name)).to_json().encode(),
        )
    else:
        message.SetInParent()
        fill(message)


def scalar(name: str, field: Any) -> Any:
    if (name, field.name) in SPECIAL:
        return SPECIAL[name, field.name]
    if field.enum_type:
        return field.enum_type.values[-1].number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"\x00\xff" + field.name.encode()
    kinds: dict[int, Any] = {
        FieldDescriptor.CPPTYPE_STRING: f"{field.name} {next(numbers)}",
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_DOUBLE: 2.5,
    }
    return kinds.get(field.cpp_type, next(numbers))


def filled(name: str) -> Any:
    message = made(name)
    fill_message(message)
    return message


def with_zeros(message: Any) -> Any:
    """The message with "0" in the place of numbers that travel as text and are unset: hosts read them as numbers."""
    for name, field in SPECIAL:
        if name == message.DESCRIPTOR.name == "PushNotification" and not getattr(message, field):
            setattr(message, field, "0")
    return message


def sent(model: Model) -> Any:
    return converter(type(model).__name__).to_message(model)


def refused(model: Model) -> str:
    """The text of the error for a model that does not fit its message."""
    with pytest.raises(ModelError) as caught:
        sent(model)
    return str(caught.value)


# every message, there and back


def test_the_messages_of_all_hooks_are_looked_at() -> None:
    assert len(SERVABLE) == 39
    assert {"Post", "User", "PostMetadata", "PostImage", "ConfigJson", "PluginContext", "FileData"} <= {*MESSAGES}
    assert {"Bot", "Session", "SharedChannel", "PropertyValue", "OAuthApp"} <= {*MESSAGES}


@every_message
def test_a_filled_message_comes_back_from_its_model_as_it_was(name: str) -> None:
    message = filled(name)
    back = converter(name).to_message(converter(name).to_model(message))
    assert back == message
    assert back.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


@every_message
def test_an_empty_message_is_a_model_with_its_defaults(name: str) -> None:
    model = converter(name).to_model(made(name))
    assert model == (None if name.endswith("Json") else model_of(name)())


@every_plain_message
def test_a_model_with_its_defaults_is_an_empty_message(name: str) -> None:
    assert converter(name).to_message(model_of(name)()) == with_zeros(made(name))


@every_plain_message
def test_every_field_arrives_in_its_attribute_and_nowhere_else(name: str) -> None:
    default = model_of(name)()
    for field in made(name).DESCRIPTOR.fields:
        if (name, field.name) in LEFT_OUT:
            continue
        message = fill(made(name), field.name)
        model = converter(name).to_model(message)
        changed = [a for a in default.__struct_fields__ if getattr(model, a) != getattr(default, a)]
        assert changed == [attribute_of(name, field.name)]
        if not field.message_type and not field.enum_type and (name, field.name) not in SPECIAL.keys() | FORMS.keys():
            value = getattr(message, field.name)
            assert getattr(model, changed[0]) == ([*value] if is_repeated(value) else value)
        assert converter(name).to_message(model) == with_zeros(message)


def test_nothing_is_left_out_or_put_elsewhere_that_is_not_there() -> None:
    for name, field in LEFT_OUT | FORMS.keys():
        assert field in made(name).DESCRIPTOR.fields_by_name
    for name, spread in SPREADS.items():
        assert {*spread.fields} <= {*made(name).DESCRIPTOR.fields_by_name}
        assert {*spread.attributes} <= {*model_of(name).__struct_fields__}
    for name in MODELS:
        assert made(name).DESCRIPTOR.fields


def test_everything_renamed_is_there_under_both_names() -> None:
    for (name, field), attribute in RENAMED.items():
        assert field in made(name).DESCRIPTOR.fields_by_name
        assert attribute in model_of(name).__struct_fields__


@every_hook
def test_a_filled_request_comes_back_from_its_arguments_as_it_was(hook: str) -> None:
    codec = hook_codec(hook)
    request = fill(codec.request(), *[f.name for f in codec.request.DESCRIPTOR.fields if f.name != "context"])
    arguments = codec.arguments(request, frozenset(range(len(HOOKS[hook].parameters))))
    assert None not in arguments
    if arguments:
        assert codec.make_request(arguments) == request


@every_hook
def test_messages_that_a_request_leaves_unset_are_none(hook: str) -> None:
    codec = hook_codec(hook)
    arguments = codec.arguments(codec.request(), frozenset(range(len(HOOKS[hook].parameters))))
    for parameter, argument in zip(HOOKS[hook].parameters, arguments, strict=True):
        basic = {"str": "", "int": 0, "bool": False}
        assert argument == ([] if parameter.type.startswith("list[") else basic.get(parameter.type))


@every_hook
def test_arguments_that_nobody_takes_are_not_made(hook: str) -> None:
    codec = hook_codec(hook)
    assert codec.arguments(fill(codec.request()), frozenset()) == [None] * len(HOOKS[hook].parameters)


@every_hook
def test_an_answer_comes_back_from_its_outcome_as_it_was(hook: str) -> None:
    codec = hook_codec(hook)
    fields = [f.name for f in codec.response.DESCRIPTOR.fields if f.name not in ("error", "rejection_reason")]
    response = fill(codec.response(), *fields) if fields else codec.response()
    outcome = codec.read_response(response)
    assert isinstance(outcome, (Replaced | Value) if fields else Unchanged)
    assert codec.make_response(outcome) == response


@pytest.mark.parametrize("hook", [name for name in SERVABLE if HOOKS[name].kind.may_reject])
def test_a_rejection_is_an_ordinary_answer_with_a_reason(hook: str) -> None:
    codec = hook_codec(hook)
    response = codec.make_response(Rejected("why"))
    assert [field.name for field, _ in response.ListFields()] == ["rejection_reason"]
    assert codec.read_response(response) == Rejected("why")


# what this version doesn't know

UNKNOWN = b"\xc0\x3e\x2a"  # field 1000, a number, 42


def with_unknown(message: Any) -> Any:
    """The message with an unknown field in it, and in every message of the plugin API within."""
    for field, value in message.ListFields():
        if is_map(field):
            inner = field.message_type.fields_by_name["value"].message_type
            for item in value.values() if inner and inner.name not in WITHOUT_MODEL else ():
                with_unknown(item)
        elif (
            field.message_type
            and field.message_type.file.package == PACKAGE
            and field.message_type.name not in WITHOUT_MODEL
        ):
            for item in value if is_repeated(value) else [value]:
                with_unknown(item)
    message.MergeFromString(UNKNOWN)
    return message


@every_plain_message
def test_unknown_fields_come_back_at_every_level(name: str) -> None:
    message = with_unknown(filled(name))
    back = converter(name).to_message(converter(name).to_model(message))
    assert back.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


def test_unknown_fields_are_still_there_after_an_edit() -> None:
    message = with_unknown(filled("Post"))
    post: Any = converter("Post").to_model(message)
    post.message = "edited"
    post.metadata.embeds[0].url = "edited"
    back: Any = sent(post)
    assert back.message == "edited"
    message.message = "edited"
    message.metadata.embeds[0].url = "edited"
    assert back.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


def test_unknown_fields_are_no_part_of_a_models_json() -> None:
    post: Any = converter("Post").to_model(with_unknown(made("Post")))
    assert post is not None
    assert post.to_dict() == Post().to_dict()


def test_unknown_keys_of_json_messages_come_back() -> None:
    message = made("ConfigJson")
    message.config_json = b'{"ServiceSettings": {"SiteURL": "https://chat", "New": {"a": 1}}, "NewSettings": {"b": 2}}'
    back: Any = converter("ConfigJson").to_message(converter("ConfigJson").to_model(message))
    data = json.loads(back.config_json)
    assert data["NewSettings"] == {"b": 2}
    assert data["ServiceSettings"]["New"] == {"a": 1}


# Structs


@pytest.mark.parametrize("number", [0, 1, -7, 2**53, -(2**53), 10**22, 1.5, -0.25, 1e305, 5e-324, float("inf")])
def test_numbers_in_structs_come_back_equal(number: float) -> None:
    [back] = struct_to_dict(dict_to_struct({"n": number})).values()
    assert back == number


@pytest.mark.parametrize(("number", "type_"), [(3.0, int), (3, int), (-0.0, int), (2.5, float), (True, bool)])
def test_whole_numbers_in_structs_come_out_as_ints(number: Any, type_: type) -> None:
    back = struct_to_dict(dict_to_struct({"a": [{"n": number}]}))
    assert type(back["a"][0]["n"]) is type_


def test_not_a_number_stays_not_a_number() -> None:
    back = struct_to_dict(dict_to_struct({"n": float("nan")}))["n"]
    assert back != back


def test_plain_values_in_structs_come_back_as_lists_and_dicts() -> None:
    data: dict[str, Any] = {
        "none": None,
        "flag": False,
        "text": "",
        "list": [],
        "dict": {},
        "tuple": (1, (2,)),
        "deep": [[{"a": [None]}]],
    }
    assert struct_to_dict(dict_to_struct(data)) == {**data, "tuple": [1, [2]]}


def test_a_model_in_props_is_sent_as_its_json() -> None:
    post: Any = converter("Post").to_model(sent(Post(props={"by": User(username="ada")})))
    assert post.props["by"]["username"] == "ada"


class Anything:
    pass


itself: dict[str, Any] = {}
itself["a"] = [itself]


@pytest.mark.parametrize(
    ("props", "told"),
    [
        ({"a": 2**53 + 1}, "[a]: 9007199254740993 has more digits than the double"),
        ({"a": {"b": [0, -(2**63) + 1]}}, "[a.b[1]]: -9223372036854775807 has more digits than the double"),
        ({"a": 10**400}, "[a]: 1000000000"),
        ({"a": Anything()}, "[a]: Anything is nothing that JSON has"),
        ({"a": [{"b": {1, 2}}]}, "[a[0].b]: set is nothing that JSON has"),
        ({"a": {"b": b"bytes"}}, "[a.b]: bytes is nothing that JSON has"),
        ({"a": {5: "x"}}, "[a.5]: keys are text, not int"),
        ({None: "x"}, "[None]: keys are text, not NoneType"),
        ({"a": ["\ud800"]}, "[a[0]]: this text cannot be sent"),
        ({"a": {"\ud800": 1}}, "[a.'\\ud800']: this text cannot be sent"),
        (itself, ": a dict or list in it holds itself"),
        ([1], ": expected a dict, found list"),
        ("text", ": expected a dict, found str"),
    ],
    ids=str,
)
def test_props_that_cannot_be_sent_are_told_by_their_path(props: Any, told: str) -> None:
    assert refused(Post(message="hi", props=props)).startswith(f"Post.props{told}")


def test_a_refused_number_of_many_digits_is_not_told_in_full() -> None:
    assert len(refused(Post(props={"a": 10**4000}))) < 200


# what does not fit


untyped: Any = models  # for the mistakes that a type checker would see


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (untyped.Post(create_at="now"), "Post.create_at takes int, not str"),
        (untyped.Post(create_at=1.5), "Post.create_at takes int, not float"),
        (untyped.Post(create_at=2**63), "Post.create_at cannot hold the int it has: "),
        (untyped.Post(message=5), "Post.message takes str, not int"),
        (untyped.Post(message="\ud800"), "Post.message cannot hold the str it has: "),
        (untyped.Post(message=None), "Post.message cannot be None: set it to its empty value"),
        (untyped.Post(is_pinned="yes"), "Post.is_pinned takes bool, not str"),
        (untyped.Post(file_ids="abc"), "Post.file_ids: expected a list, found str"),
        (untyped.Post(file_ids={}), "Post.file_ids: expected a list, found dict"),
        (untyped.Post(file_ids=[5]), "Post.file_ids cannot hold the list it has: "),
        (untyped.Post(remote_id=5), "Post.remote_id cannot hold the int it has: "),
        (untyped.Post(is_following="yes"), "Post.is_following cannot hold the str it has: "),
        (untyped.Post(metadata={}), "Post.metadata: expected PostMetadata, found dict"),
        (untyped.Post(metadata={"embeds": []}), "Post.metadata: expected PostMetadata, found dict"),
        (untyped.Post(metadata=untyped.Post()), "Post.metadata: expected PostMetadata, found Post"),
        (untyped.Post(participants=[untyped.User(), "ada"]), "Post.participants: expected User, found str"),
        (untyped.Post(participants="ada"), "Post.participants: expected a list, found str"),
        (untyped.Post(metadata=untyped.PostMetadata(embeds=[untyped.PostEmbed(url=5)])), "Post.metadata: PostMetadata.embeds: PostEmbed.url takes"),
        (untyped.Post(metadata=untyped.PostMetadata(images={"a": 5})), "Post.metadata: PostMetadata.images: expected PostImage, found int"),
        (untyped.User(props=5), "User.props takes dict, not int"),
        (untyped.User(props={"a": 5}), "User.props cannot hold the dict it has: "),
        (untyped.User(failed_attempts=2**31), "User.failed_attempts cannot hold the int it has: "),
        (untyped.RemoteCluster(options=-1), "RemoteCluster.options cannot hold the int it has: "),
        (untyped.PushNotification(badge="5"), "PushNotification.badge takes int, not str"),
        (untyped.ProductLimits(teams=untyped.TeamsLimits(active="x")), "ProductLimits.teams: TeamsLimits.active cannot hold the str it has"),
        (untyped.ProductLimits(teams=untyped.TeamsLimits(active=2**31)), "ProductLimits.teams: TeamsLimits.active cannot hold the int"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_that_does_not_fit_is_told_by_its_field(model: Model, told: str) -> None:
    assert refused(model).startswith(told)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (untyped.Config(ServiceSettings=5), "Config.ServiceSettings: expected an object, found int"),
        (
            untyped.Config(PluginSettings=untyped.PluginSettings(Enable="yes")),
            "Config.PluginSettings.Enable: expected bool, found str",
        ),
        (
            untyped.Config(PluginSettings=untyped.PluginSettings(Plugins={"a": {"b": object()}})),
            "Config: cannot be written as JSON: ",
        ),
    ],
)
def test_a_value_that_does_not_fit_a_json_message_is_told_by_its_field(config: Config, told: str) -> None:
    with pytest.raises(ModelError) as caught:
        converter("ConfigJson").to_message(config)
    assert str(caught.value).startswith(told)


def test_json_from_a_host_that_does_not_fit_is_told_by_its_field() -> None:
    message = made("ConfigJson")
    message.config_json = b'{"ServiceSettings": {"SiteURL": 5}}'
    with pytest.raises(ModelError, match=r"^Config\.ServiceSettings\.SiteURL: expected str, found int$"):
        converter("ConfigJson").to_model(message)


def test_a_tuple_is_as_good_as_a_list() -> None:
    post: Any = Post()
    post.file_ids = ("a", "b")
    assert [*sent(post).file_ids] == ["a", "b"]


# what the wire has no place for

NO_PLACE = {
    "ChannelMember": "explicit_roles autotranslation_disabled",
    "Command": "autocomplete_data autocomplete_icon_data",
    "CommandResponse": "attachments extra_responses",
    "CreateDefaultMembershipParams": "scoped_user_id scoped_team_id scoped_channel_id",
    "Dialog": "source_url",
    "DialogElement": "data_source_url multiselect refresh datetime_config min_date max_date time_interval",
    "FileInfo": "path thumbnail_path preview_path content",
    "GetFileInfosOptions": "since",
    "GetPostsSinceForSyncCursor": "last_post_create_at last_post_create_id",
    "Group": "has_syncables member_count channel_member_count channel_member_timezones_count member_ids",
    "GroupSyncable": "channel_display_name team_display_name team_type channel_type team_id",
    "Manifest": "server webapp settings_schema props",
    "OAuthApp": "is_dynamically_registered",
    "PluginStatus": "cluster_id error",
    "Post": "filenames",
    "PostAcknowledgement": "channel_id remote_id",
    "PostList": "burn_on_read_posts",
    "PostMetadata": "emojis translations expire_at recipients",
    "PostPriority": "channel_id post_id",
    "PostSearchResults": "next_post_id prev_post_id has_next first_inaccessible_post_time burn_on_read_posts",
    "PropertyField": "object_type protected permission_field permission_values permission_options created_by updated_by",
    "PropertyFieldSearchOpts": "group_id object_type since_update_at cursor",
    "PropertyValue": "created_by updated_by",
    "PropertyValueSearchOpts": "group_id since_update_at cursor value",
    "PushNotification": "is_id_loaded post_type channel_type signature",
    "RegisterPluginOpts": "creator_id auto_share_dms auto_invited",
    "SearchParams": "excluded_terms ishashtag after_date before_date excluded_extensions on_date "
    "search_without_user_id modifier",
    "SidebarCategoryWithChannels": "sort_order",
    "Status": "active_channel prev_status",
    "SyncResponse": "membership_errors",
    "TeamMember": "explicit_roles",
    "TeamUnread": "thread_urgent_mention_count",
    "User": "mfa_used_timestamps",
    "WebSocketRequest": "session locale",
}


@every_plain_message
def test_an_attribute_that_the_wire_has_no_place_for_is_an_error_that_names_it(name: str) -> None:
    carried = {attribute_of(name, field.name) for field in made(name).DESCRIPTOR.fields} - {
        attribute_of(*left_out) for left_out in LEFT_OUT if left_out[0] == name
    }
    absent = {attribute for attribute in model_of(name).__struct_fields__ if attribute != "_unknown"} - carried
    assert absent == {*NO_PLACE.get(name, "").split()}
    for attribute in absent:
        model: Any = model_of(name)()
        setattr(model, attribute, "something else")
        with pytest.raises(UnsupportedByHost) as caught:
            converter(name).to_message(model)
        assert str(caught.value).startswith(f"{model_of(name).__name__}.{attribute} cannot be sent: the gRPC host")


def test_an_attribute_without_a_place_is_named_with_the_way_to_it() -> None:
    post = Post(metadata=PostMetadata(files=[FileInfo(path="p")]))
    with pytest.raises(UnsupportedByHost, match=r"^Post\.metadata: PostMetadata\.files: FileInfo\.path cannot be sent"):
        sent(post)


def test_what_has_no_place_is_no_trouble_while_it_has_its_default() -> None:
    sent(ChannelMember(channel_id="c", explicit_roles=""))
    sent(WebSocketRequest(action="typing"))
    sent(CommandResponse(text="hi"))


# what travels in another form


@pytest.mark.parametrize(("number", "letter"), [(0, ""), (1, "O"), (2, "P"), (3, "D"), (4, "G")])
def test_types_of_channels_are_mattermosts_letters(number: int, letter: str) -> None:
    message = made("Channel")
    message.type = number
    channel: Any = converter("Channel").to_model(message)
    assert channel.type == letter
    assert sent(Channel(type=letter)).type == number


@pytest.mark.parametrize("letter", ["X", "o", "open", 1, []])
def test_a_letter_that_is_no_type_of_channel_is_refused(letter: Any) -> None:
    assert refused(Channel(type=letter)).startswith("Channel.type")


def test_a_wrong_letter_is_answered_with_the_right_ones() -> None:
    assert refused(Channel(type="X")) == "Channel.type: expected one of O, P, D, G, found 'X'"


@pytest.mark.parametrize(("text", "number"), [("", 0), ("12", 12), ("-3", -3), ("many", 0), ("--5", 0), ("1.5", 0)])
def test_a_badge_is_a_number_that_travels_as_text(text: str, number: int) -> None:
    message = made("PushNotification")
    message.badge = text
    push: Any = converter("PushNotification").to_model(message)
    assert push.badge == number


@pytest.mark.parametrize(("number", "text"), [(12, "12"), (-3, "-3")])
def test_a_badge_is_sent_as_text(number: int, text: str) -> None:
    assert sent(PushNotification(badge=number)).badge == text


@pytest.mark.parametrize(
    ("text", "mentions"), [("", {}), ('{"ada": "u1"}', {"ada": "u1"}), ("ada", {}), ("[1]", {}), ("null", {})]
)
def test_mentions_are_a_map_that_travels_as_text(text: str, mentions: dict[str, str]) -> None:
    message = made("CommandArgs")
    message.user_mention = text
    args: Any = converter("CommandArgs").to_model(message)
    assert args.user_mentions == mentions
    assert json.loads(sent(CommandArgs(user_mentions=mentions)).user_mention or "{}") == mentions


def test_a_flag_that_is_off_differs_from_one_that_is_unset() -> None:
    message = made("Post")
    assert converter("Post").to_model(message).is_following is None  # type: ignore[union-attr] # a post has it
    message.is_following = False
    post: Any = converter("Post").to_model(message)
    assert post.is_following is False
    assert sent(post).HasField("is_following")
    assert not sent(Post()).HasField("is_following")


def test_an_emptied_map_is_sent_as_none_at_all() -> None:
    assert not sent(Post(props={})).HasField("props")


def test_models_that_were_sent_are_the_handlers_own() -> None:
    message = filled("Post")
    before = message.SerializeToString(deterministic=True)
    post: Any = converter("Post").to_model(message)
    post.props["text"] = "changed"
    post.file_ids.append("changed")
    post.metadata.reactions.append(Reaction())
    assert message.SerializeToString(deterministic=True) == before
