"""From start to end of a plugin's process under the real Go host."""

from __future__ import annotations

import contextlib
import grp
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Start, as_file
from tests.host_driver import GoHost, HostError, start
from tests.hosts.grpc.test_lifecycle import is_gone, wait_until
from tests.hosts.netrpc.conftest import LONG

PING = """
    from mmhooks import App
    app = App()
    @app.hook
    def on_shared_channels_ping(remote_cluster):
        return True
    app.run()
"""


def test_plugin_starts_is_healthy_and_ends_gracefully_when_the_host_says_so(start_plugin: Start) -> None:
    plugin = start_plugin(PING)
    assert plugin.started["protocol"] == "netrpc"
    assert plugin.ask("health")["ms"] >= 0
    ended = plugin.ask("kill")
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    assert ended["ms"] < 2000
    complaints = [r for r in plugin.ask("logs")["records"] if r["level"] in ("warn", "error")]
    assert complaints == []


# where it listens


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for sockets, which pytest's own is not."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mm") as folder:
        yield Path(folder)


def test_socket_is_in_the_folder_for_temporary_files_and_gone_at_the_end(
    start_plugin: Start, short_folder: Path
) -> None:
    plugin = start_plugin(PING, {"TMPDIR": str(short_folder)})
    path = Path(plugin.started["address"])
    assert (plugin.started["network"], path) == ("unix", short_folder / f"plugin-{plugin.pid}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    assert plugin.ask("kill")["exit_code"] == 0
    assert [*short_folder.iterdir()] == []


def test_socket_is_in_the_folder_that_the_host_offers(start_plugin: Start, short_folder: Path) -> None:
    plugin = start_plugin(PING, unix_dir=str(short_folder))
    path = Path(plugin.started["address"])
    assert plugin.started["network"] == "unix"
    assert short_folder in path.parents
    plugin.ask("signal", signal="TERM")
    assert plugin.ask("wait_exit")["exit_code"] == 0
    assert not path.exists()


@pytest.mark.parametrize("by", ["number", "name"])
def test_socket_is_for_the_group_that_the_host_names(start_plugin: Start, short_folder: Path, by: str) -> None:
    group = str(os.getgid()) if by == "number" else grp.getgrgid(os.getgid()).gr_name
    plugin = start_plugin(PING, {"PLUGIN_UNIX_SOCKET_DIR": str(short_folder), "PLUGIN_UNIX_SOCKET_GROUP": group})
    found = Path(plugin.started["address"]).stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, os.getgid())


