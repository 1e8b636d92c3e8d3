"""Ids as Mattermost makes and checks them (its `model/utils.go`)."""

from __future__ import annotations

import random
import re

_LETTERS = "ybndrfg8ejkmcpqxot1uwisza345h769"
_ID = re.compile(r"[A-Za-z0-9]{26}")
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
_SHIFTS = range(0, 130, 10)
_random = random.Random()  # many ids are made, and none of them has to be a secret


def new_id() -> str:
    """26 small letters and digits."""
    bits = _random.getrandbits(130)
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])


def is_id(text: str) -> bool:
    """Whether a text has the form of an id. Capitals count as well."""
    return _ID.fullmatch(text) is not None
