"""What type checkers must accept: handlers as people write them. Read by mypy, never run."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Coroutine
from typing import Any, assert_type

from mmhooks import (
    App,
    Blueprint,
    Bot,
    Channel,
    CommandArgs,
    CommandResponse,
    Config,
    Context,
    Dismiss,
    EmailNotification,
    EmailNotificationContent,
    FileData,
    HookName,
    Post,
    PushNotification,
    Reject,
    RemoteCluster,
    RuntimeConfig,
    Stop,
    SyncMsg,
    SyncResponse,
    User,
)
from mmhooks.bots import PluginBot

app = App(on_error=Reject("later"), timeout=2.5, threads=8)
blueprint = Blueprint()


@app.hook(HookName.MessageWillBePosted)
def by_enum(context: Context, post: Post) -> Post | Reject | None:
    return Dismiss() if post.message == "" else None


@app.hook("MessageWillBeUpdated", timeout=1.5, on_error=Reject("no"))
async def by_text(new_post: Post) -> Post:
    return new_post


@app.hook
def channel_has_been_created(channel: Channel | None) -> None: ...


@app.hook()
async def on_activate() -> None: ...


@app.hook(timeout=5)
def on_deactivate() -> None: ...


@app.hook(HookName.UserWillLogIn, on_error=Reject("not now"))
def gate(user: User) -> Reject | None:
    return Reject("why") if user.is_bot else None


@blueprint.hook(HookName.ExecuteCommand)
def command(args: CommandArgs) -> CommandResponse:
    return CommandResponse(response_type="ephemeral", text=args.command)


@blueprint.hook("RunDataRetention")
async def retention(now_time: int, batch_size: int) -> int:
    return now_time - batch_size


@app.hook(HookName.ConfigurationWillBeSaved)
def saved(config: Config) -> Config | None:
    return config if config.ServiceSettings.SiteURL else None


@app.hook(HookName.EmailNotificationWillBeSent)
def mail(notification: EmailNotification) -> EmailNotification | EmailNotificationContent:
    return notification


@app.hook(HookName.NotificationWillBePushed)
def never_or_always(push_notification: PushNotification, user_id: str) -> Reject:
    return Reject("quiet")


@app.hook(HookName.MessagesWillBeConsumed)
def consumed(posts: list[Post]) -> list[Post]:
    return posts


@app.hook(HookName.OnSharedChannelsPing)
def ping(remote_cluster: RemoteCluster) -> bool:
    return True


@app.hook(HookName.OnSharedChannelsSyncMsg)
def sync(sync_msg: SyncMsg) -> SyncResponse:
    return SyncResponse()


async def collect() -> list[FileData]:
    return []


@app.hook(HookName.GenerateSupportData)
def support(context: Context) -> Awaitable[list[FileData]]:
    return collect()


class Rules:
    def posted(self, post: Post) -> None: ...

    async def __call__(self, user: User) -> None: ...


app.hook("MessageHasBeenPosted")(Rules().posted)
app.hook(HookName.UserHasBeenCreated)(Rules())
app.hook(HookName.OnInstall)(functools.partial(Rules().posted, Post()))
app.include(blueprint)

# The decorator gives the function back as it was.
assert_type(by_enum(Context(), Post()), Post | Reject | None)
_ = assert_type(retention(1, 2), Coroutine[Any, Any, int])
assert_type(channel_has_been_created(None), None)

assert_type(app.implemented_hooks(), list[str])
assert_type(app.has_hook(HookName.OnActivate), bool)
assert_type(app.config, RuntimeConfig)
assert_type(app.config.hook_timeout, float)

with app.test_client() as client:
    posted = client.message_will_be_posted(Post(message="hi"))
    assert_type(posted.post, Post | None)
    assert_type(posted.reason, str | None)
    assert_type(posted.rejected, bool)
    assert_type(client.execute_command(CommandArgs(command="/x")).value, CommandResponse | None)
    assert_type(client.run_data_retention(now_time=1, batch_size=2).value, int | None)
    assert_type(client.messages_will_be_consumed([Post()]).value, list[Post] | None)

post = Post(message="hi", props={"a": [1]}, remote_id=None)
assert_type(post.create_at, int)
assert_type(post.remote_id, str | None)
assert_type(post.to_json(), str)
assert_type(Post.from_json("{}"), Post)


@app.command("weather", hint="[city]", description="How the weather is.", timeout=5)
def weather(city: str, user: User | None = None, *more: int, days: int = 1, context: Context) -> str:
    return city


@blueprint.command("weather today")
async def today(args: CommandArgs) -> CommandResponse | str | None:
    return None


@app.message("hello", bots=True)
def hello(post: Post) -> None: ...


@app.message(re.compile(r"(?P<name>\w+)\+\+"), timeout=2.5)
async def thanks(name: str, match: re.Match[str]) -> Stop | None:
    return Stop()


@blueprint.message(direct=True)
def direct(post: Post) -> type[Stop]:
    return Stop


@app.mention
async def bare(post: Post) -> None: ...


@app.mention("help", bots=True)
def asked(post: Post) -> Stop:
    raise Stop


@app.hook(HookName.MessageHasBeenPosted, ignore_own=True, ignore_bots=True)
def others(post: Post) -> None: ...


@blueprint.hook("MessageWillBeUpdated", ignore_own=True, on_error=Reject("no"))
def edited(new_post: Post) -> Post | None:
    return new_post


@app.hook(ignore_bots=True)
def message_has_been_deleted(post: Post) -> None: ...


assert_type(weather("Rome", context=Context()), str)
hears = assert_type(bare(Post()), Coroutine[Any, Any, None])
assert_type(App(bot="karma").bot, PluginBot)
assert_type(App(bot=Bot(username="karma")).bot.user_id, str)

with app.test_client() as client:
    assert_type(client.run_command("/weather Rome", user_id="u", team_id="t").value, CommandResponse | None)
