"""The server's errors, by Mattermost's ids and statuses. Their messages are our own words."""

from __future__ import annotations

from mmhooks.errors import AppError, BadRequest, Forbidden, NotFound


def bad_request(id: str, message: str, detail: str = "") -> AppError:  # noqa: A002 - Mattermost's own name for it
    """An error with the status 400."""
    return BadRequest(message, id=id, detailed_error=detail)


def forbidden(id: str, message: str, detail: str = "") -> AppError:  # noqa: A002
    """An error with the status 403."""
    return Forbidden(message, id=id, detailed_error=detail)


def not_found(id: str, message: str, detail: str = "") -> AppError:  # noqa: A002
    """An error with the status 404."""
    return NotFound(message, id=id, detailed_error=detail)


def failure(id: str, status: int, message: str, detail: str = "") -> AppError:  # noqa: A002
    """An error with any other status."""
    return AppError(message, id=id, detailed_error=detail, status_code=status)
