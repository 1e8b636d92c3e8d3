"""Activation and the plugin API: calls out of a plugin to the real Go host, from every kind of place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Start
from tests.host_driver import HostError
from tests.hosts.netrpc.conftest import Echo


@pytest.fixture
def activated(echo: Echo) -> Echo:
    """The echo plugin with the API at hand."""
    if not echo.activated:
        answer = echo.plugin.activate()
        assert (answer["reply"], answer["api_connected"], answer["driver_connected"]) == ({"A": None}, True, True)
        echo.activated = True
    return echo


def ask(echo: Echo, expression: str, answers: dict[str, Any] | None = None) -> Any:
    """What an expression in a sync handler gives, as JSON; `call` is `app.api.call`."""
    if answers is not None:
        echo.plugin.ask("set_answers", answers=answers)
    body = f"""
        import json
        def show(value):
            if isinstance(value, (list, tuple)):
                return [show(part) for part in value]
            if isinstance(value, bytes):
                return {{"bytes": value.hex()}}
            return value.to_dict() if hasattr(value, "to_dict") else value
        call = app.api.call
        try:
            found = show({expression})
        except Exception as error:
            found = {{"error": type(error).__name__, "text": str(error), **vars(error)}}
        return CommandResponse(text=json.dumps(found))
    """
    return json.loads(echo.answered("ExecuteCommand", body, {"A": {}, "B": {}})["reply"]["A"]["text"])


# results


def test_plain_results_arrive(activated: Echo) -> None:
    answers = {
        "GetServerVersion": {"A": "11.6.0"},
        "KVGet": {"A": "AP8="},
        "KVSetWithOptions": {"A": True},
        "KVList": {"A": ["a", ""]},
        "HasPermissionTo": {"A": False},
        "LoadPluginConfiguration": {"A": {"Word": "w"}},
        "GetUser": {"A": None},
        "GetReactions": {"A": None},
    }
    assert ask(activated, "call('GetServerVersion')", answers) == "11.6.0"
    assert ask(activated, "call('KVGet', 'k')") == {"bytes": "00ff"}
    assert (
        ask(
            activated,
            "call('KVSetWithOptions', 'k', b'v', models.PluginKVSetOptions())".replace(
                "models.", "__import__('mmhooks.models').models."
            ),
        )
        is True
    )
    assert ask(activated, "call('KVList', 0, 10)") == ["a", ""]
    assert ask(activated, "call('HasPermissionTo', 'u', None)") is False
    assert bytes.fromhex(ask(activated, "call('LoadPluginConfiguration')")["bytes"]) == b'{"Word":"w"}'
    assert ask(activated, "call('GetUser', 'nobody')") is None
    assert ask(activated, "call('GetReactions', 'p')") == []
    before = len(activated.plugin.api_calls("LogInfo"))
    assert ask(activated, "call('LogInfo', 'hello', ['key', 'value'])") is None
    (call,) = activated.plugin.api_calls("LogInfo")[before:]
    assert call["args"] == {"A": "hello", "B": ["key", "value"]}


# errors


ERROR = {"id": "i", "message": "not found", "detailed_error": "d", "status_code": 404}


def test_app_error_of_the_server_is_raised_with_its_fields(activated: Echo) -> None:
    found = ask(activated, "call('GetUser', 'u')", {"GetUser": {"A": None, "B": ERROR}})
    assert found["error"] == "NotFound"
    assert (found["id"], found["message"], found["detailed_error"], found["status_code"]) == (
        "i",
        "not found",
        "d",
        404,
    )


@pytest.mark.parametrize(
    ("answer", "expression", "error", "text"),
    [
        ({"error": "the database is away"}, "call('GetUser', 'u')", "APIError", "GetUser: the database is away"),
        ({"never": True}, "call('GetUser', 'u', timeout=0.05)", "DeadlineExceeded", "did not answer within 0.05 s"),
        ({"delay_ms": 1500}, "call('GetUser', 'u', timeout=0.05)", "DeadlineExceeded", "GetUser"),
        ({}, "call('GetUsr', 'u')", "APIError", "did you mean 'GetUser'?"),
        ({}, "call('GetUser')", "TypeError", "GetUser takes 1 arguments, not 0"),
        ({}, "call('GetUser', 5)", "ModelError", "str"),
        ({}, "call('KVList', 2**70, 1)", "ModelError", "KVList: 1180591620717411303424 is outside of int"),
        ({}, "call('CreatePost', Post(props={'x': object()}))", "ModelError", "CreatePost: props['x']: object is"),
        ({}, "call('CreatePost', 'text')", "ModelError", "CreatePost: expected Post, found str"),
        ({}, "call('LogInfo', 'x', [object()])", "ModelError", "object"),
    ],
)
def test_call_that_fails_says_so_and_the_next_one_works(
    activated: Echo, answer: dict[str, Any], expression: str, error: str, text: str
) -> None:
    found = ask(activated, expression, {"GetUser": answer or {"A": {"id": "u"}}})
    assert found["error"] == error
    assert text in found["text"]
    assert ask(activated, "call('GetUser', 'u')", {"GetUser": {"A": {"id": "back"}}})["id"] == "back"


def test_method_that_the_server_does_not_have_is_of_a_newer_version(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App, UnsupportedByHost
        from mmhooks.hosts.netrpc import structs
        structs.API["GetNothing"] = ("string", "string")
        app = App()
        @app.hook
        def on_activate():
            try:
                app.api.call("GetNothing", "x")
            except UnsupportedByHost as error:
                print(error, flush=True)
            print(app.api.call("GetServerVersion"))
        app.run()
    """)
    assert plugin.activate({"GetServerVersion": {"A": "11.6.0"}})["reply"] == {"A": None}
    printed = plugin.ask("wait_stdio", channel="stdout", contains="11.6.0\n")["stdout"]
    assert printed.startswith("this host has no GetNothing: the server is of an older version")
    assert printed.endswith("\n11.6.0\n")


