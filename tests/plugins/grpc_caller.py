"""Calls a method of the plugin API over gRPC whenever it is pinged.

`CALL_FILE` names a file of JSON with the method and a request of it in hex, whose fields are the arguments. The file has then
what came of it: the result by its attributes, and once more as a response in hex; or the error, its attributes, and all that
it is.
"""

import json
import os
from pathlib import Path
from typing import Any

from mmhooks import App, RemoteCluster, models

app = App()

FILE = Path(os.environ["CALL_FILE"])


@app.hook
def on_shared_channels_ping(remote_cluster: RemoteCluster) -> bool:
    from tests.plugins.caller import attributes

    given = json.loads(FILE.read_text())
    method = given["method"]
    try:
        result = app.api.call(method, *arguments(method, bytes.fromhex(given["request_hex"])))
        found = {"attributes": attributes(result), "response_hex": response(method, result).hex()}
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        found = {"error": kinds, "text": str(error), **attributes(vars(error))}
    FILE.write_text(json.dumps(found))
    return True


def arguments(method: str, data: bytes) -> list[Any]:
    """The arguments that a request has."""
    from mmhooks.hosts.grpc.codec import converter, field_reader
    from mmhooks.hosts.grpc.differences import JSON, MODELS, PARTS
    from mmhooks.hosts.grpc.messages import api_methods, message_class
    from mmhooks.hosts.grpc.structs import from_value

    type_ = api_methods()[method].input_type
    request: Any = message_class(type_.full_name).FromString(data)
    if type_.name in MODELS:
        return [converter(type_.name).to_model(request)]
    found: list[Any] = []
    for field in type_.fields:
        value = getattr(request, field.name)
        if part := PARTS.get((type_.name, field.name)):
            model, attribute = part
            found.append(getattr(models, model)(**{attribute: value}))
        elif model := JSON.get((type_.name, field.name), ""):
            found.append(getattr(models, model).from_json(value) if value else None)
        elif field.name == "key_value_pairs":
            found.append([part for pair in value for part in (pair.key, from_value(pair.value))])
        else:
            read = field_reader(field)
            found.append(read(value) if read else value)
    return found


def response(method: str, result: Any) -> bytes:
    """A response that has a result."""
    from mmhooks.hosts.grpc.codec import field_writer
    from mmhooks.hosts.grpc.differences import JSON
    from mmhooks.hosts.grpc.messages import api_methods, message_class

    type_ = api_methods()[method].output_type
    fields = [field for field in type_.fields if field.name != "error"]
    results = result if len(fields) > 1 else [result] * len(fields)
    made: Any = message_class(type_.full_name)()
    for field, value in zip(fields, results, strict=True):
        if value is None:
            continue
        if (type_.name, field.name) in JSON:
            written = value.to_json().encode()
        else:
            write = field_writer(field)
            written = write(value) if write else value
        made.MergeFrom(message_class(type_.full_name)(**{field.name: written}))
    data: bytes = made.SerializeToString()
    return data


if __name__ == "__main__":
    app.run()
