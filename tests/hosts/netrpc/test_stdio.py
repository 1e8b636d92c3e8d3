"""What a plugin prints, logs and leaves to its children, under the real Go host."""

from __future__ import annotations

import pytest

from tests.conftest import Start
from tests.host_driver import HostError

TAIL = """
from mmhooks import App
app = App()
@app.hook
def on_shared_channels_ping(remote_cluster):
    return True
@app.hook
def on_activate():
    talk()
app.run()
"""


def plugin_with(talk: str) -> str:
    return f"import os, sys, ctypes, subprocess, multiprocessing\ndef talk():\n    {talk}\nimport mmhooks\n{TAIL}"


def test_what_is_printed_before_and_after_the_handshake_reaches_the_host(start_plugin: Start) -> None:
    plugin = start_plugin(
        "import mmhooks, os, sys\n"
        "print('at import')\n"
        "os.system('echo from a child')\n"
        "import ctypes; ctypes.CDLL(None).puts(b'from C'); ctypes.CDLL(None).fflush(None)\n"
        "print('1|1|tcp|127.0.0.1:1|netrpc|')\n"
        "def talk():\n"
        "    print('in a handler'); print('to stderr', file=sys.stderr)\n" + TAIL
    )
    plugin.activate()
    printed = plugin.ask("wait_stdio", channel="stdout", contains="in a handler\n")["stdout"]
    assert printed == "at import\nfrom a child\nfrom C\n1|1|tcp|127.0.0.1:1|netrpc|\nin a handler\n"
    assert plugin.ask("wait_stdio", channel="stderr", contains="to stderr\n")["stderr"] == "to stderr\n"


def test_much_printed_at_import_does_not_block_and_is_not_lost(start_plugin: Start) -> None:
    plugin = start_plugin(
        "import mmhooks\nfor n in range(2000): print(n, 'x' * 50)\ntalk = lambda: print('end')\n" + TAIL
    )
    plugin.activate()
    printed = plugin.ask("wait_stdio", channel="stdout", contains="end\n")["stdout"]
    assert printed == "".join(f"{n} {'x' * 50}\n" for n in range(2000)) + "end\n"


def test_long_lines_do_not_wedge_the_plugin(start_plugin: Start) -> None:
    plugin = start_plugin(plugin_with("print('x' * 300_000); app.logger.info('y' * 300_000); print('end')"))
    plugin.activate()
    printed = plugin.ask("wait_stdio", channel="stdout", contains="end\n")["stdout"]
    assert printed == "x" * 300_000 + "\nend\n"
    assert "characters left out" in plugin.wait_log("yyyy")["message"]
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


def test_last_words_reach_the_host(start_plugin: Start) -> None:
    buffered = {"PYTHONUNBUFFERED": ""}
    plugin = start_plugin("import mmhooks, sys\ndef talk():\n    sys.stdout.write('no line end')\n" + TAIL, buffered)
    plugin.activate()
    plugin.ask("kill")
    assert plugin.ask("stdio")["stdout"] == "no line end"


def test_log_records_keep_their_levels_and_tracebacks(start_plugin: Start) -> None:
    plugin = start_plugin(
        "import logging, mmhooks\n"
        "logging.getLogger('my.library').warning('while importing')\n"
        "def talk():\n"
        "    app.logger.debug('left out'); app.logger.info('one %d', 1); app.logger.error('three')\n"
        "    try: 1 / 0\n"
        "    except ZeroDivisionError: app.logger.exception('four')\n" + TAIL
    )
    plugin.activate()
    plugin.wait_log("four")
    # Those of the plugin's own logger come by the plugin API, once it is there.
    records = [(r["level"], r["message"], r["args"].get("@module", r["name"])) for r in plugin.logs()]
    assert records == [
        ("warn", "while importing", "my.library"),
        ("info", "one 1", "api"),
        ("error", "three", "api"),
        ("error", "four", "api"),
    ]
    assert "ZeroDivisionError" in plugin.wait_log("four")["args"]["traceback"]


