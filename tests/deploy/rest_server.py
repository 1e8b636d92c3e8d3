"""A server that answers as the part of Mattermost's REST API does that deploying needs.

The routes, forms, statuses and ids are those of Mattermost's `api4/plugin.go`, `plugin_local.go`, `system.go` and
`web/handlers.go`. It keeps plugins as a server does; statuses move on with each question for them.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
import socket
import socketserver
import ssl
import tarfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple, Self

TOKEN = "4kfgqzbh7jd5mr1ynxw8tosa9c"
NGINX = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx/1.24.0</center>"

State = tuple[int, str]
"""A plugin's state, and the error of one that failed."""

STARTS: Sequence[State] = ((0, ""), (2, ""))


class Answer(NamedTuple):
    """What a request gets instead of the usual."""

    status: int
    body: str = ""
    content_type: str = "text/html"
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


DROP = Answer(0)
"""The connection is closed instead."""
SILENCE = Answer(-1)
"""Nothing comes until the server is closed."""
NO_READING = Answer(-2)
"""Not even the request is read on, until the server is closed."""


@dataclass
class Installed:
    """A plugin on the server."""

    manifest: dict[str, Any]
    enabled: bool = False
    nodes: dict[str, list[State]] = field(default_factory=dict)
    """The states that are still to come on each node; the last one stays."""
    old_version: dict[str, str] = field(default_factory=dict)
    """Nodes that tell this version until their last state."""


