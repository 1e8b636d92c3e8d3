"""Ids as Mattermost makes and checks them (its `model/utils.go`)."""

from __future__ import annotations

import random
import re

_LETTERS = "ybndrfg8ejkmcpqxot1uwisza345h769"
_ID = re.compile(r"[A-Za-z0-9]{26}")
_random = random.Random()  # many ids are made, and none of them has to be a secret


def new_id() -> str:
    """26 small letters and digits."""
    return "".join(_random.choices(_LETTERS, k=26))


def is_id(text: str) -> bool:
    """Whether a text has the form of an id. Capitals count as well."""
    return _ID.fullmatch(text) is not None
