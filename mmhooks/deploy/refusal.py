"""What went wrong between here and a server, in words: what was asked for, what came back, and what to do.

The ids are those of Mattermost's `api4/plugin.go`, `web/handlers.go` and `app/plugin_install.go`.
"""

from __future__ import annotations

import html
import json
import re
import socket
import ssl

import httpx

from mmhooks.errors import DeployError

RESTART_FAILED = "app.plugin.restart.app_error"
"""An upload's refusal when the plugin was enabled already: it was replaced, and then did not start."""

_LONGEST = 300
"""Characters of an answer that is not Mattermost's: enough for the sentence in a proxy's page."""

_BY_ID = {
    "app.plugin.upload_disabled.app_error": "The server's config.json has to allow uploads: in PluginSettings, Enable "
    "and EnableUploads true, RequirePluginSignature false. (The System Console cannot change EnableUploads.)",
    "app.plugin.disabled.app_error": "Plugins are switched off on this server: set PluginSettings.Enable to true.",
    "app.plugin.not_installed.app_error": "The server has no such plugin: `mmhooks deploy` installs it.",
}

_BY_STATUS = {
    401: "The token is not valid, or has expired or been revoked. A system admin makes one in the profile, under Security "
    "> Personal Access Tokens (System Console > Integrations > Integration Management allows them); set MM_ADMIN_TOKEN.",
    403: "The user of the token has to be a system admin.",
    429: "The server limits the rate of requests (RateLimitSettings): try again in a moment.",
}

_TOO_LARGE = "The bundle is larger than the server takes: FileSettings.MaxFileSize, in bytes, is the limit."
_TOO_LARGE_FOR_PROXY = (
    "The bundle is larger than a proxy in front of the server lets through: for nginx client_max_body_size is the limit. "
    "(Mattermost's own is FileSettings.MaxFileSize.)"
)
_NO_MATTERMOST = (
    "Is this the address of a Mattermost server? It is the one that people open in a browser, with its subpath if it has "
    "one: https://chat.example.com, https://example.com/chat."
)
_DROPPED_UPLOAD = (
    "\nIf it does so each time, the bundle may be too large: see FileSettings.MaxFileSize, and the limit of a proxy in front "
    "of the server."
)
_BEHIND_PROXY = "A proxy in front of the server got no answer from it. Is the server running?"
_NOT_RUNNING = "Is the server running there, and is the port the right one? (8065 unless ListenAddress says otherwise.)"
_LOCAL_MODE = (
    "Is the server running on this machine, with ServiceSettings.EnableLocalMode true and LocalModeSocketLocation this "
    "path?"
)


def refused(asked: str, response: httpx.Response, text: str) -> DeployError:
    """An answer that is an error.

    Arguments:
        asked: the method and address.
        response: the answer.
        text: its body.
    """
    status, failure = response.status_code, _failure(text)
    outcome = f"{asked}: {status} {response.reason_phrase}".rstrip()
    if response.has_redirect_location:
        return DeployError(f"{outcome}\n{_redirected(response.headers['location'])}", status=status)
    if failure is None:
        words, id_ = _from_page(text), ""
    else:
        words, id_ = _line(f"{failure['message']} {failure.get('detailed_error') or ''}"), str(failure.get("id", ""))
    if words:
        outcome += f": {words}"
    if id_:
        outcome += f" ({id_})"
    advice = _advice(status, id_, words, from_mattermost=failure is not None)
    if not advice and failure is not None and failure.get("request_id"):
        advice = f"The server's log says more, under the request_id {failure['request_id']}."
    may_pass = status in (502, 503, 504)
    return DeployError("\n".join([outcome, advice]).rstrip(), status=status, id=id_, may_pass=may_pass)


def foreign(asked: str, response: httpx.Response, text: str) -> DeployError:
    """An answer that is no error, but not Mattermost's either. Arguments as for `refused`."""
    found = _from_page(text) or "nothing"
    outcome = f"{asked}: {response.status_code} {response.reason_phrase}, but not the JSON that was expected: {found}"
    return DeployError(f"{outcome}\n{_NO_MATTERMOST}", status=response.status_code)


