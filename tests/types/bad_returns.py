"""What type checkers must refuse: each line marked with a code of mypy's. Read by mypy, never run."""

from __future__ import annotations

from typing import Any

from mmhooks import App, Blueprint, CommandArgs, CommandResponse, HookName, Post, Reject, User

app = App()
blueprint = Blueprint()


@app.hook(HookName.MessageWillBePosted)  # expect: type-var
def gos_pair(post: Post) -> tuple[Post, str]:
    return post, "why"


@app.hook("MessageWillBePosted")  # expect: type-var
def a_reason_as_text(post: Post) -> str:
    return "why"


@app.hook(HookName.MessageWillBeUpdated)  # expect: type-var
async def a_dict(new_post: Post) -> dict[str, Any]:
    return {"message": "hi"}


@app.hook(HookName.UserWillLogIn)  # expect: type-var
def yes_or_no(user: User) -> bool:
    return True


@blueprint.hook(HookName.MessageHasBeenPosted)  # expect: type-var
def too_late_to_refuse(post: Post) -> Reject | None:
    return Reject("why")


@app.hook(HookName.OnActivate)  # expect: type-var
def an_error_as_text() -> str:
    return "failed"


@app.hook(HookName.ExecuteCommand)  # expect: type-var
def an_answer_as_text(args: CommandArgs) -> str:
    return "done"


@app.hook(HookName.RunDataRetention)  # expect: type-var
async def nothing_where_a_number_is_needed(now_time: int) -> None: ...


app.hook(HookName.MessageHasBeenPosted, on_error=Reject("no"))  # expect: call-overload
app.hook("OnActivate", on_error=Reject("no"))  # expect: call-overload
app.hook(HookName.UserWillLogIn, on_error="no")  # expect: call-overload
app.hook(HookName.UserWillLogIn, timeout="5")  # expect: call-overload
app.hook(HookName.MessageWillBePost)  # expect: attr-defined
app.hook(5)  # expect: call-overload

App(timeout="5")  # expect: arg-type
App(on_error="no")  # expect: arg-type
Reject()  # expect: call-arg
Post(mesage="hi")  # expect: call-arg

with app.test_client() as client:
    result = client.message_will_be_posted(Post())
    _ = result.posts  # expect: attr-defined
    _ = result.reason.upper()  # expect: union-attr
    client.message_will_be_post(Post())  # expect: attr-defined
    client.message_will_be_posted("hi")  # expect: arg-type
    text: str = client.execute_command(CommandArgs()).value  # expect: assignment
    response: CommandResponse | None = client.run_data_retention(1, 2).value  # expect: assignment
