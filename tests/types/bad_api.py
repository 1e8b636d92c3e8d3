"""Slips in calls of the plugin API, each told by the type checker in its line."""

from mmhooks import App, Post, User

app = App()


def sync() -> None:
    app.api.get_usr("u1")  # expect: attr-defined
    app.api.get_user()  # expect: call-arg
    app.api.get_user(1)  # expect: arg-type
    app.api.get_user("u1", 5)  # expect: call-arg
    app.api.get_user("u1", timeout="5")  # expect: arg-type
    app.api.get_user(id="u1")  # expect: call-arg
    app.api.create_post("hi")  # expect: arg-type
    app.api.create_post(User())  # expect: arg-type
    app.api.kv_set("k", "v")  # expect: arg-type
    app.api.get_users_by_ids("u1")  # expect: arg-type
    name: str = app.api.get_user("u1")  # expect: assignment
    value: bytes = app.api.kv_get("k")  # expect: assignment
    print(app.api.get_user("u1").user_name)  # expect: attr-defined
    print(app.api.get_license().id)  # expect: union-attr
    app.api.plugin_http()  # expect: attr-defined
    print(name, value)


async def not_sync() -> None:
    user: User = app.async_api.get_user("u1")  # expect: assignment
    await app.async_api.create_post(post=Post(), channel="c")  # expect: call-arg
    await app.api.get_user("u1")  # expect: misc
    print(user)
