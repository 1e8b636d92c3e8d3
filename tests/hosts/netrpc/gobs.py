"""gob for tests: one direction of a stream, read and written without the calls around it."""

from __future__ import annotations

from typing import Any

from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.inbox import Inbox, Message
from mmhooks.hosts.netrpc.gob.reading import Readers
from mmhooks.hosts.netrpc.gob.schema import Schema
from mmhooks.hosts.netrpc.gob.types import Side
from mmhooks.hosts.netrpc.gob.writing import Encoder


class End:
    """A plugin's end of a stream."""

    def __init__(self) -> None:
        self.inbox = Inbox(Side.SERVER)
        self.readers = Readers(self.inbox.types, contract.known, contract.plain)
        self.encoder = Encoder(Side.PLUGIN, self.inbox.types, contract.named)

    def receive(self, data: bytes | str) -> Message:
        """The one value that these bytes, or their hex, make complete."""
        self.inbox.receive_data(bytes.fromhex(data) if isinstance(data, str) else data)
        message = self.inbox.next_message()
        assert message is not None
        assert self.inbox.next_message() is None
        return message

    def read(self, message: Message, schema: Schema) -> Any:
        read = self.readers.single(message.type, self.readers.reader(message.type, schema))
        value, end = read(message.data, message.start)
        assert end == len(message.data)
        return value

    def decode(self, data: bytes | str, schema: Schema) -> Any:
        return self.read(self.receive(data), schema)

    def encode(self, schema: Schema, value: Any) -> bytes:
        return self.encoder.encode(schema, value)


def back(data: bytes, schema: Schema) -> Any:
    """What a fresh plugin's end reads of bytes that another one wrote."""
    reader = Inbox(Side.PLUGIN)
    readers = Readers(reader.types, contract.known, contract.plain)
    reader.receive_data(data)
    message = reader.next_message()
    assert message is not None
    read = readers.single(message.type, readers.reader(message.type, schema))
    value, stop = read(message.data, message.start)
    assert stop == len(message.data)
    return value
