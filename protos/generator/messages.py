"""Makes the module that holds the compiled .proto files, from which the gRPC host makes its message classes.

They go into a pool of their own: the usual generated modules share one pool with every library of the process, and a
second one with the same message names, such as another SDK for Mattermost, would make the import fail.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterator

from .contract import descriptors


def generate() -> Iterator[tuple[str, str]]:
    """The file of the messages, with its path."""
    lines = "\n".join(_literal(file.SerializeToString()) for file in descriptors(comments=False).file)
    yield (
        "mmhooks/hosts/grpc/descriptors.py",
        f'"""The .proto files, compiled: each in base 64, after those that it imports."""\n\n# fmt: off\nFILES = (\n{lines}\n)\n',
    )


def _literal(data: bytes) -> str:
    # In base 64: to decode base 85 takes Python 5 ms at each start of a plugin.
    lines = textwrap.wrap(base64.b64encode(data).decode(), 112)
    return "\n".join(f'    "{line}"' for line in lines) + ","
