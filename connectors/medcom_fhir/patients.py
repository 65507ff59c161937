"""The patient of a message: which number, dead or alive, protected or not.

CareCommunication allows replacement numbers, HospitalNotification a CPR number only; there they make a notice.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.cpr import SYSTEMS, PersonNumber, person_number
from connectors.medcom_fhir.codes import RESTRICTED, ErrorCode
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.person_details import PersonDetails, detail_of
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.medcom_fhir.bundle import Bundle


_LINKS_MAX = 8
REPLACES, REPLACED_BY = "replaces", "replaced-by"


@dataclass(frozen=True, slots=True)
class LinkedNumber:
    """A number that the patient's own replaces, or is replaced by (FHIR R4, Patient.link)."""

    relation: str
    number: PersonNumber = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patient:
    """Who a message is about."""

    number: PersonNumber
    deceased: bool | None
    protected: bool
    details: PersonDetails = field(repr=False)
    linked: tuple[LinkedNumber, ...] = field(default=(), repr=False)


def read_patient(bundle: Bundle) -> Patient:
    """Returns the one patient of a message (medcom-hospitalNotification-2, medcom-careCommunication-2).

    Raises RefusedError where there is none or more than one, or where it has not one number that ``connectors.cpr``
    takes.
    """
    patients = bundle.of_type("Patient")
    if len(patients) != 1:
        raise fhir_refusal(
            "patient_count", "Bundle.entry.resource.ofType(Patient)", "a message has exactly one Patient"
        )
    node = patients[0]
    number, protected = _number(node), _protected(node) or _protected(bundle.node)
    details = _details(node, number, protected=protected)
    return Patient(number, _deceased(node), protected, details, tuple(_linked(node)))


def _number(node: Node) -> PersonNumber:
    path = f"{node.path}.identifier"
    if not node.children("identifier"):
        raise fhir_refusal("element_missing", path, "the patient has an identifier")
    found = {
        person_number(system, identifier.text("value"), f"{identifier.path}.value")
        for identifier in node.children("identifier")
        if (system := identifier.optional_text("system")) in SYSTEMS
    }
    if not found:
        raise fhir_refusal(
            ErrorCode.NOT_IN_VALUE_SET,
            f"{path}.system",
            "the patient is identified by a CPR number, or one that replaces it",
        )
    # Whose number is known to the whole country goes before who is known to one region: CPR, X-eCPR, others.
    rank = min(SYSTEMS.index(number.system) for number in found)
    preferred = {number for number in found if number.system == SYSTEMS[rank]}
    if len(preferred) > 1:
        raise fhir_refusal("identifier_repeated", path, "the patient has one CPR number")
    return preferred.pop()


def _linked(node: Node) -> Iterator[LinkedNumber]:
    """Yields the numbers of Patient.link; what is no number of ours, or linked otherwise (refer), is passed over."""
    links = node.value.get("link")
    for link in [one for one in links if isinstance(one, dict)][:_LINKS_MAX] if isinstance(links, list) else []:
        relation, other = link.get("type"), link.get("other")
        identifier = other.get("identifier") if isinstance(other, dict) else None
        if relation not in (REPLACES, REPLACED_BY) or not isinstance(identifier, dict):
            continue
        system, value = identifier.get("system"), identifier.get("value")
        if system not in SYSTEMS or not isinstance(value, str):
            continue
        with suppress(RefusedError):
            yield LinkedNumber(relation, person_number(system, value, f"{node.path}.link.other.identifier.value"))


def _deceased(node: Node) -> bool | None:
    """Returns Patient.deceasedBoolean; a deceasedDateTime says that the patient is dead (FHIR R4)."""
    if node.optional_text("deceasedDateTime"):
        return True
    return node.optional_boolean("deceasedBoolean")


def _protected(node: Node) -> bool:
    """Returns whether name and address are protected: security label R (HL7 v3 Confidentiality, dk-core)."""
    meta = node.optional_child("meta")
    return meta is not None and any(label.optional_text("code") == RESTRICTED for label in meta.children("security"))


def _details(node: Node, number: PersonNumber, *, protected: bool) -> PersonDetails:
    """Returns what the vault is to keep; what is of another form than FHIR's is passed over, never refused."""
    return PersonDetails(
        number.system,
        number.number,
        _first(node, "name", _name),
        _first(node, "address", _address),
        _first(node, "telecom", _phone),
        protected or None,  # a letter without the label says nothing: it lifts no protection told elsewhere
    )


def _first(node: Node, element: str, read: Callable[[Node], str | None]) -> str | None:
    """Returns the first readable value of a repeating element, what is marked as old left out."""
    try:
        values = [read(one) for one in node.children(element) if one.optional_text("use") != "old"]
    except RefusedError:
        return None
    return next(filter(None, (detail_of(value) for value in values if value)), None)


def _name(name: Node) -> str | None:
    return name.optional_text("text") or " ".join([*_texts(name, "given"), *_texts(name, "family")])


def _address(address: Node) -> str | None:
    place = " ".join([*_texts(address, "postalCode"), *_texts(address, "city")])
    return address.optional_text("text") or ", ".join([*_texts(address, "line"), *([place] if place else [])])


def _phone(telecom: Node) -> str | None:
    return telecom.optional_text("value") if telecom.optional_text("system") in {"phone", "sms"} else None


def _texts(node: Node, element: str) -> list[str]:
    """Returns the texts of an element that is one or a list of them, in their order."""
    value = node.value.get(element)
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text.strip()]
