"""What a person reads when a server refuses, is not there, or is something else."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

import mmhooks.deploy.server
from mmhooks.deploy.server import Server
from mmhooks.errors import DeployError
from tests.deploy.conftest import ID, MakeBundle, Run
from tests.deploy.rest_server import DROP, NGINX, NO_READING, SILENCE, TOKEN, Answer, RestServer, silent_port


def failing(ask: Callable[[Server], object], server: Server) -> DeployError:
    with server, pytest.raises(DeployError) as failed:
        ask(server)
    assert TOKEN not in str(failed.value)
    return failed.value


def refusal(rest: RestServer, ask: Callable[[Server], object] | None = None) -> list[str]:
    """The lines of the error that an upload gives, or something else that is asked for."""
    return str(failing(ask or (lambda server: server.upload(Path(__file__))), Server.at(rest.address, TOKEN))).split(
        "\n"
    )


# what the server refuses


def test_token_that_is_not_valid(rest: RestServer, make_bundle: MakeBundle, run: Run) -> None:
    make_bundle()
    rest.developer_mode = True  # in which servers repeat the token
    wrong = "nosuchtokenxxxxxxxxxxxxxxx"
    result = run("deploy", rest=rest, MM_ADMIN_TOKEN=wrong)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"Error: POST {rest.address}/api/v4/plugins: 401 Unauthorized: Invalid or expired session, please login again. "
        "token=*** (api.context.session_expired.app_error)",
        "The token is not valid, or has expired or been revoked. A system admin makes one in the profile, under Security > "
        "Personal Access Tokens (System Console > Integrations > Integration Management allows them); set MM_ADMIN_TOKEN.",
    ]
    assert wrong not in result.output


def test_user_without_the_permission(rest: RestServer) -> None:
    rest.is_admin = False
    assert refusal(rest) == [
        f"POST {rest.address}/api/v4/plugins: 403 Forbidden: You do not have the appropriate permissions. "
        "(api.context.permissions.app_error)",
        "The user of the token has to be a system admin.",
    ]


def test_bundle_that_is_too_large_for_the_server(rest: RestServer) -> None:
    rest.max_file_size = 1000
    assert refusal(rest) == [
        f"POST {rest.address}/api/v4/plugins: 413 Request Entity Too Large: Plugin file is too large. "
        "(api.plugin.upload.file_too_large.app_error)",
        "The bundle is larger than the server takes: FileSettings.MaxFileSize, in bytes, is the limit.",
    ]


def test_bundle_that_is_too_large_for_an_older_server(rest: RestServer) -> None:
    rest.script("POST /plugins", Answer(400, "http: request body too large\n", "text/plain"))
    assert refusal(rest) == [
        f"POST {rest.address}/api/v4/plugins: 400 Bad Request: http: request body too large",
        "The bundle is larger than the server takes: FileSettings.MaxFileSize, in bytes, is the limit.",
    ]


def test_bundle_that_is_too_large_for_the_proxy(rest: RestServer) -> None:
    rest.script("POST /plugins", Answer(413, NGINX.format("413 Request Entity Too Large")))
    outcome, advice = refusal(rest)
    assert outcome.endswith("/plugins: 413 Request Entity Too Large: 413 Request Entity Too Large")
    assert "client_max_body_size" in advice


@pytest.mark.parametrize("setting", ["Enable", "EnableUploads"])
def test_server_that_takes_no_uploads(setting: str, rest: RestServer) -> None:
    rest.plugin_settings[setting] = False
    assert refusal(rest) == [
        f"POST {rest.address}/api/v4/plugins: 501 Not Implemented: Plugins and/or plugin uploads have been disabled. "
        "(app.plugin.upload_disabled.app_error)",
        "The server's config.json has to allow uploads: in PluginSettings, Enable and EnableUploads true, "
        "RequirePluginSignature false. (The System Console cannot change EnableUploads.)",
    ]


def test_server_without_plugins(rest: RestServer) -> None:
    rest.plugin_settings["Enable"] = False
    assert refusal(rest, lambda server: server.enable(ID))[1] == (
        "Plugins are switched off on this server: set PluginSettings.Enable to true."
    )


@pytest.mark.parametrize("command", ["enable", "disable", "remove"])
def test_plugin_that_is_not_installed(command: str, rest: RestServer, run: Run) -> None:
    result = run(command, ID, rest=rest)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0].endswith("Plugin is not installed. (app.plugin.not_installed.app_error)")
    assert result.stderr.splitlines()[1] == "The server has no such plugin: `mmhooks deploy` installs it."


def test_error_of_the_server_names_the_request_for_its_log(rest: RestServer) -> None:
    failure = {
        "id": "app.plugin.mvdir.app_error",
        "message": "Unable to move plugin from temporary directory.",
        "detailed_error": "disk\x1b[2J full",
        "request_id": "ayyx7t3cpbdubfcodmz4nomqzc",
    }
    rest.script("POST /plugins", Answer(500, json.dumps(failure), "application/json"))
    assert refusal(rest) == [
        f"POST {rest.address}/api/v4/plugins: 500 Internal Server Error: Unable to move plugin from temporary directory. "
        "disk [2J full (app.plugin.mvdir.app_error)",
        "The server's log says more, under the request_id ayyx7t3cpbdubfcodmz4nomqzc.",
    ]


def test_error_has_the_status_and_the_id_for_programs(rest: RestServer) -> None:
    error = failing(lambda server: server.remove(ID), Server.at(rest.address, TOKEN))
    assert (error.status, error.id, error.may_pass) == (404, "app.plugin.not_installed.app_error", False)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (502, "A proxy in front of the server got no answer from it. Is the server running?"),
        (504, "A proxy in front of the server got no answer from it. Is the server running?"),
        (429, "The server limits the rate of requests (RateLimitSettings): try again in a moment."),
    ],
)
def test_answers_of_what_stands_in_front_of_a_server(status: int, advice: str, rest: RestServer) -> None:
    rest.script("POST /plugins", Answer(status, "<HTML><body><p>Sorry &amp;<br>\nplease wait</body>"))
    outcome, *more = refusal(rest)
    assert outcome.endswith(": Sorry & please wait")
    assert more == [advice]


def test_long_page_is_cut(rest: RestServer) -> None:
    rest.script("POST /plugins", Answer(500, "<p>" + "word " * 1000))
    assert len(refusal(rest)[0]) < 450


def test_empty_answer(rest: RestServer) -> None:
    rest.script("POST /plugins", Answer(500))
    assert refusal(rest) == [f"POST {rest.address}/api/v4/plugins: 500 Internal Server Error"]


# what is no Mattermost


def test_redirect_is_not_followed_with_the_token(rest: RestServer) -> None:
    rest.script("POST /plugins", Answer(301, headers={"Location": "https://chat.example.com/mm/api/v4/plugins"}))
    assert refusal(rest) == [
        f"POST {rest.address}/api/v4/plugins: 301 Moved Permanently",
        "The token is not sent after a redirect: use the address that it sends one on to, "
        "--server https://chat.example.com/mm",
    ]
    assert rest.requests == ["POST /plugins"]


def test_redirect_to_a_login_page(rest: RestServer) -> None:
    rest.script("POST /plugins", Answer(302, headers={"Location": "/login?next=plugins"}))
    assert refusal(rest)[1].startswith(
        "It sends one on to /login?next=plugins. Is this the address of a Mattermost server?"
    )


def test_address_without_the_subpath() -> None:
    with RestServer(subpath="/chat") as rest:
        server = Server.at(rest.address.removesuffix("/chat"), TOKEN)
        lines = str(failing(lambda server: server.enable(ID), server)).split("\n")
    assert lines[0].endswith(f"/api/v4/plugins/{ID}/enable: 404 Not Found: Somebody else's site")
    assert lines[1].startswith("Is this the address of a Mattermost server?")


@pytest.mark.parametrize("body", ["<title>My  site</title>hello", '"My site"', ""])
def test_site_that_answers_everything(body: str, rest: RestServer) -> None:
    rest.script("GET /plugins/statuses", Answer(200, body))
    outcome, advice = refusal(rest, lambda server: server.statuses(ID))
    assert "/plugins/statuses: 200 OK, but not the JSON that was expected: " in outcome
    assert outcome.endswith(("My site", '"My site"', ": nothing"))
    assert advice.startswith("Is this the address of a Mattermost server?")


# what is not there


def test_nobody_listens() -> None:
    with silent_port() as taken:
        port = taken.getsockname()[1]
    error = failing(lambda server: server.enable(ID), Server.at(f"http://127.0.0.1:{port}", TOKEN))
    assert str(error).split("\n")[0] == f"http://127.0.0.1:{port}: connection refused."
    assert "8065" in str(error)
    assert error.may_pass


def test_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failing(lambda server: server.enable(ID), Server.at("https://chat.example.com", TOKEN))
    assert str(error) == (
        "https://chat.example.com: this name is not known (Name or service not known). Is it spelt right, and is a VPN "
        "needed?"
    )
    assert not error.may_pass


def test_server_that_says_nothing(rest: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmhooks.deploy.server, "ANSWER", 0.1)
    rest.script(f"POST /plugins/{ID}/disable", SILENCE)
    [line] = refusal(rest, lambda server: server.disable(ID))
    assert line == f"POST {rest.address}/api/v4/plugins/{ID}/disable: no answer within 0.1 s."


def test_server_that_takes_up_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmhooks.deploy.server, "CONNECT", 0.1)
    with silent_port() as port:
        address = f"https://127.0.0.1:{port.getsockname()[1]}"  # TLS is part of connecting
        error = failing(lambda server: server.enable(ID), Server.at(address, TOKEN))
    assert str(error).startswith(f"{address}: no connection within 0.1 s.\nIs the server running there")


def test_upload_that_comes_to_a_halt(rest: RestServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mmhooks.deploy.server, "PROGRESS", 0.1)
    large = tmp_path / "large"
    large.write_bytes(bytes(30_000_000))  # more than the buffers on the way hold
    rest.script("POST /plugins", NO_READING)
    [line] = refusal(rest, lambda server: server.upload(large))
    assert line.endswith("/api/v4/plugins: the upload has come to a halt: nothing was taken for 0.1 s.")


def test_upload_may_take_longer_than_other_answers(rest: RestServer, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr(mmhooks.deploy.server, "INSTALL", 0.1)
    rest.script("POST /plugins", SILENCE)
    [line] = refusal(rest)
    assert line.endswith("no answer within 0.1 s.")


def test_connection_that_drops_during_an_upload(rest: RestServer) -> None:
    rest.script("POST /plugins", DROP)
    outcome, advice = refusal(rest)
    assert "/api/v4/plugins: the connection dropped: " in outcome
    assert advice.startswith("If it does so each time, the bundle may be too large: see FileSettings.MaxFileSize")


def test_connection_that_drops_at_something_else(rest: RestServer) -> None:
    rest.script(f"DELETE /plugins/{ID}", DROP)
    [line] = refusal(rest, lambda server: server.remove(ID))
    assert line.endswith(f"/{ID}: the connection dropped: Server disconnected without sending a response.")


# TLS


def test_certificate_for_another_name(
    tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with RestServer(tls=tls) as rest:
        address = rest.address.replace("localhost", "127.0.0.1")
        error = failing(lambda server: server.enable(ID), Server.at(address, TOKEN, ca=str(tmp_path / "ca.pem")))
    assert f"{address}: its certificate is not trusted: IP address mismatch" in str(error)
    assert not error.may_pass


def test_server_without_tls(rest: RestServer) -> None:
    address = rest.address.replace("http:", "https:")
    error = failing(lambda server: server.enable(ID), Server.at(address, TOKEN))
    assert str(error).startswith(f"{address}: no TLS there (")
    assert str(error).endswith("). Is the address one with http://?")


def test_file_without_certificates(tmp_path: Path, rest: RestServer, run: Run) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    result = run("disable", ID, "--server", "https://localhost", "--ca", "ca.pem", MM_ADMIN_TOKEN=TOKEN)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ca.pem: no certificate in PEM form can be read from it: ")
    missing = run("disable", ID, "--server", "https://localhost", "--ca", "none.pem", MM_ADMIN_TOKEN=TOKEN)
    assert missing.exit_code == 2
    assert "File 'none.pem' does not exist" in missing.stderr


# the socket


def test_socket_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "local.socket")
    error = failing(lambda server: server.enable(ID), Server.over(path))
    assert str(error).startswith(f"{path}: there is no such socket.\nIs the server running on this machine, with ")
    assert "ServiceSettings.EnableLocalMode true" in str(error)


def test_socket_that_a_server_left_behind(tmp_path: Path) -> None:
    path = str(tmp_path / "local.socket")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    error = failing(lambda server: server.enable(ID), Server.over(path))
    assert str(error).startswith(f"{path}: connection refused.\nIs the server running on this machine")


def test_socket_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(socket.socket):
        def connect(self, address: object) -> None:
            raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(socket, "socket", Forbidden)
    path = str(tmp_path / "local.socket")
    error = failing(lambda server: server.enable(ID), Server.over(path))
    assert str(error).startswith(f"{path}: no permission to use this socket.\n")
    assert "sudo -u mattermost" in str(error)


def test_error_over_the_socket_names_it(tmp_path: Path) -> None:
    path = tmp_path / "local.socket"
    with RestServer(local=path) as rest:
        rest.plugin_settings["Enable"] = False
        error = failing(lambda server: server.remove(ID), Server.over(rest.address))
    assert str(error).startswith(
        f"DELETE /api/v4/plugins/{ID} over {path}: 501 Not Implemented: Plugins have been disabled."
    )
