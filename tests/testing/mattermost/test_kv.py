"""The key-value store, against the facts about a real server."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from mmhooks import App
from mmhooks.api import PluginAPI
from mmhooks.models import Bot, PluginKVSetOptions
from mmhooks.testing import Mattermost
from tests.testing.mattermost.facts import refused

BAD_KEY = (400, "model.plugin_key_value.is_valid.key.app_error")


def test_values(api: PluginAPI, server: Mattermost) -> None:
    assert api.kv_get("key") is None
    api.kv_set("key", b"value")
    assert api.kv_get("key") == b"value"
    assert server.kv == {"key": b"value"}
    api.kv_set("key", b"")  # the wire does not tell this from none
    assert api.kv_get("key") is None
    api.kv_set("key", b"value")
    api.kv_set("key", None)
    assert api.kv_get("key") is None
    api.kv_set("key", b"value")
    api.kv_delete("key")
    api.kv_delete("key")
    assert api.kv_get("key") is None


def test_keys(api: PluginAPI) -> None:
    longest = "ä" * 150
    api.kv_set(longest, b"value")
    assert api.kv_get(longest) == b"value"
    for key in ("", "x" * 151):
        with refused(*BAD_KEY):
            api.kv_set(key, b"value")
        with refused(*BAD_KEY):
            api.kv_set_with_expiry(key, b"value", 1)
        with refused(*BAD_KEY):
            api.kv_compare_and_set(key, None, b"value")
        with refused(*BAD_KEY):
            api.kv_compare_and_delete(key, b"value")
        with refused(*BAD_KEY):
            api.kv_set_with_options(key, b"value")
        assert api.kv_get(key) is None
        api.kv_delete(key)


def test_expiry(api: PluginAPI, server: Mattermost) -> None:
    api.kv_set_with_expiry("key", b"value", 60)
    api.kv_set_with_expiry("for ever", b"value", 0)
    api.kv_set_with_expiry("never", b"value", -1)
    assert api.kv_get("never") is None
    server.clock.advance(59.999)
    assert api.kv_get("key") == b"value"
    assert api.kv_list() == ["for ever", "key"]
    server.clock.advance(0.001)
    assert api.kv_get("key") is None
    assert api.kv_list() == ["for ever"]
    assert server.kv == {"for ever": b"value"}
    api.kv_set_with_expiry("key", b"value", 60)
    api.kv_set("key", b"other")  # every write sets it anew
    server.clock.advance(days=400)
    assert api.kv_get("key") == b"other"
    assert api.kv_get("for ever") == b"value"


def test_comparing(api: PluginAPI, server: Mattermost) -> None:
    assert not api.kv_compare_and_set("key", b"old", b"new")
    assert api.kv_compare_and_set("key", None, b"one")
    assert not api.kv_compare_and_set("key", None, b"two")
    assert not api.kv_compare_and_set("key", b"zero", b"two")
    assert api.kv_compare_and_set("key", b"one", b"two")
    assert api.kv_compare_and_set("key", b"two", b"two")
    assert not api.kv_compare_and_delete("key", b"one")
    assert not api.kv_compare_and_delete("key", None)  # type: ignore[arg-type]
    assert api.kv_compare_and_delete("key", b"two")
    assert not api.kv_compare_and_set("key", None, None)
    api.kv_set_with_expiry("key", b"old", 1)
    server.clock.advance(1)
    assert not api.kv_compare_and_set("key", b"old", b"new")  # it has expired
    assert api.kv_compare_and_set("key", None, b"new")
    server.clock.advance(days=1)
    assert api.kv_get("key") == b"new"
    assert api.kv_compare_and_set("key", b"new", None)
    assert api.kv_get("key") is None


def test_options(api: PluginAPI, server: Mattermost) -> None:
    assert api.kv_set_with_options("key", b"one")
    assert api.kv_set_with_options("key", b"two", PluginKVSetOptions(expire_in_seconds=1))
    with refused(400, "model.plugin_kvset_options.is_valid.old_value.app_error"):
        api.kv_set_with_options("key", b"three", PluginKVSetOptions(old_value=b"two"))
    assert not api.kv_set_with_options("key", b"three", PluginKVSetOptions(atomic=True))
    assert api.kv_set_with_options(
        "key", b"three", PluginKVSetOptions(atomic=True, old_value=b"two", expire_in_seconds=5)
    )
    server.clock.advance(5)
    assert api.kv_get("key") is None
    assert api.kv_set_with_options("key", b"four", PluginKVSetOptions(atomic=True))
    assert api.kv_set_with_options("key", None)
    assert api.kv_get("key") is None


def test_lists(api: PluginAPI) -> None:
    bot = api.ensure_bot_user(Bot(username="robot"))
    for number in range(24):
        api.kv_set(f"key{number:02}", b"value")
    assert api.kv_list(0, 5) == [f"key{number:02}" for number in range(5)]
    assert api.kv_list(1, 0) == [f"key{number:02}" for number in range(10, 20)]
    assert api.kv_list(2, -1) == ["key20", "key21", "key22", "key23", "mmi_botid"]
    assert api.kv_list(9, 10) == []
    assert api.kv_get("mmi_botid") == bot.encode()
    api.kv_delete_all()
    assert api.kv_list() == []


def test_sixty_four_threads_lose_nothing() -> None:
    app = App()
    begin = threading.Barrier(64)

    def count() -> None:
        begin.wait()
        for _ in range(1000):
            done = False
            while not done:
                old = app.api.kv_get("count")
                done = app.api.kv_compare_and_set("count", old, str(int(old or b"0") + 1).encode())

    with Mattermost(app) as mattermost, ThreadPoolExecutor(64) as pool:
        for future in [pool.submit(count) for _ in range(64)]:
            future.result()
        assert mattermost.kv == {"count": b"64000"}
