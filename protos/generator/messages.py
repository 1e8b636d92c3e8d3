"""Makes the modules that hold the compiled .proto files, from which the gRPC host makes its message classes.

They go into a pool of their own: the usual generated modules share one pool with every library of the process, and a
second one with the same message names, such as another SDK for Mattermost, would make the import fail.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from .contract import descriptors


def generate() -> Iterator[tuple[str, str]]:
    """The files of the messages, with their paths."""
    files = descriptors(comments=False).file
    api = [file for file in files if file.name.startswith("api")]
    yield _module("descriptors", "The .proto files", [file for file in files if file not in api])
    # Apart, as most of the messages are here, and no plugin needs them for the handshake.
    yield _module("api_descriptors", "The .proto files of the plugin API", api)


def _module(name: str, what: str, files: list[FileDescriptorProto]) -> tuple[str, str]:
    lines = "\n".join(_literal(file.SerializeToString()) for file in files)
    return (
        f"mmhooks/hosts/grpc/{name}.py",
        f'"""{what}, compiled: each in base 64, after those that it imports."""\n\n# fmt: off\nFILES = (\n{lines}\n)\n',
    )


def _literal(data: bytes) -> str:
    # In base 64: to decode base 85 takes Python 5 ms at each start of a plugin.
    lines = textwrap.wrap(base64.b64encode(data).decode(), 112)
    return "\n".join(f'    "{line}"' for line in lines) + ","
