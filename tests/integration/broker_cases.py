"""A dozen cases (docs/specification/cases.md) as timelines through the real broker, each about a person of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from schemas.events import EventHeader, Person
from tests.domain.story import YOUTH, a_consent, a_course, a_person, a_step, an_id, at, header

START = at("2030-02-04 10:00")  # a Monday ahead of any clock that runs this
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


NEW = "2" * 32
_LINKS = ("linked_to", "unlinked_from")

Timeline = tuple[tuple[timedelta, EventHeader], ...]


@dataclass(frozen=True)
class BrokerCase:
    """One case: what is told at which time after START, and what programmes are told in the end."""

    number: str
    timeline: tuple[tuple[timedelta, EventHeader], ...]
    expected: tuple[tuple[str, str, str | None], ...]
    notices: tuple[str, ...] = ()

    @property
    def youth_id(self) -> str:
        """Returns the case's own young person."""
        return an_id(f"youth-{self.number}").hex

    @property
    def youth_ids(self) -> set[str]:
        """Returns everybody whom it is about: two, where numbers are linked."""
        return {event.youth_id for _, event in self.events() if event.youth_id}

    def events(self) -> list[tuple[timedelta, EventHeader]]:
        """Returns the timeline with ids of the case's own."""
        return [(when, self._own(event)) for when, event in self.timeline]

    def _own(self, event: EventHeader) -> EventHeader:
        def own_id(value: object) -> object:
            return an_id(f"{self.number}-{value}") if value else None

        def own_youth(value: str | None) -> str | None:
            return an_id(f"youth-{self.number}-{value}").hex if value else None

        linked = {name: own_youth(getattr(event, name)) for name in _LINKS if hasattr(event, name)}
        return event.model_copy(
            update=linked
            | {
                "youth_id": self.youth_id if event.youth_id == YOUTH else own_youth(event.youth_id),
                "event_id": own_id(event.event_id),
                "revises": own_id(event.revises),
                "cancels": own_id(event.cancels),
            }
        )


def _begin(*events: EventHeader, consent: bool = True, municipality: str = "0217") -> Timeline:
    unit = "9991084000016101"
    first: list[EventHeader] = [
        a_person(municipality=municipality),
        a_step("stin", START - 20 * DAY, "admitted", unit=unit),
        a_step("slhj", START, "discharged_home", unit=unit),
    ]
    if consent:
        first.append(a_consent("consent", START - DAY))
    return tuple((timedelta(), event) for event in (*first, *events))


def _under_a_new_number(event: EventHeader) -> EventHeader:
    return event.model_copy(update={"youth_id": NEW})


def _link(name: str, when: timedelta, **other: str) -> tuple[timedelta, Person]:
    return when, Person.model_validate(header(name, START + when, **other))


_WITHDRAWAL = a_consent("gone", START + HOUR, decision="withdrawn", subject="consent")
_REFUSAL = a_consent("refusal", START + HOUR, decision="refused")
_U, _H = "ungevaerftet", "headspace"
_SILENT = (
    ("offered", _U, None),
    ("reminded", _U, None),
    ("withdrawn", _U, "expired"),
    ("offered", _H, None),
    ("reminded", _H, None),
    ("withdrawn", _H, "expired"),
)
_SOMATIC_UNIT = "9991084000016104"

CASES = (
    BrokerCase("1", _begin(), _SILENT, ("escalated",)),
    BrokerCase("3", tuple(reversed(_begin())), _SILENT, ("escalated",)),
    BrokerCase(
        "4",
        (*_begin(), (2 * HOUR, a_step("an", START, "discharged_home", cancels=an_id("slhj")))),
        (("offered", _U, None), ("withdrawn", _U, "discharge_cancelled")),
    ),
    BrokerCase("5", _begin(a_step("an", START, "discharged_home", cancels=an_id("slhj"))), ()),
    BrokerCase("8", (*_begin()[:2], (HOUR, a_step("stor", START, "on_leave", unit="9991084000016101"))), ()),
    BrokerCase(
        "9",
        (*_begin(), (2 * HOUR, a_step("mors", START + HOUR, "deceased", unit="9991084000016101"))),
        (("offered", _U, None), ("withdrawn", _U, None)),
    ),
    BrokerCase(
        "10",
        tuple(
            (timedelta(), event)
            for event in (
                a_person(),
                a_consent("consent", START - DAY),
                a_step("stin", START - DAY, "admitted", unit=_SOMATIC_UNIT),
                a_step("slhj", START, "discharged_home", unit=_SOMATIC_UNIT),
            )
        ),
        (),
    ),
    BrokerCase("14", (*_begin(consent=False), (3 * HOUR, _REFUSAL)), (), ("consent_wanted",)),
    BrokerCase(
        "17",
        (*_begin(), (2 * HOUR, _WITHDRAWAL)),
        (("offered", _U, None), ("withdrawn", _U, "consent_withdrawn")),
        ("deletion_overdue",),
    ),
    # Admitted under one number, sent home under another, which for two hours is another number of the same person.
    BrokerCase(
        "20",
        (
            *_begin()[:2],
            _begin()[3],
            (timedelta(), _under_a_new_number(a_person("other"))),
            _link("link", timedelta(), linked_to=NEW),
            (timedelta(), _under_a_new_number(_begin()[2][1])),
            _link("undone", 2 * HOUR, unlinked_from=NEW),
        ),
        # The consent was the other's, so that of this one none is in force.
        (("offered", _U, None), ("withdrawn", _U, "consent_withdrawn")),
        ("consent_wanted", "consent_reminder", "deletion_overdue", "escalated"),
    ),
    BrokerCase("22", _begin(municipality="0360"), (), ("escalated",)),
    BrokerCase("23", _begin(municipality="0101"), tuple(row for row in _SILENT if row[1] == _H), ("escalated",)),
    BrokerCase(
        "31",
        (*_begin(), (2 * HOUR, a_person("moved", occurred_at=START + HOUR, municipality="0101"))),
        (("offered", _U, None), ("withdrawn", _U, "moved"), *(row for row in _SILENT if row[1] == _H)),
        ("escalated",),
    ),
    BrokerCase(
        "32",
        tuple(
            (timedelta(), event)
            for event in (
                a_person(birth_date=date(2013, 5, 1)),
                a_consent("named", START - DAY, scope="named"),
                a_course("active", START - 700 * DAY, "opus-young", "active"),
                a_course("done", START, "opus-young", "completed"),
            )
        ),
        (
            ("offered", "unik-recovery-young", None),
            ("reminded", "unik-recovery-young", None),
            ("withdrawn", "unik-recovery-young", "expired"),
            *_SILENT,
        ),
        ("escalated",),
    ),
)
