"""The table of hooks: what it says agrees with Mattermost's interface, and names are found the way people write them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mmhooks import HookName, UnknownHook
from mmhooks.errors import RegistrationError
from mmhooks.hooks import HOOKS, Hook, Kind, find_hook, infer_hook
from mmhooks.hosts.grpc.messages import methods

INTERFACE = json.loads((Path(__file__).parents[1] / "protos" / "interface.json").read_text())
GO: dict[str, dict[str, Any]] = {hook["name"]: hook for hook in INTERFACE["hooks"]}

STREAMS = {
    "http.ResponseWriter": "Response",
    "*http.Request": "Request",
    "io.Reader": "BinaryIO",
    "io.Writer": "BinaryIO",
}
NAMED = {"model.FileDownloadType": "str"}
BASIC = {"string": "str", "bool": "bool", "int": "int", "int64": "int"}

ON_THE_WIRE = [
    hook
    for hook in HOOKS.values()
    if hook.name in methods() and hook.kind is not Kind.STREAM and hook.name is not HookName.FileWillBeUploaded
]
"""The hooks whose requests carry just their parameters; the others go as streams, or not at all."""

every_hook = pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)


def python_type(go: str) -> str:
    """What a Go type of a hook's parameter or result is called here."""
    if go in STREAMS:
        return STREAMS[go]
    if go.startswith("[]"):
        return f"list[{python_type(go[2:])}]"
    return BASIC.get(go) or NAMED.get(go) or go.lstrip("*").split(".")[1]


def kind_by_results(go: dict[str, Any]) -> Kind:
    """What kind of hook a Go signature is."""
    parameters, results = [type_ for _, type_ in go["parameters"]], go["results"]
    if "http.ResponseWriter" in parameters:
        return Kind.STREAM
    if results in ([], ["error"], ["string"]):
        return {"": Kind.NOTIFY, "error": Kind.FALLIBLE, "string": Kind.GATE}["".join(results)]
    if results[1:] == ["string"]:
        return Kind.FILTER
    return Kind.FALLIBLE_VALUE if len(results) == 2 else Kind.VALUE


def test_the_hooks_are_those_of_the_go_interface_in_its_order() -> None:
    assert [*HOOKS] == [*GO]
    assert [name.value for name in HookName] == [*GO]
    assert len(HOOKS) == 46


def test_hook_names_are_spelt_like_their_values() -> None:
    assert [(name.name, str(name)) for name in HookName] == [(name, name) for name in GO]


@every_hook
def test_the_first_server_version_is_that_of_the_go_interface(hook: Hook) -> None:
    assert hook.since == GO[hook.name]["since"]


@every_hook
def test_the_kind_follows_from_the_results_in_go(hook: Hook) -> None:
    assert hook.kind is kind_by_results(GO[hook.name])


@every_hook
def test_the_parameters_have_the_types_of_the_go_interface(hook: Hook) -> None:
    ours = [parameter.type.removesuffix(" | None") for parameter in hook.parameters]
    # Go writes its answer before it reads the request; here the request comes first.
    go = [python_type(type_) for _, type_ in GO[hook.name]["parameters"]]
    assert (sorted(ours) == sorted(go)) if hook.kind is Kind.STREAM else (ours == go)


@every_hook
def test_what_may_be_returned_is_the_first_result_in_go(hook: Hook) -> None:
    results = [python_type(type_) for type_ in GO[hook.name]["results"] if type_ not in ("error", "string")]
    if hook.kind in (Kind.FILTER, Kind.VALUE, Kind.FALLIBLE_VALUE):
        assert results[0] in hook.result.split(" | ")
    else:
        assert (results, hook.result) == ([], "")


@every_hook
def test_context_comes_first_where_go_has_one(hook: Hook) -> None:
    names = [parameter.name for parameter in hook.parameters]
    if any(type_ == "*plugin.Context" for _, type_ in GO[hook.name]["parameters"]):
        assert names[0] == "context"
    assert "context" not in names[1:]


@pytest.mark.parametrize("hook", ON_THE_WIRE, ids=lambda hook: hook.name)
def test_parameters_have_the_names_of_the_request_on_the_wire(hook: Hook) -> None:
    renamed = {"plugin_context": "context", "new_config": "config", "email_notification": "notification"}
    on_wire = [f.name for f in methods()[hook.name].input_type.fields if f.name != "context"]
    assert [parameter.name for parameter in hook.parameters] == [renamed.get(name, name) for name in on_wire]


