"""From start to end of a plugin's process under the real Go host."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmhooks.launch import COOKIE
from tests.conftest import Start, as_file
from tests.host_driver import GoHost, HostError, start

PING = """
    from mmhooks import App
    app = App()
    @app.hook
    def on_shared_channels_ping(remote_cluster):
        return True
    app.run()
"""


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something outside of our reach, such as the end of a process that is not our child."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        os.sched_yield()


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_plugin_starts_is_healthy_and_ends_gracefully_when_the_host_says_so(start_plugin: Start) -> None:
    plugin = start_plugin(PING)
    assert plugin.started["network"] == "tcp"
    assert plugin.started["address"].startswith("127.0.0.1:")
    assert plugin.started["protocol"] == "grpc"
    assert plugin.ask("health")["ms"] >= 0
    ended = plugin.ask("kill")
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    assert ended["ms"] < 2000
    # go-plugin complains of plugins that lack its own services; of us it has nothing to say.
    complaints = [r for r in plugin.ask("logs")["records"] if r["level"] in ("warn", "error")]
    assert complaints == []


def test_activation_calls_configuration_change_first_and_deactivation_is_the_hosts_to_call(
    start_plugin: Start, tmp_path: Path
) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        calls = []
        @app.hook
        def on_activate():
            calls.append("activate")
        @app.hook
        def on_configuration_change():
            calls.append("configuration")
            raise OSError("not fatal")
        @app.hook
        def on_deactivate():
            calls.append("deactivate")
            print("calls:", *calls, flush=True)
        app.run()
    """)
    assert plugin.call("Implemented")["hooks"] == ["OnActivate", "OnDeactivate", "OnConfigurationChange"]
    assert plugin.call("OnActivate") == {}
    assert plugin.wait_log("not fatal")["level"] == "error"
    assert plugin.call("OnConfigurationChange")["error"]["detailed_error"] == "OSError: not fatal"
    assert plugin.call("OnDeactivate") == {}
    printed = plugin.ask("wait_stdio", channel="stdout", contains="deactivate\n")["stdout"]
    assert printed == "calls: configuration activate configuration deactivate\n"


def test_configuration_change_alone_makes_the_host_activate_the_plugin(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def on_configuration_change():
            print("configured")
        app.run()
    """)
    assert plugin.call("Implemented")["hooks"] == ["OnActivate", "OnConfigurationChange"]
    assert plugin.call("OnActivate") == {}
    assert plugin.ask("wait_stdio", channel="stdout", contains="configured\n")["stdout"] == "configured\n"


BUSY = {
    "sync": "def message_has_been_posted(post):\n            app.logger.info('busy')\n            threading.Event().wait()",
    "async": "async def message_has_been_posted(post):\n            app.logger.info('busy')\n            await asyncio.Event().wait()",
    "blocked loop": "async def message_has_been_posted(post):\n            app.logger.info('busy')\n            threading.Event().wait()",
    "blocked loop in C": "async def message_has_been_posted(post):\n            app.logger.info('busy')\n            time.sleep(60)",
}
BUSY_PLUGIN = """
        import asyncio, threading, time
        from mmhooks import App
        app = App()
        @app.hook
        {handler}
        app.run()
"""


@pytest.mark.parametrize("busy", [*BUSY])
def test_sigterm_ends_with_status_0_within_2_s_whatever_handlers_do(start_plugin: Start, busy: str) -> None:
    plugin = start_plugin(BUSY_PLUGIN.format(handler=BUSY[busy]))
    call = plugin.begin("call", hook="MessageHasBeenPosted", request={})
    plugin.wait_log("busy")
    plugin.ask("signal", signal="TERM")
    ended = plugin.ask("wait_exit", timeout_ms=10_000)
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    assert ended["ms"] < 2000
    with pytest.raises(HostError):
        plugin.host.wait(call)


@pytest.mark.parametrize("busy", ["sync", "async"])
def test_shutdown_ends_with_status_0_before_the_host_kills(start_plugin: Start, busy: str) -> None:
    plugin = start_plugin(BUSY_PLUGIN.format(handler=BUSY[busy]))
    call = plugin.begin("call", hook="MessageHasBeenPosted", request={})
    plugin.wait_log("busy")
    ended = plugin.ask("kill")
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    with pytest.raises(HostError):
        plugin.host.wait(call)


def test_threads_and_child_processes_of_the_plugin_do_not_hold_up_its_end(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import subprocess, sys, threading
        from mmhooks import App
        app = App()
        @app.hook
        def on_activate():
            threading.Thread(target=threading.Event().wait).start()
            app.child = subprocess.Popen(["sleep", "3"])
        app.run()
    """)
    plugin.call("OnActivate")
    ended = plugin.ask("kill", timeout_ms=2500)
    assert (ended["exit_code"], ended["signal"]) == (0, None)


