"""The invariant of `rpc.Stream`, whatever bytes come in: a value, "more", or `RemoteProtocolError`, nothing else.

- `receive_requests` gives the calls that are complete, or raises `RemoteProtocolError`.
- Reading an argument, and every field that was left unread, gives a value or raises `RemoteProtocolError`.
- What has been read can be compared, shown and sent back, or is a `ModelError`.
- Time and memory stay in proportion to the bytes: no length and no count that only claims to be large costs anything.

The seeds are fixed: a run that fails fails again.
"""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmhooks import FileInfo, ModelError, Post, User
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.primitives import int_, string, uint
from mmhooks.hosts.netrpc.gob.schema import Loose, Schema, Struct, Verbatim
from mmhooks.hosts.netrpc.gob.types import Definition, Form, RemoteProtocolError, Side, write_definition
from mmhooks.hosts.netrpc.rpc import REQUEST, Request, Stream
from mmhooks.models import Model, PostEmbed, PostMetadata
from tests.host_driver import GoHost

RUNS = 10_000
SLICES = 10

ARGS, RETURNS = contract.hook("MessageWillBePosted")
GOLDEN = json.loads((Path(__file__).parent / "golden" / "netrpc.json").read_text())

LONGEST = 2.0
"""Seconds for one stream: a thousand times what one takes."""

SCHEMAS: dict[str, Schema] = {
    f"Plugin.{name}": contract.hook(name)[0]
    for name in ("MessageWillBePosted", "UserHasLoggedIn", "MessageWillBeUpdated", "OnSAMLLogin")
}


def recorded() -> list[bytes]:
    """Streams that are as they should be: those of Go, and some of ours with more in them."""
    streams = [b"".join(bytes.fromhex(case["request"]) for case in GOLDEN)]
    streams += [bytes.fromhex(case["request"]) for case in GOLDEN if len(case["request"]) > 150]
    caller = Stream(Side.SERVER)
    deep: Any = "end"
    for _ in range(20):
        deep = {"a": [deep]}
    post = Post(
        message="hello",
        props={"deep": deep, "attachments": [{"text": "t", "fields": [{"value": 1.5}]}], "n": None, "b": b"x"},
        metadata=PostMetadata(embeds=[PostEmbed(data={"x": [1]})], files=[FileInfo(mini_preview=b"abc")]),
        participants=[User(props={"a": "b"})],
    )
    ours = [caller.request("Plugin.MessageWillBePosted", n, ARGS, {"B": post}) for n in range(3)]
    return [*streams, ours[0], b"".join(ours)]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One to four corruptions."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) or 1)
        end = min(len(out), at + rng.randint(1, 40))
        match rng.randrange(9):
            case 0:
                out[at:end] = bytes(byte ^ 1 << rng.randrange(8) for byte in out[at : at + 1]) + out[at + 1 : end]
            case 1:
                del out[at:]
            case 2:
                del out[at:end]
            case 3:
                out[at:at] = out[at:end]
            case 4:  # a length or a count that claims much
                out[at : at + 1] = uint(1 << rng.choice((14, 29, 30, 31, 40, 62, 63)))
            case 5:
                out[at:end] = rng.randbytes(end - at)
            case 6:  # levels within levels
                out[at:at] = out[at:end] * rng.choice((50, 500))
            case 7:
                out[at : at + 1] = bytes((rng.choice((0, 1, 0x7F, 0x80, 0xF7, 0xF8, 0xFE, 0xFF)),))
            case 8:  # another type's number
                out[at : at + 1] = int_(rng.choice((*range(1, 9), *range(64, 90), -65, -90)))
    return bytes(out)


