"""The dev console's Mattermost: several people in several channels, and what the plugin does there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_dev import OVER_BOTH, mmhooks
from tests.conftest import as_file

PLUGIN = """
from mmhooks import App, AppError, CommandResponse, Post, Reject
from mmhooks.models import Bot, Command

app = App()

@app.hook
def on_activate():
    global bot
    bot = app.api.ensure_bot_user(Bot(username="greeter"))
    app.api.register_command(Command(trigger="count", auto_complete=True))
    app.api.register_command(Command(trigger="shout"))
    app.logger.info("ready")

def say(channel_id, text, root_id=""):
    app.api.create_post(Post(channel_id=channel_id, user_id=bot, message=text, root_id=root_id))

@app.hook
def message_has_been_posted(post):
    if post.user_id == bot or post.type:
        return
    if post.message == "crash":
        raise LookupError("lost")
    if post.message == "die":
        import os; os._exit(3)
    n = int(app.api.kv_get("count") or 0) + 1
    app.api.kv_set("count", str(n).encode())
    name = app.api.get_user(post.user_id).username
    if post.message == "hello":
        say(post.channel_id, f"Hi, {name}", post.root_id or post.id)
    if post.message == "psst":
        app.api.send_ephemeral_post(post.user_id, Post(channel_id=post.channel_id, user_id=bot, message="I know."))
    if post.message == "tell the others":
        say(app.api.get_channel_by_name(app.api.get_teams()[0].id, "off-topic", False).id, "They talk.")

@app.hook
def message_will_be_updated(new_post):
    if new_post.message == "darn":
        raise Reject("Not even later.")
    new_post.message += "!"
    return new_post

@app.hook
def user_has_joined_team(team_member):
    say(app.api.get_direct_channel(bot, team_member.user_id).id, "Welcome.")

@app.hook
def user_has_joined_channel(channel_member):
    say(channel_member.channel_id, f"{app.api.get_user(channel_member.user_id).username} is here.")

@app.hook
def reaction_has_been_added(reaction):
    app.logger.info("somebody likes it: %s", reaction.emoji_name)

@app.hook
def execute_command(args):
    if args.command == "/shout":
        return CommandResponse(response_type="in_channel", text="AH")
    return CommandResponse(text=f"{int(app.api.kv_get('count') or 0)} so far")

app.run()
"""


def talk(folder: Path, *lines: str, host: str = "netrpc", source: str = PLUGIN, status: int = 0) -> list[str]:
    """What the console says to some lines, after what it says at the start."""
    file = str(as_file(source, folder))
    posts = [f"--post={line}" for line in lines]
    done = mmhooks("dev", "--host", host, "--user", "alice", file, *posts)
    assert done.returncode == status, done.stdout + done.stderr
    shown = [line.rstrip() for line in done.stdout.splitlines()]
    return shown[shown.index(f"> {lines[0]}") :]


@OVER_BOTH
def test_what_a_bot_answers_is_shown(host: str, tmp_path: Path) -> None:
    assert talk(tmp_path, "hello", host=host) == ["> hello", "  stored    hello", "  greeter   Hi, alice"]


@OVER_BOTH
def test_somebody_new_joins_as_on_a_server(host: str, tmp_path: Path) -> None:
    shown = talk(tmp_path, ":as bob", "hello", ":as alice", "hello", host=host)
    assert "  greeter   (to bob) Welcome." in shown
    assert shown[shown.index("> hello") :] == [
        "> hello",
        "  stored    hello",
        "  greeter   Hi, bob",
        "> :as alice",
        "> hello",
        "  stored    hello",
        "  greeter   Hi, alice",
    ]


def test_channels_are_joined_and_made(tmp_path: Path) -> None:
    assert "  greeter   alice is here." in talk(tmp_path, ":in sales", "hello")
    shown = talk(tmp_path, "tell the others", ":in off-topic", "tell the others")
    assert "  greeter   (in off-topic) They talk." in shown[: shown.index("> :in off-topic")]
    assert shown[-1] == "  greeter   They talk."


def test_direct_messages(tmp_path: Path) -> None:
    shown = talk(tmp_path, ":dm greeter", "hello", ":as bob", ":posts", ":dm alice")
    assert shown[:4] == ["> :dm greeter", "> hello", "  stored    hello", "  greeter   Hi, alice"]
    assert shown[shown.index("> :posts") + 1] == "> :dm alice", "bob is not in that channel, and back in the first one"
    assert talk(tmp_path, ":dm greter", status=1)[1].startswith(
        "  error     there is no user 'greter'; did you mean 'greeter'?"
    )


@OVER_BOTH
def test_what_only_one_user_sees(host: str, tmp_path: Path) -> None:
    assert talk(tmp_path, "psst", host=host)[2:] == ["  greeter   only alice sees: I know."]


def test_reactions_come_and_go(tmp_path: Path) -> None:
    shown = talk(tmp_path, "well", ":react thumbsup", ":react :thumbsup:")
    assert shown[2:] == [
        "> :react thumbsup",
        "  alice     :thumbsup: to 'well'",
        "  log info: somebody likes it: thumbsup",
        "> :react :thumbsup:",
        "  alice     no more :thumbsup: to 'well'",
    ]


def test_posts_are_edited_answered_deleted_and_listed(tmp_path: Path) -> None:
    shown = talk(tmp_path, "one", ":edit two", ":edit darn", ":reply three", ":react ok", ":posts", ":delete", ":posts")
    assert shown == [
        "> one",
        "  stored    one",
        "> :edit two",
        "  changed   two!",
        "> :edit darn",
        "  rejected  Not even later.",
        "> :reply three",
        "  stored    three",
        "> :react ok",
        "  alice     :ok: to 'three'",
        "  log info: somebody likes it: ok",
        "> :posts",
        "  alice     two!",
        "  alice       ↳ three  :ok: alice",
        "> :delete",
        "  alice     deleted: three",
        "> :posts",
        "  alice     two!",
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (":psts", "the console has no command :psts; did you mean :posts?"),
        (":zzzzzz", "the console has no command :zzzzzz; :help lists what there is"),
        (":as", ":as needs a word more: :as <user>"),
        (":react ok", "there is no post in town-square"),
        (":edit it", "there is no post of yours in town-square"),
        ("/cuont", "the plugin has not registered /cuont; did you mean /count?"),
        ("/weather", "the plugin has not registered /weather; it has /count, /shout"),
    ],
)
def test_what_cannot_be_done_is_told(line: str, error: str, tmp_path: Path) -> None:
    assert talk(tmp_path, line, status=1) == [f"> {line}", f"  error     {error}"]


def test_a_message_may_begin_with_an_emoji(tmp_path: Path) -> None:
    assert talk(tmp_path, ":smile: hi", ":)", ":+1:")[1::2] == [
        "  stored    :smile: hi",
        "  stored    :)",
        "  stored    :+1:",
    ]


def test_the_consoles_own_commands_are_listed(tmp_path: Path) -> None:
    text = "\n".join(talk(tmp_path, ":help"))
    for name in ("as", "in", "dm", "reply", "react", "edit", "delete", "posts", "help"):
        assert f"\n    :{name} " in text


@OVER_BOTH
def test_commands_that_are_registered(host: str, tmp_path: Path) -> None:
    shown = talk(tmp_path, "/count", "/shout", host=host)
    assert shown == ["> /count", "  answer    0 so far", "> /shout", "  answer    AH"], "an answer is no news as well"


def test_a_handler_without_a_registered_command_is_called_with_a_warning(tmp_path: Path) -> None:
    source = """
