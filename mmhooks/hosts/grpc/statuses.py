"""What a call of the plugin API raises that ended with a gRPC status.

Mattermost tells most errors so (`AppErrorToStatus` and `ErrorToStatus` in its `server/public/pluginapi/grpc/server`): the
code is made from the HTTP status, and the text is the error's id, a colon and the message.
"""

from __future__ import annotations

import re

from grpc import StatusCode

from mmhooks.api.calls import late
from mmhooks.errors import APIError, AppError, GoError, HostUnavailable, MmhooksError, UnsupportedByHost

_APP_ERROR = re.compile(r"((?:[\w-]+\.)+[\w-]+)?: (.*)", re.DOTALL)
"""An error with its id, such as `app.user.missing_account.const`, or with none. gRPC's own texts begin otherwise."""

_HTTP = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.RESOURCE_EXHAUSTED: 413,  # or 429, which the code does not tell
    StatusCode.CANCELLED: 499,
    StatusCode.INTERNAL: 500,  # and all that have no code of their own
    StatusCode.UNIMPLEMENTED: 501,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}

_REFUSALS = frozenset(code for code, status in _HTTP.items() if 400 <= status <= 409)
"""Codes that only the server's program gives, never gRPC itself."""

_GO_ERROR = re.compile(r"(?:internal error|failed to [\w ]+): (.*)", re.DOTALL)
"""How Mattermost tells of an error that has no id."""

_GO_CODES = {"EOF": 1, "sql: no rows in result set": 2}
"""Go's well-known errors by their texts, and their numbers over net/rpc."""

_MOST_OF = 0.9
"""How much of its time a call has had that the server cancels because it is late: its clock may be ahead of ours."""

_TOO_LARGE = re.compile(r"[Rr]eceived message larger than max \((\d+) vs\. (\d+)\)")


def failure(
    method: str, code: StatusCode, text: str, *, target: str, timeout: float, seconds: float, limit: int | None
) -> MmhooksError:
    """The error of a call.

    Arguments:
        method: the called one.
        code: the status.
        text: what came with it.
        target: the address of the server.
        timeout: the call's, in seconds.
        seconds: for how long it has lasted.
        limit: bytes that an answer may have.
    """
    if (match := _APP_ERROR.fullmatch(text)) and code in _HTTP:
        return AppError(match[2], id=match[1] or "", status_code=_HTTP[code])
    if code in _REFUSALS:
        return AppError(text, status_code=_HTTP[code])
    if code in (StatusCode.INTERNAL, StatusCode.UNKNOWN) and (match := _GO_ERROR.fullmatch(text)):
        return GoError(match[1], _GO_CODES.get(match[1], 0))
    if code is StatusCode.DEADLINE_EXCEEDED or (code is StatusCode.CANCELLED and seconds > _MOST_OF * timeout):
        return late(method, timeout)
    if code is StatusCode.UNAVAILABLE:
        return HostUnavailable(f"{method}: the server's plugin API at {target} cannot be reached: {text}")
    if code is StatusCode.UNIMPLEMENTED:
        return UnsupportedByHost(
            f"this host has no {method} ({text}): its Mattermost is of another version; released servers, which speak net/rpc, "
            "have it from the version on that the docs say"
        )
    if code is StatusCode.RESOURCE_EXHAUSTED and (match := _TOO_LARGE.search(text)):
        size, most = match.groups()
        if limit is not None and int(most) == limit:
            return APIError(
                f"{method}: the answer has {size} bytes, and MMHOOKS_MAX_MESSAGE_SIZE allows {limit}: raise it, or leave it "
                "unset"
            )
        return APIError(f"{method}: the request has {size} bytes, and the server takes {most} at most")
    return APIError(f"{method}: {text or 'no reason given'} ({code.name})")
