"""yamux: what bytes mean, which bytes go out, and who is to blame."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mmhooks import MmhooksError
from mmhooks.hosts.netrpc.yamux import (
    CREDIT_AT,
    HEADER,
    MAX_STREAM_ID,
    MAX_STREAMS,
    WINDOW,
    Connection,
    ConnectionFailed,
    CreditReceived,
    DataReceived,
    Event,
    Flag,
    FrameType,
    GoAwayCode,
    GoAwayReceived,
    LocalProtocolError,
    PingAcknowledged,
    RemoteProtocolError,
    Role,
    StreamAcknowledged,
    StreamEnded,
    StreamOpened,
    StreamReset,
)

DATA, UPDATE, PING, GO_AWAY = FrameType
SYN, ACK, FIN, RST = Flag

PROTOCOL_ERROR = bytes.fromhex("00 03 0000 00000000 00000001")
"""The go-away that tells a peer of its fault."""


def frame(type_: int, flags: int, stream: int, length: int = 0, *, version: int = 0) -> bytes:
    """A header; for a frame with data, see `data`."""
    return HEADER.pack(version, type_, flags, stream, length)


def data(stream: int, content: bytes, flags: int = 0) -> bytes:
    return frame(DATA, flags, stream, len(content)) + content


def received(events: list[Event], stream: int) -> bytes:
    """The bytes of a stream among the events."""
    return b"".join(e.data for e in events if isinstance(e, DataReceived) and e.stream == stream)


def frames(sent: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Type, flags, stream and length of each frame in what was sent."""
    at = 0
    while at < len(sent):
        _, type_, flags, stream, length = HEADER.unpack_from(sent, at)
        yield type_, flags, stream, length
        at += HEADER.size + (length if type_ == DATA else 0)
    assert at == len(sent)


class Pair:
    """A client and a server that hear each other; what each was told is in `told`."""

    def __init__(self) -> None:
        self.client, self.server = Connection(Role.CLIENT), Connection(Role.SERVER)
        self.told: dict[Connection, list[Event]] = {self.client: [], self.server: []}

    def exchange(self) -> None:
        """Carry bytes both ways until nobody has any."""
        while True:
            to_server, to_client = self.client.data_to_send(), self.server.data_to_send()
            if not to_server and not to_client:
                return
            self.told[self.server] += self.server.receive_data(to_server)
            self.told[self.client] += self.client.receive_data(to_client)

    def news(self, side: Connection) -> list[Event]:
        """What a side has been told since the last time."""
        self.exchange()
        events, self.told[side] = self.told[side], []
        return events


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.fixture(params=["the client opens", "the server opens"])
def opened(request: pytest.FixtureRequest, pair: Pair) -> tuple[Pair, Connection, Connection, int]:
    """A pair with one stream: the pair, who opened it, who took it, its id."""
    ours, theirs = pair.client, pair.server
    if request.param == "the server opens":
        ours, theirs = theirs, ours
    stream = ours.open_stream()
    assert pair.news(theirs) == [StreamOpened(stream)]
    assert pair.news(ours) == [StreamAcknowledged(stream)]
    return pair, ours, theirs, stream


Opened = tuple[Pair, Connection, Connection, int]


def server(*streams: int) -> Connection:
    """A server with these streams opened by its peer, and nothing to send."""
    connection = Connection(Role.SERVER)
    for stream in streams:
        assert connection.receive_data(frame(UPDATE, SYN, stream)) == [StreamOpened(stream)]
    connection.data_to_send()
    return connection


# what goes over the wire


def test_frames_look_as_the_specification_says() -> None:
    client = Connection(Role.CLIENT)
    stream = client.open_stream()
    assert client.data_to_send() == bytes.fromhex("00 01 0001 00000001 00000000"), "window update with SYN"
    client.send_data(stream, b"hello")
    assert client.data_to_send() == bytes.fromhex("00 00 0000 00000001 00000005 68656c6c6f"), "five bytes"
    client.end_stream(stream)
    assert client.data_to_send() == bytes.fromhex("00 01 0004 00000001 00000000"), "window update with FIN"
    client.reset_stream(stream)
    assert client.data_to_send() == bytes.fromhex("00 01 0008 00000001 00000000"), "window update with RST"
    assert client.ping() == 0
    assert client.data_to_send() == bytes.fromhex("00 02 0001 00000000 00000000"), "ping with SYN"
    client.go_away(GoAwayCode.INTERNAL_ERROR)
    assert client.data_to_send() == bytes.fromhex("00 03 0000 00000000 00000002"), "go-away"
    assert client.data_to_send() == b""


