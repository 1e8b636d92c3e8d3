"""A plugin with an async handler that changes every post."""

from mmhooks import App, Context, HookName, Post

app = App()


@app.hook(HookName.MessageWillBePosted)
async def exclaim(context: Context, post: Post) -> Post:
    post.message += "!"
    return post


if __name__ == "__main__":
    app.run()
