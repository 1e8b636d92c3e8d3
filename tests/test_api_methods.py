"""The typed methods: each is there twice, and passes on what it is given as Mattermost's interface wants it."""

from __future__ import annotations

import asyncio
import inspect
import json
import pydoc
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import mmhooks.api
from mmhooks import models
from mmhooks.api import AsyncPluginAPI, Link, PluginAPI
from mmhooks.api.calls import TIMEOUT, is_repeatable
from mmhooks.errors import APIError
from mmhooks.hosts.grpc.differences import NOT_ON_THE_WIRE
from mmhooks.hosts.grpc.methods import method_codec
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.types import Side
from mmhooks.hosts.netrpc.rpc import Stream
from mmhooks.naming import snake
from tests.loop_caller import LoopCaller

PROTOS = Path(__file__).parents[1] / "protos"
INTERFACE = json.loads((PROTOS / "interface.json").read_text(encoding="utf-8"))
NOTES = tomllib.loads((PROTOS / "api.toml").read_text(encoding="utf-8"))
STREAMING = {"InstallPlugin", "PluginHTTP", "UploadData"}
ROWS = {snake(row["name"]): row for row in INTERFACE["api"] if row["name"] not in STREAMING}

MAY_BE_NONE = {
    ("get_file_infos", "opt"),
    ("get_groups", "opts"),
    ("get_groups", "view_restrictions"),
    ("kv_compare_and_set", "new_value"),
    ("kv_compare_and_set", "old_value"),
    ("kv_set", "value"),
    ("kv_set_with_expiry", "value"),
    ("kv_set_with_options", "options"),
    ("kv_set_with_options", "value"),
    ("publish_plugin_cluster_event", "opts"),
    ("send_toast_message", "options"),
}
"""Parameters for which None stands for something: in the words of the notes, which have no form for it."""

MAY_GIVE_NONE = {"get_license", "kv_get"}
"""Methods that give None where nothing is wrong, by the same words."""


class Recorder(LoopCaller):
    """Keeps what it is asked, and answers with what it is told to."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.asked: list[tuple[str, Sequence[Any], float]] = []
        self.result: Any = None

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        self.asked.append((method, arguments, timeout))
        return self.result


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Recorder(loop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def call(recorder: Recorder, name: str, /, *arguments: Any, **named: Any) -> list[tuple[str, Sequence[Any], float]]:
    """What a method asks for, by either of its twins, which have to ask for the same."""
    link = Link()
    link.caller = recorder
    recorder.asked.clear()
    result = getattr(PluginAPI(link), name)(*arguments, **named)
    assert asyncio.run(getattr(AsyncPluginAPI(link), name)(*arguments, **named)) == result
    once, again = recorder.asked
    assert once == again
    return [once]


def methods_of(cls: type) -> list[str]:
    """Those of Mattermost's; the iterators over pages have tests of their own."""
    return [name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("iter_")]


def named(go: str) -> str:
    """What a type of Go's is made of; structs are themselves."""
    type_ = INTERFACE["types"].get(go, {"fields": []})
    if "fields" in type_:
        return go
    return f"[]{type_['elem']}" if type_["kind"] == "slice" else str(type_["kind"])


def annotated(go: str) -> str:
    """A type of Go's as an annotation."""
    go = named(go.removeprefix("*"))
    plain = {"string": "str", "bool": "bool", "int": "int", "int64": "int", "any": "Any", "[]uint8": "bytes"}
    if go in plain:
        return plain[go]
    if go.startswith("[]"):
        return f"list[{annotated(go[2:])}]"
    if go.startswith("map[string]"):
        return f"dict[str, {annotated(go.removeprefix('map[string]'))}]"
    return go.partition(".")[2]


