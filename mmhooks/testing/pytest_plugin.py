"""The pytest plugin: fixtures for the plugin that `mmhooks_app` names, and the host of the live one.

    [tool.pytest.ini_options]
    mmhooks_app = "plugin:app"
    mmhooks_host = "netrpc"

Nothing of mmhooks is imported before a fixture is used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mmhooks.app import App
    from mmhooks.testing.client import TestClient
    from mmhooks.testing.live import LiveClient
    from mmhooks.testing.mattermost.live import LiveMattermost
    from mmhooks.testing.mattermost.mattermost import Mattermost

_INI = "mmhooks_app"
_HOST = "mmhooks_host"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(_INI, 'the plugin that the mmhooks fixtures test, as "module:name", for example "plugin:app"')
    parser.addini(
        _HOST, 'the wire of live_client: "netrpc", as every released server speaks it, or "grpc"', default="netrpc"
    )


@pytest.fixture
def plugin_client(pytestconfig: pytest.Config) -> Iterator[TestClient]:
    """A client that calls the plugin's handlers in process: `plugin_client.message_will_be_posted(Post(message="hi"))`."""
    with _app(pytestconfig)[0].test_client() as client:
        yield client


@pytest.fixture
def mattermost_settings() -> dict[str, Any]:
    """What is stored as the plugin's settings when the fixture `mattermost` activates it: override it where it matters."""
    return {}


@pytest.fixture
def mattermost(pytestconfig: pytest.Config, mattermost_settings: dict[str, Any]) -> Iterator[Mattermost]:
    """A Mattermost in memory with the plugin in it, activated: `mattermost.post("town-square", "hello")`."""
    from mmhooks.testing.mattermost.mattermost import Mattermost

    with Mattermost(_app(pytestconfig)[0], settings=mattermost_settings) as server:
        yield server


@pytest.fixture
def live_client(pytestconfig: pytest.Config) -> Iterator[LiveClient]:
    """The same methods, with the plugin running as a process of its own, as under a server."""
    from mmhooks.testing.live import LiveClient

    file = _app(pytestconfig)[1]
    with LiveClient(file, host=_host(pytestconfig)) as client:
        yield client


@pytest.fixture
def live_mattermost(pytestconfig: pytest.Config, mattermost_settings: dict[str, Any]) -> Iterator[LiveMattermost]:
    """The same Mattermost, with the plugin running as a process of its own, as under a server."""
    from mmhooks.testing.mattermost.live import LiveMattermost

    file = _app(pytestconfig)[1]
    with LiveMattermost(file, host=_host(pytestconfig), settings=mattermost_settings) as server:
        yield server


def _host(config: pytest.Config) -> str:
    from mmhooks.testing import hosts

    host = str(config.getini(_HOST))
    try:
        hosts.check(host)
    except ValueError:
        pytest.fail(f'{_HOST} = {host!r}: write "netrpc" or "grpc"', pytrace=False)
    return host


def _app(config: pytest.Config) -> tuple[App, str]:
    """The app and the file of its module."""
    from mmhooks.app import App

    setting = str(config.getini(_INI))
    module_name, _, name = setting.partition(":")
    if not module_name or not name:
        pytest.fail(
            f'{_INI} = {setting!r}: say in pytest\'s configuration which app to test: mmhooks_app = "plugin:app"',
            pytrace=False,
        )
    root = str(config.rootpath)
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise  # the plugin's own import failed: its traceback says more
        pytest.fail(f"{_INI} = {setting!r}: there is no module {module_name!r} in {root}", pytrace=False)
    except SystemExit:
        pytest.fail(
            f'{module_name} ran its app when it was imported: put app.run() under `if __name__ == "__main__":`',
            pytrace=False,
        )
    app = getattr(module, name, None)
    if not isinstance(app, App):
        pytest.fail(f"{_INI} = {setting!r}: {module_name}.{name} is no mmhooks.App", pytrace=False)
    return app, str(module.__file__)
