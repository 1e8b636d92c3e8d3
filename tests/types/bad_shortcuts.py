"""Slips with stores, iterators and the bot, each told by the type checker in its line."""

from pydantic import BaseModel

from mmhooks import App, Post, User

app = App(bot="b")


class Votes(BaseModel):
    up: int = 0


async def later(count: int) -> int:
    return count


def sync() -> None:
    app.kv.get(5)  # expect: call-overload
    app.kv.set("k")  # expect: call-arg
    app.kv.set("k", 1, expires_in="5")  # expect: arg-type
    app.kv.set_if("k", 1)  # expect: call-arg
    name: str = app.kv.get("k", Votes())  # expect: assignment
    print(app.kv.get("k", type=Votes).up)  # expect: union-attr
    app.kv.update("k", 1)  # expect: call-overload
    count: str = app.kv.update("k", lambda old: old + 1, default=0)  # expect: assignment
    app.kv.namespace(1)  # expect: arg-type
    app.api.iter_users_in_team()  # expect: call-arg
    app.api.iter_users_in_team("t", page=1)  # expect: call-arg
    user: Post = next(app.api.iter_users())  # expect: assignment
    app.bot.dm(User(), "hi")  # expect: arg-type
    app.bot.reply_to("p", "hi")  # expect: arg-type
    app.bot.dm("u", 5)  # expect: arg-type
    App(bot="b", bot_image=5)  # expect: arg-type
    print(name, count, user)


async def not_sync() -> None:
    value: int = app.async_kv.get("k", Votes())  # expect: assignment
    for key in app.async_kv:  # expect: attr-defined
        print(key)
    for user in app.async_api.iter_users():  # expect: attr-defined
        print(user)
    post: Post = app.async_bot.dm("u", "hi")  # expect: assignment
    print(value, post)
