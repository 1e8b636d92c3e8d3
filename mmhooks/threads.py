"""Threads for sync handlers: the app's own, so that stuck handlers starve nobody else's.

Calls queue until their deadline. Only when every thread is stuck in a handler past its deadline do calls fail at once.
The threads are daemons: a stuck one does not keep the process from ending.

A thread that waits for the server lends its place: the server may wait for a hook of this plugin meanwhile, for which there
has to be a thread, or both would wait for each other.

A further thread is woken only when those at work do not keep up: threads that wake for every call take the interpreter
from each other and from the event loop, and half of the calls that could be made in a second are lost.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import contextvars
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

logger = logging.getLogger("mmhooks")

Result = tuple[Any, BaseException | None]
"""What a handler returned, or what it raised."""

PATIENCE = 0.002
"""Seconds for which a queued call waits for threads that are at work, before further ones are woken."""


MOST = 1024
"""Threads in all, with those that wait for the server."""

_here = threading.local()
"""`place` is the thread's place in a pool, if it has one."""


def lend() -> Place | None:
    """Say that this thread waits for the server. Result: where to say that it does no longer, by `take_back`."""
    place: Place | None = getattr(_here, "place", None)
    if place is not None:
        place.pool.lend(place.worker)
    return place


class Place(NamedTuple):
    """A thread's place in a pool."""

    pool: ThreadPool
    worker: _Worker

    def take_back(self) -> None:
        """The thread waits no longer. It does not wait for a place either: so there may be more at work than there are
        places, for as long as these calls last."""
        self.pool.take_back(self.worker)


class Waiting:
    """A context in which this thread waits, and its place, if it has one, is lent."""

    __slots__ = ("_place",)

    def __enter__(self) -> None:
        self._place = lend()

    def __exit__(self, *_: object) -> None:
        if self._place is not None:
            self._place.take_back()


class Exhausted(Exception):
    """Every thread is past its deadline."""


class Job:
    """One call of a sync handler. Its result goes to `settle`, on the loop that asked."""

    __slots__ = ("_context", "call", "ended", "label", "loop", "settle", "started", "thread", "withdrawn")

    def __init__(
        self,
        call: Callable[[], Any],
        label: Callable[[], str],
        loop: asyncio.AbstractEventLoop,
        settle: Callable[[Result], None],
    ) -> None:
        self.call = call
        self.label = label
        self.loop = loop
        self.settle = settle
        self.started = 0.0
        self.thread = 0
        self.ended = False
        self.withdrawn = False
        self._context = contextvars.copy_context()

    def run(self) -> Result:
        self.thread = threading.get_ident()
        try:
            return self._context.run(self.call), None
        except BaseException as error:
            # SystemExit and KeyboardInterrupt too: they end the call, not the thread or the process.
            return None, error


