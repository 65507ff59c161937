"""The chain of messages that a Bundle's Provenances tell.

The current Provenance is the one whose target is this message's MessageHeader. The others retell the
history, in any order, and are never new events. ``entity.role`` revision stands on every successor: it
means *follows* (medcomdk/dk-medcom-hospitalnotification, HospitalNotificationProvenanceInstances).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import ACTIVITY_CODES, ErrorCode
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.organisations import sor_of
from connectors.medcom_fhir.references import read_reference
from connectors.medcom_fhir.times import optional_time_of
from connectors.sender_ids import normalised
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from connectors.medcom_fhir.bundle import Bundle

_ACTIVITY = re.compile(r"[a-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class ProvenanceEntry:
    """One Provenance: which letter, what was done, by whom, and which letter it follows.

    Ids are normalised. ``sor`` is absent where ``agent.who`` is not in the Bundle, as in published
    messages. ``sent_at`` is absent where it is no time. It and the two ids as sent are only ever retold.
    """

    header_id: str
    activity: str
    follows: str | None
    sor: str | None
    role: str | None
    sent_at: str | None
    header_id_as_sent: str
    follows_as_sent: str | None


def current_link(bundle: Bundle, header_id: str) -> ProvenanceEntry:
    """Returns the message's own Provenance; raises RefusedError where there is none, or more than one tale."""
    if not bundle.of_type("Provenance"):
        raise fhir_refusal(
            "provenance_missing", "Bundle.entry.resource.ofType(Provenance)", "a message has at least one Provenance"
        )
    own = {_link(bundle, node) for node in current_nodes(bundle, header_id)}
    if not own:
        raise fhir_refusal(
            "current_provenance_missing",
            "Provenance.target",
            "one Provenance has this message's MessageHeader as target",
        )
    if len(own) > 1:
        raise fhir_refusal(
            "current_provenance_repeated",
            "Provenance.target",
            "only one Provenance has this message's MessageHeader as target",
        )
    return own.pop()


def current_nodes(bundle: Bundle, header_id: str) -> tuple[Node, ...]:
    """Returns the Provenances whose target is the message's header: one, in every message that is taken."""
    own = normalised(header_id)
    return tuple(node for node in bundle.of_type("Provenance") if own in _targets(bundle, node))


def earlier_link(bundle: Bundle, header_id: str | None) -> ProvenanceEntry | None:
    """Returns what the Bundle retells of an earlier letter, or None where it does not, or in two ways."""
    found = set[ProvenanceEntry]()
    for node in bundle.of_type("Provenance") if header_id is not None else ():
        try:
            if header_id in _targets(bundle, node):
                found.add(_link(bundle, node))
        except RefusedError:
            continue  # History may be retold badly; what it cannot tell is treated as not told.
    return found.pop() if len(found) == 1 else None


def tells_of_a_death(bundle: Bundle, link: ProvenanceEntry | None) -> bool:
    """Returns whether an earlier letter was a MORS, as far as its Provenance can show it.

    A MORS repeats the activity of the letter it follows; no other letter of one hospital repeats a first
    activity, because a step that is corrected is sent as ``revise-*``. A transfer repeats
    ``admit-inpatient`` too, but from another organisation. What cannot be seen, and then counts as no
    death: a death told after a ``revise-*`` (two revisions in a row look the same), and one on arrival
    that follows nothing (``translate`` knows it by its times). An AN_MORS takes the role removal.
    """
    if link is None or link.role == "removal" or link.activity.startswith(("revise-", "cancel-")):
        return False
    earlier = earlier_link(bundle, link.follows)
    if earlier is None or earlier.activity != link.activity:
        return False
    return earlier.sor is None or link.sor is None or earlier.sor == link.sor


def told_links(bundle: Bundle) -> list[ProvenanceEntry]:
    """Returns what each of the Bundle's Provenances tells, those left out that can't be read."""
    links = []
    for node in bundle.of_type("Provenance"):
        with suppress(RefusedError):
            links.append(_link(bundle, node))
    return links


def takes_back_a_death(bundle: Bundle, link: ProvenanceEntry) -> bool:
    """Returns whether a letter that says that the patient lives takes back a death, as far as its Provenances show.

    An AN_MORS repeats the activity of the MORS that it names, with the role removal (MedCom's table), and no other
    letter removes one without an activity ``cancel-*``, or cancels a cancellation. Where the role is another, the
    letter that is named has to be seen to be a MORS, of a hospital that is told: two transfers in a row look the same.
    What cannot be seen, the fold knows: the event keeps what is said.
    """
    followed = earlier_link(bundle, link.follows)
    repeats = followed is not None and followed.activity == link.activity
    if link.role == "removal":
        return repeats or not link.activity.startswith("cancel-")
    before = earlier_link(bundle, followed.follows) if repeats and followed is not None else None
    known = before is not None and followed is not None and before.sor == followed.sor is not None
    return known and tells_of_a_death(bundle, followed)


