"""The key-value store with the real Go host at the other end of each wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Start
from tests.hosts.conftest import Served, serve

every_wire = pytest.mark.parametrize("wire", ["netrpc", "grpc"])

RUNS = """
    import asyncio, json, threading
    import pydantic
    from mmhooks import App, CommandResponse, MmhooksError
    app = App()

    class Votes(pydantic.BaseModel):
        up: int = 0

    def up(votes):
        return Votes(up=votes.up + 1)

    def fifty():
        for _ in range(50):
            app.kv.update("count", up, default=Votes())

    def threads():
        started = [threading.Thread(target=fifty) for _ in range(16)]
        for thread in started: thread.start()
        for thread in started: thread.join()
        return app.kv.get("count")

    async def tasks():
        async def fifty():
            for _ in range(50):
                await app.async_kv.update("count", up, default=Votes())
        await asyncio.gather(*(fifty() for _ in range(16)))
        return await app.async_kv.get("count")

    def everything():
        kv = app.kv.namespace("n")
        told = [kv.get("k"), kv.get("k", b"none").decode()]
        kv.set("k", b"\\x00\\xff")
        told.append([*kv.get("k", type=bytes)])
        kv.set("k", {"a": [1, "ü", None]}, expires_in=60)
        told.append(kv.get("k"))
        told.append([kv.set_if("k", 2, expected=1), kv.set_if("k", 2, expected={"a": [1, "ü", None]})])
        told.append([kv.set_if("new", 1, expected=2), kv.set_if("new", 1, expected=None, expires_in=60)])
        told.append([kv.set_if("new", 2, expected=1, expires_in=60), kv.set_if("new", 3, expected=None, expires_in=60)])
        told.append([kv.delete_if("new", expected=1), kv.delete_if("new", expected=2), kv.get("new")])
        app.api.kv_set("mmi_botid", b"bot")
        for number in range(2100):
            app.api.kv_set(f"many:{number:04}", b"1")
        told.append([len([*app.kv.keys()]), [*app.kv.keys()][-1], [*kv.keys()]])
        told.append(len([*app.api.iter_kv_keys()]))
        app.kv.clear()
        told.append([*app.api.iter_kv_keys(per_page=1)])
        app.kv.set("k" * 149 + "ü", "longest")
        told.append(app.kv.get("k" * 149 + "ü"))
        try:
            app.kv.update("long", lambda old: old, default="x" * 3_000_000)
            told.append(len(app.kv.get("long")))
        except MmhooksError as error:
            told.append(repr(error))
        return told

    @app.hook
    async def execute_command(args):
        run = globals()[args.command]
        made = await (run() if run is tasks else asyncio.to_thread(run))
        return CommandResponse(text=json.dumps(made))

    app.run()
"""


def run(served: Served, command: str) -> Any:
    answer = served.call("ExecuteCommand", args={"command": command})
    return json.loads((answer["response"] if served.wire == "grpc" else answer["A"])["text"])


@pytest.fixture
def served(start_plugin: Start, wire: str) -> Served:
    served = serve(start_plugin, RUNS, wire)
    served.plugin.set_answers(kv=True)
    served.activate()
    return served


@every_wire
def test_16_threads_that_update_one_key_fifty_times_each_lose_nothing(served: Served) -> None:
    assert run(served, "threads") == {"up": 800}


@every_wire
def test_16_tasks_that_update_one_key_fifty_times_each_lose_nothing(served: Served) -> None:
    assert run(served, "tasks") == {"up": 800}


@every_wire
def test_threads_and_tasks_at_once_lose_nothing(served: Served, wire: str) -> None:
    def begin(command: str) -> int:
        args = {"command": command}
        if wire == "grpc":
            return served.plugin.begin("call", hook="ExecuteCommand", request={"args": args})
        return served.plugin.begin("call", hook="ExecuteCommand", args={"B": args})

    for number in [begin("threads"), begin("tasks")]:
        served.plugin.host.wait(number)
    assert run(served, "threads") == {"up": 2400}


@every_wire
def test_all_of_the_store_works_over_the_wire(served: Served) -> None:
    assert run(served, "everything") == [
        None,
        "none",
        [0, 255],
        {"a": [1, "ü", None]},
        [False, True],
        [False, True],
        [True, False],
        [False, True, None],
        [2101, "n:k", ["k"]],
        2102,
        ["mmi_botid"],
        "longest",
        3_000_000,
    ]
