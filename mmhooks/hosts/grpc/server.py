"""Serves a host over gRPC: from the handshake to the end of the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from mmhooks.hosts import handshake, loop, sockets
from mmhooks.hosts.arrival import Arrival
from mmhooks.hosts.grpc.goplugin import GoPlugin
from mmhooks.hosts.grpc.servicer import ArrivingServicer
from mmhooks.launch import Launch

if TYPE_CHECKING:
    from mmhooks.app import App
    from mmhooks.hosts.grpc.pluginapi import ServerAPI

logger = logging.getLogger("mmhooks")


def serve(arrival: Arrival, launch: Launch, shaken: Callable[[], None]) -> None:
    """Serve until the host says stop, or is gone; see `mmhooks.hosts.Server`."""
    loop.run(lambda: _serve(arrival, launch, shaken))


async def _serve(arrival: Arrival, launch: Launch, shaken: Callable[[], None]) -> None:
    stop = loop.Stop()
    goplugin = GoPlugin(launch.output, stop.ask)
    # The servicer has the limit of its own: gRPC's would answer before anybody could make a rejection of it.
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
    api = HostAPI(launch)
    server.add_generic_rpc_handlers((ArrivingServicer(arrival, api.offer), *goplugin.handlers()))
    await _add_health(server)
    address = _listen(server, launch)
    await server.start()
    launch.lifeline.stop = stop.ask
    launch.write_handshake(handshake.line(launch.environ, *address))
    shaken()
    reason = await stop.wait()
    logger.debug("stopping: %s", reason)
    launch.lifeline.stopping()
    goplugin.end()
    await server.stop(loop.CALLS_GRACE)
    if arrival.app is not None:
        from mmhooks.hosts.connection import disconnect  # not before the handshake

        disconnect(arrival.app)
    await api.close()
    if address[0] == "unix":
        with contextlib.suppress(OSError):
            os.unlink(address[1])


class HostAPI:
    """The plugin API of the host, for the app when it has come."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._api: ServerAPI | None = None

    def offer(self, app: App) -> None:
        """Give it to the app."""
        # Not before the handshake.
        from mmhooks.hosts.connection import connect
        from mmhooks.hosts.grpc.pluginapi import TARGET, NoServerAPI, ServerAPI

        loop = asyncio.get_running_loop()
        if target := self._launch.environ.get(TARGET):
            self._api = ServerAPI(target, loop, app.limits.max_message_size)
            connect(app, self._api)
        else:
            app.api_link.caller = NoServerAPI(loop)

    async def close(self) -> None:
        """End its connections."""
        if self._api is not None:
            await self._api.close()


def _listen(server: Any, launch: Launch) -> tuple[Any, str]:
    """Bind the server's socket: a unix socket where the host offers a folder for it, as nobody else on the machine can
    connect there; else a port that the system chooses."""
    folder = launch.environ.get("PLUGIN_UNIX_SOCKET_DIR")
    if not folder:
        return "tcp", f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    path = sockets.path_in(folder)
    mask = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError:
        # grpcio's own text for all causes is "Failed to bind".
        logger.error(
            "cannot listen on %s, in the folder that PLUGIN_UNIX_SOCKET_DIR names: it has to be a folder that this user "
            "can write to, and the whole path at most %d bytes",
            path,
            sockets.LONGEST_PATH,
        )
        sys.exit(1)
    finally:
        os.umask(mask)
    return "unix", path


async def _add_health(server: Any) -> None:
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for service in ("", "plugin"):  # the whole server, and the name that go-plugin asks for
        await servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
