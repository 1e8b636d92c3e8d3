"""The floor for a start over gRPC: a gRPC server with health and nothing else, which prints the handshake line."""

import asyncio

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


async def main() -> None:
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    await servicer.set("plugin", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"1|1|tcp|127.0.0.1:{port}|grpc", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
