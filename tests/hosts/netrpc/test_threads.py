"""Sync handlers in threads, and async ones that block the loop, under the real Go host."""

from __future__ import annotations

import pytest

from tests.conftest import Start
from tests.host_driver import HostError

STUCK = """
    import threading
    from mmhooks import App
    app = App()
    forever = threading.Event()
    @app.hook({options})
    def message_has_been_posted(post):
        app.logger.info("in %s", post.id)
        forever.wait()
    @app.hook
    def on_shared_channels_ping(remote_cluster):
        return True
    @app.hook
    def user_has_logged_in(user):
        forever.set()
    app.run()
"""


def test_calls_wait_for_a_free_thread_until_their_deadline(start_plugin: Start) -> None:
    source = STUCK.replace("    @app.hook\n    def on_shared", "    @app.hook(timeout=0.5)\n    def on_shared")
    plugin = start_plugin(source.format(options=""), {"MMHOOKS_THREADS": "2"})
    blocked = [plugin.begin("call", hook="MessageHasBeenPosted", args={"B": {"id": f"p{n}"}}) for n in range(2)]
    plugin.wait_log("in p0")
    plugin.wait_log("in p1")
    with pytest.raises(HostError) as caught:
        plugin.call_rpc("OnSharedChannelsPing")
    assert caught.value.code == "rpc"
    assert "did not start within 0.5 s: no thread was free" in caught.value.message
    assert plugin.ask("health")["ms"] >= 0
    plugin.ask("kill")
    for number in blocked:
        with pytest.raises(HostError):
            plugin.host.wait(number)


def test_when_every_thread_is_past_its_deadline_calls_fail_at_once_and_the_log_says_where_they_stand(
    start_plugin: Start,
) -> None:
    plugin = start_plugin(STUCK.format(options="timeout=0.3"), {"MMHOOKS_THREADS": "2"})
    for number in (0, 1):
        with pytest.raises(HostError) as caught:
            plugin.call_rpc("MessageHasBeenPosted", {"B": {"id": f"p{number}"}})
        assert "did not answer within 0.3 s" in caught.value.message
    for _ in range(3):
        with pytest.raises(HostError) as caught:
            plugin.call_rpc("OnSharedChannelsPing")
        assert caught.value.code == "rpc"
        assert "all 2 threads" in caught.value.message
    record = plugin.wait_log("all 2 threads for sync handlers are past their deadlines")
    assert "message_has_been_posted" in record["message"]
    assert "threading.py" in record["message"]  # where they stand: in Event.wait
    assert len([r for r in plugin.logs() if "all 2 threads" in r["message"]]) == 1


def test_threads_are_made_on_demand(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import threading
        from mmhooks import App
        app = App()
        @app.hook
        def run_data_retention(now_time, batch_size):
            return len([t for t in threading.enumerate() if t.name.startswith("mmhooks-handler")])
        app.run()
    """)
    for _ in range(5):
        assert plugin.call_rpc("RunDataRetention")["reply"] == {"A": 1, "B": None}


def test_async_handler_that_blocks_the_loop_is_named_with_its_line(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import threading
        from mmhooks import App
        app = App()
        @app.hook
        async def on_shared_channels_ping(remote_cluster):
            threading.Event().wait(1.6)
            return True
        app.run()
    """)
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    record = plugin.wait_log("has blocked the event loop")
    assert record["level"] == "warn"
    assert "OnSharedChannelsPing: on_shared_channels_ping" in record["message"]
    assert "plugin.py:7 (in " in record["message"]


def test_health_is_answered_while_sync_handlers_block(start_plugin: Start) -> None:
    plugin = start_plugin(STUCK.format(options=""), {"MMHOOKS_THREADS": "3"})
    blocked = [plugin.begin("call", hook="MessageHasBeenPosted", args={"B": {"id": f"p{n}"}}) for n in range(3)]
    for number in range(3):
        plugin.wait_log(f"in p{number}")
    assert plugin.ask("health", timeout_ms=5000)["ms"] < 5000
    plugin.ask("kill")
    for number in blocked:
        with pytest.raises(HostError):
            plugin.host.wait(number)
