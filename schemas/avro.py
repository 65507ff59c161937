"""Avro schemas generated from the pydantic models.

Fields keep the models' order, enums default to ``UNKNOWN``, optional fields are unions with null that
default to null. Times are ``timestamp-millis``, dates ``date``, ids ``uuid`` on strings.
"""

from __future__ import annotations

import types
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

NAMESPACE = "brobygger"
_PRIMITIVES: dict[type, Any] = {
    str: "string",
    int: "long",
    bool: "boolean",
    bytes: "bytes",
    float: "double",
    UUID: {"type": "string", "logicalType": "uuid"},
    datetime: {"type": "long", "logicalType": "timestamp-millis"},
    date: {"type": "int", "logicalType": "date"},
}


def avro_schema(model: type[BaseModel], seen: set[str] | None = None) -> dict[str, Any]:
    """Returns the Avro record schema of a model; a type met twice is named the second time."""
    seen = set() if seen is None else seen
    seen.add(model.__name__)
    fields = [_field(name, info, seen) for name, info in model.model_fields.items()]
    return {"type": "record", "name": model.__name__, "namespace": NAMESPACE, "fields": fields}


def _field(name: str, info: Any, seen: set[str]) -> dict[str, Any]:
    schema = _type(info.annotation, seen)
    field: dict[str, Any] = {"name": name, "type": schema}
    if info.default is PydanticUndefined:
        return field
    field["default"] = list(info.default) if isinstance(info.default, tuple) else info.default
    return field


def _type(annotation: Any, seen: set[str]) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type(get_args(annotation)[0], seen)
    if origin in (Union, types.UnionType):
        inner = [argument for argument in get_args(annotation) if argument is not type(None)]
        return ["null", *(_type(argument, seen) for argument in inner)]
    if origin is tuple:
        return {"type": "array", "items": _type(get_args(annotation)[0], seen)}
    if origin is dict:
        return {"type": "map", "values": _type(get_args(annotation)[1], seen)}
    return _named_or_primitive(annotation, seen)


def _named_or_primitive(annotation: Any, seen: set[str]) -> Any:
    if issubclass(annotation, StrEnum):
        if annotation.__name__ in seen:
            return f"{NAMESPACE}.{annotation.__name__}"
        seen.add(annotation.__name__)
        symbols = [member.value for member in annotation]
        return {"type": "enum", "name": annotation.__name__, "symbols": symbols, "default": "UNKNOWN"}
    if issubclass(annotation, BaseModel):
        name = annotation.__name__
        return f"{NAMESPACE}.{name}" if name in seen else avro_schema(annotation, seen)
    return _PRIMITIVES[annotation]
