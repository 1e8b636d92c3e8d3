"""The documentation does what it shows: its Python runs, its transcripts are real, its links lead somewhere.

A block with a title is a file, written where a reader of the page is by then; a title that ends with ", continued" adds
to it. Files called `test_…` are run by pytest, all others as programs. Blocks without a title are one script, run up to
each of them. In transcripts, `mkdir`, `cd` and `cp` are followed; `mmhooks` and `pytest` are run, and their output is
compared.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmhooks.config import PLAIN_VARIABLES
from mmhooks.hooks import HOOKS, HookName
from mmhooks.hosts.grpc import calls as grpc_calls
from mmhooks.hosts.netrpc import calls as netrpc_calls
from mmhooks.hosts.netrpc.structs import API
from mmhooks.limits import VARIABLES
from tests.deploy.rest_server import TOKEN, RestServer

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

SHOWN_ONLY = {".", "make", "mmctl", "pip", "python3"}
"""Commands of transcripts that make environments, are for a checkout, or belong to others: they are not run."""

VARYING = {
    r"\b\d+\.\d\d ?s\b": "0.00 s",
    r" *\b\d+(\.\d)? [kM]B\b": " 0 MB",
    r"\b(linux|darwin)-(amd64|arm64)\b": "linux-amd64",
    r"\bPython 3\.\d+": "Python 3.11",
    r"(?<= )[\w-]+ \d+(\.\d+)+(, |$)": "",  # a library and its version
    r", as the user nobody$": "",
    r"\b[a-z0-9]{26}\b": "id",
    r"https?://(localhost:\d+|chat\.example\.com)": "https://chat.example.com",
}
"""What differs from machine to machine and from day to day, and what is compared in its place."""

EXAMPLES = [
    ("README.md", "plugin.py", "hello/plugin.py"),
    ("docs/index.md", "plugin.py", "hello/plugin.py"),
    ("docs/index.md", "plugin.py", "pulse/plugin.py"),
    ("docs/index.md", "plugin.py", "house_rules/plugin.py"),
    ("docs/index.md", "rules/__init__.py", "house_rules/rules/__init__.py"),
    ("docs/index.md", "rules/messages.py", "house_rules/rules/messages.py"),
    ("docs/index.md", "rules/logins.py", "house_rules/rules/logins.py"),
]
"""Files of examples that a page shows whole: the page, the title there, the file."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    place: str
    language: str
    title: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{page.name}:{line}", found[1], found[2] or "", found[3])


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment as a reader would, in a page's folder."""
    ours = ("MATTERMOST_", "MMHOOKS_", "PLUGIN_", "PYTEST_", "PYTHONPATH")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env=environ | {"COLUMNS": "80", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture
def server() -> Iterator[None]:
    """A server that `mmhooks deploy` and its like find by the variables that the pages tell of."""
    with pytest.MonkeyPatch.context() as patched, RestServer() as rest:
        patched.setenv("MM_SERVICESETTINGS_SITEURL", rest.address)
        patched.setenv("MM_ADMIN_TOKEN", TOKEN)
        plugin = "com.example.weather-report"
        rest.write(
            "settings: 'slip' cannot be used: Input should be a valid string; it stays as it was", plugin, "warn"
        )
        rest.write("MessageWillBePosted: keep_calm (plugin.py:11) failed: RuntimeError: lost", plugin, "error")
        yield


@pytest.mark.timeout(300)  # many processes, one after another, and PyInstaller among them
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, server: None) -> None:
    script = ""
    folder = tmp_path / "start"
    folder.mkdir()
    for block in blocks(page):
        if block.title:
            take_file(block, folder)
        elif block.language == "python":
            script += block.text
            ran = run(["python", "-W", "error", "-c", script], folder)
            assert ran.returncode == 0, f"{block.place}\n{ran.stdout}"
        elif block.language == "console":
            folder = take_transcript(block, folder)
            assert folder.is_relative_to(tmp_path), f"{block.place} leads out of the reader's folders"


def take_file(block: Block, folder: Path) -> None:
    name, _, continued = block.title.partition(", ")
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8") + "\n\n" if continued else ""
    file.write_text(before + block.text, encoding="utf-8")
    if file.suffix == ".json":
        json.loads(block.text)
    elif file.suffix == ".toml":
        tomllib.loads(block.text)
    elif file.name.startswith("test_"):
        ran = run(["pytest", "-p", "no:cacheprovider", "--strict-config", "-W", "error", name], folder)
        assert ran.returncode == 0, f"{block.place}\n{ran.stdout}"
        assert re.search(rf"= {block_tests(before + block.text)} passed in ", ran.stdout), (
            f"{block.place}\n{ran.stdout}"
        )
    elif file.suffix == ".py":
        ran = run(["python", "-W", "error", name], folder)
        by_hand = "app.run()" in block.text
        assert ran.returncode == int(by_hand), f"{block.place}\n{ran.stdout}"
        assert ("mmhooks dev plugin.py" in ran.stdout) == by_hand, f"{block.place}\n{ran.stdout}"


