"""Turns messages into models and back, by the names of their fields.

A converter is made once for each message type, from its descriptor and its model: fields go by name, a few are renamed,
and what one side lacks is known beforehand. Fields of a message that this version doesn't know are kept with the model.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from mmhooks import models
from mmhooks.errors import AppError, ModelError, UnsupportedByHost
from mmhooks.hosts.grpc.differences import FORMS, LEFT_OUT, LETTERS, MODELS, RENAMED, SPREADS, Spread, no_place
from mmhooks.hosts.grpc.messages import PACKAGE, message_class
from mmhooks.hosts.grpc.structs import dict_to_struct, from_value, struct_to_dict, to_value
from mmhooks.models import Model

Convert = Callable[[Any], Any]


def _to_model(message: Any) -> Any:
    return converter(message.DESCRIPTOR.name).to_model(message)


@functools.cache
def converter(name: str) -> AnyConverter:
    """The converter for a message of the plugin API, by its name."""
    cls = message_class(f"{PACKAGE}.{name}")
    if name == "AppError":
        return ErrorConverter(cls)
    model: type[Model] = model_class(name)
    return JsonConverter(cls, model) if name.endswith("Json") else Converter(cls, model)


def model_class(name: str) -> Any:
    """The class here for a message of the plugin API, by its name."""
    return AppError if name == "AppError" else getattr(models, MODELS.get(name, name))


class ErrorConverter:
    """For Mattermost's errors."""

    _PLAIN = ("id", "message", "detailed_error", "request_id", "status_code", "where")

    def __init__(self, message: type[Message]) -> None:
        self._message = message

    def to_model(self, message: Any) -> AppError:
        values = {name: getattr(message, name) for name in self._PLAIN}
        return AppError(**values, params=struct_to_dict(message.params))

    def to_message(self, error: Any) -> Message:
        values = {name: getattr(error, name) for name in self._PLAIN}
        if error.params:
            values["params"] = dict_to_struct(error.params)
        return self._message(**values)


class JsonConverter:
    """For messages that hold the JSON of a Go struct in their only field."""

    def __init__(self, message: type[Message], model: type[Model]) -> None:
        self._message = message
        self._field = message.DESCRIPTOR.fields[0].name
        self._model = model

    def to_model(self, message: Message) -> Model | None:
        text = getattr(message, self._field)
        return self._model.from_json(text) if text else None

    def to_message(self, model: Any) -> Message:
        return self._message(**{self._field: to_json(model)})


def to_json(model: Model) -> bytes:
    """A model's JSON for the server. Raises `ModelError` for what does not fit, by its name: the server would only say no."""
    text = model.to_json()
    type(model).from_json(text)
    return text.encode()


