"""How a process is taken over from a host, and what happens when there is none; seen from a parent process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mmhooks.launch import COOKIE
from tests.conftest import as_file

PLUGIN = "from mmhooks import App\napp = App()\napp.run()\n"
COOKIES = {COOKIE[0]: COOKIE[1], "PLUGIN_PROTOCOL_VERSIONS": "1"}


def run(source: str, folder: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    file = as_file(source, folder)
    environ = {**os.environ, **(env or {})}
    return subprocess.run(
        [sys.executable, file.name], cwd=folder, env=environ, capture_output=True, text=True, timeout=30
    )


def test_run_by_hand_explains_how_to_try_the_plugin(tmp_path: Path) -> None:
    done = run(PLUGIN, tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "mmhooks dev plugin.py" in done.stderr
    assert "does nothing when it is run by hand" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_without_a_host_leaves_the_process_alone(tmp_path: Path) -> None:
    source = """
        import os, signal, sys, threading
        before = os.fstat(1), os.fstat(2), dict(os.environ)
        interrupt = signal.getsignal(signal.SIGINT)  # of a job in the background it may be ignored
        import mmhooks
        app = mmhooks.App()
        assert (os.fstat(1), os.fstat(2), dict(os.environ)) == before
        assert threading.active_count() == 1
        assert signal.getsignal(signal.SIGINT) is interrupt
        print("untouched")
    """
    for env in ({}, {COOKIE[0]: "another cookie"}, {"PLUGIN_MIN_PORT": "1"}):
        done = run(source, tmp_path, env)
        assert (done.returncode, done.stdout) == (0, "untouched\n"), done.stderr


def test_host_that_speaks_an_unknown_wire_is_told_so(tmp_path: Path) -> None:
    done = run(PLUGIN, tmp_path, COOKIES | {"MMHOOKS_HOST": "carrier-pigeon"})
    assert done.returncode == 1
    assert done.stdout == ""
    assert '"@level": "error"' in done.stderr
    assert "MMHOOKS_HOST: found 'carrier-pigeon', expected grpc or netrpc" in done.stderr


def test_traceback_of_an_import_goes_to_the_real_stderr(tmp_path: Path) -> None:
    done = run("import mmhooks\nprint('printed before')\nraise RuntimeError('at import')\n", tmp_path, COOKIES)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "RuntimeError: at import" in done.stderr
    assert "printed before" in done.stderr  # nobody fetched it, and it may say why


def test_text_that_nobody_reads_is_kept_up_to_a_limit_and_the_rest_is_owned_up_to(tmp_path: Path) -> None:
    done = run("import mmhooks\nfor n in range(40_000): print(n, 'x' * 50)\n", tmp_path, COOKIES)
    assert done.returncode == 0
    assert "39999 " + "x" * 50 in done.stderr
    assert "bytes printed before this were dropped" in done.stderr
    assert "\n5 xxx" not in done.stderr
    assert len(done.stderr) < 1_100_000


def test_plugin_starts_with_closed_standard_streams(tmp_path: Path) -> None:
    file = as_file(
        "import sys\nimport mmhooks\nprint('out')\nprint('err', file=sys.stderr)\nopen('done', 'w').close()\n", tmp_path
    )
    subprocess.run(
        ["sh", "-c", f"exec {sys.executable} {file} >&- 2>&-"],
        env={**os.environ, **COOKIES},
        cwd=tmp_path,
        check=True,
        timeout=30,
    )
    assert (tmp_path / "done").exists()


def test_bad_environment_ends_with_status_2_and_a_line_for_each_variable(tmp_path: Path) -> None:
    bad = {
        "MMHOOKS_HOST": "grpc",
        "MATTERMOST_PLUGIN_HOOK_TIMEOUT": "soon",
        "MMHOOKS_THREADS": "0",
        "MATTERMOST_LOG_LEVEL": "LOUD",
        "MMHOOKS_MAX_MESSAGE_SIZE": "-5",
    }
    done = run(PLUGIN, tmp_path, COOKIES | bad)
    assert done.returncode == 2
    assert done.stdout == ""
    for name, value in bad.items():
        assert name == "MMHOOKS_HOST" or f"{name}: found '{value}', expected " in done.stderr


def test_log_never_stands_in_the_place_of_the_handshake(tmp_path: Path) -> None:
    source = "import logging\nimport mmhooks\nlogging.getLogger('x').error('trouble')\nprint('out')\nopen('done', 'w').close()\n"
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} {as_file(source, tmp_path)} 2>&-"],
        env={**os.environ, **COOKIES},
        cwd=tmp_path,
        check=True,
        timeout=30,
        stdout=subprocess.PIPE,
    )
    assert done.stdout == b""
    assert (tmp_path / "done").exists()


def test_output_goes_to_the_last_who_listens() -> None:
    # In a process of its own: the standard streams are taken over for good.
    source = """
import threading, mmhooks
from mmhooks.launch import launched
first, second = threading.Event(), threading.Event()
launched.output.listen(first.set)
launched.output.listen(second.set)
launched.output.unlisten(first.set)
second.clear()
print("text")
assert second.wait(10)
launched.output.flush()
assert b"".join(data for channel, data in launched.output.take() if channel == 1) == b"text\\n"
"""
    subprocess.run([sys.executable, "-c", source], env={**os.environ, **COOKIES}, check=True, timeout=30)
