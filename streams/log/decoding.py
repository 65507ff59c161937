"""Turns records of any topic of the catalogue into models and JSON: times, dates and ids as people write them."""

from __future__ import annotations

import types
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from schemas.codec import codec
from schemas.instants import date_of, moment_of

_Model = TypeVar("_Model", bound=BaseModel)


def read_model(model: type[_Model], value: bytes) -> _Model:
    """Returns the validated model of a record's value.

    Raises RefusedError where the bytes can't be decoded, ValidationError where they break a rule of the model.
    """
    return model.model_validate(_fields(model, codec(model).decode_raw(value)))


def read_json_record(model: type[BaseModel], value: bytes) -> dict[str, Any]:
    """Returns a record's value as JSON, whether or not it keeps the model's rules; raises RefusedError."""
    fields: dict[str, Any] = to_jsonable_python(_fields(model, codec(model).decode_raw(value)))
    return fields


def _fields(model: type[BaseModel], raw: dict[str, Any]) -> dict[str, Any]:
    return {name: _restored(info.annotation, raw[name]) for name, info in model.model_fields.items()}


def _restored(annotation: Any, value: Any) -> Any:
    alternatives = _alternatives(annotation)
    if value is None:
        return None
    if datetime in alternatives:
        return moment_of(value)
    if date in alternatives:
        return date_of(value)
    models = {one.__name__: one for one in alternatives if isinstance(one, type) and issubclass(one, BaseModel)}
    if models:
        # A field that holds one of several models comes with the model's full name.
        name, raw = value if isinstance(value, tuple) else (next(iter(models)), value)
        return _fields(models[name.rpartition(".")[2]], raw)
    if isinstance(value, list):
        item = next(get_args(one)[0] for one in alternatives if get_origin(one) is tuple)
        value = [_restored(item, one) for one in value]
    return value


@cache
def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Returns the types that a field may hold, without metadata."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(one for part in get_args(annotation) for one in _alternatives(part))
    return (annotation,)
