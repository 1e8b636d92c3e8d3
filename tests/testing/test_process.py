"""The embedded hosts: a plugin as a process, from the handshake to its end, over either wire."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mmhooks import (
    AppError,
    GoError,
    HandlerError,
    HandlerTimeout,
    NotFound,
    NotImplementedByPlugin,
    OnInstallEvent,
    Post,
    UnsupportedByHost,
    User,
)
from mmhooks.outcomes import Rejected, Replaced, Unchanged, Value
from mmhooks.testing import LiveClient, StartFailed, hosts
from mmhooks.testing.process import PluginProcess
from tests.conftest import as_file

START = "import asyncio, os, sys, threading\nfrom mmhooks import *\napp = App()\n"
RUN = "\napp.run()\n"

Start = Callable[..., PluginProcess]


@pytest.fixture(params=["grpc", "netrpc"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(wire: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a plugin from what stands between the app and its `run()`; stopped after the test."""
    started: list[PluginProcess] = []

    def start_it(source: str, host: Any = wire, **more: Any) -> PluginProcess:
        process = PluginProcess(as_file(START + source + RUN, tmp_path), host, **more)
        started.append(process)
        return process

    yield start_it
    for process in started:
        process.stop()


def fake(source: str, folder: Path) -> Path:
    """A program that is no plugin of ours."""
    file = folder / "plugin.py"
    file.write_text("import os, signal, socket, sys, threading\n" + source)
    return file


# start and stop

CHATTY = """
print("importing")
@app.hook
def on_activate(): app.logger.info("active")
@app.hook
def on_deactivate(): print("grüße", file=sys.stderr); app.logger.warning("over", extra={"n": 1})
@app.hook
def user_will_log_in(user): return Reject(user.username)
"""


def test_plugin_starts_answers_and_stops(start: Start, tmp_path: Path) -> None:
    printed: list[str] = []
    process = start(CHATTY, on_print=printed.append)
    assert process.implemented == ["OnActivate", "OnDeactivate", "UserWillLogIn"]
    process.activate()
    assert process.ping()
    assert process.call("UserWillLogIn", [None, User(username="ada")]) == Rejected("ada")
    assert process.stop() == 0
    assert process.has_ended
    assert process.printed == "".join(printed) == "importing\ngrüße\n"
    assert [(line.level, line.message) for line in process.log if line.level != "debug"] == [
        ("info", "active"), ("warn", "over"),
    ]  # fmt: skip


def test_stopped_plugin_can_be_stopped_again_and_not_called(start: Start) -> None:
    process = start(CHATTY)
    assert process.stop() == process.stop() == 0
    assert not process.ping()
    with pytest.raises(RuntimeError, match="this plugin is stopped"):
        process.call("UserWillLogIn", [None, User()])


def test_nothing_is_left_in_the_folder_for_temporary_files(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    process = start(CHATTY)
    assert [*tmp_path.glob("mmhooks-*/*")]
    process.stop()
    assert not [*tmp_path.glob("mmhooks-*")]


def test_plugin_that_does_not_stop_is_killed(start: Start) -> None:
    process = start("")
    os.kill(process.pid, signal.SIGSTOP)
    assert not process.ping(0.1)
    assert process.stop() == -signal.SIGKILL


def test_stuck_handlers_keep_nobody_from_stopping(start: Start) -> None:
    process = start("""
@app.hook
def user_will_log_in(user): threading.Event().wait()
@app.hook
async def message_will_be_posted(post): await asyncio.Event().wait()
""")
    for name in ("UserWillLogIn", "MessageWillBePosted"):
        with pytest.raises(HandlerTimeout):
            process.call(name, [None, None], timeout=0.1)
    assert process.ping()
    assert process.stop() == 0


def test_much_output_comes_whole(start: Start) -> None:
    whole = threading.Event()
    process = start(
        """
@app.hook
def run_data_retention(now_time, batch_size):
    for number in range(now_time): print(number, "é" * 100)
    print("!", end="", flush=True)
    return 0
""",
        on_print=lambda text: whole.set() if "!" in text else None,
    )
    assert process.call("RunDataRetention", [4000, 0]) == Value(0)
    assert whole.wait(20)
    assert process.printed == "".join(f"{number} {'é' * 100}\n" for number in range(4000)) + "!"


def test_calls_run_side_by_side(start: Start) -> None:
    process = start("""
together = threading.Barrier(8)
@app.hook
def run_data_retention(now_time, batch_size):
    together.wait(20)
    return now_time
""")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(process.call, "RunDataRetention", [number, 0]) for number in range(8)]
        assert [call.result() for call in calls] == [Value(number) for number in range(8)]


