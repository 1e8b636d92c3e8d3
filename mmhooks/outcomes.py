"""What a handler decided: unchanged, replaced, rejected, a value, or an error.

`Reject`, `Dismiss` and `Stop` are what authors return or raise. The other classes are what the core hands to a host, which
turns them into its wire's words.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mmhooks.errors import AppError, CallError, HandlerError, HandlerTimeout, ThreadsExhausted
from mmhooks.hooks import Hook, HookName, Kind

DISMISSED = "plugin.message_will_be_posted.dismiss_post"
"""The reason by which Mattermost's web app knows that a post is to vanish without a word (Mattermost's `hooks.go`)."""


class Reject(Exception):
    """The answer "no" of a filter or a gate: return it or raise it.

    Arguments:
        reason: what the person who caused the call reads; which hooks show it is in the hooks reference. It cannot be
            empty: servers read an empty reason as consent. Raises `ValueError` then.
    """

    def __init__(self, reason: str) -> None:
        if not isinstance(reason, str):
            raise TypeError(f'Reject takes the reason as a str, not {type(reason).__name__}: Reject("why")')
        if not reason:
            raise ValueError('Reject("") would be read as consent; give a reason, or Dismiss() to drop a post silently')
        super().__init__(reason)

    @property
    def reason(self) -> str:
        """What the person reads."""
        return str(self.args[0])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason!r})"


class Dismiss(Reject):
    """The silent "no" of MessageWillBePosted: the post is not stored, and its author is told nothing."""

    def __init__(self) -> None:
        super().__init__(DISMISSED)

    def __repr__(self) -> str:
        return "Dismiss()"

    def __reduce__(self) -> tuple[type[Dismiss], tuple[()]]:
        return Dismiss, ()  # copies and other processes make it without a reason


class Stop(Exception):
    """The answer of a function for messages after which no further one gets the message: return it or raise it."""

    def __repr__(self) -> str:
        return "Stop()"


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The handler had nothing to say: things go on as they were.

    `edited` names what the handler changed in its arguments without returning it, where somebody looked for that.
    """

    edited: tuple[str, ...] = ()

    def advice(self, hook: Hook) -> str:
        """What to tell the author of such a handler."""
        argument = self.edited[0].split(".")[0]
        return (
            f"{hook.name}: the handler changed {', '.join(self.edited)} and returned None, which leaves everything as it "
            f"was: write `return {argument}` at its end"
        )


@dataclass(frozen=True, slots=True)
class Replaced:
    """A filter's other value, a model."""

    value: Any


@dataclass(frozen=True, slots=True)
class Rejected:
    """A filter's or gate's "no". `cause` is the failure that `on_error` turned into it, if it was one."""

    reason: str
    cause: CallError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Value:
    """What a hook was asked for. `cause` is the failure in whose place it stands, if it is one's."""

    value: Any
    cause: CallError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer. The error's class says why."""

    error: CallError


Outcome: TypeAlias = Unchanged | Replaced | Rejected | Value | Failed


def judge(hook: Hook, returned: Any) -> Outcome:
    """Make an outcome of what a handler returned, or of the `Reject` that it raised.

    Raises `TypeError`, with the line to write instead, for what the hook's kind does not allow.
    """
    if returned is None and (hook.kind not in (Kind.VALUE, Kind.FALLIBLE_VALUE) or hook.result.endswith("| None")):
        return Unchanged()
    if isinstance(returned, Reject):
        return _rejected(hook, returned)
    if hook.result and fits(hook.result, returned):
        if hook.name is HookName.EmailNotificationWillBeSent:
            returned = _content(returned)
        return (Replaced if hook.kind is Kind.FILTER else Value)(returned)
    raise TypeError(f"{hook.name}: a handler cannot return {_describe(returned)}; {_advice(hook, returned)}")


def _rejected(hook: Hook, reject: Reject) -> Rejected:
    if not hook.kind.may_reject:
        instead = "leave it out: what has happened cannot be undone"
        if hook.kind.tells_errors:
            instead = f"write: raise AppError({reject.reason!r})"
        raise TypeError(
            f"{hook.name}: Reject is for filters and gates, and this is a {hook.kind.value} hook; {instead}"
        )
    if isinstance(reject, Dismiss) and hook.name is not HookName.MessageWillBePosted:
        raise TypeError(f'{hook.name}: Dismiss() is only for MessageWillBePosted; write: return Reject("why")')
    return Rejected(sendable(reject.reason))