class RestServer:
    """The server, over TCP, TLS or a unix socket; started when made, ended by `close` or as a context manager.

    `starts` is what a plugin goes through once it is enabled, by node.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, local: Path | None = None, subpath: str = "") -> None:
        self.plugins: dict[str, Installed] = {}
        self.starts: dict[str, Sequence[State]] = {"": STARTS}
        self.log: list[str] = []
        self.keeps_log = True
        self.requests: list[str] = []
        self.uploads: list[bytes] = []
        self.plugin_settings = {"Enable": True, "EnableUploads": True}
        self.max_file_size = 100_000_000
        self.is_admin = True
        self.developer_mode = False
        self.local = local is not None
        self.subpath = subpath
        self.closing = threading.Event()
        self.asked = threading.Event()
        """Set with each request; a test may clear it, and wait for the next."""
        self._scripted: dict[str, list[Answer]] = {}
        self._numbers = itertools.count(1)
        rest = self

        class Handler(_Handler):
            server_ = rest

        if local is not None:
            self._http: socketserver.BaseServer = _UnixServer(str(local), Handler)
            self.address = str(local)
        else:
            self._http = server = _TcpServer(("127.0.0.1", 0), Handler)
            server.tls = tls
            self.address = f"{'https' if tls else 'http'}://localhost:{server.server_address[1]}{subpath}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), name="rest-server")
        self._thread.start()

    def script(self, request: str, *answers: Answer) -> None:
        """The next requests "POST /plugins" get these answers, one each, and the last of them from then on."""
        self._scripted[request] = [*answers]

    def unscript(self) -> None:
        self._scripted.clear()

    def scripted(self, request: str) -> Answer | None:
        answers = self._scripted.get(request, [])
        return answers.pop(0) if len(answers) > 1 else answers[0] if answers else None

    def install(self, plugin_id: str, version: str = "0.1.0", *, enabled: bool = False) -> Installed:
        """As if it had been uploaded before."""
        plugin = self.plugins[plugin_id] = Installed({"id": plugin_id, "name": "Hello", "version": version}, enabled)
        if enabled:
            plugin.nodes = {node: [states[-1]] for node, states in self.starts.items()}
        return plugin

    def write(
        self, message: str, plugin_id: str | None = "com.example.hello", level: str = "info", **more: Any
    ) -> None:
        """A line of the log."""
        number = next(self._numbers)
        line = {
            "timestamp": f"2026-01-02 10:11:{number // 1000:02}.{number % 1000:03} Z",
            "level": level,
            "msg": message,
        }
        self.log.append(json.dumps({**line, "caller": "app/plugin_api.go:1112", "plugin_id": plugin_id, **more}))

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()  # waits for the threads of all connections

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:  # in the connection's own thread
        if self.tls is not None:
            request.settimeout(10)
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)
        if self.tls is not None:
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up, or do not trust the certificate


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Failure(Exception):
    def __init__(self, status: int, id_: str, message: str, detailed: str = "") -> None:
        self.status, self.id, self.message, self.detailed = status, id_, message, detailed


class _Handler(BaseHTTPRequestHandler):
    server_: RestServer
    protocol_version = "HTTP/1.1"
    timeout = 20
    wbufsize = -1  # head and body at once, without a wait for the acknowledgement in between

    def log_message(self, *message: object) -> None:
        pass

    def address_string(self) -> str:
        return "somewhere"  # a unix socket's peer has no address

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        rest = self.server_
        path, _, query = self.path.partition("?")
        request = f"{self.command} {path.removeprefix(rest.subpath + '/api/v4')}"
        rest.requests.append(request)
        rest.asked.set()
        answer = rest.scripted(request)
        if answer is NO_READING:
            rest.closing.wait()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if answer is SILENCE or answer is NO_READING:
            rest.closing.wait()
        if answer is DROP or answer is SILENCE or answer is NO_READING:
            self.close_connection = True
            return
        if answer is None:
            try:
                if not path.startswith(rest.subpath + "/api/v4/"):
                    answer = Answer(404, "<html><title>Somebody else's site</title></html>")
                else:
                    status, found = self._answer(request, query, body)
                    answer = Answer(status, json.dumps(found), "application/json")
            except _Failure as failure:
                answer = self._failed(failure)
        self.send_response(answer.status)
        content = answer.body.encode()
        for name, value in {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(content)),
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _failed(self, failure: _Failure) -> Answer:
        found = {
            "id": failure.id,
            "message": failure.message,
            "detailed_error": failure.detailed if self.server_.developer_mode else "",
            "request_id": "ayyx7t3cpbdubfcodmz4nomqzc",
            "status_code": failure.status,
        }
        return Answer(failure.status, json.dumps(found), "application/json")

    def _answer(self, request: str, query: str, body: bytes) -> tuple[int, Any]:
        rest = self.server_
        if not rest.local:
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            if (scheme, token) != ("Bearer", TOKEN):
                message = "Invalid or expired session, please login again."
                raise _Failure(401, "api.context.session_expired.app_error", message, f"token={token}")
            if not rest.is_admin:
                raise _Failure(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        if request == "GET /logs":
            asked = dict(pair.split("=") for pair in query.split("&"))
            assert asked["page"] == "0"
            count = int(asked["logs_per_page"])
            return 200, ["\n" + line for line in rest.log[-count:]] if rest.keeps_log else [""]
        if not rest.plugin_settings["Enable"]:
            if request == "POST /plugins":
                raise _Failure(
                    501, "app.plugin.upload_disabled.app_error", "Plugins and/or plugin uploads have been disabled."
                )
            raise _Failure(501, "app.plugin.disabled.app_error", "Plugins have been disabled.")
        match request.split("/"):
            case ["POST ", "plugins"]:
                return self._upload(body)
            case ["GET ", "plugins"]:
                running = {id_: (2, "") in _states(plugin).values() for id_, plugin in rest.plugins.items()}
                return 200, {
                    key: [plugin.manifest for id_, plugin in rest.plugins.items() if running[id_] is active]
                    for key, active in (("active", True), ("inactive", False))
                }
            case ["GET ", "plugins", "statuses"] if not rest.local:
                return 200, [status for plugin in rest.plugins.values() for status in _statuses(plugin)]
            case ["POST ", "plugins", id_, "enable"]:
                plugin = self._plugin(id_)
                if not plugin.enabled:
                    plugin.enabled = True
                    plugin.nodes = {node: [*states] for node, states in rest.starts.items()}
            case ["POST ", "plugins", id_, "disable"]:
                plugin = self._plugin(id_)
                plugin.enabled, plugin.nodes = False, {}
            case ["DELETE ", "plugins", id_]:
                del rest.plugins[self._plugin(id_).manifest["id"]]
            case _:
                message = "Sorry, we could not find the page."
                raise _Failure(404, "api.context.404.app_error", message, "There doesn't appear to be an api call here")
        return 200, {"status": "OK"}

    def _plugin(self, id_: str) -> Installed:
        plugin = self.server_.plugins.get(id_)
        if plugin is None:
            raise _Failure(404, "app.plugin.not_installed.app_error", "Plugin is not installed.")
        return plugin

    def _upload(self, body: bytes) -> tuple[int, Any]:
        rest = self.server_
        if not rest.plugin_settings["EnableUploads"]:
            raise _Failure(
                501, "app.plugin.upload_disabled.app_error", "Plugins and/or plugin uploads have been disabled."
            )
        if len(body) > rest.max_file_size:
            raise _Failure(413, "api.plugin.upload.file_too_large.app_error", "Plugin file is too large.")
        form = _form(self.headers["Content-Type"], body)
        upload = form["plugin"]
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(upload))) as archive:
            file = archive.extractfile(next(name for name in archive.getnames() if name.endswith("plugin.json")))
            assert file
            manifest = json.load(file)
        manifest["id"] = manifest["id"].lower()
        before = rest.plugins.get(manifest["id"])
        if before is not None and form.get("force") != b"true":
            message = "Unable to install plugin. A plugin with the same ID is already installed."
            raise _Failure(400, "app.plugin.install_id.app_error", message)
        rest.uploads.append(upload)
        plugin = rest.plugins[manifest["id"]] = Installed(manifest)
        if before is not None and before.enabled:
            plugin.enabled, plugin.nodes = True, {node: [*states] for node, states in rest.starts.items()}
            if before.manifest["version"] != manifest["version"]:
                plugin.old_version = dict.fromkeys(before.nodes, before.manifest["version"])
            failed = [error for states in plugin.nodes.values() for state, error in states if state == 3]
            if failed:
                raise _Failure(500, "app.plugin.restart.app_error", "Unable to restart plugin on upgrade.", failed[0])
        return 201, manifest


def _states(plugin: Installed) -> dict[str, State]:
    """The plugin's state on each node, and on to the next."""
    if not plugin.enabled:
        return dict.fromkeys(plugin.nodes or [""], (0, ""))
    return {node: states.pop(0) if len(states) > 1 else states[0] for node, states in plugin.nodes.items()}


def _statuses(plugin: Installed) -> list[dict[str, Any]]:
    manifest, found = plugin.manifest, []
    place = {"plugin_id": manifest["id"], "plugin_path": f"/opt/mattermost/plugins/{manifest['id']}"}
    settled = {node for node, states in plugin.nodes.items() if len(states) < 2}
    for node, (state, error) in _states(plugin).items():
        version = manifest["version"] if node in settled else plugin.old_version.get(node, manifest["version"])
        status = {"cluster_id": node, "state": state, "error": error, "version": version}
        found.append({**place, **status, "name": "Hello", "description": ""})
    return found


def _form(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields of a multipart form."""
    boundary = content_type.removeprefix("multipart/form-data; boundary=").encode()
    start, *parts, end = body.split(b"--" + boundary)
    assert (start, end) == (b"", b"--\r\n"), "not a multipart form"
    fields = {}
    for part in parts:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        assert name
        fields[name[1].decode()] = content.removesuffix(b"\r\n")
    return fields


def silent_port() -> socket.socket:
    """A listening socket whose connections nobody takes up."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening
