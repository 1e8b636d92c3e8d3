"""What every model is: a typed record with Mattermost's JSON names, and JSON both ways.

The classes themselves are generated; this is the one base that they share.
"""

from __future__ import annotations

import base64
import copy
import re
import threading
import types
import typing
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, get_args, get_origin

import msgspec

from mmhooks.errors import AppError, ModelError

_SECRET = re.compile(
    r"passw|passphrase|secret|token|salt|credential|signature|csrf|auth_?data|private_?key|encrypt_?key|api_?key"
    r"|split_?key|access_?key|developer_?key|sdk_?key|data_?source|^plugins$|proxy_?options|jwt|invite_?id",
    re.IGNORECASE,
)
"""Names of fields, and of keys in plain dicts, whose text `repr` hides. (A plugin's own settings are all hidden: the
server keeps them without saying which are secret.)"""

_HIDDEN = "<hidden>"

_PLAIN = frozenset((str, int, float, bool, bytes, type(None)))
"""What is the same thing in every copy."""

_READING = threading.RLock()
"""Held while a field is read for the first time: two threads must not get a dict each."""


class Model(msgspec.Struct, kw_only=True):
    """A record of Mattermost: a post, a user, a channel.

    Fields have the names of Mattermost's JSON and are all optional when you make one. Models compare by value. What a
    server sent that this version of mmhooks doesn't know is kept, and goes back with the model.
    """

    _json_names: ClassVar[dict[str, str]] = {}
    """JSON names by field, where they differ."""
    _omit_empty: ClassVar[frozenset[str]] = frozenset()
    """Fields that Mattermost leaves out of its JSON when they are empty."""
    _not_json: ClassVar[frozenset[str]] = frozenset({"_unknown"})
    """Fields that Mattermost never writes to JSON."""

    _unknown: dict[str, Any] | None = None
    """What came with the model and has no field here, by wire; and, as "unread", what makes the values of fields that
    nobody has read yet."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make a model from a dict of Mattermost's JSON names.

        Missing keys and nulls give the field's default. Raises `ModelError` that names the field when a value has
        another type than the field.
        """
        model: Self = _read(cls, data, cls.__name__)
        return model

    def to_dict(self) -> dict[str, Any]:
        """The model as a dict of Mattermost's JSON names, nested models as dicts, bytes as base64 text.

        Fields that Mattermost leaves out when they are empty are left out.
        """
        result: dict[str, Any] = {}
        for field in _fields(type(self)):
            value = getattr(self, field.name)
            # Go leaves a pointer out when there is none, whatever it points to.
            if field.in_json and not (field.omit_empty and (value is None if field.optional else not value)):
                result[field.json_name] = _plain(value)
        return {**result, **(self._unknown or {}).get("json", {})}

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Make a model from JSON text. Raises `ModelError` for what is not JSON, not an object, or of a wrong type."""
        try:
            data = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ModelError(f"{cls.__name__}: not JSON: {error}") from error
        return cls.from_dict(data)

    def to_json(self) -> str:
        """The model as JSON text; see `to_dict`. Raises `ModelError` for what JSON cannot hold."""
        try:
            return msgspec.json.encode(self.to_dict()).decode()
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelError(f"{type(self).__name__}: cannot be written as JSON: {error}") from error

    if not TYPE_CHECKING:  # type checkers would take it for leave to read any name

        def __getattr__(self, name: str) -> Any:
            # Only for what is not there: a field that has not been read. Making it takes longer than the rest of a call.
            with _READING:
                unread = self.unread()
                if name in unread:
                    setattr(self, name, unread[name]())
                    return getattr(self, name)
            # Another thread may have read it meanwhile.
            return object.__getattribute__(self, name)

        def __setattr__(self, name: str, value: Any) -> None:
            if name == "_unknown" or name not in self.unread():
                super().__setattr__(name, value)
                return
            with _READING:
                super().__setattr__(name, value)
                unread = self.unread()
                unread.pop(name, None)
                if not unread and self._unknown:
                    self._unknown = {wire: kept for wire, kept in self._unknown.items() if wire != "unread"} or None

    def unread(self) -> dict[str, Any]:
        """The fields that nobody has read yet, by name: what makes their values. Hosts look here; reading a field, as
        comparing and copying the model does, and setting it take it away."""
        unread: dict[str, Any] = (self._unknown or {}).get("unread", {})
        return unread

    def _read_all(self) -> None:
        for name in self.unread().copy():
            getattr(self, name)

    def __eq__(self, other: object) -> bool:
        if type(other) is type(self):
            self._read_all()
            other._read_all()
        return super().__eq__(other)

    def __copy__(self) -> Self:
        self._read_all()
        copied: Self = super().__copy__()  # type: ignore[misc]  # msgspec's own, which its stubs leave out
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # A quarter of what copying by way of `__reduce__` takes: most fields are plain, and have nothing to copy.
        memo[id(self)] = copied = self.__copy__()
        for name in self.__struct_fields__:
            value = getattr(copied, name)
            if value.__class__ not in _PLAIN:
                msgspec.structs.force_setattr(copied, name, copy.deepcopy(value, memo))
        return copied

    def __reduce__(self) -> Any:
        self._read_all()
        return super().__reduce__()

    def __repr__(self) -> str:
        # Only what differs from the default: a user has 35 fields, and a log line has little room.
        return f"{type(self).__name__}({', '.join(f'{name}={text}' for name, text in self._shown())})"

    def _shown(self) -> Iterator[tuple[str, str]]:
        default = type(self)()
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name != "_unknown" and value != getattr(default, name):
                yield name, _HIDDEN if _hides(name, value) else _shown(value)


def _hides(name: str, value: Any) -> bool:
    return bool(_SECRET.search(name)) and not isinstance(value, bool | int | float | None)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{key!r}: {_HIDDEN if _hides(str(key), item) else _shown(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, AppError):
        return _plain_error(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


_ERROR: dict[str, tuple[type[Any], bool]] = {
    "id": (str, False),
    "message": (str, False),
    "detailed_error": (str, False),
    "request_id": (str, True),
    "status_code": (int, True),
}
"""What an error, which is no model, has in JSON: the type of each, and whether it is left out when it is empty."""


def _plain_error(error: AppError) -> dict[str, Any]:
    values = {name: getattr(error, name) for name in _ERROR}
    return {name: value for name, value in values.items() if value or not _ERROR[name][1]}


def _read_error(value: Any, path: str) -> AppError:
    if not isinstance(value, dict):
        raise ModelError(f"{path}: expected an object, found {type(value).__name__}")
    values = {
        name: _checked(type_, value[name], f"{path}.{name}") for name, (type_, _) in _ERROR.items() if value.get(name)
    }
    return AppError(**values)


Reader = Callable[[Any, str], Any]
"""Makes a field's value of what JSON gave; the text says where it stands, for errors."""


