"""Every type that a call carries, there and back: Go fills it, Python reads and writes it, Go reads that."""

from __future__ import annotations

from typing import Any

import pytest

from mmhooks import Post
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.primitives import read_int, read_uint
from mmhooks.hosts.netrpc.gob.schema import Field, Interface, Struct
from mmhooks.hosts.netrpc.gob.types import Side, read_definition
from mmhooks.hosts.netrpc.structs import API, HOOKS, STRUCTS
from mmhooks.models import (
    AutocompleteDynamicListArg,
    AutocompleteListItem,
    AutocompleteStaticListArg,
    AutocompleteTextArg,
    Model,
    PreviewPost,
)
from tests.host_driver import GoHost
from tests.hosts.netrpc.gobs import End
from tests.hosts.netrpc.test_hooks_over_the_wire import same


def go_name(go: str) -> str:
    """What the host's contract calls a struct: two packages have a ProxyRestriction."""
    return "ProxyRestrictionInfo" if go == "saml2.ProxyRestriction" else go.partition(".")[2]


CASES: dict[str, Struct] = {go_name(go): contract.struct(go) for go in STRUCTS}
for calls, find in ((HOOKS, contract.hook), (API, contract.method)):
    for name in calls:
        args, returns = find(name)
        CASES |= {f"Z_{name}Args": args, f"Z_{name}Returns": returns}
del CASES["Z_OnActivateArgs"]  # numbers of streams, which the session reads itself


def cleaned(value: Any) -> Any:
    """Without what an AppError has no place for here: that the server leaves its text alone; and with 500 where the status
    is zero."""
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "detailed_error" in value:
        value = {"status_code": 500, **value}
    return {key: cleaned(item) for key, item in value.items() if not key.endswith("SkipTranslation")}


def there_and_back(gohost: GoHost, name: str, *, adopts: bool, **fill: Any) -> tuple[Any, Any, Any]:
    """The value in Python, what Go meant, and what Go has in the end."""
    schema = CASES[name]
    encoded = gohost.ask("gob_encode", type=name, **fill)
    end = End()
    value = end.decode(encoded["hex"], schema)
    # Go leaves out pointers to zero: what its own decoder reads is what it has said.
    meant = gohost.ask("gob_decode", type=name, hex=encoded["hex"])
    if not fill.get("zeros"):
        assert (meant["value"], meant["hidden"]) == (encoded["value"], encoded["hidden"])
    sent = (end if adopts else End()).encode(schema, value)
    read = gohost.ask("gob_decode", type=name, hex=sent.hex())
    assert read["left"] == 0
    return value, meant, read


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("adopts", [True, False], ids=["types of the server", "types of our own"])
def test_all_that_go_fills_comes_back(gohost: GoHost, name: str, adopts: bool) -> None:
    for fill in ({"seed": 0}, {"seed": 1}, {"seed": 2}, {"seed": 0, "zeros": True}):
        _, meant, read = there_and_back(gohost, name, adopts=adopts, **fill)
        assert cleaned(read["value"]) == cleaned(meant["value"])
        assert cleaned(read["hidden"]) == cleaned(meant["hidden"])


@pytest.mark.parametrize("name", [name for name, schema in CASES.items() if schema.keeps])
def test_the_json_of_a_model_is_that_of_go(gohost: GoHost, name: str) -> None:
    for seed in range(3):
        value, meant, _ = there_and_back(gohost, name, adopts=True, seed=seed)
        found = value.to_dict()
        assert found == same(found, meant["value"])


ARGUMENTS = [
    AutocompleteTextArg(hint="[name]", pattern="a.*"),
    AutocompleteStaticListArg(possible_arguments=[AutocompleteListItem(item="a", hint="h", help_text="t")]),
    AutocompleteDynamicListArg(fetch_url="list"),
]


@pytest.mark.parametrize("value", [*ARGUMENTS, PreviewPost(post_id="p", post=Post(message="m"))])
def test_a_model_that_go_tells_by_its_type_has_that_type(gohost: GoHost, value: Model) -> None:
    fields = (Field("V", "V", Interface()),)
    sent = End().encode(Struct("anything", dict, lambda: fields), {"V": value})
    read = gohost.ask("gob_decode_any", hex=sent.hex())
    assert read["type"] == f"*contract.{type(value).__name__}"
    found = value.to_dict()
    assert found == same(found, read["value"])


def test_arguments_of_commands_come_as_what_they_are(gohost: GoHost) -> None:
    value, _, _ = there_and_back(gohost, "Command", adopts=True, seed=0)
    commands = [value.autocomplete_data, *value.autocomplete_data.sub_commands]
    found = [type(argument.data) for command in commands for argument in command.arguments]
    assert {*found} == {type(value) for value in ARGUMENTS}


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("Z_")])
def test_an_empty_value_can_be_sent(gohost: GoHost, name: str) -> None:
    sent = End().encode(CASES[name], {})
    assert gohost.ask("gob_decode", type=name, hex=sent.hex())["left"] == 0


def test_types_that_the_server_has_told_go_back_under_its_numbers(gohost: GoHost) -> None:
    posted = gohost.ask("gob_encode", type="Z_MessageWillBePostedArgs", seed=0)
    end = End()
    args, returns = contract.hook("MessageWillBePosted")
    post = end.decode(posted["hex"], args)["B"]
    post.message = "edited"
    sent = end.encode(returns, {"A": post})
    assert own_types(sent) == {"Z_MessageWillBePostedReturns"}
    assert own_types(End().encode(returns, {"A": post})) >= {"Z_MessageWillBePostedReturns", "Post", "PostMetadata"}


def test_a_type_that_the_server_tells_later_is_taken_from_then_on(gohost: GoHost) -> None:
    end = End()
    args, returns = contract.hook("MessageWillBePosted")
    assert "Post" in own_types(end.encode(returns, {"A": Post(id="first")}))
    post = end.decode(gohost.ask("gob_encode", type="Z_MessageWillBePostedArgs", seed=0)["hex"], args)["B"]
    sent = end.encode(returns, {"A": post})
    assert "Post" not in own_types(sent)
    assert "PostMetadata" not in own_types(sent)


def test_a_type_that_go_has_told_without_its_name_is_known_by_where_it_stood(gohost_program: Any) -> None:
    # Go forgets the name of a struct that it meets behind a pointer in a list before it meets it anywhere else.
    host = GoHost(gohost_program)
    try:
        encoded = host.ask("gob_encode", type="Z_MessagesWillBeConsumedArgs", seed=0)
        end = End()
        args, returns = contract.hook("MessagesWillBeConsumed")
        posts = end.decode(encoded["hex"], args)["A"]
        assert "Post" not in end.inbox.types.structs
        sent = end.encode(returns, {"A": posts})
        assert "Post" not in own_types(sent)
        read = host.ask("gob_decode", type="Z_MessagesWillBeConsumedReturns", hex=sent.hex())
        assert (read["value"], read["hidden"]) == (encoded["value"], encoded["hidden"])
    finally:
        host.close()


def own_types(data: bytes) -> set[str]:
    """The structs in a plugin's bytes that have numbers of a plugin."""
    names, pos = set(), 0
    while pos < len(data):
        length, pos = read_uint(data, pos)
        id_, body = read_int(data, pos)
        if -id_ >= Side.PLUGIN.value:
            names.add(read_definition(data, body)[0].name)
        pos += length
    return names - {""}
