"""Each example passes its own tests, and runs in the dev console and under both hosts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.conftest import Start

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(file.parent.name for file in EXAMPLES.glob("*/plugin.py"))


def run(program: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        env=environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_there_are_examples() -> None:
    assert NAMES == ["hello", "house_rules", "moderation", "pulse", "welcome_bot"]


@pytest.mark.timeout(180)  # many processes, one after another
@pytest.mark.parametrize("name", NAMES)
def test_an_example_passes_its_own_tests(name: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    ran = run(
        "pytest",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        "--strict-config",
        f"--junit-xml={report}",
        folder=EXAMPLES / name,
    )
    assert ran.returncode == 0, ran.stdout
    (suite,) = ElementTree.parse(report).getroot()
    cases = {case.get("name", "") for case in suite.iter("testcase")}
    assert len(cases) >= 3, ran.stdout
    assert all(suite.get(bad) == "0" for bad in ("failures", "errors", "skipped")), ran.stdout
    tests = (EXAMPLES / name / "test_plugin.py").read_text(encoding="utf-8")
    assert "plugin_client: TestClient" in tests or "mattermost: Mattermost" in tests
    assert "live_client: LiveClient" in tests or "live_mattermost: LiveMattermost" in tests


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_in_the_dev_console(name: str) -> None:
    ran = run("mmhooks", "dev", f"examples/{name}", "--post", "good morning", folder=EXAMPLES.parent)
    assert ran.returncode == 0, ran.stdout
    assert "\n  stored    good morning\n" in ran.stdout


class Served:
    """An example under the real Go host, which calls its hooks by either wire."""

    def __init__(self, start_plugin: Start, name: str, wire: str) -> None:
        environ = {"PYTHONDONTWRITEBYTECODE": "1"}
        more = {"with_api": True} if wire == "grpc" else {}
        file = EXAMPLES / name / "plugin.py"
        self.plugin = start_plugin(file, environ, wire=wire, start_timeout_ms=20_000, **more)
        self.wire = wire

    def call(self, hook: str, argument: str, value: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
        """What a hook with one argument besides the context answers: a model, and a reason."""
        if self.wire == "grpc":
            response = self.plugin.call(hook, {argument: value})
            return response.get("modified_post"), response.get("rejection_reason", "")
        reply = self.plugin.call_rpc(hook, {"B": value})["reply"]
        return (reply["A"], reply["B"]) if "B" in reply else (None, reply.get("A") or "")

    def activate(self) -> None:
        answer = self.plugin.call("OnActivate") if self.wire == "grpc" else self.plugin.activate()["reply"]
        assert answer in ({}, {"A": None})


WIRES = pytest.mark.parametrize("wire", ["grpc", "netrpc"])


@WIRES
def test_hello_mends_and_rejects_under_each_host(start_plugin: Start, wire: str) -> None:
    hello = Served(start_plugin, "hello", wire)
    post, reason = hello.call("MessageWillBePosted", "post", {"message": "teh weather", "channel_id": "c"})
    assert post
    assert (post["message"], post["channel_id"], reason) == ("the weather", "c", "")
    assert hello.call("MessageWillBePosted", "post", {"message": "HELLO"})[1] == "Please don't shout."
    assert hello.plugin.ask("kill")["exit_code"] == 0


@WIRES
def test_house_rules_hold_under_each_host(start_plugin: Start, wire: str) -> None:
    rules = Served(start_plugin, "house_rules", wire)
    post, reason = rules.call("MessageWillBePosted", "post", {"message": "take 4111 1111 1111 1111, please"})
    assert post
    assert (post["message"], reason) == ("take card …1111, please", "")
    assert rules.call("UserWillLogIn", "user", {"email": "eve@example.net"})[1]
    assert rules.plugin.ask("kill")["exit_code"] == 0


@WIRES
def test_pulse_counts_under_each_host_until_its_end(start_plugin: Start, wire: str) -> None:
    pulse = Served(start_plugin, "pulse", wire)
    pulse.activate()
    for _ in range(3):
        pulse.call("MessageHasBeenPosted", "post", {"channel_id": "town"})
    if wire == "grpc":
        pulse.plugin.call("OnDeactivate")
    else:
        assert pulse.plugin.call_rpc("OnDeactivate")["reply"] == {"A": None}
    pulse.plugin.wait_log("messages in town: 3")
    assert pulse.plugin.ask("kill")["exit_code"] == 0


WELCOME_ANSWERS: dict[str, dict[str, Any]] = {
    "EnsureBotUser": {"grpc": {"bot_user_id": "bot"}, "netrpc": {"A": "bot"}},
    "GetUser": {
        "grpc": {"user": {"id": "u1", "username": "ada", "first_name": "Ada", "roles": "system_user"}},
        "netrpc": {"A": {"id": "u1", "username": "ada", "first_name": "Ada", "roles": "system_user"}},
    },
    "GetTeam": {"grpc": {"team": {"id": "t1", "name": "sales"}}, "netrpc": {"A": {"id": "t1", "name": "sales"}}},
    "GetDirectChannel": {"grpc": {"channel": {"id": "bot-u1"}}, "netrpc": {"A": {"id": "bot-u1"}}},
    "LoadPluginConfiguration": {
        "grpc": {"config_json": "eyJncmVldGluZyI6ICJIaSB7bmFtZX0gb2Yge3RlYW19In0="},
        "netrpc": {"A": {"greeting": "Hi {name} of {team}"}},
    },
}


def welcome_answers(wire: str) -> dict[str, Any]:
    """What a server of one newcomer says."""
    return {method: answer[wire] for method, answer in WELCOME_ANSWERS.items()}


@WIRES
def test_welcome_bot_greets_under_each_host(start_plugin: Start, wire: str) -> None:
    welcome = Served(start_plugin, "welcome_bot", wire)
    welcome.plugin.set_answers(welcome_answers(wire))
    welcome.activate()
    welcome.call("UserHasJoinedTeam", "team_member", {"user_id": "u1", "team_id": "t1"})
    welcome.plugin.wait_log("greeted ada")
    (call,) = welcome.plugin.api_calls("CreatePost")
    post = call["args"]["A"] if wire == "netrpc" else call["request"]["post"]
    assert (post["channel_id"], post["user_id"], post["message"]) == ("bot-u1", "bot", "Hi Ada of sales")
    assert welcome.plugin.ask("kill")["exit_code"] == 0


@WIRES
def test_moderation_masks_and_refuses_under_each_host(start_plugin: Start, wire: str) -> None:
    moderation = Served(start_plugin, "moderation", wire)
    guest = {"id": "u1", "roles": "system_guest"}
    moderation.plugin.set_answers({"GetUser": {"user": guest} if wire == "grpc" else {"A": guest}})
    moderation.activate()
    post, reason = moderation.call("MessageWillBePosted", "post", {"message": "what the heck", "user_id": "u1"})
    assert post
    assert (post["message"], reason) == ("what the ****", "")
    assert "Guests" in moderation.call("MessageWillBePosted", "post", {"message": "www.a.example", "user_id": "u1"})[1]
    assert moderation.plugin.ask("kill")["exit_code"] == 0
