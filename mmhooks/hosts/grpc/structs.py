"""Plain values in messages: protobuf's Struct and Value, which hold what JSON has."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from mmhooks.errors import ModelError
from mmhooks.hosts.grpc.messages import message_class
from mmhooks.models import Model


def struct_to_dict(struct: Any) -> dict[str, Any]:
    """A Struct as a plain dict; whole numbers come out as ints, since Structs have doubles only."""
    return {key: from_value(value) for key, value in struct.fields.items()}


def from_value(value: Any) -> Any:
    """A Value as a plain value."""
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
        return [from_value(item) for item in value.list_value.values]
    return None


def dict_to_struct(data: Any) -> Message:
    """A plain dict as a Struct. Raises `ModelError` that names the key of what a Struct cannot hold."""
    struct: Any = message_class("google.protobuf.Struct")()
    try:
        _fill(struct, data)
    except RecursionError:
        raise ModelError(_ENDLESS) from None
    except (TypeError, ValueError, OverflowError, AttributeError):
        if not isinstance(data, dict | Model):
            raise ModelError(
                f"expected a dict, found {type(data).__name__}: this host can send nothing else here"
            ) from None
        _explain(data, "")
        raise
    return struct  # type: ignore[no-any-return]


def to_value(item: Any) -> Message:
    """A plain value as a Value. Raises `ModelError` that says where in it there is something that a Value cannot hold."""
    value: Any = message_class("google.protobuf.Value")()
    try:
        _set(value, item)
    except RecursionError:
        raise ModelError(_ENDLESS) from None
    except (TypeError, ValueError, OverflowError, AttributeError):
        _explain(item, "")
        raise
    return value  # type: ignore[no-any-return]


_ENDLESS = "a dict or list in it holds itself, or is nested too deep"


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
    """Raise the `ModelError` that says what a Struct cannot hold, and where: looked for only when it is known that there
    is something, since paths take longer to make than messages."""
    where = f"[{path}]: " if path else ""
    if isinstance(item, Model):
        item = item.to_dict()
    if isinstance(item, dict):
        for key, one in item.items():
            prefix = f"{path}." if path else ""
            if not isinstance(key, str):
                raise ModelError(f"[{prefix}{key!r}]: keys are text, not {type(key).__name__}")
            _explain(key, f"{prefix}{key!r}")
            _explain(one, f"{prefix}{key}")
    elif isinstance(item, list | tuple):
        for index, one in enumerate(item):
            _explain(one, f"{path}[{index}]")
    elif isinstance(item, str):
        try:
            item.encode()
        except UnicodeEncodeError as error:
            raise ModelError(f"{where}this text cannot be sent: {error}") from None
    elif isinstance(item, int) and not _is_exact(item):
        raise ModelError(f"{where}{str(item)[:40]} has more digits than the double in which this host sends numbers")
    elif not isinstance(item, bool | int | float | None):
        raise ModelError(
            f"{where}{type(item).__name__} is nothing that JSON has: use text, numbers, booleans, None, lists and dicts"
        )


def _is_exact(number: int) -> bool:
    try:
        return float(number) == number
    except OverflowError:
        return False
