"""What a test of a plugin looks like, and what the object of it promises."""

from __future__ import annotations

import asyncio
import threading
import warnings
from typing import Any

import pytest
from pydantic import BaseModel

from mmhooks import App, AppError, BadRequest, Config, Context, Dismiss, Post, Reject, UnsupportedByHost, User
from mmhooks.errors import APIError, HostUnavailable, ModelError
from mmhooks.models import License, SearchParams, UserGetOptions, UserSearch
from mmhooks.outcomes import DISMISSED
from mmhooks.testing import Clock, LostChange, Mattermost, UnreturnedEdit


def test_a_post_is_filtered_stored_and_answered() -> None:
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post | Reject | None:
        if "darn" in post.message:
            return Reject("We don't say that.")
        post.message = post.message.capitalize()
        return post

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        if post.message == "Hello":
            app.api.create_post(
                Post(channel_id=post.channel_id, user_id=post.user_id, message="world", root_id=post.id)
            )

    with Mattermost(app) as mattermost:
        alice = mattermost.add_user("alice")
        post = mattermost.post("town-square", "hello", user=alice)
        assert (post.message, post.user_id) == ("Hello", alice.id)
        assert [reply.message for reply in mattermost.thread(post)] == ["World"]
        with pytest.raises(BadRequest, match=r"Post rejected by plugin\. We don't say that\.") as caught:
            mattermost.post("town-square", "darn", user=alice)
        assert caught.value.id == "Post rejected by plugin. We don't say that."
        assert [each.message for each in mattermost.posts("town-square")] == ["Hello", "World"]


def test_a_dismissed_post_has_an_id_of_its_own() -> None:
    app = App()
    app.hook("MessageWillBePosted")(lambda post: Dismiss())
    with Mattermost(app) as mattermost:
        with pytest.raises(BadRequest) as caught:
            mattermost.post("town-square", "hello")
        assert caught.value.id == DISMISSED
        assert mattermost.posts("town-square") == []


def test_what_a_handler_raises_is_raised_in_the_test() -> None:
    app, error = App(), LookupError("own")

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        raise error

    with Mattermost(app) as mattermost:
        with pytest.raises(LookupError) as caught:
            mattermost.post("town-square", "hello")
        assert caught.value is error
        assert len(mattermost.posts("town-square")) == 1  # on a server nobody would know
    with Mattermost(app, raise_exceptions=False) as mattermost:
        mattermost.post("town-square", "hello")
        assert [(trouble.hook, trouble.error) for trouble in mattermost.errors] == [("MessageHasBeenPosted", error)]


def test_a_failure_that_only_closed_a_gate_is_raised_too() -> None:
    app = App(on_error=Reject("closed"))

    @app.hook
    def message_will_be_posted(post: Post) -> None:
        raise LookupError("own")

    with Mattermost(app) as mattermost, pytest.raises(LookupError):
        mattermost.post("town-square", "hello")
    with Mattermost(app, raise_exceptions=False) as mattermost, pytest.raises(BadRequest, match="closed"):
        mattermost.post("town-square", "hello")


def test_failures_that_nobody_was_told_of_are_raised_at_the_end() -> None:
    app = App()

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        raise LookupError("own")

    def write(mattermost: Mattermost) -> None:
        admin, channel = mattermost.admin, mattermost.channel("town-square")
        app.api.create_post(Post(channel_id=channel.id, user_id=admin.id, message="hello"))

    def fail_after_writing(mattermost: Mattermost) -> None:
        write(mattermost)
        raise ZeroDivisionError  # the test's own failure goes before

    with pytest.raises(LookupError), Mattermost(app) as mattermost:
        write(mattermost)
    with pytest.raises(ZeroDivisionError), Mattermost(app) as mattermost:
        fail_after_writing(mattermost)
    with Mattermost(app) as mattermost:
        write(mattermost)
        with pytest.raises(LookupError):
            mattermost.settle()


def test_slips_are_told_at_the_line_of_the_test() -> None:
    app = App()

    @app.hook
    def message_will_be_posted(post: Post) -> Post | None:
        if post.message == "slip":
            post.message = "edited"
            return None
        del post.props["key"]
        return post

    with Mattermost(app) as mattermost:
        with pytest.warns(UnreturnedEdit, match=r"post\.message") as caught:
            mattermost.post("town-square", "slip")
        assert caught[0].filename == __file__
        with pytest.warns(LostChange):
            post = mattermost.post("town-square", "lost", props={"key": "value", "other": "value"})
        assert post.props == {"key": "value", "other": "value"}  # as a released server merges it