class Converter:
    """For all other messages."""

    def __init__(self, message: type[Message], model: type[Model]) -> None:
        self._message = message
        self._model = model
        self._name = message.DESCRIPTOR.name
        self._spread = SPREADS.get(self._name, _NOTHING_SPREAD)
        default = model()
        self._fields = [
            field
            for field in message.DESCRIPTOR.fields
            if (self._name, field.name) not in LEFT_OUT and field.name not in self._spread.fields
        ]
        self._attributes = [RENAMED.get((self._name, field.name), field.name) for field in self._fields]
        self._readers: dict[int, tuple[str, Convert | None]] = {}
        self._plain: list[tuple[str, str]] = []
        self._writers: list[tuple[str, str, Convert, Any]] = []  # the last is what need not be written
        for field, attribute in zip(self._fields, self._attributes, strict=True):
            usual = getattr(default, attribute)
            form = FORMS.get((self._name, field.name))
            self._readers[field.number] = attribute, form.read if form else field_reader(field, usual)
            if form:
                self._writers.append((field.name, attribute, form.write, usual))
            elif writer := field_writer(field, usual):
                # To Go, an empty map or list, or a struct of zeros, and an unset one are the same.
                empty = usual if usual in ([], {}) or isinstance(usual, Model) else None
                self._writers.append((field.name, attribute, writer, empty))
            else:
                self._plain.append((field.name, attribute))
        self._plain_names = [name for name, _ in self._plain]
        self._get_plain = _getter([attribute for _, attribute in self._plain])
        self._plain_default = self._get_plain(default)
        carried = {*self._attributes, *self._spread.attributes, "_unknown"}
        self._absent = [name for name in model.__struct_fields__ if name not in carried]
        self._get_absent = _getter(self._absent)
        self._absent_default = self._get_absent(default)

    def to_model(self, message: Message) -> Model:
        values = {}
        # Those that are set; for all others a model's default is what the message would give.
        for field, found in message.ListFields():
            if reader := self._readers.get(field.number):
                attribute, read = reader
                values[attribute] = read(found) if read else found
        model = self._model(**values)
        if len(UnknownFieldSet(message)):
            model._unknown = {"grpc": _unknown(message)}
        return model

    def to_message(self, model: Any) -> Message:
        """Raises `UnsupportedByHost` for a field that the wire has no place for, and `ModelError` for a value that
        does not fit its field; both name it."""
        if self._get_absent(model) != self._absent_default:
            self._complain_of_absent(model)
        plain = zip(self._plain_names, self._get_plain(model), self._plain_default, strict=True)
        values = {name: value for name, value, usual in plain if value != usual}
        if None in values.values():
            self._complain_of_none(values)
        for name, attribute, write, empty in self._writers:
            value = getattr(model, attribute)
            if value is not None and value != empty:
                try:
                    values[name] = write(value)
                except UnsupportedByHost as error:
                    raise UnsupportedByHost(_misfit(model, attribute, value, error)) from error
                except (TypeError, ValueError, AttributeError) as error:
                    raise ModelError(_misfit(model, attribute, value, error)) from error
        if self._spread is not _NOTHING_SPREAD:
            self._spread.write(model, values)
        try:
            message = self._message(**values)
        except (TypeError, ValueError, OverflowError):
            self._complain_of_value(model, values)
            raise
        if model._unknown and "grpc" in model._unknown:
            message.MergeFromString(model._unknown["grpc"])
        return message

    def _complain_of_absent(self, model: Model) -> None:
        for name, usual in zip(self._absent, self._absent_default, strict=True):
            if getattr(model, name) != usual:
                raise no_place(model, name)

    def _complain_of_none(self, values: dict[str, Any]) -> None:
        attribute = next(attribute for name, attribute in self._plain if values.get(name, 0) is None)
        raise ModelError(f"{self._model.__name__}.{attribute} cannot be None: set it to its empty value instead")

    def _complain_of_value(self, model: Model, values: dict[str, Any]) -> None:
        attributes = dict(zip((field.name for field in self._fields), self._attributes, strict=True))
        for name, value in values.items():
            try:
                self._message(**{name: value})
            except (TypeError, ValueError, OverflowError) as error:
                if name not in attributes:
                    raise ModelError(f"{type(model).__name__}: its {name} cannot be sent: {error}") from error
                raise ModelError(_misfit(model, attributes[name], getattr(model, attributes[name]), error)) from error


_NOTHING_SPREAD = Spread(frozenset(), frozenset(), lambda model, values: None)

AnyConverter = JsonConverter | ErrorConverter | Converter


def _misfit(model: Any, attribute: str, value: Any, error: Exception) -> str:
    usual = getattr(type(model)(), attribute)
    where = f"{type(model).__name__}.{attribute}"
    if isinstance(error, ModelError | UnsupportedByHost):
        return f"{where}{error}" if str(error).startswith("[") else f"{where}: {error}"
    if usual is not None and type(usual) is not type(value):
        return f"{where} takes {type(usual).__name__}, not {type(value).__name__}"
    return f"{where} cannot hold the {type(value).__name__} it has: {error}"


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _unknown(message: Message) -> bytes:
    """The bytes of the fields that the message's type doesn't have."""
    rest = type(message)()
    rest.CopyFrom(message)
    for field, _ in rest.ListFields():
        rest.ClearField(field.name)
    return rest.SerializeToString()


