"""One slash command: its words, its function, and what its answer is made of."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmhooks.binding import Handler, describe, is_async
from mmhooks.commands.parameters import BadUsage, Parameters
from mmhooks.errors import AppError, RegistrationError
from mmhooks.hooks import HOOKS, HookName

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI, PluginAPI
    from mmhooks.models import CommandResponse

logger = logging.getLogger("mmhooks")

HOOK = HOOKS[HookName.ExecuteCommand]


class Command:
    """A function that is called by a slash command.

    Arguments:
        name: the words of the command, with or without the slash: `"weather today"`.
        more: names for the function's annotations, besides those of its module.

    Raises `RegistrationError` for a name that nobody could type, and `HandlerMismatch` for a function that does not fit.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        hint: str = "",
        description: str = "",
        timeout: float | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path_of(name)
        self.name = "/" + " ".join(self.path)
        self.function = function
        self.parameters = Parameters(f"@app.command({name!r})", function, more or {})
        self.hint = hint or self.parameters.usage()
        self.description = description or first_line(function)
        self.timeout = timeout

    @property
    def location(self) -> str:
        """The function's name with its file and line, for messages."""
        return describe(self.function)

    def usage(self) -> str:
        """How it is written, for the person who typed something else."""
        return f"{self.name} {self.hint}".rstrip()

    def handler(self, api: Callable[[], PluginAPI], async_api: Callable[[], AsyncPluginAPI]) -> Handler:
        """A handler of ExecuteCommand that calls the function. `api` and `async_api` give the plugin API for it."""

        def call(arguments: Sequence[Any]) -> Any:
            fitting = self._fit(arguments)
            try:
                request = next(fitting)
                while True:
                    try:
                        answer = api().call(request[0], *request[1])
                    except AppError as error:
                        request = fitting.throw(error)
                    else:
                        request = fitting.send(answer)
            except StopIteration as fitted:
                positions, keywords = fitted.value
            except (BadUsage, AppError) as error:
                return self._refusal(error)
            try:
                returned = self.function(*positions, **keywords)
            except AppError as error:
                return self._refusal(error)
            return self._awaited(returned) if inspect.isawaitable(returned) else self._response(returned)

        async def call_async(arguments: Sequence[Any]) -> Any:
            fitting = self._fit(arguments)
            try:
                request = next(fitting)
                while True:
                    try:
                        answer = await async_api().call(request[0], *request[1])
                    except AppError as error:
                        request = fitting.throw(error)
                    else:
                        request = fitting.send(answer)
            except StopIteration as fitted:
                positions, keywords = fitted.value
            except (BadUsage, AppError) as error:
                return self._refusal(error)
            return await self._awaited(self.function(*positions, **keywords))

        return Handler(
            HOOK,
            self.function,
            call_async if is_async(self.function) else call,
            frozenset(range(len(HOOK.parameters))),
            is_async(self.function),
            self.timeout,
            instead=lambda: ephemeral(f"Sorry, something went wrong with `{self.name}`."),
        )

    def _fit(self, arguments: Sequence[Any]) -> Any:
        words = arguments[1].command.split(maxsplit=len(self.path))
        return self.parameters.fit(words[len(self.path)] if len(words) > len(self.path) else "", arguments)

    async def _awaited(self, returned: Awaitable[Any]) -> Any:
        try:
            return self._response(await returned)
        except AppError as error:
            return self._refusal(error)

    def _refusal(self, error: BadUsage | AppError) -> CommandResponse:
        if isinstance(error, BadUsage):
            return ephemeral(f"{error}\nUsage: `{self.usage()}`")
        logger.info("%s: %s answers: %s", self.name, self.location, error)
        return ephemeral(error.message or str(error))

    def _response(self, returned: Any) -> CommandResponse | None:
        if isinstance(returned, str):
            return ephemeral(returned)
        from mmhooks.models import CommandResponse

        if returned is None or isinstance(returned, CommandResponse):
            return returned
        raise TypeError(
            f"{self.name}: a command cannot return {returned!r}; return a text, which only the user sees, a "
            "CommandResponse, or None"
        )


def ephemeral(text: str) -> CommandResponse:
    """An answer that only the user sees."""
    from mmhooks.models import CommandResponse

    return CommandResponse(response_type="ephemeral", text=text)


def path_of(name: Any) -> tuple[str, ...]:
    """The words of a command's name. Raises `RegistrationError` for one that nobody could type."""
    words = name.removeprefix("/").split() if isinstance(name, str) else []
    if not words:
        raise RegistrationError(
            f'@app.command takes the words of a command, not {name!r}: @app.command("weather today")'
        )
    if any(word != word.lower() or word.startswith(("/", "-")) or '"' in word or "'" in word for word in words):
        raise RegistrationError(
            f"@app.command({name!r}): a command's words are in lower case, without quotes, and begin with neither a slash "
            "nor a dash"
        )
    return tuple(words)


def first_line(function: Callable[..., Any]) -> str:
    """The first line of what a function says of itself."""
    return (inspect.getdoc(function) or "").strip().partition("\n")[0]
