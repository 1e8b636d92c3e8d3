"""The invariant of `yamux.Connection`, whatever bytes come in:

- `receive_data` gives events; it raises nothing.
- After `ConnectionFailed` nothing comes any more, and the connection is closed.
- Memory is bounded: less than a header is kept of what came in, and the answers are no longer than what they answer,
  but for a go-away.
- The events of a stream make sense: nothing before it opened, nothing after it is over, no data after its end, and never
  more data than the window and the credit given back.
- How the bytes are cut into pieces makes no difference.

The seeds are fixed: a run that fails fails again.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mmhooks.hosts.netrpc.yamux import (
    HEADER,
    MAX_STREAMS,
    WINDOW,
    Connection,
    ConnectionFailed,
    DataReceived,
    Event,
    FrameType,
    GoAwayReceived,
    PingAcknowledged,
    Role,
    StreamEnded,
    StreamOpened,
    StreamReset,
)

RUNS = 1000
"""Byte streams for each way of making them; all together take about five seconds."""

Frames = list[bytes]


class Judge:
    """Feeds a connection and holds it to the invariant."""

    def __init__(self, rng: random.Random, *, acts: bool) -> None:
        self.rng = rng
        self.acts = acts  # whether this side does things of its own in between
        self.connection = Connection(Role.SERVER)
        self.events: list[Event] = []
        self.ended: dict[int, bool] = {}  # each open stream, and whether the peer has ended it
        self.held: dict[int, int] = {}  # bytes received and not consumed
        self.failed = False
        self.room = 0  # bytes received, less those of the answers
        for _ in range(3):
            self.ended[self.connection.open_stream()] = False
        self.connection.ping()
        self.sent = self.connection.data_to_send()

    def feed(self, data: bytes) -> None:
        events = self.connection.receive_data(data)
        self.events += events
        for event in events:
            self.check(event)
        assert self.connection.closed or not self.failed
        assert len(self.connection._header) < HEADER.size
        assert len(self.connection.streams) <= MAX_STREAMS + 3
        answers = self.connection.data_to_send()
        if not self.acts:
            self.room += len(data) - len(answers)
            assert self.room >= -HEADER.size * self.failed
        self.sent += answers
        if self.acts and not self.failed:
            self.act()

    def check(self, event: Event) -> None:
        assert not self.failed, "something came after the end"
        match event:
            case ConnectionFailed():
                self.failed = True
            case PingAcknowledged() | GoAwayReceived():
                pass
            case StreamOpened(stream):
                assert stream % 2 == 1
                self.ended[stream] = False
                self.held[stream] = 0
            case DataReceived(stream, data):
                assert self.ended[stream] is False
                assert type(data) is bytes
                assert data
                self.held[stream] = self.held.get(stream, 0) + len(data)
                assert self.held[stream] <= WINDOW
            case StreamEnded(stream):
                assert self.ended[stream] is False
                self.ended[stream] = True
            case StreamReset(stream):
                del self.ended[stream]
            case _:
                assert event.stream in self.ended

    def act(self) -> None:
        """Do something that is allowed with one of the open streams."""
        if not self.connection.streams:
            return
        stream = self.rng.choice([*self.connection.streams])
        match self.rng.randrange(6):
            case 0:
                self.connection.consumed(stream, self.held.get(stream, 0))
                self.held[stream] = 0
            case 1 if not self.is_ending(stream):
                self.connection.send_data(stream, bytes(self.rng.choice([0, 10, 300, WINDOW])))
            case 2 if not self.is_ending(stream):
                self.connection.end_stream(stream)
            case 3:
                self.connection.reset_stream(stream)
                del self.ended[stream]
            case 4:
                self.connection.ping()
            case _:
                pass

    def is_ending(self, stream: int) -> bool:
        return self.connection._streams[stream].sending.name != "OPEN"


def in_pieces(rng: random.Random, data: bytes) -> Frames:
    pieces, at = [], 0
    while at < len(data):
        size = rng.choice([1, 3, 11, 12, 13, 100, 5000])
        pieces.append(data[at : at + size])
        at += size
    return pieces


# bytes to try


def a_session(rng: random.Random) -> Frames:
    """What a well-behaved client might send, frame by frame: to the server above, with its streams 2, 4 and 6."""
    frames = []
    windows: dict[int, int] = {2: WINDOW, 4: WINDOW, 6: WINDOW}
    fresh = [*range(1, 41, 2)]

    def frame(type_: int, flags: int, stream: int, length: int = 0, content: bytes = b"") -> None:
        frames.append(HEADER.pack(0, type_, flags, stream, length) + content)

    for stream in (2, 4, 6):
        frame(FrameType.WINDOW_UPDATE, 2, stream)
    for _ in range(rng.randrange(5, 40)):
        stream = rng.choice([*windows]) if windows else 0
        match rng.randrange(10):
            case 0 | 1 if fresh:
                frame(FrameType.WINDOW_UPDATE, 1, fresh[0])
                windows[fresh.pop(0)] = WINDOW
            case 2 | 3 | 4 | 5 if windows:
                size = min(rng.choice([0, 1, 20, 200, 3000]), windows[stream])
                windows[stream] -= size
                frame(FrameType.DATA, 0, stream, size, rng.randbytes(size))
            case 6 if windows:
                frame(FrameType.WINDOW_UPDATE, 0, stream, rng.randrange(100_000))
            case 7 if windows:
                del windows[stream]
                frame(rng.choice([FrameType.DATA, FrameType.WINDOW_UPDATE]), rng.choice([4, 8]), stream)
            case 8:
                frame(FrameType.PING, 1, 0, rng.getrandbits(32))
            case _:
                frame(FrameType.PING, 2, 0, rng.randrange(3))
    if rng.random() < 0.2:
        frame(FrameType.GO_AWAY, 0, 0, 0)
    return frames


def valid(rng: random.Random) -> bytes:
    return b"".join(a_session(rng))


def noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(2000))


def likely_headers(rng: random.Random) -> bytes:
    """Headers whose every field is plausible, and together rarely are; data of any length behind them."""
    parts = []
    for _ in range(rng.randrange(1, 60)):
        length = rng.choice([0, 0, 1, 2, 12, 500, WINDOW - 1, WINDOW, WINDOW + 1, 2**31, 2**32 - 1])
        type_ = rng.choice([0, 0, 0, 1, 1, 1, 2, 3])
        flags = rng.choice([0, 0, 1, 1, 2, 4, 8, rng.randrange(17)])
        parts.append(HEADER.pack(rng.random() < 0.01, type_, flags, rng.randrange(8), length))
        if type_ == FrameType.DATA and length < 1000:
            parts.append(rng.randbytes(length))
    return b"".join(parts)


def flipped(rng: random.Random) -> bytes:
    data = bytearray(valid(rng))
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def truncated(rng: random.Random) -> bytes:
    """Cut off, or with a hole in the middle."""
    data = valid(rng)
    start, end = sorted(rng.randrange(len(data)) for _ in range(2))
    return data[:start] + rng.choice([b"", data[end:]])


def duplicated(rng: random.Random) -> bytes:
    frames = a_session(rng)
    for _ in range(rng.randrange(1, 4)):
        frames.insert(rng.randrange(len(frames)), rng.choice(frames))
    return b"".join(frames)


def reordered(rng: random.Random) -> bytes:
    frames = a_session(rng)
    rng.shuffle(frames)
    return b"".join(frames)


Maker = Callable[[random.Random], bytes]
MAKERS: list[Maker] = [valid, noise, likely_headers, flipped, truncated, duplicated, reordered]
every_maker = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


@every_maker
def test_the_invariant_holds_however_the_bytes_are_cut(make: Maker) -> None:
    for seed in range(RUNS):
        rng = random.Random(f"{make.__name__} {seed}")
        data = make(rng)
        whole, pieces = Judge(rng, acts=False), Judge(rng, acts=False)
        whole.feed(data)
        for piece in in_pieces(rng, data):
            pieces.feed(piece)
        assert summary(pieces) == summary(whole), f"seed {seed}"
        assert pieces.sent == whole.sent, f"seed {seed}"
        whole.feed(data)
        assert not (make is valid and pieces.failed), f"seed {seed}: {pieces.events[-1]}"


@every_maker
def test_the_invariant_holds_while_this_side_acts(make: Maker) -> None:
    for seed in range(RUNS):
        rng = random.Random(f"{make.__name__} acting {seed}")
        judge = Judge(rng, acts=True)
        for piece in in_pieces(rng, make(rng)):
            judge.feed(piece)
        assert not (make is valid and judge.failed), f"seed {seed}: {judge.events[-1]}"


def test_most_ways_to_make_bytes_find_failures_and_sessions_that_live() -> None:
    # Otherwise they would be so mild, or so coarse, that they test nothing. Frames in another order break no rule: those
    # for streams that are not open are passed over.
    for make in (noise, likely_headers, flipped, truncated, duplicated):
        outcomes = set()
        for seed in range(100):
            rng = random.Random(f"{make.__name__} {seed}")
            judge = Judge(rng, acts=False)
            judge.feed(make(rng))
            outcomes.add(judge.failed)
        assert True in outcomes, make.__name__
        assert make is noise or False in outcomes, make.__name__


def test_a_peer_that_opens_thousands_of_streams_fills_nothing() -> None:
    rng = random.Random(7)
    judge = Judge(rng, acts=False)
    ids = [*range(1, 10_001, 2)]
    rng.shuffle(ids)
    for start in range(0, len(ids), 50):
        judge.feed(b"".join(HEADER.pack(0, 1, 1, stream, 0) for stream in ids[start : start + 50]))
    assert not judge.failed
    assert len(judge.connection.streams) == MAX_STREAMS
    judge.feed(b"".join(HEADER.pack(0, 1, 8, stream, 0) for stream in ids))
    assert {*judge.connection.streams} == {2, 4, 6}
    judge.feed(b"".join(HEADER.pack(0, 0, 5, stream, 3) + b"abc" for stream in ids[:MAX_STREAMS]))
    assert not judge.failed


def test_two_connections_never_fail_each_other() -> None:
    for seed in range(150):
        rng = random.Random(f"pair {seed}")
        sides = [Connection(Role.CLIENT), Connection(Role.SERVER)]
        sent: dict[tuple[int, int], int] = {}  # by sender and stream
        got: dict[tuple[int, int], int] = {}
        for _ in range(120):
            me = rng.randrange(2)
            side = sides[me]
            open_for_us = [s for s, state in side._streams.items() if state.sending.name == "OPEN"]
            action = rng.randrange(8)
            if action == 0:
                side.open_stream()
            elif action == 1:
                side.ping()
            elif action < 5 and open_for_us:
                stream, size = rng.choice(open_for_us), rng.choice([1, 500, 70_000, 300_000])
                side.send_data(stream, bytes(size))
                sent[me, stream] = sent.get((me, stream), 0) + size
            elif action == 5 and open_for_us and rng.random() < 0.3:
                side.end_stream(rng.choice(open_for_us))
            else:
                carry(sides, me, got)
        while any([carry(sides, 0, got), carry(sides, 1, got)]):
            pass
        assert got == sent, f"seed {seed}"
        assert not sides[0].closed
        assert {*sides[0].streams} == {*sides[1].streams}
        assert sum(side.unsent(stream) for side in sides for stream in side.streams) == 0


def carry(sides: list[Connection], sender: int, got: dict[tuple[int, int], int]) -> bytes:
    """Hand over what one side has to send; the other consumes it at once."""
    data = sides[sender].data_to_send()
    for event in sides[1 - sender].receive_data(data):
        assert not isinstance(event, ConnectionFailed), event.error
        if isinstance(event, DataReceived):
            sides[1 - sender].consumed(event.stream, len(event.data))
            got[sender, event.stream] = got.get((sender, event.stream), 0) + len(event.data)
    return data


def summary(judge: Judge) -> list[object]:
    """The events, with data per stream put together and errors by their text."""
    result: list[object] = []
    for event in judge.events:
        if isinstance(event, ConnectionFailed):
            result.append(str(event.error))
        elif not isinstance(event, DataReceived):
            result.append(event)
        elif result and isinstance(last := result[-1], DataReceived) and last.stream == event.stream:
            result[-1] = DataReceived(event.stream, last.data + event.data)
        else:
            result.append(event)
    return result
