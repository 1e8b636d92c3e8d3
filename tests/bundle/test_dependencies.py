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
        "mmt_alpha==1.0 --no-binary=:none:\n# a comment\n-e ./own\nmmt_beta[more]>=2 # why\n"
    )
    found = dependencies.read(project(tmp_path, dependencies=["mmhooks>=0.1", "mmt_alpha; python_version < '3.12'"]))
    assert found.arguments(targets.Target("linux-amd64", "3.11")) == ["mmhooks>=0.1", "mmt_alpha"]
    assert found.arguments(targets.Target("linux-amd64", "3.12")) == ["mmhooks>=0.1"]
    found = dependencies.read(project(tmp_path, name="hello"))
    assert found.arguments(here()) == ["-r", "requirements.txt"]
    assert [str(each) for each in found.requirements] == ["mmt_alpha==1.0", "mmt_beta[more]>=2"]
    (tmp_path / "requirements.txt").unlink()
    assert dependencies.read(project(tmp_path)) == dependencies.Needs()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no requirement": ({"dependencies": ["good", "not good!"]}, "'not good!' is no requirement"),
    "no text": ({"dependencies": ["good", 5]}, "5 is no requirement: expected a text"),
    "no list": ({"dependencies": 5}, "expected a list, found 5"),
    "a text": ({"dependencies": "mmhooks"}, "expected a list, found 'mmhooks'"),
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


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_bytes("# größer".encode("latin-1"))
    with pytest.raises(BundleError, match=r"requirements\.txt cannot be read: 'utf-8' codec"):
        dependencies.read(project(tmp_path))
    file.write_text("six==1.16.0 \\\n    --hash=sha256:8abb2f1d8689")
    with pytest.raises(
        BundleError, match=r"requirements\.txt has hashes, by which mmhooks itself could not be installed"
    ):
        dependencies.read(project(tmp_path))


@pytest.mark.parametrize(("text", "fits"), [(">=3.11", True), ("!=3.12.1", True), (">=3.13", False), ("<3.12", False)])
def test_a_python_that_the_plugin_does_not_want_is_a_fault(tmp_path: Path, text: str, fits: bool) -> None:
    wanted = project(tmp_path, **{"requires-python": text})
    target = targets.Target("linux-amd64", "3.12")
    if fits:
        dependencies.check_pythons(wanted, [target])
        return
    with pytest.raises(BundleError) as refused:
        dependencies.check_pythons(wanted, [target])
    assert str(refused.value) == (
        f"linux-amd64-py3.12: pyproject.toml, [project] requires-python is {text}: choose others by --python"
    )


@pytest.mark.parametrize("text", ["three", 3])
def test_a_requires_python_that_says_nothing_is_named(tmp_path: Path, text: object) -> None:
    with pytest.raises(BundleError, match=r"requires-python: expected as in >=3\.11, found"):
        dependencies.check_pythons(project(tmp_path, **{"requires-python": text}), [here()])


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


def test_the_version_is_the_one_for_the_target_and_not_for_this_python(install: Install, index: Path) -> None:
    other = here()._replace(python=other_python())
    for version in ("1.0", "2.0"):
        wheels.wheel(index, "mmt_alpha", version)
    ours, theirs = f"python_version == '{here().python}'", f"python_version != '{here().python}'"
    split = needs(f"mmt_alpha==1.0; {ours}", f"mmt_alpha==2.0; {theirs}", f"no-such-distribution; {ours}")
    assert install(split, other).placed["mmt_alpha"] == [("2.0", "any")]
    # Below other distributions pip decides, and what it decides wrongly is told.
    wheels.wheel(
        index, "mmt_beta", headers=f"Requires-Dist: mmt_alpha==1.0; {ours}\nRequires-Dist: mmt_alpha==2.0; {theirs}\n"
    )
    with pytest.raises(
        BundleError, match=rf"mmt_alpha==2\.0 is needed, and pip took 1\.0, as this is Python {here().python}"
    ):
        install(needs("mmt_beta"), other)


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