def test_answers_look_as_the_specification_says() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(bytes.fromhex("00 01 0001 00000001 00000000"))
    assert connection.data_to_send() == bytes.fromhex("00 01 0002 00000001 00000000"), "the stream is acknowledged"
    connection.receive_data(bytes.fromhex("00 02 0001 00000000 deadbeef"))
    assert connection.data_to_send() == bytes.fromhex("00 02 0002 00000000 deadbeef"), "the ping is answered"
    connection.receive_data(data(1, bytes(CREDIT_AT)))
    connection.consumed(1, CREDIT_AT)
    assert connection.data_to_send() == bytes.fromhex("00 01 0000 00000001 00020000"), "credit goes back"


CASES: dict[str, tuple[bytes, list[Event]]] = {
    "nothing": (b"", []),
    "a stream opens": (frame(UPDATE, SYN, 3), [StreamOpened(3)]),
    "a stream opens with data": (data(3, b"hello", SYN), [StreamOpened(3), DataReceived(3, b"hello")]),
    "a stream opens with an empty data frame": (data(3, b"", SYN), [StreamOpened(3)]),
    "a stream opens with a larger window": (frame(UPDATE, SYN, 3, 5000), [StreamOpened(3)]),
    "a stream in one frame": (
        data(3, b"hello", SYN | FIN),
        [StreamOpened(3), DataReceived(3, b"hello"), StreamEnded(3)],
    ),
    "a stream opens and is reset at once": (data(3, b"hello", SYN | RST), [StreamOpened(3), StreamReset(3)]),
    "later ids may come first": (
        frame(UPDATE, SYN, 5) + frame(UPDATE, SYN, 3),
        [StreamOpened(5), StreamOpened(3)],
    ),
    "data": (data(1, b"hello"), [DataReceived(1, b"hello")]),
    "an empty data frame": (data(1, b""), []),
    "two streams in turn": (
        frame(UPDATE, SYN, 3) + data(1, b"ab") + data(3, b"cd") + data(1, b"ef"),
        [StreamOpened(3), DataReceived(1, b"ab"), DataReceived(3, b"cd"), DataReceived(1, b"ef")],
    ),
    "FIN on a window update": (frame(UPDATE, FIN, 1), [StreamEnded(1)]),
    "FIN on data": (data(1, b"bye", FIN), [DataReceived(1, b"bye"), StreamEnded(1)]),
    "FIN on an empty data frame": (data(1, b"", FIN), [StreamEnded(1)]),
    "credit after FIN": (frame(UPDATE, FIN, 1) + frame(UPDATE, 0, 1, 5), [StreamEnded(1)]),
    "data that a FIN overtook is dropped": (frame(UPDATE, FIN, 1) + data(1, b"late"), [StreamEnded(1)]),
    "RST on a window update": (frame(UPDATE, RST, 1), [StreamReset(1)]),
    "RST on data, which is dropped": (data(1, b"hello", RST), [StreamReset(1)]),
    "data after RST is passed over": (frame(UPDATE, RST, 1) + data(1, b"late"), [StreamReset(1)]),
    "an id may open again": (frame(UPDATE, RST, 1) + frame(UPDATE, SYN, 1), [StreamReset(1), StreamOpened(1)]),
    "our stream is acknowledged": (frame(UPDATE, ACK, 2), [StreamAcknowledged(2)]),
    "our stream is acknowledged with data": (
        data(2, b"hello", ACK),
        [StreamAcknowledged(2), DataReceived(2, b"hello")],
    ),
    "our stream is acknowledged and over": (
        data(2, b"hi", ACK | FIN),
        [StreamAcknowledged(2), DataReceived(2, b"hi"), StreamEnded(2)],
    ),
    "a second acknowledgement": (frame(UPDATE, ACK, 2) * 2, [StreamAcknowledged(2)]),
    "an acknowledgement of the peer's own stream": (frame(UPDATE, ACK, 1), []),
    "our stream is refused": (frame(UPDATE, RST, 2), [StreamReset(2)]),
    "data before the acknowledgement": (
        data(2, b"early") + frame(UPDATE, ACK, 2),
        [DataReceived(2, b"early"), StreamAcknowledged(2)],
    ),
    "data for a stream that is over": (data(7, b"lost") + data(1, b"x"), [DataReceived(1, b"x")]),
    "every flag but SYN for a stream that is over": (frame(UPDATE, ACK | FIN | RST, 7, 9), []),
    "credit that nobody waits for": (frame(UPDATE, 0, 1, 9), []),
    "as much data as the window allows": (data(1, bytes(WINDOW)), [DataReceived(1, bytes(WINDOW))]),
    "a ping": (frame(PING, SYN, 0, 77), []),
    "an answer to our ping": (frame(PING, ACK, 0, 0), [PingAcknowledged(0)]),
    "an answer to a ping that nobody sent": (frame(PING, ACK, 0, 12), []),
    "an answer twice": (frame(PING, ACK, 0, 0) * 2, [PingAcknowledged(0)]),
    "go away": (frame(GO_AWAY, 0, 0, 0), [GoAwayReceived(GoAwayCode.NORMAL)]),
    "streams that are open go on after go-away": (
        frame(GO_AWAY, 0, 0, 0) + data(1, b"x"),
        [GoAwayReceived(GoAwayCode.NORMAL), DataReceived(1, b"x")],
    ),
}
"""Bytes, and what they mean to a server with stream 1 of its peer, stream 2 of its own, and ping 0 under way."""

