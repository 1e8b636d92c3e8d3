"""A plugin's lines in the log of a server."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from mmhooks.deploy.server import Server
from mmhooks.errors import DeployError

_RANKS = {"trace": 0, "debug": 0, "info": 1, "warn": 2, "error": 3, "fatal": 3, "panic": 3}

_PAGES = (1_000, 10_000)
"""Lines of the server's that are looked through. It has no index: more take it longer, and 10,000 is the most it gives."""

_NODE = "-----"
"""How the lines around the name of a node begin: in a cluster one node's log comes after the other's."""

_PLACE = ("timestamp", "level", "msg", "caller", "plugin_id")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: what the plugin wrote, or the server about it."""

    time: str
    level: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)
    """What the line says besides, without `plugin_id`, and without `caller`, which is a place in the server."""

    @classmethod
    def read(cls, line: str, plugin_id: str) -> Self | None:
        """A line of the server's log; None when it is another's. A log in plain text (FileJson off) is kept as it is."""
        try:
            found = json.loads(line)
        except ValueError:
            return cls("", "", line) if plugin_id in line else None
        if not isinstance(found, dict) or found.get("plugin_id") != plugin_id:
            return None
        time, level, message = (str(found.get(key, "")) for key in _PLACE[:3])
        return cls(time, level, message, {key: value for key, value in found.items() if key not in _PLACE})

    def is_from(self, level: str) -> bool:
        """Whether it is as grave as that. One without a known level always is."""
        return _RANKS.get(self.level, 3) >= _RANKS[level]

    def __str__(self) -> str:
        text = f"{self.time}  {self.level:5}  {self.message}" if self.level else self.message
        blocks = []
        for key, value in self.fields.items():
            value = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if "\n" in value:  # a traceback
                blocks.append(f"{key}:\n{value.rstrip()}")
            else:
                text += f"  {key}={value if value and ' ' not in value else json.dumps(value, ensure_ascii=False)}"
        text = "\n".join([text, *blocks]).replace("\n", "\n    ")
        return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)


class Log:
    """The lines of one plugin.

    Arguments:
        server: where it runs.
        plugin_id: its id.
        level: lines below it are left out.
    """

    def __init__(self, server: Server, plugin_id: str, level: str = "debug") -> None:
        self._server = server
        self._plugin_id = plugin_id
        self._level = level
        self._seen: Counter[str] = Counter()

    def last(self, count: int) -> list[LogLine]:
        """The last lines, oldest first, as far as the server's last 10,000 reach."""
        for size in _PAGES:
            page = self._server.log(size)
            lines = self._ours(page)
            if len(lines) >= count or len(page) < size:
                break
        self._seen = Counter(page)
        return lines[max(0, len(lines) - count) :]

    def fresh(self) -> list[LogLine]:
        """The lines that have come since the last call of this or of `last`."""
        page = self._server.log(_PAGES[0])
        # Compared by their text and how often it stands there: pages shift, and nodes of a cluster answer in any order.
        unseen = Counter(page) - self._seen
        self._seen = Counter(page)
        return self._ours(_first_of(unseen, page))

    def follow(
        self,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        *,
        interval: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Say each line that comes, without end; a server that is away for a while is waited for.

        Arguments:
            say: prints a line.
            warn: tells, once, that the server does not answer.
            interval: seconds between two looks.
            sleep: waits so long.
        """
        away = False
        while True:
            sleep(interval)
            try:
                lines = self.fresh()
            except DeployError as error:
                if not error.may_pass:
                    raise
                if not away:
                    warn(f"{error}\nWaiting for the server.")
                away = True
            else:
                away = False
                for line in lines:
                    say(str(line))

    def _ours(self, page: list[str]) -> list[LogLine]:
        lines = [line for text in page if (line := LogLine.read(text, self._plugin_id)) and line.is_from(self._level)]
        if any(text.startswith(_NODE) for text in page):
            lines.sort(key=lambda line: line.time)
        return lines


def _first_of(counts: Counter[str], page: list[str]) -> list[str]:
    left, found = counts.copy(), []
    for text in page:
        if left[text] > 0:
            left[text] -= 1
            found.append(text)
    return found
