"""Every unary hook, from the real Go host to a handler and back, field by field."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from mmhooks.hooks import HOOKS
from mmhooks.hosts.grpc.calls import servable
from mmhooks.hosts.grpc.messages import PACKAGE, message_class
from tests.conftest import PLUGINS, as_file
from tests.host_driver import GoHost, GoPlugin, start

UNARY = [hook for hook in HOOKS.values() if servable(hook)]

RENAMED = {
    ("context", None): "plugin_context",
    ("config", None): "new_config",
    ("notification", None): "email_notification",
    ("Channel", "auto_translation"): "autotranslation",
    ("FileInfo", "creator_id"): "user_id",
    ("PushNotification", "is_crt"): "is_crt_enabled",
    ("EmailNotificationContent", "sub_title"): "subtitle",
}
LETTERS = {"CHANNEL_TYPE_OPEN": "O", "CHANNEL_TYPE_PRIVATE": "P", "CHANNEL_TYPE_DIRECT": "D", "CHANNEL_TYPE_GROUP": "G"}
# Text that has a meaning of its own, or none: see the decisions page.
NOT_COMPARED = {("CommandArgs", "t"), ("CommandArgs", "user_mention"), ("CommandArgs", "channel_mention")}


class Echo:
    """The echo plugin under the Go host."""

    def __init__(self, plugin: GoPlugin, file: Path) -> None:
        self.plugin = plugin
        self._file = file

    def last(self) -> dict[str, Any]:
        """The arguments of the last call, as the handler saw them."""
        line = json.loads(self._file.read_text().splitlines()[-1])
        arguments: dict[str, Any] = line["arguments"]
        return arguments


@pytest.fixture(scope="module")
def echo(gohost: GoHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    file = tmp_path_factory.mktemp("echo") / "calls"
    plugin = start(gohost, "echo", as_file(PLUGINS / "echo.py", file.parent), {"ECHO_FILE": str(file)})
    yield Echo(plugin, file)
    plugin.ask("kill")


def same(got: Any, sent: Any, message: Any, path: str) -> None:
    """Compare what a handler saw with what protojson says was sent, by the message's descriptor."""
    if message.full_name == "google.protobuf.Struct":
        assert got == sent, path
        return
    if message.full_name.startswith("google.protobuf."):
        assert got == int(sent), path
        return
    for field in message.fields:
        if field.name not in sent or (message.name, field.name) in NOT_COMPARED:
            continue
        name = RENAMED.get((message.name, field.name), field.name)
        value, there = got[name], sent[field.name]
        where = f"{path}.{name}"
        entry = field.message_type and field.message_type.GetOptions().map_entry
        if entry and field.message_type.fields_by_name["value"].message_type:
            assert value.keys() == there.keys(), where
            for key in there:
                same(value[key], there[key], field.message_type.fields_by_name["value"].message_type, f"{where}.{key}")
        elif entry or not field.message_type:
            assert value == scalar(field, there, value), where
        elif isinstance(there, list):
            assert len(value) == len(there), where
            for number, (one, other) in enumerate(zip(value, there, strict=True)):
                same(one, other, field.message_type, f"{where}[{number}]")
        else:
            same(value, there, field.message_type, where)


def scalar(field: Any, sent: Any, like: Any) -> Any:
    if field.enum_type:
        return LETTERS[sent]
    # protojson writes 64-bit numbers as text, and some numbers travel as text.
    return int(sent) if isinstance(like, int) and not isinstance(like, bool) else sent


@pytest.mark.parametrize("hook", UNARY, ids=lambda hook: hook.name)
def test_handler_sees_every_field_that_the_host_sent(echo: Echo, gohost: GoHost, hook: Any) -> None:
    filled = gohost.ask("fill", hook=hook.name, seed=3)
    echo.plugin.ask("call", hook=hook.name, request_hex=filled["request_hex"])
    request = message_class(f"{PACKAGE}.{hook.name}Request").DESCRIPTOR
    got = echo.last()
    for parameter in hook.parameters:
        name = RENAMED.get((parameter.name, None), parameter.name)
        field = request.fields_by_name[name]
        sent, value = filled["request"][name], got[parameter.name]
        if field.message_type is None:
            assert value == (int(sent) if isinstance(value, int) else sent)
        elif field.message_type.name.endswith("Json"):
            assert value is not None  # what is in it is compared where JSON is tested
        elif isinstance(sent, list):
            assert len(value) == len(sent)
            for one, other in zip(value, sent, strict=True):
                same(one, other, field.message_type, parameter.name)
        else:
            same(value, sent, field.message_type, parameter.name)