every_case = pytest.mark.parametrize(("sent", "meaning"), CASES.values(), ids=CASES)


def busy() -> Connection:
    connection = server(1)
    assert connection.open_stream() == 2
    assert connection.ping() == 0
    connection.data_to_send()
    return connection


def fed(connection: Connection, sent: bytes, step: int) -> list[Event]:
    """Receive bytes in pieces of some length; a whole window in longer ones, to save time."""
    step = step if len(sent) < 1000 else max(step, 1021)
    return [e for at in range(0, len(sent), step) for e in connection.receive_data(memoryview(sent)[at : at + step])]


def joined(events: list[Event]) -> list[Event]:
    """Events with the neighbouring pieces of a stream's data put together, for comparing however they were cut."""
    result: list[Event] = []
    for event in events:
        last = result[-1] if result else None
        if isinstance(event, DataReceived) and isinstance(last, DataReceived) and last.stream == event.stream:
            result[-1] = DataReceived(event.stream, last.data + event.data)
        else:
            result.append(event)
    return result


@every_case
@pytest.mark.parametrize("kind", [bytes, memoryview])
def test_received_whole(sent: bytes, meaning: list[Event], kind: type) -> None:
    events = busy().receive_data(kind(sent))
    assert events == meaning
    assert all(type(event.data) is bytes for event in events if isinstance(event, DataReceived))


@every_case
def test_received_byte_by_byte(sent: bytes, meaning: list[Event]) -> None:
    connection = busy()
    events = fed(connection, sent, 1)
    assert joined(events) == joined(meaning)


@every_case
def test_received_with_more_behind(sent: bytes, meaning: list[Event]) -> None:
    tail = frame(UPDATE, SYN, 99) + data(99, b"tail") + frame(PING, SYN, 0, 5)[:7]
    connection = busy()
    expected = [*meaning, StreamOpened(99), DataReceived(99, b"tail")]
    assert connection.receive_data(sent + tail) == expected
    assert connection.receive_data(frame(PING, SYN, 0, 5)[7:]) == []
    assert connection.data_to_send().endswith(frame(PING, ACK, 0, 5))


