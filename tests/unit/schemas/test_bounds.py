"""Everything that comes in has a bound: each text and list a longest length, each number a least and a most."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.gateway.doors.claims import ClaimForm
from connectors.gateway.doors.handover_forms import HandoverReply
from connectors.gateway.statements.forms import FORMS
from schemas.codec import codec, raw_of
from schemas.codes import ConsentGiver
from schemas.events import Consent
from schemas.outputs import Notice, PathwayView
from tests.domain.story import MONDAY, a_consent
from tests.unit.schemas.records import MODELS

FORMS_OF_DOORS = [*FORMS.values(), HandoverReply, ClaimForm]
#: What the service says itself and nobody sends: as long as what it tells of.
OURS = {Notice, PathwayView}


def parts_of(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the parts of a JSON schema that have a type, with where they stand."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield at, schema
        for name, part in schema.items():
            yield from parts_of(part, f"{at}/{name}")
    elif isinstance(schema, list):
        for part in schema:
            yield from parts_of(part, at)


def is_bounded(part: dict[str, Any]) -> bool:
    """Tells whether a text or a list has a longest length, a number a least and a most."""
    if part["type"] == "array":
        return "maxItems" in part and part.get("uniqueItems", False)
    if part["type"] == "integer":
        return {"minimum", "maximum"} <= part.keys() or "const" in part
    if part["type"] != "string" or part.keys() & {"maxLength", "enum", "const", "format"}:
        return True
    return bool(re.fullmatch(r"\^[^+*]+\$", part.get("pattern", "")))


@pytest.mark.parametrize("model", [*MODELS, *FORMS_OF_DOORS], ids=lambda model: model.__name__)
def test_every_text_every_list_and_every_number_has_its_bounds(model: type[BaseModel]) -> None:
    unbounded = [(at, part["type"]) for at, part in parts_of(model.model_json_schema()) if not is_bounded(part)]

    assert [one for one in unbounded if model not in OURS or one[1] != "array"] == []


def test_a_list_of_two_hundred_thousand_is_refused_by_its_length() -> None:
    with pytest.raises(ValidationError) as refused:
        Consent.model_validate({"given_by": [ConsentGiver.YOUNG_PERSON] * 200_000})

    assert [(one["loc"], one["type"]) for one in refused.value.errors() if one["type"] != "missing"] == [
        (("given_by",), "too_long")
    ]


def test_codes_of_a_later_release_are_read_though_none_is_known_here() -> None:
    unknown = (ConsentGiver.UNKNOWN, ConsentGiver.UNKNOWN)
    record = raw_of(a_consent("later", MONDAY)) | {"given_by": list(unknown)}

    read = codec(Consent).decode(codec(Consent).encode_raw(record))

    assert isinstance(read, Consent)
    assert read.given_by == unknown