def handler_error(hook: Hook, handler: str, error: BaseException) -> HandlerError:
    """Wrap what came out of a handler, its type and text in the message."""
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be read)"
    text = sendable(f"{type(error).__name__}: {text}" if text else type(error).__name__)
    wrapped = HandlerError(text, hook=hook.name, handler=handler)
    wrapped.__cause__ = error
    return wrapped


def sendable(text: str) -> str:
    """A text without what UTF-8 does not have: names of files, say, may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()


_BUILTIN: dict[str, type] = {"bool": bool, "int": int, "str": str}

_STATUS = {HandlerTimeout: 504, ThreadsExhausted: 503}


def app_error(error: CallError) -> AppError:
    """A failed call in Mattermost's words, for the hooks whose answers have a place for errors.

    What a handler raised as an `AppError` stays as it is, but for what it left open. `detailed_error` always holds what
    people have to read, since not every host keeps `message`.
    """
    cause = error.__cause__
    told = cause if isinstance(cause, AppError) else AppError(str(error), status_code=_STATUS.get(type(error), 500))
    detail = told.detailed_error or told.message
    if told.message not in detail:
        detail = f"{told.message}: {detail}"
    return AppError(
        told.message,
        id=told.id or "mmhooks.handler.app_error",
        detailed_error=detail,
        status_code=told.status_code,
        where=told.where or f"{error.hook}: {error.handler}",
        request_id=told.request_id,
        params=told.params,
    )


def _content(notification: Any) -> Any:
    """The texts of a mail: all that an answer can change, whichever of the two models the handler returned."""
    from mmhooks.models import EmailNotificationContent

    return EmailNotificationContent(
        **{name: getattr(notification, name) for name in EmailNotificationContent.__struct_fields__ if name[0] != "_"}
    )


def fits(type_: str, value: Any) -> bool:
    """Whether a value is of a type as the table of hooks writes it: `list[Post] | None`."""
    return any(check(value) for check in _checks(type_))


@functools.cache
def _checks(type_: str) -> list[Callable[[Any], bool]]:
    return [_check(option) for option in type_.split(" | ")]


def _check(name: str) -> Callable[[Any], bool]:
    if name.startswith("list["):
        item = _check(name[5:-1])
        return lambda value: isinstance(value, list) and all(map(item, value))
    if name == "None":
        return lambda value: value is None
    if name in _BUILTIN:
        return lambda value: type(value) is _BUILTIN[name]
    from mmhooks import models

    model = getattr(models, name)
    return lambda value: isinstance(value, model)


def _describe(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, list):
        inner = sorted({type(item).__name__ for item in value})
        return f"a list of {' and '.join(inner)}" if inner else "an empty list"
    return _with_article(type(value).__name__)


def _with_article(name: str) -> str:
    return f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}"


_EXAMPLES = {
    "CommandResponse": 'CommandResponse(response_type="ephemeral", text=…)',
    "Config": "config",
    "SyncResponse": "SyncResponse(…)",
    "bool": "True",
    "int": "0",
    "list[FileData]": "[FileData(…)]",
    "list[Post]": "posts",
}
"""What to return from hooks that are asked for a value, by its type."""


def _advice(hook: Hook, returned: Any) -> str:
    """The line to write instead."""
    answer, *others = hook.result.split(" | ")
    if hook.kind.may_reject:
        if isinstance(returned, str) and returned:
            return f"write: return Reject({returned!r})"
        if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], str) and returned[1]:
            return f"write: return Reject({returned[1]!r})"
        if hook.kind is Kind.GATE:
            return 'write: return None (to allow), or return Reject("why")'
        given = next(parameter.name for parameter in hook.parameters if parameter.name != "context")
        replaced = f"return {given} ({_with_article(answer)}, to replace it)"
        return f'write: {replaced}, return None (unchanged), or return Reject("why")'
    if hook.kind in (Kind.NOTIFY, Kind.STREAM):
        return "nothing is expected back: leave the return out"
    if hook.kind is Kind.FALLIBLE:
        return 'leave the return out, or to tell the server of a failure write: raise AppError("why")'
    example = _EXAMPLES[answer]
    lines = [f"return {example}" if answer in example else f"return {example} ({_with_article(answer)})"]
    lines += ["return None"] * ("None" in others)
    lines += ['raise AppError("why")'] * hook.kind.tells_errors
    return "write: " + ", or ".join(lines)