class _Field(NamedTuple):
    name: str
    json_name: str
    in_json: bool
    omit_empty: bool
    optional: bool
    read: Reader


_FIELDS: dict[type[Model], tuple[_Field, ...]] = {}


def _fields(cls: type[Model]) -> tuple[_Field, ...]:
    """How each field goes to JSON and back: worked out when a class first needs it, since most never do."""
    if cls not in _FIELDS:
        hints = typing.get_type_hints(cls)
        skipped = cls._not_json | Model._not_json
        _FIELDS[cls] = tuple(
            _Field(
                name,
                cls._json_names.get(name, name),
                name not in skipped,
                name in cls._omit_empty,
                hints[name] is Any or isinstance(hints[name], types.UnionType),
                _reader(hints[name]),
            )
            for name in cls.__struct_fields__
        )
    return _FIELDS[cls]


def _read(cls: type[Any], data: Any, path: str) -> Any:
    if not isinstance(data, dict):
        raise ModelError(f"{path}: expected an object, found {type(data).__name__}")
    rest = dict(data)
    values = {}
    for field in _fields(cls):
        if field.in_json and (value := rest.pop(field.json_name, None)) is not None:
            values[field.name] = field.read(value, f"{path}.{field.name}")
    if rest:
        values["_unknown"] = {"json": rest}
    return cls(**values)


def _reader(hint: Any) -> Reader:
    """The reader for an annotation of the generated classes, which use no other forms than these."""
    if hint is Any:
        return lambda value, path: value
    if isinstance(hint, types.UnionType):
        return _reader(get_args(hint)[0])
    if get_origin(hint) is list:
        item = _reader(get_args(hint)[0])
        return lambda value, path: [item(one, f"{path}[{n}]") for n, one in enumerate(_checked(list, value, path))]
    if get_origin(hint) is dict:
        item = _reader(get_args(hint)[1])
        return lambda value, path: {key: item(one, f"{path}.{key}") for key, one in _checked(dict, value, path).items()}
    if isinstance(hint, type) and issubclass(hint, Model):
        return lambda value, path: _read(hint, value, path)
    if hint is AppError:
        return _read_error
    if hint is bytes:
        return _read_bytes
    return lambda value, path: _checked(hint, value, path)


def _checked(expected: type[Any], value: Any, path: str) -> Any:
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected:
        # Not the value itself: it may be a password, and this text goes to a log.
        raise ModelError(f"{path}: expected {expected.__name__}, found {type(value).__name__}")
    return value


def _read_bytes(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_checked(str, value, path), validate=True)
    except ValueError as error:
        raise ModelError(f"{path}: expected base64 text: {error}") from error
