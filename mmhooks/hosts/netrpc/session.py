"""One connection with its streams on an event loop: it owns the socket, and yamux says what to do with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from mmhooks.hosts.netrpc import yamux

logger = logging.getLogger("mmhooks")

ACKNOWLEDGED_WITHIN = 75.0
"""Seconds for the peer to take a stream, as in yamux's reference implementation."""

_HIGH_WATER = 1 << 20
"""Bytes that wait to be written before nothing more is read: a peer that does not read what it is sent must not make
this side grow."""


_BUFFER = 64 * 1024
"""Bytes that are read from the socket at a time."""


class Lost(ConnectionError):
    """The connection, or a stream of it, is gone."""


class Stream:
    """A stream. Until somebody listens what comes is kept, within yamux's window.

    `on_credit` is called when the peer has taken some of what waits for it; whoever has much to send puts a function there.
    """

    def __init__(self, session: Session, id_: int) -> None:
        self.id = id_
        self._session = session
        self._kept = b""
        self._owed = 0  # bytes that were kept, and for which the peer has no credit yet
        self._ended: str | None = None
        self._on_data: Callable[[bytes], None] | None = None
        self._on_end: Callable[[str], None] = _nobody
        self.on_credit: Callable[[], None] = _nothing

    def listen(self, on_data: Callable[[bytes], None], on_end: Callable[[str], None]) -> None:
        """Have what comes given to a function, first of all what has come; and why the stream ended to another."""
        self._on_data, self._on_end = on_data, on_end
        kept, self._kept = self._kept, b""
        if kept:
            on_data(kept)
            owed, self._owed = self._owed, 0
            self._session.consumed(self.id, owed)
        if self._ended is not None:
            on_end(self._ended)

    def unlisten(self, rest: bytes) -> None:
        """Leave the stream to somebody else, who is to get the rest of what came first."""
        self._on_data, self._on_end = None, _nobody
        self._kept = rest

    def write(self, data: bytes) -> None:
        """Send. What the peer's window does not allow yet waits. Nothing happens when the stream is gone."""
        self._session.send(self.id, data)

    @property
    def waiting(self) -> int:
        """Bytes that wait for the peer."""
        return self._session.unsent(self.id)

    def reset(self) -> None:
        """Give the stream up."""
        self._session.reset(self.id)

    def received(self, data: bytes) -> None:
        if self._on_data is None:
            self._kept += data
            self._owed += len(data)
        else:
            self._on_data(data)
            self._session.consumed(self.id, len(data))

    def end(self, reason: str) -> None:
        self._ended = reason
        self._on_end(reason)


class Session(asyncio.BufferedProtocol):
    """A connection.

    Arguments:
        role: which side this is.
        accept: is given each stream that the peer opens.
        lost: is told why the connection ended; once.
    """

    def __init__(self, role: yamux.Role, accept: Callable[[Stream], None], lost: Callable[[str], None]) -> None:
        self._yamux = yamux.Connection(role)
        self._accept = accept
        self._lost = lost
        self._streams: dict[int, Stream] = {}
        self._transport: Any = None
        # One for the whole connection: asyncio's other way makes one of 256 KiB for each of the smallest packets.
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._receiving = False
        self._ended = False
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def open(self) -> Stream:
        """Open a stream. Raises `Lost`."""
        try:
            id_ = self._yamux.open_stream()
        except yamux.LocalProtocolError as error:
            raise Lost(str(error)) from None
        stream = self._streams[id_] = Stream(self, id_)
        loop = asyncio.get_running_loop()
        text = f"the other side did not take a stream within {ACKNOWLEDGED_WITHIN:g} s"
        self._timers[id_] = loop.call_later(ACKNOWLEDGED_WITHIN, self._fail, text)
        self._flush()
        return stream

    def close(self) -> None:
        """Say goodbye, write what is left, and hang up."""
        if not self._ended and self._transport is not None:
            self._yamux.go_away()
            self._flush()
            self._transport.close()

    # what streams ask for

    def send(self, id_: int, data: bytes) -> None:
        try:
            self._yamux.send_data(id_, data)
        except yamux.LocalProtocolError:
            return  # gone: its end has been told
        self._flush()

    def unsent(self, id_: int) -> int:
        return self._yamux.unsent(id_)

    def consumed(self, id_: int, count: int) -> None:
        self._yamux.consumed(id_, count)
        self._flush()

    def reset(self, id_: int) -> None:
        self._streams.pop(id_, None)
        self._yamux.reset_stream(id_)
        self._flush()

    # what the transport tells

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(self._view[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        """Take what came; nothing of it is kept."""
        events = self._yamux.receive_data(data)
        self._receiving = True
        try:
            for event in events:
                if type(event) is yamux.DataReceived:
                    if stream := self._streams.get(event.stream):
                        stream.received(event.data)
                else:
                    self._take(event)
        finally:
            self._receiving = False
            self._flush()

    def _take(self, event: yamux.Event) -> None:
        match event:
            case yamux.StreamOpened(id_):
                stream = self._streams[id_] = Stream(self, id_)
                self._accept(stream)
            case yamux.CreditReceived(id_):
                if waiting := self._streams.get(id_):
                    waiting.on_credit()
            case yamux.StreamAcknowledged(id_):
                if timer := self._timers.pop(id_, None):
                    timer.cancel()
            case yamux.StreamEnded(id_) | yamux.StreamReset(id_):
                if ended := self._streams.pop(id_, None):
                    ended.end("the stream was closed by the other side")
                    with contextlib.suppress(yamux.LocalProtocolError):
                        self._yamux.end_stream(id_)
            case yamux.ConnectionFailed(error):
                self._fail(str(error))

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the connection was lost: {error}" if error else "the other side hung up")

    def _fail(self, reason: str) -> None:
        logger.error("the connection cannot go on: %s", reason)
        self._yamux.go_away(yamux.GoAwayCode.PROTOCOL_ERROR)
        self._flush()
        if self._transport is not None:
            self._transport.close()
        self._end(reason)

    def _end(self, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        for timer in self._timers.values():
            timer.cancel()
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.end(reason)
        self._lost(reason)

    def _flush(self) -> None:
        # While bytes are being received, all answers to them go out at once.
        if not self._receiving and self._transport is not None and (data := self._yamux.data_to_send()):
            self._transport.write(data)


def _nobody(reason: str) -> None:
    """Nobody listens, and nobody is told that the stream ended; it is told when somebody does."""


def _nothing() -> None:
    """Nobody waits for credit."""
