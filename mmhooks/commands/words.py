"""Splits a line that somebody typed into words, as a shell does, but never refuses one.

People write "don't" and 5", and their phones make smart quotes of plain ones. So a quote without its counterpart is a
plain character, and so is an apostrophe inside a word.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Word(NamedTuple):
    """A word without its quotes. One that began with a quote is never an option."""

    text: str
    quoted: bool


_SINGLE = "'‘’‚‛"  # noqa: RUF001 - these are meant
_DOUBLE = '"“”„‟'
_ANGLE = "«»"
_QUOTES = _SINGLE + _DOUBLE + _ANGLE

_UNUSUAL = re.compile(rf"[\\{_QUOTES}]")
_ESCAPED = re.compile(rf"\\([\\\s{_QUOTES}])")
_CLOSING = {
    # An apostrophe inside a word does not end what is quoted.
    _SINGLE: re.compile(rf"\\[\\\s{_QUOTES}]|([{_SINGLE}])(?!\w)"),
    _DOUBLE: re.compile(rf"\\[\\\s{_QUOTES}]|([{_DOUBLE}])"),
    _ANGLE: re.compile(rf"\\[\\\s{_QUOTES}]|([{_ANGLE}])"),
}


def split(line: str) -> list[Word]:
    """The words of a line: blanks separate them, quotes hold them together, a backslash takes a quote, a blank or
    another backslash as it is."""
    if not _UNUSUAL.search(line):
        return [Word(text, False) for text in line.split()]
    return _Splitter(line).words()


class _Splitter:
    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._never_closed: set[str] = set()  # or a line of many such quotes would be searched to its end for each

    def words(self) -> list[Word]:
        words: list[Word] = []
        while True:
            while self._at < len(self._line) and self._line[self._at].isspace():
                self._at += 1
            if self._at == len(self._line):
                return words
            words.append(self._word())

    def _word(self) -> Word:
        start, parts, quoted = self._at, list[str](), False
        while self._at < len(self._line) and not (here := self._line[self._at]).isspace():
            if escaped := _ESCAPED.match(self._line, self._at):
                parts.append(escaped[1])
                self._at = escaped.end()
            elif here in _QUOTES and (inner := self._quoted(here, start)) is not None:
                quoted = quoted or not parts
                parts.append(inner)
            else:
                parts.append(here)
                self._at += 1
        return Word("".join(parts), quoted)

    def _quoted(self, opening: str, start: int) -> str | None:
        """What stands between the quote here and its counterpart; None when it is a plain character."""
        kind = next(kind for kind in _CLOSING if opening in kind)
        opens = kind != _SINGLE or self._at == start or self._line[self._at - 1] == "="
        if not opens or kind in self._never_closed:
            return None
        for found in _CLOSING[kind].finditer(self._line, self._at + 1):
            if found[1]:
                inner = _ESCAPED.sub(r"\1", self._line[self._at + 1 : found.start()])
                self._at = found.end()
                return inner.strip() if kind == _ANGLE else inner  # French has blanks inside its quotes
        self._never_closed.add(kind)
        return None
