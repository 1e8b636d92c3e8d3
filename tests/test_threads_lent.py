"""Threads that wait for the server lend their places, and the limit holds again afterwards."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mmhooks import threads
from mmhooks.threads import Job, ThreadPool

Work = Callable[[], Any]


class Pool:
    """A pool, and what runs in it."""

    def __init__(self, size: int) -> None:
        self.pool = ThreadPool(size)
        self.loop = asyncio.get_running_loop()

    def submit(self, work: Work) -> asyncio.Future[Any]:
        future = self.loop.create_future()
        self.pool.submit(Job(work, lambda: "work", self.loop, future.set_result))
        return future


class Server:
    """What threads wait for."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = threading.Semaphore(0)

    def ask(self) -> None:
        place = threads.lend()
        assert place
        self.asked.release()
        assert self.answers.wait(20)
        place.take_back()


class AtWork:
    """How many are at work at once, at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()
        self._go_on = threading.Event()

    def work(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self._go_on.wait(0.05)
        with self._lock:
            self.now -= 1


async def until(condition: Callable[..., bool], *arguments: Any) -> None:
    assert await asyncio.to_thread(condition, *arguments)


@pytest.mark.parametrize("size", [1, 2])
def test_after_many_calls_of_the_server_no_more_run_at_once_than_before(size: int) -> None:
    async def main() -> None:
        pool, server, at_work = Pool(size), Server(), AtWork()
        asking = [pool.submit(server.ask) for _ in range(20)]
        for _ in asking:
            await until(server.asked.acquire, True, 20)
        server.answers.set()
        await asyncio.gather(*asking)
        await asyncio.gather(*(pool.submit(at_work.work) for _ in range(20)))
        assert at_work.most <= size
        pool.pool.close()

    asyncio.run(main())


def test_a_job_in_the_queue_begins_as_soon_as_a_place_is_lent() -> None:
    async def main() -> None:
        pool, server = Pool(2), Server()
        blocked, both = threading.Event(), threading.Barrier(3)
        begun = threading.Event()

        def ask() -> None:
            both.wait(20)
            assert queued.wait(20)
            server.ask()

        def block() -> None:
            both.wait(20)
            assert blocked.wait(20)

        queued = threading.Event()
        jobs = [pool.submit(ask), pool.submit(block)]
        await asyncio.to_thread(both.wait, 20)
        jobs.append(pool.submit(begun.set))
        while pool.pool._looking:  # noqa: ASYNC110 - until it has found no place, and given up looking
            await asyncio.sleep(0)
        queued.set()
        await until(begun.wait, 10)
        blocked.set()
        server.answers.set()
        await asyncio.gather(*jobs)
        pool.pool.close()

    asyncio.run(main())


def test_a_thread_that_waits_for_several_answers_lends_one_place() -> None:
    async def main() -> None:
        pool, at_work = Pool(1), AtWork()
        go_on = threading.Event()

        def ask_twice() -> None:
            first, second = threads.lend(), threads.lend()
            assert first
            assert second
            assert go_on.wait(20)
            first.take_back()
            second.take_back()

        asking = pool.submit(ask_twice)
        await asyncio.gather(*(pool.submit(at_work.work) for _ in range(5)))
        assert at_work.most == 1
        go_on.set()
        await asking
        pool.pool.close()

    asyncio.run(main())


def test_a_thread_of_nobody_has_no_place_to_lend() -> None:
    assert threads.lend() is None
