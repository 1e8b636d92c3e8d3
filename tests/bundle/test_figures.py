"""The benchmark of bundles measures what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import bundles
from tests.bench.machine import Wire
from tests.bundle.conftest import Unpacked


@pytest.mark.parametrize("wire", ["netrpc", "grpc"])
def test_starts_are_measured_by_hand_and_by_the_launcher_and_on_a_busy_machine(
    unpacked: Unpacked, tmp_path: Path, wire: Wire
) -> None:
    launcher, busy = bundles.starts({"bundle": unpacked("hello")}, tmp_path, 1, wire)
    assert launcher.target == 1.3
    assert launcher.value > 0
    assert busy.target == {"netrpc": 1000, "grpc": 2000}[wire]
    assert busy.value > 10  # no Python starts in less
