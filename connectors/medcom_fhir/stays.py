"""The Encounter of a HospitalNotification: which episode, which unit, and when what happened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.local_times import ordered_period
from connectors.medcom_fhir.classification import NotificationStep, RevisionMode
from connectors.medcom_fhir.codes import LEAVE_PERIOD_SUFFIX, LPR3
from connectors.medcom_fhir.identifiers import episode_id
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.organisations import sor_of
from connectors.medcom_fhir.times import optional_time_of, required_time
from schemas.codes import StayStatus

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.medcom_fhir.bundle import Bundle

_MAKER = re.compile(r"#id=([0-9]{11,18})$")


@dataclass(frozen=True, slots=True)
class EncounterStay:
    """What an Encounter holds.

    ``unit`` is Encounter.serviceProvider's SOR code, which may differ from the sender's; ``episode`` is
    normalised; ``episode_sor`` is the organisation that made the episode's local id, where its system
    says so (``https://sor2.sum.dsdn.dk/#id=<SOR>``, MedCom's recommendation).
    """

    episode: str
    episode_sor: str | None
    unit: str
    held_class: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    leave_started_at: datetime | None
    leave_ended_at: datetime | None


def read_stay(bundle: Bundle, header: Node) -> EncounterStay:
    """Returns the stay that MessageHeader.focus names; raises RefusedError where an element is unfit."""
    encounter = _encounter(bundle, header)
    period = encounter.child("period")
    leave = _leave_period(encounter)
    episode = episode_of_encounter(encounter)
    started_at, ended_at = _ordered(required_time(period, "start"), optional_time_of(period, "end"))
    leave_start, leave_end = optional_time_of(leave, "start"), optional_time_of(leave, "end")
    if leave_start is not None:
        leave_start, leave_end = _ordered(leave_start, leave_end)
    return EncounterStay(
        episode=episode_id(episode.text("value"), f"{episode.path}.value"),
        episode_sor=_maker(episode),
        unit=sor_of(bundle.resolve(encounter.child("serviceProvider"), "Organization")),
        held_class=encounter.child("class").text("code").upper(),
        status=encounter.text("status").lower(),
        started_at=started_at,
        ended_at=ended_at,
        leave_started_at=leave_start,
        leave_ended_at=leave_end,
    )


def occurred_at(stay: EncounterStay, step: NotificationStep) -> tuple[datetime, str]:
    """Returns when the step happened, and which element says so: never the Provenance's time, always the Encounter's.

    A cancellation has the time of the step it cancels. Where it no longer carries it (AN_SLHJ: the
    Encounter is in progress again and has no end), the nearest earlier time it does carry: the leave's
    start for AN_SLOR, else the stay's start, which every message has. Raises RefusedError where a step
    that is not a cancellation lacks its time.
    """
    start, leave_start = "Encounter.period.start", "Encounter.extension.valuePeriod.start"
    wanted, path = {
        StayStatus.ON_LEAVE: (stay.leave_started_at, leave_start),
        StayStatus.BACK: (stay.leave_ended_at, "Encounter.extension.valuePeriod.end"),
        StayStatus.DISCHARGED_HOME: (stay.ended_at, "Encounter.period.end"),
        StayStatus.DECEASED: (stay.ended_at, "Encounter.period.end"),
    }.get(step.stay_status, (stay.started_at, start))
    if wanted is not None:
        return wanted, path
    if step.mode is not RevisionMode.CANCEL:
        raise fhir_refusal("element_missing", path, "the element is required for this activity")
    if step.stay_status is StayStatus.BACK and stay.leave_started_at is not None:
        return stay.leave_started_at, leave_start
    return stay.started_at, start


def episode_of_encounter(encounter: Node) -> Node:
    """Returns the episode of care identifier; the local one wins over LPR3's (MedCom, "Episode of care identifier")."""
    identifiers = [
        identifier
        for episode in encounter.children("episodeOfCare")
        if (identifier := episode.optional_child("identifier")) is not None
    ]
    local = [identifier for identifier in identifiers if not _is_lpr3(identifier)]
    for identifier in local or identifiers:
        return identifier
    raise fhir_refusal("element_missing", "Encounter.episodeOfCare.identifier", "the stay has an episode of care id")


def _ordered(start: datetime, end: datetime | None) -> tuple[datetime, datetime | None]:
    return (start, None) if end is None else ordered_period(start, end)


def _encounter(bundle: Bundle, header: Node) -> Node:
    focus = header.children("focus")
    if len(focus) != 1:
        raise fhir_refusal("element_missing", "MessageHeader.focus", "a message has one focus, its Encounter")
    encounter = bundle.resolve(focus[0], "Encounter")
    if (subject := encounter.optional_child("subject")) is not None:
        bundle.resolve(subject, "Patient")
    return encounter


def _maker(identifier: Node) -> str | None:
    match = _MAKER.search(identifier.optional_text("system") or "")
    return match[1] if match else None


def _is_lpr3(identifier: Node) -> bool:
    system = (identifier.optional_text("system") or "").lower()
    return system.removeprefix("https://").removeprefix("http://").rstrip("/") == LPR3


def _leave_period(encounter: Node) -> Node | None:
    periods = [
        extension.child("valuePeriod")
        for extension in encounter.children("extension")
        if (extension.optional_text("url") or "").endswith(LEAVE_PERIOD_SUFFIX)
    ]
    if len(periods) > 1:
        raise fhir_refusal("leave_repeated", "Encounter.extension", "a message has one leave period at most")
    return periods[0] if periods else None
