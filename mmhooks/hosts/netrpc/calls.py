"""Turns the requests of hooks into arguments, and outcomes into replies: one way for all hooks without streams.

Both directions are here for both sides: the embedded host of the dev console and of live tests makes the requests and
reads the replies.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mmhooks.changes import MERGED, Changes, Snapshot, advice, changes, merged, plain_changes, snapshot
from mmhooks.errors import AppError, CallError, GoError, ModelError, NotImplementedByPlugin
from mmhooks.hooks import HOOKS, Hook, HookName, Kind
from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.gob.inbox import Message
from mmhooks.hosts.netrpc.gob.schema import Basic, Pointer, Schema, Struct, Verbatim, zero
from mmhooks.hosts.netrpc.rpc import Request, Stream
from mmhooks.hosts.netrpc.structs import HOOKS as ON_THE_WIRE
from mmhooks.outcomes import Failed, Outcome, Rejected, Replaced, Unchanged, Value, app_error

logger = logging.getLogger("mmhooks")

_MOST_SAID = 100
"""Names of lost fields that are remembered: keys of props may be anything."""

_SENT_BACK = frozenset((HookName.MessageWillBeUpdated, HookName.MessagesWillBeConsumed))
"""The hooks where nothing is not "unchanged": for the one it is a rejection, for the other a server may take it for an
empty list. What came goes back."""


def servable(hook: Hook) -> bool:
    """Whether a hook is a plain question and answer on this wire: the others take streams."""
    return hook.name in ON_THE_WIRE


@functools.cache
def hook_codec(name: str) -> HookCodec:
    """The codec of a hook by its canonical name; made at its first call, since most plugins have few hooks."""
    return HookCodec(HOOKS[name])


class HookCodec:
    """The request and the reply of one hook."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook
        self.request, self.reply = contract.hook(hook.name)
        self._last = self.reply.fields[-1].go if self.reply.fields else ""
        self._said: set[str] = set()
        self._wanted: dict[frozenset[int], Struct] = {}
        # The argument that the answer may take the place of.
        names = [parameter.name for parameter in hook.parameters]
        self._index = next((index for index, name in enumerate(names) if name != "context"), 0)
        self._argument = names[self._index] if names else ""
        only = self.request.fields[self._index : self._index + 1]
        self._baseline = Struct(self.request.name, dict, lambda: only)
        self._sent_back = Struct(
            self.request.name, dict, lambda: tuple(replace(field, schema=Verbatim()) for field in only)
        )

    def arguments(self, stream: Stream, message: Message, wanted: frozenset[int]) -> list[Any]:
        """The hook's arguments in the table's order, None in the place of those that are not wanted or unset."""
        schema = self._wanted.get(wanted)
        if schema is None:
            schema = self._wanted[wanted] = _part(self.request, wanted)
        values = stream.read(message, schema)
        return [
            (values[field.go] if field.go in values else _zero(field.schema)) if index in wanted else None
            for index, field in enumerate(self.request.fields)
        ]

    def snapshot(self, arguments: Sequence[Any]) -> Snapshot | None:
        """What is to be known of the arguments when the answer is made, if it is simple."""
        if self.hook.name not in MERGED or (given := arguments[self._index]) is None:
            return None
        return snapshot(given)

    def answer(
        self,
        outcome: Outcome,
        stream: Stream,
        request: Request,
        before: Snapshot | None = None,
        limit: int | None = None,
    ) -> bytes:
        """The bytes of the answer to a call. Raises `ModelError` for a value that cannot be sent, naming the field, and for
        one of more bytes than the limit."""
        if isinstance(outcome, Failed) and not self._tells(outcome):
            return stream.error(request, _told(outcome.error))
        values = None
        if before is not None and isinstance(outcome, Replaced):
            plain = plain_changes(before, outcome.value)
            if plain is not None:
                values = {"A": plain} if plain else {}
        if values is None:
            values = self._values(outcome, stream, request.argument)
        return stream.response(request, self.reply, values, lambda size: check_size(size, limit, "answer"))

    def _tells(self, outcome: Failed) -> bool:
        """Whether a failure has a place in the reply. If not, the call is one that failed, and the host goes on without
        the plugin."""
        return self.hook.kind.tells_errors and not isinstance(outcome.error, NotImplementedByPlugin)

    def _values(self, outcome: Outcome, stream: Stream, message: Message) -> dict[str, Any]:
        """What the reply to a call holds, by letter."""
        if isinstance(outcome, Failed):
            return {self._last: app_error(outcome.error)}
        if isinstance(outcome, Rejected):
            return {self._last: outcome.reason}
        if isinstance(outcome, Replaced | Value):
            value = outcome.value
            if self.hook.name in MERGED and (given := self._given(stream, message)) is not None:
                value = changes(given, value)
                self._say_lost(value)
                if not value:
                    return {}
            return {"A": value}
        if self.hook.name in _SENT_BACK:
            return {"A": self._given(stream, message, raw=True)}
        if self.hook.name is HookName.ExecuteCommand:
            # Nothing at all would make the server look for another command of that name, and answer 404.
            from mmhooks.models import CommandResponse

            return {"A": CommandResponse()}
        return {}

    def _given(self, stream: Stream, message: Message, *, raw: bool = False) -> Any:
        """The argument that the answer may take the place of, as it came."""
        field = self.request.fields[self._index]
        return stream.read(message, self._sent_back if raw else self._baseline).get(field.go)

    def _say_lost(self, value: Changes) -> None:
        """Say once of each field that its removal cannot be told."""
        if not self._said.issuperset(value.lost) and len(self._said) < _MOST_SAID:
            self._said.update(value.lost)
            logger.warning("%s", advice(self.hook.name, value.lost, self._argument))

    def make_request(self, arguments: Sequence[Any]) -> dict[str, Any]:
        """What a call with these arguments holds, by letter."""
        return dict(zip((field.go for field in self.request.fields), arguments, strict=True))

    def read_reply(self, stream: Stream, message: Message, arguments: Sequence[Any]) -> Outcome | AppError:
        """What a reply says, as Mattermost reads it: the reverse of `tell`, for the embedded host."""
        merges = self.hook.name in MERGED and arguments[self._index] is not None
        values = stream.read(message, _partial(self.reply) if merges else self.reply)
        if self.hook.kind.tells_errors:
            error = values.get(self._last)
            if isinstance(error, GoError):
                return AppError(error.text)
            if isinstance(error, AppError):
                return error
        elif self.hook.kind.may_reject and values.get(self._last):
            return Rejected(values[self._last])
        if "A" not in values or self.hook.kind in (Kind.NOTIFY, Kind.FALLIBLE):
            if self.hook.name is HookName.MessageWillBeUpdated:
                return Rejected("")
            schema = self.reply.fields[0].schema if self.reply.fields else None
            if self.hook.kind in (Kind.VALUE, Kind.FALLIBLE_VALUE) and isinstance(schema, Basic | Struct):
                return Value(_zero(schema))
            return Unchanged()
        value = merged(arguments[self._index], values["A"]) if merges else values["A"]
        if value == [] or (self.hook.name in _SENT_BACK and value == arguments[self._index]):
            return Unchanged()
        return (Replaced if self.hook.kind is Kind.FILTER else Value)(value)