def test_log_level_comes_from_the_environment(start_plugin: Start) -> None:
    source = plugin_with("app.logger.debug('fine detail'); app.logger.error('trouble')")
    loud = start_plugin(source, {"MATTERMOST_PLUGIN_LOG_LEVEL": "debug"})
    loud.activate()
    assert loud.wait_log("fine detail")["level"] == "debug"
    quiet = start_plugin(source.replace("trouble", "big trouble"), {"MATTERMOST_LOG_LEVEL": "ERROR"})
    quiet.activate()
    assert quiet.wait_log("big trouble")["level"] == "error"


def test_traceback_of_a_plugin_that_cannot_be_imported_reaches_the_log(gohost_start_fails: Start) -> None:
    plugin = gohost_start_fails("import mmhooks\nimport no_such_module\n")
    assert plugin.wait_log("No module named 'no_such_module'")


def test_children_get_neither_the_cookie_nor_the_hosts_pipes(start_plugin: Start) -> None:
    plugin = start_plugin(
        plugin_with(
            "print({k: v for k, v in os.environ.items() if 'PLUGIN' in k and 'API' not in k}, flush=True);"
            " os.system('env | grep -c -e ^PLUGIN_ -e ^MATTERMOST_PLUGIN='); "
            " os.system(f'readlink /proc/self/fd/1 /proc/{os.getpid()}/fd/1');"
            " print(subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True).stdout.split(), 'end')"
        )
    )
    plugin.activate()
    lines = plugin.ask("wait_stdio", channel="stdout", contains="end\n")["stdout"].splitlines()
    assert lines[0] == "{}"
    assert lines[1] == "0"
    assert lines[2] == lines[3]  # a child prints where the plugin prints
    assert lines[4] == "['0', '1', '2', '3'] end"  # 3 is the folder that ls reads


def test_child_that_outlives_the_plugin_does_not_hold_the_host_up(start_plugin: Start) -> None:
    plugin = start_plugin(plugin_with("subprocess.Popen(['sleep', '4'])"))
    plugin.activate()
    # go-plugin waits for the pipes to close before it says that a plugin has ended.
    assert plugin.ask("kill", timeout_ms=3000)["exit_code"] == 0


def test_forked_and_spawned_children_work_from_handlers(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import multiprocessing, os, signal, subprocess, sys
        from mmhooks import App
        app = App()

        def double(number):
            sys.stdout.write("child %d" % number + os.linesep)
            return 2 * number

        @app.hook
        def run_data_retention(now_time, batch_size):
            total = 0
            for number in range(10):
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    total += sum(pool.map(double, [now_time, batch_size]))
                pid = os.fork()
                if pid == 0:
                    app.logger.info("from a forked child")
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
                pid = os.fork()
                if pid == 0:
                    os.kill(os.getpid(), signal.SIGTERM)
                    os._exit(1)
                assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGTERM
            subprocess.run([sys.executable, "-c", "print('spawned')"], check=True)
            return total

        @app.hook
        async def on_shared_channels_ping(remote_cluster):
            return True

        if __name__ == "__main__":
            app.run()
    """)
    assert plugin.call_rpc("RunDataRetention", {"A": 1, "B": 2})["reply"] == {"A": 60, "B": None}
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    printed = plugin.ask("wait_stdio", channel="stdout", contains="spawned\n")["stdout"]
    assert printed.count("child 1") == printed.count("child 2") == 10


def test_crash_in_c_code_leaves_a_traceback_in_the_log(start_plugin: Start) -> None:
    plugin = start_plugin("import ctypes, mmhooks\ndef talk():\n    ctypes.string_at(0)\n" + TAIL)
    call = plugin.begin("activate")
    assert plugin.ask("wait_exit")["signal"] == "SEGV"
    assert plugin.wait_log("Segmentation fault")
    assert plugin.wait_log("in talk")
    with pytest.raises(HostError, match="connection"):
        plugin.host.wait(call)


def test_c_code_that_lets_nobody_else_run_may_print_much(start_plugin: Start) -> None:
    plugin = start_plugin(
        "import ctypes, mmhooks\nctypes.PyDLL(None).write(1, b'x' * 100_000, 100_000)\ntalk = lambda: print('end')\n"
        + TAIL
    )
    plugin.activate()
    printed = plugin.ask("wait_stdio", channel="stdout", contains="end\n")["stdout"]
    assert printed == "x" * 100_000 + "end\n"


def test_signals_to_forked_children_do_not_reach_the_plugin(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import os, signal
        from mmhooks import App
        app = App()
        @app.hook
        def run_data_retention(now_time, batch_size):
            for _ in range(batch_size):
                pid = os.fork()
                if pid == 0:
                    signal.pause()
                os.kill(pid, signal.SIGTERM)  # most likely before the child has run a line
                assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGTERM
            return batch_size
        app.run()
    """)
    assert plugin.call_rpc("RunDataRetention", {"B": 300})["reply"] == {"A": 300, "B": None}
    assert plugin.call_rpc("RunDataRetention", {"B": 1})["reply"] == {"A": 1, "B": None}


