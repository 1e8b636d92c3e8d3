"""What a host sees of handlers that fail: the real Go host against plugins that misbehave."""

from __future__ import annotations

import pytest

from tests.conftest import Start
from tests.host_driver import HostError

POST = {"post": {"message": "hello", "user_id": "u"}}


def test_handlers_exception_is_internal_with_its_type_and_text_and_the_traceback_is_logged(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def message_will_be_posted(post):
            raise LookupError("no such word")
        app.run()
    """)
    with pytest.raises(HostError) as caught:
        plugin.call("MessageWillBePosted", POST)
    assert (caught.value.code, caught.value.message) == ("INTERNAL", "LookupError: no such word")
    record = plugin.wait_log("no such word")
    assert record["level"] == "error"
    assert "MessageWillBePosted" in record["message"]
    assert "plugin.py:4" in record["message"]
    assert 'raise LookupError("no such word")' in record["args"]["traceback"]


@pytest.mark.parametrize(
    "exception", ["SystemExit(3)", "KeyboardInterrupt()", "asyncio.CancelledError()", "GeneratorExit()"]
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_exceptions_that_end_processes_end_only_the_call(start_plugin: Start, kind: str, exception: str) -> None:
    plugin = start_plugin(f"""
        import asyncio
        from mmhooks import App
        app = App()
        @app.hook
        {kind} user_will_log_in(user):
            raise {exception}
        @app.hook
        {kind} on_shared_channels_ping(remote_cluster):
            return True
        app.run()
    """)
    with pytest.raises(HostError) as caught:
        plugin.call("UserWillLogIn", {})
    assert caught.value.code == "INTERNAL"
    assert caught.value.message.startswith(exception.split("(")[0].removeprefix("asyncio."))
    assert plugin.call("OnSharedChannelsPing") == {"healthy": True}
    assert plugin.ask("health")["ms"] >= 0


def test_system_exit_in_a_background_task_leaves_the_plugin_running(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import asyncio
        from mmhooks import App
        app = App()
        async def leave():
            raise SystemExit(4)
        @app.hook
        async def on_shared_channels_ping(remote_cluster):
            app.task = asyncio.create_task(leave())
            await asyncio.wait([app.task])
            return True
        app.run()
    """)
    assert plugin.call("OnSharedChannelsPing") == {"healthy": True}
    assert plugin.wait_log("SystemExit in a background task")["level"] == "error"
    assert plugin.call("OnSharedChannelsPing") == {"healthy": True}


LATE = """
    import asyncio, time, threading
    from mmhooks import App, Reject
    app = App()
    forever = threading.Event()
    @app.hook(timeout=0.2)
    {handler}
    app.run()
"""


@pytest.mark.parametrize(
    "handler",
    [
        "def message_will_be_posted(post): forever.wait()",
        "async def message_will_be_posted(post): await asyncio.Event().wait()",
    ],
)
def test_late_handler_is_deadline_exceeded_and_named(start_plugin: Start, handler: str) -> None:
    plugin = start_plugin(LATE.format(handler=handler))
    with pytest.raises(HostError) as caught:
        plugin.call("MessageWillBePosted", POST)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert "did not answer within 0.2 s" in caught.value.message  # ours, not the host's own
    assert plugin.wait_log("did not answer")["level"] == "error"


