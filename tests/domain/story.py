"""Tells a young person's story to the pure core: events at log times, and what was said to the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from schemas.codec import raw_of
from schemas.events import (
    Consent,
    Correspondence,
    Discharge,
    Enrolment,
    EventHeader,
    Intervention,
    Person,
    Referral,
    Reply,
)
from schemas.instants import milliseconds_of, moment_of
from schemas.pathway import NEVER, Pathway
from schemas.programmes import Catalogue
from streams.domain.pathways import apply_event, fire_deadlines
from streams.domain.work import Emission
from tests.domain.catalogues import a_catalogue

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
YOUTH = "1f0e9d8c7b6a59483726150493827160"
PSYCHIATRY = "900000000001001"
EMERGENCY = "900000000001002"
SOMATIC = "900000000001003"
UNKNOWN_UNIT = "900000000009999"
_IDS = UUID("00000000-0000-5000-8000-000000000000")


def at(text: str) -> datetime:
    """Returns a Danish local time, e.g. ``2026-02-02 10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)


# When the discharge of ``a_discharged_story`` is told, and when what it leads to leaves.
MONDAY = at("2026-02-02 10:00")
SETTLED = MONDAY + timedelta(minutes=15)
E = TypeVar("E", bound=EventHeader)


def an_id(name: str) -> UUID:
    """Returns the same id for the same name."""
    return uuid5(_IDS, name)


def header(name: str, occurred_at: datetime, **changes: Any) -> dict[str, Any]:
    """Returns the header of a test event that is known by a name."""
    return {
        "event_id": an_id(name),
        "source": "sor:900000000000001",
        "correlation_id": an_id("correlation"),
        "occurred_at": occurred_at,
        "sent_at": occurred_at,
        "recorded_at": occurred_at,
        "youth_id": YOUTH,
        "subject": name,
    } | changes


def a_step(name: str, occurred_at: datetime, status: str, **changes: Any) -> Discharge:
    """Builds one step of a stay."""
    fields = {"episode_id": "episode-1", "status": status, "stay_class": "inpatient", "unit": PSYCHIATRY}
    return Discharge.model_validate(header(name, occurred_at) | fields | changes)


def a_consent(name: str, occurred_at: datetime, **changes: Any) -> Consent:
    """Builds an anonymous consent to aftercare by the young person."""
    fields = {
        "decision": "given",
        "given_by": ("young_person",),
        "scope": "anonymous",
        "purpose": "aftercare",
        "evidence": "signed",
        "recorded_by": "sor:900000000000001",
    }
    return Consent.model_validate(header(name, occurred_at) | fields | changes)


def a_named_consent(name: str, when: str, *givers: str, custody: str = "UNKNOWN", **changes: Any) -> Consent:
    """Builds a named consent to aftercare by those who give it, at a Danish local time."""
    return a_consent(name, at(when), scope="named", given_by=givers, custody=custody, **changes)


def voided(event: E, **changes: Any) -> E:
    """Builds what cancels a statement."""
    return event.model_copy(update={"event_id": an_id("void"), "cancels": event.event_id} | changes)


def a_person(name: str = "person", **changes: Any) -> Person:
    """Builds what is known of Y: born 2010-05-01, of Helsingør."""
    fields = {"birth_date": date(2010, 5, 1), "municipality": "0217"}
    return Person.model_validate(header(name, at("2026-01-01 08:00")) | fields | changes)


def a_course(name: str, occurred_at: datetime, programme: str, status: str, **changes: Any) -> Enrolment:
    """Builds what an enrolment says about a course."""
    fields = {"programme": programme, "status": status, "status_at": occurred_at, "subject": f"course-{programme}"}
    return Enrolment.model_validate(header(name, occurred_at) | fields | changes)


def a_referral(name: str, occurred_at: datetime, **changes: Any) -> Referral:
    """Builds a referral to STIME that visitation rejects."""
    fields = {
        "referred_from": "municipality-0217",
        "programme": "stime",
        "status": "active",
        "status_at": occurred_at,
        "decision": "rejected",
    }
    return Referral.model_validate(header(name, occurred_at) | fields | changes)


def a_bridging(name: str, occurred_at: datetime, asked_by: str, **changes: Any) -> Referral:
    """Builds a programme's wish to bridge a young person onward."""
    fields = {"referred_from": asked_by, "programme": None, "status": "proposed", "decision": None, "bridging": True}
    return a_referral(name, occurred_at, **(fields | changes))


def a_letter(name: str, occurred_at: datetime, category: str = "regarding_referral", **changes: Any) -> Correspondence:
    """Builds a letter in free text."""
    return Correspondence.model_validate(header(name, occurred_at) | {"category": category} | changes)