def filled(go: str, number: int) -> Any:
    """A value of a type of Go's, a different one for each number, so that none can take another's place."""
    go = named(go.removeprefix("*"))
    plain: dict[str, Any] = {
        "string": f"text {number}",
        "bool": number % 2 == 0,
        "int": number,
        "int64": number,
        "any": number,
        "[]uint8": b"%d" % number,
    }
    if go in plain:
        return plain[go]
    if go.startswith("[]"):
        return [filled(go[2:], number)]
    if go.startswith("map[string]"):
        return {f"key {number}": filled(go.removeprefix("map[string]"), number)}
    return getattr(models, go.partition(".")[2])()


def taken(name: str) -> dict[str, str]:
    """The parameters of a method as the contract has them: their types in Go, by their names here."""
    row = ROWS[name]
    if row.get("wire", row)["parameters"] == []:
        return {}
    return {"cursor" if go == "cusror" else snake(go): type_ for go, type_ in row["parameters"]}


def signature(name: str) -> tuple[list[inspect.Parameter], str]:
    """The parameters of a method but for `self` and `timeout`, and what it says that it gives."""
    found = inspect.signature(getattr(PluginAPI, name))
    _, *parameters, timeout = found.parameters.values()
    assert (timeout.name, timeout.kind, timeout.default) == ("timeout", timeout.KEYWORD_ONLY, TIMEOUT)
    return parameters, found.return_annotation


def answered(name: str) -> Any:
    return b"{}" if name == "load_plugin_configuration" else None


LOGGING = ("log_debug", "log_error", "log_info", "log_warn")

every_method = pytest.mark.parametrize("name", ROWS)


def test_all_methods_are_there_but_those_that_take_streams() -> None:
    assert len(ROWS) == 234
    assert methods_of(PluginAPI) == methods_of(AsyncPluginAPI) == [*ROWS]


@every_method
def test_the_twins_differ_in_nothing_but_that_one_is_async(name: str) -> None:
    sync, not_sync = getattr(PluginAPI, name), getattr(AsyncPluginAPI, name)
    assert inspect.signature(sync) == inspect.signature(not_sync)
    assert sync.__doc__ == not_sync.__doc__
    assert inspect.iscoroutinefunction(not_sync)
    assert not inspect.iscoroutinefunction(sync)
    assert sync.__doc__.endswith(f"Mattermost's {ROWS[name]['name']}, since {ROWS[name]['since']}.\n        ")


@every_method
def test_a_method_takes_and_gives_what_the_contract_says(name: str) -> None:
    parameters, result = signature(name)
    expected = {
        parameter: annotated(go) + " | None" * ((name, parameter) in MAY_BE_NONE)
        for parameter, go in taken(name).items()
    }
    if name in LOGGING:
        expected["key_value_pairs"] = "Any"
    assert [(parameter.name, parameter.annotation) for parameter in parameters] == [*expected.items()]
    gives = [annotated(go) for go in ROWS[name]["results"] if go not in ("error", "*model.AppError")]
    if name == "load_plugin_configuration":
        assert result == "dict[str, Any]"
    elif len(gives) > 1:
        assert result == f"tuple[{', '.join(gives)}]"
    else:
        assert result == (gives or ["None"])[0] + " | None" * (name in MAY_GIVE_NONE)


@every_method
def test_arguments_arrive_in_gos_order(recorder: Recorder, name: str) -> None:
    recorder.result = answered(name)
    go_name = ROWS[name]["name"]
    values = {parameter: filled(go, number) for number, (parameter, go) in enumerate(taken(name).items())}
    if name in LOGGING:
        assert call(recorder, name, "text", "key", 5, timeout=9) == [(go_name, ("text", ["key", 5]), 9)]
        return
    expected = (go_name, tuple(values.values()), 9)
    assert call(recorder, name, *values.values(), timeout=9) == [expected]
    assert call(recorder, name, **dict(reversed(values.items())), timeout=9) == [expected]


