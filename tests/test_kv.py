"""The key-value store, sync and async: values, keys, expiry, and changes that must not be lost."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pydantic
import pytest

from mmhooks import App, HostUnavailable, ModelError, Post, UpdateConflict
from mmhooks.testing import Mattermost
from tests.kv_store import Store


class Votes(pydantic.BaseModel):
    up: int = 0
    down: int = 0
    voters: set[str] = set()


class Waiting:
    """An async store whose methods wait for what they give, so that one test does for both kinds."""

    def __init__(self, kv: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._kv = kv
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._kv, name)

        def wait(*arguments: Any, **named: Any) -> Any:
            given = method(*arguments, **named)
            if name == "namespace":
                return Waiting(given, self._loop)
            return self._loop.run_until_complete(_listed(given) if name == "keys" else given)

        return wait


async def _listed(keys: Any) -> list[str]:
    return [key async for key in keys]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def store(loop: asyncio.AbstractEventLoop) -> Store:
    return Store(loop)


@pytest.fixture
def app(store: Store) -> App:
    app = App()
    app.api_link.caller = store
    return app


@pytest.fixture(params=["sync", "async"])
def kv(request: pytest.FixtureRequest, app: App, loop: asyncio.AbstractEventLoop) -> Any:
    return app.kv if request.param == "sync" else Waiting(app.async_kv, loop)


# values


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (0, b"0"),
        (False, b"false"),
        ("", b'""'),
        ("Grüße", '"Grüße"'.encode()),
        ({"a": [1, 2.5, None], "b": {}}, b'{"a":[1,2.5,null],"b":{}}'),
        ([], b"[]"),
    ],
)
def test_what_json_can_hold_is_stored_as_json(kv: Any, store: Store, value: Any, stored: bytes) -> None:
    kv.set("k", value)
    assert store.values == {"k": stored}
    assert kv.get("k") == value
    assert type(kv.get("k")) is type(value)


@pytest.mark.parametrize("value", [b"\x00\xff", bytearray(b"{"), memoryview(b"5")])
def test_bytes_are_stored_as_they_are_and_read_by_their_type(kv: Any, store: Store, value: Any) -> None:
    kv.set("k", value)
    assert store.values == {"k": bytes(value)}
    assert kv.get("k", type=bytes) == value
    assert kv.get("k", b"default") == value
    assert kv.get("other", b"default") == b"default"


def test_bytes_that_are_read_as_json_are_refused_with_the_line_to_write(kv: Any) -> None:
    kv.set("k", b"\xff\x00")
    with pytest.raises(ModelError, match=r"^'k': is not JSON; what was stored as bytes is read by type=bytes: "):
        kv.get("k")


def test_models_are_stored_as_json_and_read_by_their_class(kv: Any, store: Store) -> None:
    votes = Votes(up=2, voters={"ada"})
    kv.set("k", votes)
    assert store.values == {"k": b'{"up":2,"down":0,"voters":["ada"]}'}
    assert kv.get("k", type=Votes) == votes
    assert kv.get("k", Votes()) == votes
    assert kv.get("k") == {"up": 2, "down": 0, "voters": ["ada"]}
    assert kv.get("other", type=Votes) is None
    assert kv.get("other", Votes(up=7)) == Votes(up=7)


def test_mattermosts_models_are_stored_as_mattermosts_json(kv: Any, store: Store) -> None:
    post = Post(id="p", message="hi", props={"n": 1})
    kv.set("k", {"last": post})
    assert kv.get("k")["last"] == post.to_dict()
    kv.set("k", post)
    assert store.values == {"k": post.to_json().encode()}
    assert kv.get("k", type=Post) == kv.get("k", Post()) == post


@dataclasses.dataclass
class Point:
    x: int
    y: int


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([Votes(up=1), Votes()], list[Votes]),
        ({"ada": Votes(up=1)}, dict[str, Votes]),
        (datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC), datetime.datetime),
        (Point(1, 2), Point),
        ({1: "one"}, dict[int, str]),
        ((1, "a"), tuple[int, str]),
    ],
)
def test_what_pydantic_writes_is_read_by_its_type(kv: Any, value: Any, kind: Any) -> None:
    kv.set("k", value)
    assert kv.get("k", type=kind) == value


def test_a_value_that_does_not_fit_its_type_is_told_by_key_and_field_but_not_shown(kv: Any) -> None:
    kv.set("k", {"up": "secret"})
    with pytest.raises(ModelError, match=r"^'k': is no Votes: up: Input should be a valid integer") as raised:
        kv.get("k", type=Votes)
    assert "secret" not in str(raised.value)
    kv.set("k", {"message": 5})
    with pytest.raises(ModelError, match=r"^'k': Post.message: expected str"):
        kv.get("k", type=Post)
    kv.set("k", b"\xff")
    with pytest.raises(ModelError, match=r"^'k': is no Votes: Invalid JSON"):
        kv.get("k", type=Votes)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "None cannot be stored, since it is what a key has that does not exist"),
        (b"", "empty bytes cannot be stored, since servers take them for a deletion"),
        (memoryview(b""), "empty bytes cannot be stored"),
        (object(), "cannot be written as JSON: "),
        ({"a": object()}, "cannot be written as JSON: "),
        ([b"x"], "cannot be written as JSON: bytes are only stored by themselves"),
        (float("nan"), "cannot be written as JSON: "),
        ("\ud800", "cannot be written as JSON: "),
        ({(1, 2): 3}, "cannot be written as JSON: "),
    ],
)
def test_what_cannot_be_stored_is_refused_before_the_server_is_asked(
    kv: Any, store: Store, value: Any, told: str
) -> None:
    for method, named in ((kv.set, {}), (kv.set, {"expires_in": 5}), (kv.set_if, {"expected": None})):
        with pytest.raises(ModelError, match=f"^'k': {told}"):
            method("k", value, **named)
    assert store.asked == []
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ModelError, match=r"^'k': cannot be written as JSON: "):
        kv.set("k", endless)


def test_a_key_that_is_not_there_gives_the_default(kv: Any) -> None:
    assert kv.get("k") is None
    assert kv.get("k", 5) == 5
    assert kv.get("k", {"a": 1}) == {"a": 1}
    kv.set("k", 0)
    assert kv.get("k", 5) == 0
    kv.delete("k")
    kv.delete("k")
    assert kv.get("k") is None


# keys


def test_keys_are_checked_before_the_server_is_asked(kv: Any, store: Store) -> None:
    longest = "k" * 149 + "ü"
    kv.set(longest, 1)
    assert kv.get(longest) == 1
    store.asked.clear()
    for key, told in (
        ("", "a key has at least one character"),
        (longest + "k", "a key has at most 150 characters, and this one has 151$"),
        ("mmi_botid", "keys that begin with 'mmi_' are the server's own"),
        ("\ud800", "this key cannot be sent"),
    ):
        for call in (kv.get, kv.delete, lambda key: kv.set(key, 1), lambda key: kv.update(key, len)):
            with pytest.raises(ModelError, match=told):
                call(key)
    with pytest.raises(TypeError, match="a key is a str, not int"):
        kv.get(5)
    assert store.asked == []


def test_a_namespace_is_a_store_of_its_own(kv: Any, store: Store) -> None:
    votes, tea = kv.namespace("votes"), kv.namespace("votes").namespace("tea")
    kv.set("ada", 1)
    votes.set("ada", 2)
    tea.set("ada", 3)
    assert store.values == {"ada": b"1", "votes:ada": b"2", "votes:tea:ada": b"3"}
    assert (kv.get("ada"), votes.get("ada"), tea.get("ada")) == (1, 2, 3)
    assert [*tea.keys()] == ["ada"]
    assert [*votes.keys()] == ["ada", "tea:ada"]
    assert [*votes.keys("tea:")] == ["tea:ada"]
    assert [*kv.keys()] == ["ada", "votes:ada", "votes:tea:ada"]
    tea.clear()
    assert [*kv.keys()] == ["ada", "votes:ada"]
    votes.clear()
    assert [*kv.keys()] == ["ada"]


def test_a_namespace_counts_among_a_keys_characters(kv: Any) -> None:
    votes = kv.namespace("votes")
    votes.set("k" * 144, 1)
    with pytest.raises(ModelError, match="at most 150 characters, and this one has 151, 6 of them for its namespace"):
        votes.set("k" * 145, 1)


@pytest.mark.parametrize("name", ["", "a:b", "mmi_", "n" * 150])
def test_a_namespace_has_a_name_that_does(kv: Any, name: str) -> None:
    with pytest.raises(ModelError):
        kv.namespace(name)


def test_keys_come_by_pages_without_the_servers_own_and_without_those_that_have_expired(kv: Any, store: Store) -> None:
    names = [f"k{number:04}" for number in range(2500)]
    store.entries = dict.fromkeys([*names, "mmi_botid", "a"], (b"1", 0.0)) | {"gone": (b"1", 5.0)}
    assert [*kv.keys()] == ["a", *names]
    assert store.asked == ["KVList"] * 3
    assert [*kv.keys("k1")] == names[1000:2000]
    assert [*kv.keys("mmi_")] == []


def test_a_store_can_be_gone_through_like_its_keys(app: App, loop: asyncio.AbstractEventLoop) -> None:
    app.kv.set("a", 1)
    app.kv.namespace("n").set("b", 1)
    assert [*app.kv] == ["a", "n:b"]
    assert loop.run_until_complete(_listed(app.async_kv.namespace("n"))) == ["b"]


def test_keys_may_be_deleted_while_they_are_gone_through(app: App, store: Store) -> None:
    store.entries = {f"k{number:04}": (b"1", 0.0) for number in range(2500)}
    for key in app.kv.keys("k"):
        app.kv.delete(key)
    assert store.values == {}


def test_clearing_leaves_the_servers_own_keys(kv: Any, store: Store) -> None:
    store.entries = {f"k{number}": (b"1", 0.0) for number in range(1200)} | {"mmi_botid": (b"bot", 0)}
    kv.clear()
    assert store.values == {"mmi_botid": b"bot"}


# expiry

UP = {"function": lambda old: old + 1}


def test_a_value_expires(kv: Any, store: Store) -> None:
    kv.set("k", 1, expires_in=10)
    store.now += 9
    assert kv.get("k") == 1
    store.now += 1
    assert kv.get("k", "gone") == "gone"


def test_each_write_sets_the_expiry_anew(kv: Any, store: Store) -> None:
    for method, named in ((kv.set, {"value": 2}), (kv.set_if, {"value": 2, "expected": 1}), (kv.update, UP)):
        kv.set("k", 1, expires_in=10)
        assert method("k", **named) is not False
        store.now += 100
        assert kv.get("k") == 2


def test_expiry_is_the_servers() -> None:
    app = App()
    with Mattermost(app) as mattermost:
        app.kv.set("k", 1, expires_in=datetime.timedelta(hours=1))
        mattermost.clock.advance(minutes=59)
        assert not app.kv.set_if("k", 2, expected=None)
        mattermost.clock.advance(minutes=2)
        assert [*app.kv.keys()] == []
        assert app.kv.set_if("k", 2, expected=None, expires_in=60)
        assert app.kv.update("k", lambda old: old + 1, default=0) == 3
        mattermost.clock.advance(days=1)
        assert app.kv.get("k") == 3


@pytest.mark.parametrize(
    ("expires_in", "seconds"), [(1, 1), (0.2, 1), (1.5, 2), (datetime.timedelta(minutes=1), 60), (10**9, 10**9)]
)
def test_expiry_is_in_whole_seconds(kv: Any, store: Store, expires_in: Any, seconds: int) -> None:
    for method, named in ((kv.set, {"value": 1}), (kv.set_if, {"value": 2, "expected": 1}), (kv.update, UP)):
        method("k", **named, expires_in=expires_in)
        assert store.entries["k"][1] == store.now + seconds
    assert kv.get("k") == 3


@pytest.mark.parametrize("expires_in", [0, -1, -0.5, float("inf"), float("nan"), datetime.timedelta()])
def test_no_time_at_all_is_refused_since_servers_take_zero_for_ever(kv: Any, store: Store, expires_in: Any) -> None:
    with pytest.raises(ModelError, match=r"^expires_in=.*: takes more than 0 seconds; for a value that stays, leave"):
        kv.set("k", 1, expires_in=expires_in)
    assert store.asked == []


@pytest.mark.parametrize("expires_in", ["5", True])
def test_expiry_is_a_number_or_a_timedelta(kv: Any, expires_in: Any) -> None:
    with pytest.raises(TypeError, match="expires_in takes seconds or a timedelta"):
        kv.set("k", 1, expires_in=expires_in)


# conditions


def test_a_value_is_set_if_the_expected_one_is_there(kv: Any) -> None:
    assert not kv.set_if("k", 2, expected=1)
    assert kv.set_if("k", 1, expected=None)
    assert not kv.set_if("k", 2, expected=None)
    assert not kv.set_if("k", 2, expected=7)
    assert kv.set_if("k", 2, expected=1)
    assert kv.get("k") == 2
    assert not kv.delete_if("k", expected=1)
    assert kv.delete_if("k", expected=2)
    assert not kv.delete_if("k", expected=2)


def test_values_are_compared_and_not_their_text(kv: Any, store: Store) -> None:
    store.entries["k"] = b'{"b" : [1, 2],\n"a" : "\\u00fc"}', 0  # as another plugin may have written it
    assert kv.set_if("k", Votes(up=1), expected={"a": "ü", "b": (1, 2)})
    assert not kv.set_if("k", Votes(up=2), expected=Votes(up=2))
    assert kv.set_if("k", Votes(up=2), expected=Votes(up=1))
    store.entries["k"] = b'{"up": 2}', 0  # without what a newer version of the model has
    assert kv.set_if("k", b"raw", expected=Votes(up=2))
    assert not kv.set_if("k", 1, expected=b"other")
    assert not kv.set_if("k", 1, expected=Votes())
    assert kv.set_if("k", 1, expected=b"raw")
    assert not kv.set_if("k", 2, expected=True)
    assert not kv.set_if("k", 2, expected=1.0)


def test_a_change_between_reading_and_setting_is_seen(kv: Any, store: Store) -> None:
    kv.set("k", 1)
    store.before["KVCompareAndSet"] = lambda: store.entries.update(k=(b"9", 0))
    assert not kv.set_if("k", 2, expected=1)
    store.before = {"KVCompareAndDelete": lambda: store.entries.update(k=(b"8", 0))}
    assert not kv.delete_if("k", expected=9)
    assert kv.get("k") == 8


def test_none_is_no_value_to_delete(kv: Any) -> None:
    with pytest.raises(ModelError, match="None cannot be stored"):
        kv.delete_if("k", expected=None)


# updates


def test_an_update_gives_the_new_value(kv: Any) -> None:
    assert kv.update("k", lambda count: count + 1, default=0) == 1
    assert kv.update("k", lambda count: count + 1, default=0) == 2
    assert kv.get("k") == 2
    assert kv.update("other", lambda old: [old]) == [None]


def test_an_update_reads_by_the_type_or_by_that_of_the_default(kv: Any) -> None:
    def up(votes: Votes) -> Votes:
        return votes.model_copy(update={"up": votes.up + 1})

    assert kv.update("k", up, default=Votes()) == Votes(up=1)
    assert kv.update("k", up, type=Votes) == Votes(up=2)
    assert kv.update("b", lambda old: old + b"x", default=b"") == b"x"
    assert kv.update("b", lambda old: old + b"x", type=bytes) == b"xx"


def test_a_value_changed_in_place_has_to_be_returned(kv: Any, store: Store) -> None:
    def slip(names: list[str]) -> None:
        names.append("ada")

    with pytest.raises(TypeError, match=r"^'k': the update's function returned None: it has to return the new value"):
        kv.update("k", slip, default=[])
    assert store.values == {}


def test_the_default_is_copied_for_each_try(kv: Any, store: Store) -> None:
    default: list[int] = []
    tries = iter(range(3))

    def meddle() -> None:
        if (number := next(tries, None)) is not None:
            store.entries["k"] = str(number).encode(), 0
            store.entries.pop("k") if number == 1 else None

    def add(found: Any) -> Any:
        found = found if isinstance(found, list) else [found]
        found.append(1)
        return found

    store.before["KVCompareAndSet"] = meddle
    assert kv.update("k", add, default=default) == [2, 1]
    assert default == []


def test_what_the_function_raises_comes_out_and_nothing_is_stored(kv: Any, store: Store) -> None:
    kv.set("k", 1)

    def refuse(old: Any) -> Any:
        raise LookupError(old)

    with pytest.raises(LookupError):
        kv.update("k", refuse)
    assert kv.get("k") == 1
    assert kv.update("k", lambda old: old + 1) == 2  # and the key is free again


def test_a_key_that_others_keep_changing_is_a_clear_error(kv: Any, store: Store) -> None:
    store.before["KVCompareAndSet"] = lambda: store.entries.update(k=(str(len(store.asked)).encode(), 0))
    message = r"^'k' could not be updated within 0\.3 s: each of \d+ times others changed it meanwhile$"
    with pytest.raises(UpdateConflict, match=message) as raised:
        kv.update("k", lambda old: 1, timeout=0.3)
    assert isinstance(raised.value, TimeoutError)


def test_an_update_within_its_own_is_told_at_once(kv: Any, app: App, store: Store) -> None:
    def nested(old: Any) -> Any:
        if isinstance(kv, Waiting):
            return app.async_kv.update("k", lambda old: 1)
        return kv.update("k", lambda old: 1)

    with pytest.raises(RuntimeError, match="'k' is updated within an update of it"):
        kv.update("k", nested)
    assert kv.update("k", lambda old: 2) == 2


def test_another_key_may_be_updated_within_an_update(app: App) -> None:
    assert app.kv.update("a", lambda old: app.kv.namespace("a").update("a", lambda old: 1)) == 1


def test_an_async_function_is_waited_for(app: App, loop: asyncio.AbstractEventLoop) -> None:
    async def later(old: int) -> int:
        await asyncio.sleep(0)
        return old + 1

    assert loop.run_until_complete(app.async_kv.update("k", later, default=0)) == 1
    with pytest.raises(TypeError, match=r"^'k': the update's function is async, and only `await app\.async_kv\.update"):
        _ = app.kv.update("k", later, default=0)


def test_a_waiting_update_gives_up_in_time(app: App, loop: asyncio.AbstractEventLoop) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(old: Any) -> int:
        entered.set()
        assert leave.wait(20)
        return 1

    thread = threading.Thread(target=app.kv.update, args=["k", hold])
    thread.start()
    try:
        assert entered.wait(20)
        with pytest.raises(UpdateConflict, match="another update of it, in this process, took all the time"):
            app.kv.update("k", lambda old: 2, timeout=0.1)
        assert app.kv.update("other", lambda old: 2, timeout=20) == 2
    finally:
        leave.set()
        thread.join(20)
    assert app.kv.get("k") == 1

    async def both() -> Any:
        release = asyncio.Event()

        async def hold(old: Any) -> int:
            await release.wait()
            return 3

        first = asyncio.create_task(app.async_kv.update("k", hold))
        await asyncio.sleep(0)
        with pytest.raises(UpdateConflict, match="another update of it"):
            await app.async_kv.update("k", lambda old: 2, timeout=0.1)
        release.set()
        return await first

    assert loop.run_until_complete(both()) == 3


def test_an_update_that_is_cancelled_leaves_the_key_free(app: App, loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> Any:
        never = asyncio.Event()

        async def wait(old: Any) -> int:
            await never.wait()
            return 1

        holds = asyncio.create_task(app.async_kv.update("k", wait))
        await asyncio.sleep(0)
        waits = asyncio.create_task(app.async_kv.update("k", wait))
        await asyncio.sleep(0)
        for task in (waits, holds):
            task.cancel()
        await asyncio.gather(waits, holds, return_exceptions=True)
        return await app.async_kv.update("k", lambda old: 5, timeout=20)

    assert loop.run_until_complete(main()) == 5
    assert not app.async_kv._locks._entries._entries


def test_on_the_event_loop_the_sync_store_says_what_to_write(app: App, loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        calls: dict[str, Callable[[], Any]] = {
            "get": lambda: app.kv.get("k"),
            "set": lambda: app.kv.set("k", 1),
            "set_if": lambda: app.kv.set_if("k", 1, expected=None),
            "delete": lambda: app.kv.delete("k"),
            "delete_if": lambda: app.kv.delete_if("k", expected=1),
            "update": lambda: app.kv.update("k", lambda old: 1),
            "keys": lambda: [*app.kv.keys()],
        }
        for name, call in calls.items():
            with pytest.raises(RuntimeError, match=rf"`await app\.async_kv\.{name}\(…\)`"):
                call()

    loop.run_until_complete(main())


def test_without_a_server_there_is_no_store() -> None:
    with pytest.raises(HostUnavailable):
        App().kv.get("k")
    with pytest.raises(HostUnavailable):
        App().kv.update("k", lambda old: 1)


# many at once


def run_all(works: Sequence[Callable[[], object]]) -> None:
    """Run each in a thread, and raise what one of them raised."""
    failed: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


@pytest.mark.timeout(120)
def test_64_threads_that_update_one_key_a_thousand_times_each_lose_nothing(app: App, store: Store) -> None:
    def work() -> None:
        for _ in range(1000):
            app.kv.update("k", lambda count: count + 1, default=0, timeout=100)

    run_all([work] * 64)
    assert app.kv.get("k") == 64_000
    # A lock for each key keeps the threads from spoiling each other's tries.
    assert store.asked.count("KVCompareAndSet") == 64_000
    assert not app.kv._locks._entries._entries


@pytest.mark.timeout(120)
def test_nor_do_they_on_a_mattermost_in_memory() -> None:
    app = App()

    def work() -> None:
        for _ in range(1000):
            app.kv.update("k", lambda count: count + 1, default=0, timeout=100)

    with Mattermost(app) as mattermost:
        run_all([work] * 64)
        assert mattermost.kv == {"k": b"64000"}


def test_processes_of_a_cluster_lose_nothing_either(store: Store) -> None:
    """Each app has locks of its own, as each server has: only the store is shared."""

    def work() -> None:
        app = App()
        app.api_link.caller = store
        for _ in range(50):
            app.kv.namespace("n").update("k", lambda count: count + 1, default=0, timeout=50)

    run_all([work] * 8)
    assert store.values == {"n:k": b"400"}


def test_tasks_and_threads_together_lose_nothing(app: App, store: Store, loop: asyncio.AbstractEventLoop) -> None:
    async def tasks() -> None:
        async def work() -> None:
            for _ in range(25):
                await app.async_kv.update("k", lambda count: count + 1, default=0, timeout=50)

        await asyncio.gather(*(work() for _ in range(32)))

    def threads() -> None:
        for _ in range(100):
            app.kv.update("k", lambda count: count + 1, default=0, timeout=50)

    run_all([lambda: loop.run_until_complete(tasks()), *[threads] * 8])
    assert app.kv.get("k") == 1600


def test_the_loop_is_free_while_an_update_waits(app: App, store: Store, loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> list[str]:
        seen = []
        entered, release = asyncio.Event(), asyncio.Event()

        async def slow(old: Any) -> str:
            seen.append("slow begins")
            entered.set()
            await release.wait()
            return "slow"

        async def other() -> None:
            seen.append("others go on")
            release.set()

        def fast(old: str) -> str:
            seen.append(f"fast after {old}")
            return "fast"

        first = asyncio.create_task(app.async_kv.update("k", slow))
        await entered.wait()
        second = asyncio.create_task(app.async_kv.update("k", fast))
        await asyncio.sleep(0)
        await other()
        await asyncio.gather(first, second)
        return seen

    assert loop.run_until_complete(main()) == ["slow begins", "others go on", "fast after slow"]


def test_a_handler_that_waits_for_a_key_lends_its_thread(store: Store) -> None:
    """Else the handlers that wait would keep the one that they wait for from ending."""
    app = App(threads=2)
    app.api_link.caller = store
    entered, freed = threading.Event(), threading.Event()

    def hold(old: int) -> int:
        entered.set()
        assert freed.wait(20)
        return old + 1

    @app.hook
    def message_has_been_posted(post: Post) -> None:
        if post.message == "free":
            freed.set()
            return
        app.kv.update("k", hold if post.message == "hold" else lambda old: old + 1, default=0)

    with app.test_client() as client:

        def post(message: str) -> Callable[[], object]:
            return lambda: client.message_has_been_posted(Post(message=message))

        def free() -> None:
            assert entered.wait(20)
            post("free")()

        run_all([post("hold"), free, *[post("wait")] * 8])
    assert app.kv.get("k") == 9


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({9: "a", 10: "b"}, {9: "a", 10: "b"}),
        ({1: "a", "b": 2}, {"b": 2, 1: "a"}),
        (b"12", bytearray(b"12")),
        (bytearray(b"abc"), memoryview(b"abc")),
    ],
)
def test_what_is_stored_the_same_is_the_same(kv: Any, value: Any, expected: Any) -> None:
    kv.set("k", value)
    assert kv.set_if("k", "new", expected=expected)


@pytest.mark.parametrize("expected", [object(), float("nan"), b""])
def test_what_cannot_be_there_cannot_be_expected(kv: Any, expected: Any) -> None:
    kv.set("k", 1)
    with pytest.raises(ModelError):
        kv.set_if("k", 2, expected=expected)


@pytest.mark.parametrize(("timeout", "error"), [(0, ValueError), (-1, ValueError), ("5", TypeError)])
def test_an_update_needs_time(kv: Any, timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"timeout="):
        kv.update("k", lambda old: old, default=1, timeout=timeout)
