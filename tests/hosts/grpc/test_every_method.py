"""Every method of the plugin API without streams, called out of a plugin over gRPC, with the real Go host at the other end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmhooks.hosts.grpc.differences import LEFT_OUT, RENAMED
from mmhooks.hosts.grpc.messages import api_methods, message_class
from mmhooks.hosts.grpc.methods import names
from protos.generator.contract import interface
from tests import conftest
from tests.conftest import PLUGINS
from tests.host_driver import ROOT, GoHost, GoPlugin, start

SEED = 3

BY_THEMSELVES = frozenset(
    (message, field)
    for message, fields in {
        "AuditRecord": "user_id session_id client ip_address",
        "CommandArgs": "user_mention channel_mention",
        "GetFileInfosOptions": "user_id channel_id sort_order",
        "GroupSearchOpts": "filter_allow_reference since page_opts_page page_opts_per_page",
        "SearchParams": "excluded_dates excluded_after_date excluded_before_date",
        "SharedChannel": "home",
        "SidebarCategoryWithChannels": "sorting",
        "WebsocketBroadcast": "connection_id omit_connection_id",
    }.items()
    for field in fields.split()
)
"""Fields whose form is another than that of the models, and not what the Go host fills in: each is tested in
`test_methods.py`."""

every_method = pytest.mark.parametrize("method", names())


class Caller:
    """A plugin that calls what it is told to."""

    def __init__(self, plugin: GoPlugin, file: Path) -> None:
        self.plugin = plugin
        self._file = file

    def call(self, method: str, answer: dict[str, Any] | None = None, request: str | None = None) -> dict[str, Any]:
        """Have a method called, with all arguments filled unless a request is given in hex; what the call gave, or
        raised. An answer is kept from then on."""
        if answer is not None:
            self.plugin.set_answers({method: answer})
        if request is None:
            request = self.request(method).SerializeToString().hex()
        self._file.write_text(json.dumps({"method": method, "request_hex": request}))
        assert self.plugin.call("OnSharedChannelsPing", {"remote_cluster": {}}) == {"healthy": True}
        found: dict[str, Any] = json.loads(self._file.read_text())
        return found

    def request(self, method: str) -> Any:
        """A request with all arguments filled."""
        return parsed(api_methods()[method].input_type, self.plugin.fill(method, SEED, api=True)["request_hex"])


def callers(gohost: GoHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    file = tmp_path_factory.mktemp("caller") / "call"
    name = f"grpc-caller{next(conftest._numbers)}"
    environ = {"CALL_FILE": str(file), "PYTHONPATH": str(ROOT)}
    plugin = start(gohost, name, PLUGINS / "grpc_caller.py", environ, with_api=True)
    yield Caller(plugin, file)
    plugin.ask("kill")


filled = pytest.fixture(scope="module", name="filled")(callers)
"""A caller whose server answers with everything filled."""

told = pytest.fixture(scope="module", name="told")(callers)
"""A caller whose server answers as it has been told."""


def comparable(message: Any) -> Any:
    """A message without fields that hold nothing for a model, and with JSON in one form."""
    for field, value in message.ListFields():
        if (message.DESCRIPTOR.name, field.name) in LEFT_OUT | BY_THEMSELVES:
            message.ClearField(field.name)
        elif field.name.endswith("_json"):
            setattr(message, field.name, json.dumps(json.loads(value), sort_keys=True).encode())
        elif field.message_type and not field.message_type.full_name.startswith("google."):
            if field.message_type.GetOptions().map_entry:
                if field.message_type.fields_by_name["value"].message_type:
                    for item in value.values():
                        comparable(item)
            else:
                for item in value if hasattr(value, "extend") else [value]:
                    comparable(item)
    return message


def parsed(type_: Any, data: str) -> Any:
    return comparable(message_class(type_.full_name).FromString(bytes.fromhex(data)))


@every_method
def test_a_method_takes_every_field(filled: Caller, method: str) -> None:
    before = len(filled.plugin.api_calls(method))
    found = filled.call(method)
    assert "error" not in found, found["text"]
    (call,) = filled.plugin.api_calls(method)[before:]
    assert parsed(api_methods()[method].input_type, call["request_hex"]) == filled.request(method)


@every_method
def test_a_method_gives_every_field(filled: Caller, method: str) -> None:
    sent = filled.plugin.fill(method, SEED, api=True)["response_hex"]
    found = filled.call(method)
    assert "error" not in found, found["text"]
    type_ = api_methods()[method].output_type
    assert parsed(type_, found["response_hex"]) == parsed(type_, sent)


@every_method
def test_what_is_given_stands_where_its_text_says(filled: Caller, method: str) -> None:
    """The Go host fills texts with the message and the field that they stand in."""
    for attribute, text in texts(filled.call(method)["attributes"]):
        if match := re.match(r"(\w+)\.(\w+)#", text):
            message, field = match.groups()
            # Below a field that may hold anything, attributes are the keys of what the Go host puts there.
            if attribute and field not in ANYTHING and not message.endswith("Response"):
                assert plain(RENAMED.get((message, field), field)) == plain(attribute)


ANYTHING = (
    "props",
    "attrs",
    "data",
    "params",
    "AdvancedLoggingJSON",
    "Context",
)  # the last is `c` in Mattermost's JSON


def plain(name: str) -> str:
    """A name as it is the same in Go, whose names JSON in bytes has, and here."""
    return name.replace("_", "").lower()


def texts(value: Any, attribute: str = "") -> Iterator[tuple[str, str]]:
    """The texts among attributes, with the attribute."""
    if isinstance(value, str):
        yield attribute, value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, attribute)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, name)


ERROR = {
    "id": "app.some.error",
    "message": "not today",
    "detailed_error": "the moon is full",
    "request_id": "r1",
    "status_code": 418,
    "where": "here",
}


@every_method
def test_an_error_of_the_server_is_raised_with_its_fields(told: Caller, method: str) -> None:
    found = told.call(method, {"error": ERROR})
    assert found["error"][0] == "AppError"
    assert {name: found[name] for name in ERROR} == ERROR


@every_method
def test_an_error_that_is_a_status_is_raised_as_one_of_its_class(told: Caller, method: str) -> None:
    found = told.call(method, {"grpc_status": {"code": "NOT_FOUND", "message": "app.some.error: not today"}})
    assert found["error"][:2] == ["NotFound", "AppError"]
    assert (found["id"], found["message"], found["status_code"]) == ("app.some.error", "not today", 404)


@pytest.mark.parametrize(
    "method",
    [each["name"] for each in interface()["api"] if each["results"][-1:] == ["error"] and each["name"] in names()],
)
def test_an_error_that_is_a_text_is_raised_as_that_text(told: Caller, method: str) -> None:
    message = "internal error: sql: no rows in result set"
    found = told.call(method, {"grpc_status": {"code": "INTERNAL", "message": message}})
    assert found["error"][0] == "GoError"
    assert (found["text"], found["code"]) == ("sql: no rows in result set", 2)


@every_method
def test_a_call_that_fails_on_the_way_says_which_one_and_the_next_one_works(told: Caller, method: str) -> None:
    found = told.call(method, {"grpc_status": {"code": "UNKNOWN", "message": "the database is away"}})
    assert "MmhooksError" in found["error"]
    assert method in found["text"]
    assert "the database is away" in found["text"]
    assert "error" not in told.call(method, {})


EMPTY: dict[int, Any] = {9: "", 8: False, 3: 0, 5: 0, 12: ""}


@every_method
def test_nothing_is_given_where_the_server_gives_nothing(told: Caller, method: str) -> None:
    found = told.call(method, {}, request="")
    assert "error" not in found, found["text"]
    fields = [field for field in api_methods()[method].output_type.fields if field.name != "error"]
    results = found["attributes"] if len(fields) > 1 else [found["attributes"]] * len(fields)
    field: Any
    for field, result in zip(fields, results, strict=True):
        if method == "GetPreferenceForUser":  # a struct, which Go always has
            assert result == {"user_id": "", "category": "", "name": "", "value": ""}
        elif field.name.endswith("_json") and method != "LoadPluginConfiguration":
            assert result is None
        else:
            kind: Any = field.message_type and ("Struct" if field.message_type.name == "Struct" else "one")
            is_list = hasattr(getattr(message_class(field.containing_type.full_name)(), field.name), "extend")
            is_map = kind == "Struct" or (kind and field.message_type.GetOptions().map_entry)
            expected = [] if is_list else {} if is_map else None if kind else EMPTY[field.type]
            assert result == expected
