"""How tests say what a server refuses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from mmhooks import AppError

NOWHERE = "n" * 26
"""The id of nothing."""


@contextlib.contextmanager
def refused(status: int, error_id: str) -> Iterator[None]:
    """Expects an error of the server with this status and Mattermost's id for it."""
    with pytest.raises(AppError) as caught:
        yield
    assert (caught.value.status_code, caught.value.id) == (status, error_id)
    assert caught.value.message
    assert caught.value.request_id == ""
