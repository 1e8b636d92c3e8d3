"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 40
"""Characters of what is compared: it comes from anybody, and comparing takes longer than its length."""


def nearest(typed: str, known: Iterable[str], form: str) -> str:
    """The end of a sentence: it asks for the nearest of what is known, written as `form` says, if one is near."""
    if len(typed) > _LONGEST:
        return "."
    import difflib

    folded = {each.lower(): each for each in known}
    close = difflib.get_close_matches(typed.lower(), folded, n=1, cutoff=0.6)
    return f"; did you mean `{form.format(folded[close[0]])}`?" if close else "."