def all_unread(value: Any) -> Iterator[Any]:
    """Read what has been left unread, however deep."""
    if isinstance(value, Model):
        for name in value.__struct_fields__:
            if name != "_unknown":
                yield from all_unread(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from all_unread(item)
    elif isinstance(value, list):
        for item in value:
            yield from all_unread(item)
    yield value


def judge(data: bytes, rng: random.Random) -> str:
    """Feed a stream with the bytes, hold it to the invariant, and say how it ended."""
    stream = Stream()
    requests: list[Request] = []
    step = rng.choice((len(data), len(data), 1 + len(data) // 3))
    ended = "more"
    try:
        for start in range(0, len(data), step or 1):
            requests += stream.receive_requests(data[start : start + step])
    except RemoteProtocolError:
        ended = "error"
    for request in requests:
        ended = "error" if "error" in (ended, read(stream, request)) else "value"
    return ended


def read(stream: Stream, request: Request) -> str:
    schema = SCHEMAS.get(request.service_method, rng_schema(request))
    try:
        value = stream.read(request.argument, schema)
        for _ in all_unread(value):
            pass
    except RemoteProtocolError:
        return "error"
    if isinstance(value, dict) and isinstance(value.get("B"), Post):
        assert value["B"] == value["B"]
        repr(value["B"])
        try:
            stream.response(request, RETURNS, {"A": value["B"]})
        except ModelError:
            return "value"
    return "value"


def rng_schema(request: Request) -> Schema:
    return Loose() if len(request.argument.data) % 2 else Verbatim()


@pytest.mark.parametrize("part", range(SLICES))
def test_corrupted_streams_give_values_more_or_errors_of_the_protocol(part: int) -> None:
    rng = random.Random(part)
    streams = recorded()
    endings = dict.fromkeys(("value", "more", "error"), 0)
    if part == 0:
        tracemalloc.start()
    for _ in range(RUNS // SLICES):
        data = mutated(rng.choice(streams), rng)
        began = time.perf_counter()
        endings[judge(data, rng)] += 1
        assert time.perf_counter() - began < LONGEST, data.hex()
    if part == 0:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20_000_000
    assert min(endings.values()) > 0, endings  # or the corruptions would be of one kind only


def test_what_go_sends_survives_corruption_of_its_props(gohost: GoHost) -> None:
    caller = Stream(Side.SERVER)
    args = bytes.fromhex(gohost.ask("gob_encode", type="Z_MessageWillBePostedArgs", seed=0)["hex"])
    header = caller._encoder.encode(REQUEST, {"ServiceMethod": "Plugin.MessageWillBePosted", "Seq": 1})
    # The header's types have our numbers for a server, and Go's start there, too: put them out of the way.
    renumbered = header.replace(int_(-64), int_(-9000)).replace(int_(64), int_(9000))
    rng = random.Random(0)
    assert judge(renumbered_lengths(renumbered) + args, rng) == "value"
    for _ in range(300):
        judge(renumbered_lengths(renumbered) + mutated(args, rng), rng)


def renumbered_lengths(data: bytes) -> bytes:
    """The lengths of the two messages of a header whose numbers have become longer."""
    type_ = write_definition(
        9000, Definition(Form.STRUCT, "Request", fields=(("ServiceMethod", types.STRING), ("Seq", types.UINT)))
    )
    body = int_(9000) + b"\1" + string("Plugin.MessageWillBePosted") + b"\1\1\0"
    assert int_(9000) in data
    return type_ + uint(len(body)) + body


def message(body: bytes) -> bytes:
    return uint(len(body)) + body


HUGE = (1 << 29, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)
LIST = write_definition(65, Definition(Form.SLICE, elem=types.INT))
EMPTY = write_definition(66, Definition(Form.STRUCT, "empty"))
LIST_OF_EMPTY = write_definition(67, Definition(Form.SLICE, elem=66))
ARRAY = write_definition(68, Definition(Form.ARRAY, elem=types.INT, length=1 << 50))
MAP = write_definition(69, Definition(Form.MAP, key=types.STRING, elem=types.INTERFACE))
ITSELF = write_definition(70, Definition(Form.SLICE, elem=70))
HELD = write_definition(71, Definition(Form.STRUCT, "held", fields=(("V", types.INTERFACE),)))
ALL = LIST + EMPTY + LIST_OF_EMPTY + ARRAY + MAP + ITSELF + HELD
NEW = write_definition(80, Definition(Form.STRUCT, "new"))[1:]  # without its length: as it stands within a value

BOMBS = {
    **{f"a text of {n}": message(int_(types.STRING) + b"\0" + uint(n)) for n in HUGE},
    **{f"bytes of {n}": message(int_(types.BYTES) + b"\0" + uint(n)) for n in HUGE},
    **{f"a list of {n}": message(int_(65) + b"\0" + uint(n)) for n in HUGE},
    **{f"a list of {n} empty structs": message(int_(67) + b"\0" + uint(n) + bytes(1000)) for n in HUGE},
    **{f"an array of {n}": message(int_(68) + b"\0" + uint(n)) for n in HUGE},
    **{f"a map of {n}": message(int_(69) + b"\0" + uint(n)) for n in HUGE},
    **{f"a name of {n}": message(int_(71) + b"\1" + uint(n)) for n in HUGE},
    **{f"a map of {n}, a new type within": message(int_(69) + b"\0" + uint(n) + b"\1k\1n" + NEW) for n in HUGE},
    **{f"fields by {n}": message(int_(71) + uint(n) + b"\0") for n in HUGE},
    "lists in lists": message(int_(70) + b"\0" + b"\1" * 200_000 + b"\0"),
    "a definition with many fields": message(int_(-90) + b"\3\2\1" + uint(1 << 40)),
    "a definition with a long name": message(int_(-90) + b"\3\1\1" + uint(1 << 40)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_length_that_only_claims_to_be_large_costs_nothing(name: str) -> None:
    stream = Stream()
    stream._inbox.receive_data(ALL)
    assert stream._inbox.next_message() is None
    tracemalloc.start()
    began = time.perf_counter()
    outcomes = []
    try:
        stream._inbox.receive_data(BOMBS[name])
        found = stream._inbox.next_message()
        for schema in (Verbatim(), Loose()) if found else ():
            assert found
            with pytest.raises(RemoteProtocolError):
                stream.read(found, schema)
            outcomes.append("error")
        if found is None:
            outcomes.append("more")
    except RemoteProtocolError:
        outcomes.append("error")
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert outcomes
    assert time.perf_counter() - began < LONGEST
    assert peak < 3_000_000 + 20 * len(BOMBS[name])


def test_a_message_of_which_little_has_come_takes_little() -> None:
    tracemalloc.start()
    stream = Stream()
    assert stream.receive_requests(uint(1 << 30) + b"x" * 1000) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_interfaces_within_interfaces_end_somewhere() -> None:
    value = b"\0"
    for _ in range(3000):
        body = b"\0\1" + b"\1k" + value
        value = b"\1m" + int_(69) + uint(len(body)) + body
    for tail in (b"\0", b"\0" + NEW):
        stream = Stream()
        stream._inbox.receive_data(ALL + message(int_(71) + b"\1" + value + tail))
        try:
            found = stream._inbox.next_message()
        except RemoteProtocolError:
            continue
        if found is not None:
            with pytest.raises(RemoteProtocolError):
                stream.read(found, Loose())


def test_many_small_pieces_cost_no_more_than_one_large_one() -> None:
    data = Stream(Side.SERVER).request("Plugin.MessageWillBePosted", 1, ARGS, {"B": Post(message="x" * 200_000)})
    stream = Stream()
    began = time.perf_counter()
    found: list[Request] = []
    for at in range(0, len(data), 10):
        found += stream.receive_requests(data[at : at + 10])
    assert len(found) == 1
    assert time.perf_counter() - began < LONGEST
    assert isinstance(ARGS, Struct)
