"""Bundles as servers run them: unpacked, where nobody may write, and started by the real Go host over both wires."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bundle.conftest import PATH, Unpacked
from tests.host_driver import GoHost, GoPlugin
from tests.test_examples import welcome_answers

Run = Callable[[Path, str], GoPlugin]
"""Runs an unpacked bundle over a wire: `run(root, "netrpc")`."""

STANDALONE = "server/standalone/plugin"
WIRES = pytest.mark.parametrize("wire", ["netrpc", "grpc"])
START_TIMEOUT = {"netrpc": 3000, "grpc": 10_000}
"""Milliseconds that servers give for the handshake."""

_numbers = itertools.count(1)


@pytest.fixture
def run(gohost: GoHost) -> Iterator[Run]:
    started: list[GoPlugin] = []

    def run_it(root: Path, wire: str) -> GoPlugin:
        name = f"bundle{next(_numbers)}"
        environ = {"PATH": PATH, "PYTHONPATH": "/nowhere"}
        if (root / STANDALONE).exists():
            command, folder = [str(root / STANDALONE)], "/"
        elif wire == "netrpc":
            command, folder = [str(root / "server/plugin.py")], "/"
        else:
            command, folder = ["python3", "server/plugin.py"], str(root)
        started_as = gohost.ask(
            "start",
            plugin=name,
            cmd=command,
            dir=folder,
            env=environ,
            wire=wire,
            start_timeout_ms=START_TIMEOUT[wire],
            **({"with_api": True} if wire == "grpc" else {}),
        )
        plugin = GoPlugin(gohost, name, started_as, wire)
        started.append(plugin)
        return plugin

    yield run_it
    for plugin in started:
        plugin.ask("kill")


def ask(plugin: GoPlugin, hook: str, argument: str, value: dict[str, Any]) -> tuple[Any, str]:
    """What a filter or gate with one argument answers: the model, if there is one, and the reason."""
    if plugin.wire == "grpc":
        response = plugin.call(hook, {argument: value})
        return response.get("modified_post"), response.get("rejection_reason", "")
    reply = plugin.call_rpc(hook, {"B": value})["reply"]
    return (reply["A"], reply["B"]) if "B" in reply else (None, reply.get("A") or "")


@WIRES
def test_the_bundle_of_hello_mends_and_rejects(run: Run, unpacked: Unpacked, wire: str) -> None:
    plugin = run(unpacked("hello"), wire)
    post, reason = ask(plugin, "MessageWillBePosted", "post", {"message": "teh weather"})
    assert (post["message"], reason) == ("the weather", "")
    assert ask(plugin, "MessageWillBePosted", "post", {"message": "HELLO"})[1] == "Please don't shout."
    assert plugin.ask("health")["ms"] >= 0
    ended = plugin.ask("kill")
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    assert [record for record in plugin.ask("logs")["records"] if record["level"] in ("warn", "error")] == []


@WIRES
def test_the_bundle_of_house_rules_has_its_modules_and_its_data(run: Run, unpacked: Unpacked, wire: str) -> None:
    plugin = run(unpacked("house_rules"), wire)
    post, _ = ask(plugin, "MessageWillBePosted", "post", {"message": "take 4111 1111 1111 1111, please"})
    assert post["message"] == "take card …1111, please"
    # The list of guests is a file beside the module that reads it.
    assert ask(plugin, "UserWillLogIn", "user", {"email": "eve@example.net"})[1].startswith("This server is for people")
    assert plugin.ask("kill")["exit_code"] == 0


@WIRES
def test_the_bundle_of_pulse_counts_in_the_background(run: Run, unpacked: Unpacked, wire: str) -> None:
    plugin = run(unpacked("pulse"), wire)
    answer = plugin.call("OnActivate") if wire == "grpc" else plugin.activate()["reply"]
    assert answer in ({}, {"A": None})
    if wire == "grpc":
        plugin.call("MessageHasBeenPosted", {"post": {"channel_id": "town"}})
        plugin.call("OnDeactivate")
    else:
        plugin.call_rpc("MessageHasBeenPosted", {"B": {"channel_id": "town"}})
        plugin.call_rpc("OnDeactivate")
    plugin.wait_log("messages in town: 1")
    assert plugin.ask("kill")["exit_code"] == 0


@WIRES
def test_the_bundle_of_welcome_bot_greets(run: Run, unpacked: Unpacked, wire: str) -> None:
    plugin = run(unpacked("welcome_bot"), wire)
    plugin.set_answers(welcome_answers(wire))
    answer = plugin.call("OnActivate") if wire == "grpc" else plugin.activate()["reply"]
    assert answer in ({}, {"A": None})
    ask(plugin, "UserHasJoinedTeam", "team_member", {"user_id": "u1", "team_id": "t1"})
    plugin.wait_log("greeted ada")
    assert len(plugin.api_calls("CreatePost")) == 1
    assert plugin.ask("kill")["exit_code"] == 0


@WIRES
@pytest.mark.timeout(180)  # PyInstaller takes its time
def test_a_standalone_bundle_runs_without_a_python(run: Run, unpacked: Unpacked, wire: str) -> None:
    plugin = run(unpacked("house_rules", with_python=True), wire)
    assert Path(f"/proc/{plugin.pid}/exe").resolve().name == "plugin"
    post, _ = ask(plugin, "MessageWillBePosted", "post", {"message": "take 4111 1111 1111 1111, please"})
    assert post["message"] == "take card …1111, please"
    assert ask(plugin, "UserWillLogIn", "user", {"email": "eve@example.net"})[1].startswith("This server is for people")
    assert plugin.ask("kill")["exit_code"] == 0
