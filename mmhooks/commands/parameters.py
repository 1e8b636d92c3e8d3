"""Fits a function to a slash command, once, when it is registered; and a line that somebody typed to the function.

Positional parameters take the words in their order, `*rest` those that are left, keyword-only parameters are options:
`--days 3`, `--days=3`, `--verbose`. What a function wants to know besides goes by annotation or by name: `args`, the whole
`CommandArgs`, and `context`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmhooks.binding import describe, fixed, signature_of
from mmhooks.commands.suggesting import nearest
from mmhooks.commands.values import Kind, Unsupported, annotation_of, described, kind_of, names_of, optional, shown
from mmhooks.commands.words import Word, split
from mmhooks.errors import HandlerMismatch, NotFound

_P = inspect.Parameter

GIVEN = {"context": "Context", "args": "CommandArgs"}
"""What a function gets that is not of the line, in the order of the hook: by name, or by the model."""


class BadUsage(Exception):
    """A line that does not fit. The text says what is wrong with it, for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What a parameter takes of a line."""

    name: str
    """As people read it: `dry-run` for `dry_run`."""
    parameter: str
    kind: Kind
    required: bool
    default: Any
    help: str
    many: bool = False

    def usage(self) -> str:
        """How it is written: `<city>`, `[city]`, `[words…]`."""
        if self.kind.choices:
            inner = self.kind.short
        else:
            mark = self.kind.short[:1] if self.kind.lookup else ""
            inner = f"{mark}{self.name}{'…' if self.many else ''}"
        return f"<{inner}>" if self.required else f"[{inner}]"

    def option(self) -> str:
        """How it is written as an option: `[--days <number>]`."""
        if self.is_switch:
            inner = f"--no-{self.name}" if self.default is True else f"--{self.name}"
        else:
            inner = f"--{self.name} <{self.kind.short or 'text'}>"
        return inner if self.required else f"[{inner}]"

    @property
    def is_switch(self) -> bool:
        """Whether, as an option, it goes without a value."""
        return self.kind.what == "yes or no"


Lookups = Generator[tuple[str, tuple[Any, ...]], Any, tuple[list[Any], dict[str, Any]]]
"""Asks for calls of the plugin API, a method and its arguments each, and gives what to call a function with."""


class Parameters:
    """The parameters of a command's function.

    Raises `HandlerMismatch` for a function that no line could be fitted to.
    """

    def __init__(self, command: str, function: Callable[..., Any], more: Mapping[str, Any]) -> None:
        if not callable(function) or isinstance(function, type):
            raise HandlerMismatch(
                f"{command}: a command is a function or what can be called like one, not {function!r}"
            )
        self._command = command
        self._function = function
        self.positional: list[Argument] = []
        self.options: dict[str, Argument] = {}
        self._order: list[int | Argument] = []
        self._keywords: dict[str, int | Argument] = {}
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError as error:
            raise HandlerMismatch(
                f"{command}: the parameters of {describe(function)} cannot be read: {error}"
            ) from error
        taken = fixed(function)
        for parameter in parameters:
            if parameter.name not in taken:
                self._take(parameter, more)
        self._check_order()

    def usage(self) -> str:
        """What follows the command's name: `<city> [--days <number>]`."""
        texts = [argument.usage() for argument in self.positional]
        return " ".join(texts + [option.option() for option in self.options.values()])

    def fit(self, line: str, given: Sequence[Any]) -> Lookups:
        """What to call the function with, for what followed the command's name.

        Arguments:
            given: the hook's own arguments.

        Raises `BadUsage`.
        """
        words, options = self._sorted_out(split(line))
        values: dict[str, Any] = {}
        rest: list[Any] = []
        for argument in self.positional:
            if argument.many:
                if not words and argument.required:
                    raise BadUsage(f"{code(argument.name)} is missing.")
                for word in words:
                    rest.append((yield from self._value(argument, word.text, given)))
                words = []
            elif words:
                values[argument.parameter] = yield from self._value(argument, words.pop(0).text, given)
            elif argument.required:
                raise BadUsage(f"{code(argument.name)} is missing.")
        if words:
            raise BadUsage(self._too_many(words))
        for argument in self.options.values():
            found = options.get(argument.parameter, argument.default)
            if isinstance(found, Word):
                found = yield from self._value(argument, found.text, given, f"--{argument.name}")
            elif argument.required and argument.parameter not in options:
                raise BadUsage(f"{code(f'--{argument.name}')} is missing.")
            values[argument.parameter] = found

        def value(of: int | Argument) -> Any:
            return given[of] if isinstance(of, int) else values.get(of.parameter, of.default)

        positions = [value(of) for of in self._order if isinstance(of, int) or not of.many]
        return positions + rest, {name: value(of) for name, of in self._keywords.items()}

    def _take(self, parameter: _P, more: Mapping[str, Any]) -> None:
        taken = self._taken(parameter, more)
        if isinstance(taken, Argument):
            if parameter.kind is _P.KEYWORD_ONLY:
                self.options[taken.name] = taken
            else:
                self.positional.append(taken)
        if parameter.kind is _P.KEYWORD_ONLY:
            self._keywords[parameter.name] = taken
        else:
            self._order.append(taken)

    def _taken(self, parameter: _P, more: Mapping[str, Any]) -> int | Argument:
        by_name = [*GIVEN].index(parameter.name) if parameter.name in GIVEN else None
        try:
            annotation = annotation_of(parameter, names_of(self._function), more)
        except Exception as error:
            if by_name is not None:  # its model may be imported for type checkers only
                return by_name
            raise self._mismatch(
                f"the annotation of {parameter.name!r} cannot be read: {type(error).__name__}: {error}. Import what it names "
                "outside of `if TYPE_CHECKING:`"
            ) from error
        if annotation is _P.empty and by_name is not None:
            return by_name
        plain, _ = optional(annotation)
        for index, model in enumerate(GIVEN.values()):
            if getattr(plain, "__name__", "") == model and plain.__module__.startswith("mmhooks.models"):
                return index
        if parameter.kind is _P.VAR_KEYWORD:
            raise self._mismatch(f"**{parameter.name} cannot be filled: name the options, as keyword-only parameters")
        return self._argument(parameter, annotation)

    def _argument(self, parameter: _P, annotation: Any) -> Argument:
        annotation, text = described(annotation)
        annotation, may_be_none = optional(annotation)
        if not text:
            annotation, text = described(annotation)
        try:
            kind = kind_of(annotation)
        except Unsupported:
            raise self._mismatch(
                f"{parameter.name!r} cannot be made of what people type, as its annotation is {shown(annotation)}: use str, int, float, "
                "bool, a Literal, an Enum, User, Channel, or one of them `| None`"
            ) from None
        many = parameter.kind is _P.VAR_POSITIONAL
        required = parameter.default is _P.empty and not may_be_none and not many
        default = None if parameter.default is _P.empty else parameter.default
        if parameter.kind is _P.KEYWORD_ONLY and required and kind.what == "yes or no":
            required, default = False, False  # a switch that is not there is off
        return Argument(parameter.name.replace("_", "-"), parameter.name, kind, required, default, text, many)

    def _check_order(self) -> None:
        seen = ""
        for argument in self.positional:
            if argument.required and seen:
                raise self._mismatch(
                    f"{argument.name!r} has to be given, and stands after {seen!r}, which may be left out"
                )
            if not argument.required and not argument.many:
                seen = argument.name

    def _mismatch(self, reason: str) -> HandlerMismatch:
        return HandlerMismatch(
            f"{self._command}: {describe(self._function)} cannot be its function: {reason}.\n"
            f"  the function: {signature_of(self._function)}"
        )

    def _sorted_out(self, words: list[Word]) -> tuple[list[Word], dict[str, Any]]:
        """The words that are positional, and the options by their parameters: words, or for switches their values."""
        if not self.options:
            return words, {}
        positional: list[Word] = []
        options: dict[str, Any] = {}
        waiting = iter(words)
        for word in waiting:
            found = None if word.quoted else _OPTION.match(word.text)
            if word == _END:
                positional += waiting
            elif found is None:
                positional.append(word)
            else:
                argument, is_on = self._option(found[1])
                if argument.is_switch:
                    if found[2] is not None:
                        raise BadUsage(f"{code(f'--{argument.name}')} takes no value.")
                    options[argument.parameter] = is_on
                elif found[2] is not None:
                    options[argument.parameter] = Word(found[2], True)
                elif (following := next(waiting, None)) is None:
                    raise BadUsage(f"{code(f'--{argument.name}')} needs a value: {argument.kind.what}.")
                else:
                    options[argument.parameter] = following
        return positional, options

    def _option(self, typed: str) -> tuple[Argument, bool]:
        name = typed.lower().replace("_", "-")
        if name in self.options:
            return self.options[name], True
        switch = self.options.get(name.removeprefix("no-"))
        if switch is not None and switch.is_switch and name.startswith("no-"):
            return switch, False
        raise BadUsage(f"There is no option {code(f'--{typed}')}{nearest(name, self.options, '--{}')}")

    def _too_many(self, words: list[Word]) -> str:
        text = f"{code(' '.join(word.text for word in words))} is too much."
        if any(argument.kind.what == "a text" for argument in self.positional):
            text += " Put quotes around a text of several words."
        return text

    def _value(
        self, argument: Argument, text: str, given: Sequence[Any], name: str = ""
    ) -> Generator[tuple[str, tuple[Any, ...]], Any, Any]:
        try:
            value = argument.kind.read(text)
        except ValueError:
            hint = nearest(text, argument.kind.choices, "{}")
            raise BadUsage(
                f"{code(name or argument.name)} takes {argument.kind.what}, not {code(text) or 'nothing'}{hint}"
            ) from None
        if argument.kind.lookup == "user":
            return (yield from _user(value, given[1]))
        if argument.kind.lookup == "channel":
            return (yield from _channel(value, given[1]))
        return value