def test_sigint_is_left_to_the_host(start_plugin: Start) -> None:
    plugin = start_plugin(PING)
    plugin.ask("signal", signal="INT")
    assert plugin.call("OnSharedChannelsPing") == {"healthy": True}


def test_calls_under_way_get_their_answer_when_a_stop_is_asked_for(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import asyncio
        from mmhooks import App
        app = App()
        @app.hook
        async def on_shared_channels_ping(remote_cluster):
            app.logger.info("thinking")
            await asyncio.sleep(0.3)
            return True
        app.run()
    """)
    call = plugin.begin("call", hook="OnSharedChannelsPing", request={})
    plugin.wait_log("thinking")
    plugin.ask("signal", signal="TERM")
    assert plugin.host.wait(call)["response"] == {"healthy": True}
    assert plugin.ask("wait_exit")["exit_code"] == 0


@pytest.mark.parametrize("busy", [None, "sync", "blocked loop"])
def test_plugin_leaves_within_2_s_when_its_host_is_killed(
    gohost_program: Path, tmp_path: Path, busy: str | None
) -> None:
    host = GoHost(gohost_program)
    source = BUSY_PLUGIN.format(handler=BUSY[busy]) if busy else PING
    plugin = start(host, "orphan", as_file(source, tmp_path))
    if busy:
        plugin.begin("call", hook="MessageHasBeenPosted", request={})
        plugin.wait_log("busy")
    try:
        os.kill(host.process.pid, signal.SIGKILL)
        started = time.monotonic()
        wait_until(lambda: is_gone(plugin.pid))
        assert time.monotonic() - started < 2
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(plugin.pid, signal.SIGKILL)
        assert host.process.stdin
        assert host.process.stdout
        host.process.wait()
        host.process.stdin.close()
        host.process.stdout.close()
        host._reader.join()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for sockets, which pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="mm") as folder:
        yield Path(folder)


def test_socket_is_in_the_folder_that_the_host_offers_and_for_its_user_only(
    start_plugin: Start, short_folder: Path
) -> None:
    plugin = start_plugin(PING, unix_dir=str(short_folder))
    assert plugin.started["network"] == "unix"
    socket = Path(plugin.started["address"])
    assert short_folder in socket.parents
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert plugin.call("OnSharedChannelsPing") == {"healthy": True}
    plugin.ask("signal", signal="TERM")
    assert plugin.ask("wait_exit")["exit_code"] == 0
    assert not socket.exists()


def test_folder_that_no_socket_can_be_in_is_named_in_the_log(gohost_start_fails: Start, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    plugin = gohost_start_fails(PING, {"PLUGIN_UNIX_SOCKET_DIR": str(folder)})
    record = plugin.wait_log("PLUGIN_UNIX_SOCKET_DIR")
    assert record["level"] == "error"
    assert str(folder) in record["message"]


def test_host_that_would_multiplex_is_told_that_we_do_not(start_plugin: Start) -> None:
    with pytest.raises(HostError) as caught:
        start_plugin(PING, multiplex=True)
    assert "multiplex" in caught.value.message.lower()


def test_host_that_wants_tls_of_its_own_is_refused_with_a_reason(gohost_start_fails: Start) -> None:
    plugin = gohost_start_fails(PING, automtls=True)
    assert plugin.wait_log("AutoMTLS")["level"] == "error"
    assert plugin.ask("wait_exit")["exit_code"] == 1


def test_bad_variables_end_the_plugin_with_status_2_before_the_handshake(gohost_start_fails: Start) -> None:
    variables = {"MATTERMOST_PLUGIN_HOOK_TIMEOUT": "soon", "MMHOOKS_THREADS": "0"}
    plugin = gohost_start_fails(PING, variables)
    record = plugin.wait_log("MATTERMOST_PLUGIN_HOOK_TIMEOUT: found 'soon'")
    assert record["level"] == "error"
    assert "MMHOOKS_THREADS: found '0'" in record["message"]
    assert plugin.ask("wait_exit")["exit_code"] == 2


def test_registering_after_the_host_has_asked_is_refused(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def on_activate():
            @app.hook
            def user_will_log_in(user):
                pass
        app.run()
    """)
    plugin.call("Implemented")
    detail = plugin.call("OnActivate")["error"]["detailed_error"]
    assert detail.startswith("RegistrationClosed: UserWillLogIn: ")
    assert "the host has asked which hooks there are" in detail


