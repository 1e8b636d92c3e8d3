"""The plugin API of the embedded net/rpc host."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any

from mmhooks.errors import AppError, GoError, UnsupportedByHost
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.schema import zero
from mmhooks.hosts.netrpc.peers import Method
from mmhooks.hosts.netrpc.rpc import Request, Stream
from mmhooks.hosts.netrpc.structs import API as METHODS
from mmhooks.testing.hosts import API


def served(api: API) -> Mapping[str, Method]:
    """What answers each method, by its whole name: `Plugin.GetUser`."""
    return {f"Plugin.{name}": functools.partial(_answer, api, name) for name in METHODS}


async def _answer(api: API, name: str, stream: Stream, request: Request) -> bytes:
    arguments, results = contract.method(name)
    given = stream.read(request.argument, arguments)
    values = [given.get(field.go, zero(field.schema)) for field in arguments.fields]
    letters = [field.go for field in results.fields]
    try:
        result = await asyncio.wrap_future(_in_thread(lambda: api(name, values)))
    except UnsupportedByHost:
        return stream.error(request, f"rpc: can't find method Plugin.{name}")
    except (AppError, GoError) as error:
        kind = METHODS[name][1].split()[-1:]
        if kind == ["*model.AppError"]:
            told = error if isinstance(error, AppError) else AppError(error.text)
            return stream.response(request, results, {letters[-1]: told})
        if kind == ["error"]:
            return stream.response(request, results, {letters[-1]: error})
        return stream.error(request, str(error))
    parts = result if isinstance(result, tuple) else (result,)
    sent = {letter: part for letter, part in zip(letters, parts, strict=False) if part is not None}
    return stream.response(request, results, sent)


def _in_thread(function: Callable[[], Any]) -> concurrent.futures.Future[Any]:
    """Run a function in a thread of its own: it may wait for a hook, which calls the API again."""
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def work() -> None:
        try:
            future.set_result(function())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, name="mmhooks-plugin-api", daemon=True).start()
    return future
