"""Servers and bundles for the tests of deploying."""

from __future__ import annotations

import io
import json
import os
import ssl
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from mmhooks.cli.commands import cli
from tests.deploy.rest_server import TOKEN, RestServer

ID = "com.example.hello"

MakeBundle = Callable[..., Path]
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests speak to this machine, whatever proxy it has to use for others."""
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")


@pytest.fixture
def rest() -> Iterator[RestServer]:
    """A server over TCP."""
    with RestServer() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority for certificates that no machine trusts by itself."""
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """For a server named localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """Writes bundles into `dist` of the test's folder."""

    def make(
        version: str = "0.1.0",
        plugin_id: str = ID,
        *,
        manifest: str | None = None,
        inside: str = f"{ID}/plugin.json",
        filling: bytes = b"",
    ) -> Path:
        file = tmp_path / "dist" / f"{plugin_id}-{version}.tar.gz"
        file.parent.mkdir(exist_ok=True)
        if manifest is None:
            manifest = json.dumps({"id": plugin_id, "name": "Hello", "version": version})
        with tarfile.open(file, "w:gz") as archive:
            for name, content in ((f"{ID}/server/dist/plugin.py", b"print()" + filling), (inside, manifest.encode())):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return file

    return make


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, in the test's folder. The token must not be in what it prints."""
    monkeypatch.chdir(tmp_path)

    def run_it(*arguments: str, rest: RestServer | None = None, **env: str | None) -> Result:
        result = CliRunner().invoke(cli, arguments, env={**environment(rest), **env}, catch_exceptions=False)
        assert TOKEN not in result.output
        return result

    return run_it


def environment(rest: RestServer | None) -> dict[str, str | None]:
    """The variables that lead to a server, and to no other."""
    address = rest.address if rest else None
    return {
        "MM_SERVICESETTINGS_SITEURL": None if rest and rest.local else address,
        "MM_LOCALSOCKETPATH": address if rest and rest.local else None,
        "MM_ADMIN_TOKEN": TOKEN if rest and not rest.local else None,
    }


def program(*arguments: str, rest: RestServer, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the real program as a process of its own. The token must not be in what it prints."""
    command = [str(Path(sys.executable).parent / "mmhooks"), *arguments]
    variables = {**os.environ, **{name: value for name, value in environment(rest).items() if value}, **env}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=50)
    assert TOKEN not in done.stdout + done.stderr
    return done
