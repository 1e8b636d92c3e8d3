"""The plugin's key-value store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.models import PluginKVSetOptions
from mmhooks.testing.mattermost.failures import bad_request
from mmhooks.testing.mattermost.methods import answers
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

LONGEST_KEY = 150
_USUAL_PAGE = 10


def _check(key: str) -> None:
    if not 1 <= len(key) <= LONGEST_KEY:
        raise bad_request(
            "model.plugin_key_value.is_valid.key.app_error", f"Invalid key: 1 to {LONGEST_KEY} characters."
        )


def _held(server: Server, key: str) -> bytes | None:
    """What is stored and has not expired."""
    value, expires = server.state.keys.get(key, (None, 0))
    return None if expires and expires <= server.clock.now else value


def _set(server: Server, key: str, value: bytes | None, seconds: int) -> None:
    if not value:  # the wire does not tell empty bytes from none, and none deletes
        server.state.keys.pop(key, None)
        return
    server.state.keys[key] = value, server.clock.now + seconds * 1000 if seconds else 0


@answers("KVSet")
def _kv_set(server: Server, key: str, value: bytes | None) -> None:
    _check(key)
    _set(server, key, value, 0)


@answers("KVSetWithExpiry")
def _kv_set_with_expiry(server: Server, key: str, value: bytes | None, seconds: int) -> None:
    _check(key)
    _set(server, key, value, seconds)


@answers("KVSetWithOptions")
def _kv_set_with_options(server: Server, key: str, value: bytes | None, options: PluginKVSetOptions) -> bool:
    _check(key)
    if options.old_value and not options.atomic:
        raise bad_request(
            "model.plugin_kvset_options.is_valid.old_value.app_error", "An old value is for atomic operations only."
        )
    if options.atomic:
        return _compare_and_set(server, key, options.old_value, value, options.expire_in_seconds)
    _set(server, key, value, options.expire_in_seconds)
    return True


def _compare_and_set(server: Server, key: str, old: bytes | None, new: bytes | None, seconds: int) -> bool:
    if (_held(server, key) or None) != (old or None) or (not old and not new):
        return False
    _set(server, key, new, seconds)
    return True


@answers("KVCompareAndSet")
def _kv_compare_and_set(server: Server, key: str, old: bytes | None, new: bytes | None) -> bool:
    _check(key)
    return _compare_and_set(server, key, old, new, 0)


@answers("KVCompareAndDelete")
def _kv_compare_and_delete(server: Server, key: str, old: bytes | None) -> bool:
    _check(key)
    return _compare_and_set(server, key, old, None, 0)


@answers("KVGet")
def _kv_get(server: Server, key: str) -> bytes | None:
    return _held(server, key)


@answers("KVDelete")
def _kv_delete(server: Server, key: str) -> None:
    server.state.keys.pop(key, None)


@answers("KVDeleteAll")
def _kv_delete_all(server: Server) -> None:
    server.state.keys.clear()


@answers("KVList")
def _kv_list(server: Server, number: int, size: int) -> list[str]:
    found = sorted(key for key in server.state.keys if _held(server, key) is not None)
    return page(found, number, size if size > 0 else _USUAL_PAGE)
