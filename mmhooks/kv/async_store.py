"""The key-value store, for async code."""

# Its twin for sync code, store.py, is generated from it.

from __future__ import annotations

import copy
import datetime
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from mmhooks.api.calls import TIMEOUT, check_timeout
from mmhooks.errors import UpdateConflict
from mmhooks.kv.keys import RESERVED, full_key, namespace_prefix
from mmhooks.kv.values import from_bytes, is_same, kind_of, to_bytes, whole_seconds
from mmhooks.kv.waiting import AsyncLocks, async_called, async_pause, moment

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mmhooks.api.async_methods import AsyncPluginAPI
    from mmhooks.models.model import Model

    Seconds = float | datetime.timedelta
    TypedT = TypeVar("TypedT", bound=bytes | BaseModel | Model)

DefaultT = TypeVar("DefaultT")
T = TypeVar("T")

PAGE = 1000
"""Keys that are asked for at once."""

MOST_LISTINGS = 20
"""How often `clear` looks for keys: somebody else may set some all the time."""


class AsyncKeyValue:
    """The plugin's part of the server's key-value store, for async code.

    Values are bytes, which are stored as they are; what JSON can hold, pydantic's and Mattermost's models, and what else
    pydantic can write as JSON: these are stored as JSON text. What is stored stays when the plugin is stopped, and is the same
    for all servers of a cluster.

    `get` and `update` read a value as a `type`: `bytes`, a model's class, or what else pydantic reads, such as `list[int]`.
    Left out, it is that of the default if this is bytes or a model; otherwise the value is what JSON makes of it.

    Each method takes `timeout`, the seconds for each of its calls of the server, and raises what the plugin API raises;
    besides, `ModelError` for a key or a value that cannot be stored or read.
    """

    def __init__(self, api: AsyncPluginAPI, *, prefix: str = "", locks: AsyncLocks | None = None) -> None:
        self._api = api
        self._prefix = prefix
        self._locks = locks or AsyncLocks()

    def namespace(self, name: str) -> AsyncKeyValue:
        """A part of the store, whose keys do not clash with those outside: `votes:ada` is its key `ada`.

        Arguments:
            name: what its keys begin with, before a colon; counts among the 150 characters of a key.
        """
        return AsyncKeyValue(self._api, prefix=namespace_prefix(self._prefix, name), locks=self._locks)

    @overload
    async def get(self, key: str, default: None = None, *, type: None = None, timeout: float = TIMEOUT) -> Any: ...

    @overload
    async def get(self, key: str, default: TypedT, *, type: None = None, timeout: float = TIMEOUT) -> TypedT: ...

    @overload
    async def get(self, key: str, default: Any, *, type: None = None, timeout: float = TIMEOUT) -> Any: ...

    @overload
    async def get(self, key: str, default: None = None, *, type: type[T], timeout: float = TIMEOUT) -> T | None: ...

    @overload
    async def get(self, key: str, default: DefaultT, *, type: type[T], timeout: float = TIMEOUT) -> T | DefaultT: ...

    async def get(self, key: str, default: Any = None, *, type: Any = None, timeout: float = TIMEOUT) -> Any:
        """The value of a key.

        Arguments:
            key: up to 150 characters.
            default: what is given when the key does not exist, or has expired.
            type: what the value is read as.
        """
        full = self._full("get", key)
        data = await self._api.kv_get(full, timeout=timeout)
        return default if data is None else from_bytes(full, data, kind_of(type, default))

    async def set(self, key: str, value: Any, *, expires_in: Seconds | None = None, timeout: float = TIMEOUT) -> None:
        """Store a value, in place of what is there.

        Arguments:
            key: up to 150 characters.
            value: anything but None and empty bytes, which servers take for a deletion.
            expires_in: seconds, or a timedelta, after which the key is gone again; whole seconds are kept, the next ones.
                Left out, the value stays, also if the one before would have expired.
        """
        full, seconds = self._full("set", key), whole_seconds(expires_in)
        data = to_bytes(full, value)
        if seconds:
            await self._api.kv_set_with_expiry(full, data, seconds, timeout=timeout)
        else:
            await self._api.kv_set(full, data, timeout=timeout)

    async def set_if(
        self,
        key: str,
        value: Any,
        *,
        expected: Any,
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> bool:
        """Store a value if the key has the one that is expected.

        Arguments:
            key, value, expires_in: as for `set`.
            expected: the value that has to be there; None if the key must not exist.

        Result: whether the value was stored. Values are compared, not the text that they are stored as.
        """
        full, seconds = self._full("set_if", key), whole_seconds(expires_in)
        new = to_bytes(full, value)
        if expected is not None:
            to_bytes(full, expected)  # which says what cannot be there
        old = await self._api.kv_get(full, timeout=timeout)
        return is_same(full, old, expected) and await self._swap(full, old, new, seconds, timeout)

    async def delete(self, key: str, *, timeout: float = TIMEOUT) -> None:
        """Delete a key, if it exists."""
        await self._api.kv_delete(self._full("delete", key), timeout=timeout)

    async def delete_if(self, key: str, *, expected: Any, timeout: float = TIMEOUT) -> bool:
        """Delete a key if it has the value that is expected, which cannot be None. Result: whether it was deleted."""
        full = self._full("delete_if", key)
        to_bytes(full, expected)
        old = await self._api.kv_get(full, timeout=timeout)
        if old is None or not is_same(full, old, expected):
            return False
        return await self._api.kv_compare_and_delete(full, old, timeout=timeout)

    @overload
    async def update(
        self,
        key: str,
        function: Callable[[DefaultT], Awaitable[T]],
        default: DefaultT,
        *,
        type: type[T] | None = None,
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> T: ...

    @overload
    async def update(
        self,
        key: str,
        function: Callable[[DefaultT], T],
        default: DefaultT,
        *,
        type: type[T] | None = None,
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> T: ...

    @overload
    async def update(
        self,
        key: str,
        function: Callable[[T | None], Awaitable[T]],
        default: None = None,
        *,
        type: type[T],
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> T: ...

    @overload
    async def update(
        self,
        key: str,
        function: Callable[[T | None], T],
        default: None = None,
        *,
        type: type[T],
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> T: ...

    @overload
    async def update(
        self,
        key: str,
        function: Callable[[Any], Awaitable[T]],
        default: None = None,
        *,
        type: None = None,
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> T: ...

    @overload
    async def update(
        self,
        key: str,
        function: Callable[[Any], T],
        default: None = None,
        *,
        type: None = None,
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> T: ...

    async def update(
        self,
        key: str,
        function: Callable[[Any], Any],
        default: Any = None,
        *,
        type: Any = None,
        expires_in: Seconds | None = None,
        timeout: float = TIMEOUT,
    ) -> Any:
        """Store what a function makes of a key's value, so that no change by others is lost, here or on another server.

        Arguments:
            key: up to 150 characters.
            function: takes the value, and returns the new one. It is called again when somebody else has changed the key
                meanwhile, so it should only compute, and not update the key itself.
            default: what it takes when the key does not exist; a copy of it.
            type: what the value is read as.
            expires_in: as for `set`.
            timeout: seconds for all of it.

        Result: the new value. Raises `UpdateConflict` when others kept changing the key, and what the function raises; then
        nothing was stored.
        """
        full, seconds = self._full("update", key), whole_seconds(expires_in)
        check_timeout(timeout)
        kind = kind_of(type, default)
        end = time.monotonic() + timeout
        failures, begun = 0, False
        async with self._locks.hold(full, end):
            while (left := end - time.monotonic()) > 0:
                begun = True
                data = await self._api.kv_get(full, timeout=left)
                old = copy.deepcopy(default) if data is None else from_bytes(full, data, kind)
                new = await async_called(full, function, old)
                if (left := end - time.monotonic()) <= 0:
                    break
                if await self._swap(full, data, to_bytes(full, new), seconds, left):
                    return new
                failures += 1
                await async_pause(min(moment(failures), left))
        reason = f"each of {failures} times others changed it meanwhile" if failures else "the function took longer"
        if not begun:
            reason = "other updates of it here took all of the time"
        raise UpdateConflict(f"{full!r} could not be updated within {timeout:g} s: {reason}")

    async def keys(self, prefix: str = "", *, timeout: float = TIMEOUT) -> AsyncIterator[str]:
        """The keys that begin with a prefix, all unless given, in the server's order, without those that have expired.

        They are all read before the first is given, so it is safe to set and delete keys meanwhile. The server's own keys,
        which begin with `mmi_`, are left out; in a namespace, so are all keys outside.
        """
        self._api.refuse_loop("kv.keys")
        found: dict[str, None] = {}  # each once: keys that are set meanwhile move others to the next page
        async for key in self._api.iter_kv_keys(per_page=PAGE, timeout=timeout):
            if key.startswith(self._prefix + prefix) and not key.startswith(RESERVED):
                found[key.removeprefix(self._prefix)] = None
        for key in found:
            yield key

    def __aiter__(self) -> AsyncIterator[str]:
        return self.keys()

    async def clear(self, *, timeout: float = TIMEOUT) -> None:
        """Delete all keys that `keys()` gives, one by one, and again as long as there are some: a listing may miss those
        that have moved to an earlier page."""
        for _ in range(MOST_LISTINGS):
            deleted = 0
            async for key in self.keys(timeout=timeout):
                await self.delete(key, timeout=timeout)
                deleted += 1
            if not deleted:
                return

    def _full(self, method: str, key: str) -> str:
        self._api.refuse_loop(f"kv.{method}")
        return full_key(self._prefix, key)

    async def _swap(self, full: str, old: bytes | None, new: bytes, seconds: int, timeout: float) -> bool:
        if not seconds:
            return await self._api.kv_compare_and_set(full, old, new, timeout=timeout)
        from mmhooks.models import PluginKVSetOptions

        how = PluginKVSetOptions(atomic=True, old_value=old or b"", expire_in_seconds=seconds)
        return await self._api.kv_set_with_options(full, new, how, timeout=timeout)
