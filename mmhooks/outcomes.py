"""What a handler decided: unchanged, replaced, rejected, a value, or an error.

`Reject` and `Dismiss` are what authors return or raise. The other classes are what the core hands to a host, which
turns them into its wire's words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mmhooks.errors import AppError, CallError, DeadlineExceeded, HandlerError, ThreadsExhausted
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
    """What a hook was asked for."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer. The error's class says why."""

    error: CallError


Outcome: TypeAlias = Unchanged | Replaced | Rejected | Value | Failed


def judge(hook: Hook, returned: Any) -> Outcome:
    """Make an outcome of what a handler returned. Raises `TypeError` for what the hook's kind does not allow."""
    if returned is None and (hook.kind in (Kind.NOTIFY, Kind.FALLIBLE, Kind.FILTER, Kind.GATE) or _optional(hook)):
        return Unchanged()
    if isinstance(returned, Reject) and hook.kind.may_reject:
        return rejected(hook, returned)
    if hook.result and _fits(hook.result, returned):
        if hook.name is HookName.EmailNotificationWillBeSent:
            returned = _content(returned)
        return (Replaced if hook.kind is Kind.FILTER else Value)(returned)
    raise TypeError(f"{hook.name}: a handler cannot return {_describe(returned)}; {_advice(hook, returned)}")


def rejected(hook: Hook, reject: Reject) -> Rejected:
    """The outcome of a `Reject` that a handler of this hook returned or raised."""
    if isinstance(reject, Dismiss) and hook.name is not HookName.MessageWillBePosted:
        raise TypeError(f'{hook.name}: Dismiss() is only for MessageWillBePosted; write: return Reject("why")')
    return Rejected(reject.reason)


def handler_error(hook: Hook, handler: str, error: BaseException) -> HandlerError:
    """Wrap what came out of a handler, its type and text in the message."""
    text = "".join(part for part in (type(error).__name__, f": {error}" if str(error) else ""))
    wrapped = HandlerError(text, hook=hook.name, handler=handler)
    wrapped.__cause__ = error
    return wrapped


_STATUS = {DeadlineExceeded: 504, ThreadsExhausted: 503}


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
        params=told.params,
    )


def _content(notification: Any) -> Any:
    """The texts of a mail: all that an answer can change, whichever of the two models the handler returned."""
    from mmhooks.models import EmailNotificationContent

    return EmailNotificationContent(
        **{name: getattr(notification, name) for name in EmailNotificationContent.__struct_fields__ if name[0] != "_"}
    )


def _optional(hook: Hook) -> bool:
    return hook.result.endswith("| None")


def _fits(result: str, value: Any) -> bool:
    return any(_is(option, value) for option in result.split(" | "))


def _is(name: str, value: Any) -> bool:
    if name.startswith("list["):
        return isinstance(value, list) and all(_is(name[5:-1], item) for item in value)
    if name == "None":
        return value is None
    if name == "bool":
        return isinstance(value, bool)
    if name == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    from mmhooks import models

    return isinstance(value, getattr(models, name))


def _describe(value: Any) -> str:
    if isinstance(value, list):
        inner = sorted({type(item).__name__ for item in value})
        return f"a list of {' and '.join(inner)}" if inner else "an empty list"
    name = type(value).__name__
    return name if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _advice(hook: Hook, returned: Any) -> str:
    """The line to write instead."""
    model = hook.result.split(" | ")[0]
    name = hook.parameters[0 if len(hook.parameters) == 1 else 1].name if hook.parameters else "value"
    if hook.kind.may_reject:
        if isinstance(returned, str) and returned:
            return f"write: return Reject({returned!r})"
        if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], str) and returned[1]:
            return f"write: return Reject({returned[1]!r})"
        if hook.kind is Kind.GATE:
            return 'write: return None (to allow), or return Reject("why")'
        source = {
            HookName.EmailNotificationWillBeSent: "notification",
            HookName.NotificationWillBePushed: "push_notification",
        }
        given = {HookName.MessageWillBeUpdated: "new_post"}.get(hook.name) or source.get(hook.name, name)
        return f'write: return {given} (a {model}, to replace it), return None (unchanged), or return Reject("why")'
    if hook.kind in (Kind.NOTIFY, Kind.STREAM):
        return "nothing is expected back: leave the return out"
    if hook.kind is Kind.FALLIBLE:
        return 'leave the return out, or to tell the server of a failure write: raise AppError("why")'
    if hook.name is HookName.ExecuteCommand and isinstance(returned, str):
        return 'write: return CommandResponse(response_type="ephemeral", text=…)'
    return f"it returns {hook.result.replace(' | None', '')}" + (", or None" if _optional(hook) else "")
