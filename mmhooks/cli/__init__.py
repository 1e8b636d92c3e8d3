"""The `mmhooks` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; without the extra `dev` it says what to install."""
    try:
        import click  # noqa: F401
        import watchfiles  # noqa: F401
    except ImportError as error:
        sys.exit(f"the mmhooks command needs {error.name}: pip install 'mmhooks[dev]'")
    from mmhooks.cli.commands import cli

    cli()