def test_signal_handlers_that_a_child_sets_are_its_own(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import os, signal
        from mmhooks import App
        app = App()
        @app.hook
        def run_data_retention(now_time, batch_size):
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
                grandchild = os.fork()
                if grandchild == 0:
                    os.kill(os.getpid(), signal.SIGTERM)
                    os._exit(1)
                os._exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        app.run()
    """)
    assert plugin.call_rpc("RunDataRetention")["reply"] == {"A": 7, "B": None}


def test_much_output_arrives_whole_and_in_order_while_hooks_are_answered(start_plugin: Start) -> None:
    # Many times what the host's window takes at once.
    plugin = start_plugin(
        plugin_with("for n in range(50_000): print(n, 'x' * 94, flush=n % 100 == 0)\n    print('end', flush=True)")
    )
    activation = plugin.begin("activate")
    for _ in range(5):
        assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    plugin.host.wait(activation)
    printed = plugin.ask("wait_stdio", channel="stdout", contains="end\n")["stdout"].splitlines()
    numbers = [int(line.split()[0]) for line in printed[:-1]]
    assert numbers == sorted(numbers)
    dropped = plugin.ask("stdio")["stderr"]
    # A print never waits for the host: what nobody has fetched in time is dropped, and owned up to.
    assert numbers == [*range(50_000)] or "bytes printed before this were dropped" in dropped


def test_5_mb_that_are_printed_at_a_pace_arrive_in_full(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import os
        from mmhooks import App
        app = App()
        @app.hook
        def run_data_retention(now_time, batch_size):
            os.write(1, bytes([now_time]) * batch_size)
            os.write(2, bytes([now_time + 32]) * 1000)
            return batch_size
        app.run()
    """)
    for number in range(10):
        assert plugin.call_rpc("RunDataRetention", {"A": 65 + number, "B": 500_000})["reply"]["A"] == 500_000
        plugin.ask("wait_stdio", channel="stdout", contains=chr(65 + number) * 500_000)
    printed = plugin.ask("wait_stdio", channel="stderr", contains="j" * 1000)
    assert printed["stdout"] == "".join(chr(65 + number) * 500_000 for number in range(10))
    assert printed["stderr"] == "".join(chr(97 + number) * 1000 for number in range(10))


def test_bytes_that_are_no_text_do_no_harm(start_plugin: Start) -> None:
    plugin = start_plugin(plugin_with("os.write(1, bytes(range(256)) * 1000 + b'end')"))
    plugin.activate()
    assert plugin.ask("wait_stdio", channel="stdout", contains="end")
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


def test_last_words_are_more_than_a_window_and_arrive(start_plugin: Start) -> None:
    plugin = start_plugin(
        """
        import sys
        from mmhooks import App
        app = App()
        @app.hook
        def on_deactivate():
            sys.stdout.write("x" * 600_000 + "the very end")
        app.run()
    """,
        {"PYTHONUNBUFFERED": ""},
    )
    assert plugin.ask("kill")["exit_code"] == 0
    printed = plugin.ask("stdio")["stdout"]
    assert printed == "x" * 600_000 + "the very end"