def test_plugin_that_hangs_at_import_ends_at_sigterm(tmp_path: Path) -> None:
    process = begin("import mmhooks, threading\nprint('importing')\nprint('x', file=sys.stderr)\n", tmp_path)
    assert process.stderr
    assert process.stderr.readline() == b"x\n"  # the import has begun
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stderr.read() == b"importing\n"
    process.stderr.close()


def test_plugin_that_hangs_at_import_leaves_when_its_host_is_gone(tmp_path: Path) -> None:
    file = as_file(
        "import os, sys, threading\nimport mmhooks\nprint(os.getpid(), file=sys.stderr)\nthreading.Event().wait()\n",
        tmp_path,
    )
    # A parent that starts the plugin and dies as soon as it has said its id.
    parent = (
        f"import subprocess, sys\nprocess = subprocess.Popen([sys.executable, {str(file)!r}], stderr=subprocess.PIPE)\n"
        "print(process.stderr.readline().decode(), flush=True)\nimport os; os._exit(0)"
    )
    environ = {**os.environ, COOKIE[0]: COOKIE[1]}
    said = subprocess.run(
        [sys.executable, "-c", parent], env=environ, capture_output=True, text=True, check=True, timeout=30
    )
    wait_until(lambda: is_gone(int(said.stdout)))


def begin(source: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start a plugin that never finishes importing, as a host does."""
    file = as_file(f"import sys\n{source}threading.Event().wait()\n", folder)
    environ = {**os.environ, COOKIE[0]: COOKIE[1]}
    return subprocess.Popen([sys.executable, file], env=environ, stderr=subprocess.PIPE)


def test_signal_handlers_of_a_library_do_not_keep_the_plugin_from_its_end(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import asyncio, signal
        from mmhooks import App
        app = App()
        @app.hook
        async def on_activate():
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, print)
        app.run()
    """)
    plugin.call("OnActivate")
    plugin.ask("signal", signal="TERM")
    assert plugin.ask("wait_exit", timeout_ms=10_000)["exit_code"] == 0


def test_frozen_interpreter_ends_the_process_and_says_where_it_stands(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import os, re
        from mmhooks import App, launch, lifeline
        lifeline.FROZEN = 1.0
        launch.launched.lifeline._alarm = 0.0
        os.write(launch.launched.lifeline._waker, b"x")  # it looks at the clock now
        app = App()
        @app.hook
        def message_will_be_posted(post):
            return re.match("(a+)+b", "a" * 60)
        app.run()
    """)
    call = plugin.begin("call", hook="MessageWillBePosted", request={})
    assert plugin.ask("wait_exit")["exit_code"] == 1
    assert plugin.wait_log("in message_will_be_posted")
    with pytest.raises(HostError):
        plugin.host.wait(call)
