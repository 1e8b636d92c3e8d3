"""Every exception that mmhooks raises, as one tree.

    MmhooksError
     ├── RegistrationError            while the plugin's module is imported
     │    ├── UnknownHook             no such hook; names the nearest
     │    ├── DuplicateHandler        the hook has a handler already
     │    ├── HandlerMismatch         the function cannot take the hook's parameters
     │    ├── RegistrationClosed      a host has asked already
     │    └── SecondCopy              the plugin's module was imported a second time
     ├── BundleError                  a folder that cannot be made a bundle; a line for each fault
     ├── ConfigurationError           the environment or the settings hold values that cannot be used
     ├── DeployError                  a server could not be reached, refused, or does not run the plugin
     ├── ModelError                   data does not fit a model
     ├── UnsupportedByHost            what this host's wire cannot carry
     ├── AppError                     a failure in Mattermost's words; these by its status:
     │    ├── BadRequest              400
     │    ├── Forbidden               403
     │    ├── NotFound                404
     │    └── Conflict                409
     ├── GoError                      a failure of the server that is a text only
     ├── APIError                     a call of the plugin API that gave no answer
     │    ├── DeadlineExceeded        the server did not answer in time
     │    ├── UpdateConflict          others kept changing what was to be updated
     │    └── HostUnavailable         no host offers the plugin API, or it is gone
     │         └── NoPluginAPI        there has been none so far, or this host has none
     └── CallError                    a call of a hook that gave no answer
          ├── NotImplementedByPlugin  the plugin has no handler for the hook
          ├── HandlerError            the handler raised, or returned what its hook does not allow
          ├── HandlerTimeout          the handler was late
          └── ThreadsExhausted        every thread is stuck in a handler past its deadline

`Reject` and `Dismiss` are not errors but answers, which may be raised: see `mmhooks.outcomes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self


class MmhooksError(Exception):
    """The root: catches everything that mmhooks raises."""


class RegistrationError(MmhooksError):
    """A handler could not be registered. The text names the hook, the function, and what to change."""


class UnknownHook(RegistrationError, LookupError):
    """A name that is not one of Mattermost's hooks."""


class DuplicateHandler(RegistrationError):
    """A second handler for a hook: a hook has one at most."""


class HandlerMismatch(RegistrationError, TypeError):
    """A function that cannot be called with the hook's parameters."""


class RegistrationClosed(RegistrationError):
    """A handler came after a host had asked which hooks there are."""


class SecondCopy(RegistrationError):
    """The plugin's file runs as the program and was imported again under its name, which makes a second app."""


class ConfigurationError(MmhooksError, ValueError):
    """Environment variables that cannot be used, a line of the text for each; or settings that are required and not set."""


