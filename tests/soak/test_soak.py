"""A short soak: the plugin answers rightly from the first call to the last, and does not grow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench import gohost
from tests.soak import soaking


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how much memory another process has")
@pytest.mark.timeout(300)
def test_a_plugin_does_not_grow_over_many_calls(gohost_program: Path, tmp_path: Path) -> None:
    with gohost.Host(gohost_program, tmp_path) as host:
        found = soaking.soak(host, 50_000)
    assert found.calls == 50_000
    assert found.growth < soaking.LIMIT, found.memory
