"""What a plugin needs: read from its folder, and installed by pip for every target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mmhooks
from mmhooks import BundleError
from mmhooks.bundle import dependencies, targets
from mmhooks.bundle.manifest import Project
from mmhooks.bundle.targets import here
from tests.bundle import wheels


def project(folder: Path, **table: Any) -> Project:
    return Project(folder, {}, "", {"project": table} if table else {})


def needs(*texts: str) -> dependencies.Needs:
    return dependencies.read(project(Path("/nowhere"), dependencies=list(texts)))


def test_pyproject_goes_before_a_file_of_requirements(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "mmt_alpha==1.0 --hash=sha256:00\n# a comment\n-e ./own\nmmt_beta[more]>=2 # why\n"
    )
    found = dependencies.read(project(tmp_path, dependencies=["mmhooks>=0.1", "mmt_alpha; python_version < '3.12'"]))
    assert found.arguments == ("mmhooks>=0.1", 'mmt_alpha; python_version < "3.12"')
    found = dependencies.read(project(tmp_path, name="hello"))
    assert found.arguments == ("-r", "requirements.txt")
    assert [str(each) for each in found.requirements] == ["mmt_alpha==1.0", "mmt_beta[more]>=2"]
    (tmp_path / "requirements.txt").unlink()
    assert dependencies.read(project(tmp_path)) == dependencies.Needs((), ())


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no requirement": ({"dependencies": ["good", "not good!", 5]}, "'not good!' is no requirement"),
    "dynamic": ({"dynamic": ["dependencies"]}, 'dependencies are "dynamic"'),
    "another mmhooks": (
        {"dependencies": ["mmhooks>=99"]},
        f"needs mmhooks>=99, and this is mmhooks {mmhooks.__version__}",
    ),
}


@pytest.mark.parametrize("case", [*REFUSED])
def test_what_cannot_be_read_is_named(tmp_path: Path, case: str) -> None:
    table, text = REFUSED[case]
    with pytest.raises(BundleError) as refused:
        dependencies.read(project(tmp_path, **table))
    assert text in str(refused.value)


def test_targets_are_every_platform_with_every_python() -> None:
    assert list(map(str, targets.targets("linux-amd64, darwin-arm64", "3.11,3.13"))) == [
        "linux-amd64-py3.11",
        "linux-amd64-py3.13",
        "darwin-arm64-py3.11",
        "darwin-arm64-py3.13",
    ]
    assert targets.targets() == [here()]
    with pytest.raises(BundleError) as refused:
        targets.targets("linux-sparc,linux-amd64", "3.10,three")
    assert [fault.partition(":")[0] for fault in refused.value.faults] == [
        "--platform linux-sparc",
        "--python 3.10",
        "--python three",
    ]


class Installed:
    """What was installed, and what was said."""

    def __init__(self, lib: Path) -> None:
        self.lib = lib
        self.said: list[str] = []
        self.placed: dict[str, list[tuple[str, str]]] = {}

    def has(self, path: str) -> bool:
        return (self.lib / path).exists()


Install = Callable[..., Installed]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which pip looks for distributions, too."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def install(tmp_path: Path) -> Install:
    def install_it(needed: dependencies.Needs, *wanted: targets.Target, folder: Path = tmp_path) -> Installed:
        installed = Installed(tmp_path / "lib")
        for each in dependencies.install(
            needed, wanted or [here()], installed.lib, folder, installed.said.append, grpc=False
        ):
            installed.placed.setdefault(each.name, []).append((each.version, each.place))
        return installed

    return install_it


def other_python() -> str:
    return "3.12" if here().python == "3.11" else "3.11"


def test_what_was_compiled_is_kept_apart_and_the_rest_is_shared(install: Install) -> None:
    arm = targets.Target("linux-arm64", other_python())
    found = install(needs("mmhooks"), here(), arm)
    assert [place for _, place in found.placed["msgspec"]] == sorted([str(here()), str(arm)])
    assert [place for _, place in found.placed["pydantic"]] == ["any"]
    assert found.placed["mmhooks"] == [(mmhooks.__version__, "any")]
    machine = next((found.lib / str(arm) / "msgspec").glob("_core*.so")).name
    assert "aarch64" in machine
    assert other_python().replace(".", "") in machine
    assert not found.has("any/msgspec")


def test_mmhooks_leaves_behind_what_only_its_authors_side_needs(install: Install) -> None:
    found = install(needs())
    assert found.has("any/mmhooks/hosts/netrpc/server.py")
    for name in ("cli", "bundle", "deploy", "testing", "hosts/grpc"):
        assert not found.has(f"any/mmhooks/{name}")
    assert "grpcio" not in found.placed
    assert "click" not in found.placed


def test_nothing_that_names_this_machine_comes_along(install: Install, index: Path, tmp_path: Path) -> None:
    scripts = {
        "mmt_alpha-1.0.dist-info/entry_points.txt": "[console_scripts]\nalpha = mmt_alpha:main\n",
        "mmt_alpha.pth": "import os",
    }
    wheels.wheel(index, "mmt_alpha", files=scripts)
    found = install(needs(f"mmt_alpha @ file://{index}/mmt_alpha-1.0-py3-none-any.whl"))
    assert found.has("any/mmt_alpha.py")
    names = {path.name for path in found.lib.rglob("*")}
    assert not names & {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "bin", "__pycache__"}
    assert any("mmt_alpha.pth is not read in a bundle" in line for line in found.said)
    for path in found.lib.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path


def test_what_only_the_other_python_needs_is_found_out(install: Install, index: Path) -> None:
    # pip looks at the Python that runs it, not at the one that it installs for.
    other = targets.Target("linux-arm64", other_python())
    wheels.wheel(index, "mmt_alpha", headers=f'Requires-Dist: mmt_beta[more]; python_version == "{other.python}"\n')
    wheels.wheel(index, "mmt_beta", headers='Provides-Extra: more\nRequires-Dist: mmt_gamma; extra == "more"\n')
    wheels.wheel(index, "mmt_gamma")
    wheels.wheel(index, "mmt_delta")
    asked = needs("mmt_alpha", 'mmt_delta; platform_machine == "aarch64"')
    found = install(asked, here(), other)
    assert {name for name in found.placed if name.startswith("mmt_")} == {
        "mmt_alpha",
        "mmt_beta",
        "mmt_gamma",
        "mmt_delta",
    }


def test_a_version_for_one_python_only_does_not_get_into_the_way_of_the_others(install: Install, index: Path) -> None:
    wheels.wheel(index, "mmt_alpha", "1.0")
    wheels.wheel(index, "mmt_alpha", "2.0", headers=f"Requires-Python: !={here().python}.*\n")
    other = here()._replace(python=other_python())
    found = install(needs("mmt_alpha"), here(), other)
    assert found.placed["mmt_alpha"] == [("1.0", "any"), ("2.0", str(other))]
    assert "2.0" in (found.lib / str(other) / "mmt_alpha.py").read_text()


def test_what_has_no_wheel_is_built_for_this_machine_only(install: Install, index: Path) -> None:
    wheels.source(index, "mmt_epsilon")
    found = install(needs("mmt_epsilon"))
    assert found.has("any/mmt_epsilon.py")
    assert any("built on this machine" in line for line in found.said)
    other = here()._replace(python=other_python())
    with pytest.raises(BundleError) as refused:
        install(needs("mmt_epsilon"), other)
    assert f"the dependencies for {other.platform}, Python {other.python}, are not to be had" in str(refused.value)
    assert "what has no wheel for it can be built only on such a machine" in str(refused.value)
    assert "No matching distribution found for mmt_epsilon" in str(refused.value)


def test_what_does_not_exist_is_told_in_pips_words(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(BundleError, match="No matching distribution found for no-such-distribution"):
        install(needs("no-such-distribution"))


def test_a_file_of_requirements_may_lead_to_others(install: Install, index: Path, tmp_path: Path) -> None:
    wheels.wheel(index, "mmt_alpha", "1.0")
    wheels.wheel(index, "mmt_alpha", "2.0")
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "requirements.txt").write_text("mmhooks\n-r more.txt\n-c limits.txt\n")
    (folder / "more.txt").write_text("mmt_alpha\n")
    (folder / "limits.txt").write_text("mmt_alpha<2\n")
    found = install(dependencies.read(project(folder)), folder=folder)
    assert found.placed["mmt_alpha"] == [("1.0", "any")]


def test_a_python_without_pip_is_named(install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(bare))
    with pytest.raises(BundleError, match="has no pip, which installs the dependencies: python -m ensurepip"):
        install(needs())
