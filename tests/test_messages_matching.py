"""What is in a message: words, patterns, and the short cut that saves most searches."""

from __future__ import annotations

import itertools
import re
import string
from typing import Any

import pytest

from mmhooks.messages.matching import Matcher, needed


def found(wanted: Any, message: str) -> bool:
    matcher: Matcher[str] = Matcher()
    matcher.add(wanted, "it", 0)
    return bool(matcher.find(message))


@pytest.mark.parametrize(
    ("wanted", "message", "expected"),
    [
        ("karma", "karma", True),
        ("karma", "What KARMA!", True),
        ("Karma", "**karma**", True),
        ("karma", "_karma_", True),
        ("karma", "karmas", False),
        ("karma", "bad-karma", True),
        ("karma", "", False),
        ("good morning", "Good\n  morning, all", True),
        ("good morning", "good, morning", False),
        ("good morning", "good mornings", False),
        ("good morning", "morning good", False),
        ("don't", "I don't", True),
        ("c++", "c++11", True),
        ("c++", "objc++", False),
        ("++", "a++b", True),
        (":tada:", "hooray :tada:", True),
        ("👍", "so 👍👍", True),
        ("STRASSE", "straße", True),
        ("a.b", "axb", False),
        (None, "", True),
        (re.compile("karma"), "karmas", True),
        (re.compile("karma"), "KARMA", False),
        (re.compile("(?i)karma"), "KARMA", True),
        (re.compile("^karma$", re.MULTILINE), "x\nkarma", True),
        (re.compile("k(ar|ir)ma"), "kirma", True),
    ],
)
def test_words_and_patterns(wanted: Any, message: str, expected: bool) -> None:
    assert found(wanted, message) is expected


def test_all_are_found_in_their_order_with_what_a_search_found() -> None:
    matcher: Matcher[str] = Matcher()
    wanted: list[Any] = ["two", re.compile("(?P<n>[0-9])"), None, "one", re.compile("(?i)ONE"), "three", "!"]
    for number, each in enumerate(wanted):
        matcher.add(each, f"it{number}", number)
    find = matcher.find("one, two 3!")
    assert [thing for _, thing, _ in find] == ["it0", "it1", "it2", "it3", "it4", "it6"]
    assert [match and match[0] for _, _, match in find] == [None, "3", None, None, "one", None]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bdeploy\s+(?P<what>\w+)", "deploy"),
        (r"roll (\d+)d(\d+)", "roll "),
        (r"colou?r", "colo"),
        (r"ab{2,3}cd", "cd"),
        (r"ab*cd+e", "cd"),
        (r"a{b|c}d", ""),
        (r"one|two", ""),
        (r"(one|two) times", " times"),
        (r"[a|b]cd[^]]ef", "cd"),
        (r"[]|]x", "x"),
        (r"[\]|]xy", "xy"),
        (r"a\|bc", "bc"),
        (r"\x41bcd", ""),
        (r"(a)\1bcd", ""),
        (r"(?=never)x", "x"),
        (r"(?<!never)x", "x"),
        (r"(?#a (b)cd", ""),
        (r"", ""),
    ],
)
def test_the_text_that_a_pattern_needs(pattern: str, text: str) -> None:
    assert needed(re.compile(pattern)) == text


def test_a_verbose_pattern_needs_none() -> None:
    assert needed(re.compile("a b", re.VERBOSE)) == ""


def test_the_short_cut_agrees_with_a_search_on_every_letter_that_has_capitals() -> None:
    odd = [chr(c) for c in range(128, 0x3000) if re.fullmatch("[a-z]", chr(c), re.IGNORECASE)]
    assert len(odd) == 4
    for letter in string.ascii_letters:
        pattern = re.compile(f"x{letter}y", re.IGNORECASE)
        for other in [*string.ascii_letters, *odd]:
            message = f"é X{other}Y"
            assert found(pattern, message) == bool(pattern.search(message)), (letter, other)


PATTERNS = [
    r"a(?i:b)c",
    r"ab?c|d",
    r"a.c",
    r"(?s)a.c",
    r"a\sc",
    r"(a|b)c{1}d",
    r"^ab",
    r"ab$",
    r"[ab]c",
    r"a{,2}b",
    r"ab{",
    r"[\]ab]c",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_short_cut_never_loses_a_message(pattern: str) -> None:
    compiled = re.compile(pattern)
    for letters in itertools.product("abcd {", repeat=4):
        message = "".join(letters)
        assert found(compiled, message) == bool(compiled.search(message)), message