def test_port_of_a_net_rpc_plugin_takes_the_place_of_a_socket_that_cannot_be_made(start: Start) -> None:
    process = start(CHATTY, "netrpc", environ={"PLUGIN_UNIX_SOCKET_DIR": "/no/such/folder"})
    assert process.call("UserWillLogIn", [None, User(username="ada")]) == Rejected("ada")


# what the plugin is given


def test_environment_is_that_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wire: str) -> None:
    theirs = {
        "MMHOOKS_HOST": "netrpc" if wire == "grpc" else "grpc",
        "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1",
        "PLUGIN_PROTOCOL_VERSIONS": "7",
        "MINE": "kept",
    }
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    file = fake("import json\njson.dump({**os.environ}, open('environ.json', 'w'))", tmp_path)
    with pytest.raises(StartFailed):
        PluginProcess(file, wire)
    environ = json.loads((tmp_path / "environ.json").read_text())
    ours = {name: value for name, value in environ.items() if name.startswith(("MMHOOKS_", "MATTERMOST_", "PLUGIN_"))}
    folder = ours.pop("PLUGIN_UNIX_SOCKET_DIR")
    assert Path(folder).name.startswith("mmhooks-")
    common = {
        "MATTERMOST_PLUGIN": "Securely message teams, anywhere.",
        "PLUGIN_PROTOCOL_VERSIONS": "1",
        "MMHOOKS_DEV": "1",
    }
    if wire == "netrpc":
        assert ours == common | {"PLUGIN_MIN_PORT": "10000", "PLUGIN_MAX_PORT": "25000"}
    else:
        assert ours == common | {"MMHOOKS_HOST": "grpc", "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1"}
    assert environ["MINE"] == "kept"


API = """
@app.hook
def on_activate():
    print(app.api.call("GetServerVersion"))
@app.hook
def on_install(event):
    app.api.call("GetUser", "me")
"""


def test_an_embedded_host_answers_the_plugin_api_as_it_is_told(start: Start, wire: str) -> None:
    asked = []

    def answer(method: str, arguments: Sequence[Any]) -> Any:
        asked.append((method, [*arguments]))
        if method == "GetServerVersion":
            return "11.6.0"
        raise UnsupportedByHost(f"no {method}")

    process = start(API, hosts.make(wire, answer))
    process.activate()
    error = process.call("OnInstall", [None, None])
    assert isinstance(error, AppError)
    assert "this host has no GetUser" in error.detailed_error
    process.stop()
    assert process.printed == "11.6.0\n"
    assert asked == [("GetServerVersion", []), ("GetUser", ["me"])]


WHATEVER = """
@app.hook
def on_install(event):
    try:
        found = eval(event.user_id)
    except Exception as error:
        found = (type(error).__name__, str(error))
    raise AppError(repr(found))
"""


@pytest.mark.parametrize(
    ("expression", "answer", "found"),
    [
        ("app.api.get_user('u').username", User(username="ada"), "'ada'"),
        ("app.api.get_reactions('p')", [], "[]"),
        ("app.api.get_emoji_image('e')", (b"png", "image/png"), "(b'png', 'image/png')"),
        ("app.api.kv_get('k')", b"v", "b'v'"),
        ("app.api.delete_post('p')", None, "None"),
        ("app.api.get_user('u')", NotFound("no user", id="a.b"), "('NotFound', 'no user (a.b, 404)')"),
        ("app.api.get_user('u')", AppError("no", id="a.b", status_code=500), "('AppError', 'no (a.b, 500)')"),
        ("app.api.ensure_bot_user(Bot())", GoError("no bot"), "('GoError', 'no bot')"),
    ],
)
def test_what_the_plugin_api_answers_arrives(start: Start, wire: str, expression: str, answer: Any, found: str) -> None:
    def answered(method: str, arguments: Sequence[Any]) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    process = start(
        "from mmhooks import AppError\nfrom mmhooks.models import Bot\n" + WHATEVER, hosts.make(wire, answered)
    )
    process.activate()
    error = process.call("OnInstall", [None, OnInstallEvent(user_id=expression)])
    assert isinstance(error, AppError)
    assert error.detailed_error == found


