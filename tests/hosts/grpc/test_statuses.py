"""What is raised for a call of the plugin API that ended with a status, by its code and its text."""

from __future__ import annotations

import pytest
from grpc import StatusCode

from mmhooks import (
    APIError,
    AppError,
    BadRequest,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    GoError,
    HostUnavailable,
    MmhooksError,
    NotFound,
    UnsupportedByHost,
)
from mmhooks.hosts.grpc.statuses import failure


def raised(code: StatusCode, text: str, *, seconds: float = 0.1, limit: int | None = None) -> MmhooksError:
    return failure("GetUser", code, text, target="127.0.0.1:8", timeout=5, seconds=seconds, limit=limit)


CODES = [
    (StatusCode.INVALID_ARGUMENT, BadRequest, 400),
    (StatusCode.UNAUTHENTICATED, AppError, 401),
    (StatusCode.PERMISSION_DENIED, Forbidden, 403),
    (StatusCode.NOT_FOUND, NotFound, 404),
    (StatusCode.ALREADY_EXISTS, Conflict, 409),
    (StatusCode.RESOURCE_EXHAUSTED, AppError, 413),
    (StatusCode.INTERNAL, AppError, 500),
    (StatusCode.UNIMPLEMENTED, AppError, 501),
    (StatusCode.UNAVAILABLE, AppError, 503),
]
"""The codes that Mattermost gives its errors."""


@pytest.mark.parametrize(("code", "kind", "status"), CODES)
def test_a_text_with_an_id_is_mattermosts_error_whatever_its_code(
    code: StatusCode, kind: type[AppError], status: int
) -> None:
    error = raised(code, "app.plugin_store.get-it.app_error: Unable to get it: no\nsuch key.")
    assert type(error) is kind
    assert isinstance(error, AppError)
    assert (error.id, error.message, error.status_code) == (
        "app.plugin_store.get-it.app_error",
        "Unable to get it: no\nsuch key.",
        status,
    )


@pytest.mark.parametrize(
    ("text", "id_", "message"),
    [(": no id", "", "no id"), ("model.user.is_valid: ", "model.user.is_valid", ""), (": ", "", "")],
)
def test_id_and_message_may_be_empty(text: str, id_: str, message: str) -> None:
    error = raised(StatusCode.NOT_FOUND, text)
    assert isinstance(error, NotFound)
    assert (error.id, error.message) == (id_, message)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *((code, status) for code, _, status in CODES if status <= 409),
        (StatusCode.OUT_OF_RANGE, 400),
        (StatusCode.ABORTED, 409),
        (StatusCode.FAILED_PRECONDITION, 409),
    ],
)
def test_a_refusal_without_an_id_is_mattermosts_error_too(code: StatusCode, status: int) -> None:
    error = raised(code, "config_json is required")
    assert isinstance(error, AppError)
    assert (error.id, error.message, error.status_code) == ("", "config_json is required", status)


@pytest.mark.parametrize(
    ("text", "said", "number"),
    [
        ("internal error: the disk is full", "the disk is full", 0),
        ("internal error: sql: no rows in result set", "sql: no rows in result set", 2),
        ("internal error: EOF", "EOF", 1),
        ("failed to load plugin configuration: no", "no", 0),
        ("failed to get bundle path: no\nsuch folder", "no\nsuch folder", 0),
    ],
)
def test_an_error_of_gos_is_its_text(text: str, said: str, number: int) -> None:
    error = raised(StatusCode.INTERNAL, text)
    assert isinstance(error, GoError)
    assert (error.text, error.code) == (said, number)


@pytest.mark.parametrize(
    ("code", "text", "kind", "told"),
    [
        (
            StatusCode.UNAVAILABLE,
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:8: refused",
            HostUnavailable,
            "GetUser: the server's plugin API at 127.0.0.1:8 cannot be reached: failed to connect",
        ),
        (
            StatusCode.UNIMPLEMENTED,
            "unknown method GetUser",
            UnsupportedByHost,
            "this host has no GetUser (unknown method",
        ),
        (StatusCode.DEADLINE_EXCEEDED, "", DeadlineExceeded, "GetUser: the server did not answer within 5 s"),
        (StatusCode.CANCELLED, "given up", APIError, "GetUser: given up (CANCELLED)"),
        (StatusCode.INTERNAL, "Received RST_STREAM with error code 2", APIError, "GetUser: Received RST_STREAM"),
        (StatusCode.UNKNOWN, "Stream removed (Failed parsing HTTP/2)", APIError, "GetUser: Stream removed"),
        (StatusCode.DATA_LOSS, "", APIError, "GetUser: no reason given (DATA_LOSS)"),
        (
            StatusCode.RESOURCE_EXHAUSTED,
            "too many requests",
            APIError,
            "GetUser: too many requests (RESOURCE_EXHAUSTED)",
        ),
    ],
)
def test_everything_else_says_what_the_matter_is(
    code: StatusCode, text: str, kind: type[MmhooksError], told: str
) -> None:
    error = raised(code, text)
    assert type(error) is kind
    assert str(error).startswith(told)


def test_a_call_that_the_server_cancels_near_its_end_is_late() -> None:
    assert type(raised(StatusCode.CANCELLED, "given up", seconds=4.9)) is DeadlineExceeded


def test_who_has_the_limit_is_told_apart() -> None:
    # The first is grpc-go's own text, the second ours; either may be the other's when the server is no Go program.
    server = raised(
        StatusCode.RESOURCE_EXHAUSTED, "grpc: received message larger than max (5000000 vs. 4194304)", limit=9
    )
    assert str(server) == "GetUser: the request has 5000000 bytes, and the server takes 4194304 at most"
    ours = raised(StatusCode.RESOURCE_EXHAUSTED, "CLIENT: Received message larger than max (2000 vs. 1024)", limit=1024)
    assert str(ours).startswith("GetUser: the answer has 2000 bytes, and MMHOOKS_MAX_MESSAGE_SIZE allows 1024")
