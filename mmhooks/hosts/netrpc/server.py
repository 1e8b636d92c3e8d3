"""Serves a host over net/rpc: from the handshake to the end of the process.

The handshake comes first: whatever else is needed is loaded while the host reads it and connects.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from mmhooks.hosts import handshake, sockets
from mmhooks.hosts.arrival import Arrival
from mmhooks.launch import Launch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mmhooks.hosts.netrpc.broker import Broker
    from mmhooks.hosts.netrpc.peers import Method

logger = logging.getLogger("mmhooks")


def serve(arrival: Arrival, launch: Launch, shaken: Callable[[], None]) -> None:
    """Serve until the host says stop, or is gone; see `mmhooks.hosts.Server`."""
    listening, network, address = _listen(launch)

    def tidy() -> None:
        if network == "unix":
            with contextlib.suppress(OSError):
                os.unlink(address)

    leave = launch.lifeline.stop

    def leave_before_the_start(reason: str) -> None:
        tidy()
        leave(reason)

    launch.lifeline.stop = leave_before_the_start
    launch.write_handshake(handshake.line(launch.environ, network, address))
    shaken()
    from mmhooks.hosts import loop

    try:
        loop.run(lambda: _serve(arrival, launch, listening))
    finally:
        tidy()


async def _serve(arrival: Arrival, launch: Launch, listening: socket.socket) -> None:
    import asyncio

    from mmhooks.hosts.loop import CALLS_GRACE, Stop
    from mmhooks.hosts.netrpc.goplugin import GoPlugin
    from mmhooks.hosts.netrpc.plugin import PluginService

    async def hooks(broker: Broker) -> Mapping[str, Method]:
        return PluginService(await arrival.wait(), broker).methods()

    stop = Stop()
    launch.lifeline.stop = stop.ask
    goplugin = GoPlugin(launch.output, hooks, stop.ask)
    running = asyncio.get_running_loop()

    def connect() -> asyncio.BaseProtocol:
        running.call_soon(server.close)  # the host connects once
        return goplugin.session

    server = await running.create_server(connect, sock=listening)
    reason = await stop.wait()
    logger.debug("stopping: %s", reason)
    launch.lifeline.stopping()
    server.close()
    await goplugin.finish(CALLS_GRACE)
    goplugin.end()
    await asyncio.sleep(0)  # the transport hangs up in the loop's next round
    if arrival.app is not None:
        from mmhooks.hosts.connection import disconnect

        disconnect(arrival.app)


def _listen(launch: Launch) -> tuple[socket.socket, Literal["unix", "tcp"], str]:
    found = sockets.unix_socket(launch.environ)
    if found is not None:
        return found[0], "unix", found[1]
    listening = socket.create_server(("127.0.0.1", 0), backlog=1)
    return listening, "tcp", f"127.0.0.1:{listening.getsockname()[1]}"