class BundleError(MmhooksError):
    """A plugin's folder that cannot be made a bundle, or a bundle that does not do.

    Arguments:
        faults: what is wrong, each with the thing, what was expected, and what to do; the text has a line for each.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class DeployError(MmhooksError):
    """A server could not be reached, refused what it was asked for, or does not run the plugin.

    Arguments:
        text: what happened, what was expected, and what to do.
        status: the HTTP status of the server's answer; 0 when there was none.
        id: Mattermost's id of the failure, such as `app.plugin.not_installed.app_error`.
        may_pass: whether it may be otherwise in a moment: a connection that dropped, a server that starts again.
    """

    def __init__(self, text: str, *, status: int = 0, id: str = "", may_pass: bool = False) -> None:  # noqa: A002
        super().__init__(text)
        self.status = status
        self.id = id
        self.may_pass = may_pass


class ModelError(MmhooksError, ValueError):
    """Data that does not fit a model; the text names the field."""


class UnsupportedByHost(MmhooksError):
    """Something that the wire of this host cannot carry; the text names it, and says which host could."""


class AppError(MmhooksError):
    """A failure in Mattermost's own words.

    Calls of the plugin API raise it; raised by a handler of a hook that may fail, it reaches the server as it is. Made with the
    status of one of its subclasses it is one of that class, as Python makes a `FileNotFoundError` of an `OSError`.

    Arguments:
        message: what a person should read.
        id: a translation id such as `app.user.missing_account.const`.
        detailed_error: more for the log; the message when it is empty, since not every server keeps the message.
        status_code: an HTTP status; that of the class unless given, 500 for `AppError` itself.
        where: the place in the program, for the log.
        request_id: the request under which the server's log says more; the server's own errors have it.
        params: values that the server fills into the translation of `id`.
    """

    usual_status: ClassVar[int] = 500

    def __new__(cls, *args: Any, status_code: int | None = None, **named: Any) -> Self:
        if cls is AppError:
            cls = _BY_STATUS.get(status_code, cls)
        return super().__new__(cls, *args)

    def __init__(
        self,
        message: str = "",
        *,
        id: str = "",  # noqa: A002 - Mattermost's own name for it
        detailed_error: str = "",
        status_code: int | None = None,
        where: str = "",
        request_id: str = "",
        params: dict[str, Any] | None = None,
    ) -> None:
        for name, value in (("message", message), ("id", id), ("detailed_error", detailed_error), ("where", where)):
            if not isinstance(value, str):
                raise TypeError(f"AppError takes {name} as a str, not {type(value).__name__}: AppError(str(error))")
        super().__init__(message)
        self.message = message
        self.id = id
        self.detailed_error = detailed_error
        self.status_code = self.usual_status if status_code is None else status_code
        self.where = where
        self.request_id = request_id
        self.params = params or {}

    def __str__(self) -> str:
        """All that helps in a log: `no such user: resource "User" not found (app.user.missing_account.const, 404)`."""
        text = self.message
        if self.detailed_error not in text:
            text = f"{text}: {self.detailed_error}" if text not in self.detailed_error else self.detailed_error
        if not text:
            return self.id
        return f"{text} ({self.id}, {self.status_code})" if self.id else text

    def __eq__(self, other: object) -> bool:
        # Models hold errors, and compare by value.
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.id, self.message, self.status_code))


class BadRequest(AppError):
    """What was asked for makes no sense to the server."""

    usual_status = 400


class Forbidden(AppError):
    """Not allowed."""

    usual_status = 403


class NotFound(AppError):
    """There is no such thing."""

    usual_status = 404


class Conflict(AppError):
    """It cannot be so beside what is there already."""

    usual_status = 409


_BY_STATUS: dict[int | None, type[Any]] = {
    error.usual_status: error for error in (BadRequest, Forbidden, NotFound, Conflict)
}


class GoError(MmhooksError):
    """A failure of the server that is a text only.

    Arguments:
        text: what the server says.
        code: which of Go's well-known errors it was, by the number in Mattermost's plugin package: 1 the end of the data,
            2 no rows; 0 any other.
    """

    def __init__(self, text: str = "", code: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class APIError(MmhooksError):
    """A call of the plugin API that gave no answer."""


class DeadlineExceeded(APIError, TimeoutError):
    """The server did not answer in time."""


class UpdateConflict(APIError, TimeoutError):
    """Others kept changing a key of the store, or kept it to themselves, for as long as it was to be updated."""


class HostUnavailable(APIError):
    """No host offers the plugin API, not yet, or no longer."""


class NoPluginAPI(HostUnavailable):
    """No host offers the plugin API: not yet, or this one does not."""


class CallError(MmhooksError):
    """A call of a hook that gave no answer. `hook` is its name, `handler` describes the function."""

    def __init__(self, text: str, *, hook: str, handler: str = "") -> None:
        super().__init__(text)
        self.hook = hook
        self.handler = handler

    def __reduce__(self) -> Any:
        # Errors cross between processes, and a copy is made by the positional arguments unless told otherwise.
        return _call_error, (type(self), str(self), self.hook, self.handler)


def _call_error(kind: type[CallError], text: str, hook: str, handler: str) -> CallError:
    return kind(text, hook=hook, handler=handler)


class NotImplementedByPlugin(CallError, NotImplementedError):
    """The plugin has no handler for the hook."""


class HandlerError(CallError):
    """The handler raised (its exception is the `__cause__`), or returned what its hook does not allow."""


class HandlerTimeout(CallError):
    """The handler did not answer in time. (A `TimeoutError` of its own is a `HandlerError`.)"""


class ThreadsExhausted(CallError):
    """Every thread for sync handlers is stuck in one that is past its deadline."""
