"""Runs a handler: on the loop or in a thread, within its deadline, to an outcome.

This is the one way in. Hosts and the test client turn what they have into the hook's name and arguments, and call
`Dispatcher.dispatch`; it knows nothing of sockets.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mmhooks.binding import Handler
from mmhooks.deadlines import Deadlines
from mmhooks.errors import CallError, HandlerTimeout, NotImplementedByPlugin, ThreadsExhausted
from mmhooks.hooks import Hook
from mmhooks.lifecycle import STAGES
from mmhooks.limits import Limits
from mmhooks.log import authors_part
from mmhooks.outcomes import Failed, Outcome, Reject, Rejected, Unchanged, Value, handler_error, judge
from mmhooks.threads import Exhausted, Job, Result, ThreadPool
from mmhooks.watchdog import Watchdog

if TYPE_CHECKING:
    from mmhooks.lifecycle import Lifecycle

logger = logging.getLogger("mmhooks")


class Running(Protocol):
    """What has been begun and is not over."""

    def abandon(self) -> None:
        """Nobody waits for its outcome any more."""


class Dispatcher:
    """Runs the handlers of one app.

    Arguments:
        handlers: by the hook's canonical name; read at each call.
        limits: the deadline and the number of threads.
        on_error: what a failed filter or gate answers whose handler has no such answer of its own.
        notice_edits: where arguments may be returned, compare them before and after, and say what was edited but not
            returned. It costs a copy of the arguments, so hosts leave it off.
        lifecycle: what belongs to activation, configuration and deactivation, beside the handlers.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        limits: Limits,
        on_error: Reject | None = None,
        *,
        notice_edits: bool = False,
        lifecycle: Lifecycle | None = None,
    ) -> None:
        self.handlers = handlers
        self.limits = limits
        self.lifecycle = lifecycle
        self._on_error = on_error
        self._notice_edits = notice_edits
        self.threads = ThreadPool(limits.threads)
        self._deadlines = Deadlines()
        self.watchdog = Watchdog(_handler_of_frame)
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps weak references only

    async def dispatch(self, name: str, arguments: Sequence[Any], timeout: float | None = None) -> Outcome:
        """Call a hook's handler.

        Arguments:
            name: the hook's canonical name.
            arguments: in the order of the table; those that the handler does not take may be anything.
            timeout: seconds that the host has left, if it says so; the call ends a little before.

        Result: an outcome; failures of the handler are the outcome `Failed`, or `Rejected` where `on_error` says so.
        """
        if self.lifecycle is not None and name in STAGES:
            return await self.lifecycle.run(self, name, timeout)
        return await self.call(name, arguments, timeout)

    async def call(self, name: str, arguments: Sequence[Any], timeout: float | None) -> Outcome:
        """Call a hook's handler and nothing else; see `dispatch`."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        return await _answered(answer, self.begin(name, arguments, answer.set_result, timeout))

    async def ask(self, handler: Handler, arguments: Sequence[Any], timeout: float | None) -> Outcome:
        """Call a handler by its route, if it has one, and wait for its outcome."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        return await _answered(answer, self.run(handler, arguments, answer.set_result, timeout))

    def begin(
        self, name: str, arguments: Sequence[Any], done: Callable[[Outcome], None], timeout: float | None = None
    ) -> Running | None:
        """Call a hook's handler and go on: for hosts that need no task of their own for a call.

        Arguments are those of `dispatch`, and the function that is given the outcome: on the loop, and before this
        returns, with None as its result, where there is nothing to wait for. The hooks of `STAGES` are for `dispatch` only.
        """
        handler = self.handlers.get(name)
        if handler is None:
            done(Failed(NotImplementedByPlugin(f"the plugin has no handler for {name}", hook=name)))
            return None
        return self.run(handler, arguments, done, timeout)

    def run(
        self,
        handler: Handler,
        arguments: Sequence[Any],
        done: Callable[[Outcome], None],
        timeout: float | None = None,
    ) -> Running | None:
        """Call a handler by its route, if it has one; arguments and result as of `begin`."""
        if handler.route is not None:
            routed: Running | None = handler.route(self, handler, arguments, done, timeout)
            return routed
        return self.start(handler, arguments, done, timeout)

    def start(
        self,
        handler: Handler,
        arguments: Sequence[Any],
        done: Callable[[Outcome], None],
        timeout: float | None = None,
    ) -> Call:
        """Call a handler itself; arguments and result as of `begin`."""
        usual = budget = handler.timeout or self.limits.hook_timeout
        if timeout is not None:
            budget = min(budget, timeout - margin(timeout))
        before = copy.deepcopy(arguments) if self._notice_edits and handler.hook.result else None
        call = Call(self, handler, arguments, budget, before, done)
        if budget == usual:
            self._deadlines.watch(call, call.loop, budget)
        else:
            call.timer = call.loop.call_later(budget, call.expire)
        call.start()
        return call

    def failure(self, hook: Hook, error: Exception, handler: Handler | None = None) -> Outcome:
        """The outcome of a call whose handler failed, or whose request or answer could not be used: logged, and told to
        the host."""
        handler = handler or self.handlers.get(hook.name)
        location = handler.location if handler else "no handler"
        if not isinstance(error, CallError):
            error = handler_error(hook, location, error)
        if isinstance(error, ThreadsExhausted):
            pass  # the pool has said so, once for all such calls
        elif (cause := error.__cause__) is not None:
            where = authors_part(cause.__traceback__)
            exc_info = (type(cause), cause, where) if where else None
            logger.error("%s: %s failed: %s", hook.name, location, error, exc_info=exc_info)
        else:
            logger.error("%s: %s", hook.name, error)
        on_error = (handler and handler.on_error) or self._on_error
        if on_error is not None and hook.kind.may_reject:
            return Rejected(on_error.reason, error)
        if handler and handler.instead is not None:
            return Value(handler.instead(), error)
        return Failed(error)

    def close(self) -> None:
        """Let threads end; handlers that run are left alone."""
        self.threads.close()
        self.watchdog.close()

    def keep(self, task: asyncio.Task[None]) -> None:
        """Keep a task alive that has been cancelled and may take its time."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Call:
    """A call under way: a task on the loop or a job of a thread, and a deadline."""

    __slots__ = (
        "_arguments",
        "_before",
        "_budget",
        "_dispatcher",
        "_done",
        "_handler",
        "_job",
        "_task",
        "loop",
        "over",
        "timer",
    )

    def __init__(
        self,
        dispatcher: Dispatcher,
        handler: Handler,
        arguments: Sequence[Any],
        budget: float,
        before: Sequence[Any] | None,
        done: Callable[[Outcome], None],
    ) -> None:
        self._dispatcher = dispatcher
        self._handler = handler
        self._arguments = arguments
        self._budget = budget
        self._before = before
        self._done = done
        self.loop = asyncio.get_running_loop()
        self._job: Job | None = None
        self._task: asyncio.Task[None] | None = None
        self.over = False
        self.timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        if self._handler.is_async:
            self._await(self._handler.call, self._arguments)
            return
        self._job = Job(self._call, self._label, self.loop, self._settle)
        try:
            self._dispatcher.threads.submit(self._job)
        except Exhausted as error:
            self._settle((None, error))

    def abandon(self) -> None:
        """Nobody waits any more: the host hung up. What runs in a thread counts as stuck from its deadline on."""
        if not self.over:
            self._end()
            if self._job is not None:
                self._dispatcher.threads.withdraw(self._job)
                self.loop.call_later(self._budget, self._dispatcher.threads.expire, self._job)

    def _call(self) -> Any:
        return self._handler.call(self._arguments)

    def _label(self) -> str:
        return f"{self._handler.hook.name}: {self._handler.location}"

    def _await(self, call: Callable[[Any], Awaitable[Any]], argument: Any) -> None:
        self._job = None
        self._task = self.loop.create_task(_run(self, self._handler, call, argument))

    def _settle(self, result: Result) -> None:
        """Take what came out of the handler; on the loop. Whatever comes after the deadline is dropped."""
        if self.over:
            return
        value, error = result
        if self._job is not None and inspect.isawaitable(value):
            self._await(_identity, value)
            return
        self._end()
        if error is None:
            self._conclude(value)
        elif isinstance(error, Exhausted):
            self._fail(self._exhausted())
        elif isinstance(error, Reject):
            # Without the frames that it passed: one that is raised again and again would keep them all alive.
            self._conclude(error.with_traceback(None))
        else:
            self._fail(handler_error(self._handler.hook, self._handler.location, error))

    def _conclude(self, returned: Any) -> None:
        try:
            outcome = judge(self._handler.hook, returned)
        except TypeError as error:
            self._fail(error)
            return
        if self._before is not None and isinstance(outcome, Unchanged):
            outcome = Unchanged(_edits(self._handler, self._before, self._arguments))
        self._tell(outcome)

    def _fail(self, error: Exception) -> None:
        self._tell(self._dispatcher.failure(self._handler.hook, error, self._handler))

    def _tell(self, outcome: Outcome) -> None:
        done, self._done = self._done, _nobody
        self._arguments = ()  # the row of deadlines may have this call for a while longer
        self._before = None
        done(outcome)

    def expire(self) -> None:
        """Give the call up: its deadline has passed."""
        if self.over:
            return
        late = self._late()
        self._end()
        self._fail(late)

    def _end(self) -> None:
        self.over = True
        if self.timer is not None:
            self.timer.cancel()
        if self._task is not None and not self._task.done() and self._task is not asyncio.current_task(self.loop):
            self._dispatcher.keep(self._task)
            self._task.cancel()

    def _late(self) -> HandlerTimeout:
        what = f"{self._handler.location} did not answer within {self._budget:.3g} s"
        if self._job is not None:
            self._dispatcher.threads.expire(self._job)
            if not self._job.started:
                what = f"{self._handler.location} did not start within {self._budget:.3g} s: no thread was free"
        return HandlerTimeout(what, hook=self._handler.hook.name, handler=self._handler.location)

    def _exhausted(self) -> ThreadsExhausted:
        size = self._dispatcher.threads.size
        text = f"all {size} threads for sync handlers are stuck past their deadlines, or could not be made"
        return ThreadsExhausted(text, hook=self._handler.hook.name, handler=self._handler.location)


async def _run(call: Call, handler: Handler, function: Callable[[Any], Awaitable[Any]], argument: Any) -> None:
    """The task of an async handler. The watchdog knows it by its frame, and the handler by its second argument."""
    result: Result
    watchdog = call._dispatcher.watchdog
    watchdog.enter(call.loop)
    try:
        result = await function(argument), None
    except BaseException as error:
        # All of them: SystemExit would end the loop, CancelledError of the handler's own would look like ours.
        result = None, error
    finally:
        watchdog.leave()
    call._settle(result)


async def _answered(answer: asyncio.Future[Outcome], running: Running | None) -> Outcome:
    try:
        return await answer
    except asyncio.CancelledError:
        if running is not None:
            running.abandon()
        raise


def margin(timeout: float) -> float:
    """Seconds before the host's own deadline at which a call is given up, so that our error arrives and not theirs."""
    return min(0.5, timeout / 10)


def _nobody(outcome: Outcome) -> None:
    """The outcome has been told."""


def _identity(awaitable: Awaitable[Any]) -> Awaitable[Any]:
    return awaitable


def _handler_of_frame(frame: Any) -> str | None:
    """The handler that runs in a frame of the loop's thread, if it is one of ours."""
    if frame.f_code is not _run.__code__:
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
