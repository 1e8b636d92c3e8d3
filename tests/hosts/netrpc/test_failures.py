"""What a host sees of handlers that fail: the real Go host against plugins that misbehave."""

from __future__ import annotations

import pytest

from tests.conftest import Start
from tests.host_driver import HostError
from tests.hosts.netrpc.conftest import Echo


def refused(echo: Echo, hook: str, body: str) -> str:
    """The text of the error of a call whose handler has this body."""
    with pytest.raises(HostError) as caught:
        echo.answered(hook, body, seed=0)
    assert caught.value.code == "rpc"
    return caught.value.message


def works(echo: Echo) -> None:
    """The hooks are served as ever, by the same stream."""
    sent = echo.plugin.fill("MessageWillBePosted", 2)["args"]["B"]
    assert echo.plugin.call_rpc("MessageWillBePosted", seed=2)["reply"] == {"A": sent, "B": ""}


def test_handlers_exception_is_an_error_that_names_hook_and_handler_and_the_traceback_is_logged(
    start_plugin: Start,
) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def message_will_be_posted(post):
            raise LookupError("no such word")
        app.run()
    """)
    with pytest.raises(HostError) as caught:
        plugin.call_rpc("MessageWillBePosted", seed=0)
    assert caught.value.code == "rpc"
    assert caught.value.message.startswith("MessageWillBePosted: message_will_be_posted")
    assert caught.value.message.endswith("plugin.py:4): LookupError: no such word")
    record = plugin.wait_log("no such word")
    assert record["level"] == "error"
    assert "MessageWillBePosted" in record["message"]
    assert "plugin.py:4" in record["message"]
    assert 'raise LookupError("no such word")' in record["args"]["traceback"]


@pytest.mark.parametrize(
    "exception", ["SystemExit(3)", "KeyboardInterrupt()", "asyncio.CancelledError()", "GeneratorExit()"]
)
@pytest.mark.parametrize("kind", ["", "async "])
def test_exceptions_that_end_processes_end_only_the_call(echo: Echo, kind: str, exception: str) -> None:
    body = f"import asyncio\n{kind}def inner():\n    raise {exception}\nreturn inner()"
    assert exception.split("(")[0].removeprefix("asyncio.") in refused(echo, "UserWillLogIn", body)
    works(echo)


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
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    assert plugin.wait_log("SystemExit in a background task")["level"] == "error"
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


@pytest.mark.parametrize(
    ("hook", "body", "text"),
    [
        ("MessageWillBePosted", "return 'nonsense'", "MessageWillBePosted: a handler cannot return a str"),
        ("MessageWillBePosted", "return object()", "MessageWillBePosted: a handler cannot return an object"),
        ("UserWillLogIn", "return False", "UserWillLogIn: a handler cannot return a bool"),
        ("UserHasLoggedIn", "return 1", "UserHasLoggedIn: a handler cannot return an int"),
        ("OnSharedChannelsPing", "return None", "OnSharedChannelsPing: a handler cannot return None"),
        (
            "MessagesWillBeConsumed",
            "return [None]",
            "MessagesWillBeConsumed: a handler cannot return a list of NoneType",
        ),
    ],
)
def test_nonsense_is_an_error_of_the_call_that_says_what_to_write(echo: Echo, hook: str, body: str, text: str) -> None:
    assert text in refused(echo, hook, body)
    works(echo)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("post.props['x'] = {'y': [object()]}", "props['x']['y'][0]: object is nothing that can be sent here"),
        ("import datetime\npost.props['x'] = datetime.date(2026, 1, 1)", "props['x']: date is nothing that"),
        ("post.props['x'] = 2**64", "props['x']: 18446744073709551616 has more than the 64 bits"),
        ("post.props[5] = 1", "props[5]: keys are text, not int"),
        ("post.props['x'] = post.props", "holds itself"),
        ("post.create_at = 2**63", "create_at: 9223372036854775808 is outside of int64"),
        ("post.message = 5", "message: takes str, not int"),
        ("post.is_pinned = 'yes'", "is_pinned: takes bool, not str"),
        ("post.file_ids = ['x', 5]", "file_ids[1]: takes str, not int"),
        ("post.file_ids = 'x'", "file_ids: expected a list, found str"),
        ("post.metadata.files[1].width = 'wide'", "metadata.files[1].width: takes int, not str"),
        ("post.metadata.files[1] = 'a file'", "metadata.files[1]: expected FileInfo, found str"),
    ],
)
@pytest.mark.parametrize("hook", ["MessageWillBePosted", "MessageWillBeUpdated"])
def test_what_cannot_be_sent_is_an_error_of_that_call_and_all_later_ones_work(
    echo: Echo, hook: str, body: str, text: str
) -> None:
    # One answer that the server cannot decode would end all hooks for good.
    name = "post" if hook == "MessageWillBePosted" else "new_post"
    message = refused(echo, hook, f"post = a[{name!r}]\n{body}\nreturn post")
    assert message.startswith(f"{hook}: ")
    assert text in message
    works(echo)


@pytest.mark.parametrize(
    ("hook", "body", "text"),
    [
        ("RunDataRetention", "return 2**70", "ModelError: 1180591620717411303424 is outside of int64"),
        ("ExecuteCommand", "return CommandResponse(text=5)", "text: takes str, not int"),
        ("ExecuteCommand", "return CommandResponse(props={'x': {1, 2}})", "props['x']: set is nothing that"),
        ("GenerateSupportData", "return [FileData(filename='a', body='text')]", "[0].body: takes bytes, not str"),
        (
            "ConfigurationWillBeSaved",
            "a['config'].ServiceSettings.SiteURL = 5\nreturn a['config']",
            "ServiceSettings.SiteURL",
        ),
    ],
)
def test_what_cannot_be_sent_is_told_in_the_reply_where_it_has_a_place(
    echo: Echo, hook: str, body: str, text: str
) -> None:
    assert text in echo.answered(hook, body, seed=0)["reply"]["B"]["detailed_error"]
    works(echo)


def test_answers_that_only_go_can_refuse_are_none(echo: Echo) -> None:
    # Everything that is let through can be decoded, the strangest values included.
    odd = "{'nan': float('inf'), 'tuple': (1, 2), 'model': Post(message='m'), 'bytes': b'x', '': '', 'none': [None, {}, []]}"
    for body in (f"post.props = {odd}", f"post.props['x'] = {odd}", "post.message = '\\udcff'", "post.props = {}"):
        for hook, name in (("MessageWillBePosted", "post"), ("MessageWillBeUpdated", "new_post")):
            echo.answered(hook, f"post = a[{name!r}]\n{body}\nreturn post", seed=0)
            works(echo)


def test_plain_values_arrive_as_what_they_are(echo: Echo) -> None:
    body = "post = a['post']\npost.props['x'] = {'t': (1, 2), 'm': Post(message='m'), 'n': [None, {}], 'b': True, 'f': 2.0}\n"
    got = echo.answered("MessageWillBePosted", f"{body}return post", seed=0)["reply"]["A"]["props"]["x"]
    assert got["m"]["message"] == "m"
    assert {key: value for key, value in got.items() if key != "m"} == {
        "t": [1, 2],
        "n": [None, {}],
        "b": True,
        "f": 2.0,
    }


LATE = """
    import asyncio, threading
    from mmhooks import App
    app = App()
    forever = threading.Event()
    @app.hook(timeout=0.2)
    {handler}
    @app.hook
    async def on_shared_channels_ping(remote_cluster):
        return True
    app.run()
