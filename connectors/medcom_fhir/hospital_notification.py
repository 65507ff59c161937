"""HospitalNotification 3.0, read from its Bundle.

Sources: medcomdk/dk-medcom-hospitalnotification (profiles, invariants 1-6), medcomdk/dk-medcom-messaging. Guide 2.0
differs in the leave alone: it has no element for the leave's own times, so that its STOR and SLOR are refused by the
element's name, because nothing else in them says when the leave began or ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.medcom_fhir.classification import NotificationStep, classify
from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.door import FhirMappingContext, refuse_identifying_ids, refuse_times_ahead
from connectors.medcom_fhir.identifiers import resource_id
from connectors.medcom_fhir.letters import message_id_of, receiver_of, sender_of
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.notification import Notification
from connectors.medcom_fhir.patients import read_patient
from connectors.medcom_fhir.provenance import (
    ProvenanceEntry,
    current_link,
    earlier_link,
    takes_back_a_death,
    tells_of_a_death,
)
from connectors.medcom_fhir.stays import EncounterStay, occurred_at, read_stay
from connectors.medcom_fhir.times import required_time

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.medcom_fhir.bundle import Bundle
    from connectors.medcom_fhir.organisations import Organisation


def read_notification(bundle: Bundle, header: Node, door: FhirMappingContext, recorded_at: datetime) -> Notification:
    """Returns what a HospitalNotification says; raises RefusedError at the first rule that it breaks."""
    header_id = resource_id(header)
    sent_at = required_time(bundle.node, "timestamp")
    sender, receiver = sender_of(bundle, header), receiver_of(bundle, header)
    municipality = door.reference.municipality_of(receiver.sor, receiver.gln)
    if municipality is None:
        raise fhir_refusal(
            ErrorCode.RECEIVER_UNKNOWN,
            "MessageHeader.destination.receiver",
            "the primary receiver is one of this service's, and a municipality's",
            "check the receiver's SOR code and GLN",
        )
    link = current_link(bundle, header_id)
    patient, stay = read_patient(bundle), read_stay(bundle, header)
    ids = {"MessageHeader.id": header_id, "Bundle.id": bundle.id, "Encounter.episodeOfCare.identifier": stay.episode}
    refuse_identifying_ids(patient, ids | {"Encounter.serviceProvider": stay.unit, "Provenance.entity": link.follows})
    step = _step(bundle, link, stay, deceased=patient.deceased)
    when, path = occurred_at(stay, step)
    refuse_times_ahead(door, {"Bundle.timestamp": sent_at, path: when}, recorded_at)
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
        letter_id=message_id_of(sender.sor, header_id, stay.episode),
        specialty=door.reference.specialty_of(stay.unit),
        named=_named_letter(bundle, link, stay, sender),
    )


def _step(bundle: Bundle, link: ProvenanceEntry, stay: EncounterStay, *, deceased: bool | None) -> NotificationStep:
    """Returns the step; a death follows a death, or is taken back, where the history shows it.

    A death on arrival starts and ends the stay at one instant (MedCom, "Death"), so that what it follows
    can only be the same death.
    """
    on_arrival = link.follows is not None and stay.started_at == stay.ended_at
    follows_death = on_arrival or tells_of_a_death(bundle, earlier_link(bundle, link.follows))
    if deceased is False and not takes_back_a_death(bundle, link):
        deceased = None
    step = classify(link.activity, (stay.held_class, stay.status), deceased=deceased, follows_death=follows_death)
    if step.mode.value and link.follows is None:
        raise fhir_refusal(
            "element_missing",
            "Provenance.entity.what.reference",
            "a message that revises or cancels names the MessageHeader of the earlier one",
        )
    return step


def _named_letter(bundle: Bundle, link: ProvenanceEntry, stay: EncounterStay, sender: Organisation) -> UUID | None:
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
    return message_id_of(sor or sender.sor, link.follows, stay.episode)
