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
from mmhooks.errors import ModelError, UnsupportedByHost
from mmhooks.hosts.grpc.messages import PACKAGE, message_class
from mmhooks.models import Model

RENAMED: dict[tuple[str, str], str] = {
    ("Channel", "auto_translation"): "autotranslation",
    ("CommandArgs", "user_mention"): "user_mentions",
    ("CommandArgs", "channel_mention"): "channel_mentions",
    ("EmailNotificationContent", "sub_title"): "subtitle",
    ("FileData", "data"): "body",
    ("FileInfo", "creator_id"): "user_id",
    ("PushNotification", "is_crt"): "is_crt_enabled",
}
"""Fields of messages that are called otherwise in Mattermost's JSON, and so in the models."""

LEFT_OUT: frozenset[tuple[str, str]] = frozenset({("CommandArgs", "t"), ("CommandResponse", "attachments")})
"""Fields of messages that hold nothing a model could use: a function that cannot travel, and attachments of a type
that cannot hold attachments."""

MODELS: dict[str, str] = {
    "PluginContext": "Context",
    "ConfigJson": "Config",
    "EmailNotificationJson": "EmailNotification",
    "SamlAssertionInfoJson": "AssertionInfo",
    "SyncMsgJson": "SyncMsg",
}
"""Models of messages that are called otherwise; those that end in Json hold the model as JSON."""

_LETTERS = {
    "CHANNEL_TYPE_OPEN": "O",
    "CHANNEL_TYPE_PRIVATE": "P",
    "CHANNEL_TYPE_DIRECT": "D",
    "CHANNEL_TYPE_GROUP": "G",
}

Convert = Callable[[Any], Any]


def _to_model(message: Any) -> Any:
    return converter(message.DESCRIPTOR.name).to_model(message)


@functools.cache
def converter(name: str) -> JsonConverter | Converter:
    """The converter for a message of the plugin API, by its name."""
    model: type[Model] = getattr(models, MODELS.get(name, name))
    cls = message_class(f"{PACKAGE}.{name}")
    return JsonConverter(cls, model) if name.endswith("Json") else Converter(cls, model)


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
        text = model.to_json()
        self._model.from_json(text)  # what does not fit is told here, by its name: the server would only say no
        return self._message(**{self._field: text.encode()})


class Converter:
    """For all other messages."""

    def __init__(self, message: type[Message], model: type[Model]) -> None:
        self._message = message
        self._model = model
        self._name = message.DESCRIPTOR.name
        default = model()
        self._fields = [field for field in message.DESCRIPTOR.fields if (self._name, field.name) not in LEFT_OUT]
        self._attributes = [RENAMED.get((self._name, field.name), field.name) for field in self._fields]
        self._readers: dict[int, tuple[str, Convert | None]] = {}
        self._plain: list[tuple[str, str]] = []
        self._writers: list[tuple[str, str, Convert, Any]] = []  # the last is what need not be written
        for field, attribute in zip(self._fields, self._attributes, strict=True):
            usual = getattr(default, attribute)
            self._readers[field.number] = attribute, _reader(field, usual)
            if writer := _writer(field, usual):
                # To Go, an empty map or list and an unset one are the same.
                self._writers.append((field.name, attribute, writer, usual if usual in ([], {}) else None))
            else:
                self._plain.append((field.name, attribute))
        self._plain_names = [name for name, _ in self._plain]
        self._get_plain = _getter([attribute for _, attribute in self._plain])
        self._plain_default = self._get_plain(default)
        carried = {*self._attributes, "_unknown"}
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
                raise UnsupportedByHost(
                    f"{type(model).__name__}.{name} cannot be sent: the gRPC host has no place for it on its wire "
                    "(released Mattermost servers, which speak net/rpc, have)"
                )

    def _complain_of_none(self, values: dict[str, Any]) -> None:
        attribute = next(attribute for name, attribute in self._plain if values.get(name, 0) is None)
        raise ModelError(f"{self._model.__name__}.{attribute} cannot be None: set it to its empty value instead")

    def _complain_of_value(self, model: Model, values: dict[str, Any]) -> None:
        attributes = dict(zip((field.name for field in self._fields), self._attributes, strict=True))
        for name, value in values.items():
            try:
                self._message(**{name: value})
            except (TypeError, ValueError, OverflowError) as error:
                raise ModelError(_misfit(model, attributes[name], getattr(model, attributes[name]), error)) from error


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


def _reader(field: Any, usual: Any) -> Convert | None:
    """How the value of a field that is set is made out of what the message gives; None where it is taken as it is.
    `usual` is the model's default."""
    if _is_map(field):
        inner = field.message_type.fields_by_name["value"]
        value = _value_reader(inner)
        return (lambda found: {key: value(item) for key, item in found.items()}) if value else dict
    if field.message_type:
        read: Convert = _value_reader(field)
        return (lambda found: [read(item) for item in found]) if _repeated(field) else read
    if _repeated(field):
        return list
    if field.enum_type:
        numbers = {value.number: _LETTERS.get(value.name, "") for value in field.enum_type.values}
        return lambda found: numbers.get(found, "")
    if field.type == FieldDescriptor.TYPE_STRING and isinstance(usual, int):
        return lambda found: int(found) if found.removeprefix("-").isdecimal() else 0
    if field.type == FieldDescriptor.TYPE_STRING and isinstance(usual, dict):
        return _read_mentions
    return None


def _value_reader(field: Any) -> Any:
    if not field.message_type:
        return None
    kind = field.message_type.full_name
    if kind == "google.protobuf.Struct":
        return struct_to_dict
    if kind.startswith("google.protobuf."):
        return operator.attrgetter("value")  # Int64Value and its like
    return _to_model


