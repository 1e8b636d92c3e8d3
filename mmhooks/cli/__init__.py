"""The `mmhooks` command."""

from __future__ import annotations

import importlib.util
import sys


def main() -> None:
    """Run the command line; without the extra `dev` it says what to install."""
    for name in ("click", "httpx", "packaging", "watchfiles"):
        if importlib.util.find_spec(name) is None:
            sys.exit(f"the mmhooks command needs {name}: pip install 'mmhooks[dev]'")
    from mmhooks.cli.commands import cli

    cli()
