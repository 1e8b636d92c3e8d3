"""The commands that make bundles, with their options."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mmhooks.bundle.build import Bundle

FOLDER = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".", metavar="[FOLDER]"
)


@click.command(short_help="Make the file that a server takes.")
@FOLDER
@click.option("--platform", "platforms", default="", metavar="NAMES", help="linux-amd64,linux-arm64 …; this one's.")
@click.option("--python", "pythons", default="", metavar="VERSIONS", help="Of the servers: 3.11,3.12 …; this one.")
@click.option(
    "--host",
    type=click.Choice(["all", "netrpc"]),
    default="all",
    show_default=True,
    help="netrpc: for released servers only, without gRPC's libraries; a third of the size.",
)
@click.option("--standalone", is_flag=True, help="Pack Python, too, for servers that have none.")
@click.option("--check", is_flag=True, help="Unpack and start the bundle as servers do.")
def bundle(folder: Path, platforms: str, pythons: str, host: str, standalone: bool, check: bool) -> None:
    """Make the file that a server takes, of the plugin in FOLDER, which has a plugin.py; the current one unless given.

    The plugin is described by [tool.mmhooks] in its pyproject.toml, or by a plugin.json. Its dependencies are those of
    pyproject.toml, or of requirements.txt. What comes out is dist/<id>-<version>.tar.gz.
    """
    from mmhooks.bundle import build, checking, targets

    folder = folder.resolve()
    made = build.build(
        folder, targets.targets(platforms, pythons), grpc=host == "all", with_python=standalone, say=click.echo
    )
    for line in _report(made):
        click.echo(line)
    if check:
        checking.check(made.file, click.echo)


@click.command(short_help="Print the manifest of a plugin's bundle.")
@FOLDER
@click.option("--settings", is_flag=True, help="Only the part that is made from the plugin's settings.")
def manifest(folder: Path, settings: bool) -> None:
    """Print the manifest that the bundle of FOLDER would have."""
    from mmhooks.bundle import build

    made: dict[str, Any] | None = build.describe(folder.resolve())
    if settings and made is not None:
        made = made.get("settings_schema")
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))


def _report(made: Bundle) -> Iterator[str]:
    from mmhooks.bundle.manifest import newer_hooks

    yield click.style(f"{os.path.relpath(made.file)}: {_size(made.file.stat().st_size)}", bold=True) + ", unpacked:"
    there: dict[str, list[str]] = {}
    for library in made.libraries:
        if library.name != "mmhooks":
            there.setdefault(library.place, []).append(f"{library.name} {library.version}")
    for part, size, place in made.parts:
        if size:
            yield f"  {_size(size):>8}  {part}" + (f": {', '.join(there[place])}" if place in there else "")
    oldest = made.manifest["min_server_version"]
    yield f"For Mattermost {oldest} or newer. Hooks: {', '.join(made.hooks) or 'none'}"
    for name in newer_hooks(made.manifest, made.hooks):
        yield f"  {name} is not called by Mattermost {oldest}, which has no such hook yet"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count, 1000) / 1000:.0f} kB"
