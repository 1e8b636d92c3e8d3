"""Runs each promise of this folder under every way into an app."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmhooks.testing import LiveClient, TestClient
from tests.conftest import as_file

Client = TestClient | LiveClient
Load = Callable[..., Client]
"""Makes a client for a plugin's source: `load(source, raise_exceptions=False)`."""

_numbers = itertools.count(1)


_WIRES = {"gRPC": "grpc", "net/rpc": "netrpc"}


@pytest.fixture(params=["in process", *_WIRES])
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Load]:
    """A plugin's client, in process, and over each wire to a process of its own."""
    with contextlib.ExitStack() as stack:

        def load_it(source: str, *, raise_exceptions: bool = True) -> Client:
            file = as_file(source, tmp_path)
            client: Client
            if request.param == "in process":
                client = _app(file).test_client(raise_exceptions=raise_exceptions)
            else:
                file.write_text(file.read_text() + "\napp.run()\n")
                client = LiveClient(file, host=_WIRES[request.param], raise_exceptions=raise_exceptions)
            stack.callback(client.close)
            return client

        yield load_it


def _app(file: Path):  # type: ignore[no-untyped-def]  # what a plugin's module holds is for the plugin to say
    spec = importlib.util.spec_from_file_location(f"plugin_under_test_{next(_numbers)}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app
