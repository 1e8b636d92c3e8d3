"""gob, as Go's own encoder writes it: every golden case, however it is cut and whatever follows."""

from __future__ import annotations

import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from mmhooks import AppError, GoError, Post
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.inbox import Inbox, Message
from mmhooks.hosts.netrpc.gob.primitives import int_, uint
from mmhooks.hosts.netrpc.gob.reading import Mismatch, Readers
from mmhooks.hosts.netrpc.gob.schema import (
    Basic,
    Field,
    Interface,
    List,
    Loose,
    Map,
    Opaque,
    Pointer,
    Schema,
    Struct,
    Verbatim,
)
from mmhooks.hosts.netrpc.gob.types import Definition, Form, RemoteProtocolError, Side, write_definition
from mmhooks.hosts.netrpc.rpc import Stream
from tests.host_driver import GoHost
from tests.hosts.netrpc.gobs import End

GOLDEN = Path(__file__).parent / "golden"

CASES: dict[str, dict[str, Any]] = {case["name"]: case for case in json.loads((GOLDEN / "gob.json").read_text())}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)

INT = Basic(types.INT, "int")
STRING = Basic(types.STRING, "string")
POINT = Struct("point", dict, lambda: (Field("X", "x", INT), Field("Y", "y", INT)))

FOLLOWING = bytes.fromhex("03040054")
"""A value of its own: the int 42."""


def messages(data: bytes, step: int = 0) -> tuple[Inbox, list[Message]]:
    """All the values in some bytes, fed at once or in pieces of a size."""
    inbox = Inbox(Side.SERVER)
    found = []
    for start in range(0, len(data), step or len(data)):
        inbox.receive_data(data[start : start + (step or len(data))])
        while (message := inbox.next_message()) is not None:
            found.append(message)
    return inbox, found


def loosely(inbox: Inbox, message: Message) -> Any:
    """The value as it comes, without anything that is known of Mattermost but times."""

    def known(name: str) -> Struct | Opaque | None:
        return contract.known(name) if name == "Time" else None

    readers = Readers(inbox.types, known, lambda value: value)
    value, end = readers.single(message.type, readers.reader(message.type, Loose()))(message.data, message.start)
    assert end == len(message.data)
    return value


def is_zero(golden: Any) -> bool:
    """Whether Go leaves it out of a struct."""
    if isinstance(golden, dict):
        if "$any" in golden:
            return False
        if "$time" in golden:
            return bool(golden["$time"] == "0001-01-01T00:00:00Z")
        return all(map(is_zero, golden.values())) or golden == {"$text": "invalid IP"}
    if isinstance(golden, list):
        return all(map(is_zero, golden))
    return not golden


def agrees(golden: Any, value: Any) -> bool:
    """Whether a value is what the golden file says; of structs it has only what is not zero."""
    match golden:
        case {"$any": inner}:
            return agrees(inner, value)
        case {"$bytes": text}:
            return bytes(value) == bytes.fromhex(text)  # an array of bytes is a list of numbers to gob
        case {"$string": text}:
            return bool(value.encode(errors="surrogateescape") == bytes.fromhex(text))
        case {"$float": text}:
            return str(value) == str(float(text)) and math.copysign(1, value) == math.copysign(1, float(text))
        case {"$complex": [real, imaginary]}:
            return bool(value == complex(real, imaginary))
        case {"$map": pairs}:
            return [key for key, _ in pairs] == sorted(value) and all(agrees(item, value[key]) for key, item in pairs)
        case {"$time": text}:
            # RFC 3339 has no seconds in an offset: the moment stays the same, the clock does not.
            return bool(value == ("1899-12-31T23:59:30+01:00" if text == "1900-01-01T00:00:00+01:00:30" else text))
        case {"$text": _}:
            return type(value) is bytes and value != b""
        case dict():
            return value.keys() <= golden.keys() and all(
                agrees(item, value[name]) if name in value else is_zero(item) for name, item in golden.items()
            )
        case None | []:
            return value is None or value == []
        case list():
            return len(golden) == len(value) and all(map(agrees, golden, value))
        case float() if golden != value:  # a float32, which JSON has in fewer digits
            return struct.pack("f", golden) == struct.pack("f", value)
    return bool(golden == value) and isinstance(golden, bool) is isinstance(value, bool)


