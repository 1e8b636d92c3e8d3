"""The commands that speak to a server: deploy, enable, disable, remove, logs."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mmhooks.errors import DeployError

if TYPE_CHECKING:  # httpx is for these commands only: `mmhooks dev` does without it
    from mmhooks.deploy.server import Server

_OPTIONS = (
    click.option(
        "--server",
        "address",
        metavar="URL",
        envvar="MM_SERVICESETTINGS_SITEURL",
        show_envvar=True,
        help="The server's address, with its subpath if it has one.",
    ),
    click.option(
        "--token",
        metavar="TOKEN",
        envvar="MM_ADMIN_TOKEN",
        show_envvar=True,
        help="A personal access token of a system admin. Better set by the variable: everybody on this machine can see "
        "the options of a command.",
    ),
    click.option(
        "--socket",
        metavar="PATH",
        envvar="MM_LOCALSOCKETPATH",
        show_envvar=True,
        help="The socket of a server on this machine that is in local mode, instead of an address and a token.",
    ),
    click.option(
        "--ca",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        help="Trust the certificates in FILE, too.",
    ),
    click.option("--insecure", is_flag=True, help="Trust any certificate."),
)

_TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long the plugin may take until it runs.",
)


def _on_a_server(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command a `Server`, from options that it adds."""

    @functools.wraps(command)
    def with_server(
        address: str | None, token: str | None, socket: str | None, ca: str | None, insecure: bool, **more: Any
    ) -> None:
        with _server(address, token, socket, ca, insecure) as server:
            command(server, **more)

    return functools.reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), with_server)


def _server(address: str | None, token: str | None, socket: str | None, ca: str | None, insecure: bool) -> Server:
    from mmhooks.deploy.server import LOCAL_SOCKET, Server

    source = click.get_current_context().get_parameter_source
    typed = {name for name in ("address", "socket") if source(name) is ParameterSource.COMMANDLINE}
    if len(typed) == 2 or (insecure and ca):
        raise click.UsageError("--server and --socket, and --ca and --insecure, exclude each other.")
    if socket and "address" not in typed:  # of two variables the socket's counts, as for Mattermost's own pluginctl
        return Server.over(socket)
    if address:
        return Server.at(address, token or "", ca=ca or "", insecure=insecure)
    if Path(LOCAL_SOCKET).exists():
        return Server.over(LOCAL_SOCKET)
    raise DeployError(
        "Which server? Set MM_SERVICESETTINGS_SITEURL to its address, as in https://chat.example.com, and MM_ADMIN_TOKEN "
        "to a personal access token; or, on the server's own machine, --socket to the path of its local mode."
    )


def _id(context: click.Context, argument: click.Parameter, text: str | None) -> str:
    from mmhooks.deploy.bundle import checked_id, id_in

    return id_in(Path()) if text is None else checked_id(text)


@click.command(short_help="Upload a bundle, and switch it on.")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option("--no-enable", is_flag=True, help="Leave the plugin enabled or disabled as it is.")
@_TIMEOUT
@_on_a_server
def deploy(server: Server, bundle: Path | None, no_enable: bool, timeout: float) -> None:
    """Upload BUNDLE to a server, enable the plugin, and wait until it runs.

    Without BUNDLE, the newest dist/*.tar.gz of this folder. A plugin with the same id is replaced.
    """
    from mmhooks.deploy.bundle import Bundle, newest
    from mmhooks.deploy.deployment import Deployment

    found = Bundle.read(bundle or newest(Path()))
    Deployment(server, click.echo, timeout=timeout).deploy(found, enable=not no_enable)


@click.command(short_help="Switch a plugin on.")
@click.argument("plugin_id", metavar="[ID]", required=False, callback=_id)
@_TIMEOUT
@_on_a_server
def enable(server: Server, plugin_id: str, timeout: float) -> None:
    """Enable the plugin ID on a server, and wait until it runs.

    Without ID, the plugin of this folder: that of its plugin.json or of its newest bundle.
    """
    from mmhooks.deploy.deployment import Deployment

    Deployment(server, click.echo, timeout=timeout).enable(plugin_id)


@click.command(short_help="Switch a plugin off.")
@click.argument("plugin_id", metavar="[ID]", required=False, callback=_id)
@_on_a_server
def disable(server: Server, plugin_id: str) -> None:
    """Stop the plugin ID on a server, and keep it stopped.

    Without ID, the plugin of this folder.
    """
    server.disable(plugin_id)
    click.echo(f"Disabled {plugin_id}")


@click.command(short_help="Delete a plugin from a server.")
@click.argument("plugin_id", metavar="ID", callback=_id)
@_on_a_server
def remove(server: Server, plugin_id: str) -> None:
    """Stop the plugin ID on a server, and delete it there. What it has stored in the database stays."""
    server.remove(plugin_id)
    click.echo(f"Removed {plugin_id}")


@click.command(short_help="Show what a server's log has of a plugin.")
@click.argument("plugin_id", metavar="[ID]", required=False, callback=_id)
@click.option("--follow", "-f", is_flag=True, help="Go on with the lines that come, until Ctrl+C.")
@click.option(
    "--lines", "-n", type=click.IntRange(min=0), default=50, show_default=True, help="How many lines at most."
)
@click.option(
    "--level",
    type=click.Choice(("debug", "info", "warn", "error")),
    default="debug",
    show_default=True,
    help="Leave out what is below this level.",
)
@_on_a_server
def logs(server: Server, plugin_id: str, follow: bool, lines: int, level: str) -> None:
    """Show what a server's log has of the plugin ID, oldest first.

    Without ID, the plugin of this folder.
    """
    from mmhooks.deploy.log import Log

    log = Log(server, plugin_id, level)
    found = log.last(lines)
    for line in found:
        click.echo(str(line))
    warn = functools.partial(click.echo, err=True)
    if lines and not found:
        warn(
            f"No lines of {plugin_id} among the last of the server's log. (Its LogSettings.FileLevel may keep them out.)"
        )
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            log.follow(click.echo, warn)
