"""The public JSON form of each topic's statements, made from the event models so that they never differ.

A form has the event's own fields. What the gateway fills in is left out (``recorded_at``, ``youth_id``) or may be
(``event_id``, ``correlation_id``, ``sent_at``, ``source``); ``person`` says who it is about. Where a day alone is
known, ``occurred_on`` stands in for ``occurred_at`` and ``status_at``. Replies keep ``youth_id``: the pseudonym under
which the programme was told of the young person. ``persons`` takes links alone.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from connectors.gateway.statements.link_forms import LINK_EXAMPLE, LinkForm
from connectors.gateway.statements.persons import PersonForm
from schemas.events import (
    Consent,
    Correspondence,
    Discharge,
    Enrolment,
    EventHeader,
    Moment,
    Name,
    Person,
    Referral,
    Reply,
)

MODELS: dict[str, type[EventHeader]] = {
    "referrals": Referral,
    "discharges": Discharge,
    "enrolments": Enrolment,
    "consents": Consent,
    "correspondence": Correspondence,
    "replies": Reply,
    "persons": Person,
}
_FILLED_IN = frozenset({"recorded_at", "youth_id"})
_OPTIONAL: dict[str, Any] = {
    "event_id": (UUID | None, Field(default=None, description="derived from the content where absent")),
    "correlation_id": (UUID | None, Field(default=None, description="derived from the statement where absent")),
    "sent_at": (Moment | None, Field(default=None, description="the time of receipt where absent")),
    "source": (Name | None, Field(default=None, description="your own name; anything else is refused")),
}
_BY_DAY: dict[str, Any] = {
    "occurred_at": (Moment | None, Field(default=None, description="required, unless occurred_on names the day")),
    "status_at": (Moment | None, Field(default=None, description="required, unless occurred_on names the day")),
}
_PERSON: dict[str, Any] = {"person": (PersonForm, ...)}
_EXAMPLE_TIME = "2026-01-10T09:30:00+01:00"
_EXAMPLE_PERSON = {"cpr": "0105109996", "municipality": "0217"}


def _form(topic: str, model: type[EventHeader]) -> type[BaseModel]:
    hidden = _FILLED_IN - {"youth_id"} if topic == "replies" else _FILLED_IN
    own = {name: (info.annotation, info) for name, info in model.model_fields.items() if name not in hidden}
    by_day = {name: field for name, field in _BY_DAY.items() if name in own} if "occurred_on" in own else {}
    person = {} if topic == "replies" else _PERSON
    fields: dict[str, Any] = {**own, **by_day, **_OPTIONAL, **person}
    config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    return create_model(f"{model.__name__}Form", __config__=config, __doc__=model.__doc__, **fields)


FORMS: dict[str, type[BaseModel]] = {
    topic: LinkForm if topic == "persons" else _form(topic, model) for topic, model in MODELS.items()
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "referrals": {
        "subject": "referral-17",
        "occurred_at": _EXAMPLE_TIME,
        "referred_from": "Helsingør Kommune",
        "programme": "stime",
        "status": "completed",
        "status_at": _EXAMPLE_TIME,
        "decision": "rejected",
        "reason_code": "not_target_group",
        "person": _EXAMPLE_PERSON,
    },
    "discharges": {
        "subject": "letter-4711",
        "occurred_at": _EXAMPLE_TIME,
        "episode_id": "episode-9",
        "status": "discharge_planned",
        "stay_class": "inpatient",
        "unit": "441211000016003",
        "planned_at": "2026-01-15T10:00:00+01:00",
        "person": _EXAMPLE_PERSON,
    },
    "enrolments": {
        "subject": "course-8",
        "occurred_at": _EXAMPLE_TIME,
        "programme": "opus-young",
        "status": "active",
        "status_at": _EXAMPLE_TIME,
        "started_on": "2026-01-10",
        "person": _EXAMPLE_PERSON,
    },
    "consents": {
        "subject": "consent-3",
        "occurred_at": _EXAMPLE_TIME,
        "decision": "given",
        "given_by": ["young_person"],
        "scope": "anonymous",
        "purpose": "aftercare",
        "evidence": "spoken_and_recorded",
        "recorded_by": "Ungdomspsykiatrisk afsnit",
        "person": _EXAMPLE_PERSON,
    },
    "correspondence": {
        "subject": "letter-91",
        "occurred_at": _EXAMPLE_TIME,
        "category": "psychiatry_social_disability",
        "form": "reply",
        "person": _EXAMPLE_PERSON,
    },
    "replies": {
        "subject": "6f1c2f7a-53c0-5e63-8a58-0f9c1a1c6a34",
        "occurred_at": _EXAMPLE_TIME,
        "programme": "headspace",
        "status": "accepted",
        "youth_id": "k001Mb3SptkmvUxNxT8uTm0vu_9gRDGHRa-XadHBk-3TUmM",
    },
    "persons": LINK_EXAMPLE,
}
