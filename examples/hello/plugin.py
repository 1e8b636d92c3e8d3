"""Keeps people from shouting, and mends a common slip."""

from mmhooks import App, HookName, Post, Reject

app = App()


@app.hook(HookName.MessageWillBePosted)
def keep_calm(post: Post) -> Post | Reject | None:
    if post.message.isupper():
        return Reject("Please don't shout.")  # the author reads this; nothing is stored
    if "teh" not in post.message:
        return None  # the post is stored as it is
    post.message = post.message.replace("teh", "the")
    return post  # stored instead of the original


if __name__ == "__main__":
    app.run()