def _targets(bundle: Bundle, node: Node) -> frozenset[str]:
    return frozenset(_letter(bundle, target, "target")[0] for target in node.children("target"))


def _letter(bundle: Bundle, holder: Node, name: str) -> tuple[str, str]:
    """Returns the normalised id of the letter that ``holder.reference`` names, and the id as sent.

    A letter that is not in the Bundle is known by its id, this one by its own ``fullUrl`` too: a UUID there may differ
    from the id. An absolute reference with this letter's id is this letter at its own ``fullUrl`` alone, and another
    one's elsewhere, whose whole URL is its id then. Raises RefusedError where it is no reference to a MessageHeader.
    """
    text, path = holder.text("reference"), f"Provenance.{name}.reference"
    told = read_reference(text)
    if told.id is None or told.type not in {None, "MessageHeader"}:
        code = "invalid_id" if told.contained is None else "unresolved_reference"
        raise fhir_refusal(code, path, "the reference is MessageHeader/id, a URL that ends so, or urn:uuid of one")
    headers = [one for one in bundle.resources if one.type == "MessageHeader"]
    for header in headers:
        if told.is_absolute and header.url is not None and header.url.whole == told.whole and header.id is not None:
            return header.id, header.node.text("id")
    if told.base is not None and any(told.id == header.id for header in headers):
        return told.whole, told.whole
    sent = text.partition("/_history/")[0].rpartition("/")[2]
    return told.id, sent


def _sent_at(node: Node) -> str | None:
    for name in ("occurredDateTime", "recorded"):
        try:
            if optional_time_of(node, name) is not None:
                return node.text(name)
        except RefusedError:
            continue  # Published messages order the stay by the Encounter; this time is only retold.
    return None


def _link(bundle: Bundle, node: Node) -> ProvenanceEntry:
    follows, role = _followed(bundle, node)
    targets = [_letter(bundle, target, "target") for target in node.children("target")]
    if not targets:
        raise fhir_refusal("element_missing", f"{node.path}.target", "a Provenance tells of one message at least")
    header_id, header_id_as_sent = min(targets)
    return ProvenanceEntry(
        header_id=header_id,
        activity=_activity(node),
        follows=follows[0] if follows else None,
        sor=_agent_sor(bundle, node),
        role=role,
        sent_at=_sent_at(node),
        header_id_as_sent=header_id_as_sent,
        follows_as_sent=follows[1] if follows else None,
    )


def _activity(node: Node) -> str:
    codings = node.child("activity").children("coding")
    # A hospital's own code may stand beside MedCom's.
    ours = [coding for coding in codings if coding.value.get("system") == ACTIVITY_CODES]
    codes = {coding.text("code").lower() for coding in ours or codings}
    if len(codes) != 1:
        raise fhir_refusal("element_missing", f"{node.path}.activity.coding", "the activity has one coding")
    code = codes.pop()
    if not _ACTIVITY.fullmatch(code):
        rule = "the activity is one of MedCom's"
        raise fhir_refusal(ErrorCode.NOT_IN_VALUE_SET, f"{node.path}.activity.coding.code", rule)
    return code


def _followed(bundle: Bundle, node: Node) -> tuple[tuple[str, str] | None, str | None]:
    """Returns the id, normalised and as sent, of the letter that is followed, and the role; a removal goes first."""
    found = {
        (role, _letter(bundle, what, "entity.what"))
        for entity in node.children("entity")
        if (role := entity.optional_text("role")) in {"removal", "revision"}
        and (what := entity.optional_child("what")) is not None
        and what.optional_text("reference") is not None
    }
    for role in ("removal", "revision"):
        letters = {letter for held_role, letter in found if held_role == role}
        if len({letter[0] for letter in letters}) > 1:
            raise fhir_refusal("conflicting_resources", f"{node.path}.entity", "a message follows one message")
        if letters:
            return min(letters), role
    return None, None


def _agent_sor(bundle: Bundle, node: Node) -> str | None:
    sors = set()
    for agent in node.children("agent"):
        who = agent.optional_child("who")
        reference = who.optional_text("reference") if who is not None else None
        for organisation in bundle.find(reference, "Organization", node.entry) if reference else ():
            try:
                sors.add(sor_of(organisation))
            except RefusedError:
                continue
    return sors.pop() if len(sors) == 1 else None
