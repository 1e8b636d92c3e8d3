"""What goes back to Go: what we know and what we don't, what nobody has read, and what cannot be sent at all."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mmhooks import AppError, CommandResponse, FileInfo, ModelError, Post, User
from mmhooks.changes import changes
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.inbox import Inbox
from mmhooks.hosts.netrpc.gob.schema import Basic, Field, Interface, List, Map, Pointer, Schema, Struct
from mmhooks.hosts.netrpc.gob.types import RemoteProtocolError, Side
from mmhooks.hosts.netrpc.gob.writing import Encoder
from mmhooks.models import PostMetadata
from tests.host_driver import GoHost
from tests.hosts.netrpc.gobs import End, back

STRING = Basic(types.STRING, "string")
INT = Basic(types.INT, "int")
POST = contract.struct("model.Post")


# What this version does not know.

NEWER_INNER = Struct("NewerInner", dict, lambda: (Field("Name", "Name", STRING), Field("Any", "Any", Interface())))
ADDED = (
    Field("AddedText", "AddedText", STRING),
    Field("AddedMap", "AddedMap", Map(Interface())),
    Field("AddedList", "AddedList", List(Pointer(NEWER_INNER))),
    Field("AddedAny", "AddedAny", Interface()),
    Field("AddedInt", "AddedInt", INT),
)
NEWER_VALUES: dict[str, Any] = {
    "AddedText": "new",
    "AddedMap": {"a": 1, "b": [True, {"c": 2.5}]},
    "AddedList": [{"Name": "x", "Any": "y"}, {"Any": 3}],
    "AddedAny": {"z": None},
    "AddedInt": -5,
}


def fields_of(schema: Struct, **other: Schema) -> tuple[Field, ...]:
    """A struct's fields for values that are dicts by Go's names; some of another type."""
    return tuple(Field(f.go, f.go, other.get(f.go, f.schema)) for f in schema.fields)


def newer_server(value: dict[str, Any], **other: Schema) -> bytes:
    """A post as a server sends it that has more fields, some of them before ours, and some of other types."""
    newer = Struct("Post", dict, lambda: (*ADDED[:2], *fields_of(POST, **other), *ADDED[2:]))
    return Encoder(Side.SERVER, Inbox(Side.PLUGIN).types, contract.named).encode(newer, value)


def read_by_newer(data: bytes, **other: Schema) -> Any:
    newer = Struct("Post", dict, lambda: (*ADDED[:2], *fields_of(POST, **other), *ADDED[2:]))
    return back(data, newer)


def test_fields_that_this_version_does_not_know_go_back_as_they_came() -> None:
    end = End()
    post = end.decode(newer_server({"Message": "m", "Props": {"a": 1}, **NEWER_VALUES}), POST)
    assert (post.message, post.props) == ("m", {"a": 1})
    sent = end.encode(POST, post)
    assert read_by_newer(sent) == {"Message": "m", "Props": {"a": 1}, **NEWER_VALUES}


def test_fields_that_this_version_does_not_know_do_not_stand_in_the_way_of_edits() -> None:
    end = End()
    post = end.decode(newer_server({"Message": "m", "Id": "i", **NEWER_VALUES}), POST)
    post.message, post.id, post.hashtags = "edited", "", "#new"
    assert read_by_newer(end.encode(POST, post)) == {"Message": "edited", "Hashtags": "#new", **NEWER_VALUES}


def test_copies_keep_what_this_version_does_not_know() -> None:
    for copied in (copy.copy, copy.deepcopy):
        end = End()
        post = end.decode(newer_server(NEWER_VALUES), POST)
        same = copied(post)
        assert same == post
        assert read_by_newer(end.encode(POST, same)) == NEWER_VALUES


def test_pickles_keep_what_this_version_does_not_know() -> None:
    end = End()
    post = pickle.loads(pickle.dumps(end.decode(newer_server({"Message": "m", **NEWER_VALUES}), POST)))
    assert post.message == "m"
    # It has left its stream: what may name types by their numbers there stays behind.
    assert read_by_newer(end.encode(POST, post)) == {"Message": "m", "AddedText": "new", "AddedInt": -5}


def test_what_this_version_does_not_know_is_not_in_the_json() -> None:
    post = End().decode(newer_server(NEWER_VALUES), POST)
    assert post.to_dict() == Post().to_dict()
    assert "Added" not in repr(post)


def test_a_field_of_another_type_keeps_its_default_here_and_goes_back_as_it_came() -> None:
    other: dict[str, Schema] = {"Message": INT, "CreateAt": STRING, "FileIds": Map(STRING), "Props": List(STRING)}
    value = {"Message": 5, "CreateAt": "five", "FileIds": {"a": "b"}, "Props": ["c"], "Id": "i"}
    end = End()
    post = end.decode(newer_server(value, **other), POST)
    assert (post.id, post.message, post.create_at, post.file_ids, post.props) == ("i", "", 0, [], {})
    assert read_by_newer(end.encode(POST, post), **other) == value


def test_what_came_by_another_stream_is_kept_where_its_bytes_mean_the_same() -> None:
    # Where something stands behind an interface the numbers of its type may mean another one there: that is left out.
    first, second = End(), End()
    post = first.decode(newer_server({"Message": "m", **NEWER_VALUES}), POST)
    second.decode(newer_server({"Id": "other"}), POST)
    assert read_by_newer(second.encode(POST, post)) == {"Message": "m", "AddedText": "new", "AddedInt": -5}


def test_what_came_by_another_stream_is_left_out_where_its_type_is_not_there() -> None:
    post = End().decode(newer_server({"Message": "m", **NEWER_VALUES}), POST)
    assert read_by_newer(End().encode(POST, post)) == {"Message": "m"}


def test_what_nobody_has_read_goes_by_another_stream_all_the_same(gohost: GoHost) -> None:
    encoded = gohost.ask("gob_encode", type="Post", value={"props": {"a": {"b": [1, "c"]}}})
    first = End()
    post = first.decode(encoded["hex"], POST)
    assert "props" in post.unread()
    read = gohost.ask("gob_decode", type="Post", hex=End().encode(POST, post).hex())
    assert read["value"]["props"] == {"a": {"b": [1, "c"]}}


# What nobody has read.


@pytest.fixture
def unread(gohost: GoHost) -> tuple[End, Post]:
    """A post with props that nobody has read."""
    end = End()
    post = end.decode(gohost.ask("gob_encode", type="Post", seed=0)["hex"], POST)
    assert "props" in post.unread()
    return end, post


READINGS: dict[str, Callable[[Post], Any]] = {
    "reading": lambda post: post.props,
    "equality": lambda post: post == Post(),
    "equality, on the right": lambda post: Post() == post,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "to_dict": Post.to_dict,
    "to_json": Post.to_json,
    "repr": repr,
    "getattr": lambda post: getattr(post, "props", None),
}


@pytest.mark.parametrize("name", READINGS)
def test_what_looks_at_all_fields_reads_the_unread_ones(unread: tuple[End, Post], name: str) -> None:
    _, post = unread
    result = READINGS[name](post)
    assert not post.unread()
    assert post._unknown is None
    assert post.props["text"] == "Post.Props#0"
    if isinstance(result, Post):
        assert result == post
        assert not result.unread()


def test_other_fields_do_not_read_the_unread_ones(unread: tuple[End, Post]) -> None:
    _, post = unread
    assert post.message == "Post.Message#0"
    post.message = "x"
    assert post.metadata
    assert "props" in post.unread()


def test_a_copy_of_a_post_has_the_same_values(unread: tuple[End, Post]) -> None:
    _, post = unread
    for same in (copy.deepcopy(post), pickle.loads(pickle.dumps(post))):
        assert same == post
        assert same.props == post.props
        assert same.props is not post.props


def test_a_field_that_is_set_is_not_unread_any_more(gohost: GoHost, unread: tuple[End, Post]) -> None:
    end, post = unread
    post.props = {"mine": 1}
    assert post.props == {"mine": 1}
    read = gohost.ask("gob_decode", type="Post", hex=end.encode(POST, post).hex())
    assert read["value"]["props"] == {"mine": 1}


def test_a_field_that_is_set_stays_set_when_others_look(unread: tuple[End, Post]) -> None:
    _, post = unread
    post.props = {"mine": 1}
    for look in READINGS.values():
        look(post)
        assert post.props == {"mine": 1}


def test_changes_of_a_set_field_are_told(unread: tuple[End, Post]) -> None:
    _, before = unread
    after = copy.deepcopy(before)
    after.props = {**before.props, "text": "mine"}
    assert changes(before, after).attributes == {"props": {"text": "mine"}}


def test_there_is_no_other_attribute(unread: tuple[End, Post]) -> None:
    _, post = unread
    with pytest.raises(AttributeError, match="nothing"):
        post.nothing  # type: ignore[attr-defined]  # noqa: B018
    assert "props" in post.unread()


def test_threads_that_read_a_field_at_once_get_one_dict(gohost: GoHost) -> None:
    encoded = gohost.ask("gob_encode", type="Post", seed=0)["hex"]
    for _ in range(50):
        post = End().decode(encoded, POST)
        barrier = threading.Barrier(4)
        got: list[Any] = []

        def read(post: Post = post, barrier: threading.Barrier = barrier, got: list[Any] = got) -> None:
            barrier.wait()
            got.append(post.props)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 4
        assert len({id(props) for props in got}) == 1


def test_what_nobody_has_read_goes_back_as_it_came(gohost: GoHost) -> None:
    returns = contract.hook("ExecuteCommand")[1]
    encoded = gohost.ask("gob_encode", type="Z_ExecuteCommandReturns", seed=1, value={"B": None})
    end = End()
    response = end.decode(encoded["hex"], returns)["A"]
    assert isinstance(response, CommandResponse)
    assert "props" in response.unread()
    sent = end.encode(returns, {"A": response})
    assert "props" in response.unread()
    read = gohost.ask("gob_decode", type="Z_ExecuteCommandReturns", hex=sent.hex())
    assert read["value"]["A"] == encoded["value"]["A"]


def test_a_list_of_attachments_stays_one_where_nobody_has_read_it(gohost: GoHost) -> None:
    end = End()
    post = end.decode(gohost.ask("gob_encode", type="Post", seed=0)["hex"], POST)
    assert b"[]*model.SlackAttachment" in end.encode(POST, post)
    assert post.props["attachments"]
    assert b"[]*model.SlackAttachment" not in end.encode(POST, post)


def test_props_that_are_corrupt_are_an_error_where_they_are_read(gohost: GoHost) -> None:
    encoded = gohost.ask("gob_encode", type="Post", value={"message": "fine", "props": {"key": "value"}})["hex"]
    text = b"\x06string".hex()
    assert encoded.count(text) == 1
    corrupt = encoded.replace(text + "0c", text + "62")  # a text becomes a value of a type that is not defined
    assert corrupt != encoded
    post = End().decode(corrupt, POST)
    assert post.message == "fine"
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            post.props  # noqa: B018
    for look in (Post.to_dict, repr, copy.deepcopy):
        with pytest.raises(RemoteProtocolError):
            look(post)
    assert post.message == "fine"


# What cannot be sent.


class Odd:
    pass


def itself() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["me"] = [value]
    return value


def bad_post(**fields: Any) -> Post:
    """A post as somebody makes it who does not ask a type checker."""
    return Post(**fields)


def bad_file(**fields: Any) -> FileInfo:
    return FileInfo(**fields)


BAD: dict[str, tuple[str, Any, str]] = {
    "a text that is a number": ("model.Post", bad_post(message=5), r"^message: takes str, not int$"),
    "a text that is bytes": ("model.Post", bad_post(message=b"x"), r"^message: takes str, not bytes$"),
    "a number that is a text": ("model.Post", bad_post(create_at="5"), r"^create_at: takes int, not str$"),
    "a number that is a fraction": ("model.Post", bad_post(create_at=5.0), r"^create_at: takes int, not float$"),
    "a boolean that is a number": ("model.Post", bad_post(is_pinned=1), r"^is_pinned: takes bool, not int$"),
    "a pointer to a boolean that is a text": (
        "model.Post",
        bad_post(is_following="x"),
        r"^is_following: takes bool, not str$",
    ),
    "a list that is a text": ("model.Post", bad_post(file_ids="abc"), r"^file_ids: expected a list, found str$"),
    "a list that is a set": ("model.Post", bad_post(file_ids={"a"}), r"^file_ids: expected a list, found set$"),
    "an element of a list": ("model.Post", bad_post(file_ids=["a", None]), r"^file_ids\[1\]: takes str, not NoneType$"),
    "a dict that is a list": ("model.Post", bad_post(props=[]), r"^props: expected a dict, found list$"),
    "a struct that is a dict": (
        "model.Post",
        bad_post(metadata={"x": 1}),
        r"^metadata: expected PostMetadata, found dict$",
    ),
    "a struct that is another": (
        "model.Post",
        bad_post(metadata=User()),
        r"^metadata: expected PostMetadata, found User$",
    ),
    "bytes that are a text": ("model.FileInfo", bad_file(mini_preview="x"), r"^mini_preview: takes bytes, not str$"),
    "a text that is None": ("model.Post", bad_post(message=None), r"^message: cannot be None"),
    "a number that is None": ("model.Post", bad_post(create_at=None), r"^create_at: cannot be None"),
    "a boolean that is None": ("model.Post", bad_post(is_pinned=None), r"^is_pinned: cannot be None"),
    "a number beyond 64 bits": (
        "model.Post",
        bad_post(create_at=1 << 63),
        r"^create_at: 9223372036854775808 is outside of int64",
    ),
    "a number below 64 bits": (
        "model.Post",
        bad_post(create_at=-(1 << 63) - 1),
        r"^create_at: -9223372036854775809 is outside",
    ),
    "a number with thousands of digits": (
        "model.Post",
        bad_post(create_at=1 << 9999),
        r"^create_at: .*outside of int64",
    ),
    "half a letter": ("model.Post", bad_post(message="\ud800"), r"^message: this text cannot be sent"),
    "half a letter in a key": ("model.Post", bad_post(props={"\ud800": 1}), r"^props\['\\ud800'\]: this text"),
    "half a letter, deep": ("model.Post", bad_post(props={"a": ["\udfff"]}), r"^props\['a'\]\[0\]: this text"),
    "an object in props": (
        "model.Post",
        bad_post(props={"a": [{"b": Odd()}]}),
        r"^props\['a'\]\[0\]\['b'\]: Odd is nothing",
    ),
    "a set in props": ("model.Post", bad_post(props={"a": {1}}), r"^props\['a'\]: set is nothing"),
    "a decimal in props": ("model.Post", bad_post(props={"a": Decimal(1)}), r"^props\['a'\]: Decimal is nothing"),
    "a key that is no text": ("model.Post", bad_post(props={1: "x"}), r"^props\[1\]: keys are text, not int$"),
    "a key that is no text, deep": (
        "model.Post",
        bad_post(props={"a": {None: 1}}),
        r"^props\['a'\]\[None\]: keys are text",
    ),
    "a number in props beyond 64 bits": (
        "model.Post",
        bad_post(props={"a": 1 << 64}),
        r"^props\['a'\]: 18446744073709551616 has more",
    ),
    "a number in props below 64 bits": (
        "model.Post",
        bad_post(props={"a": -(1 << 63) - 1}),
        r"^props\['a'\]: .* has more",
    ),
    "a dict in itself": ("model.Post", bad_post(props=itself()), "holds itself"),
    "an element of a struct's list": (
        "model.Post",
        bad_post(metadata=PostMetadata(files=[bad_file(), bad_file(size="x")])),
        r"^metadata\.files\[1\]\.size: takes int, not str$",
    ),
    "a struct that is None in a list": (
        "model.Post",
        bad_post(participants=[None]),
        r"^participants\[0\]: expected User, found NoneType$",
    ),
    "another value altogether": ("model.Post", {"message": "x"}, r"expected Post, found dict"),
    "none of it": ("model.Post", None, r"expected Post, found NoneType"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("adopts", [False, True], ids=["types of our own", "types of the server"])
def test_what_cannot_be_sent_is_told_by_its_place_and_leaves_no_trace(gohost: GoHost, name: str, adopts: bool) -> None:
    go, value, text = BAD[name]
    schema = contract.struct(go)
    end = End()
    if adopts:
        end.decode(gohost.ask("gob_encode", type=schema.name, seed=0)["hex"], schema)
    with pytest.raises(ModelError, match=text):
        end.encode(schema, value)
    # Nothing counts as told: the next value is complete for somebody who has heard nothing yet.
    fine = Post(message="fine", props={"a": [1]}, metadata=PostMetadata(files=[FileInfo(id="f")]))
    read = gohost.ask("gob_decode", type="Post", hex=end.encode(POST, fine).hex())["value"]
    assert (read["message"], read["props"], read["metadata"]["files"][0]["id"]) == ("fine", {"a": [1]}, "f")


INTS = {f"int{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)} | {
    f"uint{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)
}


@pytest.mark.parametrize("name", INTS)
def test_numbers_are_as_large_as_they_are_in_go(name: str) -> None:
    schema = Struct("x", dict, lambda: (Field("N", "N", contract.schema(name)),))
    low, high = INTS[name]
    for value in (low, high):
        assert back(End().encode(schema, {"N": value}), schema).get("N", 0) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ModelError, match=f"outside of {name}, which holds {low} to {high}"):
            End().encode(schema, {"N": value})


def test_a_time_that_is_none_cannot_be_sent() -> None:
    schema = contract.schema("time.Time")
    for value in ("yesterday", "2026-13-01T00:00:00Z", 5):
        with pytest.raises(ModelError, match="is no Time"):
            End().encode(schema, value)


def test_json_that_is_none_cannot_be_sent() -> None:
    for value in (Odd(), itself(), {"a": b"x", "b": {1, 2, Odd}}):
        with pytest.raises(ModelError, match="JSON"):
            End().encode(contract.schema("json.RawMessage"), value)


def test_only_errors_are_sent_as_errors(gohost: GoHost) -> None:
    returns = contract.hook("OnActivate")[1]
    for value in (ValueError("x"), "x", {"a": 1}):
        with pytest.raises(ModelError, match="expected an error"):
            End().encode(returns, {"A": value})
    sent = End().encode(returns, {"A": AppError("no", where="here")})
    read = gohost.ask("gob_decode", type="Z_OnActivateReturns", hex=sent.hex())
    assert read["value"]["A"]["type"] == "*model.AppError"
    assert read["value"]["A"]["message"] == "no"


def test_what_python_has_more_kinds_of_is_sent_as_what_it_is_like(gohost: GoHost) -> None:
    class Text(str):
        __slots__ = ()

    class Number(int):
        pass

    props = {
        Text("t"): Text("x"),
        "n": Number(5),
        "tuple": (1, "a"),
        "bytes": bytearray(b"\0\xff"),
        "model": FileInfo(id="f"),
        "big": (1 << 64) - 1,
        "low": -(1 << 63),
        "empty": [],
    }
    sent = End().encode(POST, Post(props=props)).hex()
    read = gohost.ask("gob_decode", type="Post", hex=sent)["value"]["props"]
    assert read.pop("empty") is None  # so Go reads a list without elements, whoever wrote it
    assert read.pop("model")["id"] == "f"
    assert read == {
        "t": "x",
        "n": 5,
        "tuple": [1, "a"],
        "bytes": "AP8=",
        "big": (1 << 64) - 1,
        "low": -(1 << 63),
    }


def test_values_behind_interfaces_have_the_types_that_go_knows(gohost: GoHost) -> None:
    schema = Struct("anything", dict, lambda: (Field("V", "V", Interface()),))
    for value, go in {
        "text": "string",
        True: "bool",
        5: "int",
        (1 << 64) - 1: "uint64",
        2.5: "float64",
        b"x": "[]uint8",
    }.items():
        read = gohost.ask("gob_decode_any", hex=End().encode(schema, {"V": value}).hex())
        assert read["type"] == go, value
    plain: list[tuple[Any, str | None]] = [([1], "[]interface {}"), ({"a": 1}, "map[string]interface {}"), (None, None)]
    for value, name in plain:
        read = gohost.ask("gob_decode_any", hex=End().encode(schema, {"V": value}).hex())
        assert (read["type"], read["value"]) == (name, value)
