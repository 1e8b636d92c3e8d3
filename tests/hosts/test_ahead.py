"""Hosts that are served before the plugin's modules are imported, as bundles are."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmhooks import Post
from mmhooks.launch import COOKIE
from mmhooks.models import Context
from mmhooks.outcomes import Replaced
from mmhooks.testing import StartFailed
from mmhooks.testing import hosts as embedded
from mmhooks.testing.process import PluginProcess
from tests.conftest import Start

LAUNCHER = """
from mmhooks.hosts import ahead
{before}
ahead.run({plugin!r})
"""
WORKING = """
from mmhooks import App, HookName, Post
app = App()

@app.hook(HookName.MessageWillBePosted)
def add(post: Post) -> Post:
    post.message += "!"
    return post

app.run()
"""
GATE = "open({gate!r}).read()  # until somebody opens it for writing\n"

WIRES = pytest.mark.parametrize("wire", ["netrpc", "grpc"])


@pytest.fixture
def launcher(tmp_path: Path) -> Callable[..., Path]:
    """Writes a plugin, and a file that runs it as a bundle's launcher does: `launcher(source)`."""

    def write(source: str, before: str = "") -> Path:
        plugin = tmp_path / "plugin.py"
        plugin.write_text(textwrap.dedent(source))
        file = tmp_path / "launcher.py"
        file.write_text(LAUNCHER.format(plugin=str(plugin), before=before))
        return file

    return write


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A pipe by its name: an import that opens it waits until the test does."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    return gate


@pytest.fixture
def process(launcher: Callable[..., Path]) -> Iterator[Callable[..., PluginProcess]]:
    with contextlib.ExitStack() as stack:

        def start(source: str, wire: str, before: str = "") -> PluginProcess:
            started = PluginProcess(launcher(source, before), wire)
            stack.callback(started.stop)
            return started

        yield start


