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
    data = base64.b85encode(descriptors(comments=False).SerializeToString()).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(data, 112))
    yield (
        "mmhooks/hosts/grpc/descriptors.py",
        f'"""The .proto files, compiled: a FileDescriptorSet in base 85."""\n\n# fmt: off\nFILES = (\n{lines}\n)\n',
    )
