"""Takes every hook, writes down what it got, and gives it back.

`ECHO_FILE` names the file that gets a line of JSON for each call: the hook and its arguments, models as dicts by the names
of their fields.
"""

import base64
import json
import os
from typing import Any

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
        with open(os.environ["ECHO_FILE"], "a") as file:
            file.write(json.dumps({"hook": hook.name, "arguments": plain(arguments)}) + "\n")
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
