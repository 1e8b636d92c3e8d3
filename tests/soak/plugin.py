"""A plugin that does with each post what the post's type asks for."""

import gc

from mmhooks import App, HookName, Post, Reject

app = App()


@app.hook(HookName.OnConfigurationChange)
async def collect() -> None:
    gc.collect()


@app.hook(HookName.MessageWillBePosted)
async def answer(post: Post) -> Post | Reject:
    match post.type:
        case "custom_error":
            raise RuntimeError(f"out of order: {post.message}")
        case "custom_reject":
            return Reject(f"not this: {post.message}")
        case "custom_unsendable":
            post.props["unsendable"] = object()
        case "custom_props":
            post.props["prop00"] = {"text": post.message, "list": [1, 2.5, None]}
            post.props[f"new {post.message}"] = True
    post.message += "!"
    return post


if __name__ == "__main__":
    app.run()
