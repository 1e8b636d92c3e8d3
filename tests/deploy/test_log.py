"""A plugin's lines of a server's log: which, how, and each once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mmhooks.deploy.log import Log, LogLine
from mmhooks.deploy.server import Server
from mmhooks.errors import DeployError
from tests.deploy.conftest import ID, Run, environment, program
from tests.deploy.rest_server import DROP, TOKEN, Answer, RestServer

OTHER = "com.example.other"


class Ended(Exception):
    """Ends a log that is followed."""


class Following:
    """A log that is followed; before each look the next step of the test is taken, and the last one ends it."""

    def __init__(self, rest: RestServer) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self._rest = rest

    def through(self, *steps: object) -> None:
        left = [*steps]

        def step(_: float) -> None:
            if not left:
                raise Ended
            now = left.pop(0)
            if isinstance(now, str):
                self._rest.write(now)
            elif callable(now):
                now()

        with Server.at(self._rest.address, TOKEN) as server:
            log = Log(server, ID)
            self.said += map(str, log.last(2))
            with pytest.raises(Ended):
                log.follow(self.said.append, self.warned.append, sleep=step)

    @property
    def messages(self) -> list[str]:
        return [line.partition(" info ")[2].strip() for line in self.said]


def test_lines_of_the_plugin_are_shown_oldest_first(rest: RestServer, tmp_path: Path) -> None:
    rest.write("Server is listening", plugin_id=None)
    rest.write("first")
    rest.write("not ours", plugin_id=OTHER)
    rest.write("second", level="warn", user="ada", count=2, note="two words", empty="", nested={"a": [1]})
    rest.write("third", level="error", traceback='Traceback:\n  File "plugin.py"\nLookupError: lost\n')
    done = program("logs", ID, rest=rest, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "2026-01-02 10:11:00.002 Z  info   first",
        '2026-01-02 10:11:00.004 Z  warn   second  user=ada  count=2  note="two words"  empty=""  nested="{\\"a\\": [1]}"',
        "2026-01-02 10:11:00.005 Z  error  third",
        "    traceback:",
        "    Traceback:",
        '      File "plugin.py"',
        "    LookupError: lost",
    ]
    assert done.stderr == ""


def test_over_the_socket_too(run: Run, tmp_path: Path) -> None:
    with RestServer(local=tmp_path / "local.socket") as rest:
        rest.write("hello")
        assert run("logs", ID, rest=rest).stdout.endswith("info   hello\n")


def test_number_of_lines_is_limited(rest: RestServer, run: Run) -> None:
    for number in range(60):
        rest.write(f"line {number}")
        rest.write("not ours", plugin_id=OTHER)
    assert len(run("logs", ID, rest=rest).stdout.splitlines()) == 50
    assert run("logs", ID, "-n", "2", rest=rest).stdout.split()[-1] == "59"
    assert run("logs", ID, "-n", "0", rest=rest).output == ""


def test_lines_below_a_level_are_left_out(rest: RestServer, run: Run) -> None:
    for level in ("debug", "info", "warn", "error", "fatal", "level of our own"):
        rest.write(f"written as {level}", level=level)
    shown = run("logs", ID, "--level", "warn", rest=rest).stdout
    assert [line.rpartition(" as ")[2] for line in shown.splitlines()] == ["warn", "error", "fatal", "level of our own"]
    assert len(run("logs", ID, rest=rest).stdout.splitlines()) == 6


def test_rare_lines_are_looked_for_further_back(rest: RestServer, run: Run) -> None:
    rest.write("long ago")
    for _ in range(1500):
        rest.write("not ours", plugin_id=OTHER)
    assert run("logs", ID, rest=rest).stdout.endswith("long ago\n")
    assert rest.requests == ["GET /logs", "GET /logs"]


def test_no_lines_are_told_as_that(rest: RestServer, run: Run) -> None:
    rest.write("not ours", plugin_id=OTHER)
    result = run("logs", ID, rest=rest)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == (
        "No lines of com.example.hello among the last of the server's log. (Its LogSettings.FileLevel may keep them out.)\n"
    )


def test_server_without_a_log_file(rest: RestServer, run: Run) -> None:
    rest.keeps_log = False
    result = run("logs", ID, rest=rest)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {rest.address}: the server writes no log file: set LogSettings.EnableFile to true.\n"
    )


def test_log_in_plain_text_is_shown_as_it_is(rest: RestServer, run: Run) -> None:
    ours = 'info  [2026-01-02 10:11:12.123 Z] hello  caller="app/plugin_api.go:1112" plugin_id=com.example.hello'
    rest.log += [ours, ours.replace("hello", "other"), "5"]
    assert run("logs", ID, rest=rest).stdout == ours + "\n"


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    line = LogLine.read(json.dumps({"plugin_id": ID, "level": "info", "msg": "\x1b[2Jgone", "x\r": "\x9b1m"}), ID)
    assert line
    assert str(line) == "  info   �[2Jgone  x�=�1m"


def test_nodes_of_a_cluster_are_brought_into_one_order(rest: RestServer, run: Run) -> None:
    for message in ("first", "second", "third", "fourth"):
        rest.write(message)
    first, second, third, fourth = rest.log
    name = ["-" * 107] * 2
    rest.log = [*name, "node-a", *name, first, third, *name, "node-b", *name, second, fourth]
    shown = run("logs", ID, rest=rest).stdout.splitlines()
    assert [line.split()[-1] for line in shown] == ["first", "second", "third", "fourth"]


# following


def test_each_line_that_comes_is_shown_once(rest: RestServer) -> None:
    rest.write("zero")
    rest.write("one")
    rest.write("two")
    following = Following(rest)
    following.through("three", None, "four", lambda: rest.write("not ours", plugin_id=OTHER), None)
    assert following.messages == ["one", "two", "three", "four"]
    assert following.warned == []


def test_lines_that_are_the_same_are_all_shown(rest: RestServer) -> None:
    rest.write("again")
    following = Following(rest)
    following.through(lambda: rest.log.extend([rest.log[-1]] * 2), None)
    assert following.messages == ["again"] * 3


def test_lines_move_out_of_the_page(rest: RestServer) -> None:
    for number in range(1200):
        rest.write(f"line {number}")
    following = Following(rest)

    def many() -> None:
        for number in range(700):
            rest.write(f"later {number}")

    following.through(many, "last")
    assert following.messages[:3] == ["line 1198", "line 1199", "later 0"]
    assert following.messages[-2:] == ["later 699", "last"]
    assert len(following.messages) == 703


def test_log_file_that_is_begun_anew(rest: RestServer) -> None:
    rest.write("one")
    following = Following(rest)
    following.through(rest.log.clear, "two")
    assert following.messages == ["one", "two"]


def test_server_that_is_away_for_a_while_is_waited_for(rest: RestServer) -> None:
    rest.write("one")
    following = Following(rest)
    following.through(lambda: rest.script("GET /logs", DROP), None, None, rest.unscript, "two")
    assert following.messages == ["one", "two"]
    [warning] = following.warned
    assert "the connection dropped" in warning
    assert warning.endswith("\nWaiting for the server.")


def test_token_that_is_revoked_ends_it(rest: RestServer) -> None:
    rest.script("GET /logs", Answer(401))
    with Server.at(rest.address, TOKEN) as server, pytest.raises(DeployError, match="401 Unauthorized"):
        Log(server, ID).follow(print, print, sleep=lambda _: None)


def test_following_ends_with_ctrl_c(rest: RestServer, tmp_path: Path) -> None:
    rest.write("before")
    variables = {name: value for name, value in environment(rest).items() if value}
    command = [str(Path(sys.executable).parent / "mmhooks"), "logs", ID, "--follow"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().endswith("before\n")
        rest.write("after")
        assert process.stdout.readline().endswith("after\n")
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
    assert process.returncode == 0