@every_method
def test_defaults_are_those_of_the_notes_come_last_and_are_sent(recorder: Recorder, name: str) -> None:
    recorder.result = answered(name)
    parameters, _ = signature(name)
    defaults = {parameter: None if text == "None" else text for parameter, text in defaults_of(name).items()}
    if name in LOGGING:
        assert call(recorder, name, "text") == [(ROWS[name]["name"], ("text", []), TIMEOUT)]
        return
    assert {p.name: p.default for p in parameters if p.default is not p.empty} == defaults
    needed = [filled(go, number) for number, go in enumerate(taken(name).values())][: len(parameters) - len(defaults)]
    assert call(recorder, name, *needed) == [(ROWS[name]["name"], (*needed, *defaults.values()), TIMEOUT)]


def defaults_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = NOTES[ROWS[name]["name"]].get("defaults", {})
    return found


def test_every_page_has_the_same_defaults() -> None:
    paged = [name for name in ROWS if "per_page" in taken(name)]
    assert len(paged) == 15
    for name in paged:
        assert (defaults_of(name)["page"], defaults_of(name)["per_page"]) == (0, 60)


@every_method
def test_a_result_is_given_as_it_came(recorder: Recorder, name: str) -> None:
    link = Link()
    link.caller = recorder
    arguments = [filled(go, number) for number, go in enumerate(taken(name).values())]
    gives = [filled(go, 4) for go in ROWS[name]["results"] if go not in ("error", "*model.AppError")]
    recorder.result = tuple(gives) if len(gives) > 1 else gives[0] if gives else None
    if name == "load_plugin_configuration":
        recorder.result = b'{"word": "w"}'
        gives = [{"word": "w"}]
    expected = tuple(gives) if len(gives) > 1 else gives[0] if gives else None
    assert getattr(PluginAPI(link), name)(*arguments) == expected
    assert asyncio.run(getattr(AsyncPluginAPI(link), name)(*arguments)) == expected


@pytest.mark.parametrize(("name", "parameter"), sorted(MAY_BE_NONE))
def test_none_is_sent_as_gos_empty_value_over_both_wires(name: str, parameter: str) -> None:
    row = ROWS[name]
    index = [*taken(name)].index(parameter)
    arguments = [filled(go, number + 1) for number, go in enumerate(taken(name).values())]
    arguments[index] = None
    schema, _ = contract.method(row["name"])
    sent = Stream(Side.PLUGIN).request("Plugin.M", 1, schema, dict(zip("ABCDEFGH", arguments, strict=False)))
    server = Stream(Side.SERVER)
    [request] = server.receive_requests(sent)
    assert "ABCDEFGH"[index] not in server.read(request.argument, schema), "what gob leaves out is Go's empty value"
    if row["name"] not in NOT_ON_THE_WIRE:
        codec = method_codec(row["name"])
        fields = codec._request.FromString(codec.request(arguments)).ListFields()
        assert parameter not in {field.name for field, _ in fields}


def test_settings_are_given_as_a_dict(recorder: Recorder) -> None:
    link = Link()
    link.caller = recorder
    for answer, settings in ((b'{"word": "w"}', {"word": "w"}), (b"", {}), (b"null", {})):
        recorder.result = answer
        assert PluginAPI(link).load_plugin_configuration() == settings
    recorder.result = b"[1]"
    with pytest.raises(APIError, match="LoadPluginConfiguration: expected a JSON object"):
        PluginAPI(link).load_plugin_configuration()


def test_a_key_that_is_not_there_is_none(recorder: Recorder) -> None:
    link = Link()
    link.caller = recorder
    for answer, value in ((b"v", b"v"), (b"", None)):
        recorder.result = answer
        assert PluginAPI(link).kv_get("k") == value


