"""The rules of the layout: imports point one way, transports stay outside the core, the root is lazy."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import mmhooks
import mmhooks.models
from mmhooks import errors
from mmhooks.hooks import HOOKS

PACKAGE = Path(mmhooks.__file__).parent


class Import(NamedTuple):
    """One imported module, and where the import stands."""

    module: str
    """The module that imports."""
    target: str
    place: str
    """"module", "function" or "types" (read by type checkers only)."""
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TEMPLATE = PACKAGE / "cli" / "template"
"""A plugin to begin with: files to copy, not modules of ours."""

FILES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if TEMPLATE not in path.parents}


def imports_in(module: str) -> Iterator[Import]:
    yield from _imports(module, ast.parse(FILES[module].read_text()), "module")


def _imports(module: str, tree: ast.AST, place: str) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, place, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are written in full"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Import(module, full if full in FILES else str(node.module), place, node.lineno)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(module, node, "function")
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from (found._replace(place="types") for found in _imports(module, node, place))
        else:
            yield from _imports(module, node, place)


ALL = [found for module in FILES for found in imports_in(module)]
RUNTIME = [found for found in ALL if found.place != "types"]


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


OUTER = ("mmhooks.hosts", "mmhooks.testing", "mmhooks.bundle", "mmhooks.deploy", "mmhooks.cli")
TRANSPORTS = ("grpc", "grpc_health", "google", "grpc_tools")


def is_core(module: str) -> bool:
    return not within(module, *OUTER, "mmhooks.models") and module != "mmhooks"


def told(found: list[Import]) -> list[str]:
    return [str(each) for each in found]


def test_all_layers_are_looked_at() -> None:
    layers = {"mmhooks", "mmhooks.app", "mmhooks.api.calls", "mmhooks.testing.client", "mmhooks.cli"}
    assert layers | {"mmhooks.hosts.grpc.codec", "mmhooks.hosts.netrpc.gob.reading"} <= {*FILES}
    assert any(found.target == "mmhooks.hosts.grpc.codec" for found in RUNTIME)
    assert {found.place for found in ALL} == {"module", "function", "types"}


def test_the_core_never_loads_hosts_tests_or_commands() -> None:
    assert not told([i for i in RUNTIME if is_core(i.module) and i.place == "module" and within(i.target, *OUTER)])


def test_only_the_app_reaches_out_and_only_when_asked_to() -> None:
    reaching = [i for i in RUNTIME if is_core(i.module) and within(i.target, *OUTER)]
    assert {(i.module, i.place) for i in reaching} == {("mmhooks.app", "function")}
    assert {i.target for i in reaching} == {"mmhooks.hosts", "mmhooks.testing.client"}


def test_the_core_and_the_models_know_no_transport() -> None:
    inner = [i for i in ALL if is_core(i.module) or within(i.module, "mmhooks.models")]
    assert not told([i for i in inner if within(i.target, *TRANSPORTS)])


def test_models_stand_on_errors_and_nothing_else_of_the_package() -> None:
    ours = [i for i in ALL if within(i.module, "mmhooks.models") and within(i.target, "mmhooks")]
    assert not told([i for i in ours if not within(i.target, "mmhooks.models", "mmhooks.errors")])
    assert not told([i for i in ALL if i.module == "mmhooks.errors" and within(i.target, "mmhooks")])


def test_hosts_know_neither_tests_nor_commands() -> None:
    assert not told([i for i in ALL if within(i.module, "mmhooks.hosts") and within(i.target, *OUTER[1:])])


def test_hosts_never_import_each_other() -> None:
    hosts = [f"mmhooks.hosts.{path.name}" for path in (PACKAGE / "hosts").iterdir() if (path / "__init__.py").exists()]
    assert {"mmhooks.hosts.grpc", "mmhooks.hosts.netrpc"} <= {*hosts}
    for host in hosts:
        others = [other for other in hosts if other != host]
        assert not told([i for i in ALL if within(i.module, host) and within(i.target, *others)])


def test_what_hosts_share_knows_none_of_them() -> None:
    shared = [f"mmhooks.hosts.{path.stem}" for path in (PACKAGE / "hosts").glob("*.py") if path.stem != "__init__"]
    assert {"mmhooks.hosts.handshake", "mmhooks.hosts.loop", "mmhooks.hosts.sockets"} <= {*shared}
    hosts = ("mmhooks.hosts.grpc", "mmhooks.hosts.netrpc")
    assert not told([i for i in ALL if i.module in (*shared, "mmhooks.hosts") and within(i.target, *hosts)])


def test_the_host_of_released_servers_needs_no_grpc() -> None:
    assert not told([i for i in ALL if within(i.module, "mmhooks.hosts.netrpc") and within(i.target, *TRANSPORTS)])


FORMATS = ("mmhooks.hosts.netrpc.gob", "mmhooks.hosts.netrpc.yamux", "mmhooks.hosts.netrpc.frames")
SANS_IO = (*FORMATS, "mmhooks.hosts.netrpc.rpc")


def test_the_formats_of_the_wire_neither_wait_nor_hold_sockets() -> None:
    waiting = ("asyncio", "socket", "select", "threading", "mmhooks.hosts.netrpc.session")
    assert not told([i for i in RUNTIME if within(i.module, *SANS_IO) and within(i.target, *waiting)])


def test_gob_and_yamux_know_nothing_of_mattermost() -> None:
    ours = [i for i in ALL if within(i.module, *FORMATS) and within(i.target, "mmhooks")]
    allowed = (*FORMATS, "mmhooks.errors", "mmhooks.changes")
    assert not told([i for i in ours if not within(i.target, *allowed)])


def test_the_plugin_api_knows_neither_apps_nor_handlers() -> None:
    ours = [i for i in ALL if within(i.module, "mmhooks.api") and within(i.target, "mmhooks")]
    below = ("mmhooks.api", "mmhooks.errors", "mmhooks.models", "mmhooks.naming", "mmhooks.threads")
    assert not told([i for i in ours if not within(i.target, *below)])


def test_the_key_value_store_stands_on_the_plugin_api() -> None:
    ours = [i for i in ALL if within(i.module, "mmhooks.kv") and within(i.target, "mmhooks")]
    below = ("mmhooks.kv", "mmhooks.api", "mmhooks.errors", "mmhooks.models", "mmhooks.threads")
    assert not told([i for i in ours if not within(i.target, *below)])


def test_bots_stand_on_the_plugin_api() -> None:
    ours = [i for i in ALL if within(i.module, "mmhooks.bots") and within(i.target, "mmhooks")]
    below = ("mmhooks.bots", "mmhooks.api", "mmhooks.errors", "mmhooks.models")
    assert not told([i for i in ours if not within(i.target, *below)])


def test_testing_knows_no_commands() -> None:
    assert not told([i for i in ALL if within(i.module, "mmhooks.testing") and within(i.target, "mmhooks.cli")])


def test_nobody_in_the_package_goes_through_the_lazy_root() -> None:
    through = [i for i in RUNTIME if i.target == "mmhooks"]
    assert not told([i for i in through if "__version__" not in source_line(i)])


def source_line(found: Import) -> str:
    return FILES[found.module].read_text().splitlines()[found.line - 1]


CHECKING = {
    "mmhooks.config",
    "mmhooks.settings",
    "mmhooks.fields",
    "mmhooks.bundle.settings_schema",
    "mmhooks.kv.validation",
}


def test_pydantic_stays_in_the_modules_that_are_loaded_when_something_has_to_be_checked() -> None:
    assert {i.module for i in RUNTIME if within(i.target, "pydantic", "pydantic_core")} == CHECKING
    outside = [i for i in RUNTIME if i.target in CHECKING and i.module not in CHECKING]
    assert not told([i for i in outside if i.place == "module"])


def test_modules_have_names_that_say_something() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    assert not [module for module in FILES if module.rsplit(".", 1)[-1] in vague]


# the lazy root


def test_importing_the_package_loads_nothing_of_it_and_nothing_heavy() -> None:
    program = "import sys, mmhooks; print(*sorted(m for m in sys.modules if m.split('.')[0] in sys.argv))"
    watched = ["mmhooks", "grpc", "google", "pydantic", "msgspec", "asyncio", "inspect", "click"]
    ran = subprocess.run([sys.executable, "-c", program, *watched], env={}, text=True, capture_output=True, check=True)
    assert ran.stdout.split() == ["mmhooks"]


def test_the_root_imports_only_what_finds_the_rest() -> None:
    targets = {i.target for i in RUNTIME if i.module == "mmhooks"}
    assert targets == {"__future__", "importlib", "os", "typing", "mmhooks.launch"}


def test_the_root_takes_over_only_under_a_hosts_cookie() -> None:
    tree = ast.parse(FILES["mmhooks"].read_text())
    guarded = [node for node in tree.body if isinstance(node, ast.If) and "MATTERMOST_PLUGIN" in ast.unparse(node.test)]
    assert len(guarded) == 1
    assert "launch.take_over()" in ast.unparse(guarded[0])


LAZY = pytest.mark.parametrize("package", [mmhooks, mmhooks.models], ids=["mmhooks", "mmhooks.models"])


def for_type_checkers(package: ModuleType) -> dict[str, str]:
    """The names that type checkers see, with the modules they come from."""
    tree = ast.parse(Path(str(package.__file__)).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.asname == alias.name, f"{alias.name} is not re-exported"
            found[alias.name] = str(node.module)
    return found


@LAZY
def test_the_public_names_are_those_that_type_checkers_see(package: ModuleType) -> None:
    assert sorted(for_type_checkers(package)) == [*package.__all__]
    assert {*dir(package)} >= {*package.__all__}


@LAZY
def test_every_public_name_is_the_one_of_its_module(package: ModuleType) -> None:
    for name, home in for_type_checkers(package).items():
        assert getattr(package, name) is getattr(importlib.import_module(home), name)


@LAZY
def test_a_name_that_is_not_there_raises_the_usual_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=rf"^module '{package.__name__}' has no attribute 'Nonsense'$"):
        _ = package.Nonsense


def test_every_error_of_the_package_is_public() -> None:
    named = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert named <= {*mmhooks.__all__}
    assert all(issubclass(getattr(errors, name), mmhooks.MmhooksError) for name in named)


def test_every_type_in_a_hooks_signature_is_public() -> None:
    types = [p.type for hook in HOOKS.values() for p in hook.parameters] + [hook.result for hook in HOOKS.values()]
    words = {word for type_ in types for word in type_.replace("[", " ").replace("]", " ").split()}
    plain = {"None", "|", "str", "int", "bool", "list", "BinaryIO"}
    later = {"Request", "Response"}  # they come with the streams of ServeHTTP
    assert words - plain - later <= {*mmhooks.__all__}


def test_the_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    assert mmhooks.__version__ == project["version"]


def test_no_test_sleeps_to_wait_for_something() -> None:
    # What is measured may sleep: blocking is what one of its plugins is there for.
    files = [file for file in (PACKAGE.parent / "tests").rglob("*.py") if "programs" not in file.parts]
    files += (PACKAGE.parent / "examples").rglob("test_*.py")
    sleeps = [
        f"{file.relative_to(PACKAGE.parent)}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep") and ast.unparse(node.args[0]) != "0"
    ]
    assert sleeps == []
