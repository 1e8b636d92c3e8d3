"""yamux's vocabulary: what stands on the wire, what it means to whoever receives it, and whose fault an error is.

Facts are from yamux's `spec.md`, whose words are quoted.
"""

from __future__ import annotations

import enum
import struct
from typing import TypeAlias

from mmhooks.errors import MmhooksError

VERSION = 0
HEADER = struct.Struct(">BBHII")
"""Version, type, flags, stream id, length; "in network order" (spec)."""


class Role(enum.Enum):
    """Which side this is: "the client side should use odd ID's, and the server even" (spec)."""

    CLIENT = "client"
    SERVER = "server"


class FrameType(enum.IntEnum):
    """What a frame is for, in the spec's words, and what the length in its header then means."""

    DATA = 0  # "used to transmit data": so many bytes follow
    WINDOW_UPDATE = 1  # "used to update the sender's receive window size": by so many bytes
    PING = 2  # "used to measure RTT; it can also be used to heart-beat": an opaque value, echoed back
    GO_AWAY = 3  # "used to close a session": a GoAwayCode


class Flag(enum.IntEnum):
    """Bits of a header's flags, in the spec's words. Not an `IntFlag`, which takes ten times as long to test."""

    SYN = 1  # "signals the start of a new stream"; "also sent with a ping to indicate outbound"
    ACK = 2  # "acknowledges the start of a new stream"; "also sent with a ping to indicate response"
    FIN = 4  # "performs a half-close of a stream"
    RST = 8  # "reset a stream immediately"


ALL_FLAGS = sum(Flag)


class GoAwayCode(enum.IntEnum):
    """Why a session ends, in the spec's words."""

    NORMAL = 0  # "normal termination": no new streams, while those that are open go on
    PROTOCOL_ERROR = 1  # "protocol error": the other side broke the rules
    INTERNAL_ERROR = 2  # "internal error" of the side that says so


class YamuxError(MmhooksError):
    """The root of this module's errors."""


class LocalProtocolError(YamuxError):
    """This side asked for what the protocol does not allow."""


class RemoteProtocolError(YamuxError):
    """The peer broke the rules, or says that this side did. `ConnectionFailed` brings it; no method raises it."""


class _Event:
    """Equal when class and contents are. By hand: as many dataclasses take 5 ms to import, before the handshake."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, vars(self).values()))})"


class _StreamEvent(_Event):
    __match_args__ = ("stream",)

    def __init__(self, stream: int) -> None:
        self.stream = stream


class StreamOpened(_StreamEvent):
    """The peer opened a stream. It has been acknowledged."""


class StreamAcknowledged(_StreamEvent):
    """The peer has taken a stream that this side opened."""


class DataReceived(_Event):
    """Bytes of a stream. **The peer may send as many again only after `consumed`.**"""

    __match_args__ = ("stream", "data")

    def __init__(self, stream: int, data: bytes) -> None:
        self.stream = stream
        self.data = data


class CreditReceived(_StreamEvent):
    """Some or all of the bytes that waited have gone out; `unsent` says how many still wait."""


class StreamEnded(_StreamEvent):
    """The peer sends nothing more on the stream. This side still may."""


class StreamReset(_StreamEvent):
    """The peer gave the stream up, in both directions; what waited is dropped."""


class PingAcknowledged(_Event):
    """The answer to `ping`."""

    __match_args__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


class GoAwayReceived(_Event):
    """The peer takes no new streams. With any code but NORMAL, `ConnectionFailed` follows."""

    __match_args__ = ("code",)

    def __init__(self, code: GoAwayCode) -> None:
        self.code = code


class ConnectionFailed(_Event):
    """All streams are gone, and nothing comes after this. **What `data_to_send` still holds tells the peer: write it.**"""

    __match_args__ = ("error",)

    def __init__(self, error: RemoteProtocolError) -> None:
        self.error = error


Event: TypeAlias = (
    StreamOpened | StreamAcknowledged | DataReceived | CreditReceived | StreamEnded | StreamReset
    | PingAcknowledged | GoAwayReceived | ConnectionFailed
)  # fmt: skip
