"""Calls from handlers back to the server, with the real Go host at the other end of each wire: nested, many, and cut off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Start
from tests.hosts.conftest import Served, serve

WIRES = ["netrpc", "grpc"]
every_wire = pytest.mark.parametrize("wire", WIRES)

NESTS = """
    from mmhooks import App, CommandResponse, Post
    app = App(threads=2)

    @app.hook
    {async_}def message_will_be_posted(post):
        depth = int(post.message)
        if depth == 0:
            return None
        made = {call}.create_post(Post(channel_id=post.channel_id, message=str(depth - 1), props=post.props))
        post.props["below"] = [made.message, made.props.get("below")]
        return post

    app.run()
"""


@every_wire
@pytest.mark.parametrize(
    ("async_", "call"), [("", "app.api"), ("async ", "await app.async_api")], ids=["sync", "async"]
)
def test_hooks_nest_to_a_depth_of_five(start_plugin: Start, wire: str, async_: str, call: str) -> None:
    served = serve(start_plugin, NESTS.replace("{async_}", async_).replace("{call}", call), wire)
    served.answer("CreatePost", call={"hook": "MessageWillBePosted"})
    served.activate()
    posts = [served.plugin.begin("call", **posting(served, 5)) for _ in range(3)]  # three at once
    for number in posts:
        answer = served.plugin.host.wait(number)
        post = answer["response"]["modified_post"] if wire == "grpc" else answer["reply"]["A"]
        below = post["props"]["below"]
        for depth in (4, 3, 2, 1, 0):
            message, below = below
            assert message == str(depth)
        assert below is None
    assert len(served.plugin.api_calls("CreatePost")) == 15


def posting(served: Served, depth: int) -> dict[str, Any]:
    post = {"channel_id": "c", "message": str(depth)}
    if served.wire == "grpc":
        return {"hook": "MessageWillBePosted", "request": {"post": post}}
    return {"hook": "MessageWillBePosted", "args": {"B": post}}


ANOTHER_LOOP = """
    import asyncio
    from mmhooks import App, Post
    app = App(threads=1)

    @app.hook
    def message_will_be_posted(post):
        depth = int(post.message)
        if depth:
            nested = Post(channel_id=post.channel_id, message=str(depth - 1))
            asyncio.run(app.async_api.create_post(nested, timeout=10))
        return post

    app.run()
"""


@every_wire
def test_hooks_nest_when_a_thread_waits_on_a_loop_of_its_own(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, ANOTHER_LOOP, wire)
    served.answer("CreatePost", call={"hook": "MessageWillBePosted"})
    served.activate()
    served.plugin.ask("call", **posting(served, 3))
    assert len(served.plugin.api_calls("CreatePost")) == 3


FORKS = """
    import os
    from mmhooks import App, CommandResponse, HostUnavailable
    app = App()

    @app.hook
    def execute_command(args):
        app.api.kv_delete("before")
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                app.api.kv_delete("in the child")
            except HostUnavailable as error:
                os.write(writer, str(error).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writer)
        app.api.kv_delete("after")
        return CommandResponse(text=os.read(reader, 1000).decode())

    app.run()
"""


@every_wire
def test_a_forked_child_is_told_that_it_has_no_plugin_api(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, FORKS, wire)
    served.activate()
    answer = served.call("ExecuteCommand", args={})
    text = (answer["response"] if wire == "grpc" else answer["A"])["text"]
    assert text.startswith("a forked child has no plugin API")
    assert len(served.plugin.api_calls("KVDelete")) == 2


COUNTS = """
    import threading
    from mmhooks import App, CommandResponse
    app = App()

    def add_one():
        while True:
            old = app.api.kv_get("count")
            if app.api.kv_compare_and_set("count", old, str(int(old or 0) + 1).encode()):
                return

    def work(left):
        while True:
            with lock:
                if not left:
                    return
                left.pop()
            add_one()

    lock = threading.Lock()

    @app.hook
    def execute_command(args):
        left = [None] * 200
        threads = [threading.Thread(target=work, args=[left]) for _ in range(16)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        return CommandResponse(text=app.api.kv_get("count").decode())

    app.run()
"""


@every_wire
def test_updates_by_compare_and_set_from_many_threads_lose_nothing(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, COUNTS, wire)
    served.plugin.set_answers(kv=True)
    served.activate()
    answer = served.call("ExecuteCommand", args={})
    assert (answer["response"] if wire == "grpc" else answer["A"])["text"] == "200"
    assert len(served.plugin.api_calls("KVCompareAndSet")) >= 200


FAILS = """
    import asyncio, json
    from mmhooks import App, CommandResponse
    app = App()

    def told(error):
        return [type(error).__name__, str(error)]

    @app.hook
    async def execute_command(args):
        method, timeout = json.loads(args.command)
        found = []
        try:
            found.append(str(await getattr(app.async_api, method)("x", timeout=timeout)))
        except Exception as error:
            found.append(told(error))
        def sync():
            try:
                return str(getattr(app.api, method)("x", timeout=timeout))
            except Exception as error:
                return told(error)
        found.append(await asyncio.to_thread(sync))
        return CommandResponse(text=json.dumps(found))

    app.run()
"""


def failures(served: Served, method: str = "kv_delete", timeout: float = 20) -> list[Any]:
    """What comes of a call, async and sync."""
    answer = served.call("ExecuteCommand", args={"command": json.dumps([method, timeout])})
    found: list[Any] = json.loads((answer["response"] if served.wire == "grpc" else answer["A"])["text"])
    return found


@every_wire
def test_no_answer_in_time(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, FAILS, wire)
    served.answer("KVDelete", never=True)
    served.activate()
    late = ["DeadlineExceeded", "KVDelete: the server did not answer within 0.2 s"]
    assert failures(served, timeout=0.2) == [late, late]
    served.plugin.set_answers({"KVDelete": None})
    assert failures(served) == ["None", "None"]


@every_wire
def test_an_answer_that_cannot_be_read(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, FAILS, wire)
    served.answer("KVGet", raw_hex="ffffffff" if wire == "grpc" else "027f00")
    served.activate()
    for name, text in failures(served, "kv_get"):
        assert name in ("APIError", "HostUnavailable")
        assert text.startswith("KVGet: ")


HALF = {"grpc": "0a05", "netrpc": "ffffffff"}
"""The beginning of a message, of which the rest never comes."""


@every_wire
def test_half_an_answer(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, FAILS, wire)
    served.answer("KVGet", raw_hex=HALF[wire])
    served.activate()
    for name, text in failures(served, "kv_get", timeout=0.5):
        assert name in ("APIError", "DeadlineExceeded")
        assert text.startswith("KVGet: ")


@every_wire
def test_a_connection_that_ends_in_the_middle_of_an_answer(start_plugin: Start, wire: str) -> None:
    served = serve(start_plugin, FAILS, wire)
    served.answer("KVDelete", cut=True)
    served.activate()
    for name, text in failures(served):
        assert name == "HostUnavailable"
        assert text.startswith("KVDelete: ")
