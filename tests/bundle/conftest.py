"""Bundles of the examples, made once for all tests, and what they are unpacked to."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmhooks import BundleError
from mmhooks.bundle import build, checking
from mmhooks.bundle.targets import here
from tests.host_driver import ROOT

EXAMPLES = ROOT / "examples"

PATH = f"{sys.base_prefix}/bin{os.pathsep}{os.environ.get('PATH', '')}"
"""A `PATH` by which the Python of this suite is found: bundles are made for it."""

Folder = Callable[[str], Path]
"""Makes a copy of an example's folder: `folder("hello")`."""

Make = Callable[..., build.Bundle]
"""Makes the bundle of an example: `made("hello", grpc=False, with_python=True)`."""

Unpacked = Callable[..., Path]
"""The unpacked bundle of an example, in which nobody may write; with the arguments of `Make`."""


def copy_example(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "dist")))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return lambda name: copy_example(name, tmp_path)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Make:
    @functools.cache
    def make(name: str, **options: bool) -> build.Bundle:
        folder = copy_example(name, tmp_path_factory.mktemp("bundled"))
        try:
            return build.build(folder, [here()], say=lambda line: None, **options)
        except BundleError as error:
            if not options.get("with_python") or os.environ.get("CI") == "true":
                raise
            pytest.skip(f"needs a Python with a shared library, and binutils, for PyInstaller: {error}")

    return make


@pytest.fixture(scope="session")
def unpacked(made: Make) -> Iterator[Unpacked]:
    with contextlib.ExitStack() as stack:

        @functools.cache
        def unpack(name: str, **options: bool) -> Path:
            return stack.enter_context(checking.unpacked(made(name, **options).file))

        yield unpack
