"""What type checkers must refuse of commands and functions for messages. Read by mypy, never run."""

from __future__ import annotations

from typing import Any

from mmhooks import App, Blueprint, CommandResponse, HookName, Post, Reject, Stop, User

app = App(bot="karma")
blueprint = Blueprint()


@app.command("weather")  # expect: type-var
def a_number(city: str) -> int:
    return 5


@blueprint.command("weather today")  # expect: type-var
async def a_dict(city: str) -> dict[str, Any]:
    return {"text": "hi"}


@app.command("refused")  # expect: type-var
def refused() -> Reject:
    return Reject("no")


@app.message("hello")  # expect: type-var
def an_answer(post: Post) -> str:
    return "hello"


@app.message()  # expect: type-var
async def true_or_false(post: Post) -> bool:
    return True


@app.mention("help")  # expect: type-var
def a_response(post: Post) -> CommandResponse:
    return CommandResponse()


@app.mention  # expect: type-var
def bare(post: Post) -> str:
    return "hello"


@app.hook(HookName.MessageHasBeenPosted)  # expect: type-var
def no_chain(post: Post) -> Stop:
    return Stop()


app.command()  # expect: call-arg
app.command("x", hints="[city]")  # expect: call-arg
app.command("x", timeout="5")  # expect: arg-type
app.message(5)  # expect: arg-type
app.message("x", mention=True)  # expect: call-arg
app.mention("x", bots="yes")  # expect: call-overload
app.hook(HookName.UserWillLogIn, ignore_own=True)  # expect: call-overload
app.hook("UserHasBeenCreated", ignore_bots=True)  # expect: call-overload
App(bot=User())  # expect: arg-type

with app.test_client() as client:
    client.run_command()  # expect: call-arg
    client.run_command("/x", user="u")  # expect: call-arg
