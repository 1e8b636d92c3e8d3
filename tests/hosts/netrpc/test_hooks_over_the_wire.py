"""Every unary hook, from the real Go host to a handler and back, field by field."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mmhooks.hooks import HOOKS, Hook, Kind
from mmhooks.hosts.netrpc import structs
from tests.conftest import Start
from tests.host_driver import HostError
from tests.hosts.netrpc.conftest import Echo

UNARY = [HOOKS[name] for name in structs.HOOKS]

MERGED = {"MessageWillBePosted", "ChannelMemberWillBeAdded", "TeamMemberWillBeAdded"}
"""The Go host decodes the answers of these into what it has sent."""

by_hook = pytest.mark.parametrize("hook", UNARY, ids=lambda hook: hook.name)


def having(*kinds: Kind) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("hook", [h for h in UNARY if h.kind in kinds], ids=lambda hook: hook.name)


def letters(hook: Hook) -> dict[str, str]:
    """Mattermost's name of each argument on the wire, by ours."""
    return {parameter.name: "ABCDEFGH"[number] for number, parameter in enumerate(hook.parameters)}


def answer_letter(hook: Hook) -> str:
    """The argument that an answer may take the place of."""
    return next(letter for name, letter in letters(hook).items() if name != "context")


def same(got: Any, sent: Any) -> Any:
    """What was sent, with our empty lists and dicts in the place of Go's null: to be compared with what came."""
    if isinstance(sent, dict) and isinstance(got, dict):
        return {key: same(got.get(key), value) for key, value in sent.items()}
    if isinstance(sent, list) and isinstance(got, list) and len(got) == len(sent):
        return [same(one, other) for one, other in zip(got, sent, strict=True)]
    return got if sent is None and got in ([], {}) else sent


EMPTY: tuple[Any, ...] = (None, "", 0, False, [], {}, "0001-01-01T00:00:00Z")


def pruned(value: Any) -> Any:
    """A value without what gob leaves out of structs."""
    if isinstance(value, dict):
        return {key: part for key, item in value.items() if (part := pruned(item)) not in EMPTY}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def at(value: Any, path: str) -> Any:
    """What stands at a Go path in attributes: `Metadata.Files[0].Path`."""
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path.replace("].", "]")):
        if index or name.isdecimal():
            value = value[int(index or name)]
        else:
            value = next(part for key, part in value.items() if key.replace("_", "") == name.lower())
    return value


def within(got: Any, value: Any) -> Any:
    """What came, as far as Go has told of it: hidden structs stand there without what is hidden in them."""
    if isinstance(value, dict) and isinstance(got, dict):
        return {key: within(got.get(key), part) for key, part in value.items()}
    if isinstance(value, list) and isinstance(got, list) and len(got) == len(value):
        return [within(one, other) for one, other in zip(got, value, strict=True)]
    return got


@by_hook
@pytest.mark.parametrize("seed", [0, 1])
def test_handler_sees_every_field_that_the_host_sent(echo: Echo, hook: Hook, seed: int) -> None:
    sent = echo.plugin.fill(hook.name, seed)
    echo.call(hook.name, seed=seed)
    came = echo.last()
    assert came["hook"] == hook.name
    assert {*came["json"]} == {*letters(hook)}
    for name, letter in letters(hook).items():
        got = came["json"][name]
        assert got == same(got, sent["args"][letter]), name
    for path, value in sent["hidden"].items():
        name = next(name for name, letter in letters(hook).items() if letter == path[0])
        got = at(came["arguments"][name], path[1:])
        assert within(got, value) == value, path


@by_hook
def test_handler_sees_zeros_where_the_host_sends_nothing(echo: Echo, hook: Hook) -> None:
    sent = echo.plugin.fill(hook.name, zeros=True)["args"]
    echo.call(hook.name, seed=0, zeros=True)
    came = echo.last()["json"]
    for name, letter in letters(hook).items():
        assert pruned(came[name]) == pruned(sent[letter]), name


@by_hook
def test_what_the_host_leaves_unset_arrives_as_none(echo: Echo, hook: Hook) -> None:
    echo.script(hook.name, "def answer(**a): pass")
    try:
        echo.call(hook.name)
    except HostError as error:
        assert (error.code, hook.kind) == ("rpc", Kind.VALUE)  # noqa: PT017 - these have no place for an error
    finally:
        echo.script(hook.name, None)
    came = echo.last()["arguments"]
    plain = {"str": "", "int": 0}
    for parameter in hook.parameters:
        if parameter.type in ("PluginClusterEvent", "OnInstallEvent"):  # no pointers in Go
            assert not any(came[parameter.name].values())
        else:
            assert came[parameter.name] == ([] if parameter.type.startswith("list") else plain.get(parameter.type))


