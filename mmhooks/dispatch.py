"""Runs a handler: on the loop or in a thread, within its deadline, to an outcome.

This is the one way in. Hosts and the test client turn what they have into the hook's name and arguments, and call
`Dispatcher.dispatch`; it knows nothing of sockets.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
import os
import time
import types
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from mmhooks.binding import Handler
from mmhooks.errors import CallError, DeadlineExceeded, NotImplementedByPlugin, ThreadsExhausted
from mmhooks.hooks import Hook, HookName
from mmhooks.limits import Limits
from mmhooks.outcomes import Failed, Outcome, Reject, Rejected, Unchanged, handler_error, judge
from mmhooks.threads import Exhausted, Job, Result, ThreadPool
from mmhooks.watchdog import Watchdog

logger = logging.getLogger("mmhooks")

_PACKAGE = os.path.dirname(__file__) + os.sep

_LATE: Result = (None, None)
"""What a call's future is given at its deadline; compared by identity."""


class Dispatcher:
    """Runs the handlers of one app.

    Arguments:
        handlers: by the hook's canonical name; read at each call.
        limits: the deadline and the number of threads.
        on_error: what a failed filter or gate answers whose handler has no such answer of its own.
        notice_edits: where arguments may be returned, compare them before and after, and say what was edited but not
            returned. It costs a copy of the arguments, so hosts leave it off.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        limits: Limits,
        on_error: Reject | None = None,
        *,
        notice_edits: bool = False,
    ) -> None:
        self.handlers = handlers
        self._limits = limits
        self._on_error = on_error
        self._notice_edits = notice_edits
        self._threads = ThreadPool(limits.threads)
        self._watchdog = Watchdog(_handler_of_frame)
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps weak references only

    async def dispatch(self, name: str, arguments: Sequence[Any], timeout: float | None = None) -> Outcome:
        """Call a hook's handler.

        Arguments:
            name: the hook's canonical name.
            arguments: in the order of the table; those that the handler does not take may be anything.
            timeout: seconds that the host has left, if it says so; the call ends a little before.

        Result: an outcome; failures of the handler are the outcome `Failed`, or `Rejected` where `on_error` says so.
        """
        started = time.monotonic()
        if name == HookName.OnActivate and HookName.OnConfigurationChange in self.handlers:
            await self._configure(timeout)
            if name not in self.handlers:
                return Unchanged()
        handler = self.handlers.get(name)
        if handler is None:
            return Failed(NotImplementedByPlugin(f"the plugin has no handler for {name}", hook=name))
        budget = handler.timeout or self._limits.hook_timeout
        if timeout is not None:
            left = timeout - (time.monotonic() - started)
            budget = min(budget, left - margin(timeout))
        before = copy.deepcopy(arguments) if self._notice_edits and handler.hook.result else None
        try:
            outcome = judge(handler.hook, await self._run(handler, arguments, budget))
        except (CallError, TypeError) as error:
            return self.failure(handler.hook, error)
        if before is not None and isinstance(outcome, Unchanged):
            return Unchanged(_edits(handler, before, arguments))
        return outcome

    def failure(self, hook: Hook, error: Exception) -> Outcome:
        """The outcome of a call whose handler failed, or whose request or answer could not be used: logged, and told to
        the host."""
        handler = self.handlers.get(hook.name)
        location = handler.location if handler else "no handler"
        if not isinstance(error, CallError):
            error = handler_error(hook, location, error)
        if isinstance(error, ThreadsExhausted):
            pass  # the pool has said so, once for all such calls
        elif (cause := error.__cause__) is not None:
            where = _authors_part(cause.__traceback__)
            exc_info = (type(cause), cause, where) if where else None
            logger.error("%s: %s failed: %s", hook.name, location, error, exc_info=exc_info)
        else:
            logger.error("%s: %s", hook.name, error)
        on_error = (handler and handler.on_error) or self._on_error
        if on_error is not None and hook.kind.may_reject:
            return Rejected(on_error.reason, error)
        return Failed(error)

    def close(self) -> None:
        """Let threads end; handlers that run are left alone."""
        self._threads.close()
        self._watchdog.close()

    async def _configure(self, timeout: float | None) -> None:
        """Mattermost's `hooks.go` promises OnConfigurationChange once before OnActivate; in Go, too, the plugin's side
        keeps that promise. An error there does not keep the plugin from starting."""
        # Half of the time, so that OnActivate has the other half.
        outcome = await self.dispatch(HookName.OnConfigurationChange, (), timeout and timeout / 2)
        if isinstance(outcome, Failed):
            logger.warning("OnConfigurationChange failed before OnActivate; the plugin is activated all the same")

    async def _run(self, handler: Handler, arguments: Sequence[Any], budget: float) -> Any:
        """What the handler returned, or the `Reject` that it raised. Raises `HandlerError` for all else that it raised,
        `DeadlineExceeded` and `ThreadsExhausted`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + budget
        waiter: asyncio.Future[Result] = loop.create_future()
        timer = loop.call_at(deadline, _expire, waiter)
        task: asyncio.Task[None] | None = None
        job: Job | None = None
        answered = False
        try:
            if handler.is_async:
                task = self._start(handler, handler.call, arguments, waiter)
            else:
                job = Job(lambda: handler.call(arguments), lambda: f"{handler.hook.name}: {handler.location}", waiter)
                self._threads.submit(job)
            result = await waiter
            if job is not None and result is not _LATE and inspect.isawaitable(result[0]):
                job, waiter = None, loop.create_future()
                timer.cancel()
                timer = loop.call_at(deadline, _expire, waiter)
                task = self._start(handler, _identity, result[0], waiter)
                result = await waiter
            answered = True
            if result is _LATE:
                raise self._late(handler, budget, job)
        except Exhausted:
            raise self._exhausted(handler) from None
        finally:
            timer.cancel()
            if task is not None and not task.done():
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                task.cancel()
            if job is not None and not answered:  # the host hung up
                self._threads.withdraw(job)
                loop.call_at(deadline, self._threads.expire, job)
        value, error = result
        if error is None:
            return value
        if isinstance(error, Exhausted):
            raise self._exhausted(handler)
        if isinstance(error, Reject):
            # Without the frames that it passed: one that is raised again and again would keep them all alive.
            return error.with_traceback(None)
        raise handler_error(handler.hook, handler.location, error)

    def _start(self, handler: Handler, call: Any, arguments: Any, waiter: asyncio.Future[Result]) -> asyncio.Task[None]:
        return waiter.get_loop().create_task(self._await(handler, call, arguments, waiter))

    async def _await(self, handler: Handler, call: Any, arguments: Any, waiter: asyncio.Future[Result]) -> None:
        result: Result
        self._watchdog.enter(waiter.get_loop())
        try:
            awaitable: Awaitable[Any] = call(arguments)
            result = await awaitable, None
        except BaseException as error:
            # All of them: SystemExit would end the loop, CancelledError of the handler's own would look like ours.
            result = None, error
        finally:
            self._watchdog.leave()
        if not waiter.done():
            waiter.set_result(result)

    def _late(self, handler: Handler, budget: float, job: Job | None) -> DeadlineExceeded:
        what = f"{handler.location} did not answer within {budget:.3g} s"
        if job is not None:
            self._threads.expire(job)
            if not job.started:
                what = f"{handler.location} did not start within {budget:.3g} s: no thread was free"
        return DeadlineExceeded(what, hook=handler.hook.name, handler=handler.location)

    def _exhausted(self, handler: Handler) -> ThreadsExhausted:
        text = (
            f"all {self._threads.size} threads for sync handlers are stuck past their deadlines, or could not be made"
        )
        return ThreadsExhausted(text, hook=handler.hook.name, handler=handler.location)