def field_reader(field: Any, usual: Any = None) -> Convert | None:
    """How the value of a field that is set is made out of what the message gives; None where it is taken as it is.
    `usual` is the model's default."""
    if _is_map(field):
        inner = field.message_type.fields_by_name["value"]
        value = _value_reader(inner)
        return (lambda found: {key: value(item) for key, item in found.items()}) if value else dict
    if field.message_type:
        read: Convert = _value_reader(field)
        return (lambda found: [read(item) for item in found]) if is_repeated(field) else read
    if is_repeated(field):
        return list
    if field.enum_type:
        numbers = {value.number: LETTERS.get(value.name, "") for value in field.enum_type.values}
        return lambda found: numbers.get(found, "")
    if field.type == FieldDescriptor.TYPE_STRING and isinstance(usual, int):
        return lambda found: int(found) if found.removeprefix("-").isdecimal() else 0
    return None


def _value_reader(field: Any) -> Any:
    if not field.message_type:
        return None
    kind = field.message_type.full_name
    if kind == "google.protobuf.Struct":
        return struct_to_dict
    if kind == "google.protobuf.Value":
        return from_value
    if kind.startswith("google.protobuf."):
        return operator.attrgetter("value")  # Int64Value and its like
    return _to_model


def field_writer(field: Any, usual: Any = "") -> Convert | None:
    """How a field's value goes into the message; None where it goes as it is. A value of None is never written."""
    if _is_map(field):
        inner = _value_writer(field.message_type.fields_by_name["value"])
        return (lambda value: {key: inner(item) for key, item in _mapped(value).items()}) if inner else _mapped
    if is_repeated(field):
        inner = _value_writer(field)
        return (lambda value: [inner(item) for item in _listed(value)]) if inner else _listed
    if field.message_type:
        writer: Convert = _value_writer(field)
        return writer
    if field.enum_type:
        letters = {LETTERS.get(value.name, ""): value.number for value in field.enum_type.values}
        return lambda value: letters[value] if value in letters else _no_letter(value, letters)
    if field.type == FieldDescriptor.TYPE_STRING and isinstance(usual, int):
        return lambda value: str(operator.index(value))
    if usual is None:
        return lambda value: value
    if field.has_presence:
        return lambda value: value if value != usual else None
    return None


def _listed(value: Any) -> Any:
    # A text is a sequence, too: it would arrive as a list of its letters.
    if not isinstance(value, list | tuple):
        raise ModelError(f"expected a list, found {type(value).__name__}")
    return value


def _mapped(value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"expected a dict, found {type(value).__name__}")
    return value


def _value_writer(field: Any) -> Any:
    if not field.message_type:
        return None
    kind = field.message_type.full_name
    if kind == "google.protobuf.Struct":
        return dict_to_struct
    if kind == "google.protobuf.Value":
        return to_value
    if kind.startswith("google.protobuf."):
        wrapper = message_class(kind)
        return lambda value: wrapper(value=value)
    expected = model_class(field.message_type.name)

    def write(value: Any) -> Message:
        if not isinstance(value, expected):
            raise ModelError(f"expected {expected.__name__}, found {type(value).__name__}")
        return converter(field.message_type.name).to_message(value)

    return write


def _is_map(field: Any) -> bool:
    # Asking for options that are not there would load descriptor_pb2.
    kind = field.message_type
    return bool(kind and kind.has_options and kind.GetOptions().map_entry)


def is_repeated(field: Any) -> bool:
    """Whether a field holds several values: a list or a map."""
    # `label` warns of its end from protobuf 6.32 on, and `is_repeated` does not exist before 6.31.
    repeated = getattr(field, "is_repeated", None)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED if repeated is None else repeated)


def _no_letter(value: Any, letters: dict[str, int]) -> int:
    raise ModelError(f"expected one of {', '.join(letter for letter in letters if letter)}, found {value!r}")