_OPTION = re.compile(r"(?:--|[–—])([^\W\d][\w-]*)(?:=(.*))?$", re.DOTALL)  # noqa: RUF001 - phones make a dash of two
_END = Word("--", False)


def _user(name: str, args: Any) -> Generator[tuple[str, tuple[Any, ...]], Any, Any]:
    known = args.user_mentions.get(name)
    try:
        return (yield ("GetUser", (known,))) if known else (yield ("GetUserByUsername", (name,)))
    except NotFound:
        raise BadUsage(f"There is no user {code(f'@{name}')}.") from None


def _channel(name: str, args: Any) -> Generator[tuple[str, tuple[Any, ...]], Any, Any]:
    known = args.channel_mentions.get(name)
    try:
        channel = (
            (yield ("GetChannel", (known,))) if known else (yield ("GetChannelByName", (args.team_id, name, False)))
        )
        if channel.type != "O":
            # The plugin API tells of every channel: whoever is not in a private one must not learn that it is there.
            yield ("GetChannelMember", (channel.id, args.user_id))
    except NotFound:
        raise BadUsage(f"There is no channel {code(f'~{name}')}.") from None
    return channel


def code(text: str) -> str:
    """A text of somebody's as it is shown: short, and in a form that keeps it from formatting the message."""
    text = " ".join(text.replace("`", "'").split())
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return f"`{text}`" if text else ""


_LONGEST = 60
"""Characters of what is shown of it."""