"""


@pytest.mark.parametrize(
    "handler",
    [
        "def message_will_be_posted(post): forever.wait()",
        "async def message_will_be_posted(post): await asyncio.Event().wait()",
    ],
)
def test_late_handler_is_an_error_that_names_it(start_plugin: Start, handler: str) -> None:
    plugin = start_plugin(LATE.format(handler=handler))
    with pytest.raises(HostError) as caught:
        plugin.call_rpc("MessageWillBePosted", {"B": {"message": "x"}})
    assert caught.value.code == "rpc"
    assert caught.value.message.startswith("MessageWillBePosted: message_will_be_posted")
    assert "did not answer within 0.2 s" in caught.value.message
    assert 200 <= caught.value.rest["ms"] < 2000
    assert plugin.wait_log("did not answer")["level"] == "error"
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


def test_deadline_is_that_of_the_plugin_since_the_server_has_none(start_plugin: Start) -> None:
    source = LATE.format(handler="def message_will_be_posted(post): forever.wait()").replace("timeout=0.2", "")
    plugin = start_plugin(source, {"MATTERMOST_PLUGIN_HOOK_TIMEOUT": "0.3"})
    with pytest.raises(HostError, match=r"did not answer within 0.3 s"):
        plugin.call_rpc("MessageWillBePosted", {"B": {"message": "x"}})


@pytest.mark.parametrize("kind", ["", "async "])
def test_timeout_error_of_the_handlers_own_is_no_deadline(echo: Echo, kind: str) -> None:
    body = f"{kind}def inner():\n    raise TimeoutError('the directory did not answer')\nreturn inner()"
    assert refused(echo, "UserWillLogIn", body).endswith("): TimeoutError: the directory did not answer")


def test_late_failures_of_hooks_that_may_fail_are_told_in_the_reply(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import threading
        from mmhooks import App
        app = App()
        @app.hook(timeout=0.1)
        def on_install(event):
            threading.Event().wait()
        app.run()
    """)
    late = plugin.call_rpc("OnInstall", {"A": {}, "B": {}})["reply"]["A"]
    assert late["status_code"] == 504
    assert "did not answer within 0.1 s" in late["detailed_error"]


