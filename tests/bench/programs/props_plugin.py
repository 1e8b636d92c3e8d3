"""A plugin with an async handler that reads the props and changes the message."""

from mmhooks import App, Context, HookName, Post

app = App()


@app.hook(HookName.MessageWillBePosted)
async def exclaim(context: Context, post: Post) -> Post:
    if post.props:
        post.message += "!"
    return post


if __name__ == "__main__":
    app.run()