def test_the_life_of_the_plugin() -> None:
    told: list[str] = []

    class Settings(BaseModel):
        greeting: str = "hi"
        times: int = 1

    app = App(settings=Settings)

    @app.hook
    def on_configuration_change() -> None:
        told.append(f"configured {app.settings.greeting} {app.settings.times}")

    @app.hook
    def on_activate() -> None:
        told.append("activated")
        user = app.api.get_user_by_username("admin")
        channel = app.api.get_channel_by_name_for_team_name("main", "town-square")
        app.api.create_post(Post(channel_id=channel.id, user_id=user.id, message="here I am"))

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        told.append(post.message)

    @app.hook
    def on_deactivate() -> None:
        told.append("deactivated")
        assert app.api.get_server_version() == "11.6.0"

    with Mattermost(app, settings={"Greeting": "hello"}) as mattermost:
        # no hooks before OnActivate has returned
        assert told == ["configured hello 1", "activated"]
        mattermost.change_settings({"Times": 2})
        mattermost.change_settings({"Times": 2})  # changes nothing
        assert told[2:] == ["configured hello 2"]
        mattermost.post("town-square", "hello")
    assert told[3:] == ["hello", "deactivated"]
    assert app.settings == Settings()
    with pytest.raises(HostUnavailable):
        app.api.get_server_version()


def test_a_plugin_that_cannot_be_activated() -> None:
    app = App()

    @app.hook
    def on_activate() -> None:
        raise AppError("no licence")

    @app.hook
    def message_will_be_posted(post: Post) -> Reject:
        return Reject("never asked")

    with pytest.raises(AppError, match="no licence"), Mattermost(app):
        pytest.fail("it is not there")
    with Mattermost(app, raise_exceptions=False, plugin_id="com.example.off") as mattermost:
        mattermost.post("town-square", "hello")
        status = app.api.get_plugin_status("com.example.off")
        assert (status.state, status.error) == (3, "AppError: no licence")
    with pytest.raises(HostUnavailable):
        app.api.get_server_version()


def test_restarting_the_plugin_drops_its_commands() -> None:
    from mmhooks.models import Command

    app = App()
    told: list[Any] = []
    app.hook("OnActivate")(lambda: told.append("on"))
    app.hook("OnDeactivate")(lambda: told.append("off"))
    with Mattermost(app) as mattermost:
        app.api.register_command(Command(trigger="hello"))
        mattermost.disable_plugin()
        mattermost.disable_plugin()
        mattermost.enable_plugin()
        assert mattermost.server.state.plugin_commands == []
    assert told == ["on", "off", "on", "off"]


def test_it_has_to_be_entered_once() -> None:
    mattermost = Mattermost(App())
    mattermost.add_user("alice")
    with pytest.raises(RuntimeError, match="with Mattermost"):
        mattermost.post("town-square", "hello")
    with mattermost:
        assert mattermost.post("town-square", "hello", user="alice").message == "hello"
    with pytest.raises(RuntimeError, match="make another"), mattermost:
        pass


def test_users_and_channels_go_by_name_id_or_model_and_slips_are_explained(server: Mattermost) -> None:
    alice = server.add_user("alice")
    for name in ("alice", "@alice", alice.id, alice):
        assert server.user(name).id == alice.id
    channel = server.add_channel("dev", members=[alice])
    for where in ("dev", "~dev", channel.id, channel):
        assert server.post(where, "hello", user=alice).channel_id == channel.id
    with pytest.raises(LookupError, match=r"no user 'alic'; did you mean 'alice'\?"):
        server.post("dev", "hello", user="alic")
    with pytest.raises(
        LookupError, match=r"no channel 'somewhere'; make one by mattermost\.add_channel\('somewhere'\)"
    ):
        server.post("somewhere", "hello")
    with pytest.raises(LookupError, match="no team 'sales'"):
        server.team("sales")


def test_what_comes_out_is_a_copy(server: Mattermost) -> None:
    post = server.post("town-square", "hello", props={"list": [1]})
    post.props["list"].append(2)
    post.message = "changed"
    assert server.posts("town-square")[0].message == "hello"
    assert server.posts("town-square")[0].props == {"list": [1]}
    server.posts("town-square")[0].props.clear()
    assert server.get_post(post).props == {"list": [1]}


