"""One function for messages: which messages it gets, and what it takes of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from mmhooks.binding import Handler, describe, fixed, is_async, signature_of
from mmhooks.commands.values import Kind, Unsupported, annotation_of, kind_of, names_of, optional, shown
from mmhooks.errors import HandlerMismatch, RegistrationError
from mmhooks.hooks import HOOKS, HookName
from mmhooks.outcomes import Stop

HOOK = HOOKS[HookName.MessageHasBeenPosted]

_P = inspect.Parameter

GIVEN = {"context": "Context", "post": "Post", "match": "Match"}
"""What a function may take besides the groups of its pattern: by name, or by the class."""


class Progress:
    """How far the functions for a message have come."""

    __slots__ = ("stopped",)

    def __init__(self) -> None:
        self.stopped = False


class Rule:
    """A function that is called for some messages.

    Arguments:
        wanted: a text or a pattern that has to be in the message; None for every message.
        direct: only for messages to the app's bot, in a direct channel.
        mention: only for messages that mention the bot; `wanted` then has to be in the rest of them.
        bots: also for messages of bots and webhooks.
        more: names for the function's annotations, besides those of its module.

    Raises `HandlerMismatch` for a function that cannot be called with what there is.
    """

    def __init__(
        self,
        wanted: str | re.Pattern[str] | None,
        function: Callable[..., Any],
        *,
        direct: bool = False,
        mention: bool = False,
        bots: bool = False,
        timeout: float | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.decorator = "@app.mention" if mention else "@app.message"
        if not callable(function) or isinstance(function, type):
            raise HandlerMismatch(
                f"{self.decorator}: it takes a function or what can be called like one, not {function!r}"
            )
        self.wanted = wanted
        self.function = function
        self.direct = direct
        self.mention = mention
        self.bots = bots
        self._takes: dict[str, str | tuple[Kind | None, Any]] = {}
        """By parameter: what is given to it, or how the group of its name is read, with the default."""
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError as error:
            raise HandlerMismatch(
                f"{self.decorator}: the parameters of {describe(function)} cannot be read: {error}"
            ) from error
        taken = fixed(function)
        groups = {*wanted.groupindex} if isinstance(wanted, re.Pattern) else set()
        for parameter in parameters:
            if parameter.name not in taken:
                self._take(parameter, groups, more or {})
        self.handler = Handler(
            HOOK,
            function,
            self._call_async if is_async(function) else self._call,
            frozenset(range(len(HOOK.parameters))),
            is_async(function),
            timeout,
        )

    @property
    def location(self) -> str:
        """The function's name with its file and line, for messages."""
        return describe(self.function)

    def values(self, context: Any, post: Any, match: re.Match[str] | None) -> dict[str, Any] | None:
        """What the function is called with; None when a group's text is none of what its parameter takes."""
        given = {"context": context, "post": post, "match": match}
        values = {}
        for name, source in self._takes.items():
            if isinstance(source, str):
                values[name] = given[source]
                continue
            assert match is not None
            kind, default = source
            text = match[name]
            try:
                values[name] = default if text is None else kind.read(text) if kind else text
            except ValueError:
                return None
        return values

    def _take(self, parameter: _P, groups: set[str], more: Mapping[str, Any]) -> None:
        source = self._source(parameter, groups, more)
        if source is not None:
            self._takes[parameter.name] = source
        elif parameter.default is _P.empty:
            names = [*GIVEN][: 3 if isinstance(self.wanted, re.Pattern) else 2] + sorted(groups)
            raise self._mismatch(f"{parameter.name!r} is none of what there is: {', '.join(names)}")

    def _source(self, parameter: _P, groups: set[str], more: Mapping[str, Any]) -> Any:
        if parameter.kind in (_P.VAR_KEYWORD, _P.VAR_POSITIONAL, _P.POSITIONAL_ONLY):
            raise self._mismatch(f"{parameter.name!r} cannot be given by its name")
        name, is_group = parameter.name, parameter.name in groups
        if name in GIVEN and not is_group and (name != "match" or isinstance(self.wanted, re.Pattern)):
            return name
        try:
            annotation, _ = optional(annotation_of(parameter, names_of(self.function), more))
        except Exception as error:
            raise self._mismatch(
                f"the annotation of {name!r} cannot be read: {type(error).__name__}: {error}. Import what it names outside "
                "of `if TYPE_CHECKING:`"
            ) from error
        for given, model in GIVEN.items():
            if getattr(annotation, "__name__", "") == model and annotation.__module__ != "builtins":
                return given
        if not is_group:
            return None
        default = None if parameter.default is _P.empty else parameter.default
        if annotation is _P.empty:
            return None, default
        try:
            kind = kind_of(annotation)
        except Unsupported:
            kind = None
        if kind is None or kind.lookup:
            raise self._mismatch(
                f"{name!r} cannot be made of the group's text, as its annotation is {shown(annotation)}: use str, int, float, bool, a "
                "Literal, an Enum, or one of them `| None`"
            )
        return kind, default

    def _mismatch(self, reason: str) -> HandlerMismatch:
        return HandlerMismatch(
            f"{self.decorator}: {describe(self.function)} cannot be called: {reason}.\n"
            f"  the function: {signature_of(self.function)}"
        )

    def _call(self, arguments: Sequence[Any]) -> Any:
        _, _, values, progress = arguments
        try:
            returned = self.function(**values)
        except Stop:
            returned = Stop
        if inspect.isawaitable(returned):
            return self._awaited(returned, progress)
        return self._judged(returned, progress)

    async def _call_async(self, arguments: Sequence[Any]) -> Any:
        _, _, values, progress = arguments
        return await self._awaited(self.function(**values), progress)

    async def _awaited(self, returned: Awaitable[Any], progress: Progress) -> Any:
        try:
            return self._judged(await returned, progress)
        except Stop:
            return self._judged(Stop, progress)

    def _judged(self, returned: Any, progress: Progress) -> None:
        if returned is Stop or isinstance(returned, Stop):
            progress.stopped = True
        elif returned is not None:
            raise TypeError(
                f"a function for messages cannot return {returned!r}; return nothing, or Stop() to keep the message from "
                "the functions after it"
            )


def check_wanted(wanted: Any, decorator: str) -> None:
    """Raise `RegistrationError` for what can be in no message, or would be in every one."""
    if wanted is None:
        return
    if isinstance(wanted, re.Pattern) and isinstance(wanted.pattern, str):
        return
    if not isinstance(wanted, str) or not wanted.strip():
        raise RegistrationError(
            f'{decorator} takes a text or a pattern of text, not {wanted!r}: {decorator}("words"), or '
            f'{decorator}(re.compile(r"…")); leave it out for every message'
        )