# answers


NEEDS_VALUE = ["RunDataRetention", "OnSharedChannelsSyncMsg"]

ZERO = {
    Kind.NOTIFY: {},
    Kind.FALLIBLE: {"A": None},
    Kind.GATE: {"A": ""},
    Kind.FILTER: {"A": None, "B": ""},
}
EMPTY_RESPONSE: dict[str, Any] = dict.fromkeys(
    ("response_type", "text", "username", "channel_id", "icon_url", "type", "goto_location", "trigger_id"), ""
)
EMPTY_RESPONSE |= {"props": None, "attachments": None, "extra_responses": None, "skip_slack_parsing": False}


@pytest.mark.parametrize(
    "hook", [h for h in UNARY if h.kind is not Kind.VALUE and h.name not in NEEDS_VALUE], ids=lambda hook: hook.name
)
def test_none_means_unchanged_allowed_or_done(echo: Echo, hook: Hook) -> None:
    sent = echo.plugin.fill(hook.name)["args"]
    reply = echo.answered(hook.name, "return None", seed=0)["reply"]
    if hook.name in MERGED or hook.name == "MessageWillBeUpdated":
        assert reply == {"A": sent["B"], "B": ""}
    elif hook.name == "ExecuteCommand":
        assert reply.pop("B") is None
        assert {**EMPTY_RESPONSE, **reply["A"]} == EMPTY_RESPONSE
    else:
        assert reply == ZERO.get(hook.kind, {"A": None, "B": None})


@pytest.mark.parametrize("hook", NEEDS_VALUE)
def test_none_where_a_value_is_due_is_an_error_in_the_reply(echo: Echo, hook: str) -> None:
    error = echo.answered(hook, "return None")["reply"]["B"]
    assert "cannot return None" in error["detailed_error"]


def test_none_where_a_value_is_due_and_no_error_can_be_told_is_an_error_of_the_call(echo: Echo) -> None:
    with pytest.raises(HostError, match=r"rpc: .*OnSharedChannelsPing: a handler cannot return None"):
        echo.answered("OnSharedChannelsPing", "return None")
    assert echo.plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


@having(Kind.FILTER, Kind.GATE)
def test_refusal_reaches_the_host_with_its_reason(echo: Echo, hook: Hook) -> None:
    reply = echo.answered(hook.name, "return Reject('no: \u0436\u20ac\U0001f600')", seed=0)["reply"]
    last = [*reply][-1]
    assert reply[last] == "no: \u0436\u20ac\U0001f600"
    if hook.kind is Kind.FILTER and hook.name not in MERGED:
        assert reply["A"] is None


@having(Kind.FALLIBLE, Kind.FALLIBLE_VALUE)
def test_app_error_reaches_the_host_in_all_its_fields(echo: Echo, hook: Hook) -> None:
    error = "AppError('no such city', id='weather.city', detailed_error='Atlantis', status_code=404, where='forecast')"
    reply = echo.answered(hook.name, f"raise {error}", seed=0)["reply"]
    told = reply[[*reply][-1]]
    if "type" in told:  # a plain error, not an AppError, in Go's signature
        assert told.pop("type") == "*model.AppError"
    assert told["id"] == "weather.city"
    assert told["message"] == "no such city"
    assert told["detailed_error"] == "no such city: Atlantis"
    assert told["status_code"] == 404


@having(Kind.FALLIBLE, Kind.FALLIBLE_VALUE)
def test_any_exception_reaches_the_host_as_an_error_in_the_reply(echo: Echo, hook: Hook) -> None:
    reply = echo.answered(hook.name, "raise LookupError('no such word')")["reply"]
    told = reply[[*reply][-1]]
    assert told["detailed_error"] == "LookupError: no such word"
    assert told["status_code"] == 500


