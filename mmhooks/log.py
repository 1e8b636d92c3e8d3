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
from typing import Any

LONGEST = 16_000
"""Bytes of one value, as JSON writes it: a line of 64 KiB is cut in two by the host, and then is not JSON."""

_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"))


class HclogHandler(logging.Handler):
    """A handler whose records a go-plugin host takes over with their levels."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(_line(record))
        except Exception:
            self.handleError(record)


def install(write: Callable[[bytes], None]) -> None:
    """Send the records of all loggers, from INFO on, to a host. `logging.basicConfig` does nothing after that."""
    root = logging.getLogger()
    root.addHandler(HclogHandler(write))
    root.setLevel(logging.INFO)
    for chatty in ("asyncio", "grpc"):
        logging.getLogger(chatty).setLevel(logging.INFO)  # their debugging says nothing about a plugin


def authors_part(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """A traceback from where it leaves this package: what the author wants to see, if it ever does."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_NOT_THE_AUTHORS):
        traceback = traceback.tb_next
    return traceback


_NOT_THE_AUTHORS = (os.path.dirname(__file__) + os.sep, "<frozen importlib")


def _line(record: logging.LogRecord) -> bytes:
    level = next((name for number, name in _LEVELS if record.levelno >= number), "debug")
    time = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    entry: dict[str, Any] = {
        "@level": level,
        "@message": _short(record.getMessage()),
        "@module": record.name,
        "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    if record.exc_info and record.exc_info[0]:
        entry["traceback"] = _short(logging.Formatter().formatException(record.exc_info))
    if record.stack_info:
        entry["stack"] = _short(record.stack_info)
    return json.dumps(entry).encode() + b"\n"


def _short(text: str) -> str:
    if len(json.dumps(text)) <= LONGEST:
        return text
    # The end of a traceback says most, the beginning of a message.
    head, tail = _fitting(text), _fitting(reversed(text))
    return f"{text[:head]} … {len(text) - head - tail} characters left out … {text[-tail:]}"


def _fitting(characters: Iterable[str]) -> int:
    """How many of the characters fill half of a value."""
    sizes = itertools.accumulate(len(json.dumps(character)) - len('""') for character in characters)
    return sum(1 for _ in itertools.takewhile(lambda size: size <= LONGEST // 2, sizes))