def values_of(case: dict[str, Any]) -> list[Any]:
    return list(case["value"]) if case.get("many") else [case["value"]]


@every_case
@pytest.mark.parametrize("step", [0, 1, 7], ids=["whole", "byte by byte", "in sevens"])
def test_what_go_writes_is_read(case: dict[str, Any], step: int) -> None:
    inbox, found = messages(bytes.fromhex(case["hex"]), step)
    read = [loosely(inbox, message) for message in found]
    assert len(read) == len(values_of(case))
    assert all(map(agrees, values_of(case), read)), read


@every_case
def test_a_value_ends_where_the_next_one_begins(case: dict[str, Any]) -> None:
    inbox, found = messages(bytes.fromhex(case["hex"]) + FOLLOWING)
    assert loosely(inbox, found[-1]) == 42
    assert all(map(agrees, values_of(case), [loosely(inbox, message) for message in found[:-1]]))


@every_case
def test_nothing_comes_before_the_last_byte(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    assert len(messages(data[:-1])[1]) == len(values_of(case)) - 1


@every_case
def test_the_end_of_every_value_is_found_without_reading_it(case: dict[str, Any]) -> None:
    inbox, found = messages(bytes.fromhex(case["hex"]))
    readers = Readers(inbox.types, contract.known, contract.plain)
    for message in found:
        read = readers.single(message.type, readers.reader(message.type, Verbatim()))
        raw, end = read(message.data, message.start)
        assert end == len(message.data)
        assert message.data.endswith(raw.data)


@every_case
def test_a_value_put_together_reads_as_if_it_had_come_in_one_piece(case: dict[str, Any]) -> None:
    inbox, found = messages(bytes.fromhex(case["hex"]))
    for message in found:
        again = int_(message.type) + message.data[message.start :]
        inbox.receive_data(uint(len(again)) + again)
        one_piece = inbox.next_message()
        assert one_piece is not None
        assert one_piece.data[one_piece.start :] == message.data[message.start :]


def test_a_value_is_the_same_whether_its_types_come_within_it_or_have_come_before() -> None:
    cases = {case["name"]: case for case in json.loads((GOLDEN / "netrpc.json").read_text())}
    inbox = Inbox(Side.SERVER)
    bodies = []
    for name in ("post changed", "reply over the original", "post changed again, types known"):
        inbox.receive_data(bytes.fromhex(cases[name]["request"]))
        header, body = inbox.next_message(), inbox.next_message()
        assert header
        assert body
        bodies.append((cases[name]["args"], contract_args(inbox, body)))
    (first_args, first), *others = bodies
    for args, value in others:
        assert (args == first_args) == (value == first)
    assert any(args == first_args for args, _ in others)


def contract_args(inbox: Inbox, body: Message) -> Any:
    readers = Readers(inbox.types, contract.known, contract.plain)
    value, end = readers.reader(body.type, contract.hook("MessageWillBePosted")[0])(body.data, body.start)
    assert end == len(body.data)
    return value


NEW_TYPES_WITHIN = [
    'registered in an interface: "{1}"',  # one deep
    "maps in maps, with types that are new on the way",
    "values around new types in a list",
    "fields around new types",
]


@pytest.mark.parametrize("name", NEW_TYPES_WITHIN)
def test_new_types_in_the_middle_take_several_messages(name: str) -> None:
    # Otherwise the cases above would show nothing.
    data = bytes.fromhex(CASES[name]["hex"])
    inbox = Inbox(Side.SERVER)
    inbox.receive_data(data)
    frames = 0
    while inbox._next_frame() is not None:
        frames += 1
    _, found = messages(data)
    assert frames > len(found)
    assert len(found) == 1


def test_new_types_come_in_the_middle_of_maps_of_any_size_and_order(gohost: GoHost) -> None:
    # Go walks a map in any order: often enough most of it stands in messages after the one that says how many there are.
    for _ in range(60):
        encoded = gohost.ask("gob_encode", type="PostAction", seed=1)
        value = End().decode(encoded["hex"], contract.struct("model.PostAction"))
        assert value.to_dict() == encoded["value"]


def test_types_that_are_new_three_interfaces_deep_can_be_cut_anywhere(gohost: GoHost) -> None:
    wanted = {"V": {"a": {"b": {"c": [1.5, {"d": ["e", None, True]}]}}, "z": "after"}}
    encoded = bytes.fromhex(gohost.ask("gob_encode", type="anything", value=wanted)["hex"])
    for step in range(1, len(encoded) + 1):
        inbox, found = messages(encoded, step)
        assert [loosely(inbox, message) for message in found] == [wanted]


def test_what_is_in_maps_and_lists_is_there_though_it_is_zero() -> None:
    for name, expected in {
        'map[string]int "map[a:1 b:0]"': {"a": 1, "b": 0},
        '[]int "[1 -2 0 1099511627776]"': [1, -2, 0, 1 << 40],
        '[3]int "[0 0 0]"': [0, 0, 0],
        "struct of zeros": {},
        "every basic type, all zero": {"Array": [0, 0], "Byte4": [0, 0, 0, 0]},
        "pointers to zeros": {},
        'map[string]interface {} in an interface: "map[a:<nil> b:1]"': {"V": {"a": None, "b": 1}},
    }.items():
        inbox, [message] = messages(bytes.fromhex(CASES[name]["hex"]))
        assert loosely(inbox, message) == expected, name


SCHEMAS: dict[str, tuple[Schema, Any]] = {
    "struct": (POINT, {"x": 1, "y": -2}),
    "last field only": (POINT, {"y": 5}),
    "pointer to a pointer": (Pointer(Pointer(POINT)), {"x": 1, "y": 2}),
    '[]point "[{1 2} {0 0} {0 3}]"': (List(POINT), [{"x": 1, "y": 2}, {}, {"y": 3}]),
    "[]*point …": (List(Pointer(POINT)), [{"x": 1, "y": 2}, {}]),
    '[]string "[a  c]"': (List(STRING), ["a", "", "c"]),
    '[2]string "[ b]"': (List(STRING), ["", "b"]),
    'map[string]int "map[a:1 b:0]"': (Map(INT), {"a": 1, "b": 0}),
    'map[string][]uint8 "map[k:[1]]"': (Map(Basic(types.BYTES, "[]uint8")), {"k": b"\1"}),
    "map of interfaces": (Map(Interface()), {"a": 1, "b": "two"}),
    "list of interfaces": (List(Interface()), ["a", 1, None, {"k": "v"}]),
    "time on its own": (contract.schema("time.Time"), "2024-01-01T00:00:00Z"),
    "time without a value": (contract.schema("time.Time"), "0001-01-01T00:00:00Z"),
    "list of times": (List(contract.schema("time.Time")), ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_expected_is_read_by_its_schema(name: str) -> None:
    schema, expected = SCHEMAS[name]
    assert End().decode(CASES[name]["hex"], schema) == expected


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("struct", INT),
        ("struct", List(INT)),
        ("struct", STRING),
        ('int "1"', STRING),
        ('int "1"', Interface()),
        ('uint "1"', INT),
        ('string "a"', List(STRING)),
        ('string "a"', contract.schema("json.RawMessage")),
        ('[]string "[a  c]"', List(INT)),
        ('[]string "[a  c]"', Map(STRING)),
        ('map[string]int "map[a:1 b:0]"', Map(STRING)),
        ('map[int]string "map[-1:minus 7:]"', Map(STRING)),
        ("time on its own", POINT),
        ("struct", contract.schema("time.Time")),
    ],
)
def test_another_type_than_the_expected_one_is_told_before_anything_is_read(name: str, schema: Schema) -> None:
    end = End()
    message = end.receive(CASES[name]["hex"])
    for _ in range(2):  # what was begun for it is forgotten
        with pytest.raises(Mismatch):
            end.readers.reader(message.type, schema)


def test_structs_that_hold_themselves_are_read_to_their_ends() -> None:
    inner: list[Field] = [Field("Value", "value", INT)]
    chain = Struct("list", dict, lambda: tuple(inner))
    inner.append(Field("Next", "next", Pointer(chain)))
    assert End().decode(CASES["list that contains itself"]["hex"], chain) == {
        "value": 1,
        "next": {"value": 2, "next": {"value": 3}},
    }


def test_text_that_is_not_utf_8_goes_back_as_it_came(gohost: GoHost) -> None:
    name = next(name for name in CASES if name.startswith('string "not UTF-8'))
    inbox, [message] = messages(bytes.fromhex(CASES[name]["hex"]))
    text = loosely(inbox, message)
    with pytest.raises(UnicodeEncodeError):
        text.encode()
    written = End().encode(STRING, text)
    assert written.endswith(bytes.fromhex(CASES[name]["value"]["$string"]))
    # As a key and as a value behind an interface, too.
    post = Post(message=text, props={text: text})
    read = gohost.ask("gob_decode", type="Post", hex=End().encode(contract.struct("model.Post"), post).hex())["value"]
    replaced = text.encode(errors="surrogateescape").decode(errors="replace")
    assert (read["message"], read["props"]) == (replaced, {replaced: replaced})


def test_errors_behind_interfaces_are_exceptions() -> None:
    schema = Struct("failing", dict, lambda: (Field("A", "a", Interface(is_error=True)),))
    assert End().decode(CASES["error that is nil"]["hex"], schema).get("a") is None
    error = End().decode(CASES["error of the server"]["hex"], schema)["a"]
    assert isinstance(error, AppError)
    assert error.message == "no"
    error = End().decode(CASES["error as text"]["hex"], schema)["a"]
    assert isinstance(error, GoError)
    assert (error.text, error.code) == ("no", 0)


def test_attachments_behind_interfaces_have_the_names_of_their_json() -> None:
    # Go sends their struct without a name: it knows it by a list of pointers only.
    schema = Struct("held", dict, lambda: (Field("V", "v", Interface()),))
    name = next(name for name in CASES if name.startswith("[]*contract.MessageAttachment in an interface"))
    [attachment] = End().decode(CASES[name]["hex"], schema)["v"]
    assert {"fallback", "fields"} <= attachment.keys()
    assert not any(re.match("[A-Z]", key) for key in attachment)
    assert {"title", "value", "short"} <= attachment["fields"][0].keys()


def test_post_of_go_is_a_post() -> None:
    post = End().decode(CASES["post"]["hex"], contract.struct("model.Post"))
    assert isinstance(post, Post)
    golden = CASES["post"]["value"]
    assert (post.create_at, post.file_ids, post.message) == (golden["CreateAt"], golden["FileIds"], golden["Message"])
    assert agrees(golden["Props"], {key: value for key, value in post.props.items() if key in golden["Props"]})


def message(body: bytes) -> bytes:
    return uint(len(body)) + body


LIST_OF_INTS = write_definition(65, Definition(Form.SLICE, "ints", elem=types.INT))
HELD = write_definition(66, Definition(Form.STRUCT, "held", fields=(("V", types.INTERFACE),)))

CORRUPT = {
    "a length of nine bytes": b"\xf7" + b"\1" * 9,
    "a length beyond what is allowed": b"\xfc\x7f\xff\xff\xff",
    "a message without a type's bytes": message(b"\xff"),
    "a definition that ends in the middle": message(write_definition(65, Definition(Form.STRUCT, "x"))[1:-1]),
    "a definition with bytes behind it": message(write_definition(65, Definition(Form.STRUCT, "x"))[1:] + b"\0"),
    "a definition that is no form": message(int_(-65) + b"\x08\1\2\x82\0\0"),
    "a definition of one of gob's own": write_definition(16, Definition(Form.STRUCT, "x")),
    "a definition for a second time": HELD + HELD,
    "a number that is too high": write_definition(1 << 21, Definition(Form.STRUCT, "x")),
}


@pytest.mark.parametrize("name", CORRUPT)
@pytest.mark.parametrize("step", [0, 1])
def test_what_gob_does_not_allow_ends_the_stream(name: str, step: int) -> None:
    with pytest.raises(RemoteProtocolError):
        messages(CORRUPT[name], step)


BAD_VALUES = {
    "a type that is not defined": message(int_(99) + b"\0\0"),
    "a list longer than its bytes": LIST_OF_INTS + message(int_(65) + b"\0" + uint(1 << 40) + b"\1"),
    "a list that ends early": LIST_OF_INTS + message(int_(65) + b"\0\2\1"),
    "bytes behind the value": LIST_OF_INTS + message(int_(65) + b"\0\1\2\0"),
    "no zero before a list": LIST_OF_INTS + message(int_(65) + b"\1\1\2"),
    "a text longer than its bytes": message(int_(types.STRING) + b"\0" + uint(1 << 62) + b"x"),
    "a field beyond the last": HELD + message(int_(66) + b"\2\0"),
    "a struct without its end": HELD + message(int_(66) + b"\1\0"),
    "a name longer than its bytes": HELD + message(int_(66) + b"\1" + uint(1 << 60) + b"\0"),
}


@pytest.mark.parametrize("name", BAD_VALUES)
@pytest.mark.parametrize("schema", [Loose(), Verbatim()], ids=["read", "skipped"])
def test_a_value_that_is_none_is_an_error_of_the_protocol(name: str, schema: Schema) -> None:
    stream = Stream()
    inbox = stream._inbox
    inbox.receive_data(BAD_VALUES[name])
    found = inbox.next_message()
    assert found
    with pytest.raises(RemoteProtocolError):
        stream.read(found, schema)


def test_what_stands_behind_an_interface_is_looked_at_when_it_is_read() -> None:
    stream = Stream()
    stream._inbox.receive_data(HELD + message(int_(66) + b"\1\1x" + int_(99) + b"\2\0\0\0"))
    found = stream._inbox.next_message()
    assert found
    assert stream.read(found, Verbatim()).data == b"\1\1x" + int_(99) + b"\2\0\0\0"
    with pytest.raises(RemoteProtocolError, match="99 is not defined"):
        stream.read(found, Loose())


def test_a_list_in_a_list_is_read_as_deep_as_python_reads_and_no_deeper() -> None:
    itself = write_definition(65, Definition(Form.SLICE, "itself", elem=65))
    inbox = Inbox(Side.SERVER)
    inbox.receive_data(itself + message(int_(65) + b"\0" + b"\1" * 50 + b"\0"))
    found = inbox.next_message()
    assert found
    value = loosely(inbox, found)
    for _ in range(50):
        [value] = value
    assert value == []
    stream = Stream()
    stream._inbox.receive_data(itself + message(int_(65) + b"\0" + b"\1" * 100_000 + b"\0"))
    found = stream._inbox.next_message()
    assert found
    for schema in (Loose(), Verbatim()):
        with pytest.raises(RemoteProtocolError):
            stream.read(found, schema)


def test_definitions_are_limited() -> None:
    with pytest.raises(RemoteProtocolError, match="10000"):
        messages(b"".join(write_definition(64 + n, Definition(Form.SLICE, elem=types.INT)) for n in range(10_001)))
