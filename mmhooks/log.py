"""Writes log records as go-plugin's hosts read them: hclog's JSON, one line each, so that levels survive.

The form is exact: a host panics when `@level` or `@message` is not a string, and takes a line for Debug when `@timestamp` is
written otherwise (go-plugin's `log_entry.go`).
"""

from __future__ import annotations

import datetime
import itertools
import json
import logging
import os
import types
from collections.abc import Callable, Iterable
from typing import NamedTuple

LONGEST = 16_000
"""Bytes of one value, as JSON writes it: a line of 64 KiB is cut in two by the host, and then is not JSON."""

_EXTRA = 500
"""Bytes of one value of `extra`, of which there are `_MOST` at most, for the same reason."""

_MOST = 16

_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"))

_USUAL = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))
"""What every record has; all else came by `extra`."""


class Entry(NamedTuple):
    """What a record says, fixed at its time: arguments of a message may change later."""

    level: str
    name: str
    message: str
    time: float
    pairs: dict[str, str]
    """Values of `extra`, and the traceback and the stack if the record has them."""

    def line(self) -> bytes:
        """The entry as a host reads it on stderr."""
        time = datetime.datetime.fromtimestamp(self.time, datetime.UTC)
        entry = {
            "@level": self.level,
            "@message": self.message,
            "@module": self.name,
            "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return json.dumps(self.pairs | entry).encode() + b"\n"


def entry_of(record: logging.LogRecord) -> Entry:
    """What a record says, with no value too long for a host."""
    level = next((name for number, name in _LEVELS if record.levelno >= number), "debug")
    extra = [name for name in vars(record) if name not in _USUAL]
    pairs = {name: _short(str(getattr(record, name)), _EXTRA) for name in extra[:_MOST]}
    if len(extra) > _MOST:
        pairs["left out"] = str(len(extra) - _MOST)
    if record.exc_info and record.exc_info[0]:
        pairs["traceback"] = _short(logging.Formatter().formatException(record.exc_info))
    if record.stack_info:
        pairs["stack"] = _short(record.stack_info)
    return Entry(level, record.name, _short(record.getMessage()), record.created, pairs)


class HclogHandler(logging.Handler):
    """A handler whose records a go-plugin host takes over with their levels.

    `divert` may be set to a function that takes entries for another way; it answers whether it took one.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        super().__init__()
        self._write = write
        self.divert: Callable[[Entry], bool] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            entry = entry_of(record)
            if self.divert is None or not self.divert(entry):
                self.write(entry)
        except Exception:
            self.handleError(record)

    def write(self, entry: Entry) -> None:
        """Give an entry to the host on stderr."""
        self._write(entry.line())


def install(write: Callable[[bytes], None]) -> HclogHandler:
    """Send the records of all loggers, from INFO on, to a host. `logging.basicConfig` does nothing after that."""
    root = logging.getLogger()
    handler = HclogHandler(write)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for chatty in ("asyncio", "grpc"):
        logging.getLogger(chatty).setLevel(logging.INFO)  # their debugging says nothing about a plugin
    return handler


def authors_part(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """A traceback from where it leaves this package: what the author wants to see, if it ever does."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_NOT_THE_AUTHORS):
        traceback = traceback.tb_next
    return traceback


_NOT_THE_AUTHORS = (os.path.dirname(__file__) + os.sep, "<frozen importlib")


def _short(text: str, longest: int = LONGEST) -> str:
    if len(json.dumps(text)) <= longest:
        return text
    # The end of a traceback says most, the beginning of a message.
    head, tail = _fitting(text, longest), _fitting(reversed(text), longest)
    return f"{text[:head]} … {len(text) - head - tail} characters left out … {text[-tail:]}"


def _fitting(characters: Iterable[str], longest: int) -> int:
    """How many of the characters fill half of a value."""
    sizes = itertools.accumulate(len(json.dumps(character)) - len('""') for character in characters)
    return sum(1 for _ in itertools.takewhile(lambda size: size <= longest // 2, sizes))
