"""Keeps people from shouting, and mends a common slip."""

from mmhooks import App, HookName, Post, Reject

from settings import Settings

app = App(settings=Settings)


@app.hook(HookName.MessageWillBePosted)
def keep_calm(post: Post) -> Post | Reject | None:
    settings = app.settings
    if post.message.isupper() and not settings.allow_shouting:
        return Reject("Please don't shout.")  # the author reads this; nothing is stored
    if settings.slip not in post.message:
        return None  # the post is stored as it is
    post.message = post.message.replace(settings.slip, settings.correction)
    return post  # stored instead of the original


if __name__ == "__main__":
    app.run()
