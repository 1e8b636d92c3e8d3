"""yamux, version 0: many streams over one connection. Bytes in, events out; no socket, no clock, no threads.

A `Connection` is one side. `receive_data` takes what came from the peer and returns what it means; every other method
may queue bytes, which `data_to_send` hands over. Pings are answered and streams acknowledged without being asked. Such
answers are never longer than what they answer: whoever writes them out before reading on keeps the memory bounded.

Whose fault an error is, is its class. What the peer does wrong ends the connection for good and comes as the event
`ConnectionFailed`; what the caller does wrong is raised as `LocalProtocolError`, and changes nothing.

Facts are from yamux's `spec.md`; "the reference" is HashiCorp's implementation in Go, 0.1.2. Its time limits (an
acknowledgement within 75 s, a ping's answer within 10 s) are for whoever has a clock.
"""

from __future__ import annotations

import enum
from collections.abc import KeysView

from mmhooks.hosts.netrpc.frames import (
    ALL_FLAGS,
    HEADER,
    VERSION,
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
    YamuxError,
)

__all__ = [
    "ALL_FLAGS",
    "HEADER",
    "VERSION",
    "Connection",
    "ConnectionFailed",
    "CreditReceived",
    "DataReceived",
    "Event",
    "Flag",
    "FrameType",
    "GoAwayCode",
    "GoAwayReceived",
    "LocalProtocolError",
    "PingAcknowledged",
    "RemoteProtocolError",
    "Role",
    "StreamAcknowledged",
    "StreamEnded",
    "StreamOpened",
    "StreamReset",
    "YamuxError",
]

WINDOW = 256 * 1024
"""Bytes that may come on a stream before its receiver has given credit (spec). This side never allows more, so no frame
with data can be longer: not even one for a stream that is over, since its sender had a window as well."""

CREDIT_AT = WINDOW // 2
"""Consumed bytes that make a window update worth its frame; the reference's number."""

MAX_WINDOW = 2**32 - 1
"""The most that the peer may allow: the reference counts windows in 32 bits, where more would start again at zero."""

MAX_STREAMS = 1024
"""Open streams, of both sides together, past which the peer's new ones are reset. A plugin has four streams and a few for
each request under way; the number only keeps a peer that opens without end from filling the memory."""

MAX_STREAM_ID = 2**32 - 1
"""Stream ids have 32 bits, and none is used twice."""


class _Half(enum.Enum):
    """One direction of a stream; "once both sides have closed the connection, the stream is closed" (spec)."""

    OPEN = "data may come"
    ENDING = "FIN goes out after what waits for credit"
    ENDED = "FIN has gone out, or has come in"


# To look a member up on its class takes 0.1 µs (Python 3.11), and each frame needs several.
_DATA, _WINDOW_UPDATE, _PING, _GO_AWAY = FrameType
_SYN, _ACK, _FIN, _RST = Flag
_OPEN, _ENDING, _ENDED = _Half


class _Stream:
    def __init__(self, id_: int, *, acknowledged: bool) -> None:
        self.id = id_
        self.acknowledged = acknowledged
        self.sending = self.receiving = _OPEN
        self.send_window = self.receive_window = WINDOW
        self.waiting = bytearray()  # to be sent when there is credit
        self.unconsumed = 0  # bytes received and not yet consumed
        self.owed = 0  # bytes consumed and not yet given back as credit


