"""The dev console, as a person sees it in a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import as_file

OVER_BOTH = pytest.mark.parametrize("host", ["grpc", "netrpc"])

ID = "[a-z0-9]{26}"

PLUGIN = """
from mmhooks import App, CommandResponse, Dismiss, Post, Reject
app = App()
print("hello from the import")

@app.hook
def message_will_be_posted(post):
    if post.message == "no":
        return Reject("Not here.")
    if post.message == "hush":
        return Dismiss()
    if post.message == "crash":
        raise LookupError("lost")
    if post.message == "edit":
        post.message = "edited"
        return None
    if "teh" in post.message:
        post.message = post.message.replace("teh", "the")
        return post

@app.hook
def message_has_been_posted(post):
    app.logger.info("stored %s: %s", post.id, post.message)

@app.hook
def execute_command(args):
    return CommandResponse(text=f"you said {args.command}")

app.run()
"""


def mmhooks(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "mmhooks"
    return subprocess.run([program, *arguments], input=stdin, capture_output=True, text=True, timeout=50)


@OVER_BOTH
def test_messages_are_stored_changed_and_rejected(host: str, tmp_path: Path) -> None:
    file = as_file(PLUGIN, tmp_path)
    posts = ["fine", "teh cat", "no", "hush"]
    done = mmhooks("dev", "--host", host, str(file), *(f"--post={post}" for post in posts))
    assert done.returncode == 0, done.stderr
    lines = [
        line.rstrip() for line in done.stdout.splitlines() if not line.startswith("  log") and "print:" not in line
    ]
    hooks = "ExecuteCommand, MessageWillBePosted, MessageHasBeenPosted"
    assert lines[0].endswith(f"Hooks: {'OnActivate, ' * (host == 'netrpc')}{hooks}")
    assert lines[1:] == [
        "> fine",
        "  stored    fine",
        "> teh cat",
        "  changed   the cat",
        "> no",
        "  rejected  Not here.",
        "> hush",
        "  rejected  (silently: the author is told nothing)",
    ]
    assert re.search(rf"log info: stored {ID}: the cat\n", done.stdout)
    assert "print: hello from the import" in done.stdout


@OVER_BOTH
def test_failures_and_forgotten_returns_are_shown(host: str, tmp_path: Path) -> None:
    done = mmhooks("dev", "--host", host, str(as_file(PLUGIN, tmp_path)), "--post", "crash", "--post", "edit")
    assert done.returncode == 1
    where = r"MessageWillBePosted: message_will_be_posted \(\S+plugin\.py:\d+\): " if host == "netrpc" else ""
    assert re.search(rf"error     {where}LookupError: lost: a server goes on as if the plugin were absent", done.stdout)
    assert 'raise LookupError("lost")' in done.stdout
    assert "changed post.message and returned None" in done.stdout
    assert "stored    edit\n" in done.stdout


def test_lines_from_the_terminal_are_messages_and_commands(tmp_path: Path) -> None:
    done = mmhooks("dev", str(as_file(PLUGIN, tmp_path).parent), stdin="teh dog\n\n/weather here\n")
    assert done.returncode == 0, done.stderr
    assert "changed   the dog" in done.stdout
    assert "answer    you said /weather here" in done.stdout
    assert "you said" not in done.stdout.replace("answer    you said", ""), "the answer is not news as well"


def test_plugin_that_does_not_start_is_shown_with_its_reason(tmp_path: Path) -> None:
    done = mmhooks("dev", str(as_file("import mmhooks\nimport no_such_thing\n", tmp_path)), "--post", "x")
    assert done.returncode == 1
    assert "No module named 'no_such_thing'" in done.stderr
    assert "dev.py" not in done.stderr  # a traceback for the author's code only
    done = mmhooks("dev", str(tmp_path / "nothing.py"), "--post", "x")
    assert done.returncode == 1
    assert "there is no such plugin" in done.stderr
    assert "Traceback" not in done.stderr


@OVER_BOTH
def test_plugin_whose_activation_fails_is_shown_with_its_reason(host: str, tmp_path: Path) -> None:
    source = "from mmhooks import App\napp = App()\n@app.hook\ndef on_activate(): raise OSError('no disk')\napp.run()\n"
    done = mmhooks("dev", "--host", host, str(as_file(source, tmp_path)), "--post", "x")
    assert done.returncode == 1
    assert "plugin.py: OnActivate failed: OSError: no disk" in done.stderr


@OVER_BOTH
def test_plugin_that_dies_in_a_call_is_started_again(host: str, tmp_path: Path) -> None:
    source = PLUGIN.replace('raise LookupError("lost")', "import os; os._exit(3)")
    done = mmhooks("dev", "--host", host, str(as_file(source, tmp_path)), "--post", "crash", "--post", "teh end")
    assert done.returncode == 1
    assert "error     the plugin's process ended with status 3" in done.stdout
    assert "changed   the end" in done.stdout


@OVER_BOTH
def test_what_a_message_causes_is_shown_before_the_next_one(host: str, tmp_path: Path) -> None:
    posts = [f"message {number}" for number in range(5)]
    done = mmhooks("dev", "--host", host, str(as_file(PLUGIN, tmp_path)), *(f"--post={post}" for post in posts))
    lines = [line for line in done.stdout.splitlines() if "print:" not in line]
    for post in posts:
        start = lines.index(f"> {post}")
        assert re.fullmatch(rf"  log info: stored {ID}: {post}", lines[start + 2])


@pytest.fixture
def console(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A console that waits for lines."""
    program = Path(sys.executable).parent / "mmhooks"
    file = as_file(PLUGIN, tmp_path)
    process = subprocess.Popen(
        [program, "dev", file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdin
    assert process.stdout
    yield process
    process.stdin.close()
    process.stdout.read()
    assert process.wait(20) == 0
    process.stdout.close()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"{text!r} never came")


def test_plugin_is_started_again_when_its_files_change(console: subprocess.Popen[str], tmp_path: Path) -> None:
    assert console.stdin
    read_until(console, "Watching")
    file = tmp_path / "plugin.py"
    file.write_text(PLUGIN.replace('"the")', '"a")'))
    read_until(console, "plugin.py changed: starting again")
    read_until(console, "runs, started in")
    console.stdin.write("teh cat\n")
    console.stdin.flush()
    assert read_until(console, "changed   ") == "  changed   a cat\n"
    file.write_text("this is no Python")
    assert "SyntaxError" in read_until(console, "SyntaxError")
    file.write_text(PLUGIN)
    read_until(console, "runs, started in")
    console.stdin.write("teh cat\n")
    console.stdin.flush()
    assert read_until(console, "changed   ") == "  changed   the cat\n"


@pytest.mark.parametrize("missing", ["click", "httpx", "packaging", "watchfiles"])
def test_command_without_the_extra_says_what_to_install(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from mmhooks.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == f"the mmhooks command needs {missing}: pip install 'mmhooks[dev]'\n"


@OVER_BOTH
def test_failing_command_is_shown_as_its_user_reads_it(host: str, tmp_path: Path) -> None:
    source = PLUGIN.replace(
        'return CommandResponse(text=f"you said {args.command}")', 'raise ValueError("no such city")'
    )
    done = mmhooks("dev", "--host", host, str(as_file(source, tmp_path)), stdin="/weather\n")
    assert "error     the user reads: ValueError: no such city" in done.stdout


@OVER_BOTH
def test_post_of_a_failing_filter_is_stored_as_a_server_would(host: str, tmp_path: Path) -> None:
    done = mmhooks("dev", "--host", host, str(as_file(PLUGIN, tmp_path)), "--post", "crash")
    assert "stored    crash" in done.stdout
    assert re.search(rf"log info: stored {ID}: crash\n", done.stdout)


@OVER_BOTH
def test_plugin_that_prints_all_the_time_can_be_talked_to(host: str, tmp_path: Path) -> None:
    source = """
import sys, threading
from mmhooks import App
app = App()
def chatter():
    while True:
        sys.stdout.write("half "); sys.stdout.flush(); threading.Event().wait(0.01); print("line")
@app.hook
def on_activate():
    threading.Thread(target=chatter, daemon=True).start()
app.run()
"""
    done = mmhooks("dev", str(as_file(source, tmp_path)), "--post", "hi")
    assert "stored    hi" in done.stdout
    assert {line for line in done.stdout.splitlines() if "print:" in line} == {"  print: half line"}


def test_plugin_that_prints_an_empty_line_first_does_not_hang_the_console(tmp_path: Path) -> None:
    done = mmhooks("dev", str(as_file("print(flush=True)\n" + PLUGIN, tmp_path)), "--post", "hi")
    assert done.returncode == 1
    assert "wrote a first line that is no handshake" in done.stderr


REMOVES = """
from mmhooks import App
app = App()
@app.hook
def message_will_be_posted(post):
    del post.props["card"]
    post.message += "!"
    return post
app.run()
"""

LOST = "post.props['card']: removed, but released servers merge the answer into what they have"


@OVER_BOTH
def test_change_that_released_servers_cannot_be_told_is_shown(host: str, tmp_path: Path) -> None:
    props = '{"card": "4111", "n": 1}'
    done = mmhooks("dev", "--host", host, str(as_file(REMOVES, tmp_path)), "--props", props, "--post", "hi")
    assert done.returncode == 0, done.stdout
    assert "  changed   hi!\n" in done.stdout
    if host == "netrpc":
        assert "props {'card': '4111', 'n': 1}\n" in done.stdout
        assert f"  log warn: MessageWillBePosted: {LOST}" in done.stdout
    else:
        assert "props {'n': 1}\n" in done.stdout
        assert f"  warning   MessageWillBePosted: {LOST}" in done.stdout
    assert done.stdout.count(LOST) == 1


@pytest.mark.parametrize("props", ["no JSON", "[1]"])
def test_props_that_are_no_object_are_refused(props: str, tmp_path: Path) -> None:
    done = mmhooks("dev", str(tmp_path), "--props", props, "--post", "hi")
    assert done.returncode == 2
    assert "Invalid value for '--props'" in done.stderr


@OVER_BOTH
def test_plugin_without_handlers_is_told_what_to_do(host: str, tmp_path: Path) -> None:
    source = "from mmhooks import App\napp = App()\napp.run()\n"
    done = mmhooks("dev", "--host", host, str(as_file(source, tmp_path)), "--post", "hi")
    hooks = "OnActivate" if host == "netrpc" else "none"
    assert f"Hooks: {hooks}; handlers are registered with @app.hook" in done.stdout


def test_default_host_is_that_of_released_servers(tmp_path: Path) -> None:
    source = "import sys\nfrom mmhooks import App\napp = App()\n@app.hook\ndef on_activate(): print({*sys.modules} & {'grpc'})\napp.run()\n"
    done = mmhooks("dev", str(as_file(source, tmp_path)), "--post", "hi")
    assert "  print: set()\n" in done.stdout
    help_text = " ".join(mmhooks("dev", "--help").stdout.split())
    assert "netrpc, as every released server does" in help_text
    assert "[default: netrpc]" in help_text
