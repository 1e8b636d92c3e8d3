"""Fits a function to a hook, once, when it is registered.

If any of the function's parameters has the name of one of the hook's, all go by name, in any order and any subset;
otherwise they go by position, when the count is the same.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mmhooks import models
from mmhooks.errors import HandlerMismatch
from mmhooks.hooks import Hook
from mmhooks.outcomes import Reject

_P = inspect.Parameter


@dataclass(frozen=True, slots=True, eq=False)
class Handler:
    """An author's function, bound to its hook."""

    hook: Hook
    function: Callable[..., Any]
    call: Callable[[Sequence[Any]], Any]
    """Calls the function with what it wants of the hook's arguments, which come in the table's order."""
    wanted: frozenset[int]
    """Which of the hook's arguments the function takes, by position: the others need not be made."""
    is_async: bool
    timeout: float | None = None
    on_error: Reject | None = None
    instead: Callable[[], Any] | None = None
    """Makes what is answered in place of a failure, for hooks that are asked for a value."""
    route: Callable[..., Any] | None = None
    """Called as `route(dispatcher, handler, arguments, done, timeout)` in place of `Dispatcher.start`, which it calls for
    whatever is to run: functions of commands, say."""

    @property
    def location(self) -> str:
        """The function's name with its file and line, for messages."""
        return describe(self.function)


def bind(
    hook: Hook, function: Callable[..., Any], *, timeout: float | None = None, on_error: Reject | None = None
) -> Handler:
    """Match a function's parameters to a hook's.

    Raises `HandlerMismatch`, with both signatures, for a function that cannot be called with them.
    """
    if not callable(function) or isinstance(function, type):
        raise HandlerMismatch(f"{hook.name}: a handler is a function or what can be called like one, not {function!r}")
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except ValueError as error:
        raise HandlerMismatch(f"{hook.name}: the parameters of {describe(function)} cannot be read: {error}") from error
    fixed_names = fixed(function)
    free = {
        parameter.name: index for index, parameter in enumerate(hook.parameters) if parameter.name not in fixed_names
    }
    if any(p.name in free and p.kind not in (_P.VAR_POSITIONAL, _P.VAR_KEYWORD) for p in parameters):
        positions, keywords = _by_name(hook, function, parameters, free)
    else:
        positions, keywords = _by_position(hook, function, parameters, free)
    return Handler(
        hook,
        function,
        _caller(function, positions, keywords),
        frozenset([*positions, *keywords.values()]),
        is_async(function),
        timeout,
        on_error,
    )


def describe(function: Callable[..., Any]) -> str:
    """A function's name, file and line: `keep_calm (plugin.py:12)`."""
    plain = inspect.unwrap(whole(function))
    code = getattr(plain, "__code__", None) or getattr(_call_of(plain), "__code__", None)
    name = getattr(plain, "__qualname__", type(plain).__qualname__)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else str(name)


def signature_of(function: Callable[..., Any]) -> str:
    """A function's signature as it is written, with its name."""
    return f"{name_of(function)}{inspect.signature(function)}"


def name_of(function: Callable[..., Any]) -> str:
    """A function's own name; the class's for an object that can be called."""
    plain = whole(function)
    return str(getattr(plain, "__name__", type(plain).__name__))


def _by_name(
    hook: Hook, function: Callable[..., Any], parameters: list[_P], free: dict[str, int]
) -> tuple[list[int], dict[str, int]]:
    taken = {parameter.name for parameter in parameters}
    positions: list[int] = []
    keywords: dict[str, int] = {}
    for parameter in parameters:
        if parameter.kind is _P.VAR_POSITIONAL:
            continue
        if parameter.kind is _P.VAR_KEYWORD:
            keywords |= {name: index for name, index in free.items() if name not in taken}
        elif parameter.name in free and parameter.kind is _P.POSITIONAL_ONLY:
            positions.append(free[parameter.name])
        elif parameter.name in free:
            keywords[parameter.name] = free[parameter.name]
        elif parameter.default is _P.empty:
            raise _mismatch(hook, function, f"{parameter.name!r} is none of the hook's parameters")
        elif parameter.kind is _P.POSITIONAL_ONLY and any(
            later.kind is _P.POSITIONAL_ONLY and later.name in free
            for later in parameters[parameters.index(parameter) :]
        ):
            raise _mismatch(hook, function, f"{parameter.name!r} stands before a parameter that goes by position only")
    return positions, keywords


def _by_position(
    hook: Hook, function: Callable[..., Any], parameters: list[_P], free: dict[str, int]
) -> tuple[list[int], dict[str, int]]:
    count = len(hook.parameters)
    everything = [*range(count)]
    if any(p.kind is _P.KEYWORD_ONLY and p.default is _P.empty for p in parameters):
        raise _mismatch(hook, function, "its keyword-only parameters have none of the hook's names")
    kinds = {p.kind for p in parameters}
    positional = [p for p in parameters if p.kind in (_P.POSITIONAL_ONLY, _P.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is _P.empty]
    if count in (len(required), len(positional)) or (_P.VAR_POSITIONAL in kinds and len(required) <= count):
        for parameter, given in zip(positional, hook.parameters, strict=False):
            if _contradicts(parameter.annotation, given.type):
                raise _mismatch(hook, function, f"{parameter.name!r} would get the hook's {given.name}: {given.type}")
        return everything, {}
    if not positional and _P.VAR_KEYWORD in kinds:
        return [], free
    takes = f"{len(required)} parameter{'' if len(required) == 1 else 's'} and none by the hook's names"
    raise _mismatch(hook, function, f"it takes {takes}, and the hook has {count}")


def _contradicts(annotation: Any, type_: str) -> bool:
    """Whether an annotation names a model, and another one than the hook passes: parameters in the wrong order."""
    written = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    named = {*re.findall(r"\w+", written)} & {*models.__all__}
    return bool(named) and not named & {*re.findall(r"\w+", type_)}


def _mismatch(hook: Hook, function: Callable[..., Any], reason: str) -> HandlerMismatch:
    return HandlerMismatch(
        f"{hook.name}: {describe(function)} cannot be its handler: {reason}.\n"
        f"  the function: {signature_of(function)}\n"
        f"  the hook:     {hook.method}{hook.signature}\n"
        f"Take any of the hook's parameters by their names, or all of them in this order."
    )


def _caller(
    function: Callable[..., Any], positions: list[int], keywords: dict[str, int]
) -> Callable[[Sequence[Any]], Any]:
    if not keywords:
        return lambda arguments: function(*[arguments[index] for index in positions])
    return lambda arguments: function(
        *[arguments[index] for index in positions], **{name: arguments[index] for name, index in keywords.items()}
    )


def whole(function: Callable[..., Any]) -> Any:
    """The function of which a partial is a part."""
    plain: Any = function
    while isinstance(plain, functools.partial):
        plain = plain.func
    return plain


def fixed(function: Callable[..., Any]) -> set[str]:
    """The parameters that a partial has fixed by their names: they are no longer the hook's."""
    names: set[str] = set()
    while isinstance(function, functools.partial):
        names |= {*function.keywords}
        function = function.func
    return names


def is_async(function: Callable[..., Any]) -> bool:
    """Whether what a function returns is to be awaited, on the event loop."""
    plain = whole(function)
    if inspect.iscoroutinefunction(plain):
        return True
    return not inspect.isroutine(plain) and inspect.iscoroutinefunction(_call_of(plain))


def _call_of(instance: Any) -> Any:
    # The class's, as a call finds it: one set on the instance would not count.
    return getattr(type(instance), "__call__", None)  # noqa: B004 - it is the method that is wanted