class Connection:
    """One side of a yamux session.

    Arguments:
        role: which of the two. A plugin is the server, the host that connects to it the client.
    """

    def __init__(self, role: Role) -> None:
        self._next_id = 1 if role is Role.CLIENT else 2
        self._streams: dict[int, _Stream] = {}
        self._out: list[bytes | bytearray] = []
        self._events: list[Event] = []  # of the bytes that are being received
        self._failed = False
        self._went_away = False  # this side takes no new streams
        self._peer_went_away = False
        self._next_ping = 0
        self._pings: set[int] = set()
        # What came of a frame that is not yet complete: some of its header, or a part of its data, which has been
        # delivered already.
        self._header = b""
        self._body: _Stream | None = None  # where the rest of the data goes; None: nowhere
        self._body_left = 0
        self._body_ends = False  # FIN comes with the last byte

    @property
    def streams(self) -> KeysView[int]:
        """The ids of the open streams, as a live view. A stream is open until both sides ended it, or one reset it."""
        return self._streams.keys()

    @property
    def closed(self) -> bool:
        """Whether nothing more can come of the connection: it failed, or both sides went away and no stream is left."""
        return self._failed or (self._went_away and self._peer_went_away and not self._streams)

    def data_to_send(self) -> bytes:
        """What has been queued since the last time; the caller is to write all of it."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    # the peer's side

    def receive_data(self, data: bytes | memoryview) -> list[Event]:
        """What these bytes mean, in order. Never raises for what they hold: the last event is `ConnectionFailed` then."""
        if self._failed:
            return []
        try:
            self._receive(data)
        except RemoteProtocolError as error:
            self._queue(_GO_AWAY, 0, 0, GoAwayCode.PROTOCOL_ERROR)
            self._fail(error)
        events, self._events = self._events, []
        return events

    def _receive(self, data: bytes | memoryview) -> None:
        at, size = 0, len(data)
        if self._header:
            at = HEADER.size - len(self._header)
            self._header += data[:at]
            if len(self._header) < HEADER.size:
                return
            self._receive_header(*HEADER.unpack(self._header))
            self._header = b""
        while not self._failed:
            if self._body_left:
                if at == size:
                    return
                piece = bytes(data[at : at + self._body_left])
                at += len(piece)
                self._receive_body(piece)
            elif size - at >= HEADER.size:
                self._receive_header(*HEADER.unpack_from(data, at))
                at += HEADER.size
            else:
                self._header = bytes(data[at:])
                return

    def _receive_header(self, version: int, type_: int, flags: int, id_: int, length: int) -> None:
        if version != VERSION or type_ > _GO_AWAY or flags > ALL_FLAGS:
            raise RemoteProtocolError(
                f"no frame of yamux 0 starts with version {version}, type {type_}, flags {flags:#06x}"
            )
        if type_ >= _PING:
            receive = self._receive_ping if type_ == _PING else self._receive_go_away
            return receive(flags, id_, length)
        if not id_:
            raise RemoteProtocolError("data or a window update for stream 0, which stands for the session")
        stream = self._receive_flags(id_, flags) if flags else self._streams.get(id_)
        if type_ == _DATA and length:
            return self._receive_data_header(stream, flags, id_, length)
        # A stream may be missing: the peer cannot know yet that it was reset or refused here. As the reference does,
        # such frames are passed over.
        if stream is not None:
            if length:
                self._receive_credit(stream, length)
            if flags & _FIN:
                self._receive_fin(stream)
        return None

    def _receive_flags(self, id_: int, flags: int) -> _Stream | None:
        """All flags but a FIN, which comes after what its frame brings. The result is the stream, if it is open then."""
        if flags & _SYN:
            self._receive_syn(id_)
        stream = self._streams.get(id_)
        if stream is None:
            return None
        if flags & _ACK and not stream.acknowledged:
            stream.acknowledged = True
            self._events.append(StreamAcknowledged(id_))
        if flags & _RST:
            self._forget(stream)
            self._events.append(StreamReset(id_))
            return None
        if flags & _FIN and stream.receiving is _ENDED:
            raise RemoteProtocolError(f"stream {id_} was ended twice")
        return stream

    def _receive_syn(self, id_: int) -> None:
        if id_ % 2 == self._next_id % 2:
            raise RemoteProtocolError(f"stream {id_} was opened by the peer, but that id is this side's to use")
        if id_ in self._streams:
            raise RemoteProtocolError(f"stream {id_} was opened while it was open")
        if self._went_away or len(self._streams) >= MAX_STREAMS:
            self._queue(_WINDOW_UPDATE, _RST, id_, 0)
            return
        self._streams[id_] = _Stream(id_, acknowledged=True)
        self._queue(_WINDOW_UPDATE, _ACK, id_, 0)
        self._events.append(StreamOpened(id_))

    def _receive_data_header(self, stream: _Stream | None, flags: int, id_: int, length: int) -> None:
        allowed = WINDOW if stream is None else stream.receive_window
        if length > allowed:
            raise RemoteProtocolError(f"{length} bytes of data for stream {id_}, where {allowed} were allowed")
        if stream is not None:
            stream.receive_window -= length
            if stream.receiving is _ENDED:
                stream = None  # in the reference a write can be overtaken by the FIN of another goroutine
        self._body = stream
        self._body_left = length
        self._body_ends = bool(flags & _FIN)

    def _receive_body(self, piece: bytes) -> None:
        self._body_left -= len(piece)
        stream = self._body
        if stream is None:
            return
        stream.unconsumed += len(piece)
        self._events.append(DataReceived(stream.id, piece))
        if self._body_ends and not self._body_left:
            self._receive_fin(stream)

    def _receive_credit(self, stream: _Stream, count: int) -> None:
        stream.send_window += count
        if stream.send_window > MAX_WINDOW:
            raise RemoteProtocolError(f"the window of stream {stream.id} was raised past {MAX_WINDOW}")
        if stream.waiting:
            self._send_waiting(stream)
            self._events.append(CreditReceived(stream.id))

    def _receive_fin(self, stream: _Stream) -> None:
        stream.receiving = _ENDED
        if stream.sending is _ENDED:
            self._forget(stream)
        self._events.append(StreamEnded(stream.id))

    def _receive_ping(self, flags: int, id_: int, value: int) -> None:
        if id_ or flags not in (_SYN, _ACK):
            raise RemoteProtocolError(f"a ping for stream {id_} with flags {flags:#06x}, in place of 0 and SYN or ACK")
        if flags == _SYN:
            self._queue(_PING, _ACK, 0, value)
        elif value in self._pings:  # the reference passes over any other answer, too
            self._pings.remove(value)
            self._events.append(PingAcknowledged(value))

    def _receive_go_away(self, flags: int, id_: int, code: int) -> None:
        if id_ or flags or code > GoAwayCode.INTERNAL_ERROR:
            raise RemoteProtocolError(f"a go-away for stream {id_} with flags {flags:#06x} and code {code}")
        self._peer_went_away = True
        reason = GoAwayCode(code)
        self._events.append(GoAwayReceived(reason))
        if reason is not GoAwayCode.NORMAL:
            # The peer has hung up: it gets no answer.
            self._fail(RemoteProtocolError(f"the peer gave up: {reason.name}"))

    # this side

    def open_stream(self) -> int:
        """Open a stream. Data may be sent at once, without waiting for `StreamAcknowledged`.

        Result: the stream's id. Raises `LocalProtocolError` once the peer has gone away or the connection failed.
        """
        self._check_alive()
        if self._peer_went_away:
            raise LocalProtocolError("the peer has gone away and takes no new streams")
        if self._next_id > MAX_STREAM_ID:
            raise LocalProtocolError("every stream id has been used: make a new connection")
        id_ = self._next_id
        self._next_id += 2
        self._streams[id_] = _Stream(id_, acknowledged=False)
        self._queue(_WINDOW_UPDATE, _SYN, id_, 0)
        return id_

    def send_data(self, stream: int, data: bytes) -> None:
        """Send as much as the peer's window allows now, and the rest when credit comes.

        Raises `LocalProtocolError` when this side has ended the stream, or it is not open.
        """
        state = self._sendable(stream)
        size = len(data)
        if size > state.send_window:  # where something waits, the window is used up
            state.waiting += data
            self._send_waiting(state)
        elif size:
            state.send_window -= size
            self._out.append(HEADER.pack(VERSION, _DATA, 0, stream, size))
            self._out.append(data)

    def unsent(self, stream: int) -> int:
        """Bytes of the stream that wait for credit; 0 when it is over."""
        state = self._streams.get(stream)
        return 0 if state is None else len(state.waiting)

    def end_stream(self, stream: int) -> None:
        """Send nothing more: FIN goes out now, or after what waits. The peer may still send.

        Raises `LocalProtocolError` when this side has ended the stream before, or it is not open.
        """
        state = self._sendable(stream)
        state.sending = _ENDING
        self._send_waiting(state)

    def reset_stream(self, stream: int) -> None:
        """Give the stream up, in both directions; what waits is dropped. Does nothing when the stream is over."""
        state = self._streams.get(stream)
        if state is not None:
            self._forget(state)
            self._queue(_WINDOW_UPDATE, _RST, stream, 0)

    def consumed(self, stream: int, count: int) -> None:
        """Say that so many received bytes have been used, so that the peer may send as many again.

        Does nothing when the stream is over: what was received may well be read later than that. Raises
        `LocalProtocolError` when fewer bytes had been received.
        """
        state = self._streams.get(stream)
        if state is None:
            return
        if not 0 <= count <= state.unconsumed:
            raise LocalProtocolError(
                f"consumed({stream}, {count}): {state.unconsumed} bytes have been received and not consumed"
            )
        state.unconsumed -= count
        state.owed += count
        if state.owed >= CREDIT_AT and state.receiving is _OPEN:
            self._queue(_WINDOW_UPDATE, 0, stream, state.owed)
            state.receive_window += state.owed
            state.owed = 0

    def ping(self) -> int:
        """Send a ping. Result: the value that `PingAcknowledged` will bring. Raises `LocalProtocolError` once the
        connection failed."""
        self._check_alive()
        value = self._next_ping
        self._next_ping = (value + 1) % 2**32
        self._pings.add(value)
        self._queue(_PING, _SYN, 0, value)
        return value

    def go_away(self, code: GoAwayCode = GoAwayCode.NORMAL) -> None:
        """Take no new streams: the peer's are reset from now on. With any code but NORMAL, drop the open ones as well
        and take in nothing more. Does nothing when the connection failed."""
        if self._failed:
            return
        self._queue(_GO_AWAY, 0, 0, code)
        self._went_away = True
        if code != GoAwayCode.NORMAL:
            self._fail()

    def _sendable(self, id_: int) -> _Stream:
        stream = self._streams.get(id_)
        if stream is None:
            self._check_alive()
            raise LocalProtocolError(f"stream {id_} is not open: it never was, or it is over")
        if stream.sending is not _OPEN:
            raise LocalProtocolError(f"stream {id_} was ended by this side, and takes nothing more")
        return stream

    def _send_waiting(self, stream: _Stream) -> None:
        """Send what the window allows of what waits, and FIN when it is due."""
        count = min(len(stream.waiting), stream.send_window)
        if count:
            stream.send_window -= count
            self._queue(_DATA, 0, stream.id, count)
            self._out.append(stream.waiting[:count])
            del stream.waiting[:count]
        if stream.sending is _ENDING and not stream.waiting:
            stream.sending = _ENDED
            self._queue(_WINDOW_UPDATE, _FIN, stream.id, 0)
            if stream.receiving is _ENDED:
                self._forget(stream)

    def _queue(self, type_: FrameType, flags: int, id_: int, length: int) -> None:
        self._out.append(HEADER.pack(VERSION, type_, flags, id_, length))

    def _forget(self, stream: _Stream) -> None:
        del self._streams[stream.id]
        if self._body is stream:
            self._body = None  # the rest of the frame that is coming in is passed over

    def _fail(self, error: RemoteProtocolError | None = None) -> None:
        self._failed = True
        self._streams.clear()
        self._body = None
        self._header = b""
        if error is not None:
            self._events.append(ConnectionFailed(error))

    def _check_alive(self) -> None:
        if self._failed:
            raise LocalProtocolError("the connection has failed, and takes nothing more")