@pytest.mark.timeout(90)
def test_a_plugin_that_imports_for_20_s_starts_under_both_hosts(
    start_plugin: Start, launcher: Callable[..., Path]
) -> None:
    # With the servers' own limits for the handshake, 3 s and 10 s; both at once, as the time is the same for both.
    file = launcher(f"import time\ntime.sleep(20)\n{WORKING}")
    started = {}

    def start(wire: str, limit: int) -> None:
        started[wire] = start_plugin(file, wire=wire, start_timeout_ms=limit)

    threads = [threading.Thread(target=start, args=each) for each in (("netrpc", 3000), ("grpc", 10_000))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert started["grpc"].started["ms"] < 10_000
    assert started["grpc"].call("MessageWillBePosted", {"post": {"message": "hi"}})["modified_post"]["message"] == "hi!"
    reply = started["netrpc"].call_rpc("MessageWillBePosted", {"B": {"message": "hi"}})["reply"]
    assert reply["A"]["message"] == "hi!"
    for plugin in started.values():
        assert plugin.ask("kill")["exit_code"] == 0


@WIRES
def test_pings_are_answered_and_calls_wait_while_modules_are_imported(
    launcher: Callable[..., Path], gate: Path, wire: str
) -> None:
    file = launcher(GATE.format(gate=str(gate)) + WORKING)
    host = embedded.make(wire)
    environ = {**host.environ(os.environ), COOKIE[0]: COOKIE[1]}
    process = subprocess.Popen(
        [sys.executable, str(file)], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout
    _, _, network, address, *_ = process.stdout.readline().decode().strip().split("|")
    names: list[str] = []
    connecting = threading.Thread(target=lambda: names.extend(host.connect(network, address, lambda text: None)))
    connecting.start()
    try:
        while not pinged(host):
            os.sched_yield()  # until it is connected
        assert connecting.is_alive()  # Implemented waits
        assert names == []
        gate.write_text("")
        connecting.join(10)
        assert "MessageWillBePosted" in names
        outcome = host.call("MessageWillBePosted", [Context(), Post(message="hi")], 10)
        assert outcome == Replaced(Post(message="hi!"))
    finally:
        host.shutdown(2)
        assert process.wait(5) == 0
        host.close(2)
        process.stdout.close()


def pinged(host: embedded.Host) -> bool:
    try:
        return host.ping(5)
    except (AssertionError, AttributeError):  # not yet connected
        return False


BROKEN = {
    "import nonsense\n": "ModuleNotFoundError: No module named 'nonsense' (is it among the dependencies of the plugin?",
    "raise RuntimeError('the disk is full')\n": "RuntimeError: the disk is full",
    "x = (\n": "SyntaxError: '(' was never closed (plugin.py, line 1)",
    "raise SystemExit('no licence')\n": "SystemExit: no licence",
    "from mmhooks import App\nApp().hook('OnActivated')\n": "mmhooks.errors.UnknownHook: 'OnActivated' is not a hook of Mattermost",
}


@WIRES
@pytest.mark.parametrize("source", [*BROKEN])
def test_an_import_that_fails_is_the_reason_for_a_failed_activation(
    process: Callable[..., PluginProcess], wire: str, source: str
) -> None:
    started = process(source, wire)
    assert started.implemented == ["OnActivate"]
    with pytest.raises(StartFailed) as failed:
        started.activate()
    assert f"plugin.py could not be imported: {BROKEN[source]}" in str(failed.value)
    assert started.ping()
    assert started.stop() == 1
    (itself, *_) = [line for line in started.log if line.level == "error"]
    assert itself.message == "plugin.py could not be imported"
    traceback = itself.fields["traceback"]
    assert traceback.splitlines()[-1].startswith(BROKEN[source].partition(" (")[0].partition(":")[0])
    assert "ahead.py" not in traceback  # the author's part only


@WIRES
def test_a_plugin_that_does_not_run_its_app_is_told_to(process: Callable[..., PluginProcess], wire: str) -> None:
    started = process("from mmhooks import App\napp = App()\n", wire)
    with pytest.raises(StartFailed, match=r"plugin\.py ended without app\.run\(\), which has to be its last line"):
        started.activate()


def test_under_grpc_an_import_may_take_25_s_and_then_activation_fails_with_the_place(
    process: Callable[..., PluginProcess], gate: Path
) -> None:
    from mmhooks.hosts.grpc import servicer

    assert servicer.LONGEST_IMPORT == 25
    shorter = "from mmhooks.hosts.grpc import servicer\nservicer.LONGEST_IMPORT = 0.2"
    started = process(GATE.format(gate=str(gate)) + WORKING, "grpc", shorter)
    assert started.implemented == ["OnActivate"]
    with pytest.raises(StartFailed, match=r"not been imported within 0\.2 s \(the import is at .*plugin\.py:1\)"):
        started.activate()
    gate.write_text("")  # it comes after all, and is not taken
    with pytest.raises(StartFailed):
        started.activate()
    assert started.stop() == 1


@WIRES
@pytest.mark.parametrize("end", ["stop", "SIGTERM"])
def test_a_stop_does_not_wait_for_an_import(launcher: Callable[..., Path], gate: Path, wire: str, end: str) -> None:
    file = launcher("print('importing', flush=True)\n" + GATE.format(gate=str(gate)) + WORKING)
    host = embedded.make(wire)
    environ = {**host.environ(os.environ), COOKIE[0]: COOKIE[1]}
    process = subprocess.Popen([sys.executable, str(file)], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    _, _, network, address, *_ = process.stdout.readline().decode().strip().split("|")
    if end == "SIGTERM":
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    else:
        connecting = threading.Thread(target=connect, args=(host, network, address))
        connecting.start()
        while not pinged(host):
            os.sched_yield()
        host.shutdown(2)
        assert process.wait(5) == 0
        connecting.join(10)
        host.close(2)
    process.stdout.close()
    process.stderr.close()


def connect(host: embedded.Host, network: str, address: str) -> None:
    with contextlib.suppress(Exception):  # the plugin ends before it says what it has
        host.connect(network, address, lambda text: None)


def test_a_bad_environment_is_told_before_anything_is_imported(launcher: Callable[..., Path], tmp_path: Path) -> None:
    file = launcher(f"open({str(tmp_path / 'imported')!r}, 'w')\n{WORKING}")
    for variable, status in {"MMHOOKS_THREADS": 2, "MMHOOKS_HOST": 1}.items():
        ran = subprocess.run(
            [sys.executable, str(file)],
            env={**os.environ, COOKIE[0]: COOKIE[1], variable: "nonsense"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (status, "")
        assert f"{variable}: found 'nonsense'" in ran.stderr
    assert not (tmp_path / "imported").exists()


def test_a_socket_that_cannot_be_made_ends_it_before_anything_is_imported(
    launcher: Callable[..., Path], tmp_path: Path
) -> None:
    file = launcher(f"open({str(tmp_path / 'imported')!r}, 'w')\n{WORKING}")
    environ = {"MMHOOKS_HOST": "grpc", "PLUGIN_UNIX_SOCKET_DIR": str(tmp_path / "no such folder")}
    ran = subprocess.run(
        [sys.executable, str(file)],
        env={**os.environ, COOKIE[0]: COOKIE[1], **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "cannot listen on" in ran.stderr
    assert not (tmp_path / "imported").exists()


def test_by_hand_it_explains_itself_as_ever(launcher: Callable[..., Path]) -> None:
    environ = {name: value for name, value in os.environ.items() if name != COOKIE[0]}
    ran = subprocess.run(
        [sys.executable, str(launcher(WORKING))], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "does nothing when it is run by hand" in ran.stderr


@WIRES
def test_the_plugin_is_the_program_and_its_name_is_that_of_its_file(
    process: Callable[..., PluginProcess], wire: str
) -> None:
    started = process(
        "print(__name__, __file__.rpartition('/')[2])\n"
        + WORKING.replace(
            "app.run()",
            """
if __name__ == "__main__":
    app.logger.info("called %s", app.name)
    app.run()
""",
        ),
        wire,
    )
    started.settle()
    assert started.stop() == 0
    assert started.printed == "__main__ plugin.py\n"
    assert [line.message for line in started.log] == ["called plugin"]