def test_methods_that_are_not_there_say_what_to_do(server: Mattermost, app: App) -> None:
    with pytest.raises(
        UnsupportedByHost, match=r"does not do ShareChannel: give it an answer, mattermost\.answer\('Share"
    ):
        app.api.call("ShareChannel", None)
    with pytest.raises(APIError, match="did you mean 'GetUser'"):
        app.api.call("GetUsr", "x")
    with pytest.raises(APIError, match="did you mean 'GetUser'"):
        server.answer("GetUsr", None)


def test_options_that_are_not_looked_at_are_refused(server: Mattermost, app: App) -> None:
    with pytest.raises(UnsupportedByHost, match=r"does not look at UserGetOptions\.updated_after"):
        app.api.get_users(UserGetOptions(updated_after=5))
    with pytest.raises(UnsupportedByHost, match=r"UserSearch\.in_group_id"):
        app.api.search_users(UserSearch(in_group_id="x"))
    with pytest.raises(UnsupportedByHost, match=r"SearchParams\.on_date"):
        app.api.search_posts_in_team(server.main_team.id, [SearchParams(on_date="2026-01-01")])
    with pytest.raises(UnsupportedByHost, match="MessagesWillBeConsumed"):
        server.change_config(FeatureFlags={"ConsumePostHook": True})


def test_a_test_may_answer_any_method(server: Mattermost, app: App) -> None:
    assert app.api.get_license() is None
    server.answer("GetLicense", License(id="mine"))
    found = app.api.get_license()
    assert found
    found.id = "changed"
    assert app.api.get_license() == License(id="mine")
    server.answer("GetUser", lambda user_id: User(id=user_id, username="anybody"))
    assert app.api.get_user("x") == User(id="x", username="anybody")
    server.answer("GetUser", AppError("broken", status_code=503))
    with pytest.raises(AppError, match="broken"):
        app.api.get_user("x")
    server.answer("GetUser", HostUnavailable)
    with pytest.raises(HostUnavailable):
        app.api.call("GetUser", "x")


def test_calls_are_recorded_as_they_were(server: Mattermost, app: App) -> None:
    post = Post(channel_id=server.channel("off-topic").id, user_id=server.admin.id, message="hello", props={"a": [1]})
    app.api.create_post(post)
    post.props["a"].append(2)
    [call] = server.calls_of("CreatePost")
    assert call.arguments[0].message == "hello"
    assert call.arguments[0].props == {"a": [1]}
    assert [call.method for call in server.calls] == ["CreatePost"]


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("GetUser", (), r"GetUser takes 1 arguments, not 0"),
        ("GetUser", (5,), r"GetUser: argument 1 takes str, not int"),
        ("GetUser", (None,), r"takes str, not NoneType"),
        ("CreatePost", ({"message": "hello"},), r"CreatePost: argument 1 takes Post, not dict"),
        ("CreatePost", (Post(message=5),), r"argument 1: Post\.message takes str, not int"),  # type: ignore[arg-type]
        ("CreatePost", (Post(file_ids=["a", 5]),), r"Post\.file_ids\[1\] takes str, not int"),  # type: ignore[list-item]
        ("KVSet", ("key", "text"), r"argument 2 takes bytes, not str"),
        ("GetUsersByIds", ("abc",), r"takes list, not str"),
        ("KVList", (True, 1), r"takes int, not bool"),
    ],
)
def test_arguments_that_no_server_could_be_sent_are_refused(
    api: Any, method: str, arguments: tuple[Any, ...], error: str
) -> None:
    with pytest.raises((ModelError, TypeError), match=error):
        api.call(method, *arguments)


def test_async_handlers_and_tests(app: App) -> None:
    @app.hook
    async def message_has_been_posted(post: Post) -> None:
        if post.message == "hello":
            user = await app.async_api.get_user(post.user_id)
            answer = Post(channel_id=post.channel_id, user_id=post.user_id, message=f"hello {user.username}")
            await app.async_api.create_post(answer)

    @app.hook
    async def message_will_be_posted(post: Post) -> Post:
        post.message += "!"
        return post

    with Mattermost(app) as mattermost:
        mattermost.post("town-square", "hello"[:-1] + "o")
        assert [post.message for post in mattermost.posts("town-square")] == ["hello!"]

        async def elsewhere() -> str:
            return (await app.async_api.get_user(mattermost.admin.id)).username

        assert asyncio.run(elsewhere()) == "admin"


