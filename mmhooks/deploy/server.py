"""A Mattermost server, by the part of its REST API that deploying needs.

Source of the routes and their answers: Mattermost's `api4/plugin.go`, `api4/plugin_local.go`, `api4/system.go`,
`model/plugin_status.go`.
"""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from mmhooks.deploy.refusal import foreign, refused, unanswered
from mmhooks.errors import DeployError

LOCAL_SOCKET = "/var/tmp/mattermost_local.socket"
"""Where a server in local mode listens, unless ServiceSettings.LocalModeSocketLocation says otherwise."""

CONNECT = 10.0
"""Seconds for a connection, TLS included."""

ANSWER = 30.0
"""Seconds without a byte of an answer."""

PROGRESS = 60.0
"""Seconds in which an upload has to get on. As a whole it may take as long as it takes."""

INSTALL = 300.0
"""Seconds for unpacking, storing and starting what was uploaded: after that servers hang up (WriteTimeout)."""

RUNNING, FAILED = 2, (3, 4)

_STATES = {
    0: "not running",
    1: "starting",
    RUNNING: "running",
    3: "failed to start",
    4: "failed to stay running",
    5: "stopping",
}


@dataclass(frozen=True, slots=True)
class Status:
    """How a plugin is on one node of a cluster, or on a server that is alone."""

    state: int
    """One of the numbers in Mattermost's `plugin_status.go`."""
    version: str
    error: str = ""
    """Why it failed, from servers that say so."""
    node: str = ""
    """The node's id; empty on a server that is alone."""

    def __str__(self) -> str:
        return _STATES.get(self.state, f"in state {self.state}") + (f" on node {self.node}" if self.node else "")


class Server:
    """A server that plugins are brought to. Made by `at` or `over`; a context manager.

    All methods raise `DeployError`, with the server's words. None of them repeats a request.
    """

    def __init__(self, client: httpx.Client, name: str, *, token: str = "", local: bool = False) -> None:
        self.name = name
        """The address, or the path of the socket."""
        self._client = client
        self._token = token
        self._local = local

    @classmethod
    def at(cls, address: str, token: str, *, ca: str = "", insecure: bool = False) -> Self:
        """A server at an address.

        Arguments:
            address: as in a browser, `https://chat.example.com` or with a subpath.
            token: a personal access token of a system admin.
            ca: a file with certificates in PEM form that are trusted besides the system's.
            insecure: whether any certificate is trusted.
        """
        base, token = _base(address), token.strip()
        if not token:
            raise DeployError(f"{base}: a token is needed: set MM_ADMIN_TOKEN to a personal access token.")
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise DeployError("The token has characters in it that no token has: it is 26 letters and digits.")
        verify = _trust(ca, insecure) if base.startswith("https:") else True
        headers = {"Authorization": f"Bearer {token}"}
        return cls(httpx.Client(base_url=f"{base}/api/v4", headers=headers, verify=verify), base, token=token)

    @classmethod
    def over(cls, path: str = LOCAL_SOCKET) -> Self:
        """A server on this machine, over the socket of its local mode, which asks for no token."""
        transport = httpx.HTTPTransport(uds=path)
        return cls(httpx.Client(base_url="http://localhost/api/v4", transport=transport), path, local=True)

    def upload(self, bundle: Path) -> None:
        """Install a bundle, in place of the plugin with its id if there is one; started if that one was enabled."""
        with bundle.open("rb") as stream:
            file = (bundle.name, stream, "application/gzip")
            self._ask("POST", "/plugins", patience=INSTALL, data={"force": "true"}, files={"plugin": file})

    def enable(self, plugin_id: str, *, patience: float = ANSWER) -> None:
        """Enable a plugin. The server answers once it has started it, or has failed to.

        Arguments:
            plugin_id: its id.
            patience: how long that may take, in seconds.
        """
        self._ask("POST", f"/plugins/{plugin_id}/enable", patience=patience)

    def disable(self, plugin_id: str) -> None:
        """Stop a plugin and keep it stopped."""
        self._ask("POST", f"/plugins/{plugin_id}/disable")

    def remove(self, plugin_id: str) -> None:
        """Stop a plugin and delete it. What it has stored in the database stays."""
        self._ask("DELETE", f"/plugins/{plugin_id}")

    def statuses(self, plugin_id: str) -> list[Status]:
        """How an enabled plugin is: an entry for each node that has it, none when it is not installed.

        Local mode tells active plugins from inactive ones and no more. Enabling has been answered when this is asked, so
        the server has tried to start it, and inactive means that it failed.
        """
        if not self._local:
            return [
                Status(found["state"], found["version"], found.get("error") or "", found.get("cluster_id") or "")
                for found in self._ask("GET", "/plugins/statuses", list)
                if found["plugin_id"] == plugin_id
            ]
        plugins = self._ask("GET", "/plugins", dict)
        return [
            Status(state, found.get("version", ""))
            for key, state in (("active", RUNNING), ("inactive", FAILED[0]))
            for found in plugins[key]
            if found["id"] == plugin_id
        ]

    def log(self, lines: int) -> list[str]:
        """The last lines of the server's log, oldest first; of a cluster one node's after the other's.

        Arguments:
            lines: how many, of each node; 10,000 at most.
        """
        found: list[str] = self._ask("GET", f"/logs?page=0&logs_per_page={lines}", list)
        if found == [""]:
            raise DeployError(f"{self.name}: the server writes no log file: set LogSettings.EnableFile to true.")
        return [line.strip("\n") for line in found]  # each comes with the end of the line before it

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, form: type = dict, *, patience: float | None = None, **content: Any) -> Any:
        asked = f"{method} /api/v4{path} over {self.name}" if self._local else f"{method} {self.name}/api/v4{path}"
        timeout = httpx.Timeout(None, connect=CONNECT, write=PROGRESS, read=patience or ANSWER)
        try:
            if self._local:
                _knock(self.name)
            response = self._client.request(method, path, timeout=timeout, **content)
        except (httpx.HTTPError, OSError) as error:
            raise unanswered(asked, self.name, error, local=self._local, uploading="files" in content) from error
        text = response.text
        if self._token:  # servers in developer mode repeat it in their errors
            text = text.replace(self._token, "***")
        if not response.is_success:
            raise refused(asked, response, text)
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, form):
            raise foreign(asked, response, text)
        return found


def _knock(path: str) -> None:
    """See whether a socket is open: httpcore 1.0 never closes one of its own that it could not connect."""
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.settimeout(CONNECT)
        visitor.connect(path)


def _base(address: str) -> str:
    if "@" in address:
        raise DeployError("The server's address has a name or a password in it: leave them out, the token is enough.")
    try:
        url = httpx.URL(address.strip())
    except httpx.InvalidURL as error:
        raise DeployError(f"{address}: not an address of a server: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        rest = address.rpartition("://")[2] or "chat.example.com"
        raise DeployError(f"{address}: not an address of a server: write it as in https://{rest}")
    return str(url.copy_with(query=None, fragment=None)).rstrip("/").removesuffix("/api/v4")


def _trust(ca: str, insecure: bool) -> ssl.SSLContext:
    context = httpx.create_ssl_context(verify=not insecure)
    if insecure:
        return context
    context.load_default_certs()  # an authority that this machine trusts, besides those that httpx brings
    try:
        if ca:
            context.load_verify_locations(ca)
    except OSError as error:
        raise DeployError(f"{ca}: no certificate in PEM form can be read from it: {error}") from error
    return context