def test_a_hook_may_be_called_before_the_plugin_api_answers(start: Start, wire: str) -> None:
    source = """
from mmhooks import AppError
@app.hook
def on_install(event):
    raise AppError(app.api.get_server_version())
@app.hook
def message_will_be_posted(post):
    post.message += "!"
    return post
"""
    process: PluginProcess

    def answered(method: str, arguments: Sequence[Any]) -> Any:
        outcome = process.call("MessageWillBePosted", [None, Post(message="nested")])
        assert isinstance(outcome, Replaced)
        return outcome.value.message

    process = start(source, hosts.make(wire, answered))
    process.activate()
    error = process.call("OnInstall", [None, None])
    assert isinstance(error, AppError)
    assert error.detailed_error == "nested!"


def test_plugin_of_the_net_rpc_host_can_be_activated_again(start: Start) -> None:
    process = start("@app.hook\ndef on_activate(): print('active')\n", "netrpc")
    process.activate()
    process.activate()
    process.stop()
    assert process.printed == "active\nactive\n"


# failures


def test_call_without_an_answer_ends_at_its_deadline_and_only_that_call(start: Start) -> None:
    process = start("""
@app.hook
async def user_will_log_in(user):
    if user.username == "slow": await asyncio.Event().wait()
""")
    with pytest.raises(HandlerTimeout):
        process.call("UserWillLogIn", [None, User(username="slow")], timeout=0.1)
    assert process.call("UserWillLogIn", [None, User()]) == Unchanged()


def test_process_that_ends_in_a_call_is_told_with_its_status(start: Start) -> None:
    process = start("@app.hook\ndef user_will_log_in(user): os._exit(3)\n")
    with pytest.raises(HandlerError, match=r"^the plugin's process ended with status 3$"):
        process.call("UserWillLogIn", [None, User()])
    with pytest.raises(HandlerError, match=r"^the plugin's process ended with status 3$"):
        process.call("UserWillLogIn", [None, User()])
    assert not process.ping()
    assert process.stop() == 3


def test_process_that_is_killed_in_a_call_is_told_with_its_signal(start: Start) -> None:
    process = start("@app.hook\ndef user_will_log_in(user): os.kill(os.getpid(), 9)\n")
    with pytest.raises(HandlerError, match="ended with status -9"):
        process.call("UserWillLogIn", [None, User()])


def test_call_that_is_under_way_when_the_plugin_is_stopped_ends_with_it(start: Start) -> None:
    calling = threading.Event()
    process = start(
        """
@app.hook
async def user_will_log_in(user):
    print("called", flush=True)
    await asyncio.Event().wait()
""",
        on_print=lambda text: calling.set(),
    )
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(process.call, "UserWillLogIn", [None, User()])
        assert calling.wait(10)
        assert process.stop() == 0
        assert isinstance(call.exception(10), HandlerError)


def test_process_that_ends_in_on_activate_does_not_start(start: Start) -> None:
    process = start("@app.hook\ndef on_activate(): os._exit(4)\n")
    with pytest.raises(StartFailed, match=r"plugin\.py: OnActivate failed: the plugin's process ended with status 4"):
        process.activate()


def test_live_client_whose_plugin_fails_in_on_activate_leaves_no_process(wire: str, tmp_path: Path) -> None:
    source = "@app.hook\ndef on_activate():\n    open('pid', 'w').write(str(os.getpid())); raise AppError('no disk')\n"
    with pytest.raises(StartFailed, match="OnActivate failed: no disk"):
        LiveClient(as_file(START + source + RUN, tmp_path), host=wire)
    assert_gone(tmp_path / "pid")


def test_hook_without_a_handler_and_hook_of_streams_are_not_implemented(start: Start) -> None:
    process = start("")
    with pytest.raises(NotImplementedByPlugin):
        process.call("MessageWillBePosted", [None, Post()])
    with pytest.raises(NotImplementedByPlugin):
        process.call("ServeHTTP", [None, None])