def block_tests(text: str) -> int:
    return len(re.findall(r"^(?:async )?def test_", text, re.MULTILINE))


def take_transcript(block: Block, folder: Path) -> Path:
    """Do what a transcript does. Result: the folder in which it ends."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command)
        if words[0] in SHOWN_ONLY:
            assert not shown, f"{block.place}: {command!r} is not run, so no output can be shown for it"
            check_make(words)
        elif words[0] == "cd":
            folder = (folder / words[1]).resolve(strict=True)
        elif words[0] in ("mkdir", "cp"):
            subprocess.run(words, cwd=folder, check=True)
        else:
            assert words[0] in ("mmhooks", "pytest"), f"{block.place}: {command!r}"
            ran = run(words, folder)
            if "--standalone" in words and ran.returncode and os.environ.get("CI") != "true":
                pytest.skip(f"{block.place}: needs a Python that PyInstaller can pack: {ran.stdout}")
            assert comparable(ran.stdout) == comparable(shown), f"{block.place}: {command}\n{ran.stdout}"
    return folder


def check_make(words: list[str]) -> None:
    if words[0] == "make":
        assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


def comparable(output: str) -> tuple[list[str], list[str]]:
    """What must be the same: what varies is masked, and a plugin's log comes by a thread, so its order is its own."""
    for pattern, usual in VARYING.items():
        output = re.sub(pattern, usual, output, flags=re.MULTILINE)
    lines = output.splitlines()
    log = [line for line in lines if line.startswith(("  log ", "  print: "))]
    return [line for line in lines if line not in log], log


@pytest.mark.parametrize(("page", "title", "file"), EXAMPLES)
def test_an_example_is_shown_as_it_is(page: str, title: str, file: str) -> None:
    shown = [block.text for block in blocks(ROOT / page) if block.title == title]
    assert (ROOT / "examples" / file).read_text(encoding="utf-8") in shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.is_file(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {target}"


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that mkdocs gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_every_page_is_executed_by_the_way_it_is_written() -> None:
    for page in PAGES:
        fences = page.read_text(encoding="utf-8").count("\n```")
        assert fences == 2 * len([*blocks(page)]), f"{page.name} has a block that the tests cannot read"


def test_every_variable_is_documented() -> None:
    documented = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for variables in (VARIABLES | PLAIN_VARIABLES).values():
        for variable in variables:
            assert f"| `{variable}` |" in documented


def test_the_readme_counts_the_hooks_right() -> None:
    assert f"Of the {len(HookName)} hooks" in (ROOT / "README.md").read_text(encoding="utf-8")


PICTURES = sorted((ROOT / "docs").glob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_has_its_words_as_text_and_is_on_a_page(picture: Path) -> None:
    root = ElementTree.parse(picture).getroot()
    words = [element for element in root.iter() if element.tag.endswith("}text")]
    assert words
    assert any(f"]({picture.name})" in page.read_text(encoding="utf-8") for page in PAGES)


def test_the_bytes_in_pictures_are_those_of_the_page() -> None:
    """The page's own are compared with the code where they stand."""
    page = ROOT / "docs" / "wire.md"
    shown = {block.title: bytes_of(block.text) for block in blocks(page) if block.title}
    found = ElementTree.parse(ROOT / "docs" / "wire-call.svg").getroot().iterfind(".//{*}text[@class='bytes']")
    files = {"request.txt": shown["request.txt"], "reply.txt": shown["reply.txt"]}
    below_the_middle = 210
    at = dict.fromkeys(files, 0)
    for text in sorted(found, key=lambda text: (float(text.attrib["x"]), float(text.attrib["y"]))):
        name = "reply.txt" if float(text.attrib["y"]) > below_the_middle else "request.txt"
        at[name] = files[name].index(bytes.fromhex(text.text or ""), at[name]) + 1


def bytes_of(text: str) -> bytes:
    return bytes.fromhex("".join(line[:30] for line in text.splitlines()))


def test_the_hosts_page_names_the_methods_and_hooks_that_there_are() -> None:
    page = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8")
    found = re.search(r"net/rpc has all of them but (.*?), which need streams", page, re.DOTALL)
    assert found
    reference = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = re.findall(r"^`(\w+)`, since ", reference, re.MULTILINE)
    assert {*named} - {*API} == {*re.findall(r"`(\w+)`", found[1])}
    assert len(named) == len({*named}) == 237
    assert reference.count("not served yet: it needs streams") == 3
    row = next(line for line in page.splitlines() if line.startswith("| hooks that are missing |"))
    _, _, netrpc, grpc, _ = row.split("|")
    missing_there = {name for name, hook in HOOKS.items() if not netrpc_calls.servable(hook)}
    missing_here = {name for name, hook in HOOKS.items() if not grpc_calls.servable(hook)}
    assert set(re.findall(r"`(\w+)`", netrpc)) == missing_there
    assert set(re.findall(r"`(\w+)`", grpc)) == missing_here - missing_there