def test_hook_without_handler_and_unknown_methods_are_what_go_says_of_them(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def on_shared_channels_ping(remote_cluster):
            return True
        app.run()
    """)
    with pytest.raises(HostError, match=r"rpc: .*the plugin has no handler for UserWillLogIn"):
        plugin.call_rpc("UserWillLogIn", seed=0)
    for hook in ("NoSuchHook", "ServeHTTP", "FileWillBeUploaded"):
        with pytest.raises(HostError) as caught:
            plugin.call_rpc(hook)
        assert (caught.value.code, caught.value.message) == ("rpc", f"rpc: can't find method Plugin.{hook}")
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


def test_fail_closed_turns_every_failure_of_filters_and_gates_into_a_rejection(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import threading
        from mmhooks import App, Reject
        app = App(on_error=Reject("The filter is out of order."))
        @app.hook
        def message_will_be_posted(post):
            return "nonsense" if post.message == "nonsense" else 1 / 0
        @app.hook(on_error=Reject("No login now."), timeout=0.1)
        def user_will_log_in(user):
            threading.Event().wait()
        @app.hook
        def message_will_be_updated(new_post):
            new_post.props["x"] = object()
            return new_post
        @app.hook
        def channel_member_will_be_added(channel_member):
            channel_member.roles = 5
            return channel_member
        @app.hook
        def reaction_has_been_added(reaction):
            1 / 0
        app.run()
    """)
    sent = {"B": {"message": "x", "user_id": "u"}}
    for hook, letters in (("MessageWillBePosted", ["B"]), ("MessageWillBeUpdated", ["B", "C"])):
        reply = plugin.call_rpc(hook, dict.fromkeys(letters, sent["B"]))["reply"]
        assert reply["B"] == "The filter is out of order."
    assert (
        plugin.call_rpc("MessageWillBePosted", {"B": {"message": "nonsense"}})["reply"]["B"]
        == "The filter is out of order."
    )
    assert plugin.call_rpc("ChannelMemberWillBeAdded", seed=0)["reply"]["B"] == "The filter is out of order."
    assert plugin.call_rpc("UserWillLogIn", seed=0)["reply"] == {"A": "No login now."}
    assert plugin.wait_log("ZeroDivisionError")["level"] == "error"
    with pytest.raises(HostError, match="rpc: ReactionHasBeenAdded: "):
        plugin.call_rpc("ReactionHasBeenAdded", seed=0)


