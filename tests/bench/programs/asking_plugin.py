"""A plugin that asks the server for a user when one logs in, sync or async as `ASKS` says."""

import os

from mmhooks import App, HookName, Reject, User

app = App()


async def ask(user: User) -> Reject:
    return Reject((await app.async_api.get_user(user.id)).username)


def ask_and_wait(user: User) -> Reject:
    return Reject(app.api.get_user(user.id).username)


app.hook(HookName.UserWillLogIn)(ask if os.environ["ASKS"] == "async" else ask_and_wait)

if __name__ == "__main__":
    app.run()
