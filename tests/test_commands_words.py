# ruff: noqa: RUF001 - quotes and dashes of phones are what this is about
"""How a line is split into words: as a shell does, but whatever people and their phones write is taken."""

from __future__ import annotations

import random
import shlex
import time

import pytest

from mmhooks.commands.words import split


def words(line: str) -> list[str]:
    return [word.text for word in split(line)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "  ",
        "Paris",
        "one  two\tthree\nfour",
        '"New York" London',
        "'New York' London",
        'a"b c"d',
        '"" x',
        "''",
        r"New\ York",
        r'"say \"hi\" now"',
        r"back\\slash",
        '"it\'s" fine',
        '--city="New York" --days=3',
        "--city='New York'",
        '"one""two" three',
    ],
)
def test_well_formed_lines_are_split_as_a_shell_does(line: str) -> None:
    assert words(line) == shlex.split(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("don't worry", ["don't", "worry"]),
        ("don't can't", ["don't", "can't"]),
        ("'tis so", ["'tis", "so"]),
        ("the dogs' bone", ["the", "dogs'", "bone"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("'it's here' now", ["it's here", "now"]),
        ('a 5" pipe', ["a", '5"', "pipe"]),
        ('"unfinished business', ['"unfinished', "business"]),
        ("'", ["'"]),
        ('say "', ["say", '"']),
        (r"C:\new\things", [r"C:\new\things"]),
        ("end\\", ["end\\"]),
        (r"\'quoted\'", ["'quoted'"]),
    ],
)
def test_what_a_shell_would_refuse_or_mangle_is_taken_as_it_is(line: str, expected: list[str]) -> None:
    assert words(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("“New York” London", ["New York", "London"]),
        ("‘New York’ London", ["New York", "London"]),
        ("„New York“ London", ["New York", "London"]),
        ("«\u00a0New York\u00a0» London", ["New York", "London"]),
        ("don’t worry", ["don’t", "worry"]),
        ("“don’t worry” now", ["don’t worry", "now"]),
        ('“New York" London', ["New York", "London"]),
        ("--city=“New York”", ["--city=New York"]),
        ("5” pipe", ["5”", "pipe"]),
    ],
)
def test_quotes_of_phones_are_quotes(line: str, expected: list[str]) -> None:
    assert words(line) == expected


def test_blanks_of_all_kinds_separate() -> None:
    assert words("one\u00a0two\u3000three") == ["one", "two", "three"]


def test_a_word_knows_whether_it_began_with_a_quote() -> None:
    assert [word.quoted for word in split('"--days" --days="3" \'x\' y')] == [True, False, True, False]


def test_no_line_is_refused_or_loses_its_letters() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        line = "".join(chance.choice("ab \\\"'“”‘’«»=\n") for _ in range(chance.randrange(20)))
        found = "".join(words(line))
        assert sorted(c for c in found if c in "ab=") == sorted(c for c in line if c in "ab="), line


@pytest.mark.parametrize("piece", ["'a ", '"', "'", '\\"', ' "a', "« ", "‘a ", "='"])
def test_a_long_line_of_quotes_takes_no_long_time(piece: str) -> None:
    begun = time.perf_counter()
    split(piece * (16_000 // len(piece)))
    assert time.perf_counter() - begun < 1
