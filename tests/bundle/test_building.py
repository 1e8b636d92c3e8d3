"""Bundles from the outside: what is in the file, what the command says, and what it refuses."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from mmhooks import BundleError
from mmhooks.bundle import build
from mmhooks.bundle.targets import here
from mmhooks.testing.process import PluginProcess, Program
from tests.bundle.conftest import PATH, Folder, Make, Unpacked
from tests.host_driver import ROOT


def mmhooks(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    ours = ("MATTERMOST_", "MMHOOKS_", "PLUGIN_", "PYTEST_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [Path(sys.executable).with_name("mmhooks"), *arguments],
        cwd=folder,
        env=inherited | {"PATH": PATH, "PYTHONDONTWRITEBYTECODE": "1"} | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_bundle_is_the_folder_with_a_launcher_and_libraries(made: Make) -> None:
    bundle = made("house_rules")
    assert bundle.file.parent.name == "dist"
    assert bundle.file.name == "com.example.house-rules-0.1.0.tar.gz"
    with tarfile.open(bundle.file) as tar:
        members = {member.name: member for member in tar}
    top = "com.example.house-rules"
    assert all(member.isdir() or member.isreg() for member in members.values())
    assert members[f"{top}/server/plugin.py"].mode == 0o755
    libraries = f"{top}/server/lib/"
    own = {name for name in members if not name.startswith(libraries) and members[name].isreg()}
    compiled = f"cpython-{here().python.replace('.', '')}.pyc"
    assert own == {
        f"{top}/{name}"
        for name in (
            "plugin.json",
            "plugin.py",
            f"__pycache__/plugin.{compiled}",
            "rules/__init__.py",
            f"rules/__pycache__/__init__.{compiled}",
            "rules/guests.txt",
            "rules/logins.py",
            f"rules/__pycache__/logins.{compiled}",
            "rules/messages.py",
            f"rules/__pycache__/messages.{compiled}",
            "server/plugin.py",
        )
    }
    places = {name.removeprefix(libraries).split("/")[0] for name in members if name.startswith(libraries)}
    assert places == {"any", str(here())}


def test_the_manifest_is_complete(unpacked: Unpacked) -> None:
    assert json.loads((unpacked("house_rules") / "plugin.json").read_text()) == {
        "name": "House rules",
        "version": "0.1.0",
        "description": "Keeps card numbers out of messages, and strangers out of the house.",
        "id": "com.example.house-rules",
        "min_server_version": "5.2.0",
        "server": {"executable": "server/plugin.py"},
    }


def test_every_module_has_byte_code_that_needs_no_times(unpacked: Unpacked) -> None:
    root = unpacked("house_rules")
    sources = [path for path in root.rglob("*.py") if path != root / "server" / "plugin.py"]
    assert len(sources) > 100
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source)))
        head = compiled.read_bytes()[:8]
        assert head[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(head[4:], "little") == 0b01, f"{compiled}: a hash that nobody checks"


def test_nothing_in_it_names_a_place_of_this_machine(unpacked: Unpacked, made: Make) -> None:
    root = unpacked("house_rules", with_python=True)
    places = [str(ROOT), str(made("house_rules").file.parents[1]), "mmhooks-bundle-", "mmhooks-standalone-"]
    for path in root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [place for place in places if place.encode() in content], path


@pytest.mark.timeout(180)  # PyInstaller takes its time
def test_the_same_folder_gives_the_same_bytes(made: Make, folder: Folder) -> None:
    copy = folder("house_rules")
    for path in copy.rglob("*"):
        os.utime(path, (86_400, 86_400))
    for options in ({}, {"with_python": True}):
        again = build.build(copy, [here()], say=lambda line: None, **options)
        assert again.file.read_bytes() == made("house_rules", **options).file.read_bytes()


def test_for_released_servers_alone_it_is_small_and_without_grpc(made: Make, unpacked: Unpacked) -> None:
    bundle = made("hello", grpc=False)
    assert bundle.file.stat().st_size < 6_000_000
    root = unpacked("hello", grpc=False)
    # Without .py a server with the gRPC host, too, runs it as a program, over net/rpc.
    assert json.loads((root / "plugin.json").read_text())["server"] == {"executable": "server/plugin"}
    assert os.access(root / "server" / "plugin", os.X_OK)
    names = {path.name for path in (root / "server" / "lib").glob("*/*")}
    assert not names & {"grpc", "grpc_health", "google"}
    assert {"msgspec", "pydantic", "mmhooks"} <= names


@pytest.mark.timeout(120)
def test_one_bundle_serves_several_platforms_and_pythons(folder: Folder) -> None:
    hello = folder("hello")
    ran = mmhooks(
        "bundle",
        ".",
        "--host",
        "netrpc",
        "--platform",
        "linux-amd64,darwin-arm64",
        "--python",
        "3.11,3.14",
        folder=hello,
    )
    assert ran.returncode == 0, ran.stderr
    with tarfile.open(hello / "dist" / "com.example.hello-0.1.0.tar.gz") as tar:
        names = tar.getnames()
    lib = "com.example.hello/server/lib/"
    targets = {name.removeprefix(lib).split("/")[0] for name in names if name.startswith(lib)} - {"any"}
    assert targets == {"linux-amd64-py3.11", "linux-amd64-py3.14", "darwin-arm64-py3.11", "darwin-arm64-py3.14"}
    for target, suffix in {
        "linux-amd64-py3.14": "cpython-314-x86_64-linux-gnu",
        "darwin-arm64-py3.11": "cpython-311-darwin",
    }.items():
        assert f"{lib}{target}/msgspec/_core.{suffix}.so" in names
    assert "libraries for darwin-arm64, Python 3.14" in ran.stdout


def test_the_command_says_what_it_does_and_what_is_in_the_bundle(folder: Folder) -> None:
    hello = folder("hello")
    ran = mmhooks("bundle", "--host", "netrpc", "--check", folder=hello)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == f"dependencies for {here().platform}, Python {here().python} …"
    assert any(line.startswith("dist/com.example.hello-0.1.0.tar.gz: ") for line in lines)
    assert any("libraries for" in line and "msgspec" in line and "pydantic" in line for line in lines)
    assert "For Mattermost 5.2.0 or newer. Hooks: MessageWillBePosted" in lines
    assert lines[-1].startswith("starts over net/rpc in ")


def change(folder: Path, old: str, new: str, file: str = "pyproject.toml") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


def test_all_faults_of_a_folder_are_told_at_once_before_anything_is_made(folder: Folder) -> None:
    hello = folder("hello")
    change(hello, 'id = "com.example.hello"', 'id = "x"\nicon_path = "icon.svg"\nhomepage = "here"')
    change(hello, '"mmhooks"]', '"mmhooks", "not a requirement"]')
    (hello / "gone").symlink_to("nowhere")
    ran = mmhooks("bundle", folder=hello)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Traceback" not in ran.stderr
    for fault in (
        "[project] dependencies: 'not a requirement' is no requirement",
        'id: expected 3 to 190 of the letters A to Z, digits, and - _ . only, found "x"',
        "icon_path: there is no file icon.svg in the plugin's folder",
        "homepage: there is no such key; did you mean 'homepage_url'?",
        "gone: a link that leads nowhere",
    ):
        assert fault in ran.stderr
    assert not (hello / "dist").exists()


IMPORTS = {
    "a library that is not there": ("import no_such_library", "No module named 'no_such_library'"),
    "an error": ("1 / 0", "ZeroDivisionError"),
    "no app": ("raise SystemExit", "plugin.py cannot be imported here"),
}


@pytest.mark.parametrize("case", [*IMPORTS])
def test_a_plugin_that_cannot_be_imported_is_told_with_its_own_words(folder: Folder, case: str) -> None:
    line, text = IMPORTS[case]
    hello = folder("hello")
    change(hello, "app = App()", f"app = App()\n{line}", "plugin.py")
    ran = mmhooks("bundle", folder=hello)
    assert ran.returncode == 1
    assert "plugin.py cannot be imported here, as it has to be for the manifest:" in ran.stderr
    assert text in ran.stderr
    assert "mmhooks/hosts/ahead.py" not in ran.stderr


def test_a_plugin_without_run_is_told_to(folder: Folder) -> None:
    hello = folder("hello")
    change(hello, "    app.run()", "    pass", "plugin.py")
    ran = mmhooks("manifest", folder=hello)
    assert ran.returncode == 1
    assert "plugin.py ended without app.run(), which has to be its last line" in ran.stderr


def test_an_error_in_a_module_that_is_not_imported_is_found_all_the_same(folder: Folder) -> None:
    hello = folder("hello")
    (hello / "later.py").write_text("x = 1\ndef f(:\n")
    ran = mmhooks("bundle", "--host", "netrpc", folder=hello)
    assert ran.returncode == 1
    assert "later.py, line 2: invalid syntax" in ran.stderr
    assert not (hello / "dist").exists()


def test_a_place_that_cannot_be_written_to_is_named(folder: Folder) -> None:
    hello = folder("hello")
    (hello / "dist").write_text("in the way")
    ran = mmhooks("bundle", "--host", "netrpc", folder=hello)
    assert ran.returncode == 1
    assert f"{hello}/dist/com.example.hello-0.1.0.tar.gz cannot be written: [Errno 17] File exists" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_check_finds_what_is_only_installed_here(folder: Folder) -> None:
    hello = folder("hello")
    change(hello, "app = App()", "import pytest_timeout\napp = App()", "plugin.py")
    ran = mmhooks("bundle", "--host", "netrpc", "--check", folder=hello)
    assert ran.returncode == 1
    assert "the bundle starts over net/rpc" in ran.stderr
    assert "and the plugin does not" in ran.stderr
    assert "No module named 'pytest_timeout'" in ran.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("open_to_all", [True, False])
def test_root_checks_as_another_user_unless_that_one_can_reach_no_python(
    folder: Folder, tmp_path: Path, open_to_all: bool
) -> None:
    if open_to_all and not Path("/usr/bin", f"python{here().python}").exists():
        pytest.skip("this Python is not where everybody can run it")
    private = tmp_path / "bin"
    private.mkdir(mode=0o700)
    (private / "python3").symlink_to(f"{sys.base_prefix}/bin/python3")
    path = "/usr/bin:/bin" if open_to_all else str(private)
    ran = mmhooks("bundle", "--host", "netrpc", "--check", folder=folder("hello"), PATH=path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1].endswith(", as the user nobody") == open_to_all
    assert ("the user nobody can reach no Python" in ran.stdout) != open_to_all


def test_the_check_tries_a_bundle_for_another_python_in_vain(folder: Folder) -> None:
    hello = folder("hello")
    other = "3.14" if here().python != "3.14" else "3.13"
    ran = mmhooks("bundle", "--host", "netrpc", "--check", "--python", other, folder=hello, PATH="/usr/bin:/bin")
    assert ran.returncode == 1
    assert "the bundle does not start over net/rpc" in ran.stderr
    assert f"this bundle needs {here().platform} with Python {other}; this machine is {here().platform}" in ran.stderr
    assert f"no Python {other} here, so there is no byte-code for it" in ran.stdout


def test_the_manifest_can_be_printed_and_its_settings_alone(folder: Folder) -> None:
    hello = folder("hello")
    (hello / "settings.py").write_text(
        "from pydantic import BaseModel, Field\n"
        "class Settings(BaseModel):\n"
        "    word: str = Field('teh', title='Slip', description='What is mended.')\n"
    )
    change(hello, "app = App()", "from settings import Settings\napp = App(settings=Settings)", "plugin.py")
    whole = json.loads(mmhooks("manifest", folder=hello).stdout)
    assert whole["id"] == "com.example.hello"
    (setting,) = whole["settings_schema"]["settings"]
    assert (setting["key"], setting["display_name"], setting["type"], setting["default"]) == (
        "word",
        "Slip",
        "text",
        "teh",
    )
    assert json.loads(mmhooks("manifest", ".", "--settings", folder=hello).stdout) == whole["settings_schema"]


SHAPES = {
    "tool": ("tool = 1", "pyproject.toml, tool: expected a table, found 1"),
    "tool.mmhooks": ("tool.mmhooks = 1", "pyproject.toml, tool.mmhooks: expected a table, found 1"),
    "project": ("project = []\n[tool.mmhooks]\nid = 'abc'", "pyproject.toml, project: expected a table, found []"),
    "urls": (
        "[project]\nurls = []\n[tool.mmhooks]\nid = 'abc'",
        "pyproject.toml, project.urls: expected a table, found []",
    ),
    "dynamic": (
        "[project]\nname = 1\ndynamic = 5\n[tool.mmhooks]\nid = 'abc'",
        "[project], name: expected a text, found 1",
    ),
    "a date": ("[tool.mmhooks]\nid = 'abc'\nprops = {a = 2020-01-01}", "it has something that JSON cannot have"),
    "not UTF-8": ("# \udcff", "pyproject.toml cannot be read: 'utf-8' codec can't decode"),
}


@pytest.mark.parametrize("case", [*SHAPES])
def test_a_pyproject_of_another_shape_is_told_without_a_traceback(folder: Folder, case: str) -> None:
    text, fault = SHAPES[case]
    hello = folder("hello")
    (hello / "pyproject.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    ran = mmhooks("manifest", folder=hello)
    assert ran.returncode == 1
    assert fault in ran.stderr
    assert "Traceback" not in ran.stderr


def test_modules_called_like_those_of_the_standard_library_do_no_harm(folder: Folder) -> None:
    hello = folder("hello")
    for name in ("json", "py_compile", "calendar", "zipfile"):
        (hello / f"{name}.py").write_text("raise SystemExit('shadowed')\n" if name != "json" else "x = 1\n")
    (hello / "json.py").rename(hello / "email.py")
    change(hello, '"mmhooks"]', '"mmhooks", "typing-extensions"]')
    ran = mmhooks("bundle", "--host", "netrpc", folder=hello)
    assert ran.returncode == 0, ran.stderr


def test_a_plugin_that_prints_anything_and_leaves_programs_behind_is_inspected_all_the_same(folder: Folder) -> None:
    hello = folder("hello")
    line = "import os, subprocess, sys\nos.write(1, b'\\xff\\n')\nsubprocess.Popen(['sleep', '20'])\napp = App()"
    change(hello, "app = App()", line, "plugin.py")
    began = time.monotonic()
    ran = mmhooks("manifest", folder=hello)
    assert ran.returncode == 0, ran.stderr
    assert time.monotonic() - began < 15


def test_settings_that_the_system_console_cannot_show_are_faults(folder: Folder) -> None:
    hello = folder("hello")
    text = "from pydantic import BaseModel\nclass Settings(BaseModel):\n    words: dict[str, str] = {}\n"
    (hello / "settings.py").write_text(text)
    change(hello, "app = App()", "from settings import Settings\napp = App(settings=Settings)", "plugin.py")
    ran = mmhooks("manifest", folder=hello)
    assert ran.returncode == 1
    assert "words" in ran.stderr


def test_a_hook_that_the_oldest_server_lacks_is_pointed_out(folder: Folder) -> None:
    hello = folder("hello")
    change(hello, 'name = "Hello"', 'name = "Hello"\nmin_server_version = "9.1.0"')
    more = "@app.hook\ndef messages_will_be_consumed(posts):\n    return None\n\n\nif __name__"
    change(hello, "if __name__", more, "plugin.py")
    ran = mmhooks("bundle", "--host", "netrpc", folder=hello)
    assert "For Mattermost 9.1.0 or newer." in ran.stdout
    assert "MessagesWillBeConsumed is not called by Mattermost 9.1.0, which has no such hook yet" in ran.stdout


def test_standalone_is_for_this_machine_only(folder: Folder) -> None:
    ran = mmhooks("bundle", "--standalone", "--platform", "darwin-arm64", folder=folder("hello"))
    assert ran.returncode == 1
    assert f"--standalone packs the Python that runs here, so it can be for {here()} only" in ran.stderr


def test_standalone_without_pyinstaller_says_what_to_install(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BundleError, match=r"--standalone needs PyInstaller: pip install 'mmhooks\[standalone\]'"):
        build.build(folder("hello"), [here()], with_python=True, say=lambda line: None)


def test_a_standalone_bundle_names_its_program_for_this_platform(unpacked: Unpacked) -> None:
    root = unpacked("house_rules", with_python=True)
    server = json.loads((root / "plugin.json").read_text())["server"]
    assert server == {"executables": {here().platform: "server/standalone/plugin"}}
    assert os.access(root / "server/standalone/plugin", os.X_OK)
    assert not (root / "server" / "plugin.py").exists()


STANDALONE_PLUGIN = """
import ctypes, decimal, email.mime.text, multiprocessing, os, sqlite3, ssl, subprocess, sys, unittest.mock, uuid
import asyncio.subprocess, concurrent.futures.process, encodings.idna, html.entities, logging.handlers
import xml.etree.ElementTree, zoneinfo

