"""A server's key-value store in memory, and nothing else of the plugin API."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

from mmhooks.errors import BadRequest

Entry = tuple[bytes, float]
"""A value, and when it expires; 0 is never."""


class Store:
    """A caller of one app that answers in the thread or on the loop that asks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.entries: dict[str, Entry] = {}
        self.now = 1000.0
        self.asked: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        """What happens before a method is answered."""
        self._lock = threading.Lock()

    @property
    def values(self) -> dict[str, bytes]:
        return {key: value for key, (value, _) in self.entries.items() if self._read(key) is not None}

    async def call(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        await asyncio.sleep(0)  # others get their turn, as with a real server
        return self.call_from_thread(method, arguments, timeout)

    def call_from_thread(self, method: str, arguments: Sequence[Any], timeout: float) -> Any:
        assert timeout > 0
        self.asked.append(method)
        if before := self.before.get(method):
            before()
        with self._lock:
            return getattr(self, method)(*arguments)

    def _read(self, key: str) -> bytes | None:
        value, expires = self.entries.get(key, (None, 0))
        return None if expires and self.now >= expires else value

    def _write(self, key: str, value: bytes | None, seconds: int = 0) -> None:
        if not 0 < len(key) <= 150:
            raise BadRequest(id="model.plugin_key_value.is_valid.key.app_error")
        self.entries.pop(key, None)
        if value:
            self.entries[key] = value, self.now + seconds if seconds else 0

    def _swap(self, key: str, old: bytes | None, new: bytes | None, seconds: int = 0) -> bool:
        found = self._read(key)
        if (found or b"") != (old or b"") or not (found or new):
            return False
        self._write(key, new, seconds)
        return True

    def KVGet(self, key: str) -> bytes | None:  # noqa: N802 - Mattermost's names
        return self._read(key)

    def KVSet(self, key: str, value: bytes | None) -> None:  # noqa: N802
        self._write(key, value)

    def KVSetWithExpiry(self, key: str, value: bytes | None, seconds: int) -> None:  # noqa: N802
        self._write(key, value, seconds)

    def KVSetWithOptions(self, key: str, value: bytes | None, options: Any) -> bool:  # noqa: N802
        assert options.atomic
        return self._swap(key, options.old_value, value, options.expire_in_seconds)

    def KVCompareAndSet(self, key: str, old: bytes | None, new: bytes | None) -> bool:  # noqa: N802
        return self._swap(key, old, new)

    def KVCompareAndDelete(self, key: str, old: bytes) -> bool:  # noqa: N802
        return self._swap(key, old, None)

    def KVDelete(self, key: str) -> None:  # noqa: N802
        self.entries.pop(key, None)

    def KVList(self, page: int, per_page: int) -> list[str]:  # noqa: N802
        return sorted(self.values)[page * per_page : (page + 1) * per_page]
