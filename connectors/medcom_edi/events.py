"""The events that a letter becomes, and their ids."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from connectors.local_times import COPENHAGEN
from connectors.medcom_edi.codes import NOTICES, LetterStatus
from connectors.medcom_edi.meaning import FreeText, Referred, StayStep
from connectors.medcom_edi.parties import municipality_of, unit_of
from schemas.codes import ReferralStatus, Remark, Specialty
from schemas.events import UNNUMBERED, Correspondence, Discharge, Person, Referral
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.medcom_edi.letters import EdiLetter
    from connectors.medcom_edi.outcomes import Event
    from connectors.medcom_edi.parties import Party
    from connectors.medcom_edi.reading import LetterTime
    from schemas.reference import Reference

_NOT_CONTENT = {"sent_at", "recorded_at", "specialty", "municipality"}
_NAMED_BY_REFERENCE = {"unit", "referred_from", "referred_to"}


@dataclass(frozen=True, slots=True)
class Facts:
    """A letter with what it means, and what reference data adds."""

    letter: EdiLetter
    meaning: StayStep | Referred | FreeText
    unit: str
    receiver: str
    municipality: str | None
    specialty: Specialty


def facts_of(letter: EdiLetter, meaning: StayStep | Referred | FreeText, reference: Reference) -> Facts:
    """Returns a letter's facts; reference data's specialty stands before the letter's own.

    Raises RefusedError where the receiver says to be a municipality that there is not.
    """
    unit = unit_of(letter.sender, reference)
    known = reference.specialty_of(unit)
    return Facts(
        letter,
        meaning,
        unit,
        unit_of(letter.receiver, reference),
        municipality_of(letter.receiver, reference),
        letter.specialty if known is Specialty.UNKNOWN else known,
    )


def letter_key(letter: EdiLetter) -> UUID:
    """Returns what tells that a letter comes again: sender, type, number and status; of a correction its time too."""
    again = "" if letter.status is LetterStatus.NEW else letter.authorised.at.astimezone(COPENHAGEN).isoformat()
    return derived_id("edi-letter", letter.sender.gln, letter.kind, letter.identifier, letter.status, again)


def thread_id(letter: EdiLetter, told: LetterTime) -> UUID:
    """Returns the event id of the new letter of a thread, which its corrections and cancellations name.

    A thread is a department's, since one episode has an admission notice of each department. Of notices the time that
    they tell is part of it: the number that they have in common is often that of a course, in which somebody is
    discharged more than once, be it on one day. A correction that tells another time names no event by it: it is about
    the notice of its thread, which is its ``subject``, that is nearest in time (docs/specification/rules.md F14).
    """
    parts = (letter.sender.gln, letter.sender.identifier, letter.kind, letter.thread)
    time = (told.at.astimezone(COPENHAGEN).isoformat(),) if letter.kind in NOTICES else ()
    return derived_id("edi-thread", *parts, *time)


def letter_events(facts: Facts, youth_id: str, recorded_at: datetime) -> tuple[tuple[str, Event], ...]:
    """Returns the event that a letter is, and the ``persons`` event, each with its topic."""
    topic, event = _event(facts, _envelope(facts, youth_id, recorded_at))
    return ((topic, event), ("persons", _person(facts, event)))


def letter_digest(facts: Facts, events: tuple[tuple[str, Event], ...]) -> str:
    """Returns a digest of what the events say; it holds the random youth id.

    Parties stand in it as the letter names them: what reference data calls them may change before it comes again.
    """
    said: list[Any] = [
        [topic, event.model_dump(mode="json", exclude=_NOT_CONTENT | _NAMED_BY_REFERENCE)] for topic, event in events
    ]
    said += [[party.code, party.identifier] for party in _parties_said(facts)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _parties_said(facts: Facts) -> tuple[Party, ...]:
    """Returns the parties that the events name."""
    letter = facts.letter
    return (letter.sender, letter.receiver) if isinstance(facts.meaning, Referred) else (letter.sender,)


def _event(facts: Facts, envelope: dict[str, Any]) -> tuple[str, Discharge | Referral | Correspondence]:
    letter, meaning = facts.letter, facts.meaning
    match meaning:
        case StayStep():
            return "discharges", _discharge(facts, meaning, envelope)
        case Referred(told):
            referral = Referral(
                **envelope,
                referred_from=facts.unit,
                referred_to=facts.receiver,
                status=ReferralStatus.ACTIVE,
                status_at=told.at,
            )
            return "referrals", referral
        case FreeText():
            category, episode = letter.kind.lower(), letter.episode
            return "correspondence", Correspondence(**envelope, category=category, episode_id=episode)
        case _:
            assert_never(meaning)


def _envelope(facts: Facts, youth_id: str, recorded_at: datetime) -> dict[str, Any]:
    letter, meaning = facts.letter, facts.meaning
    root = thread_id(letter, meaning.told)
    voids = letter.status is LetterStatus.CANCELLED or (isinstance(meaning, StayStep) and meaning.voids)
    return {
        "event_id": root
        if letter.status is LetterStatus.NEW
        else derived_id("edi-correction", str(letter_key(letter))),
        "source": f"gln:{letter.sender.gln}",
        "correlation_id": derived_id("episode", letter.episode) if letter.episode else root,
        "occurred_at": meaning.told.at,
        "sent_at": letter.authorised.at,
        "recorded_at": recorded_at,
        "youth_id": youth_id,
        "subject": letter.thread,
        "revises": root if letter.status is LetterStatus.CORRECTED and not voids else None,
        "cancels": root if voids else None,
    }


def _discharge(facts: Facts, step: StayStep, envelope: dict[str, Any]) -> Discharge:
    letter = facts.letter
    nonstandard = letter.kind in NOTICES and letter.number.is_replacement  # a notice has room for CPR numbers alone
    return Discharge(
        **envelope,
        episode_id=letter.episode or UNNUMBERED,
        status=step.status,
        stay_class=step.stay_class,
        unit=facts.unit,
        specialty=facts.specialty,
        notification=letter.kind,
        remarks=(Remark.NONSTANDARD_IDENTIFIER,) if nonstandard else (),
    )


def _person(facts: Facts, event: Event) -> Person:
    return Person(
        event_id=derived_id("person", str(event.event_id)),
        source=event.source,
        correlation_id=event.correlation_id,
        occurred_at=event.occurred_at,
        sent_at=event.sent_at,
        recorded_at=event.recorded_at,
        youth_id=event.youth_id,
        subject=event.subject,
        birth_date=facts.letter.number.birth_date,
        municipality=facts.municipality,
    )