def test_a_plugin_loads_only_the_kind_that_it_uses() -> None:
    program = """
import sys
from mmhooks import App
app = App()
loaded = lambda: {name for name in sys.modules if name.startswith(("mmhooks.api", "mmhooks.models."))}
assert not loaded(), loaded()
app.api.get_user
assert loaded() == {"mmhooks.api", "mmhooks.api.calls", "mmhooks.api.methods", "mmhooks.api.pages"}, loaded()
app.async_api.get_user
assert "mmhooks.api.async_methods" in loaded()
"""
    ran = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_help_shows_the_types_and_loads_no_models_for_it() -> None:
    program = """
import pydoc, sys
from mmhooks.api import PluginAPI
print(pydoc.plain(pydoc.render_doc(PluginAPI.get_user)))
assert not [name for name in sys.modules if name.startswith("mmhooks.models")]
"""
    ran = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"get_user\(self, user_id: '?str'?, \*, timeout: '?float'? = 30\.0\) -> '?User'?", ran.stdout)
    assert "NotFound when there is no such user" in ran.stdout


def test_the_package_lists_the_names_that_it_loads_when_they_are_used() -> None:
    assert {*mmhooks.api.__all__} <= {*dir(mmhooks.api)}
    assert "AsyncPluginAPI" in pydoc.plain(pydoc.render_doc(mmhooks.api))
    with pytest.raises(AttributeError, match=r"^module 'mmhooks.api' has no attribute 'Nonsense'$"):
        _ = mmhooks.api.Nonsense


READING = """
    CountPropertyFields CountPropertyFieldsForTarget GetBot GetBots GetBundlePath GetChannel GetChannelByName
    GetChannelByNameForTeamName GetChannelMember GetChannelMembers GetChannelMembersByIds GetChannelMembersForUser
    GetChannelSidebarCategories GetChannelStats GetChannelsForTeamForUser GetCloudLimits GetCommand GetConfig
    GetDiagnosticId GetEmoji GetEmojiByName GetEmojiImage GetEmojiList GetFile GetFileInfo GetFileInfos GetFileLink
    GetGroup GetGroupByName GetGroupByRemoteID GetGroupMemberUsers GetGroupSyncable GetGroupSyncables GetGroups
    GetGroupsBySource GetGroupsForUser GetLDAPUserAttributes GetLicense GetOAuthApp GetPluginConfig GetPluginID
    GetPluginStatus GetPlugins GetPost GetPostThread GetPostsAfter GetPostsBefore GetPostsForChannel GetPostsSince
    GetPreferenceForUser GetPreferencesForUser GetProfileImage GetPropertyField GetPropertyFieldByName
    GetPropertyFields GetPropertyGroup GetPropertyValue GetPropertyValues GetPublicChannelsForTeam GetReactions
    GetServerVersion GetSession GetSystemInstallDate GetTeam GetTeamByName GetTeamIcon GetTeamMember GetTeamMembers
    GetTeamMembersForUser GetTeamStats GetTeams GetTeamsForUser GetTeamsUnreadForUser GetTelemetryId
    GetUnsanitizedConfig GetUploadSession GetUser GetUserByEmail GetUserByUsername GetUserStatus GetUserStatusesByIds
    GetUsers GetUsersByIds GetUsersByUsernames GetUsersInChannel GetUsersInTeam HasPermissionTo HasPermissionToChannel
    HasPermissionToTeam IsEnterpriseReady KVGet KVList ListBuiltInCommands ListCommands ListCustomCommands
    ListPluginCommands LoadPluginConfiguration ReadFile SearchChannels SearchPostsInTeam SearchPostsInTeamForUser
    SearchPropertyFields SearchPropertyValues SearchTeams SearchUsers
"""
"""The methods that only read, looked at one by one; RolesGrantPermission, which does too, is not among those repeated."""

MAKING_WHAT_IS_NOT_THERE = "GetDirectChannel GetGroupChannel"
"""Whose second call finds what the first one has made."""


def test_what_is_repeated_after_a_failure_was_looked_at_one_by_one() -> None:
    expected = {*READING.split(), *MAKING_WHAT_IS_NOT_THERE.split()}
    assert {row["name"] for row in INTERFACE["api"] if is_repeatable(row["name"])} == expected