@dataclass
class Story:
    """One pathway in one log: ``tell`` folds an event at a log time, deadlines before it fire first."""

    catalogue: Catalogue = field(default_factory=a_catalogue)
    pathway: Pathway = field(default_factory=lambda: Pathway(YOUTH))
    said: list[tuple[datetime, Emission]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    disclosures: list[dict[str, Any]] = field(default_factory=list)
    last_reply_id: str = ""

    def tell(self, when: datetime, *events: EventHeader) -> Story:
        """Folds events at a log time."""
        for event in events:
            self.wait_until(when)
            now = milliseconds_of(when)
            folded = apply_event(self.pathway, type(event).__name__, raw_of(event), self.catalogue, now)
            self.outcomes.append(folded.outcome)
            self._keep(folded.pathway, folded.said, now)
        return self

    def wait_until(self, when: datetime) -> Story:
        """Lets every deadline at or before a time fire, each at its own time."""
        until = milliseconds_of(when)
        while self.pathway.next_due <= until:
            due = self.pathway.next_due
            folded = fire_deadlines(self.pathway, self.catalogue, due)
            assert folded.pathway.next_due > due, "a deadline that fired is due again at once"
            self._keep(folded.pathway, folded.said, due)
        return self

    def wait(self, **duration: float) -> Story:
        """Waits after the last thing that was said."""
        return self.wait_until(self.said[-1][0] + timedelta(**duration))

    def wait_for_the_last_clock(self, rounds: int = 12) -> Story:
        """Lets a number of deadlines fire, or all where they end."""
        for _ in range(rounds):
            if self.pathway.next_due == NEVER:
                break
            self.wait_until(moment_of(self.pathway.next_due))
        return self

    def to_programmes(self, statement: str | None = None) -> list[tuple[str, str, str | None]]:
        """Returns (statement, programme, reason) of what programmes were told."""
        return [
            (one.fields["type"], one.fields["programme"], one.fields["reason_code"])
            for _, one in self.said
            if one.topic.startswith("handovers.") and statement in (None, one.fields["type"])
        ]

    def offers(self) -> list[tuple[str, str | None]]:
        """Returns (programme, site) of each offer."""
        return [
            (one.fields["programme"], one.fields["site"]) for _, one in self.said if one.fields.get("type") == "offered"
        ]

    def notices(self) -> list[tuple[str, str]]:
        """Returns (kind, recipient) of each notice."""
        return [(one.fields["kind"], one.fields["recipient"]) for _, one in self.said if one.topic == "notices"]

    def when(self, statement_or_kind: str) -> list[datetime]:
        """Returns the Danish times at which something of a kind was said."""
        return [
            moment.astimezone(COPENHAGEN)
            for moment, one in self.said
            if statement_or_kind in (one.fields.get("type"), one.fields.get("kind"))
        ]

    def needs(self) -> list[tuple[str, str, str | None]]:
        """Returns (kind, state, reason) of each need."""
        return [(need.kind, need.state, need.reason_code) for need in self.pathway.needs]

    def handover_id(self, programme: str) -> str:
        """Returns the id of the latest handover to a programme."""
        return [one.handover_id for one in self.pathway.handovers if one.programme == programme][-1]

    def reply(self, when: datetime, programme: str, status: str, **changes: Any) -> Story:
        """Lets a programme answer its latest handover."""
        number = len(self.outcomes)
        fields = {"programme": programme, "status": status}
        if "subject" not in changes:
            fields["subject"] = self.handover_id(programme)
        base = header(f"reply-{programme}-{status}-{number}", when) | {"source": programme}
        reply = Reply.model_validate(base | fields | changes)
        self.last_reply_id = str(reply.event_id)
        return self.tell(when, reply)

    def decide(self, when: datetime, action: str, **changes: Any) -> Story:
        """Lets a person decide about the first need."""
        number = len(self.outcomes)
        fields = {"action": action, "actor": "municipality-0217", "role": "owner"}
        base = header(f"decision-{number}", when) | {"subject": self.pathway.needs[0].need_id}
        return self.tell(when, Intervention.model_validate(base | fields | changes))

    def under(self, catalogue: Catalogue) -> Story:
        """Goes on under another catalogue."""
        return changed(self, catalogue=catalogue)

    def _keep(self, pathway: Pathway, said: Sequence[Emission], now: int) -> None:
        self.pathway = pathway
        self.said += [(moment_of(now), one) for one in said if one.topic not in ("pathways", "disclosures")]
        self.disclosures += [one.fields for one in said if one.topic == "disclosures"]
        self.views += [one.fields for one in said if one.topic == "pathways"]


def a_discharged_story(
    consent: Consent | None = None, when: str = "2026-02-02 10:00", catalogue: Catalogue | None = None
) -> Story:
    """Tells of an admission and a discharge home from child psychiatry, a Monday at 10, with a consent if given."""
    told = at(when)
    events = [
        a_person(),
        a_step("stin", told - timedelta(days=20), "admitted"),
        a_step("slhj", told, "discharged_home"),
    ]
    return Story(catalogue or a_catalogue()).tell(told, *events, *([consent] if consent else []))


def an_anonymous_consent() -> Consent:
    """Builds an anonymous consent given before the discharge."""
    return a_consent("consent", at("2026-02-01 12:00"))


def an_overlapping_story() -> Story:
    """Tells of two stays, of which the first ends on a Monday at 10 while the second goes on, and of a consent."""
    return Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin-1", MONDAY - timedelta(days=9), "admitted"),
        a_step("stin-2", MONDAY - timedelta(days=5), "admitted", episode_id="episode-2"),
        a_step("slhj-1", MONDAY, "discharged_home"),
    )