@pytest.mark.parametrize(
    ("hook", "argument", "answer"),
    [
        ("MessageWillBePosted", "post", "modified_post"),
        ("MessageWillBeUpdated", "new_post", "modified_post"),
        ("NotificationWillBePushed", "push_notification", "modified_notification"),
        ("MessagesWillBeConsumed", "posts", "posts"),
    ],
)
def test_host_gets_every_field_back_that_the_handler_left_alone(
    echo: Echo, gohost: GoHost, hook: str, argument: str, answer: str
) -> None:
    filled = gohost.ask("fill", hook=hook, seed=5)
    response = echo.plugin.ask("call", hook=hook, request_hex=filled["request_hex"])["response"]
    assert response == {answer: filled["request"][argument]}


def test_fields_that_this_version_does_not_know_survive_at_every_depth(echo: Echo, gohost: GoHost) -> None:
    filled = gohost.ask("fill", hook="MessageWillBePosted")
    request: Any = message_class(f"{PACKAGE}.MessageWillBePostedRequest").FromString(
        bytes.fromhex(filled["request_hex"])
    )
    unknown = bytes([0xC2, 0x3E, 3]) + b"new" + bytes([0xC8, 0x3E, 42])  # fields 1000 and 1001

    def places(post: Any) -> list[Message]:
        return [post, post.metadata, post.metadata.files[1], post.participants[0], post.metadata.embeds[0]]

    for place in places(request.post):
        place.MergeFromString(unknown)
    answer = echo.plugin.ask("call", hook="MessageWillBePosted", request_hex=request.SerializeToString().hex())
    response: Any = message_class(f"{PACKAGE}.MessageWillBePostedResponse").FromString(
        bytes.fromhex(answer["response_hex"])
    )
    assert all(place.SerializeToString().endswith(unknown) for place in places(response.modified_post)[1:])
    assert response.modified_post == request.post


def test_whole_numbers_in_props_are_ints_to_the_handler(echo: Echo, gohost: GoHost) -> None:
    props = {"whole": 7, "fraction": 1.5, "list": [1, {"three": 3}], "big": 2**53, "nothing": None, "yes": True}
    echo.plugin.call("MessageWillBePosted", {"post": {"props": props}})
    got = echo.last()["post"]["props"]
    assert got == props
    assert isinstance(got["whole"], int)
    assert isinstance(got["list"][1]["three"], int)


@pytest.mark.parametrize("hook", UNARY, ids=lambda hook: hook.name)
def test_what_the_host_leaves_unset_arrives_as_none(echo: Echo, hook: Any) -> None:
    echo.plugin.call(hook.name)
    empty = {"str": "", "int": 0}
    assert echo.last() == {
        parameter.name: [] if parameter.type.startswith("list") else empty.get(parameter.type)
        for parameter in hook.parameters
    }


def test_values_of_value_hooks_reach_the_host_in_full(echo: Echo) -> None:
    assert echo.plugin.call("ExecuteCommand", {"args": {"command": "/x"}}) == {
        "response": {
            "response_type": "in_channel",
            "text": "done",
            "username": "robot",
            "channel_id": "c1",
            "icon_url": "https://example.com/icon.png",
            "type": "custom_x",
            "props": {"whole": 7, "nested": {"list": [1, "two", None, True, 1.5]}},
            "goto_location": "/somewhere",
            "trigger_id": "t1",
            "skip_slack_parsing": True,
        }
    }
    assert echo.plugin.call("RunDataRetention", {"now_time": "1", "batch_size": "2"}) == {"deleted_count": str(2**40)}
    assert echo.plugin.call("OnSharedChannelsPing", {}) == {"healthy": True}
    assert echo.plugin.call("OnSharedChannelsSyncMsg", {}) == {
        "response": {
            "users_last_update_at": str(2**41),
            "user_errors": ["u1", "u2"],
            "users_syncd": ["u3"],
            "posts_last_update_at": str(2**42),
            "post_errors": ["p1"],
            "reactions_last_update_at": str(2**43),
            "reaction_errors": ["r1"],
            "acknowledgements_last_update_at": str(2**44),
            "acknowledgement_errors": ["a1"],
            "status_errors": ["s1"],
        }
    }
    assert echo.plugin.call("GenerateSupportData", {}) == {
        "files": [{"filename": "a.txt", "data": "AG9uZQ=="}, {"filename": "b.txt", "data": "dHdv"}]
    }


