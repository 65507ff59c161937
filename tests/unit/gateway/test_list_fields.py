"""What a list's row may fill is what the statements' own form has: the two never differ."""

from __future__ import annotations

import pytest

from connectors.gateway.statements.forms import FORMS
from connectors.gateway.statements.persons import PersonForm
from connectors.municipal.fields import FIELDS, REQUIRED, ListEvent
from schemas.events import EventHeader

# What no list tells: ids and chains are worked out, a replacement number is known by its letters, the rest is MedCom's.
NEVER = {"person", "event_id", "correlation_id", "causation_id", "revises", "cancels", "source", "occurred_on"}
NOT_YET = {ListEvent.DISCHARGE: {"notification", "remarks", "said_alive"}, ListEvent.REFERRAL: {"bridged_from"}}
MADE_UP = {"subject", "occurred_at", "status_at", "episode_id", "person"}


@pytest.mark.parametrize("event", ListEvent)
def test_a_list_may_fill_every_field_of_the_form(event: ListEvent) -> None:
    own = {name for name in FIELDS[event] if "." not in name}

    assert own == set(FORMS[event.topic].model_fields) - NEVER - NOT_YET.get(event, set())


@pytest.mark.parametrize("event", ListEvent)
def test_what_a_mapping_must_fill_is_what_the_form_requires(event: ListEvent) -> None:
    required = {name for name, field in FORMS[event.topic].model_fields.items() if field.is_required()}

    assert {name for name in REQUIRED[event] if "." not in name} == required - MADE_UP


def test_a_list_may_fill_everything_of_a_person() -> None:
    own = {name.removeprefix("person.") for name in FIELDS[ListEvent.CONSENT] if name.startswith("person.")}

    assert own == set(PersonForm.model_fields) - {"system", "value"}


def test_every_event_has_an_envelope() -> None:
    for event in ListEvent:
        assert set(EventHeader.model_fields) - {"recorded_at", "youth_id"} <= set(FORMS[event.topic].model_fields)
