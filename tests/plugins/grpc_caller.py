"""Calls a method of the plugin API over gRPC whenever it is pinged.

`CALL_FILE` names a file of JSON with the method and a request of it in hex, whose fields are the arguments. The file has then
what came of it: the result by its attributes, and once more as a response in hex; or the error, its attributes, and all that
it is.
"""

import json
import os
from pathlib import Path

from mmhooks import App, RemoteCluster

app = App()

FILE = Path(os.environ["CALL_FILE"])


@app.hook
def on_shared_channels_ping(remote_cluster: RemoteCluster) -> bool:
    from mmhooks.testing.hosts.grpc_api import arguments, response
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


if __name__ == "__main__":
    app.run()
