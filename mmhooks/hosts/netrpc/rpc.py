"""Go's net/rpc on one stream: bytes in, calls or answers out, and the other way round.

A request is two values, `Request{ServiceMethod, Seq}` and the argument; a response is `Response{ServiceMethod, Seq,
Error}` and the reply, an empty struct where there is an error. Answers come in any order. Nothing here holds a socket or
waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob import types
from mmhooks.hosts.netrpc.gob.inbox import Inbox, Message
from mmhooks.hosts.netrpc.gob.primitives import int_, read_uint, string, uint
from mmhooks.hosts.netrpc.gob.reading import CORRUPT, Mismatch, Read, Readers, corrupt, read_whole
from mmhooks.hosts.netrpc.gob.schema import Basic, Field, Schema, Struct
from mmhooks.hosts.netrpc.gob.types import RemoteProtocolError, Side
from mmhooks.hosts.netrpc.gob.writing import Encoder, any_size

_STRING = Basic(types.STRING, "string")
_UINT = Basic(types.UINT, "uint64")


class Request(NamedTuple):
    """A call: `service_method` is like `Plugin.OnActivate`, `argument` is still to be read."""

    service_method: str
    seq: int
    argument: Message


class Response(NamedTuple):
    """An answer: a text that says why there is none, or the reply, which is still to be read."""

    service_method: str
    seq: int
    error: str
    reply: Message


REQUEST = Struct(
    "Request", dict, lambda: (Field("ServiceMethod", "ServiceMethod", _STRING), Field("Seq", "Seq", _UINT))
)
RESPONSE = Struct("Response", dict, lambda: (*REQUEST.fields, Field("Error", "Error", _STRING)))
NOTHING = Struct("", dict, tuple)
"""Go's `struct{}`."""


class Stream:
    """One stream of net/rpc, on either side of it, for calls in either direction."""

    def __init__(self, side: Side = Side.PLUGIN) -> None:
        self._inbox = Inbox(Side.SERVER if side is Side.PLUGIN else Side.PLUGIN)
        self.readers = Readers(self._inbox.types, contract.known, contract.plain)
        self._encoder = Encoder(side, self._inbox.types, contract.named)
        self._readers: dict[tuple[int, Schema], Read] = {}
        self._header: dict[str, Any] | None = None
        self._last = b"", ""  # the beginning of the last header that was read, and its method
        self._heads: dict[tuple[str, str], bytes] = {}  # what the headers of a method begin with

    def receive_requests(self, data: bytes) -> list[Request]:
        """The calls that are complete with these bytes. Raises `RemoteProtocolError`; the stream is of no use then."""
        return [
            Request(header.get("ServiceMethod", ""), header.get("Seq", 0), body)
            for header, body in self._pairs(data, REQUEST)
        ]

    def receive_responses(self, data: bytes) -> list[Response]:
        """The answers that are complete with these bytes. Raises `RemoteProtocolError`; the stream is of no use then."""
        return [
            Response(header.get("ServiceMethod", ""), header.get("Seq", 0), header.get("Error", ""), body)
            for header, body in self._pairs(data, RESPONSE)
        ]

    def read(self, message: Message, schema: Schema) -> Any:
        """A body. Raises `RemoteProtocolError` for what is no such value: that of the one call, not of the stream."""
        try:
            read = self._readers.get((message.type, schema))
            if read is None:
                read = self.readers.single(message.type, self.readers.reader(message.type, schema))
                self._readers[message.type, schema] = read
        except Mismatch:
            raise RemoteProtocolError("gob: a value of another type than this call's") from None
        except CORRUPT as error:  # definitions nested too deep to make a reader of
            raise corrupt(error) from error
        return read_whole(read, message.data, message.start)

    def request(self, service_method: str, seq: int, schema: Schema, argument: Any) -> bytes:
        """A call's bytes. Raises `ModelError` that names the field, and has no effect then."""
        encoded = self._encoder.encode(schema, argument)
        return self._header_of(REQUEST, service_method, seq) + encoded

    def response(
        self, request: Request, schema: Schema, reply: Any, check_size: Callable[[int], None] = any_size
    ) -> bytes:
        """An answer's bytes. Raises `ModelError` that names the field, and what `check_size` raises when it is told how
        many bytes the reply has; there is no effect then."""
        encoded = self._encoder.encode(schema, reply, check_size)
        return self._header_of(RESPONSE, request.service_method, request.seq) + encoded

    def error(self, request: Request, text: str) -> bytes:
        """The bytes of an answer that there is none. An empty text would be a success."""
        header = {"ServiceMethod": request.service_method, "Seq": request.seq, "Error": text or "error"}
        return self._pair(RESPONSE, header, NOTHING, {})

    def _header_of(self, schema: Struct, service_method: str, seq: int) -> bytes:
        """A header without an error: as the encoder would write it, which takes half as long as a whole call."""
        head = self._heads.get((schema.name, service_method))
        if head is not None:
            header = head + uint(seq) + b"\0" if seq else head[:-1] + b"\0"
            return uint(len(header)) + header
        data = self._encoder.encode(schema, {"ServiceMethod": service_method, "Seq": seq})
        type_ = int_(self._encoder.type_of(schema))
        self._heads[schema.name, service_method] = type_ + b"\1" + string(service_method) + b"\1"
        return data

    def _pair(self, header_schema: Struct, header: dict[str, Any], schema: Schema, body: Any) -> bytes:
        # The body first: it may not be possible. The definitions that it needs do no harm where they then stand.
        encoded = self._encoder.encode(schema, body)
        return self._encoder.encode(header_schema, header) + encoded

    def _pairs(self, data: bytes, schema: Struct) -> list[tuple[dict[str, Any], Message]]:
        self._inbox.receive_data(data)
        pairs = []
        while (message := self._inbox.next_message()) is not None:
            if self._header is None:
                self._header = self._same_header(message) or self._new_header(message, schema)
            else:
                pairs.append((self._header, message))
                self._header = None
        return pairs

    def _new_header(self, message: Message, schema: Struct) -> dict[str, Any]:
        header: dict[str, Any] = self.read(message, schema)
        method, seq = header.get("ServiceMethod"), header.get("Seq")
        if method and seq and header.keys() <= {"ServiceMethod", "Seq"}:
            self._last = message.data[: -len(uint(seq)) - 1], method
        return header

    def _same_header(self, message: Message) -> dict[str, Any] | None:
        """A header that is like the last one but for its number: so most are, and reading them takes longer."""
        beginning, method = self._last
        data = message.data
        if not beginning or not data.startswith(beginning):
            return None
        try:
            seq, end = read_uint(data, len(beginning))
        except (IndexError, ValueError):
            return None
        return {"ServiceMethod": method, "Seq": seq} if data[end:] == b"\0" else None
