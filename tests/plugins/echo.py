"""Takes every hook, writes down what it got, and gives it back.

`ECHO_FILE` names the file that gets a line of JSON for each call: the hook, its arguments, models as dicts by the names of
their fields, and the same in Mattermost's JSON. A file that is called like it and a hook (`calls.UserWillLogIn`) holds a
function `answer` in Python: what that gives is the answer then.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

import mmhooks
from mmhooks import App, CommandResponse, FileData, SyncResponse
from mmhooks.hooks import HOOKS, Hook
from mmhooks.models import Model

app = App()


def plain(value: Any) -> Any:
    if isinstance(value, Model):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__ if name[0] != "_"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def as_json(value: Any) -> Any:
    return [as_json(item) for item in value] if isinstance(value, list) else getattr(value, "to_dict", lambda: value)()


ANSWERS: dict[str, Any] = {
    "ExecuteCommand": CommandResponse(
        response_type="in_channel",
        text="done",
        username="robot",
        channel_id="c1",
        icon_url="https://example.com/icon.png",
        type="custom_x",
        props={"whole": 7, "nested": {"list": [1, "two", None, True, 1.5]}},
        goto_location="/somewhere",
        trigger_id="t1",
        skip_slack_parsing=True,
    ),
    "RunDataRetention": 2**40,
    "OnSharedChannelsPing": True,
    "OnSharedChannelsSyncMsg": SyncResponse(
        users_last_update_at=2**41,
        user_errors=["u1", "u2"],
        users_syncd=["u3"],
        posts_last_update_at=2**42,
        post_errors=["p1"],
        reactions_last_update_at=2**43,
        reaction_errors=["r1"],
        acknowledgements_last_update_at=2**44,
        acknowledgement_errors=["a1"],
        status_errors=["s1"],
    ),
    "GenerateSupportData": [FileData(filename="a.txt", body=b"\0one"), FileData(filename="b.txt", body=b"two")],
}


def register(hook: Hook) -> None:
    def handler(**arguments: Any) -> Any:
        script = Path(f"{os.environ['ECHO_FILE']}.{hook.name}")
        calls = {
            "hook": hook.name,
            "arguments": plain(arguments),
            "json": {k: as_json(v) for k, v in arguments.items()},
        }
        with open(os.environ["ECHO_FILE"], "a") as file:
            file.write(json.dumps(calls) + "\n")
        if script.exists():
            names = {**{name: getattr(mmhooks, name) for name in mmhooks.__all__}, "app": app}
            exec(script.read_text(), names)
            return names["answer"](**arguments)
        if hook.name in ANSWERS:
            return ANSWERS[hook.name]
        if hook.result:
            return next(arguments[parameter.name] for parameter in hook.parameters if parameter.name != "context")
        return None

    app.hook(hook.name.value)(handler)


for row in HOOKS.values():
    register(row)

if __name__ == "__main__":
    app.run()
