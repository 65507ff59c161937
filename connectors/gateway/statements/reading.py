"""From the public JSON form to events: checked, pseudonymised, with ids that a repeat derives again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from connectors.cpr import refuse_unborn
from connectors.gateway.clients.permissions import check_pseudonym, check_statement
from connectors.gateway.publisher import OutgoingRecord
from connectors.gateway.statements.forms import FORMS, MODELS
from connectors.gateway.statements.identifying_fields import refuse_identifying
from connectors.gateway.statements.link_forms import (
    LINK_FIELDS,
    LinkedNumbers,
    LinkForm,
    circular_link,
    numbers_kept,
    other_number,
)
from connectors.gateway.statements.persons import details_of, identified
from connectors.sender_ids import as_given_out, normalised
from connectors.strict_json import read_json_object
from connectors.vault.identities import PersonUpdate
from connectors.vault.number_links import NumberLink
from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.codes import ConsentDecision, Identity, Specialty
from schemas.events import UNNUMBERED, Consent, Discharge, EventHeader, Person
from schemas.identifiers import derived_id
from schemas.instants import danish_day, start_of_day
from schemas.refusals import Refusal, RefusedError
from schemas.rules import DATE_LIMITS, first_refusal_of, refusal_for, refuse_outside, refuse_untimely

if TYPE_CHECKING:
    from datetime import timedelta

    from connectors.cpr import PersonNumber
    from connectors.gateway.clients.clients import Client
    from connectors.medcom_fhir.identities import YouthIdLookup
    from connectors.person_details import PersonDetails
    from connectors.vault.number_links import NumberLinks
    from connectors.vault.pseudonyms import Pseudonyms
    from schemas.reference import Reference

_NO_ID = UUID(int=0)
_HELP = "see /docs for the form of this topic's statements"
_AHEAD_HELP = "correct the time, or your clock; planned_at, expected_end_on and lapses_at may lie ahead"
_OUTSIDE_HELP = "correct the year; nothing so long ago, or so far ahead, can be told here"
_HAPPENED = ("occurred_at", "sent_at", "status_at")
# The specialty is reference data's, which may change between a statement and its repeat.
_NOT_CONTENT = frozenset(
    {"event_id", "sent_at", "recorded_at", "source_sequence", "correlation_id", "causation_id", "specialty"}
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A statement that may be published, and the person event that goes along where something is known."""

    topic: str
    event: EventHeader
    person: Person | None
    sent_at_given: bool
    details: PersonDetails | None = field(default=None, repr=False)
    linked: LinkedNumbers | None = None

    @property
    def youth_ids(self) -> frozenset[str]:
        """Returns whom it is about: one young person, or the two whom it links."""
        linked = () if self.linked is None else (self.linked.link.youth_id, self.linked.link.linked_to)
        return frozenset({self.event.youth_id or "", *linked} - {""})

    @property
    def event_id(self) -> UUID:
        """Returns the id by which a repeat is recognised."""
        return self.event.event_id

    @property
    def content(self) -> str:
        """Returns everything that it says, as text: the same for a repeat, whenever it was sent."""
        return json.dumps([_said(self.event), self.person and _said(self.person)], sort_keys=True)

    @property
    def wants_claim_code(self) -> bool:
        """Returns whether it gives an anonymous consent: the young person then gets a claim code."""
        return wants_claim_code(self.event)

    def stated(self, recorded_at: datetime) -> list[PersonUpdate]:
        """Returns what the vault is to keep before the records of the same time are published."""
        sent_at = self.event.sent_at if self.sent_at_given else recorded_at
        if self.linked is not None:
            link = self.linked.link
            pairs = zip((link.youth_id, link.linked_to), self.linked.numbers, strict=True)
            return [PersonUpdate(youth_id, number, sent_at) for youth_id, number in pairs]
        if self.details is None or self.event.youth_id is None:
            return []
        return [PersonUpdate(self.event.youth_id, self.details, sent_at)]

    def records(self, recorded_at: datetime) -> tuple[OutgoingRecord, ...]:
        """Returns the records to publish as of a time, the person's first; the same time gives the same bytes."""
        sent_at = self.event.sent_at if self.sent_at_given else recorded_at
        times = {"recorded_at": recorded_at, "sent_at": sent_at}
        records = [record_of(self.topic, self.event.model_copy(update=times))]
        if self.person is not None:
            # A consent may begin to count later on; what it says of the person is known when it is sent.
            known_at = min(self.person.occurred_at, sent_at)
            records.insert(0, record_of("persons", self.person.model_copy(update=times | {"occurred_at": known_at})))
        return tuple(records)