def _writer(field: Any, usual: Any) -> Convert | None:
    """How a field's value goes into the message; None where it goes as it is. A value of None is never written."""
    if _is_map(field):
        inner = _value_writer(field.message_type.fields_by_name["value"])
        return (lambda value: {key: inner(item) for key, item in value.items()}) if inner else dict
    if _repeated(field):
        inner = _value_writer(field)
        return (lambda value: [inner(item) for item in _listed(value)]) if inner else _listed
    if field.message_type:
        writer: Convert = _value_writer(field)
        return writer
    if field.enum_type:
        letters = {_LETTERS.get(value.name, ""): value.number for value in field.enum_type.values}
        return lambda value: letters[value] if value in letters else _no_letter(value, letters)
    if field.type == FieldDescriptor.TYPE_STRING and isinstance(usual, int):
        return lambda value: str(operator.index(value))
    if field.type == FieldDescriptor.TYPE_STRING and isinstance(usual, dict):
        return _write_mentions
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


def _value_writer(field: Any) -> Any:
    if not field.message_type:
        return None
    kind = field.message_type.full_name
    if kind == "google.protobuf.Struct":
        return dict_to_struct
    if kind.startswith("google.protobuf."):
        wrapper = message_class(kind)
        return lambda value: wrapper(value=value)
    expected = getattr(models, MODELS.get(field.message_type.name, field.message_type.name))

    def write(value: Any) -> Message:
        if not isinstance(value, expected):
            raise ModelError(f"expected {expected.__name__}, found {type(value).__name__}")
        return converter(field.message_type.name).to_message(value)

    return write


def _is_map(field: Any) -> bool:
    # Asking for options that are not there would load descriptor_pb2.
    kind = field.message_type
    return bool(kind and kind.has_options and kind.GetOptions().map_entry)


def _repeated(field: Any) -> bool:
    # `label` warns of its end from protobuf 6.32 on, and `is_repeated` does not exist before 6.31.
    repeated = getattr(field, "is_repeated", None)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED if repeated is None else repeated)


def _no_letter(value: Any, letters: dict[str, int]) -> int:
    raise ModelError(f"expected one of {', '.join(letter for letter in letters if letter)}, found {value!r}")


def _read_mentions(text: str) -> dict[str, str]:
    # A map that travels as text; whatever is not such a map is as good as none.
    import json

    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write_mentions(value: Any) -> str:
    import json

    return json.dumps(value) if value else ""


def struct_to_dict(struct: Any) -> dict[str, Any]:
    """A Struct as a plain dict; whole numbers come out as ints, since Structs have doubles only."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return struct_to_dict(value.struct_value)
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    return None


def dict_to_struct(data: Any) -> Message:
    """A plain dict as a Struct. Raises `ModelError` that names the key of what a Struct cannot hold."""
    struct: Any = message_class("google.protobuf.Struct")()
    try:
        _fill(struct, data)
    except RecursionError:
        raise ModelError("a dict or list in it holds itself, or is nested too deep") from None
    except (TypeError, ValueError, OverflowError, AttributeError):
        _explain(data, "")
        raise
    return struct  # type: ignore[no-any-return]


def _fill(struct: Any, data: dict[str, Any]) -> None:
    fields = struct.fields
    for key, item in data.items():
        _set(fields[key], item)


def _set(value: Any, item: Any) -> None:
    kind = type(item)
    if kind is str:
        value.string_value = item
    elif kind is bool:
        value.bool_value = item
    elif item is None:
        value.null_value = 0
    elif isinstance(item, int | float):
        number = value.number_value = float(item)
        if number != item and item == item:  # but not a number is unequal to itself
            raise ValueError
    elif isinstance(item, dict):
        value.struct_value.SetInParent()
        _fill(value.struct_value, item)
    elif isinstance(item, list | tuple):
        value.list_value.SetInParent()
        values = value.list_value.values
        for one in item:
            _set(values.add(), one)
    elif isinstance(item, Model):
        _set(value, item.to_dict())
    elif isinstance(item, str):
        value.string_value = str(item)
    else:
        raise TypeError


def _explain(item: Any, path: str) -> None:
    """Raise the `ModelError` that says what in a dict a Struct cannot hold, and where: looked for only when it is
    known that there is something, since paths take longer to make than messages."""
    if isinstance(item, Model):
        item = item.to_dict()
    if isinstance(item, dict):
        for key, one in item.items():
            prefix = f"{path}." if path else ""
            if not isinstance(key, str):
                raise ModelError(f"[{prefix}{key!r}]: keys are text, not {type(key).__name__}")
            _explain(key, f"{prefix}{key!r}")
            _explain(one, f"{prefix}{key}")
    elif not path:
        raise ModelError(f"expected a dict, found {type(item).__name__}: this host can send nothing else here")
    elif isinstance(item, list | tuple):
        for index, one in enumerate(item):
            _explain(one, f"{path}[{index}]")
    elif isinstance(item, str):
        try:
            item.encode()
        except UnicodeEncodeError as error:
            raise ModelError(f"[{path}]: this text cannot be sent: {error}") from None
    elif isinstance(item, int) and not _is_exact(item):
        raise ModelError(f"[{path}]: {str(item)[:40]} has more digits than the double in which this host sends numbers")
    elif not isinstance(item, bool | int | float | None):
        raise ModelError(
            f"[{path}]: {type(item).__name__} is nothing that JSON has: use text, numbers, booleans, None, lists and dicts"
        )


def _is_exact(number: int) -> bool:
    try:
        return float(number) == number
    except OverflowError:
        return False