def test_unknown_host_is_refused(tmp_path: Path) -> None:
    file = as_file(START + RUN, tmp_path)
    with pytest.raises(ValueError, match="host: found 'net/rpc', expected 'grpc' or 'netrpc'"):
        LiveClient(file, host="net/rpc")


# handshakes


def assert_gone(pid_file: Path) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


@pytest.mark.parametrize(
    "line", ["hello", "", "2|1|unix|/s|{wire}", "1|2|unix|/s|{wire}", "1|1|pigeon|/s|{wire}", "1|1"]
)
def test_other_first_line_is_no_handshake(wire: str, tmp_path: Path, line: str) -> None:
    file = fake(f"print({line.format(wire=wire)!r}, flush=True)\nthreading.Event().wait()", tmp_path)
    with pytest.raises(StartFailed, match="wrote a first line that is no handshake"):
        PluginProcess(file, wire)


def test_other_wire_is_named(wire: str, tmp_path: Path) -> None:
    other = "netrpc" if wire == "grpc" else "grpc"
    file = fake(f"print('1|1|unix|/s|{other}', flush=True)", tmp_path)
    with pytest.raises(StartFailed, match=f"speaks '{other}', and its host '{wire}'"):
        PluginProcess(file, wire)


def test_process_that_says_nothing_does_not_start(wire: str, tmp_path: Path) -> None:
    host = hosts.make(wire)
    host.start_timeout = 0.5
    file = fake("print('busy', file=sys.stderr)\nthreading.Event().wait()", tmp_path)
    with pytest.raises(StartFailed, match=r"did not start within 0\.5 s"):
        PluginProcess(file, host)


def test_process_that_ends_at_once_is_shown_with_its_output(wire: str, tmp_path: Path) -> None:
    file = fake("print('no luck', file=sys.stderr)\nsys.exit(5)", tmp_path)
    with pytest.raises(StartFailed, match=r"ended with status 5 while it was starting\nno luck"):
        PluginProcess(file, wire)


def test_address_where_nobody_is_cannot_be_reached(wire: str, tmp_path: Path) -> None:
    file = fake(f"print('1|1|unix|/no/such/socket|{wire}', flush=True)\nthreading.Event().wait()", tmp_path)
    with pytest.raises(StartFailed, match="cannot be reached: "):
        PluginProcess(file, wire)


LISTENING = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("pid", "w").write(str(os.getpid()))
listening = socket.socket(socket.AF_UNIX)
listening.bind(path := os.environ["PLUGIN_UNIX_SOCKET_DIR"] + "/s")
listening.listen()
print(f"1|1|unix|{path}|WIRE", flush=True)
connection = listening.accept()[0]
"""


def test_process_that_does_not_answer_cannot_be_reached_and_is_killed(wire: str, tmp_path: Path) -> None:
    host = hosts.make(wire)
    host.patience = 0.5
    file = fake(LISTENING.replace("WIRE", wire) + "threading.Event().wait()", tmp_path)
    with pytest.raises(StartFailed, match="cannot be reached: "):
        PluginProcess(file, host)
    assert_gone(tmp_path / "pid")


@pytest.mark.parametrize(
    "what",
    ["connection.close()", "connection.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n')"],
    ids=["hangs up", "HTTP"],
)
def test_net_rpc_peer_that_hangs_up_or_speaks_otherwise_cannot_be_reached(what: str, tmp_path: Path) -> None:
    file = fake(LISTENING.replace("WIRE", "netrpc") + what + "\nsignal.pause()", tmp_path)
    with pytest.raises(StartFailed, match="cannot be reached: "):
        PluginProcess(file, "netrpc")
    assert_gone(tmp_path / "pid")


# what is loaded


def test_net_rpc_needs_no_library_of_grpc(tmp_path: Path) -> None:
    file = as_file(START + "@app.hook\ndef user_will_log_in(user): pass" + RUN, tmp_path)
    program = """
import sys
from mmhooks import User
from mmhooks.testing import LiveClient
with LiveClient(sys.argv[1], host="netrpc") as client:
    assert client.user_will_log_in(User()).unchanged
print(*sorted({name.split(".")[0] for name in sys.modules} & {"grpc", "google"}), "loaded")
"""
    ran = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["loaded"]