@dataclass(frozen=True, slots=True)
class StatementReader:
    """What it takes to read statements. ``ahead_max`` as in ``Limits``."""

    identities: YouthIdLookup
    pseudonyms: Pseudonyms
    reference: Reference
    links: NumberLinks
    nesting_max: int
    ahead_max: timedelta | None

    def read(self, topic: str, body: bytes, client: Client, recorded_at: datetime) -> Submission:
        """Returns the statement that the body holds; asks the vault, which blocks, last.

        Raises RefusedError at the first broken rule, and what the vault raises. No text repeats a value.
        """
        read_json_object(body, self.nesting_max)
        form = _timed(_validated(topic, body))
        check_statement(client, topic, form)
        if self.ahead_max is not None:
            refuse_untimely(_happened(topic, form), recorded_at + self.ahead_max, _AHEAD_HELP)
            refuse_outside({name: getattr(form, name, None) for name in DATE_LIMITS}, recorded_at, _OUTSIDE_HELP)
        if topic == "replies":
            refuse_identifying(form)
            check_pseudonym(self.pseudonyms, form)
            answered = {"subject": as_given_out(form.subject)}
            return _statement(topic, form.model_copy(update=answered), client, recorded_at, {})
        person: Any = getattr(form, "person")  # noqa: B009 the form's class is made at run time
        who = identified(person)
        if self.ahead_max is not None:
            refuse_unborn(who, f"person.{'value' if person.cpr is None else 'cpr'}", recorded_at + self.ahead_max)
        if isinstance(form, LinkForm):
            return self._link(form, who, client, recorded_at)
        details = details_of(person, who)
        refuse_identifying(form, details)
        youth_id = self.identities.youth_id(who.system, who.number)
        known = {"birth_date": who.birth_date, "municipality": person.municipality}
        known |= {"protected": True} if person.protected else {}
        statement = _statement(topic, form, client, recorded_at, known | {"youth_id": youth_id})
        return replace(self._routable(statement), details=details)

    def _link(self, form: LinkForm, who: PersonNumber, client: Client, recorded_at: datetime) -> Submission:
        other = other_number(form, who)
        numbers = numbers_kept(who, other)
        refuse_identifying(form, *numbers)
        one, two = (self.identities.youth_id(number.system, number.number) for number in (who, other))
        linked = form.linked_to is not None
        if linked and self.links.leads_back(one, two):
            raise circular_link()
        known = {"birth_date": None, "municipality": None, "youth_id": one, form.named: two}
        statement = _statement("persons", form, client, recorded_at, known)
        link = NumberLink(one, two, linked, form.occurred_at)
        return replace(statement, linked=LinkedNumbers(link, numbers))

    def _routable(self, statement: Submission) -> Submission:
        event = statement.event
        if not isinstance(event, Discharge) or event.specialty is not Specialty.UNKNOWN:
            return statement
        specialty = self.reference.specialty_of(event.unit, danish_day(event.occurred_at))
        return replace(statement, event=event.model_copy(update={"specialty": specialty}))


def wants_claim_code(event: EventHeader) -> bool:
    """Returns whether an event gives an anonymous consent: the young person then gets a claim code."""
    return isinstance(event, Consent) and event.decision is ConsentDecision.GIVEN and event.scope is Identity.ANONYMOUS