def test_people_act_within_handlers_too(app: App) -> None:
    with Mattermost(app) as mattermost:
        pass

    app = App()

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        if post.message == "ping":
            mattermost.post("town-square", "pong", user="alice")

    @app.hook
    async def message_will_be_posted(post: Post) -> None:
        if post.message == "loop":
            mattermost.post("town-square", "never")

    with Mattermost(app) as mattermost:
        mattermost.add_user("alice")
        mattermost.post("town-square", "ping")
        assert [post.message for post in mattermost.posts("town-square")] == ["ping", "pong"]
        with pytest.raises(RuntimeError, match=r"await asyncio\.to_thread"):
            mattermost.post("town-square", "loop")


def test_waiting_for_what_a_thread_of_the_plugin_does(app: App) -> None:
    go = threading.Event()
    threads = []

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        def work() -> None:
            go.wait()
            app.api.add_reaction(reaction(post))

        def reaction(post: Post) -> Any:
            from mmhooks.models import Reaction

            return Reaction(post_id=post.id, user_id=post.user_id, emoji_name="eyes")

        threads.append(threading.Thread(target=work))
        threads[-1].start()

    with Mattermost(app) as mattermost:
        post = mattermost.post("town-square", "hello")
        with pytest.raises(AssertionError, match=r"did not come true within 0\.01 s; the last calls .*: none"):
            mattermost.wait_for(lambda: mattermost.reactions(post), timeout=0.01)
        go.set()
        assert mattermost.wait_for(lambda: mattermost.reactions(post))[0].emoji_name == "eyes"
        threads[0].join()


def test_the_clock_stands_still_and_is_moved() -> None:
    app, clock = App(), Clock(1_000_000)
    with Mattermost(app, clock=clock) as mattermost:
        times = [mattermost.post("town-square", "hello").create_at for _ in range(20)]
        assert times == sorted({*times})
        assert clock.now == 1_000_000
        assert clock.advance(hours=1) == 4_600_000
        assert mattermost.post("town-square", "later").create_at == 4_600_000
        with pytest.raises(ValueError, match="forward only"):
            clock.advance(-1)


def test_a_clock_can_tick() -> None:
    clock = Clock(ticking=True)
    first = clock.now
    while clock.now == first:
        pass
    assert clock.stamp() > first


def test_settings_come_as_a_server_gives_them() -> None:
    class Settings(BaseModel):
        api_key: str = "none"
        times: int = 3
        label: str | None = None

    app = App(settings=Settings)
    with Mattermost(app, settings={"API_Key": "k", "Other": None}) as mattermost:
        loaded = app.api.load_plugin_configuration()
        assert loaded == {"api_key": "k", "times": 3, "label": None, "other": None}
        assert app.api.get_plugin_config() == {"API_Key": "k", "Other": None}
        app.api.save_plugin_config({"Times": 5})
        mattermost.settle()
        assert app.settings == Settings(times=5)
    with Mattermost(App()) as mattermost:
        assert mattermost.server.answer("LoadPluginConfiguration", ()) == b"{}"


def test_people_s_contexts_have_a_session_and_the_plugin_s_have_nothing(app: App) -> None:
    seen: list[Context] = []

    @app.hook
    def message_has_been_posted(context: Context, post: Post) -> None:
        seen.append(context)
        if post.message == "hello":
            app.api.create_post(Post(channel_id=post.channel_id, user_id=post.user_id, message="by the plugin"))

    with Mattermost(app) as mattermost:
        alice = mattermost.add_user("alice")
        mattermost.post("town-square", "hello", user=alice)
        mattermost.post("town-square", "again", user=alice)
        people, plugin, again = seen
        assert plugin == Context()
        assert people.request_id != again.request_id
        assert people.session_id == again.session_id
        assert app.api.get_session(people.session_id).user_id == alice.id


def test_changing_the_configuration(app: App) -> None:
    with Mattermost(app) as mattermost:
        mattermost.change_config(ServiceSettings={"EnableCommands": False})
        config: Config = app.api.get_config()
        assert config.ServiceSettings.EnableCommands is False
        with pytest.raises(AttributeError):
            mattermost.change_config(ServiceSettings={"EnableComands": False})


def test_no_warnings_where_nothing_is_wrong(app: App) -> None:
    @app.hook
    def message_will_be_posted(post: Post) -> Post:
        post.props["seen"] = True
        return post

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Mattermost(app) as mattermost:
            assert mattermost.post("town-square", "hello").props == {"seen": True}