def test_sync_call_on_the_event_loop_is_refused_with_what_to_write(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        async def on_activate():
            app.api.call("GetServerVersion")
        app.run()
    """)
    detail = plugin.activate()["reply"]["A"]["detailed_error"]
    assert detail.startswith("RuntimeError: ")
    assert "await app.async_api.get_server_version(…)" in detail
    assert plugin.api_calls() == []


# places


PLACES = """
    import asyncio, threading
    from mmhooks import App, CommandResponse
    app = App()

    @app.hook
    async def user_has_logged_in(user):
        app.logger.info("version %s", await app.async_api.call("GetServerVersion"))

    @app.hook
    async def user_has_been_created(user):
        names = await asyncio.gather(*(app.async_api.call("GetUser", f"u{n}") for n in range(20)))
        app.logger.info("%d users", len([user.id for user in names]))

    @app.hook
    def user_has_been_deactivated(user):
        def ask(n):
            app.api.call("KVGet", f"k{n}")
        threads = [threading.Thread(target=ask, args=[n]) for n in range(20)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        app.logger.info("20 threads are done")

    @app.hook
    def message_has_been_posted(post):
        app.logger.info("asking")
        app.logger.info("slow %s", app.api.call("GetServerVersion"))

    @app.hook
    def on_shared_channels_ping(remote_cluster):
        return True

    @app.hook
    def message_has_been_deleted(post):
        other = asyncio.new_event_loop()
        app.logger.info("other loop: %s", other.run_until_complete(app.async_api.call("GetServerVersion")))
        other.close()

    @app.hook
    def on_configuration_change():
        app.logger.info("configuration %s", app.api.call("LoadPluginConfiguration"))

    @app.hook
    async def on_activate():
        app.logger.info("activating on %s", await app.async_api.call("GetServerVersion"))

    app.run()
"""


def test_api_can_be_called_from_everywhere(start_plugin: Start) -> None:
    plugin = start_plugin(PLACES)
    version = {"GetServerVersion": {"A": "11.6.0"}}
    assert plugin.activate(version)["reply"] == {"A": None}
    plugin.wait_log("configuration b'{}'")
    plugin.wait_log("activating on 11.6.0")
    calls = [call["method"] for call in plugin.api_calls()]
    assert calls == ["LoadPluginConfiguration", "LogInfo", "GetServerVersion", "LogInfo"], "what the author asked for"
    plugin.call_rpc("UserHasLoggedIn")
    plugin.wait_log("version 11.6.0")
    plugin.call_rpc("UserHasBeenCreated")
    plugin.wait_log("20 users")
    assert sorted(call["args"]["A"] for call in plugin.api_calls("GetUser")) == sorted(f"u{n}" for n in range(20))
    plugin.call_rpc("UserHasBeenDeactivated")
    plugin.wait_log("20 threads are done")
    assert len({call["args"]["A"] for call in plugin.api_calls("KVGet")}) == 20
    plugin.call_rpc("MessageHasBeenDeleted")
    plugin.wait_log("other loop: 11.6.0")
    # Another hook is answered while a handler waits for the server.
    plugin.ask("set_answers", answers={"GetServerVersion": {"A": "late", "delay_ms": 300}})
    call = plugin.begin("call", hook="MessageHasBeenPosted", args={})
    plugin.wait_log("asking")
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}
    assert not [record for record in plugin.logs() if "slow late" in record["message"]]
    plugin.host.wait(call)
    plugin.wait_log("slow late")


def test_calls_that_overlap_get_each_its_own_answer(start_plugin: Start) -> None:
    plugin = start_plugin("""
        import asyncio
        from mmhooks import App
        app = App()
        @app.hook
        async def on_activate():
            slow = asyncio.create_task(app.async_api.call("GetServerVersion"))
            fast = await asyncio.gather(*(app.async_api.call("HasPermissionTo", str(n), None) for n in range(5)))
            assert fast == [True] * 5 and not slow.done(), (fast, slow)
            assert await slow == "slow"
        app.run()
    """)
    answers = {"GetServerVersion": {"A": "slow", "delay_ms": 400}, "HasPermissionTo": {"A": True}}
    assert plugin.activate(answers)["reply"] == {"A": None}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_calls_under_way_end_with_the_connection(start_plugin: Start, kind: str, tmp_path: Any) -> None:
    call = {
        "sync": "def on_activate():\n            wait(app.api.call)",
        "async": "async def on_activate():\n            await async_wait()",
    }
    plugin = start_plugin(
        f"""
        import atexit, threading
        from mmhooks import App, HostUnavailable
        app = App()
        noted = threading.Event()
        atexit.register(noted.wait, 5)  # the process does not wait for threads that handlers run in
        def note(text):
            with open({str(tmp_path / "seen")!r}, "a") as file:
                file.write(text)
            noted.set()
        def wait(call):
            app.logger.info("asking")
            try:
                call("GetServerVersion")
            except HostUnavailable as error:
                note(str(error))
        async def async_wait():
            app.logger.info("asking")
            try:
                await app.async_api.call("GetServerVersion")
            except HostUnavailable as error:
                note(str(error))
        @app.hook
        {call[kind]}
        app.run()
    """
    )
    waiting = plugin.begin("activate", answers={"GetServerVersion": {"never": True}})
    plugin.wait_log("asking")
    plugin.ask("kill")
    with pytest.raises(HostError):
        plugin.host.wait(waiting)
    assert (tmp_path / "seen").read_text().startswith("GetServerVersion: ")


def test_before_activation_there_is_no_api(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App, HostUnavailable
        app = App()
        @app.hook
        def on_shared_channels_ping(remote_cluster):
            try:
                app.api.call("GetServerVersion")
            except HostUnavailable as error:
                return "offer it from OnActivate on" in str(error)
        app.run()
    """)
    assert plugin.call_rpc("OnSharedChannelsPing")["reply"] == {"A": True}


# activation


def test_configuration_change_comes_before_activation_and_its_failure_is_only_logged(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        calls = []
        @app.hook
        def on_activate():
            calls.append("activate")
        @app.hook
        def on_configuration_change():
            calls.append("configuration")
            raise OSError("not fatal")
        @app.hook
        def on_deactivate():
            print("calls:", *calls, "deactivate", flush=True)
        app.run()
    """)
    assert plugin.started["implemented"] == ["OnActivate", "OnDeactivate", "OnConfigurationChange"]
    assert plugin.activate()["reply"] == {"A": None}
    assert plugin.wait_log("not fatal")["level"] == "error"
    assert plugin.call_rpc("OnConfigurationChange")["reply"]["A"]["detailed_error"] == "OSError: not fatal"
    assert plugin.call_rpc("OnDeactivate")["reply"] == {"A": None}
    printed = plugin.ask("wait_stdio", channel="stdout", contains="deactivate\n")["stdout"]
    assert printed == "calls: configuration activate configuration deactivate\n"


@pytest.mark.parametrize("hook", ["on_configuration_change", "on_deactivate", "user_will_log_in"])
def test_plugin_without_activation_is_activated_all_the_same(start_plugin: Start, hook: str) -> None:
    plugin = start_plugin(f"""
        from mmhooks import App
        app = App()
        @app.hook
        def {hook}(**arguments):
            app.logger.info("called with %s", app.api.call("GetServerVersion"))
        app.run()
    """)
    assert plugin.started["implemented"][0] == "OnActivate"
    answer = plugin.activate({"GetServerVersion": {"A": "11.6.0"}})
    assert (answer["reply"], answer["api_connected"], answer["driver_connected"]) == ({"A": None}, True, True)
    if hook != "on_configuration_change":
        plugin.call_rpc("OnDeactivate" if hook == "on_deactivate" else "UserWillLogIn")
    plugin.wait_log("called with 11.6.0")


@pytest.mark.parametrize(
    ("body", "message", "status"),
    [
        ("raise RuntimeError('no database')", "RuntimeError: no database", 500),
        ("raise AppError('no licence', status_code=402)", "no licence", 402),
        ("raise SystemExit(3)", "SystemExit: 3", 500),
        ("threading.Event().wait()", "did not answer within 0.2 s", 504),
        ("return 5", "OnActivate: a handler cannot return an int", 500),
        ("raise AppError('x', params={'a': object()})", "x", 500),
        ("raise OSError('bad file \\\\udcff')", "bad file", 500),
    ],
)
def test_failure_to_activate_is_in_the_reply_and_never_an_error_of_the_call(
    start_plugin: Start, body: str, message: str, status: int
) -> None:
    # The server takes an error of the call for a success.
    plugin = start_plugin(f"""
        import threading
        from mmhooks import App, AppError
        app = App()
        @app.hook(timeout=0.2)
        def on_activate():
            {body}
        app.run()
    """)
    error = plugin.activate()["reply"]["A"]
    assert error["type"] == "*model.AppError"
    assert message in error["detailed_error"]
    assert error["status_code"] == status


def test_host_that_offers_no_api_is_told_so_in_the_reply(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def on_activate():
            app.logger.error("never")
        app.run()
    """)
    answer = plugin.call_rpc("OnActivate", timeout_ms=15_000)
    # Either side gives up after 5 s, and which is first is a matter of chance.
    assert "the server's plugin API cannot be reached: " in answer["reply"]["A"]["message"]
    assert 4500 < answer["ms"] < 9000
    assert plugin.ask("health")["ms"] >= 0
    assert plugin.wait_log("database driver cannot be reached")["level"] == "warn"
    assert not [record for record in plugin.logs() if record["message"] == "never"]


def test_plugin_can_be_activated_again(start_plugin: Start) -> None:
    plugin = start_plugin("""
        from mmhooks import App
        app = App()
        @app.hook
        def on_activate():
            app.api.call("GetServerVersion")
        app.run()
    """)
    assert plugin.activate()["reply"] == {"A": None}
    assert plugin.activate()["reply"] == {"A": None}
    assert len(plugin.api_calls("GetServerVersion")) == 2
