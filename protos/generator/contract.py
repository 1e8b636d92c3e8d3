"""The contract as data: the .proto files compiled, Mattermost's Go interface, and the notes on hooks."""

from __future__ import annotations

import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

PROTOS = pathlib.Path(__file__).parents[1]
ROOT = PROTOS.parent


@functools.cache
def descriptors(*, comments: bool) -> FileDescriptorSet:
    """The compiled .proto files with all that they import, in the order of their imports."""
    with tempfile.NamedTemporaryFile(suffix=".binpb") as file:
        names = sorted(path.name for path in PROTOS.glob("*.proto"))
        options = [f"-I{PROTOS}", "--include_imports", f"--descriptor_set_out={file.name}"]
        options += ["--include_source_info"] if comments else []
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *options, *names], check=True)
        return FileDescriptorSet.FromString(pathlib.Path(file.name).read_bytes())


@functools.cache
def message_comments() -> dict[str, str]:
    """The comment above each message, by the message's name."""
    found = {}
    for file in descriptors(comments=True).file:
        if file.package != "mattermost.pluginapi.v1":
            continue
        for location in file.source_code_info.location:
            if len(location.path) == 2 and location.path[0] == 4 and location.leading_comments:
                found[file.message_type[location.path[1]].name] = " ".join(location.leading_comments.split())
    return found


@functools.cache
def interface() -> dict[str, Any]:
    """Mattermost's Go interface: `hooks`, `api`, `types`, and the names of what travels in interfaces."""
    data: dict[str, Any] = json.loads((PROTOS / "interface.json").read_text())
    return data


@functools.cache
def api_notes() -> dict[str, dict[str, Any]]:
    """What people should know of each method of the plugin API: group, summary, arguments, result, errors, surprises."""
    return tomllib.loads((PROTOS / "api.toml").read_text())


@functools.cache
def notes() -> dict[str, dict[str, str]]:
    """What people should know of each hook: summary, when, answers, surprises."""
    return tomllib.loads((PROTOS / "hooks.toml").read_text())
