"""Calls a method of the plugin API whenever it is pinged.

`CALL_FILE` names a file of JSON with the method, the types of its arguments in Go, and them as the Go host tells them: in
Mattermost's JSON, and by path what that leaves out. The file has then what came of it: the result, models in Mattermost's
JSON and by their attributes; or the error, its attributes, and all that it is.
"""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

from mmhooks import App, RemoteCluster, models
from mmhooks.models import Model

app = App()

FILE = Path(os.environ["CALL_FILE"])

EMBEDDED = ("PostList", "SidebarCategory")


@app.hook
def on_shared_channels_ping(remote_cluster: RemoteCluster) -> bool:
    given = json.loads(FILE.read_text())
    arguments = {
        letter: made(go, given["args"][letter]) for letter, go in zip("ABCDEFGH", given["types"], strict=False)
    }
    for path, value in given["hidden"].items():
        put(arguments, path, value)
    try:
        result = app.api.call(given["method"], *arguments.values())
        found = {"result": shown(result), "attributes": attributes(result)}
    except Exception as error:
        found = {
            "error": [kind.__name__ for kind in type(error).__mro__],
            "text": str(error),
            **attributes(vars(error)),
        }
    FILE.write_text(json.dumps(found))
    return True


def made(go: str, value: Any) -> Any:
    """The argument that is of a type in Go, and this in JSON."""
    if value is None:
        return None
    if go == "[]uint8":
        return base64.b64decode(value)
    if go.startswith("[]"):
        return [made(go[2:], item) for item in value]
    model = re.fullmatch(r"\*?\w+\.(\w+)", go)
    return getattr(models, model[1]).from_dict(value) if model else value


def put(arguments: dict[str, Any], path: str, value: Any) -> None:
    """Set what JSON leaves out, by its path in Go."""
    here: Any = arguments
    *steps, last = re.findall(r"\w+", path)
    for step in steps:
        if isinstance(here, Model):
            here = here if step in EMBEDDED else getattr(here, attribute(here, step))
        else:
            here = here[step if isinstance(here, dict) else int(step)]
    name = attribute(here, last)
    is_bytes = isinstance(getattr(here, name), bytes)
    setattr(here, name, base64.b64decode(value) if is_bytes else value)


def attribute(model: Model, go: str) -> str:
    return next(name for name in model.__struct_fields__ if name.replace("_", "") == go.lower())


def shown(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.to_dict() if isinstance(value, Model) else value


def attributes(value: Any) -> Any:
    if isinstance(value, Model):
        return {name: attributes(getattr(value, name)) for name in value.__struct_fields__ if name[0] != "_"}
    if isinstance(value, list | tuple):
        return [attributes(item) for item in value]
    if isinstance(value, dict):
        return {key: attributes(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return attributes(vars(value)) if isinstance(value, Exception) else value


if __name__ == "__main__":
    app.run()
