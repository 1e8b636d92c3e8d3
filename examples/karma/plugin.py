"""Karma: `@ada++` gives her a point, `@bob--` takes one, and `/karma` says how people stand."""

import re

from mmhooks import App, CommandArgs, Forbidden, NotFound, Post, User

app = App(bot="karma")
points = app.kv.namespace("points")


@app.message(re.compile(r"@(?P<name>[a-z0-9._-]*[a-z0-9])(?P<sign>\+\+|--)", re.IGNORECASE))
def vote(post: Post, name: str, sign: str) -> None:
    try:
        user = app.api.get_user_by_username(name.lower())
    except NotFound:
        return
    if user.id == post.user_id:
        app.bot.reply_to(post, "Nobody praises themselves.")
        return
    step = 1 if sign == "++" else -1
    now = points.update(user.id, lambda before: before + step, default=0)  # votes at the same time all count
    app.bot.reply_to(post, f"@{user.username} has {now} now.")


@app.command("karma")
def karma(user: User) -> str:
    """How somebody stands."""
    return f"@{user.username} has {points.get(user.id, 0)}."


@app.command("karma top")
def top(count: int = 3) -> str:
    """Who has most."""
    users = list(points.keys())
    standing = sorted(((points.get(user_id, 0), user_id) for user_id in users), reverse=True)[:count]
    lines = [f"{n}. @{app.api.get_user(user_id).username}: {has}" for n, (has, user_id) in enumerate(standing, 1)]
    return "\n".join(lines) or "Nobody has any karma yet."


@app.command("karma reset")
def reset(user: User, args: CommandArgs) -> str:
    """Forget somebody's karma; for administrators."""
    if "system_admin" not in app.api.get_user(args.user_id).roles.split():
        raise Forbidden("Only administrators can do that.")
    points.delete(user.id)
    return f"@{user.username} begins anew."


if __name__ == "__main__":
    app.run()