def _authors_part(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """A traceback from where it leaves this package: what the author wants to see, if it ever does."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        traceback = traceback.tb_next
    return traceback


def margin(timeout: float) -> float:
    """Seconds before the host's own deadline at which a call is given up, so that our error arrives and not theirs."""
    return min(0.5, timeout / 10)


def _identity(awaitable: Awaitable[Any]) -> Awaitable[Any]:
    return awaitable


def _expire(waiter: asyncio.Future[Result]) -> None:
    if not waiter.done():
        waiter.set_result(_LATE)


def _handler_of_frame(frame: Any) -> str | None:
    """The handler that runs in a frame of the loop's thread, if it is one of ours."""
    if frame.f_code is not Dispatcher._await.__code__:
        return None
    handler = frame.f_locals["handler"]
    return f"{handler.hook.name}: {handler.location}"


def _edits(handler: Handler, before: Sequence[Any], after: Sequence[Any]) -> tuple[str, ...]:
    """The fields that a handler changed in its arguments: `post.message`."""
    edited = []
    for parameter, old, new in zip(handler.hook.parameters, before, after, strict=True):
        fields = getattr(old, "__struct_fields__", ())
        edited += [f"{parameter.name}.{name}" for name in fields if getattr(old, name) != getattr(new, name)]
        if isinstance(old, list) and old != new:
            edited.append(parameter.name)
    return tuple(edited)