def unanswered(
    asked: str, server: str, error: httpx.HTTPError | OSError, *, local: bool, uploading: bool
) -> DeployError:
    """No answer at all.

    Arguments:
        asked: the method and address.
        server: the address, or the path of the socket.
        error: what httpx or the system says.
        local: whether it is a socket.
        uploading: whether a bundle was on its way.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):  # httpx' error is httpcore's, which is the system's
        cause = cause.__cause__ or cause.__context__
    text = _at_the_door(server, cause, local)
    if text:
        may_pass = isinstance(cause, ConnectionRefusedError | FileNotFoundError)  # as while a server starts again
        return DeployError(text, may_pass=may_pass)
    match error:
        case httpx.ConnectTimeout():
            text = f"{server}: no connection within {_seconds(error, 'connect')}.\n{_NOT_RUNNING}"
        case httpx.ConnectError():
            text = f"{server}: no connection: {cause or error}"
        case httpx.WriteTimeout():
            text = f"{asked}: the upload has come to a halt: nothing was taken for {_seconds(error, 'write')}."
        case httpx.ReadTimeout():
            text = f"{asked}: no answer within {_seconds(error, 'read')}."
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            text = f"{asked}: the connection dropped: {cause or error}" + _DROPPED_UPLOAD * uploading
        case _:
            return DeployError(f"{asked}: {error}")
    return DeployError(text, may_pass=True)


def _at_the_door(server: str, cause: BaseException | None, local: bool) -> str:
    match cause:
        case ssl.SSLCertVerificationError():
            return (
                f"{server}: its certificate is not trusted: {cause.verify_message}\n"
                "Name the file with the certificate of the authority that signed it, --ca FILE; or --insecure, which "
                "lets anybody in between read the token."
            )
        case ssl.SSLError():
            return f"{server}: no TLS there ({cause.reason or cause}). Is the address one with http://?"
        case socket.gaierror():
            return f"{server}: this name is not known ({cause.strerror}). Is it spelt right, and is a VPN needed?"
        case FileNotFoundError() if local:
            return f"{server}: there is no such socket.\n{_LOCAL_MODE}"
        case PermissionError() if local:
            return (
                f"{server}: no permission to use this socket.\n"
                "It belongs to the user that runs Mattermost: run mmhooks as that user, as in `sudo -u mattermost …`."
            )
        case ConnectionRefusedError():
            return f"{server}: connection refused.\n{_LOCAL_MODE if local else _NOT_RUNNING}"
    return ""


def _seconds(error: httpx.HTTPError, phase: str) -> str:
    return f"{error.request.extensions['timeout'][phase]:g} s"


def _failure(text: str) -> dict[str, object] | None:
    """Mattermost's form of an error, if it is one."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("message"), str) else None


def _advice(status: int, id_: str, words: str, *, from_mattermost: bool) -> str:
    if id_ in _BY_ID:
        return _BY_ID[id_]
    if status == 413 or "request body too large" in words:  # older servers say so with 400, as plain text
        return _TOO_LARGE if from_mattermost or status != 413 else _TOO_LARGE_FOR_PROXY
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if from_mattermost:
        return ""
    return _BEHIND_PROXY if status in (502, 503, 504) else _NO_MATTERMOST if status in (404, 405) else ""


def _redirected(location: str) -> str:
    address, api, _ = location.partition("/api/v4")
    if not api or "://" not in address:
        return f"It sends one on to {_line(location)}. {_NO_MATTERMOST}"
    return f"The token is not sent after a redirect: use the address that it sends one on to, --server {_line(address)}"


def _from_page(text: str) -> str:
    """What a page says: its title, or else its text."""
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    plain = _line(html.unescape(re.sub(r"<[^>]*>", " ", title[1] if title else text)))
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
