"""Records of every model, drawn by Hypothesis; one record by hand; and what became of hostile bytes."""

from __future__ import annotations

import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.codes import ConsentDecision
from schemas.events import Person, names_other_of_sole
from schemas.gate import published_models
from schemas.refusals import RefusedError

MODELS = published_models()
NAMES = [model.__name__ for model in MODELS]


def moments() -> st.SearchStrategy[datetime]:
    """Draws times in UTC; the models cut them to milliseconds."""
    return st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def values_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Returns values that a field of a type takes."""
    origin = get_origin(annotation)
    if origin is Annotated:
        kind, *more = get_args(annotation)
        return values_of(kind, (*more, *metadata))
    if origin in (Union, types.UnionType):
        return st.one_of(*(values_of(one, metadata) for one in get_args(annotation)))
    if origin is tuple:
        most = next((rule.max_length for rule in metadata if hasattr(rule, "max_length")), None)
        values = values_of(get_args(annotation)[0])
        return st.lists(values, max_size=most or 4, unique=most is not None).map(tuple)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return models_of(annotation)
    return plain_values_of(annotation, metadata)


def plain_values_of(annotation: Any, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Returns values of a type that holds no other."""
    if annotation is type(None):
        return st.none()
    if annotation is str:
        return texts_of(metadata)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return st.sampled_from(list(annotation))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        int: numbers_of(metadata),
        bool: st.booleans(),
        UUID: st.uuids(),
        datetime: moments(),
        date: st.dates(date(1850, 1, 1), date(2199, 12, 31)),
    }
    return plain[annotation]


def rules_in(metadata: tuple[Any, ...]) -> list[Any]:
    """Returns the rules of a field."""
    return [rule for one in metadata for rule in getattr(one, "metadata", [one])]


def numbers_of(metadata: tuple[Any, ...]) -> st.SearchStrategy[int]:
    """Returns numbers between a field's least and most."""
    rules = rules_in(metadata)
    least = next((rule.ge for rule in rules if hasattr(rule, "ge")), -(2**63))
    return st.integers(least, next((rule.le for rule in rules if hasattr(rule, "le")), 2**63 - 1))


def texts_of(metadata: tuple[Any, ...]) -> st.SearchStrategy[str]:
    """Returns texts under a field's pattern and lengths."""
    rules = rules_in(metadata)
    patterns = [rule.pattern for rule in rules if getattr(rule, "pattern", None)]
    longest = min((rule.max_length for rule in rules if hasattr(rule, "max_length")), default=300)
    shortest = max((rule.min_length for rule in rules if hasattr(rule, "min_length")), default=0)
    if not patterns:
        return st.text(min_size=shortest, max_size=longest)
    ending = patterns[0].removesuffix("$") + r"\Z"
    return st.from_regex(ending).filter(lambda text: shortest <= len(text) <= longest)


@cache
def models_of(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Returns records of a model, validated by it."""
    fields = {name: values_of(info.annotation, tuple(info.metadata)) for name, info in model.model_fields.items()}
    return st.fixed_dictionaries(fields).filter(is_specific).map(model.model_validate)


def is_specific(fields: dict[str, Any]) -> bool:
    """Tells whether fields keep the rules over several: a consent's, and a link's of two people."""
    given = fields.get("decision") == ConsentDecision.GIVEN
    others = [fields[name] for name in ("linked_to", "unlinked_from") if fields.get(name) is not None]
    if "custody" in fields and names_other_of_sole(fields["custody"], fields["given_by"]):
        return False
    names_two = len(others) < 2 and not (others and fields["youth_id"] in {None, *others})
    return names_two and (not given or fields["receiver"] is not None or fields["purpose"] is not None)


def records() -> st.SearchStrategy[BaseModel]:
    """Draws a record of any model of the catalogue."""
    return st.sampled_from(MODELS).flatmap(models_of)


def refused_or_read(decode: Callable[[bytes], Any], value: bytes) -> str | None:
    """Returns the code of a refusal, None where the value was read; any other error passes."""
    try:
        decode(value)
    except RefusedError as error:
        refusal = error.refusal
    else:
        return None
    assert all(refusal.as_dict().values())
    return refusal.code


def an_old_person() -> Person:
    """Builds a person known by birth date alone."""
    now = datetime(2026, 2, 2, tzinfo=UTC)
    return Person(
        event_id=UUID(int=1),
        source="s",
        correlation_id=UUID(int=2),
        occurred_at=now,
        sent_at=now,
        recorded_at=now,
        subject="person",
        birth_date=date(2010, 5, 1),
    )
