"""What a plugin says of itself when its modules are imported: its hooks and its settings. In a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn

from mmhooks.errors import BundleError
from mmhooks.launch import COOKIE
from mmhooks.log import authors_part

if TYPE_CHECKING:
    from mmhooks.app import App

PATIENCE = 120.0
"""Seconds for the import."""


class About(NamedTuple):
    """What came out."""

    hooks: list[str]
    settings_schema: dict[str, Any] | None


def inspect(folder: Path) -> About:
    """Run the plugin's plugin.py as far as its `app.run()`, with what is installed here.

    Raises `BundleError` when that fails, with the plugin's own last words.
    """
    environ = {name: value for name, value in os.environ.items() if name != COOKIE[0]}
    command = [sys.executable, "-P", "-m", __name__, str(folder / "plugin.py")]
    # Files, not pipes: programs that the plugin starts may keep them open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        try:
            status = subprocess.run(
                command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, timeout=PATIENCE
            ).returncode
        except subprocess.TimeoutExpired:
            raise BundleError(
                [f"plugin.py was still being imported after {PATIENCE:g} s: what does it wait for?"]
            ) from None
        answer, story = (_read(file) for file in (out, errors))
    if status:
        raise BundleError(["plugin.py cannot be imported here, as it has to be for the manifest:", *_story(story)])
    told = json.loads(answer)
    if "faults" in told:
        raise BundleError(told["faults"])
    return About(told["hooks"], told["settings_schema"])


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _story(stderr: str) -> list[str]:
    lines = stderr.strip().splitlines() or ["it says nothing of the reason"]
    if "ModuleNotFoundError" in lines[-1]:
        lines.append("Install what the plugin needs where mmhooks runs, too.")
    return [f"  {line}" for line in lines[-12:]]


def main(file: str) -> None:
    """Import the plugin, and print what it says of itself as JSON."""
    from mmhooks import hosts
    from mmhooks.hosts import ahead

    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the plugin prints is for people
    sys.path.insert(0, os.path.dirname(file))

    def tell(app: App) -> NoReturn:
        with out:
            json.dump(_about(app), out)
        os._exit(0)  # whatever threads the plugin has started

    hosts.hand_over = tell
    try:
        ahead.execute(file)
    except BaseException as error:
        traceback.print_exception(type(error), error, authors_part(error.__traceback__))
    else:
        sys.stderr.write("plugin.py ended without app.run(), which has to be its last line\n")
    sys.stderr.flush()
    os._exit(1)  # whatever threads the plugin has started


def _about(app: App) -> dict[str, Any]:
    model = getattr(app, "settings_model", None)
    if model is None:
        return {"hooks": app.implemented_hooks(), "settings_schema": None}
    from mmhooks.bundle.settings_schema import settings_schema

    try:
        return {"hooks": app.implemented_hooks(), "settings_schema": settings_schema(model)}
    except BundleError as error:
        return {"faults": error.faults}


if __name__ == "__main__":
    main(sys.argv[1])
