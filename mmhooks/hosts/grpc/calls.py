"""Turns the requests of hooks into arguments, and outcomes into responses: one way for all unary hooks.

Both directions are here for both sides: the embedded host of the dev console and of live tests makes the requests and
reads the responses.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from mmhooks.errors import AppError, CallError, NotImplementedByPlugin, UnsupportedByHost
from mmhooks.hooks import HOOKS, Hook, Kind
from mmhooks.hosts.grpc.messages import PACKAGE, message_class, methods
from mmhooks.outcomes import Failed, Outcome, Rejected, Replaced, Unchanged, Value, app_error

if TYPE_CHECKING:
    from mmhooks.dispatch import Dispatcher

_RENAMED = {"context": "plugin_context", "config": "new_config", "notification": "email_notification"}
"""Parameters that are called otherwise in the requests."""


def servable(hook: Hook) -> bool:
    """Whether a hook is a plain question and answer on this wire. The others need streams, or are not on it."""
    return hook.name in methods() and not hook.has_streams


@functools.cache
def hook_codec(name: str) -> HookCodec:
    """The codec of a hook by its canonical name; made at its first call, since most plugins have few hooks."""
    return HookCodec(HOOKS[name])


class HookCodec:
    """The request and the response of one hook."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self.request: type[Any] = message_class(f"{PACKAGE}.{hook.name}Request")
        self.response: type[Any] = message_class(f"{PACKAGE}.{hook.name}Response")
        self._parameters = [
            (_RENAMED.get(parameter.name, parameter.name), *_forms(parameter.type)) for parameter in hook.parameters
        ]
        answers = [f for f in self.response.DESCRIPTOR.fields if f.name not in ("error", "rejection_reason")]
        self._answer = answers[0].name if answers else ""
        self._type = answers[0].message_type.name if answers and answers[0].message_type else ""

    def arguments(self, request: Any, wanted: frozenset[int]) -> list[Any]:
        """The hook's arguments in the table's order, None in the place of those that are not wanted or unset."""
        return [
            read(request, field) if index in wanted else None for index, (field, read, _) in enumerate(self._parameters)
        ]

    def tell(self, dispatcher: Dispatcher, outcome: Outcome, *, lenient: bool = False) -> tuple[Outcome, Any]:
        """What the host is told of an outcome.

        Arguments:
            lenient: raise `UnsupportedByHost` for what only another host could be told, in place of making it a failure.

        Result: the outcome, which has become a failure when its value cannot be sent; and the response, None where
        the host is to get a bare status.
        """
        try:
            return outcome, self._response(outcome)
        except Exception as error:
            if lenient and isinstance(error, UnsupportedByHost):
                raise
            outcome = dispatcher.failure(self._hook, error)
            return outcome, self._response(outcome)

    def _response(self, outcome: Outcome) -> Any:
        if not isinstance(outcome, Failed):
            return self.make_response(outcome)
        if self._hook.kind.tells_errors and not isinstance(outcome.error, NotImplementedByPlugin):
            return self.make_error(outcome.error)
        return None

    def make_request(self, arguments: Sequence[Any]) -> Any:
        """A request with these arguments."""
        values = {
            field: write(argument)
            for (field, _, write), argument in zip(self._parameters, arguments, strict=True)
            if argument is not None
        }
        return self.request(**values)

    def make_response(self, outcome: Outcome) -> Any:
        """The response for an outcome that is not `Failed`. Raises `ModelError` or `UnsupportedByHost` for a value
        that cannot be sent, naming the field."""
        if isinstance(outcome, Rejected):
            return self.response(rejection_reason=outcome.reason)
        if isinstance(outcome, Replaced | Value):
            return self.response(**{self._answer: self._sendable(outcome.value)})
        if self._hook.name == "ExecuteCommand":
            # Nothing at all would make the server look for another command of that name, and answer 404.
            return self.response(response=message_class(f"{PACKAGE}.CommandResponse")())
        return self.response()

    def make_error(self, error: CallError) -> Any:
        """The response for a failure of a hook that may fail."""
        return self.response(error=_converter("AppError").to_message(app_error(error)))

    def read_response(self, response: Any) -> Outcome | AppError:
        """What a response says: the reverse of the two above, for the embedded host."""
        fields = self.response.DESCRIPTOR.fields_by_name
        if "error" in fields and response.HasField("error"):
            error: AppError = _converter("AppError").to_model(response.error)
            return error
        if "rejection_reason" in fields and response.rejection_reason:
            return Rejected(response.rejection_reason)
        if not self._answer:
            return Unchanged()
        value = getattr(response, self._answer)
        if self._type:
            to_model = _converter(self._type).to_model
            if not isinstance(value, Message):
                value = [to_model(item) for item in value]
            else:
                value = to_model(value) if response.HasField(self._answer) else None
            if not value:
                return Unchanged()
        return (Replaced if self._hook.kind is Kind.FILTER else Value)(value)

    def _sendable(self, value: Any) -> Any:
        if not self._type:
            return value
        to_message = _converter(self._type).to_message
        return [to_message(item) for item in value] if isinstance(value, list) else to_message(value)


def _forms(type_: str) -> tuple[Callable[[Any, str], Any], Callable[[Any], Any]]:
    """How an argument of a type is read from its field of a request, and written to it."""
    name = type_.removesuffix(" | None")
    if name in ("str", "int", "bool"):
        return getattr, lambda value: value
    if name.startswith("list["):
        item = _message_of(name[5:-1])
        return (
            lambda request, field: [item.to_model(one) for one in getattr(request, field)],
            lambda value: [item.to_message(one) for one in value],
        )
    message = _message_of(name)
    return (
        lambda request, field: message.to_model(getattr(request, field)) if request.HasField(field) else None,
        message.to_message,
    )


def _message_of(model: str) -> Any:
    """The converter of the message that holds a model."""
    from mmhooks.hosts.grpc.differences import MODELS

    return _converter(next((message for message, name in MODELS.items() if name == model), model))


def _converter(message: str) -> Any:
    from mmhooks.hosts.grpc.codec import converter  # which nobody needs for the handshake

    return converter(message)
