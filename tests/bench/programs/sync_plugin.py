"""A plugin with a sync handler that changes every post."""

from mmhooks import App, Context, HookName, Post

app = App()


@app.hook(HookName.MessageWillBePosted)
def mend(context: Context, post: Post) -> Post:
    post.message = post.message.replace("teh", "the")
    return post


if __name__ == "__main__":
    app.run()
