"""Serves a host over gRPC: from the handshake to the end of the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from mmhooks.hosts import handshake
from mmhooks.hosts.grpc.goplugin import GoPlugin
from mmhooks.hosts.grpc.servicer import Servicer
from mmhooks.launch import Launch

if TYPE_CHECKING:
    from mmhooks.app import App

logger = logging.getLogger("mmhooks")

CALLS_GRACE = 0.8
"""Seconds for calls under way when a stop is asked for; less than the lifeline allows for everything."""

_LONGEST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a unix socket's path that the system takes."""


def serve(app: App, launch: Launch) -> None:
    """Serve until the host says stop, or is gone."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    main = loop.create_task(_serve(app, launch))
    while not main.done():
        try:
            loop.run_until_complete(main)
        except (SystemExit, KeyboardInterrupt) as error:
            if main.done():
                raise
            # From a task that a handler left behind: it ends that task, not the plugin.
            logger.error("%s in a background task; the plugin goes on", type(error).__name__, exc_info=error)
    _cancel_rest(loop)
    loop.close()


async def _serve(app: App, launch: Launch) -> None:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[str] = loop.create_future()

    def ask_to_stop(reason: str) -> None:
        def settle() -> None:
            if not stop.done():
                stop.set_result(reason)

        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(settle)

    goplugin = GoPlugin(launch.output, ask_to_stop)
    # The servicer has the limit of its own: gRPC's would answer before anybody could make a rejection of it.
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers((Servicer(app), *goplugin.handlers()))
    await _add_health(server)
    address = _listen(server, launch)
    await server.start()
    launch.lifeline.stop = ask_to_stop
    launch.write_handshake(handshake.line(launch.environ, *address))
    reason = await stop
    logger.debug("stopping: %s", reason)
    launch.lifeline.stopping()
    goplugin.end()
    await server.stop(CALLS_GRACE)
    app.dispatcher.close()
    if address[0] == "unix":
        with contextlib.suppress(OSError):
            os.unlink(address[1])


def _listen(server: Any, launch: Launch) -> tuple[Any, str]:
    """Bind the server's socket: a unix socket where the host offers a folder for it, as nobody else on the machine can
    connect there; else a port that the system chooses."""
    folder = launch.environ.get("PLUGIN_UNIX_SOCKET_DIR")
    if not folder:
        return "tcp", f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    path = os.path.join(folder, f"plugin-{os.getpid()}")
    mask = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError:
        # grpcio's own text for all causes is "Failed to bind".
        logger.error(
            "cannot listen on %s, in the folder that PLUGIN_UNIX_SOCKET_DIR names: it has to be a folder that this user "
            "can write to, and the whole path at most %d bytes",
            path,
            _LONGEST_PATH,
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


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    """End what handlers left on the loop, as far as it lets itself be ended."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        with contextlib.suppress(SystemExit, KeyboardInterrupt):
            loop.run_until_complete(asyncio.wait(tasks, timeout=0.1))
