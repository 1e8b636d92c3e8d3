"""Fits a function to a hook, once, when it is registered.

If any of the function's parameters has the name of one of the hook's, all go by name, in any order and any subset;
otherwise they go by position, when the count is the same.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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
    if not callable(function):
        raise HandlerMismatch(f"{hook.name}: a handler must be callable, and {function!r} is not")
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except ValueError as error:
        raise HandlerMismatch(f"{hook.name}: the parameters of {describe(function)} cannot be read: {error}") from error
    names = [parameter.name for parameter in hook.parameters]
    if any(p.name in names and p.kind not in (_P.VAR_POSITIONAL, _P.VAR_KEYWORD) for p in parameters):
        positions, keywords = _by_name(hook, function, parameters, names)
    else:
        positions, keywords = _by_position(hook, function, parameters, names)
    return Handler(
        hook,
        function,
        _caller(function, positions, keywords),
        frozenset([*positions, *keywords.values()]),
        _is_async(function),
        timeout,
        on_error,
    )


def describe(function: Callable[..., Any]) -> str:
    """A function's name, file and line: `keep_calm (plugin.py:12)`."""
    plain = _unwrapped(function)
    code = getattr(plain, "__code__", None)
    name = getattr(plain, "__qualname__", type(function).__qualname__)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else str(name)


def signature_of(function: Callable[..., Any]) -> str:
    """A function's signature as it is written, with its name."""
    name = getattr(_unwrapped(function), "__name__", type(function).__name__)
    return f"{name}{inspect.signature(function)}"


def _by_name(
    hook: Hook, function: Callable[..., Any], parameters: list[_P], names: list[str]
) -> tuple[list[int], dict[str, int]]:
    positions: list[int] = []
    keywords: dict[str, int] = {}
    for parameter in parameters:
        if parameter.kind is _P.VAR_POSITIONAL:
            continue
        if parameter.kind is _P.VAR_KEYWORD:
            keywords |= {name: index for index, name in enumerate(names) if names[index] not in _taken(parameters)}
        elif parameter.name in names and parameter.kind is _P.POSITIONAL_ONLY:
            positions.append(names.index(parameter.name))
        elif parameter.name in names:
            keywords[parameter.name] = names.index(parameter.name)
        elif parameter.default is _P.empty:
            raise _mismatch(hook, function, f"{parameter.name!r} is none of the hook's parameters")
        elif parameter.kind is _P.POSITIONAL_ONLY and any(
            later.kind is _P.POSITIONAL_ONLY and later.name in names
            for later in parameters[parameters.index(parameter) :]
        ):
            raise _mismatch(hook, function, f"{parameter.name!r} stands before a parameter that goes by position only")
    return positions, keywords


def _taken(parameters: list[_P]) -> set[str]:
    return {parameter.name for parameter in parameters}


def _by_position(
    hook: Hook, function: Callable[..., Any], parameters: list[_P], names: list[str]
) -> tuple[list[int], dict[str, int]]:
    everything = [*range(len(names))]
    if any(p.kind is _P.KEYWORD_ONLY and p.default is _P.empty for p in parameters):
        raise _mismatch(hook, function, "its keyword-only parameters have none of the hook's names")
    kinds = {p.kind for p in parameters}
    positional = [p for p in parameters if p.kind in (_P.POSITIONAL_ONLY, _P.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is _P.empty]
    if len(required) == len(names) or (_P.VAR_POSITIONAL in kinds and len(required) <= len(names)):
        return everything, {}
    if not positional and _P.VAR_KEYWORD in kinds:
        return [], {name: index for index, name in enumerate(names)}
    if not required and len(positional) == len(names):
        return everything, {}
    takes = f"{len(required)} parameter{'' if len(required) == 1 else 's'} and none by the hook's names"
    raise _mismatch(hook, function, f"it takes {takes}, and the hook has {len(names)}")


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


def _unwrapped(function: Callable[..., Any]) -> Any:
    plain: Any = function
    while isinstance(plain, functools.partial):
        plain = plain.func
    return inspect.unwrap(plain)


def _is_async(function: Callable[..., Any]) -> bool:
    plain: Any = function
    while isinstance(plain, functools.partial):
        plain = plain.func
    if inspect.iscoroutinefunction(plain):
        return True
    # The class's __call__, as a call finds it: one set on the instance would not count.
    return not inspect.isroutine(plain) and inspect.iscoroutinefunction(getattr(type(plain), "__call__", None))  # noqa: B004
