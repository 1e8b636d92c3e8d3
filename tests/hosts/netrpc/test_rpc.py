"""net/rpc: two streams joined, and what Go's own client and server said to each other."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from mmhooks import AppError, ModelError, Post
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.inbox import Inbox, Message
from mmhooks.hosts.netrpc.gob.primitives import uint
from mmhooks.hosts.netrpc.gob.schema import Loose
from mmhooks.hosts.netrpc.gob.types import Definition, Form, RemoteProtocolError, Side, write_definition
from mmhooks.hosts.netrpc.rpc import NOTHING, Request, Response, Stream

GOLDEN: list[dict[str, Any]] = json.loads((Path(__file__).parent / "golden" / "netrpc.json").read_text())

ARGS, RETURNS = contract.hook("MessageWillBePosted")
GET_USER, USER = contract.method("GetUser")


class Pair:
    """A stream of each side, joined: the server's calls the hooks of the plugin's."""

    def __init__(self, caller: Side = Side.SERVER) -> None:
        self.caller = Stream(caller)
        self.callee = Stream(Side.PLUGIN if caller is Side.SERVER else Side.SERVER)

    def call(self, seq: int, argument: Any, method: str = "Plugin.MessageWillBePosted") -> Request:
        [request] = self.callee.receive_requests(self.caller.request(method, seq, ARGS, argument))
        return request

    def answered(self, data: bytes) -> Response:
        [response] = self.caller.receive_responses(data)
        return response


both_sides = pytest.mark.parametrize("caller", [Side.SERVER, Side.PLUGIN], ids=["server calls", "plugin calls"])


@both_sides
def test_a_call_and_its_answer(caller: Side) -> None:
    pair = Pair(caller)
    for seq in range(3):
        request = pair.call(seq, {"B": Post(message=f"hello {seq}", props={"n": [seq]})})
        assert (request.service_method, request.seq) == ("Plugin.MessageWillBePosted", seq)
        post = pair.callee.read(request.argument, ARGS)["B"]
        assert (post.message, post.props) == (f"hello {seq}", {"n": [seq]})
        post.message = "edited"
        response = pair.answered(pair.callee.response(request, RETURNS, {"A": post, "B": "why"}))
        assert (response.service_method, response.seq, response.error) == ("Plugin.MessageWillBePosted", seq, "")
        reply = pair.caller.read(response.reply, RETURNS)
        assert reply == {"A": Post(message="edited", props={"n": [seq]}), "B": "why"}


@both_sides
def test_answers_come_in_any_order(caller: Side) -> None:
    pair = Pair(caller)
    sent = b"".join(
        pair.caller.request("Plugin.M", seq, ARGS, {"B": Post(message=str(seq), props={"a": {"b": seq}})})
        for seq in range(20)
    )
    requests = pair.callee.receive_requests(sent)
    assert [request.seq for request in requests] == list(range(20))
    random.Random(1).shuffle(requests)
    answers = b"".join(
        pair.callee.response(
            request, RETURNS, pair.callee.read(request.argument, ARGS) and {"A": post_of(pair, request)}
        )
        for request in requests
    )
    responses = pair.caller.receive_responses(answers)
    assert [response.seq for response in responses] == [request.seq for request in requests]
    for response in responses:
        post = pair.caller.read(response.reply, RETURNS)["A"]
        assert (post.message, post.props) == (str(response.seq), {"a": {"b": response.seq}})


def post_of(pair: Pair, request: Request) -> Post:
    post: Post = pair.callee.read(request.argument, ARGS)["B"]
    return post


def test_calls_cut_anywhere_are_the_same() -> None:
    whole = Pair()
    sent = b"".join(whole.caller.request("Plugin.M", n, ARGS, {"B": Post(props={"a": n})}) for n in range(3))
    for step in (1, 2, 3, 50):
        pair = Pair()
        requests = [
            request
            for start in range(0, len(sent), step)
            for request in pair.callee.receive_requests(sent[start : start + step])
        ]
        assert [post_of(pair, request).props for request in requests] == [{"a": 0}, {"a": 1}, {"a": 2}]


@pytest.mark.parametrize(("text", "told"), [("it failed", "it failed"), ("", "error")])
def test_an_error_takes_the_place_of_the_reply(text: str, told: str) -> None:
    pair = Pair()
    request = pair.call(7, {"B": Post()})
    response = pair.answered(pair.callee.error(request, text))
    assert (response.seq, response.error) == (7, told)
    assert pair.caller.read(response.reply, NOTHING) == {}
    # The stream goes on.
    response = pair.answered(pair.callee.response(pair.call(8, {}), RETURNS, {"B": "no"}))
    assert (response.error, pair.caller.read(response.reply, RETURNS)) == ("", {"B": "no"})


def test_an_error_is_empty_even_where_the_peer_has_a_struct_without_a_name() -> None:
    # Go leaves names out now and then: such a struct must not be taken for the empty one, which has none either.
    pair = Pair()
    nameless = write_definition(64, Definition(Form.STRUCT, "", fields=(("X", types.INT),)))
    assert pair.callee.receive_requests(nameless) == []
    request = Request("Plugin.M", 1, Message(64, b"\0", 0))
    inbox = Inbox(Side.PLUGIN)
    inbox.receive_data(pair.callee.error(request, "no"))
    header, body = inbox.next_message(), inbox.next_message()
    assert header
    assert body
    assert inbox.types.get(body.type) == Definition(Form.STRUCT)


def test_a_body_that_cannot_be_read_is_an_error_of_that_call_alone() -> None:
    pair = Pair()
    request = pair.call(1, {"B": Post(message="x")})
    for schema in (GET_USER, contract.schema("string"), contract.schema("[]string")):
        if schema is GET_USER:
            assert pair.callee.read(request.argument, schema) == {}  # a struct without that field
            continue
        with pytest.raises(RemoteProtocolError, match="another type"):
            pair.callee.read(request.argument, schema)
    good = pair.call(2, {"B": Post(message="y")})
    assert post_of(pair, good).message == "y"
    assert post_of(pair, request).message == "x"


def test_a_corrupt_body_is_an_error_of_that_call_alone() -> None:
    pair = Pair()
    pair.call(0, {"B": Post(message="first")})
    data = pair.caller.request("Plugin.M", 1, ARGS, {"B": Post(message="second")})
    at = data.index(b"second") - 1
    corrupt = data[:at] + b"\x7f" + data[at + 1 :]  # the text is longer than its value now
    [request] = pair.callee.receive_requests(corrupt)
    with pytest.raises(RemoteProtocolError):
        pair.callee.read(request.argument, ARGS)
    assert pair.answered(pair.callee.error(request, "cannot be read")).error == "cannot be read"
    assert post_of(pair, pair.call(2, {"B": Post(message="third")})).message == "third"


def test_a_corrupt_header_ends_the_stream() -> None:
    for header in (
        b"\x03\x04\x00\x02",  # a number
        b"\x03\x7e\x00\x02",  # a type that nobody has defined
    ):
        pair = Pair()
        pair.call(0, {})
        with pytest.raises(RemoteProtocolError):
            pair.callee.receive_requests(header)
    pair = Pair()
    pair.call(0, {})
    data = pair.caller.request("Plugin.M", 1, ARGS, {})
    with pytest.raises(RemoteProtocolError):
        pair.callee.receive_requests(data.replace(b"Plugin.M", b"Plugin.M"[:-1] + b"M\x05", 1))


def test_a_message_that_is_too_long_ends_the_stream_before_it_is_there() -> None:
    with pytest.raises(RemoteProtocolError, match="at most"):
        Stream().receive_requests(uint((1 << 30) + 1))


def test_what_cannot_be_sent_leaves_the_stream_as_it_was() -> None:
    pair = Pair()
    request = pair.call(1, {"B": Post()})
    with pytest.raises(ModelError, match=r"message: takes str, not int"):
        pair.callee.response(request, RETURNS, {"A": Post(message=1)})  # type: ignore[arg-type]
    response = pair.answered(pair.callee.response(request, RETURNS, {"A": Post(message="fine")}))
    assert pair.caller.read(response.reply, RETURNS)["A"].message == "fine"
    with pytest.raises(ModelError):
        pair.caller.request("Plugin.M", 2, ARGS, {"B": Post(props={"a": object()})})
    assert post_of(pair, pair.call(3, {"B": Post(message="fine")})).message == "fine"


def test_a_definition_goes_out_once_a_stream() -> None:
    pair = Pair()
    first = pair.caller.request("Plugin.M", 1, ARGS, {"B": Post()})
    second = pair.caller.request("Plugin.M", 2, ARGS, {"B": Post()})
    assert len(second) < 40 < len(first)


def test_what_goes_calls_and_answers_is_read() -> None:
    # One connection, recorded: Go's client calls, Go's server answers.
    calls, answers = Stream(Side.PLUGIN), Stream(Side.PLUGIN)
    for case in GOLDEN:
        [request] = calls.receive_requests(bytes.fromhex(case["request"]))
        [response] = answers.receive_responses(bytes.fromhex(case["response"]))
        assert request.service_method == case["method"]
        assert request.seq == response.seq
        assert response.service_method == case["method"]
        assert response.error == case.get("error", "")
        argument = calls.read(request.argument, Loose())
        if not isinstance(case["args"], dict):
            assert argument == case["args"]
        reply = answers.read(response.reply, Loose())
        if response.error:
            assert reply == {}
        elif isinstance(case["reply"], (int, list)):
            assert reply == case["reply"]


def test_a_post_that_go_sends_is_read_by_its_schema() -> None:
    calls, answers = Stream(), Stream()
    seen = []
    for case in GOLDEN:
        [request] = calls.receive_requests(bytes.fromhex(case["request"]))
        [response] = answers.receive_responses(bytes.fromhex(case["response"]))
        if case["method"] == "Plugin.MessageWillBePosted":
            post = calls.read(request.argument, ARGS)["B"]
            assert post.message == case["args"]["B"]["Message"]
            seen.append(case["name"])
        if case["name"] == "post rejected":
            assert answers.read(response.reply, RETURNS) == {"B": "no"}
        if case["name"] == "no user":
            error = answers.read(response.reply, USER)["B"]
            assert isinstance(error, AppError)
            assert error.message == "There is no such user."
    assert len(seen) >= 4
