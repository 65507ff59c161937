"""CareCommunication 2.0-5.x, read from its Bundle, and the events it becomes.

Sources: medcomdk/dk-medcom-carecommunication (profiles, invariants 1-15), medcomdk/dk-medcom-messaging. Guides 2.x and
3.0 also modify and retract a letter; later ones can't, since what is in a mailbox has been read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.communications import read_communication
from connectors.medcom_fhir.door import FhirMappingContext, refuse_identifying_ids, refuse_times_ahead
from connectors.medcom_fhir.identifiers import resource_id
from connectors.medcom_fhir.letters import message_id_of, receiver_of, sender_of
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.patients import Patient, read_patient
from connectors.medcom_fhir.provenance import ProvenanceEntry, current_link, current_nodes, earlier_link
from connectors.medcom_fhir.segments import newest
from connectors.medcom_fhir.times import required_time
from connectors.sender_ids import normalised
from schemas.codes import CorrespondenceForm
from schemas.events import Correspondence, Person
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.medcom_fhir.bundle import Bundle
    from connectors.medcom_fhir.communications import Communication
    from connectors.medcom_fhir.organisations import Organisation

_REPLY, _MODIFIED, _RETRACTED = "reply-message", "modified-message", "retract-message"
_FORMS = {
    "new-message": CorrespondenceForm.NEW,
    _REPLY: CorrespondenceForm.REPLY,
    "forward-message": CorrespondenceForm.FORWARDED,
}
_OF_THE_EARLIER = frozenset({_MODIFIED, _RETRACTED})


@dataclass(frozen=True, slots=True)
class CareLetter:
    """Everything that is taken of a CareCommunication; ``named`` is the letter that it follows."""

    header_id: str
    sender: Organisation
    receiver: Organisation
    sent_at: datetime
    occurred_at: datetime
    link: ProvenanceEntry
    patient: Patient
    form: CorrespondenceForm
    category: str
    episode: str | None
    letter_id: UUID
    correlation_id: UUID
    named: UUID | None
    said: str = field(repr=False)


def read_care_letter(bundle: Bundle, header: Node, door: FhirMappingContext, recorded_at: datetime) -> CareLetter:
    """Returns what a CareCommunication says; raises RefusedError at the first rule that it breaks."""
    header_id = resource_id(header)
    sent_at = required_time(bundle.node, "timestamp")
    sender, receiver = sender_of(bundle, header), receiver_of(bundle, header)
    if not door.reference.is_receiver(receiver.sor, receiver.gln):
        path, rule = "MessageHeader.destination.receiver", "the primary receiver is one of this service's"
        raise fhir_refusal(ErrorCode.RECEIVER_UNKNOWN, path, rule, "check the receiver's SOR code and GLN")
    link = current_link(bundle, header_id)
    form = _form(bundle, link)
    communication = read_communication(bundle, header, retracts=link.activity == _RETRACTED)
    _check_follows(bundle, link)
    patient = read_patient(bundle)
    episode, thread = communication.episode, communication.thread
    ids = {"MessageHeader.id": header_id, "Bundle.id": bundle.id, "Encounter.episodeOfCare.identifier": episode}
    refuse_identifying_ids(patient, ids | {"Communication.identifier": thread, "Provenance.entity": link.follows})
    segment = newest(communication.segments, _added(bundle, header_id))
    refuse_times_ahead(door, {"Bundle.timestamp": sent_at, segment.path: segment.written_at}, recorded_at)
    return CareLetter(
        header_id=header_id,
        sender=sender,
        receiver=receiver,
        sent_at=sent_at,
        occurred_at=segment.written_at,
        link=link,
        patient=patient,
        form=form,
        category=communication.category.replace("-", "_"),
        episode=episode,
        letter_id=message_id_of(sender.sor, header_id, episode or ""),
        correlation_id=_correlation_id(bundle, link, communication),
        named=_named_letter(bundle, link, (sender, receiver), episode),
        said=communication.said,
    )


def events_of_care_letter(
    letter: CareLetter, youth_id: str, recorded_at: datetime
) -> tuple[tuple[str, Correspondence | Person], ...]:
    """Returns the ``correspondence`` and the ``persons`` event of a letter, each with its topic.

    The receiver of a letter need not be the home municipality's, as that of a HospitalNotification is: none is said.
    """
    envelope = {
        "source": f"sor:{letter.sender.sor}",
        "correlation_id": letter.correlation_id,
        "occurred_at": letter.occurred_at,
        "sent_at": letter.sent_at,
        "recorded_at": recorded_at,
        "youth_id": youth_id,
        "subject": normalised(letter.header_id),
    }
    activity = letter.link.activity
    said = Correspondence(
        **envelope,
        event_id=letter.letter_id,
        causation_id=None if activity in _OF_THE_EARLIER else letter.named,
        revises=letter.named if activity == _MODIFIED else None,
        cancels=letter.named if activity == _RETRACTED else None,
        category=letter.category,
        form=letter.form,
        episode_id=letter.episode,
    )
    person = Person(
        **envelope,
        event_id=derived_id("person", str(letter.letter_id)),
        birth_date=letter.patient.number.birth_date,
        protected=letter.patient.protected,
    )
    return (("correspondence", said), ("persons", person))


def _form(bundle: Bundle, link: ProvenanceEntry) -> CorrespondenceForm:
    """Returns the form; a letter that modifies or retracts one has that one's, unknown where it isn't retold."""
    if link.activity in _OF_THE_EARLIER:
        earlier = earlier_link(bundle, link.follows)
        return _FORMS.get(earlier.activity if earlier else "", CorrespondenceForm.UNKNOWN)
    if link.activity not in _FORMS:
        rule = "the activity is one of CareCommunication's"
        raise fhir_refusal(ErrorCode.NOT_IN_VALUE_SET, "Provenance.activity.coding.code", rule)
    return _FORMS[link.activity]


def _check_follows(bundle: Bundle, link: ProvenanceEntry) -> None:
    """Raises RefusedError where a letter that answers, forwards, modifies or retracts one doesn't name it.

    An earlier letter in EDIFACT or OIOXML is named by an identifier, which only a reply or forward can hold.
    """
    if link.follows is not None or link.activity == "new-message":
        return
    path, rule = "Provenance.entity.what.reference", "a letter that follows another one names it"
    names = [entity.optional_child("what") for node in _own(bundle, link) for entity in node.children("entity")
             if entity.optional_text("role") == "revision"]  # fmt: skip
    identifiers = [what.optional_child("identifier") for what in names if what is not None]
    if link.activity in _OF_THE_EARLIER or not any(one is not None and one.text("value") for one in identifiers):
        raise fhir_refusal("element_missing", path, rule)


def _own(bundle: Bundle, link: ProvenanceEntry) -> tuple[Node, ...]:
    return current_nodes(bundle, link.header_id)


def _added(bundle: Bundle, header_id: str) -> frozenset[str]:
    """Returns the normalised ids of the segments that the message's own Provenance names as its own."""
    return frozenset(
        normalised(identifier.text("value"))
        for node in current_nodes(bundle, header_id)
        for entity in node.children("entity")
        if entity.optional_text("role") == "source"
        and (what := entity.optional_child("what")) is not None
        and (identifier := what.optional_child("identifier")) is not None
    )


