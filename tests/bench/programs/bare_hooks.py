"""The floor for a call: a plugin as one would write it by hand, with the classes that protoc makes.

The folder of the generated modules is in PYTHONPATH: they are made when the benchmark begins, so type checkers cannot
see them, and their methods are spelt as the .proto files spell them (hence the silenced checks). Besides the hook there is what go-plugin needs to start a plugin
and to stop it.
"""

import asyncio
from typing import Any

import goplugin_pb2  # type: ignore[import-not-found]
import goplugin_pb2_grpc  # type: ignore[import-not-found]
import grpc.aio
import hooks_pb2  # type: ignore[import-not-found]
import hooks_pb2_grpc  # type: ignore[import-not-found]
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


class Hooks(hooks_pb2_grpc.PluginHooksServicer):  # type: ignore[misc]
    async def Implemented(self, request: Any, context: Any) -> Any:  # noqa: N802
        return hooks_pb2.ImplementedResponse(hooks=["MessageWillBePosted"])

    async def MessageWillBePosted(self, request: Any, context: Any) -> Any:  # noqa: N802
        post = request.post
        post.message += "!"
        return hooks_pb2.MessageWillBePostedResponse(modified_post=post)


class Controller(goplugin_pb2_grpc.GRPCControllerServicer):  # type: ignore[misc]
    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    async def Shutdown(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._stop.set()
        return goplugin_pb2.Empty()


class Stdio(goplugin_pb2_grpc.GRPCStdioServicer):  # type: ignore[misc]
    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    async def StreamStdio(self, request: Any, context: Any) -> None:  # noqa: N802
        await self._stop.wait()  # nothing is ever sent


class Broker(goplugin_pb2_grpc.GRPCBrokerServicer):  # type: ignore[misc]
    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    async def StartStream(self, requests: Any, context: Any) -> None:  # noqa: N802
        await self._stop.wait()  # nothing is ever sent


async def main() -> None:
    stop = asyncio.Event()
    server = grpc.aio.server()
    hooks_pb2_grpc.add_PluginHooksServicer_to_server(Hooks(), server)
    goplugin_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(stop), server)
    goplugin_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(stop), server)
    goplugin_pb2_grpc.add_GRPCBrokerServicer_to_server(Broker(stop), server)
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    await servicer.set("plugin", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"1|1|tcp|127.0.0.1:{port}|grpc", flush=True)
    await stop.wait()
    await server.stop(0.5)


if __name__ == "__main__":
    asyncio.run(main())
