"""Threads for sync handlers: the app's own, so that stuck handlers starve nobody else's.

Calls queue until their deadline. Only when every thread is stuck in a handler past its deadline do calls fail at once.
The threads are daemons: a stuck one does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("mmhooks")

Result = tuple[Any, BaseException | None]
"""What a handler returned, or what it raised."""


class Exhausted(Exception):
    """Every thread is past its deadline."""


class Job:
    """One call of a sync handler. Its result goes to `waiter`, a future of the loop that asked."""

    __slots__ = ("_context", "call", "ended", "label", "loop", "started", "thread", "waiter", "withdrawn")

    def __init__(self, call: Callable[[], Any], label: Callable[[], str], waiter: asyncio.Future[Result]) -> None:
        self.call = call
        self.label = label
        self.waiter = waiter
        self.loop = waiter.get_loop()
        self.started = 0.0
        self.thread = 0
        self.ended = False
        self.withdrawn = False
        self._context = contextvars.copy_context()

    def run(self) -> None:
        self.thread = threading.get_ident()
        result: Result
        try:
            result = self._context.run(self.call), None
        except BaseException as error:
            # SystemExit and KeyboardInterrupt too: they end the call, not the thread or the process.
            result = None, error
        self.finish(result)

    def finish(self, result: Result) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(_settle, self.waiter, result)


def _settle(waiter: asyncio.Future[Result], result: Result) -> None:
    if not waiter.done():
        waiter.set_result(result)


class ThreadPool:
    """At most `size` threads, made when they are needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._pending = 0  # jobs queued and running: more of them than threads, and another thread is made
        self._stuck: set[Job] = set()
        self._closed = False

    def submit(self, job: Job) -> None:
        """Queue a job. Raises `Exhausted` when every thread is past its deadline."""
        with self._lock:
            if len(self._stuck) >= self.size:
                raise Exhausted
            self._pending += 1
            make_thread = self._pending > self._threads and self._threads < self.size and not self._closed
            self._threads += make_thread
        if make_thread:
            self._make_thread()
        self._jobs.put(job)

    def _make_thread(self) -> None:
        try:
            threading.Thread(target=self._work, name=f"mmhooks-handler-{self._threads}", daemon=True).start()
        except RuntimeError as error:  # the system has no more
            with self._lock:
                self._threads -= 1
                others = self._threads
                self._pending -= not others
            logger.error("no further thread for sync handlers, beside %d: %s", others, error)
            if not others:
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
            exhausted = len(self._stuck) >= self.size
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
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._lock:
                skip = job.withdrawn
                if not skip:
                    job.started = time.monotonic()
            if not skip:
                job.run()
            with self._lock:
                job.ended = True
                self._pending -= 1
                late = job in self._stuck
                self._stuck.discard(job)
            if late:
                logger.warning(
                    "%s has ended, past its deadline, after %.1f s", job.label(), time.monotonic() - job.started
                )
            del job  # an idle thread must not keep the last call's arguments alive

    def _standing(self) -> list[str]:
        frames = sys._current_frames()
        with self._lock:
            stuck = [*self._stuck]
        return [f"{job.label()}, now at {where(frames.get(job.thread))}" for job in stuck]

    def _fail_queued(self) -> None:
        try:
            while (job := self._jobs.get_nowait()) is not None:
                with self._lock:
                    self._pending -= 1
                job.finish((None, Exhausted()))
        except queue.Empty:
            pass


def where(frame: Any) -> str:
    """File and line of a frame."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "an unknown place"