def record_of(topic: str, event: EventHeader) -> OutgoingRecord:
    """Returns an event as a record: keyed by its youth id, or by its source where it means no young person."""
    key = event.youth_id or event.source
    return OutgoingRecord(topic, key.encode(), codec(type(event)).encode(event), tuple(headers_of(event, topic)))


def _validated(topic: str, body: bytes) -> BaseModel:
    try:
        return FORMS[topic].model_validate_json(body.removeprefix(b"\xef\xbb\xbf"), strict=True)
    except ValidationError as error:
        raise RefusedError(first_refusal_of(error, _HELP)) from error


def _timed(form: Any) -> Any:
    """Returns a form with the times that a day stands in for: of what is told by a day, the day's start.

    Raises RefusedError where neither is told, or the two differ.
    """
    wanted = [name for name in ("occurred_at", "status_at") if name in type(form).model_fields]
    day = getattr(form, "occurred_on", None)
    if day is None:
        lacking = [name for name in wanted if getattr(form, name) is None]
        if lacking:
            raise RefusedError(refusal_for("missing", lacking[0], _HELP))
        return form
    if form.occurred_at not in (None, start_of_day(day)):
        rule = "where occurred_on names the day, occurred_at is the start of that day in Denmark, or absent"
        raise RefusedError(Refusal("contradicting_times", "occurred_on", rule, "send one of the two"))
    return form.model_copy(update={name: getattr(form, name) or start_of_day(day) for name in wanted})


def _happened(topic: str, form: Any) -> dict[str, datetime | None]:
    """Returns the times of what is told as past: of a consent, which may begin to count later, its sending alone."""
    if topic == "consents":
        return {"sent_at": form.sent_at}
    ended_on = getattr(form, "ended_on", None)
    ended = None if ended_on is None else datetime.combine(ended_on, time(), UTC)
    return {name: getattr(form, name, None) for name in _HAPPENED} | {"ended_on": ended}


def _statement(
    topic: str,
    form: Any,
    client: Client,
    recorded_at: datetime,
    known: dict[str, Any],
) -> Submission:
    fields: dict[str, Any] = {name: getattr(form, name) for name in type(form).model_fields if name != "person"}
    fields |= {"source": client.name, "recorded_at": recorded_at, "sent_at": form.sent_at or recorded_at}
    fields |= {name: known[name] for name in ("youth_id", *LINK_FIELDS) if name in known}
    if fields.get("episode_id"):
        fields["episode_id"] = normalised(fields["episode_id"])
    fields["correlation_id"] = form.correlation_id or _correlation_id(fields)
    try:
        event = MODELS[topic](**fields | {"event_id": form.event_id or _NO_ID})
    except ValidationError as error:  # what no field's form tells: rules over several fields
        raise RefusedError(first_refusal_of(error, _HELP)) from error
    if form.event_id is None:
        event = event.model_copy(update={"event_id": _event_id(topic, event, known)})
    return Submission(topic, event, _person(event, known), form.sent_at is not None)


def _correlation_id(fields: dict[str, Any]) -> UUID:
    # The MedCom door derives it from the episode too, so that a stay told both ways has one correlation.
    if fields.get("episode_id", UNNUMBERED) not in (None, UNNUMBERED):
        return derived_id("episode", fields["episode_id"])
    return derived_id("statement", fields["source"], fields["subject"])


def _event_id(topic: str, event: EventHeader, known: dict[str, Any]) -> UUID:
    said = [_said(event), {name: str(value) for name, value in known.items()}]
    return derived_id("event", event.source, topic, json.dumps(said, sort_keys=True))


def _person(event: EventHeader, known: dict[str, Any]) -> Person | None:
    if not known or (known["birth_date"] is None and known["municipality"] is None):
        return None
    envelope = {name: getattr(event, name) for name in EventHeader.model_fields if name not in {"revises", "cancels"}}
    own = {"event_id": derived_id("person", str(event.event_id)), "causation_id": event.event_id}
    return Person(**(envelope | own | known))


def _said(event: EventHeader) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude=set(_NOT_CONTENT))