def test_async_handler_that_ignores_its_cancellation_is_late_all_the_same(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import asyncio
        from mmhooks import App
        app = App()
        @app.hook(timeout=0.2)
        async def user_will_log_in(user):
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    pass
        app.run()
    """)
    with pytest.raises(HostError) as caught:
        plugin.call("UserWillLogIn")
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert plugin.ask("kill")["exit_code"] == 0


def test_answer_comes_before_the_hosts_own_deadline(start_plugin: Start) -> None:
    plugin = start_plugin(
        LATE.format(handler="def message_will_be_posted(post): forever.wait()").replace("timeout=0.2", "")
    )
    with pytest.raises(HostError) as caught:
        plugin.call("MessageWillBePosted", POST, timeout_ms=1000)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert "did not answer within" in caught.value.message


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_timeout_error_of_the_handlers_own_is_no_deadline(start_plugin: Start, kind: str) -> None:
    plugin = start_plugin(f"""
        from mmhooks import App
        app = App()
        @app.hook
        {kind} user_will_log_in(user):
            raise TimeoutError("the directory did not answer")
        app.run()
    """)
    with pytest.raises(HostError) as caught:
        plugin.call("UserWillLogIn")
    assert (caught.value.code, caught.value.message) == ("INTERNAL", "TimeoutError: the directory did not answer")


def test_hook_without_handler_is_unimplemented(start_plugin: Start) -> None:
    plugin = start_plugin("from mmhooks import App\nApp().run()\n")
    for hook in ("UserWillLogIn", "OnActivate", "ServeHTTP"):
        with pytest.raises(HostError) as caught:
            plugin.ask("call", hook=hook, request={})
        assert caught.value.code == "UNIMPLEMENTED"
    with pytest.raises(HostError) as caught:
        plugin.ask("call", hook="NoSuchHook", request_hex="")
    assert caught.value.code == "UNIMPLEMENTED"


def test_bytes_that_are_no_message_fail_that_call_only(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def on_shared_channels_ping(remote_cluster):
            return True
        app.run()
    """)
    with pytest.raises(HostError) as caught:
        plugin.ask("call", hook="OnSharedChannelsPing", request_hex="ffffffff")
    assert caught.value.code == "INTERNAL"
    assert plugin.call("OnSharedChannelsPing") == {"healthy": True}


ERRORS = """
    from mmhooks import App, AppError, HookName
    import time
    app = App()
    @app.hook(HookName.OnActivate)
    def start():
        raise RuntimeError("no database")
    @app.hook(HookName.ExecuteCommand)
    def command(args):
        raise AppError("no such city", id="weather.city", status_code=404, where="forecast", params={"City": "Atlantis"})
    @app.hook(HookName.OnInstall, timeout=0.1)
    def install(event):
        time.sleep(1)
    @app.hook(HookName.RunDataRetention)
    def retain(now_time, batch_size):
        return "many"
    app.run()
"""


def test_failures_of_hooks_that_may_fail_are_told_in_what_the_host_keeps(start_plugin: Start) -> None:
    plugin = start_plugin(ERRORS)
    error = plugin.call("OnActivate")["error"]
    assert error["detailed_error"] == "RuntimeError: no database"
    assert error["status_code"] == 500
    assert error["id"]
    assert "OnActivate" in error["where"]
    assert "plugin.py:5" in error["where"]
    error = plugin.call("ExecuteCommand", {"args": {"command": "/weather Atlantis"}})["error"]
    assert error == {
        "id": "weather.city",
        "message": "no such city",
        "detailed_error": "no such city",
        "status_code": 404,
        "where": "forecast",
        "params": {"City": "Atlantis"},
    }
    late = plugin.call("OnInstall")["error"]
    assert late["status_code"] == 504
    assert "did not answer within 0.1 s" in late["detailed_error"]
    assert (
        "RunDataRetention: a handler cannot return a str" in plugin.call("RunDataRetention")["error"]["detailed_error"]
    )


def test_what_cannot_be_sent_is_an_error_of_that_call_that_names_the_field(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import datetime
        from mmhooks import App, CommandResponse
        app = App()
        @app.hook
        def message_will_be_posted(post):
            post.props["when"] = {"start": datetime.date(2026, 1, 1)}
            return post
        @app.hook
        def execute_command(args):
            return CommandResponse(text="x", extra_responses=[CommandResponse(text="y")])
        app.run()
    """)
    with pytest.raises(HostError) as caught:
        plugin.call("MessageWillBePosted", POST)
    assert caught.value.code == "INTERNAL"
    assert "Post.props" in caught.value.message
    assert "when.start" in caught.value.message
    assert "date" in caught.value.message
    detail = plugin.call("ExecuteCommand", {"args": {}})["error"]["detailed_error"]
    assert "CommandResponse.extra_responses" in detail
    assert "net/rpc" in detail


def test_fail_closed_turns_every_failure_of_filters_and_gates_into_a_rejection(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import time
        from mmhooks import App, Reject
        app = App(on_error=Reject("The filter is out of order."))
        @app.hook
        def message_will_be_posted(post):
            return "nonsense" if post.message == "nonsense" else 1 / 0
        @app.hook(on_error=Reject("No login now."), timeout=0.1)
        def user_will_log_in(user):
            time.sleep(1)
        @app.hook
        def message_will_be_updated(new_post):
            new_post.props["x"] = object()
            return new_post
        @app.hook
        def reaction_has_been_added(reaction):
            1 / 0
        app.run()
    """)
    out_of_order = {"rejection_reason": "The filter is out of order."}
    assert plugin.call("MessageWillBePosted", POST) == out_of_order
    assert plugin.call("MessageWillBePosted", {"post": {"message": "nonsense"}}) == out_of_order
    assert plugin.call("MessageWillBeUpdated", {"new_post": {"message": "x"}}) == out_of_order
    assert plugin.call("UserWillLogIn") == {"rejection_reason": "No login now."}
    assert plugin.wait_log("ZeroDivisionError")["level"] == "error"
    with pytest.raises(HostError) as caught:
        plugin.call("ReactionHasBeenAdded")
    assert caught.value.code == "INTERNAL"


