"""HospitalNotification 3.0 to canonical events: a pure mapping but for the vault behind ``Identities``.

Sources: medcomdk/dk-medcom-hospitalnotification (profiles, invariants 1-6), medcomdk/dk-medcom-messaging,
medcomdk/MedCom-FHIR-Communication ("Reliable Messaging", "MessageHeader, identifiers and timestamps").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_fhir.bundle import Bundle, read_bundle
from connectors.medcom_fhir.classification import Step, classify
from connectors.medcom_fhir.codes import (
    ACKNOWLEDGEMENT,
    EVENT_CODES,
    HOSPITAL_NOTIFICATION,
    OTHER_EVENT_CODES,
    ErrorCode,
    ResponseCode,
)
from connectors.medcom_fhir.decoding import decode
from connectors.medcom_fhir.identifiers import checked_id, normalised, resource_id
from connectors.medcom_fhir.letters import Addressing, addressing_of, event_code, letter_id, receiver_of, sender_of
from connectors.medcom_fhir.nodes import Node, refused
from connectors.medcom_fhir.notification import Notification, content_digest, events_of, is_of_age
from connectors.medcom_fhir.outcomes import Outcome, OutOfScope, ReceivedAcknowledgement, Refused, Translation
from connectors.medcom_fhir.patients import read_patient
from connectors.medcom_fhir.provenance import Link, current_link, earlier_link, tells_of_a_death
from connectors.medcom_fhir.stays import Stay, occurred_at, read_stay
from connectors.medcom_fhir.times import time_of
from schemas.refusals import RefusedError
from schemas.rules import CLOCK_SKEW_MAX, refuse_ahead

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from connectors.medcom_fhir.identities import Identities
    from connectors.medcom_fhir.organisations import Organisation
    from schemas.reference import Reference

_AHEAD_HELP = "correct the time, and the sender's clock if it is that, and send a new message"


@dataclass(frozen=True, slots=True)
class Door:
    """What a door needs to take messages in.

    ``ages`` are the ages, in whole years, of all programmes together. ``own`` answers for a message that
    names no receiver; without it such a message is answered with HTTP 400. ``ahead_max`` is by how much what has
    happened may lie after its receipt; None, without limit, is for where a demo sets the calendar ahead.
    """

    identities: Identities
    reference: Reference
    ages: range
    own: Organisation | None = None
    ahead_max: timedelta | None = CLOCK_SKEW_MAX


def translate(message: bytes, door: Door, recorded_at: datetime) -> Outcome:
    """Returns what came of a message, whatever its bytes; raises nothing but what the vault raises.

    No text in the outcome repeats a personal value. The vault is asked last, and only for a message that
    will be published.
    """
    addressing = None
    try:
        bundle = read_bundle(decode(message))
        addressing = addressing_of(bundle, door.own)
        header = bundle.header
        if event_code(header) == ACKNOWLEDGEMENT:
            return _received_acknowledgement(bundle, header)
        _check_event_code(header)
        return _outcome(_notification(bundle, header, door, recorded_at), bundle, door, recorded_at)
    except RefusedError as error:
        return Refused(error.refusal, addressing)


def _outcome(notification: Notification, bundle: Bundle, door: Door, recorded_at: datetime) -> Outcome:
    addressing = Addressing(
        bundle.id, notification.header_id, notification.sender, notification.receiver, notification.link
    )
    letter = notification.letter_id
    if not is_of_age(notification, door.ages):
        return OutOfScope(addressing, letter, "age")
    who = notification.patient.number
    youth_id = door.identities.youth_id(who.system, who.number)
    events = events_of(notification, youth_id, recorded_at)
    return Translation(addressing, letter, content_digest(events), events, notification.patient.details)


def _check_event_code(header: Node) -> None:
    code, path = event_code(header), "MessageHeader.eventCoding.code"
    if code == HOSPITAL_NOTIFICATION:
        return
    if code is None:
        raise refused("element_missing", path, "the element is required")
    if code in OTHER_EVENT_CODES:
        raise refused(
            ErrorCode.MESSAGE_TYPE_NOT_TAKEN,
            path,
            "this door takes HospitalNotification only",
            "a later release takes CareCommunication; until then send it to the person it concerns",
        )
    raise refused(ErrorCode.NOT_IN_CODE_SYSTEM, path, f"the code is one of {EVENT_CODES}")


def _received_acknowledgement(bundle: Bundle, header: Node) -> ReceivedAcknowledgement:
    response = header.child("response")
    code = response.text("code")
    if code not in {member.value for member in ResponseCode}:
        raise refused(ErrorCode.NOT_IN_VALUE_SET, "MessageHeader.response.code", "the code is one of response-code")
    identifier = checked_id(response.text("identifier"), "MessageHeader.response.identifier")
    return ReceivedAcknowledgement(bundle.id, identifier, ResponseCode(code))


def _notification(bundle: Bundle, header: Node, door: Door, recorded_at: datetime) -> Notification:
    header_id, bundle_id = resource_id(header), bundle.id
    sent_at = time_of(bundle.node, "timestamp")
    sender, receiver = sender_of(bundle, header), receiver_of(bundle, header)
    municipality = door.reference.municipality_of(receiver.sor, receiver.gln)
    if municipality is None:
        raise refused(
            ErrorCode.RECEIVER_UNKNOWN,
            "MessageHeader.destination.receiver",
            "the primary receiver is one of this service's",
            "check the receiver's SOR code and GLN",
        )
    link = current_link(bundle, header_id)
    patient, stay = read_patient(bundle), read_stay(bundle, header)
    if any(normalised(patient.number.number) in normalised(held) for held in (header_id, bundle_id, stay.episode)):
        raise refused("identifier_in_id", "Bundle", "no id holds the patient's number")
    step = _step(bundle, link, stay, deceased=patient.deceased)
    when, path = occurred_at(stay, step)
    if door.ahead_max is not None:
        refuse_ahead({"Bundle.timestamp": sent_at, path: when}, recorded_at + door.ahead_max, _AHEAD_HELP)
    return Notification(
        header_id=header_id,
        sender=sender,
        receiver=receiver,
        municipality=municipality,
        sent_at=sent_at,
        link=link,
        patient=patient,
        stay=stay,
        step=step,
        occurred_at=when,
        letter_id=letter_id(sender.sor, header_id, stay.episode),
        specialty=door.reference.specialty_of(stay.unit),
        named=_named_letter(bundle, link, stay, sender),
    )


def _step(bundle: Bundle, link: Link, stay: Stay, *, deceased: bool | None) -> Step:
    """Returns the step; a death follows a death where the history shows it (``tells_of_a_death``).

    A death on arrival starts and ends the stay at one instant (MedCom, "Death"), so that what it follows
    can only be the same death.
    """
    on_arrival = link.follows is not None and stay.started_at == stay.ended_at
    follows_death = on_arrival or tells_of_a_death(bundle, earlier_link(bundle, link.follows))
    step = classify(link.activity, (stay.held_class, stay.status), deceased=deceased, follows_death=follows_death)
    if step.mode.value and link.follows is None:
        raise refused(
            "element_missing",
            "Provenance.entity.what.reference",
            "a message that revises or cancels names the MessageHeader of the earlier one",
        )
    return step


def _named_letter(bundle: Bundle, link: Link, stay: Stay, sender: Organisation) -> UUID | None:
    """Returns the identity of the letter that is followed.

    Its sender is the agent of its own Provenance. Published messages often leave that organisation out:
    then the first letter of an episode is taken to be from the organisation that made the episode's id,
    any other one from this letter's sender.
    """
    if link.follows is None:
        return None
    earlier = earlier_link(bundle, link.follows)
    sor = earlier.sor if earlier is not None else None
    if sor is None and (earlier is None or earlier.follows is None):
        sor = stay.episode_sor
    return letter_id(sor or sender.sor, link.follows, stay.episode)