@every_case
def test_the_answers_do_not_depend_on_how_the_bytes_were_cut(sent: bytes, meaning: list[Event]) -> None:
    whole, cut = busy(), busy()
    whole.receive_data(sent)
    fed(cut, sent, 5)
    assert cut.data_to_send() == whole.data_to_send()
    assert {*cut.streams} == {*whole.streams}


def test_the_data_of_a_long_frame_is_delivered_as_it_comes() -> None:
    connection = server(1)
    assert connection.receive_data(frame(DATA, FIN, 1, 6) + b"ab") == [DataReceived(1, b"ab")]
    assert connection.receive_data(b"cd") == [DataReceived(1, b"cd")]
    assert connection.receive_data(b"") == []
    assert connection.receive_data(b"efg") == [DataReceived(1, b"ef"), StreamEnded(1)]


# a peer that breaks the rules

VIOLATIONS: dict[str, tuple[bytes, str]] = {
    "a later version": (frame(DATA, 0, 1, version=1), "version 1"),
    "another protocol": (b"GET / HTTP/1.1\r\n", "version 71"),
    "an unknown type": (frame(4, 0, 1), "type 4"),
    "an unknown flag": (frame(UPDATE, 0x10, 1), "flags 0x0010"),
    "an unknown flag beside a known one": (frame(UPDATE, 0x8001, 1), "flags 0x8001"),
    "data for the session": (data(0, b"x"), "stream 0"),
    "a window update for the session": (frame(UPDATE, 0, 0, 1), "stream 0"),
    "a stream of id 0": (frame(UPDATE, SYN, 0), "stream 0"),
    "a stream with one of our ids": (frame(UPDATE, SYN, 4), "this side's to use"),
    "an open stream opened again": (frame(UPDATE, SYN, 1), "opened while it was open"),
    "an open stream opened again with data": (data(1, b"x", SYN), "opened while it was open"),
    "FIN twice": (frame(UPDATE, FIN, 1) * 2, "ended twice"),
    "FIN twice, with data": (data(1, b"a", FIN) + data(1, b"b", FIN), "ended twice"),
    "more data than the window": (frame(DATA, 0, 1, WINDOW + 1), "262145 bytes of data for stream 1, where 262144"),
    "more data than is left of the window": (data(1, bytes(WINDOW)) + data(1, b"x"), "where 0 were allowed"),
    "more data than the window after FIN": (
        frame(UPDATE, FIN, 1) + data(1, bytes(WINDOW)) + data(1, b"x"),
        "where 0 were allowed",
    ),
    "a new stream with more data than the window": (frame(DATA, SYN, 3, WINDOW + 1), "stream 3"),
    "more data than any window, for a stream that is over": (frame(DATA, 0, 7, WINDOW + 1), "stream 7"),
    "a frame of 4 GB": (frame(DATA, 0, 1, 2**32 - 1), "4294967295 bytes"),
    "a window past 32 bits": (frame(UPDATE, 0, 1, 2**32 - WINDOW), "raised past 4294967295"),
    "a window past 32 bits in steps": (frame(UPDATE, 0, 1, 2**31) * 2, "raised past 4294967295"),
    "a new stream's window past 32 bits": (frame(UPDATE, SYN, 3, 2**32 - 1), "window of stream 3"),
    "a ping for a stream": (frame(PING, SYN, 1, 5), "a ping for stream 1"),
    "a ping without a flag": (frame(PING, 0, 0, 5), "flags 0x0000"),
    "a ping and its answer in one": (frame(PING, SYN | ACK, 0, 5), "flags 0x0003"),
    "a go-away for a stream": (frame(GO_AWAY, 0, 1, 0), "a go-away for stream 1"),
    "a go-away with a flag": (frame(GO_AWAY, FIN, 0, 0), "flags 0x0004"),
    "a go-away for an unknown reason": (frame(GO_AWAY, 0, 0, 3), "code 3"),
}

every_violation = pytest.mark.parametrize(("sent", "why"), VIOLATIONS.values(), ids=VIOLATIONS)


