"""The commands: which server, which bundle, which plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mmhooks.deploy.server
from mmhooks.deploy.server import Server
from mmhooks.errors import DeployError
from tests.deploy.conftest import ID, MakeBundle, Run
from tests.deploy.rest_server import TOKEN, RestServer


def test_enabling_waits_until_it_runs(rest: RestServer, run: Run) -> None:
    rest.install(ID)
    result = run("enable", "com.example.Hello", rest=rest)
    assert result.exit_code == 0
    assert result.output == "Enabling com.example.hello\nRunning com.example.hello 0.1.0\n"
    assert rest.plugins[ID].enabled


def test_disabling_and_removing(rest: RestServer, run: Run) -> None:
    rest.install(ID, enabled=True)
    assert run("disable", ID, rest=rest).output == "Disabled com.example.hello\n"
    assert not rest.plugins[ID].enabled
    assert run("remove", ID, rest=rest).output == "Removed com.example.hello\n"
    assert rest.plugins == {}


def test_plugin_of_the_folder_is_meant_when_none_is_named(
    rest: RestServer, run: Run, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    rest.install(ID)
    rest.install("com.example.other")
    make_bundle()
    assert run("disable", rest=rest).output == "Disabled com.example.hello\n"
    (tmp_path / "plugin.json").write_text('{"id": "com.example.other"}')
    assert run("disable", rest=rest).output == "Disabled com.example.other\n"


def test_folder_without_a_plugin(rest: RestServer, run: Run) -> None:
    result = run("enable", rest=rest)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: Which plugin? Name its id, as in com.example.hello. (Not found here: There is no bundle in dist: "
        "`mmhooks bundle` makes one.)\n"
    )


def test_removing_needs_the_id(rest: RestServer, run: Run, make_bundle: MakeBundle) -> None:
    make_bundle()
    result = run("remove", rest=rest)
    assert result.exit_code == 2
    assert "Missing argument 'ID'" in result.stderr


@pytest.mark.parametrize("plugin_id", ["../users", "hello/enable", "ab", "com.example.hello?force", ""])
def test_what_cannot_be_an_id_is_not_asked_for(plugin_id: str, rest: RestServer, run: Run) -> None:
    result = run("remove", plugin_id, rest=rest)
    assert result.exit_code == 1
    assert f"{plugin_id}: not the id of a plugin: expected one such as com.example.hello" in result.stderr
    assert rest.requests == []


# which server


def test_no_server_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mmhooks.deploy.server, "LOCAL_SOCKET", str(tmp_path / "none.socket"))
    result = run("disable", ID)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: Which server? Set MM_SERVICESETTINGS_SITEURL to its address, as in https://chat.example.com, and "
        "MM_ADMIN_TOKEN to a personal access token; or, on the server's own machine, --socket to the path of its local "
        "mode.\n"
    )


def test_local_mode_of_this_machine_is_found(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mmhooks.deploy.server, "LOCAL_SOCKET", str(tmp_path / "local.socket"))
    with RestServer(local=tmp_path / "local.socket") as rest:
        rest.install(ID)
        assert run("disable", ID).exit_code == 0


def test_option_counts_before_the_variables(rest: RestServer, run: Run, tmp_path: Path) -> None:
    rest.install(ID)
    missing = str(tmp_path / "none.socket")
    assert run("disable", ID, "--server", rest.address, MM_LOCALSOCKETPATH=missing, MM_ADMIN_TOKEN=TOKEN).exit_code == 0
    socket = run("disable", ID, "--socket", missing, rest=rest)
    assert "there is no such socket" in socket.stderr


def test_of_two_variables_the_sockets_counts(rest: RestServer, run: Run, tmp_path: Path) -> None:
    result = run("disable", ID, rest=rest, MM_LOCALSOCKETPATH=str(tmp_path / "none.socket"))
    assert "there is no such socket" in result.stderr


@pytest.mark.parametrize(
    "options",
    [("--server", "http://localhost", "--socket", "x"), ("--insecure", "--ca", __file__)],
    ids=["server", "ca"],
)
def test_options_that_exclude_each_other(options: tuple[str, ...], run: Run) -> None:
    result = run("disable", ID, *options)
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


def test_token_as_an_option(rest: RestServer, run: Run) -> None:
    rest.install(ID)
    assert run("disable", ID, "--token", f" {TOKEN}\n", rest=rest, MM_ADMIN_TOKEN=None).exit_code == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("chat.example.com", "not an address of a server: write it as in https://chat.example.com"),
        ("localhost:8065", "not an address of a server: write it as in https://localhost:8065"),
        ("ftp://chat.example.com", "write it as in https://chat.example.com"),
        ("https://", "write it as in https://chat.example.com"),
        ("https://chat.example.com:port", "not an address of a server: Invalid port"),
    ],
)
def test_what_is_no_address(address: str, expected: str) -> None:
    with pytest.raises(DeployError) as failed:
        Server.at(address, TOKEN)
    assert expected in str(failed.value)


def test_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(DeployError) as failed:
        Server.at("https://ada:lovelace@chat.example.com", TOKEN)
    assert "leave them out, the token is enough" in str(failed.value)
    assert "lovelace" not in str(failed.value)


@pytest.mark.parametrize(
    "address", ["https://example.com/chat", "https://example.com/chat/", "https://example.com/chat/api/v4?x=1#y"]
)
def test_address_may_end_in_several_ways(address: str) -> None:
    with Server.at(address, TOKEN) as server:
        assert server.name == "https://example.com/chat"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("", "https://chat.example.com: a token is needed: set MM_ADMIN_TOKEN"),
        (" \n", "https://chat.example.com: a token is needed: set MM_ADMIN_TOKEN"),
        ("two words", "it is 26 letters and digits"),
        ("line\nline", "it is 26 letters and digits"),
        ("schlüssel", "it is 26 letters and digits"),
    ],
)
def test_what_is_no_token(token: str, expected: str) -> None:
    with pytest.raises(DeployError) as failed:
        Server.at("https://chat.example.com", token)
    assert expected in str(failed.value)
    assert not token.strip() or token not in str(failed.value)


# which bundle


def test_there_is_no_bundle(rest: RestServer, run: Run) -> None:
    result = run("deploy", rest=rest)
    assert result.exit_code == 1
    assert result.stderr == "Error: There is no bundle in dist: `mmhooks bundle` makes one.\n"
    named = run("deploy", "hello.tar.gz", rest=rest)
    assert named.stderr == "Error: hello.tar.gz: there is no such file. `mmhooks bundle` makes bundles.\n"


def test_other_commands_do_without_httpx() -> None:
    program = "import sys, mmhooks.cli.commands; print({'httpx', 'mmhooks.deploy'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=True)
    assert ran.stdout == "set()\n"


def test_variables_are_in_the_help_and_the_token_is_not(run: Run) -> None:
    text = " ".join(run("deploy", "--help", MM_ADMIN_TOKEN=TOKEN).output.split())
    for variable in ("MM_SERVICESETTINGS_SITEURL", "MM_ADMIN_TOKEN", "MM_LOCALSOCKETPATH"):
        assert f"[env var: {variable}]" in text
