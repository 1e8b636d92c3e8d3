"""The way back: calls of the plugin API on the stream that the server offers at OnActivate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from mmhooks.api.calls import LoopCaller
from mmhooks.errors import APIError, HostUnavailable, ModelError, UnsupportedByHost
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.schema import Interface, Pointer, Schema, Struct, zero
from mmhooks.hosts.netrpc.gob.types import RemoteProtocolError
from mmhooks.hosts.netrpc.peers import CallRefused, Client
from mmhooks.hosts.netrpc.session import Lost

_UNKNOWN_METHOD = "rpc: can't find method"
"""How Go's net/rpc says that there is none."""


class ServerAPI(LoopCaller):
    """Calls the plugin API of the server that started this process."""

    def __init__(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._client = client

    async def answer(self, method: str, arguments: Sequence[Any]) -> Any:
        """See `mmhooks.api.calls.LoopCaller`."""
        schema, results = _method(method)
        if len(arguments) != len(schema.fields):
            raise TypeError(f"{method} takes {len(schema.fields)} arguments, not {len(arguments)}")
        values = dict(zip((field.go for field in schema.fields), arguments, strict=True))
        try:
            stream, message = await self._client.call(method, schema, values)
            found = stream.read(message, results)
        except ModelError as error:
            raise ModelError(f"{method}: {error}") from None
        except CallRefused as error:
            if str(error).startswith(_UNKNOWN_METHOD):
                raise UnsupportedByHost(
                    f"this host has no {method}: the server is of an older version, or it is mmhooks' own host for trying "
                    "plugins, which has no plugin API"
                ) from None
            raise APIError(f"{method}: {error}") from None
        except Lost as error:
            raise HostUnavailable(f"{method}: {error}") from None
        except RemoteProtocolError as error:
            raise APIError(f"{method}: the answer cannot be read: {error}") from None
        given = []
        for field in results.fields:
            value = found.get(field.go, zero(field.schema))
            if not _is_error(field.schema):
                given.append(value)
            elif value is not None:
                raise value
        return tuple(given) if len(given) > 1 else given[0] if given else None


def _method(name: str) -> tuple[Struct, Struct]:
    try:
        return contract.method(name)
    except KeyError:
        import difflib

        from mmhooks.hosts.netrpc.structs import API

        close = difflib.get_close_matches(name, API, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise APIError(f"mmhooks knows no method {name!r} of the plugin API{hint}") from None


def _is_error(schema: Schema) -> bool:
    return schema == Interface(is_error=True) or schema == Pointer(contract.struct("model.AppError"))
