"""The commands, with their options."""

from __future__ import annotations

import json
import sys
from typing import Any, get_args

import click

from mmhooks import __version__
from mmhooks.cli.bundle import bundle, manifest
from mmhooks.cli.new import new
from mmhooks.cli.server import deploy, disable, enable, logs, remove
from mmhooks.errors import MmhooksError
from mmhooks.hosts.handshake import Host as Wire
from mmhooks.testing.hosts import DEFAULT


class _Commands(click.Group):
    """Shows mmhooks' own errors as what they are: something to mend, and no reason for a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*self.commands]  # in the order in which a plugin's author comes to need them

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except MmhooksError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(str(error)) from error  # names the file, and what the system says


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mmhooks")
def cli() -> None:
    """Write Mattermost server plugins in Python."""


def _json_object(context: click.Context, option: click.Parameter, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.BadParameter(f"expected an object, as in '{{\"priority\": 1}}', found {text}")
    return found


@click.command(short_help="Try a plugin without a server.")
@click.argument("plugin", type=click.Path())
@click.option("--post", "posts", multiple=True, metavar="TEXT", help="Take this line and stop; may be repeated.")
@click.option("--user", default="someone", show_default=True, help="The name of the user who posts.")
@click.option("--channel", default="town-square", show_default=True, help="The name of the channel.")
@click.option("--props", default="{}", metavar="JSON", callback=_json_object, help="The props of the posts.")
@click.option(
    "--host",
    type=click.Choice(get_args(Wire)),
    default=DEFAULT,
    show_default=True,
    help="Who starts the plugin: netrpc, as every released server does, or grpc, as Mattermost's runtime for Python "
    "plugins.",
)
def dev(plugin: str, posts: tuple[str, ...], user: str, channel: str, props: dict[str, Any], host: str) -> None:
    """Try PLUGIN (a file, or a folder with a plugin.py) without a server.

    Starts it as a server does, on a Mattermost in memory, then takes messages from the terminal and shows what is stored,
    and what the plugin does. A line that begins with a slash is a command; :help lists what else there is, such as being
    somebody else. The plugin is started again when its files change.
    """
    from mmhooks.cli.dev import Console, in_brief

    try:
        console = Console(plugin, user=user, channel=channel, host=host, props=props)
        if posts:
            sys.exit(0 if console.post_all(posts) else 1)
        console.converse(sys.stdin)
    except MmhooksError as error:
        raise click.ClickException(in_brief(error)) from error


for command in (new, dev, bundle, manifest, deploy, logs, enable, disable, remove):
    cli.add_command(command)
