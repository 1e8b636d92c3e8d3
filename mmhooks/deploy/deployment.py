"""The way of a plugin to a server: uploaded, enabled, waited for until it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mmhooks.deploy.bundle import Bundle
from mmhooks.deploy.log import Log
from mmhooks.deploy.refusal import RESTART_FAILED
from mmhooks.deploy.server import FAILED, RUNNING, Server, Status
from mmhooks.errors import DeployError

_TAIL = 10
"""Lines of the plugin's log that are shown when it does not run."""


class Deployment:
    """Brings plugins to one server, and says how far it is.

    Arguments:
        server: the server.
        say: prints a line.
        timeout: seconds in which an enabled plugin has to run.
        interval: seconds between two looks at it.
        clock, sleep: tell the seconds, and wait for some.
    """

    def __init__(
        self,
        server: Server,
        say: Callable[[str], None],
        *,
        timeout: float = 60.0,
        interval: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server = server
        self._say = say
        self._timeout = timeout
        self._interval = interval
        self._clock = clock
        self._sleep = sleep

    def deploy(self, bundle: Bundle, *, enable: bool = True) -> None:
        """Upload a bundle, enable the plugin, and wait until it runs.

        Arguments:
            bundle: the bundle.
            enable: whether to go on once it is installed.

        Raises `DeployError` with the server's reason when it refuses, or when the plugin does not run.
        """
        size = f"{bundle.size / 1e6:.1f} MB" if bundle.size >= 1e6 else f"{bundle.size / 1e3:.1f} kB"
        self._say(f"Uploading {bundle.path} ({size}) to {self._server.name}")
        try:
            self._server.upload(bundle.path)
        except DeployError as error:
            if error.id != RESTART_FAILED:
                raise
            raise self._failure(bundle.id, self._look(bundle.id)[0], str(error)) from error
        self._say(f"Installed {bundle.id} {bundle.version}".rstrip())
        if enable:
            self.enable(bundle.id, bundle.version)

    def enable(self, plugin_id: str, version: str | None = None) -> None:
        """Enable a plugin that is installed, and wait until it runs.

        Arguments:
            plugin_id: its id.
            version: what has to run, if that matters: nodes of a cluster take a new version over one by one.
        """
        self._say(f"Enabling {plugin_id}")
        end = self._clock() + self._timeout
        try:
            self._server.enable(plugin_id, patience=self._timeout)
        except DeployError as error:
            if not error.may_pass:
                raise
            # What a status says now is worth nothing: servers write "running" before they call OnActivate.
            raise DeployError(
                f"{error}\nWhether {plugin_id} runs is not known; its OnActivate may take that long."
                + self._tail(plugin_id)
            ) from error
        nodes = self._wait(plugin_id, version, end)
        where = f" on {len(nodes)} nodes" if len(nodes) > 1 else ""
        self._say(f"Running {plugin_id} {nodes[0].version}{where}")

    def _wait(self, plugin_id: str, version: str | None, end: float) -> Sequence[Status]:
        while True:
            nodes, trouble = self._look(plugin_id)
            current = [node for node in nodes if version in (None, node.version)]
            if any(node.state in FAILED for node in current):
                raise self._failure(plugin_id, current)
            if nodes and all(node in current and node.state == RUNNING for node in nodes):
                return nodes
            if self._clock() >= end:
                found = trouble or ", ".join(f"{node.version} is {node}" for node in nodes) or "not installed"
                raise DeployError(
                    f"{plugin_id} does not run after {self._timeout:g} s: {found}" + self._tail(plugin_id)
                )
            self._sleep(self._interval)

    def _look(self, plugin_id: str) -> tuple[Sequence[Status], str]:
        try:
            return self._server.statuses(plugin_id), ""
        except DeployError as error:
            if not error.may_pass:
                raise
            return [], str(error)

    def _failure(self, plugin_id: str, nodes: Sequence[Status], answer: str = "") -> DeployError:
        failed = [node for node in nodes if node.state in FAILED]
        told = "; ".join(f"{node}: {node.error}" for node in failed if node.error)
        if not told:
            told = f"{'; '.join(map(str, failed)) or 'failed to start'}\n{answer or 'The server gives no reason.'}"
        return DeployError(f"{plugin_id} {told}" + self._tail(plugin_id))

    def _tail(self, plugin_id: str) -> str:
        try:
            lines = Log(self._server, plugin_id).last(_TAIL)
        except DeployError:  # the log is a kindness: what failed is said already
            lines = []
        if not lines:
            return f"\nThe reason may be in the server's log: mmhooks logs {plugin_id}"
        told = "\n".join(str(line) for line in lines).replace("\n", "\n  ")
        return f"\nThe plugin's last lines in the server's log (more with `mmhooks logs {plugin_id}`):\n  {told}"