@every_violation
@pytest.mark.parametrize("step", [1, 5, 2**20], ids=["byte by byte", "in fives", "whole"])
def test_a_violation_ends_the_connection_and_the_peer_is_told(sent: bytes, why: str, step: int) -> None:
    connection = server(1)
    events = fed(connection, sent, step)
    failure = events[-1]
    assert isinstance(failure, ConnectionFailed)
    assert isinstance(failure.error, RemoteProtocolError)
    assert why in str(failure.error)
    assert sum(isinstance(event, ConnectionFailed) for event in events) == 1
    assert connection.data_to_send().endswith(PROTOCOL_ERROR)


@every_violation
def test_what_came_before_a_violation_counts_and_nothing_after_it_does(sent: bytes, why: str) -> None:
    connection = server(1)
    before, after = frame(PING, SYN, 0, 9) + frame(UPDATE, SYN, 11), frame(UPDATE, SYN, 13)
    events = connection.receive_data(before + sent + after)
    assert events[0] == StreamOpened(11)
    assert isinstance(events[-1], ConnectionFailed)
    assert StreamOpened(13) not in events
    told = connection.data_to_send()
    assert told.startswith(frame(PING, ACK, 0, 9) + frame(UPDATE, ACK, 11))
    assert told.endswith(PROTOCOL_ERROR)
    assert frame(UPDATE, ACK, 13) not in told
    assert connection.receive_data(after) == []
    assert connection.receive_data(sent) == []
    assert connection.data_to_send() == b""


def test_a_connection_that_failed_is_closed_for_good() -> None:
    connection = server(1)
    connection.receive_data(data(1, b"abc"))
    connection.send_data(1, bytes(WINDOW + 1))
    connection.receive_data(frame(9, 0, 0))
    assert connection.closed
    assert not connection.streams
    assert connection.unsent(1) == 0
    connection.data_to_send()
    for forbidden in (
        connection.open_stream,
        connection.ping,
        lambda: connection.send_data(1, b"x"),
        lambda: connection.end_stream(1),
    ):
        with pytest.raises(LocalProtocolError, match="the connection has failed"):
            forbidden()
    connection.consumed(1, 3)
    connection.reset_stream(1)
    connection.go_away()
    assert connection.data_to_send() == b""


def test_more_streams_than_the_limit_are_reset_one_by_one() -> None:
    connection = server(*range(1, 2 * MAX_STREAMS, 2))
    assert len(connection.streams) == MAX_STREAMS
    late = 2 * MAX_STREAMS + 1
    assert connection.receive_data(data(late, b"hello", SYN | FIN) + data(1, b"x")) == [DataReceived(1, b"x")]
    assert connection.data_to_send() == frame(UPDATE, RST, late)
    connection.reset_stream(1)
    connection.data_to_send()
    assert connection.receive_data(frame(UPDATE, SYN, late)) == [StreamOpened(late)]


@pytest.mark.parametrize("code", [GoAwayCode.PROTOCOL_ERROR, GoAwayCode.INTERNAL_ERROR])
def test_a_peer_that_gives_up_ends_the_connection_and_gets_no_answer(code: GoAwayCode) -> None:
    connection = server(1)
    went, failed = connection.receive_data(frame(GO_AWAY, 0, 0, code) + data(1, b"x") + frame(UPDATE, SYN, 3))
    assert went == GoAwayReceived(code)
    assert isinstance(failed, ConnectionFailed)
    assert str(failed.error) == f"the peer gave up: {code.name}"
    assert connection.closed
    assert connection.data_to_send() == b""


# two sides


def test_client_ids_are_odd_and_server_ids_even(pair: Pair) -> None:
    assert [pair.client.open_stream() for _ in range(3)] == [1, 3, 5]
    assert [pair.server.open_stream() for _ in range(3)] == [2, 4, 6]
    assert pair.news(pair.server) == [*map(StreamOpened, (1, 3, 5)), *map(StreamAcknowledged, (2, 4, 6))]
    assert pair.news(pair.client) == [*map(StreamOpened, (2, 4, 6)), *map(StreamAcknowledged, (1, 3, 5))]
    assert {*pair.client.streams} == {*pair.server.streams} == {1, 2, 3, 4, 5, 6}


