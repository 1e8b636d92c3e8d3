"""The message classes of the wire, made from the compiled .proto files when they are first used."""

from __future__ import annotations

import base64
import functools
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from mmhooks.hosts.grpc.descriptors import FILES

PACKAGE = "mattermost.pluginapi.v1"


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    # A pool of our own: in the process's common one, another library with the same message names would be in the way.
    pool = descriptor_pool.DescriptorPool()
    for file in FILES:
        pool.AddSerializedFile(base64.b64decode(file))
    return pool


@functools.cache
def message_class(name: str) -> type[Message]:
    """The class of a message by its full name."""
    descriptor = _pool().FindMessageTypeByName(name)
    made: type[Message] = message_factory.GetMessageClass(descriptor)
    return made


def methods(service: str = f"{PACKAGE}.PluginHooks") -> dict[str, MethodDescriptor]:
    """The methods of a service by their names."""
    found: ServiceDescriptor = _pool().FindServiceByName(service)
    by_name: dict[str, Any] = dict(found.methods_by_name)
    return by_name


@functools.cache
def api_methods() -> dict[str, MethodDescriptor]:
    """The methods of the plugin API by their names. Its messages are known from the first call on."""
    from mmhooks.hosts.grpc import api_descriptors

    for file in api_descriptors.FILES:
        _pool().AddSerializedFile(base64.b64decode(file))
    return methods(f"{PACKAGE}.PluginAPI")