class _Results:
    """Takes results to a loop, which is woken once for all that come while it is busy."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ready: collections.deque[tuple[Job, Result]] = collections.deque()
        self._woken = False

    def put(self, job: Job, result: Result) -> None:
        self._ready.append((job, result))
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self.loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._woken = False  # before looking: what comes from now on wakes the loop again
        while self._ready:
            job, result = self._ready.popleft()
            job.settle(result)


class _Worker:
    """A thread of the pool. `wave` is the last one in which it was woken, or took a job."""

    __slots__ = ("sleep", "waits", "wave")

    def __init__(self) -> None:
        self.waits = 0  # for so many answers of the server: a loop of the thread's own may wait for several
        self.sleep = threading.Lock()  # held by the sleeping thread itself, and released by whoever wakes it
        self.sleep.acquire()
        self.wave = 0


class ThreadPool:
    """At most `size` threads that do not wait for the server, made when they are needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._queue: collections.deque[Job] = collections.deque()
        self._idle: list[_Worker] = []
        self._threads = 0
        self._lent = 0
        self._stuck: set[Job] = set()
        self._closed = False
        self._results: dict[asyncio.AbstractEventLoop, _Results] = {}
        # Threads that do not keep up are of a past wave: those of the present one can be expected to take the next job.
        self._wave = 0
        self._awake = 0  # of the present wave
        self._taken = 0  # jobs, ever
        self._looking = False

    @property
    def _places(self) -> int:
        """How many threads there may be."""
        return min(self.size + self._lent, max(self.size, MOST))

    @property
    def _is_full(self) -> bool:
        """Whether as many threads are at work as may be."""
        return self._threads - len(self._idle) - self._lent >= self.size

    @property
    def _is_overfull(self) -> bool:
        """Whether more are at work than may be, since some have come back from the server."""
        return self._threads - len(self._idle) - self._lent > self.size

    def lend(self, worker: _Worker) -> None:
        """Have a thread more, since this one waits for the server."""
        with self._lock:
            worker.waits += 1
            if worker.waits > 1:
                return
            self._lent += 1
            if worker.wave == self._wave:
                self._awake -= 1
                worker.wave = -1
            needs_thread = bool(self._queue) and not self._wake()
        if needs_thread:
            self._make_thread(None)

    def take_back(self, worker: _Worker) -> None:
        """The thread waits no longer."""
        with self._lock:
            worker.waits -= 1
            if not worker.waits:
                self._lent -= 1

    def submit(self, job: Job) -> None:
        """Queue a job; on its loop. Raises `Exhausted` when every thread is past its deadline."""
        if job.loop not in self._results:
            self._results = {loop: results for loop, results in self._results.items() if not loop.is_closed()}
            self._results[job.loop] = _Results(job.loop)
        with self._lock:
            if len(self._stuck) >= self._places:
                raise Exhausted
            self._queue.append(job)
            if self._awake:
                if not self._looking:
                    self._looking = True
                    job.loop.call_later(PATIENCE, self._look, job.loop, self._taken, 1)
                return
            needs_thread = not self._wake()
        if needs_thread:
            self._make_thread(job)

    def _wake(self) -> bool:
        """Wake a thread, if need be a new one; with the lock held. False when that one is still to be made."""
        if self._is_full:
            return True
        if self._idle:
            worker = self._idle.pop()
            worker.wave = self._wave
            self._awake += 1
            worker.sleep.release()
            return True
        if self._threads < self._places and not self._closed:
            self._threads += 1
            self._awake += 1
            return False
        return True

    def _look(self, loop: asyncio.AbstractEventLoop, taken: int, more: int) -> None:
        """Wake further threads, more each time, when nothing has been taken from the queue since the last look."""
        missing = 0
        with self._lock:
            if not self._queue or self._is_full:
                self._looking = False
                return
            if self._taken == taken:
                self._wave += 1
                self._awake = 0
                missing = sum(not self._wake() for _ in range(min(more, len(self._queue))))
                more *= 2
            else:
                more = 1
            taken = self._taken
        for _ in range(missing):
            self._make_thread(None)
        with contextlib.suppress(RuntimeError):
            loop.call_later(PATIENCE, self._look, loop, taken, more)

    def _make_thread(self, job: Job | None) -> None:
        try:
            threading.Thread(
                target=self._work, args=(self._wave,), name=f"mmhooks-handler-{self._threads}", daemon=True
            ).start()
        except RuntimeError as error:  # the system has no more
            with self._lock:
                self._threads -= 1
                self._awake -= 1
                others = self._threads
                if not others and job is not None:
                    self._queue.remove(job)
            logger.error("no further thread for sync handlers, beside %d: %s", others, error)
            if not others and job is not None:
                raise Exhausted from None

    def withdraw(self, job: Job) -> None:
        """Say that nobody waits for a job any more: if it has not started it never will."""
        with self._lock:
            job.withdrawn = True

    def expire(self, job: Job) -> None:
        """Say that a job's deadline has passed: it is withdrawn, and its thread counts as stuck until it ends."""
        with self._lock:
            job.withdrawn = True
            if not job.started or job.ended:
                return
            self._stuck.add(job)
            exhausted = len(self._stuck) >= self._places
        if exhausted:
            logger.error(
                "all %d threads for sync handlers are past their deadlines; calls fail until one is free. Stuck: %s",
                self.size,
                "; ".join(self._standing()),
            )
            self._fail_queued()

    def close(self) -> None:
        """Let the threads end once they have finished what they are doing."""
        with self._lock:
            self._closed = True
            for worker in self._idle:
                worker.sleep.release()
            self._idle.clear()

    def _work(self, wave: int) -> None:
        worker = _Worker()
        worker.wave = wave
        _here.place = Place(self, worker)
        while (job := self._next(worker)) is not None:
            result = None if job.withdrawn else job.run()
            with self._lock:
                job.ended = True
                late = job in self._stuck
                self._stuck.discard(job)
            if late:
                logger.warning(
                    "%s has ended, past its deadline, after %.1f s", job.label(), time.monotonic() - job.started
                )
            elif result is not None:
                self._results[job.loop].put(job, result)
            del job, result  # an idle thread must not keep the last call's arguments alive

    def _next(self, worker: _Worker) -> Job | None:
        while True:
            with self._lock:
                if self._queue and not self._is_overfull:
                    job = self._queue.popleft()
                    self._taken += 1
                    if worker.wave != self._wave:
                        worker.wave = self._wave
                        self._awake += 1
                    if not job.withdrawn:
                        job.started = time.monotonic()
                    return job
                if worker.wave == self._wave:
                    self._awake -= 1
                    worker.wave = -1
                if self._closed or self._threads > self._places:
                    self._threads -= 1
                    return None
                self._idle.append(worker)
            worker.sleep.acquire()

    def _standing(self) -> list[str]:
        frames = sys._current_frames()
        with self._lock:
            stuck = [*self._stuck]
        return [f"{job.label()}, now at {where(frames.get(job.thread))}" for job in stuck]

    def _fail_queued(self) -> None:
        with self._lock:
            queued = [*self._queue]
            self._queue.clear()
        for job in queued:
            self._results[job.loop].put(job, (None, Exhausted()))


def where(frame: Any) -> str:
    """File and line of a frame."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "an unknown place"
