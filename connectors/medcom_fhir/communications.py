"""The Communication of a CareCommunication: its kind, its thread and its segments.

Source: medcomdk/dk-medcom-carecommunication (MedComCareCommunication; invariants 5, 6 and 9). Guides 2.x and 3.0 have
no identifier of the thread and no MessageHeader.definition; 4.0 and later have both.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import CATEGORIES, CATEGORY_CODES, ErrorCode
from connectors.medcom_fhir.identifiers import checked_id, episode_id
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.segments import MessageSegment, read_message_segments, said_in
from connectors.medcom_fhir.stays import episode_of_encounter
from connectors.sender_ids import normalised

if TYPE_CHECKING:
    from connectors.medcom_fhir.bundle import Bundle

_RETRACTED = "entered-in-error"
_PRIORITIES = frozenset({"routine", "asap"})
_PRIORITISED, _NEEDS_TOPIC = "regarding-referral", "other"


@dataclass(frozen=True, slots=True)
class Communication:
    """What a Communication holds, its free text left out.

    ``category`` is MedCom's code; ``thread`` the normalised identifier that replies share, absent before guide 4.0;
    ``said`` a digest of topic, texts and attachments.
    """

    category: str
    thread: str | None
    episode: str | None
    segments: tuple[MessageSegment, ...]
    said: str = field(repr=False)


def read_communication(bundle: Bundle, header: Node, *, retracts: bool) -> Communication:
    """Returns the letter that MessageHeader.focus names; raises RefusedError where an element is unfit."""
    node = _communication(bundle, header, retracts=retracts)
    bundle.resolve(node.child("subject"), "Patient")
    category = _category(node)
    _check_priority(node, category)
    topic = _topic(node)
    if category == _NEEDS_TOPIC and topic is None:
        raise fhir_refusal("element_missing", "Communication.topic.text", "a letter of the category other has a topic")
    segments = read_message_segments(node)
    said = json.dumps([category, topic, node.value.get("priority"), said_in(node)], sort_keys=True)
    return Communication(
        category=category,
        thread=_thread(node, is_required=header.optional_text("definition") is not None),
        episode=_episode(bundle, node),
        segments=segments,
        said=hashlib.sha256(said.encode()).hexdigest(),
    )


def _communication(bundle: Bundle, header: Node, *, retracts: bool) -> Node:
    """Returns the Communication in focus: the one taken back of a retraction, else the one that stands.

    Retracting and modifying messages of guides 2.x and 3.0 have both in focus.
    """
    found = [bundle.resolve(focus, "Communication") for focus in header.children("focus")]
    for node in found:
        if node.text("status").lower() not in {"unknown", _RETRACTED}:
            raise fhir_refusal(ErrorCode.NOT_IN_VALUE_SET, "Communication.status", "the status is unknown")
    wanted = [node for node in found if (node.text("status").lower() == _RETRACTED) is retracts]
    if len(wanted) != 1:
        raise fhir_refusal("element_missing", "MessageHeader.focus", "a message has one focus, its Communication")
    return wanted[0]


def _category(node: Node) -> str:
    """Returns MedCom's code; codings of other systems may stand beside it (before guide 5.0), and are passed over."""
    path = "Communication.category"
    categories = node.children("category")
    if len(categories) != 1:
        raise fhir_refusal("element_repeated" if categories else "element_missing", path, "a letter has one category")
    codings = categories[0].children("coding")
    if not codings:
        raise fhir_refusal("element_missing", f"{path}.coding", "a category is coded")
    ours = [coding for coding in codings if coding.text("system") == CATEGORY_CODES]
    if not ours:
        raise fhir_refusal(
            ErrorCode.NOT_IN_CODE_SYSTEM, f"{path}.coding.system", f"the code system is {CATEGORY_CODES}"
        )
    if len(ours) > 1:
        raise fhir_refusal("element_repeated", f"{path}.coding", "a letter has one code of MedCom's categories")
    category = ours[0].text("code").lower()
    if category not in CATEGORIES:
        raise fhir_refusal(
            ErrorCode.NOT_IN_VALUE_SET, f"{path}.coding.code", "the category is one of CareCommunication's"
        )
    return category


def _check_priority(node: Node, category: str) -> None:
    priority = node.optional_text("priority")
    if priority is None:
        return
    if priority.lower() not in _PRIORITIES:
        raise fhir_refusal(ErrorCode.NOT_IN_VALUE_SET, "Communication.priority", "the priority is routine or asap")
    if category != _PRIORITISED:
        rule = "only a letter of the category regarding-referral has a priority"
        raise fhir_refusal("priority_not_allowed", "Communication.priority", rule)


def _topic(node: Node) -> str | None:
    topic = node.optional_child("topic")
    return topic.text("text") if topic is not None else None


def _thread(node: Node, *, is_required: bool) -> str | None:
    values = {normalised(identifier.text("value")) for identifier in node.children("identifier")}
    if len(values) > 1:
        raise fhir_refusal("element_repeated", "Communication.identifier", "a letter has one identifier")
    if not values and is_required:
        raise fhir_refusal("element_missing", "Communication.identifier", "the element is required")
    return normalised(checked_id(values.pop(), "Communication.identifier.value")) if values else None


def _episode(bundle: Bundle, node: Node) -> str | None:
    """Returns the normalised episode of care.

    Published letters of guide 4.0 carry an Encounter that nothing refers to; where it is the only one it is meant.
    """
    holder, encounters = node.optional_child("encounter"), bundle.of_type("Encounter")
    if holder is None and not encounters:
        return None
    if holder is None and any(one.value != encounters[0].value for one in encounters):
        raise fhir_refusal("element_missing", "Communication.encounter", "a letter refers to its Encounter")
    encounter = encounters[0] if holder is None else bundle.resolve(holder, "Encounter")
    if (subject := encounter.optional_child("subject")) is not None:
        bundle.resolve(subject, "Patient")
    identifier = episode_of_encounter(encounter)
    return episode_id(identifier.text("value"), f"{identifier.path}.value")