SIZED = """
    from mmhooks import App, Reject
    app = App({options})
    @app.hook
    def message_will_be_posted(post):
        post.message += "g" * 200_000 if post.message == "grow" else "!"
        return post
    @app.hook
    def on_install(event):
        pass
    app.run()
"""


def test_message_above_the_limit_is_a_clear_error_and_without_one_nothing_is_too_large(start_plugin: Start) -> None:
    large, small = {"B": {"message": "x" * 5_000_000}}, {"B": {"message": "x"}}
    unlimited = start_plugin(SIZED.format(options=""))
    assert unlimited.call_rpc("MessageWillBePosted", large)["reply"]["A"]["message"] == large["B"]["message"] + "!"
    limited = start_plugin(SIZED.format(options=""), {"MMHOOKS_MAX_MESSAGE_SIZE": "100000"})
    with pytest.raises(HostError) as caught:
        limited.call_rpc("MessageWillBePosted", large)
    assert caught.value.code == "rpc"
    assert "MMHOOKS_MAX_MESSAGE_SIZE allows 100000" in caught.value.message
    assert limited.call_rpc("MessageWillBePosted", small)["reply"]["A"]["message"] == "x!"
    with pytest.raises(HostError) as caught:
        limited.call_rpc("MessageWillBePosted", {"B": {"message": "grow"}})
    assert "this answer has 200" in caught.value.message
    # Definitions that were to go with it go with the next.
    assert limited.call_rpc("MessageWillBePosted", small)["reply"]["A"]["message"] == "x!"
    fresh = start_plugin(SIZED.format(options=""), {"MMHOOKS_MAX_MESSAGE_SIZE": "100000"})
    with pytest.raises(HostError):
        fresh.call_rpc("MessageWillBePosted", {"B": {"message": "grow"}})
    assert fresh.call_rpc("MessageWillBePosted", small)["reply"]["A"]["message"] == "x!"
    closed = start_plugin(SIZED.format(options="on_error=Reject('closed')"), {"MMHOOKS_MAX_MESSAGE_SIZE": "100000"})
    assert closed.call_rpc("MessageWillBePosted", large)["reply"]["B"] == "closed"
    assert closed.call_rpc("MessageWillBePosted", small)["reply"]["A"]["message"] == "x!"


@pytest.mark.parametrize(
    "body",
    [
        "class Mute(Exception):\n            def __str__(self): raise ValueError\n        raise Mute",
        "return Reject('no: \\udcff')",
        "raise OSError('bad file \\udcff')",
        "return object()",
        "post.props['x'] = object()\n        return post",
    ],
)
def test_nothing_that_a_handler_does_gets_past_fail_closed(start_plugin: Start, body: str) -> None:
    plugin = start_plugin(
        "from mmhooks import App, Reject\napp = App(on_error=Reject('closed'))\n@app.hook\n"
        f"def message_will_be_posted(post):\n        {body}\napp.run()\n"
    )
    assert plugin.call_rpc("MessageWillBePosted", seed=0)["reply"]["B"] in ("closed", "no: \\udcff")


def test_errors_with_text_that_is_none_still_arrive(echo: Echo) -> None:
    assert refused(echo, "MessageHasBeenPosted", "raise OSError('bad file \\udcff')").endswith("bad file \\udcff")
    assert "RuntimeError: \u65e5\u65e5" in refused(echo, "UserHasLoggedIn", "raise RuntimeError('\u65e5' * 50000)")
    assert "Mute" in refused(echo, "UserHasLoggedIn", "class Mute(Exception): pass\nraise Mute")
    works(echo)


def test_reject_where_nothing_can_be_rejected_says_what_to_raise(echo: Echo) -> None:
    error = echo.answered("ExecuteCommand", "raise Reject('no')", seed=0)["reply"]["B"]
    assert "write: raise AppError('no')" in error["detailed_error"]


def test_dismissed_post_has_the_reason_that_the_web_app_knows(echo: Echo) -> None:
    reply = echo.answered("MessageWillBePosted", "return Dismiss()", seed=0)["reply"]
    assert reply["B"] == "plugin.message_will_be_posted.dismiss_post"