def as_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_configuration_comes_and_goes_as_json_with_what_is_unknown_in_it(echo: Echo) -> None:
    config = {
        "ServiceSettings": {"SiteURL": "https://example.com", "NewSetting": {"a": [1]}},
        "PluginSettings": {"Enable": True, "Plugins": {"a.plugin": {"secret": "s"}}},
        "BrandNewSettings": {"On": True},
    }
    response = echo.plugin.call(
        "ConfigurationWillBeSaved", {"new_config": {"config_json": as_base64(json.dumps(config))}}
    )
    back = json.loads(base64.b64decode(response["modified_config"]["config_json"]))
    assert back["ServiceSettings"]["SiteURL"] == "https://example.com"
    assert back["ServiceSettings"]["NewSetting"] == {"a": [1]}
    assert back["PluginSettings"]["Plugins"] == {"a.plugin": {"secret": "s"}}
    assert back["BrandNewSettings"] == {"On": True}
    assert echo.last()["config"]["ServiceSettings"]["SiteURL"] == "https://example.com"


def test_json_arguments_arrive_as_models(echo: Echo) -> None:
    assertion = {"NameID": "alice", "Values": {"mail": {"Name": "mail", "Values": [{"Value": "alice@example.com"}]}}}
    echo.plugin.call("OnSAMLLogin", {"assertion": {"assertion_json": as_base64(json.dumps(assertion))}})
    got = echo.last()["assertion"]
    assert (got["name_id"], got["values"]["mail"]["values"][0]["value"]) == ("alice", "alice@example.com")
    message = {"id": "m", "channel_id": "c", "posts": [{"id": "p", "message": "hi"}], "users": {"u": {"id": "u"}}}
    echo.plugin.call("OnSharedChannelsSyncMsg", {"sync_msg": {"sync_msg_json": as_base64(json.dumps(message))}})
    got = echo.last()["sync_msg"]
    assert (got["posts"][0]["message"], got["users"]["u"]["id"]) == ("hi", "u")


def test_mail_goes_back_as_its_eight_texts(echo: Echo) -> None:
    mail = {"post_id": "p", "subject": "s", "title": "t", "subtitle": "u", "message_html": "<p>", "message_text": "m"}
    mail |= {"button_text": "b", "button_url": "https://example.com", "footer_text": "f"}
    response = echo.plugin.call(
        "EmailNotificationWillBeSent", {"email_notification": {"notification_json": as_base64(json.dumps(mail))}}
    )
    expected = {("sub_title" if name == "subtitle" else name): text for name, text in mail.items() if name != "post_id"}
    assert response == {"modified_content": expected}


def test_hooks_that_need_streams_or_are_not_on_the_wire_are_left_out_with_one_warning(echo: Echo) -> None:
    implemented = echo.plugin.call("Implemented")["hooks"]
    assert implemented == [hook.name for hook in UNARY]
    assert echo.plugin.call("Implemented")["hooks"] == implemented
    left_out = [name for name in HOOKS if name not in implemented]
    warnings = [record for record in echo.plugin.logs() if "not served under this host" in record["message"]]
    assert len(warnings) == 1
    assert warnings[0]["level"] == "warn"
    assert all(name in warnings[0]["message"] for name in left_out)
    assert {"ServeHTTP", "FileWillBeUploaded", "ServeMetrics", "ChannelWillBeArchived"} <= {*left_out}
