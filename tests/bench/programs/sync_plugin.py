"""A plugin with a sync handler that changes every post."""

from mmhooks import App, Context, HookName, Post

app = App()


@app.hook(HookName.MessageWillBePosted)
def exclaim(context: Context, post: Post) -> Post:
    post.message += "!"
    return post


if __name__ == "__main__":
    app.run()
