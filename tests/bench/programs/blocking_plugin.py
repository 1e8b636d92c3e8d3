"""A plugin whose one hook blocks its thread for long, and whose other hook answers at once."""

import itertools
import threading

from mmhooks import App, HookName, Post

app = App()

BLOCKED = 10.0
"""Seconds."""

_count = itertools.count(1)


@app.hook(HookName.MessageHasBeenPosted)
def block(post: Post) -> None:
    app.logger.info("blocked: %d.", next(_count))
    threading.Event().wait(BLOCKED)  # for what never comes


@app.hook(HookName.MessageWillBePosted)
def exclaim(post: Post) -> Post:
    post.message += "!"
    return post


if __name__ == "__main__":
    app.run()