def check_size(size: int, limit: int | None, what: str) -> None:
    """Raises `ModelError` for a message that is longer than the administrator allows."""
    if limit is not None and size > limit:
        raise ModelError(
            f"this {what} has {size} bytes, and MMHOOKS_MAX_MESSAGE_SIZE allows {limit}: raise it, or leave it unset"
        )


def _told(error: CallError) -> str:
    """What the server logs of a call that failed: the hook and the handler as well."""
    text = str(error)
    return ": ".join([*(part for part in (error.hook, error.handler) if part and part not in text), text])


def _part(struct: Struct, wanted: frozenset[int]) -> Struct:
    fields = tuple(field for index, field in enumerate(struct.fields) if index in wanted)
    return Struct(struct.name, dict, lambda: fields)


@functools.cache
def _partial(struct: Struct) -> Struct:
    """A struct that is read as a dict of those fields that came; so are the structs in it that would be merged."""
    return Struct(
        struct.name, dict, lambda: tuple(replace(field, schema=_partially(field.schema)) for field in struct.fields)
    )


def _partially(schema: Schema) -> Schema:
    inner = schema.elem if isinstance(schema, Pointer) else schema
    return _partial(inner) if isinstance(inner, Struct) else schema


def _zero(schema: Schema) -> Any:
    """What Go leaves out."""
    if isinstance(schema, Struct):
        return schema.make()
    return zero(schema)