VALUES = {
    "ExecuteCommand": "CommandResponse",
    "MessageWillBePosted": "Post",
    "MessageWillBeUpdated": "Post",
    "ChannelMemberWillBeAdded": "ChannelMember",
    "TeamMemberWillBeAdded": "TeamMember",
    "EmailNotificationWillBeSent": "EmailNotificationContent",
    "NotificationWillBePushed": "PushNotification",
    "ConfigurationWillBeSaved": "Config",
    "OnSharedChannelsSyncMsg": "SyncResponse",
    "MessagesWillBeConsumed": "Post",
    "GenerateSupportData": "FileData",
}


def decoded_over(old: Any, new: Any) -> Any:
    """What Go makes of an answer that it decodes into what it has: elements of lists are decoded into those that are
    there, and keys of maps stay. What stands behind an interface is replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        interfaces = {"data", *(old.get("props") or {})}
        return {**old, **{k: v if k in interfaces else decoded_over(old.get(k), v) for k, v in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        return [decoded_over(old[n] if n < len(old) else None, part) for n, part in enumerate(new)]
    return new


@pytest.mark.parametrize("hook", [*VALUES])
def test_value_of_a_handler_arrives_in_every_field(echo: Echo, hook: str) -> None:
    value = echo.plugin.host.ask("gob_encode", type=VALUES[hook], seed=7)["value"]
    answer = f"{VALUES[hook]}.from_dict(json.loads({json.dumps(json.dumps(value))}))"
    many = "[]" if HOOKS[hook].result.startswith("list") else ""
    got = echo.answered(hook, f"import json\nreturn {answer if not many else f'[{answer}]'}", seed=0)["reply"]["A"]
    if many:
        (got,) = got
    if hook in MERGED:
        value = decoded_over(echo.plugin.fill(hook)["args"]["B"], value)
    assert got == same(value, value)


def test_numbers_and_yes_or_no_arrive(echo: Echo) -> None:
    assert echo.plugin.call_rpc("RunDataRetention", {"A": 1, "B": 2})["reply"] == {"A": 2**40, "B": None}
    assert echo.plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    assert echo.answered("OnSharedChannelsPing", "return False")["reply"] == {"A": False}
    assert echo.answered("RunDataRetention", "return -2**63")["reply"] == {"A": -(2**63), "B": None}


def test_what_the_host_gives_and_gets_back_is_the_same_in_every_field(echo: Echo) -> None:
    for hook in ("MessageWillBePosted", "MessageWillBeUpdated", "NotificationWillBePushed", "ConfigurationWillBeSaved"):
        sent = echo.plugin.fill(hook, 5)
        back = echo.plugin.call_rpc(hook, seed=5)  # the handler returns its argument
        letter = answer_letter(HOOKS[hook])
        assert back["reply"]["A"] == sent["args"][letter], hook
        hidden = {path: value for path, value in sent["hidden"].items() if path.startswith(f"{letter}.")}
        assert back["hidden"] == {f"A.{path.partition('.')[2]}": value for path, value in hidden.items()}, hook


# answers that are decoded into the original


def merging(echo: Echo, edit: str, **args: Any) -> dict[str, Any]:
    """The post that the server has then."""
    reply = echo.answered("MessageWillBePosted", f"post = a['post']\n{edit}\nreturn post", seed=0, **args)["reply"]
    assert reply["B"] == ""
    post: dict[str, Any] = reply["A"]
    return post


def test_only_what_a_handler_changed_is_other(echo: Echo) -> None:
    sent = echo.plugin.fill("MessageWillBePosted")["args"]["B"]
    assert merging(echo, "post.message = 'new'") == {**sent, "message": "new"}
    assert merging(echo, "post.is_pinned = False\npost.create_at = 5") == {**sent, "is_pinned": False, "create_at": 5}
    assert merging(echo, "post = Post(message='x')")["message"] == "x"


def test_only_what_changed_goes_over_the_wire(echo: Echo) -> None:
    # A field that the host set after the plugin got its copy stays: nothing but changes is in the answer.
    reply = echo.plugin.ask("bench", hook="MessageWillBePosted", seed=0, calls=2, callers=1)["reply"]
    assert reply["A"] == echo.plugin.fill("MessageWillBePosted")["args"]["B"]


@pytest.mark.parametrize(
    ("hook", "fields"),
    [
        ("MessageWillBePosted", {"message": "", "is_pinned": False, "create_at": 0, "file_ids": []}),
        ("ChannelMemberWillBeAdded", {"roles": "", "scheme_admin": False, "msg_count": 0}),
        ("TeamMemberWillBeAdded", {"roles": "", "scheme_user": False, "delete_at": 0}),
        ("MessageWillBeUpdated", {"message": "", "is_pinned": False, "create_at": 0, "file_ids": []}),
        ("NotificationWillBePushed", {"message": "", "badge": 0}),
    ],
)
def test_fields_can_be_cleared(echo: Echo, hook: str, fields: dict[str, Any]) -> None:
    letter = answer_letter(HOOKS[hook])
    sent = echo.plugin.fill(hook)["args"][letter]
    assert {name for name in fields if sent.get(name)} == {*fields}  # they were there
    name = next(name for name, other in letters(HOOKS[hook]).items() if other == letter)
    lines = [f"{name} = a[{name!r}]", *(f"{name}.{field} = {value!r}" for field, value in fields.items())]
    got = echo.answered(hook, "\n".join([*lines, f"return {name}"]), seed=0)["reply"]["A"]
    assert {field: got.get(field) or type(value)() for field, value in fields.items()} == fields
    assert {k: v for k, v in got.items() if k not in fields} == {k: v for k, v in sent.items() if k not in fields}


def test_props_are_merged_key_by_key_and_attachments_stay_as_they_are(echo: Echo) -> None:
    sent = echo.plugin.fill("MessageWillBePosted")["args"]["B"]
    got = merging(echo, "post.props['new'] = {'a': [1, None, 2.5, 'x', {'b': True}]}\npost.props['int'] = 8")
    new = {"a": [1, None, 2.5, "x", {"b": True}]}
    assert got == {**sent, "props": {**sent["props"], "new": new, "int": 8}}
    assert got["props"]["attachments"][0]["fields"]


def test_attachments_are_read_by_mattermosts_json_names_and_can_be_changed(echo: Echo) -> None:
    got = merging(echo, "post.props['attachments'][0]['text'] = 'other'")
    sent = echo.plugin.fill("MessageWillBePosted")["args"]["B"]["props"]["attachments"]
    assert got["props"]["attachments"] == [{**sent[0], "text": "other"}, sent[1]]


def test_nested_models_are_merged_as_well(echo: Echo) -> None:
    sent = echo.plugin.fill("MessageWillBePosted")["args"]["B"]
    got = merging(echo, "post.metadata.priority.priority = ''")
    priority = {**sent["metadata"]["priority"], "priority": None}
    # A pointer to an empty text is no text in gob.
    assert {**got["metadata"]["priority"], "priority": got["metadata"]["priority"]["priority"] or None} == priority
    assert {**got["metadata"], "priority": None} == {**sent["metadata"], "priority": None}


def test_elements_of_lists_can_be_cleared_swapped_added_and_removed(echo: Echo) -> None:
    sent = echo.plugin.fill("MessageWillBePosted")["args"]["B"]["metadata"]
    first, second = sent["files"]
    got = merging(echo, "post.metadata.files.reverse()")["metadata"]
    assert got == {**sent, "files": [second, first]}
    got = merging(echo, "post.metadata.files[1].name = ''\npost.metadata.files[1].size = 0")["metadata"]
    assert got == {**sent, "files": [first, {**second, "name": "", "size": 0}]}
    got = merging(echo, "post.metadata.files.pop(0)\npost.metadata.files[0].width = 3")["metadata"]
    assert got == {**sent, "files": [{**second, "width": 3}]}
    got = merging(echo, "post.metadata.files.append(FileInfo(id='third'))")["metadata"]["files"]
    assert (len(got), got[2]["id"], got[2]["name"]) == (3, "third", "")
    got = merging(echo, "post.file_ids.insert(0, 'x')\npost.metadata.reactions = []")
    assert got["file_ids"][0] == "x"
    assert not got["metadata"].get("reactions")
    got = merging(echo, "post.metadata.embeds[0].data = None")["metadata"]
    assert got["embeds"][0].get("data") is None


def test_what_cannot_be_removed_stays_and_is_named_in_the_log_once(echo: Echo) -> None:
    sent = echo.plugin.fill("MessageWillBePosted")["args"]["B"]
    for _ in range(2):
        assert merging(echo, "del post.props['text']\npost.metadata = None\npost.message = 'new'") == {
            **sent,
            "message": "new",
        }
    echo.plugin.wait_log("removed, but released servers merge")
    lines = [record for record in echo.plugin.logs() if "post.props['text']" in record["message"]]
    assert len(lines) == 1
    assert lines[0]["level"] == "warn"
    assert "post.metadata" in lines[0]["message"]
    assert "MessageWillBePosted" in lines[0]["message"]


def test_post_that_is_edited_afresh_is_exactly_what_the_handler_returned(echo: Echo) -> None:
    # MessageWillBeUpdated is decoded into an empty post: nothing is merged, and removing works.
    reply = echo.answered(
        "MessageWillBeUpdated", "p = a['new_post']\ndel p.props['text']\np.metadata = None\nreturn p", seed=0
    )["reply"]
    sent = echo.plugin.fill("MessageWillBeUpdated")["args"]["B"]
    sent["props"].pop("text")
    del sent["metadata"]
    assert reply == {"A": sent, "B": ""}


@pytest.mark.parametrize("answer", ["return Reject('no edits')", "raise Reject('no edits')"])
def test_edit_that_is_refused_is_no_post_at_all(echo: Echo, answer: str) -> None:
    assert echo.answered("MessageWillBeUpdated", answer, seed=0)["reply"] == {"A": None, "B": "no edits"}


def test_lists_of_posts_go_back_as_they_came(echo: Echo) -> None:
    sent = echo.plugin.fill("MessagesWillBeConsumed", 4)
    for answer in ("return None", "return a['posts']"):
        back = echo.answered("MessagesWillBeConsumed", answer, seed=4)
        assert back["reply"]["A"] == sent["args"]["A"]
        assert back["hidden"] == sent["hidden"]
    assert echo.answered("MessagesWillBeConsumed", "return a['posts'][1:]", seed=4)["reply"]["A"] == [
        sent["args"]["A"][1]
    ]
    assert not echo.answered("MessagesWillBeConsumed", "return []", seed=4)["reply"]["A"]
    assert not echo.answered("MessagesWillBeConsumed", "return None", {"A": []})["reply"]["A"]


def test_mail_goes_back_as_its_eight_texts(echo: Echo) -> None:
    sent = echo.plugin.fill("EmailNotificationWillBeSent")["args"]["A"]
    got = echo.plugin.call_rpc("EmailNotificationWillBeSent", seed=0)["reply"]["A"]  # the handler returns its argument
    assert len(got) == 8
    assert got == {name: sent[name] for name in got}


def test_configuration_goes_back_with_its_plugins_settings(echo: Echo) -> None:
    sent = echo.plugin.fill("ConfigurationWillBeSaved")["args"]["A"]
    reply = echo.answered(
        "ConfigurationWillBeSaved",
        "c = a['config']\nc.ServiceSettings.SiteURL = 'https://example.com'\n"
        "c.PluginSettings.Plugins['a.plugin'] = {'k': 1}\nreturn c",
        seed=0,
    )["reply"]
    sent["ServiceSettings"]["SiteURL"] = "https://example.com"
    sent["PluginSettings"]["Plugins"]["a.plugin"] = {"k": 1}
    assert reply == {"A": sent, "B": None}


def test_whole_numbers_in_props_are_ints_as_under_the_other_host(echo: Echo) -> None:
    echo.answered(
        "MessageWillBePosted",
        "p = a['post'].props\nassert type(p['whole']) is int and type(p['int']) is int and p['bytes'] == b'\\0\\1\\xff'",
        seed=0,
    )


# what a host is told


def test_hooks_with_streams_are_left_out_with_one_warning(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App, HookName
        app = App()
        for name in (HookName.ServeHTTP, HookName.FileWillBeUploaded, HookName.ServeMetrics):
            app.hook(name)(lambda **arguments: None)
        @app.hook
        def user_will_log_in(user):
            pass
        app.run()
    """)
    assert plugin.started["implemented"] == ["OnActivate", "UserWillLogIn"]
    assert plugin.call_rpc("Implemented")["reply"] == ["OnActivate", "UserWillLogIn"]
    record = plugin.wait_log("not served under this host")
    assert record["level"] == "warn"
    assert record["message"].startswith("ServeHTTP, FileWillBeUploaded, ServeMetrics: ")
    assert len([r for r in plugin.logs() if "not served under this host" in r["message"]]) == 1


def test_every_hook_but_those_with_streams_is_on_this_wire(echo: Echo) -> None:
    assert len(UNARY) == 43
    assert echo.plugin.started["implemented"] == [hook.name for hook in UNARY]
    assert {*HOOKS} - {hook.name for hook in UNARY} == {"ServeHTTP", "FileWillBeUploaded", "ServeMetrics"}