from mmhooks import App

app = App()


def double(number):
    return 2 * number


@app.hook
def on_activate() -> None:
    told = subprocess.run(["/bin/sh", "-c", "echo libraries=$LD_LIBRARY_PATH"], capture_output=True, text=True).stdout
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        told += f"doubled={pool.map(double, [21])} "
    for command in (["-X", "utf8", "-c", "print('command')"], ["-m", "json.tool", "--help"]):
        told += subprocess.run([sys.executable, *command], capture_output=True, text=True).stdout.split()[0] + " "
    app.logger.info("%s utf8=%d file=%s", told, sys.flags.utf8_mode, os.path.basename(__file__))


if __name__ == "__main__":
    app.run()
"""


def test_a_standalone_plugin_has_what_other_plugins_have(unpacked: Unpacked, tmp_path: Path) -> None:
    # What is frozen is the same for every plugin: another one takes the place of the one that it came with.
    root = tmp_path / "com.example.other"
    shutil.copytree(unpacked("house_rules", with_python=True), root)
    for place in (root, root / "__pycache__"):
        place.chmod(0o755)
    shutil.rmtree(root / "__pycache__")
    (root / "plugin.py").write_text(STANDALONE_PLUGIN)
    program = Program(root, [root / "server/standalone/plugin"], Path("/"), {})
    process = PluginProcess(program, "netrpc")
    try:
        process.activate()
        process.settle()
    finally:
        assert process.stop() == 0
    (line,) = process.log
    assert line.message == "libraries=\ndoubled=[42] command usage:  utf8=1 file=plugin.py"
