"""The command that makes a plugin's folder to begin with."""

from __future__ import annotations

import re
import string
from pathlib import Path

import click

from mmhooks.errors import BundleError

TEMPLATE = Path(__file__).with_name("template")

_HIDDEN = {"gitignore": ".gitignore"}
"""Files that would have an effect in this package by their own names."""


@click.command(short_help="Make a plugin's folder to begin with.")
@click.argument("name")
def new(name: str) -> None:
    """Make a folder NAME with a plugin in it: code, settings, tests, and what a bundle needs. Asks nothing."""
    for path in make(name, Path.cwd()):
        click.echo(path)
    click.echo(f"Next: cd {name}, then mmhooks dev . or pytest, and mmhooks bundle when it is ready for a server.")


def make(name: str, folder: Path) -> list[str]:
    """Make the plugin's folder.

    Arguments:
        name: the plugin's; it becomes the end of its id.
        folder: where.

    Result: the files. Raises `BundleError` for a name that cannot be one, and where there is something already.
    """
    if not re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", name):
        raise BundleError(
            [f"{name!r} cannot be a plugin's name: small letters, digits and - _ . between them, as in weather-report"]
        )
    goal = folder / name
    if goal.exists() and (not goal.is_dir() or any(goal.iterdir())):
        raise BundleError([f"{goal} is there already, and not empty: take another name"])
    words = {"name": name, "title": re.sub(r"[-_.]+", " ", name).capitalize()}
    goal.mkdir(exist_ok=True)
    made = []
    for source in sorted(TEMPLATE.iterdir()):
        if source.is_file():
            text = string.Template(source.read_text(encoding="utf-8")).substitute(words)
            file = goal / _HIDDEN.get(source.name, source.name)
            file.write_text(text, encoding="utf-8")
            made.append(f"{name}/{file.name}")
    return made