def _correlation_id(bundle: Bundle, link: ProvenanceEntry, communication: Communication) -> UUID:
    """Returns the id that a letter shares with its replies, whichever of them comes first.

    From the thread's identifier; before guide 4.0 from the episode, else from the first letter that the chain tells.
    """
    if communication.thread is not None:
        return derived_id("correspondence", communication.thread)
    if communication.episode is not None:
        return derived_id("episode", communication.episode)
    root, told = link.header_id, {link.header_id}
    earlier: ProvenanceEntry | None = link
    while earlier is not None and earlier.follows is not None and earlier.follows not in told:
        root = earlier.follows
        told.add(root)
        earlier = earlier_link(bundle, root)
    return derived_id("correspondence", root)


def _named_letter(
    bundle: Bundle, link: ProvenanceEntry, ends: tuple[Organisation, Organisation], episode: str | None
) -> UUID | None:
    """Returns the identity of the letter that is followed, or None where nothing tells who wrote it.

    Its sender is the agent of its own Provenance; where that is not retold, a reply is taken to go back to the
    writer, and a letter is modified or retracted by its writer alone.
    """
    if link.follows is None:
        return None
    sender, receiver = ends
    earlier = earlier_link(bundle, link.follows)
    sor = earlier.sor if earlier is not None else None
    if sor is None and link.activity == _REPLY:
        sor = receiver.sor
    if sor is None and link.activity in _OF_THE_EARLIER:
        sor = sender.sor
    return message_id_of(sor, link.follows, episode or "") if sor else None
