"""A plugin that calls the server's GetUser many times, by mmhooks and by bare stubs of gRPC, and tells how long each took.

The stubs are made by protoc when the benchmark begins, so type checkers cannot see them. The command is JSON: `way`, `calls`, `callers`. The answer is JSON: the median of a call in µs, and calls a second.
"""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from api_pb2_grpc import PluginAPIStub  # type: ignore[import-not-found]
from api_user_team_pb2 import GetUserRequest  # type: ignore[import-not-found]

from mmhooks import App, CommandArgs, CommandResponse

app = App()

USER = "k3w9a7rtzjfz8e6h5c4x2v1bny"


def sync_ways() -> dict[str, Callable[[], Any]]:
    bare = PluginAPIStub(grpc.insecure_channel(app.config.api_target)).GetUser
    return {"bare": lambda: bare(GetUserRequest(user_id=USER), timeout=30), "mmhooks": lambda: app.api.get_user(USER)}


def async_ways() -> dict[str, Callable[[], Awaitable[Any]]]:
    bare = PluginAPIStub(grpc.aio.insecure_channel(app.config.api_target)).GetUser
    return {
        "bare": lambda: bare(GetUserRequest(user_id=USER), timeout=30),
        "mmhooks": lambda: app.async_api.get_user(USER),
    }


ways: dict[str, dict[str, Any]] = {}


@app.hook
async def execute_command(args: CommandArgs) -> CommandResponse:
    asked = json.loads(args.command)
    kind, way, calls, callers = asked["kind"], asked["way"], asked["calls"], asked["callers"]
    if kind not in ways:
        ways[kind] = async_ways() if kind == "async" else sync_ways()
    measure = measure_async(ways[kind][way], calls, callers)
    if kind == "sync":
        measure = asyncio.to_thread(measure_sync, ways[kind][way], calls, callers)
    return CommandResponse(text=json.dumps(await measure))


async def measure_async(call: Callable[[], Awaitable[Any]], calls: int, callers: int) -> dict[str, float]:
    times: list[float] = []

    async def caller() -> None:
        for _ in range(calls // callers):
            began = time.perf_counter()
            await call()
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return told(times, time.perf_counter() - began)


def measure_sync(call: Callable[[], Any], calls: int, callers: int) -> dict[str, float]:
    times: list[float] = []

    def caller() -> None:
        for _ in range(calls // callers):
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told(times, time.perf_counter() - began)


def told(times: list[float], seconds: float) -> dict[str, float]:
    return {"median_us": statistics.median(times) * 1e6, "per_second": len(times) / seconds}


if __name__ == "__main__":
    app.run()