from mmhooks import App, CommandResponse
app = App()
@app.hook
def execute_command(args):
    return CommandResponse(text="made") if args.command == "/coffee" else None
app.run()
"""
    shown = talk(tmp_path, "/coffee", "/tea", source=source)
    warning = "a server would not call the plugin: it has registered no commands, so not /coffee either"
    assert shown == ["> /coffee", f"  warning   {warning}", "  answer    made", "> /tea", "  answer    (empty)"]


def test_handlers_that_fail_afterwards_are_shown_with_their_hook(tmp_path: Path) -> None:
    shown = talk(tmp_path, "crash", status=1)
    assert any(line.startswith("  error     MessageHasBeenPosted: ") and "LookupError: lost" in line for line in shown)
    assert not [line for line in shown if "as if the plugin were absent" in line]


@OVER_BOTH
def test_what_the_server_has_outlives_the_plugins_process(host: str, tmp_path: Path) -> None:
    shown = talk(tmp_path, "one", "die", "two", "/count", ":posts", host=host, status=1)
    assert "  error     the plugin's process ended with status 3" in shown
    assert shown[shown.index("> /count") :] == [
        "> /count",
        "  answer    2 so far",
        "> :posts",
        "  alice     one",
        "  alice     die",
        "  alice     two",
    ]


def test_user_that_cannot_be_is_refused(tmp_path: Path) -> None:
    done = mmhooks("dev", str(as_file(PLUGIN, tmp_path)), "--user", "Some One", "--post", "hi")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "username" in done.stderr.lower()


LATER = """if post.message == "later":
        import threading
        from pathlib import Path
        def wait():
            while not Path("now").exists():
                threading.Event().wait(0.01)
            say(post.channel_id, "It is later.")
        threading.Thread(target=wait, daemon=True).start()
"""


def test_a_terminal_has_a_prompt_and_sees_what_the_plugin_does_by_itself(tmp_path: Path) -> None:
    source = PLUGIN.replace('if post.message == "hello":', LATER + '    if post.message == "hello":')
    ours, theirs = pty.openpty()
    program = Path(sys.executable).parent / "mmhooks"
    process = subprocess.Popen(
        [program, "dev", as_file(source, tmp_path), "--user", "alice"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    os.close(theirs)
    assert process.stdout
    try:
        told = read_until(process, "alice in town-square> ")
        os.write(ours, b":dm greeter\n")
        told = read_until(process, "alice in @greeter> ")
        os.write(ours, b"later\n")
        told = read_until(process, "alice in @greeter> ")
        assert "stored    later" in told
        (tmp_path / "now").touch()
        assert "  greeter   It is later.\n" in read_until(process, "alice in @greeter> ")
        os.write(ours, b"\x04")
        process.stdout.read()
        assert process.wait(20) == 0
    finally:
        os.close(ours)
        process.stdout.close()
        process.wait(20)


def read_until(process: subprocess.Popen[bytes], text: str) -> str:
    assert process.stdout
    read = b""
    while not read.endswith(text.encode()):
        byte = process.stdout.read(1)
        assert byte, f"{text!r} never came: {read.decode()}"
        read += byte
    return read.decode()