def test_data_goes_both_ways(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.send_data(stream, b"question")
    theirs.send_data(stream, b"answer")
    assert pair.news(theirs) == [DataReceived(stream, b"question")]
    assert pair.news(ours) == [DataReceived(stream, b"answer")]


def test_data_may_follow_the_opening_at_once(pair: Pair) -> None:
    stream = pair.client.open_stream()
    pair.client.send_data(stream, b"early")
    pair.client.end_stream(stream)
    assert pair.news(pair.server) == [StreamOpened(stream), DataReceived(stream, b"early"), StreamEnded(stream)]


def test_sending_nothing_sends_nothing(opened: Opened) -> None:
    _, ours, _, stream = opened
    ours.send_data(stream, b"")
    assert ours.data_to_send() == b""


def test_an_ended_stream_goes_on_the_other_way_until_both_have_ended_it(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.end_stream(stream)
    assert pair.news(theirs) == [StreamEnded(stream)]
    theirs.send_data(stream, b"still here")
    assert pair.news(ours) == [DataReceived(stream, b"still here")]
    assert stream in ours.streams
    assert stream in theirs.streams
    theirs.end_stream(stream)
    assert pair.news(ours) == [StreamEnded(stream)]
    assert not ours.streams
    assert not theirs.streams


def test_both_may_end_a_stream_at_the_same_time(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.end_stream(stream)
    theirs.end_stream(stream)
    assert pair.news(ours) == pair.news(theirs) == [StreamEnded(stream)]
    assert not ours.streams
    assert not theirs.streams


def test_a_reset_ends_both_ways_at_once(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    theirs.send_data(stream, b"on its way")
    ours.reset_stream(stream)
    assert not ours.streams
    assert pair.news(ours) == []
    assert pair.news(theirs) == [StreamReset(stream)]
    assert not theirs.streams
    with pytest.raises(LocalProtocolError, match=f"stream {stream} is not open"):
        theirs.send_data(stream, b"x")


def test_both_may_reset_a_stream_at_the_same_time(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.reset_stream(stream)
    theirs.reset_stream(stream)
    assert pair.news(ours) == pair.news(theirs) == []
    assert not ours.closed


def test_a_reset_in_the_middle_of_a_frame_drops_the_rest_of_it() -> None:
    connection = server(1, 3)
    assert connection.receive_data(frame(DATA, FIN, 1, 4) + b"ab") == [DataReceived(1, b"ab")]
    connection.reset_stream(1)
    assert connection.receive_data(b"cd" + data(3, b"x")) == [DataReceived(3, b"x")]


def test_a_stream_that_opens_anew_in_the_middle_of_an_old_frame_gets_none_of_it() -> None:
    connection = server(1)
    connection.receive_data(frame(DATA, FIN, 1, 4) + b"ab")
    connection.reset_stream(1)
    assert connection.receive_data(b"cd" + frame(UPDATE, SYN, 1)) == [StreamOpened(1)]


def test_pings_are_answered_by_themselves(pair: Pair) -> None:
    values = [pair.client.ping(), pair.client.ping(), pair.server.ping()]
    assert values == [0, 1, 0]
    assert pair.news(pair.client) == [PingAcknowledged(0), PingAcknowledged(1)]
    assert pair.news(pair.server) == [PingAcknowledged(0)]


def test_after_going_away_the_peers_streams_are_refused_and_the_open_ones_go_on(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    crossing = theirs.open_stream()
    ours.go_away()
    assert pair.news(theirs) == [GoAwayReceived(GoAwayCode.NORMAL), StreamReset(crossing)]
    with pytest.raises(LocalProtocolError, match="the peer has gone away"):
        theirs.open_stream()
    theirs.send_data(stream, b"x")
    assert pair.news(ours) == [DataReceived(stream, b"x")]
    another = ours.open_stream()
    assert pair.news(theirs) == [StreamOpened(another)]


def test_a_connection_is_closed_once_both_went_away_and_the_last_stream_is_over(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.go_away()
    theirs.go_away()
    pair.exchange()
    assert [ours.closed, theirs.closed] == [False, False]
    ours.reset_stream(stream)
    pair.exchange()
    assert [ours.closed, theirs.closed] == [True, True]


def test_going_away_for_an_error_drops_everything_at_once(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.go_away(GoAwayCode.INTERNAL_ERROR)
    assert ours.closed
    assert not ours.streams
    theirs.send_data(stream, b"x")
    assert pair.news(ours) == []
    went, failed = pair.news(theirs)
    assert went == GoAwayReceived(GoAwayCode.INTERNAL_ERROR)
    assert isinstance(failed, ConnectionFailed)
    assert theirs.closed


# flow control


def test_more_data_than_the_window_waits_for_credit(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    content = bytes(range(256)) * 4096  # four windows
    ours.send_data(stream, content)
    assert ours.unsent(stream) == len(content) - WINDOW
    got = received(pair.news(theirs), stream)
    assert len(got) == WINDOW
    while len(got) < len(content):
        waited = ours.unsent(stream)
        theirs.consumed(stream, WINDOW)
        news = received(pair.news(theirs), stream)
        assert len(news) == WINDOW
        assert pair.news(ours) == [CreditReceived(stream)]
        assert ours.unsent(stream) == waited - WINDOW
        got += news
    assert got == content


def test_received_is_not_consumed(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.send_data(stream, bytes(WINDOW + 1))
    pair.exchange()
    assert ours.unsent(stream) == 1
    theirs.consumed(stream, CREDIT_AT - 1)
    assert theirs.data_to_send() == b""
    theirs.consumed(stream, 1)
    assert pair.news(ours) == [CreditReceived(stream)]
    assert ours.unsent(stream) == 0


def test_what_is_sent_while_something_waits_keeps_its_place(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.send_data(stream, bytes(WINDOW) + b"one ")
    ours.send_data(stream, b"two ")
    ours.send_data(stream, b"")
    ours.send_data(stream, b"three")
    ours.end_stream(stream)
    assert StreamEnded(stream) not in pair.news(theirs)
    theirs.consumed(stream, WINDOW)
    assert pair.news(theirs) == [DataReceived(stream, b"one two three"), StreamEnded(stream)]


def test_the_end_waits_for_what_waits_even_when_the_peer_has_ended(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.send_data(stream, bytes(WINDOW + 1))
    ours.end_stream(stream)
    theirs.end_stream(stream)
    pair.exchange()
    assert stream in ours.streams
    assert stream in theirs.streams
    theirs.consumed(stream, WINDOW)
    assert pair.news(ours)[-1] == CreditReceived(stream)
    assert not ours.streams
    assert not theirs.streams


def test_a_reset_drops_what_waits(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    ours.send_data(stream, bytes(2 * WINDOW))
    theirs.reset_stream(stream)
    assert StreamReset(stream) in pair.news(ours)
    assert ours.unsent(stream) == 0


def test_streams_do_not_wait_for_each_other(pair: Pair) -> None:
    slow, quick = pair.client.open_stream(), pair.client.open_stream()
    pair.client.send_data(slow, bytes(2 * WINDOW))
    pair.client.send_data(quick, b"through")
    assert received(pair.news(pair.server), quick) == b"through"


def test_a_window_of_32_bits_may_be_used_to_its_last_byte() -> None:
    connection = server(1)
    assert connection.receive_data(frame(UPDATE, 0, 1, 2**32 - 1 - WINDOW)) == []
    connection.send_data(1, bytes(WINDOW + 1))
    assert [*frames(connection.data_to_send())] == [(DATA, 0, 1, WINDOW + 1)]
    assert connection.receive_data(frame(UPDATE, 0, 1, WINDOW + 1)) == []
    [failed] = connection.receive_data(frame(UPDATE, 0, 1, 1))
    assert isinstance(failed, ConnectionFailed)


def test_the_peer_may_use_the_credit_it_was_given_and_no_more() -> None:
    connection = server(1)
    connection.receive_data(data(1, bytes(WINDOW)))
    connection.consumed(1, CREDIT_AT + 10)
    assert [*frames(connection.data_to_send())] == [(UPDATE, 0, 1, CREDIT_AT + 10)]
    connection.receive_data(data(1, bytes(CREDIT_AT + 10)))
    assert not connection.closed
    assert isinstance(connection.receive_data(data(1, b"x"))[-1], ConnectionFailed)


def test_no_credit_goes_to_a_peer_that_has_ended() -> None:
    connection = server(1)
    connection.receive_data(data(1, bytes(WINDOW), FIN))
    connection.consumed(1, WINDOW)
    assert connection.data_to_send() == b""


def test_data_in_small_pieces_never_stalls(opened: Opened) -> None:
    pair, ours, theirs, stream = opened
    total = 0
    for size in [1, 4096, 65536, 100_000, 7] * 12:
        ours.send_data(stream, bytes(size))
        got = received(pair.news(theirs), stream)
        theirs.consumed(stream, len(got))
        total += len(got) - size
    assert total == 0
    assert ours.unsent(stream) == 0


# what this side may not ask for


def test_nothing_is_sent_on_a_stream_that_is_not_open(pair: Pair) -> None:
    for call in (pair.client.end_stream, lambda stream: pair.client.send_data(stream, b"x")):
        with pytest.raises(LocalProtocolError, match="stream 5 is not open"):
            call(5)
    assert pair.client.data_to_send() == b""


@pytest.mark.parametrize("waiting", [0, WINDOW + 1], ids=["nothing waits", "data waits"])
def test_nothing_is_sent_on_a_stream_that_this_side_ended(opened: Opened, waiting: int) -> None:
    _, ours, _, stream = opened
    ours.send_data(stream, bytes(waiting))
    ours.end_stream(stream)
    ours.data_to_send()
    for call in (ours.end_stream, lambda stream: ours.send_data(stream, b"x")):
        with pytest.raises(LocalProtocolError, match=f"stream {stream} was ended by this side"):
            call(stream)
    assert ours.data_to_send() == b""


@pytest.mark.parametrize("count", [-1, 4])
def test_no_more_is_consumed_than_was_received(count: int) -> None:
    connection = server(1)
    connection.receive_data(frame(DATA, 0, 1, 100) + b"abc")
    with pytest.raises(LocalProtocolError, match=rf"consumed\(1, {count}\): 3 bytes"):
        connection.consumed(1, count)
    connection.consumed(1, 3)
    with pytest.raises(LocalProtocolError, match="0 bytes"):
        connection.consumed(1, 1)


def test_what_was_received_may_be_consumed_after_the_stream_is_over() -> None:
    connection = server(1)
    connection.receive_data(data(1, bytes(WINDOW), FIN))
    connection.end_stream(1)
    connection.data_to_send()
    connection.consumed(1, WINDOW)
    connection.reset_stream(1)
    assert connection.unsent(1) == 0
    assert connection.data_to_send() == b""


def test_stream_ids_run_out_and_are_not_used_twice() -> None:
    connection = Connection(Role.CLIENT)
    connection._next_id = MAX_STREAM_ID  # two thousand million streams later
    assert connection.open_stream() == MAX_STREAM_ID
    with pytest.raises(LocalProtocolError, match="make a new connection"):
        connection.open_stream()


def test_both_errors_are_caught_as_errors_of_the_package() -> None:
    assert issubclass(LocalProtocolError, MmhooksError)
    assert issubclass(RemoteProtocolError, MmhooksError)
    assert not issubclass(LocalProtocolError, RemoteProtocolError)


# events


def test_events_are_equal_when_they_mean_the_same() -> None:
    assert DataReceived(1, b"x") == DataReceived(1, b"x")
    assert DataReceived(1, b"x") != DataReceived(1, b"y")
    assert StreamOpened(1) != StreamEnded(1)
    assert StreamOpened(1) != 1


def test_events_can_be_read_in_a_log_and_taken_apart() -> None:
    def content(event: Event) -> bytes:
        match event:
            case DataReceived(3, data):
                return data
            case _:
                return b""

    assert repr(DataReceived(3, b"hi")) == "DataReceived(3, b'hi')"
    assert [content(event) for event in (DataReceived(3, b"hi"), StreamEnded(3))] == [b"hi", b""]
