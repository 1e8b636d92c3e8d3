"""go-plugin's `MuxBroker`: further streams, which both sides know by a number that they agreed on elsewhere.

Who dials opens a stream and writes the number, four bytes with the lowest first; who accepts sends them back. Each side
counts its own numbers from 1.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import struct
from collections.abc import Callable

from mmhooks.hosts.netrpc.session import Lost, Session, Stream

logger = logging.getLogger("mmhooks")

TIMEOUT = 5.0
"""Seconds for the two sides to meet, as in go-plugin."""

_ID = struct.Struct("<L")


class Broker:
    """Hands out streams by number.

    Arguments:
        session: gives the connection, on which streams are dialled.
    """

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session
        self._ids = itertools.count(1)
        self._expected: dict[int, asyncio.Future[Stream]] = {}

    def next_id(self) -> int:
        """A number that this side has not used."""
        return next(self._ids)

    async def dial(self, id_: int) -> Stream:
        """A stream to whoever accepts the number. Raises `Lost`, or `TimeoutError` when nobody does."""
        stream = self._session().open()
        stream.write(_ID.pack(id_))
        try:
            answer = await asyncio.wait_for(_first(stream, _ID.size), TIMEOUT)
        except TimeoutError:
            stream.reset()
            raise TimeoutError(f"nobody accepted stream {id_} within {TIMEOUT:g} s") from None
        if answer != _ID.pack(id_):
            stream.reset()
            raise Lost(f"stream {id_} was answered with other bytes than its number")
        return stream

    async def accept(self, id_: int) -> Stream:
        """The stream of whoever dials the number. Raises `TimeoutError` when nobody does."""
        try:
            stream = await asyncio.wait_for(self._meeting(id_), TIMEOUT)
        except TimeoutError:
            raise TimeoutError(f"nobody dialled stream {id_} within {TIMEOUT:g} s") from None
        finally:
            self._expected.pop(id_, None)
        stream.write(_ID.pack(id_))
        return stream

    async def take(self, stream: Stream) -> None:
        """Hand over a stream that the peer has opened to whoever accepts its number."""
        try:
            async with asyncio.timeout(TIMEOUT):
                (id_,) = _ID.unpack(await _first(stream, _ID.size))
                meeting = self._meeting(id_)
                if not meeting.done():
                    meeting.set_result(stream)
                    return
        except (TimeoutError, Lost) as error:
            logger.debug("a stream of the host leads nowhere: %s", error)
        stream.reset()

    def _meeting(self, id_: int) -> asyncio.Future[Stream]:
        loop = asyncio.get_running_loop()
        meeting = self._expected.get(id_)
        if meeting is None:
            meeting = self._expected[id_] = loop.create_future()
            loop.call_later(TIMEOUT, self._forget, id_, meeting)
        return meeting

    def _forget(self, id_: int, meeting: asyncio.Future[Stream]) -> None:
        """Give a stream up that nobody came for."""
        if self._expected.get(id_) is meeting:
            del self._expected[id_]
            if meeting.done() and not meeting.cancelled():
                meeting.result().reset()


async def _first(stream: Stream, count: int) -> bytes:
    """The first bytes of a stream. What came with them is there for the next who listens. Raises `Lost`."""
    enough: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    data = b""

    def on_data(more: bytes) -> None:
        nonlocal data
        data += more
        if len(data) >= count and not enough.done():
            enough.set_result(None)

    def on_end(reason: str) -> None:
        if not enough.done():
            enough.set_exception(Lost(reason))

    stream.listen(on_data, on_end)
    await enough
    stream.unlisten(data[count:])
    return data[:count]
