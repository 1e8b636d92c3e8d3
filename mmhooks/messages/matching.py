"""Finds, among many texts and patterns, those that are in a message, without a search for each."""

from __future__ import annotations

import re
from typing import Generic, TypeVar

_WORD = re.compile(r"[^\W_]+")

T = TypeVar("T")


class Matcher(Generic[T]):
    """Things, by what has to be in a message for them.

    A text is contained when its words are there one after the other, in capitals or not, whatever blanks stand between
    them; a pattern when its search finds something.
    """

    def __init__(self) -> None:
        self._number = 0
        self._always: list[tuple[int, T]] = []
        self._by_word: dict[str, list[tuple[int, T, re.Pattern[str] | None]]] = {}
        self._wordless: list[tuple[int, T, re.Pattern[str] | None]] = []
        # By whether capitals count; the text that a message needs to have first.
        self._patterns: dict[bool, list[tuple[str, re.Pattern[str], int, T]]] = {True: [], False: []}

    def add(self, wanted: str | re.Pattern[str] | None, thing: T, number: int) -> None:
        """Add a thing; None is in every message. Things are found in the order of their numbers."""
        if wanted is None:
            self._always.append((number, thing))
        elif isinstance(wanted, str):
            folded = wanted.casefold()
            words = _WORD.findall(folded)
            entry = number, thing, None if words == [folded] else _phrase(folded)
            (self._by_word.setdefault(words[0], []) if words else self._wordless).append(entry)
        else:
            counts = not wanted.flags & re.IGNORECASE
            literal = needed(wanted)
            self._patterns[counts].append((literal if counts else literal.lower(), wanted, number, thing))

    def find(self, message: str) -> list[tuple[int, T, re.Match[str] | None]]:
        """What is in a message, with its number and, of a pattern, what its search found."""
        found: list[tuple[int, T, re.Match[str] | None]] = [(number, thing, None) for number, thing in self._always]
        if self._by_word or self._wordless:
            folded = message.casefold()
            entries = [*self._wordless]
            for word in self._by_word.keys() & set(_WORD.findall(folded)):
                entries += self._by_word[word]
            found += [(n, thing, None) for n, thing, phrase in entries if phrase is None or phrase.search(folded)]
        for counts, patterns in self._patterns.items():
            if patterns:
                text = message if counts else _lower(message)
                # Most patterns end here, so this is the loop that has to be quick.
                for _, pattern, number, thing in [entry for entry in patterns if entry[0] in text]:
                    if match := pattern.search(message):
                        found.append((number, thing, match))
        return sorted(found, key=lambda each: each[0]) if len(found) > 1 else found


def _phrase(folded: str) -> re.Pattern[str]:
    pattern = r"\s+".join(map(re.escape, folded.split()))
    # Only at ends that are letters or digits: "c++" is in "c++11".
    before = r"(?<![^\W_])" if _WORD.match(folded) else ""
    after = r"(?![^\W_])" if _WORD.match(folded[-1]) else ""
    return re.compile(before + pattern + after)


_ODD = str.maketrans({"İ": "i", "ı": "i", "ſ": "s"})  # noqa: RUF001 - these are meant
"""Letters that Python's `re` takes for English ones when capitals do not count, and `lower` does not."""


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_ODD).lower()


_COUNT = re.compile(r"\{\d*,?\d*\}")
_SIMPLE = re.compile(r"[A-Za-z0-9 @:/,;!#%&=<>~'\"-]")


def needed(pattern: re.Pattern[str]) -> str:
    """A text that is in whatever a pattern finds; empty when none can be told.

    Looking for it takes a tenth of the time of a search. It is told only of what is plain: letters and the like that
    stand in no group, no class and no alternative, and are not repeated.
    """
    source = pattern.pattern
    if pattern.flags & re.VERBOSE:
        return ""
    runs = [""]
    depth, at = 0, 0
    while at < len(source):
        here = source[at]
        if here == "\\":
            if source[at + 1] not in "bBdDsSwWAZ" and source[at + 1].isalnum():
                return ""  # it may take more of what follows
            runs.append("")
            at += 1
        elif here == "[":
            at = _end_of_class(source, at)
            runs.append("")
        elif here in "()":
            depth += 1 if here == "(" else -1
            runs.append("")
        elif depth == 0:
            if here == "|":
                return ""
            if here in "?*{":
                runs[-1] = runs[-1][:-1]
                runs.append("")
                counted = _COUNT.match(source, at)
                at = counted.end() - 1 if counted else at
            elif _SIMPLE.match(here):
                runs[-1] += here
            else:
                runs.append("")
        at += 1
    return max(runs, key=len)


def _end_of_class(source: str, at: int) -> int:
    at += 2 if source[at + 1] == "^" else 1
    if source[at] == "]":  # one that comes first is of the class
        at += 1
    while source[at] != "]":
        at += 2 if source[at] == "\\" else 1
    return at