def test_message_above_the_limit_is_a_clear_error_and_without_one_nothing_is_too_large(start_plugin: Start) -> None:
    source = """
        from mmhooks import App
        app = App()
        @app.hook
        def message_will_be_posted(post):
            return post
        app.run()
    """
    large = {"post": {"message": "x" * 5_000_000}}
    assert start_plugin(source).call("MessageWillBePosted", large)["modified_post"] == large["post"]
    limited = start_plugin(source, {"MMHOOKS_MAX_MESSAGE_SIZE": "100000"})
    with pytest.raises(HostError) as caught:
        limited.call("MessageWillBePosted", large)
    assert caught.value.code == "INTERNAL"
    assert "MMHOOKS_MAX_MESSAGE_SIZE allows 100000" in caught.value.message
    assert limited.call("MessageWillBePosted", POST)["modified_post"] == POST["post"]


@pytest.mark.parametrize(
    "body",
    [
        "class Mute(Exception):\n            def __str__(self): raise ValueError\n        raise Mute",
        "return Reject('no: \\udcff')",
        "raise OSError('bad file \\udcff')",
        "post.message = 'x' * 200_000\n        return post",
        "return object()",
    ],
)
def test_nothing_that_a_handler_does_gets_past_fail_closed(start_plugin: Start, body: str) -> None:
    plugin = start_plugin(
        "from mmhooks import App, Reject\napp = App(on_error=Reject('closed'))\n@app.hook\n"
        f"def message_will_be_posted(post):\n        {body}\napp.run()\n",
        {"MMHOOKS_MAX_MESSAGE_SIZE": "100000"},
    )
    assert plugin.call("MessageWillBePosted", POST)["rejection_reason"] in ("closed", "no: \\udcff")
    assert plugin.call("MessageWillBePosted", {"post": {"message": "x" * 200_000}}) == {"rejection_reason": "closed"}


def test_errors_with_text_that_is_none_still_arrive(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App, AppError
        app = App()
        @app.hook
        def message_has_been_posted(post):
            raise OSError("bad file \\udcff")
        @app.hook
        def on_install(event):
            raise AppError("x", params={"a": object()})
        @app.hook
        def on_activate():
            raise AppError(ValueError("boom"))
        @app.hook
        def run_data_retention(now_time, batch_size):
            return 2**70
        @app.hook
        def user_has_logged_in(user):
            raise RuntimeError("\u65e5" * 5000)
        app.run()
    """)
    with pytest.raises(HostError, match=r"INTERNAL: OSError: bad file \\udcff"):
        plugin.call("MessageHasBeenPosted", POST)
    assert "object is nothing that JSON has" in plugin.call("OnInstall")["error"]["detailed_error"]
    assert "AppError takes message as a str" in plugin.call("OnActivate")["error"]["detailed_error"]
    assert plugin.call("RunDataRetention")["error"]["status_code"] == 500
    with pytest.raises(HostError, match="INTERNAL: RuntimeError: \u65e5"):
        plugin.call("UserHasLoggedIn")


def test_reject_where_nothing_can_be_rejected_says_what_to_raise(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App, Reject
        app = App()
        @app.hook
        def execute_command(args):
            raise Reject("no")
        app.run()
    """)
    assert "write: raise AppError('no')" in plugin.call("ExecuteCommand", {"args": {}})["error"]["detailed_error"]