@every_hook
def test_the_signature_can_be_written_as_a_function(hook: Hook) -> None:
    compile(f"def {hook.method}{hook.signature}: ...", "signature", "exec")


@every_hook
def test_a_function_called_like_the_hook_in_snake_case_is_found(hook: Hook) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", hook.method)
    assert infer_hook(hook.method) is hook
    assert find_hook(hook.name) is hook


@pytest.mark.parametrize(
    ("function", "hook"),
    [
        ("on_saml_login", "OnSAMLLogin"),
        ("serve_http", "ServeHTTP"),
        ("on_web_socket_connect", "OnWebSocketConnect"),
        ("on_websocket_connect", "OnWebSocketConnect"),
        ("on_web_socket_disconnect", "OnWebSocketDisconnect"),
        ("on_websocket_disconnect", "OnWebSocketDisconnect"),
        ("websocket_message_has_been_posted", "WebSocketMessageHasBeenPosted"),
        ("web_socket_message_has_been_posted", "WebSocketMessageHasBeenPosted"),
        ("user_will_log_in", "UserWillLogIn"),
        ("user_will_login", "UserWillLogIn"),
        ("user_has_logged_in", "UserHasLoggedIn"),
        ("message_will_be_posted", "MessageWillBePosted"),
        ("_on_activate", "OnActivate"),
        ("OnActivate", "OnActivate"),
        ("generate_support_data", "GenerateSupportData"),
    ],
)
def test_names_of_functions_are_recognised(function: str, hook: str) -> None:
    assert infer_hook(function).name == hook


@pytest.mark.parametrize(
    ("function", "method"),
    [
        ("OnSAMLLogin", "on_saml_login"),
        ("ServeHTTP", "serve_http"),
        ("OnWebSocketConnect", "on_websocket_connect"),
        ("UserWillLogIn", "user_will_log_in"),
        ("OnSharedChannelsProfileImageSyncMsg", "on_shared_channels_profile_image_sync_msg"),
    ],
)
def test_abbreviations_stay_whole_in_snake_case(function: str, method: str) -> None:
    assert HOOKS[function].method == method


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("MessageWillBePost", "MessageWillBePosted"),
        ("messagewillbeposted", "MessageWillBePosted"),
        ("message_will_be_posted", "MessageWillBePosted"),
        ("OnSamlLogin", "OnSAMLLogin"),
        ("ServeHttp", "ServeHTTP"),
        ("UserHasJoinChannel", "UserHasJoinedChannel"),
        (" OnActivate", "OnActivate"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(UnknownHook) as caught:
        find_hook(wrong)
    assert str(caught.value) == f"{wrong!r} is not a hook of Mattermost; did you mean {right!r}?"


def test_a_name_like_no_other_points_to_the_list() -> None:
    with pytest.raises(UnknownHook, match=r"^'Xyzzy' is not a hook of Mattermost; see HookName for all of them\.$"):
        find_hook("Xyzzy")


def test_an_unknown_function_name_is_answered_with_the_nearest_as_functions_are_written() -> None:
    with pytest.raises(UnknownHook) as caught:
        infer_hook("message_was_posted")
    text = str(caught.value)
    assert "the function 'message_was_posted'" in text
    assert re.search(r"did you mean 'message_\w+_posted'\?", text)
    assert "@app.hook(HookName." in text


@pytest.mark.parametrize("look_up", [find_hook, infer_hook])
@pytest.mark.parametrize("name", ["Implemented", "implemented"])
def test_implemented_is_explained(look_up: Any, name: str) -> None:
    with pytest.raises(UnknownHook, match=r"mmhooks answers it itself, with app\.implemented_hooks\(\)"):
        look_up(name)


def test_an_unknown_hook_is_a_registration_error_and_a_lookup_error() -> None:
    with pytest.raises(RegistrationError) as caught:
        find_hook("x")
    assert isinstance(caught.value, LookupError)


def test_only_filters_and_gates_may_reject() -> None:
    assert {kind for kind in Kind if kind.may_reject} == {Kind.FILTER, Kind.GATE}


def test_only_fallible_hooks_tell_errors() -> None:
    assert {kind for kind in Kind if kind.tells_errors} == {Kind.FALLIBLE, Kind.FALLIBLE_VALUE}


def test_wrong_member_of_the_enum_is_told_with_the_nearest() -> None:
    with pytest.raises(
        AttributeError, match=r"HookName\.MessagePosted is not a hook of Mattermost; did you mean 'Message"
    ):
        _ = HookName.MessagePosted  # type: ignore[attr-defined]  # the mistake
    assert not hasattr(HookName, "__no_such_thing__")