@pytest.mark.parametrize("folder", ["long" * 30, "missing"])
def test_where_no_socket_can_be_it_listens_on_a_port_of_this_machine(
    start_plugin: Start, tmp_path: Path, folder: str
) -> None:
    if folder != "missing":
        (tmp_path / folder).mkdir()
    plugin = start_plugin(PING, {"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path / folder)})
    assert plugin.started["network"] == "tcp"
    assert plugin.started["address"].startswith("127.0.0.1:")
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    assert plugin.ask("kill")["exit_code"] == 0


@pytest.mark.parametrize("network", ["unix", "tcp"])
def test_host_connects_once_and_nobody_else_can(start_plugin: Start, tmp_path: Path, network: str) -> None:
    plugin = start_plugin(PING, {"TMPDIR": str(tmp_path / "missing")} if network == "tcp" else {})
    assert plugin.started["network"] == network
    address = plugin.started["address"]
    with socket.socket(socket.AF_UNIX if network == "unix" else socket.AF_INET) as other, pytest.raises(OSError):  # noqa: PT011
        other.connect(address if network == "unix" else ("127.0.0.1", int(address.rpartition(":")[2])))
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


# its end


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
    call = plugin.begin("call", hook="MessageHasBeenPosted", args={})
    plugin.wait_log("busy")
    plugin.ask("signal", signal="TERM")
    ended = plugin.ask("wait_exit", timeout_ms=10_000)
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    assert ended["ms"] < 2000
    with pytest.raises(HostError):
        plugin.host.wait(call)


@pytest.mark.parametrize("busy", ["sync", "async"])
def test_quit_is_answered_and_the_plugin_gone_before_the_host_kills(start_plugin: Start, busy: str) -> None:
    plugin = start_plugin(BUSY_PLUGIN.format(handler=BUSY[busy]))
    calls = [plugin.begin("call", hook="MessageHasBeenPosted", args={}) for _ in range(3)]
    plugin.wait_log("busy")
    ended = plugin.ask("kill")
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    assert ended["ms"] < 2000
    for call in calls:
        with pytest.raises(HostError):
            plugin.host.wait(call)


def test_quit_is_answered_while_activation_hangs(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import threading
        from mmhooks import App
        app = App()
        @app.hook
        def on_activate():
            app.logger.info("activating")
            threading.Event().wait()
        app.run()
    """)
    activation = plugin.begin("activate")
    plugin.wait_log("activating")
    ended = plugin.ask("kill")
    assert (ended["exit_code"], ended["signal"]) == (0, None)
    assert ended["ms"] < 2000
    with pytest.raises(HostError):
        plugin.host.wait(activation)


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
    plugin.activate()
    ended = plugin.ask("kill", timeout_ms=2500)
    assert (ended["exit_code"], ended["signal"]) == (0, None)


def test_deactivation_comes_before_the_end(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def on_deactivate():
            print("version", app.api.call("GetServerVersion"))
        app.run()
    """)
    plugin.activate({"GetServerVersion": {"A": "11.6.0"}})
    assert plugin.ask("kill")["exit_code"] == 0
    assert plugin.ask("stdio")["stdout"] == "version 11.6.0\n"


def test_sigint_is_left_to_the_host(start_plugin: Start) -> None:
    plugin = start_plugin(PING)
    plugin.ask("signal", signal="INT")
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


def test_stopped_process_goes_on_where_it_was(start_plugin: Start) -> None:
    plugin = start_plugin(PING)
    plugin.ask("signal", signal="STOP")
    call = plugin.begin("call", hook="OnSharedChannelsPing", args={})
    health = plugin.begin("health")
    plugin.ask("signal", signal="CONT")
    assert plugin.host.wait(call)["reply"] == {"A": True}
    assert plugin.host.wait(health)["ms"] >= 0


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
    call = plugin.begin("call", hook="OnSharedChannelsPing", args={})
    plugin.wait_log("thinking")
    plugin.ask("signal", signal="TERM")
    assert plugin.host.wait(call)["reply"] == {"A": True}
    assert plugin.ask("wait_exit")["exit_code"] == 0


@pytest.mark.parametrize("busy", [None, "sync", "blocked loop"])
def test_plugin_leaves_within_2_s_when_its_host_is_killed(
    gohost_program: Path, tmp_path: Path, short_folder: Path, busy: str | None
) -> None:
    host = GoHost(gohost_program)
    source = BUSY_PLUGIN.format(handler=BUSY[busy]) if busy else PING
    plugin = start(host, "orphan", as_file(source, tmp_path), {"TMPDIR": str(short_folder)}, **LONG)
    if busy:
        plugin.begin("call", hook="MessageHasBeenPosted", args={})
        plugin.wait_log("busy")
    try:
        os.kill(host.process.pid, signal.SIGKILL)
        started = time.monotonic()
        wait_until(lambda: is_gone(plugin.pid))
        assert time.monotonic() - started < 2
        if busy != "blocked loop":
            assert [*short_folder.iterdir()] == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(plugin.pid, signal.SIGKILL)
        assert host.process.stdin
        assert host.process.stdout
        host.process.wait()
        host.process.stdin.close()
        host.process.stdout.close()
        host._reader.join()


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
    plugin.activate()
    plugin.ask("signal", signal="TERM")
    assert plugin.ask("wait_exit", timeout_ms=10_000)["exit_code"] == 0


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
    detail = plugin.activate()["reply"]["A"]["detailed_error"]
    assert detail.startswith("RegistrationClosed: UserWillLogIn: ")
    assert "the host has asked which hooks there are" in detail


# what cannot be served


def test_host_that_wants_tls_of_its_own_is_refused_with_a_reason(gohost_start_fails: Start) -> None:
    plugin = gohost_start_fails(PING, automtls=True)
    assert plugin.wait_log("AutoMTLS")["level"] == "error"
    assert plugin.ask("wait_exit")["exit_code"] == 1


def test_host_of_another_protocol_version_is_refused_with_both(gohost_start_fails: Start) -> None:
    # go-plugin sets the variable itself: the plugin sees 7 as from a server of another time.
    plugin = gohost_start_fails(
        "import os\nos.environ['PLUGIN_PROTOCOL_VERSIONS'] = '7,8'\n" + "from mmhooks import App\nApp().run()\n"
    )
    record = plugin.wait_log("PLUGIN_PROTOCOL_VERSIONS: found '7,8', and this plugin speaks version 1 only")
    assert record["level"] == "error"
    assert plugin.ask("wait_exit")["exit_code"] == 1


def test_host_that_nobody_knows_is_refused_by_its_name(gohost_start_fails: Start) -> None:
    plugin = gohost_start_fails(PING, {"MMHOOKS_HOST": "carrier-pigeon"})
    record = plugin.wait_log("MMHOOKS_HOST: found 'carrier-pigeon', expected grpc or netrpc")
    assert record["level"] == "error"
    assert plugin.ask("wait_exit")["exit_code"] == 1


@pytest.mark.parametrize(
    "variables",
    [{}, {"MMHOOKS_HOST": "netrpc"}, {"MMHOOKS_HOST": "netrpc", "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1"}],
)
def test_released_server_is_known_by_what_it_does_not_set(start_plugin: Start, variables: dict[str, str]) -> None:
    assert start_plugin(PING, variables).started["protocol"] == "netrpc"


def test_bad_variables_end_the_plugin_with_status_2_before_the_handshake(gohost_start_fails: Start) -> None:
    variables = {"MATTERMOST_PLUGIN_HOOK_TIMEOUT": "soon", "MMHOOKS_THREADS": "0"}
    plugin = gohost_start_fails(PING, variables)
    record = plugin.wait_log("MATTERMOST_PLUGIN_HOOK_TIMEOUT: found 'soon'")
    assert record["level"] == "error"
    assert "MMHOOKS_THREADS: found '0'" in record["message"]
    assert plugin.ask("wait_exit")["exit_code"] == 2


# health


@pytest.mark.parametrize("busy", ["sync", "async"])
def test_ping_is_answered_while_handlers_wait(start_plugin: Start, busy: str) -> None:
    plugin = start_plugin(BUSY_PLUGIN.format(handler=BUSY[busy]), {"MMHOOKS_THREADS": "2"})
    calls = [plugin.begin("call", hook="MessageHasBeenPosted", args={}) for _ in range(4)]
    plugin.wait_log("busy")
    for _ in range(5):
        assert plugin.ask("health", timeout_ms=5000)["ms"] < 5000
    plugin.ask("kill")
    for call in calls:
        with pytest.raises(HostError):
            plugin.host.wait(call)


def test_ping_and_hooks_are_answered_while_the_plugin_is_activated(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import threading
        from mmhooks import App
        app = App()
        go_on = threading.Event()
        @app.hook
        def on_activate():
            app.logger.info("activating")
            go_on.wait()
            app.logger.info("asking %s", app.api.call("GetServerVersion"))
        @app.hook
        async def on_shared_channels_ping(remote_cluster):
            go_on.set()
            return True
        app.run()
    """)
    activation = plugin.begin("activate", answers={"GetServerVersion": {"A": "11.6.0"}})
    plugin.wait_log("activating")
    assert plugin.ask("health")["ms"] >= 0
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    assert plugin.host.wait(activation)["reply"] == {"A": None}
    plugin.wait_log("asking 11.6.0")
