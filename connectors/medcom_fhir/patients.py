"""The patient of a message: which number, dead or alive, protected or not.

HospitalNotification allows a CPR number only; replacement numbers are taken with a notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.cpr import SYSTEMS, PersonNumber, person_number
from connectors.medcom_fhir.codes import RESTRICTED, ErrorCode
from connectors.medcom_fhir.nodes import Node, refused

if TYPE_CHECKING:
    from connectors.medcom_fhir.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Patient:
    """Who a message is about."""

    number: PersonNumber
    deceased: bool | None
    protected: bool


def read_patient(bundle: Bundle) -> Patient:
    """Returns the one patient of a HospitalNotification (medcom-hospitalNotification-2).

    Raises RefusedError where there is none or more than one, or where it has not one number that ``connectors.cpr``
    takes.
    """
    patients = bundle.of_type("Patient")
    if len(patients) != 1:
        raise refused("patient_count", "Bundle.entry.resource.ofType(Patient)", "a message has exactly one Patient")
    node = patients[0]
    return Patient(_number(node), _deceased(node), _protected(node) or _protected(bundle.node))


def _number(node: Node) -> PersonNumber:
    path = f"{node.path}.identifier"
    found = {
        person_number(system, identifier.text("value"), f"{identifier.path}.value")
        for identifier in node.children("identifier")
        if (system := identifier.optional_text("system")) in SYSTEMS
    }
    if not found:
        raise refused(ErrorCode.NOT_IN_VALUE_SET, f"{path}.system", "the patient is identified by a CPR number")
    preferred = {number for number in found if not number.is_replacement} or found
    if len(preferred) > 1:
        raise refused("identifier_repeated", path, "the patient has one CPR number")
    return preferred.pop()


def _deceased(node: Node) -> bool | None:
    """Returns Patient.deceasedBoolean; a deceasedDateTime says that the patient is dead (FHIR R4)."""
    if node.optional_text("deceasedDateTime"):
        return True
    return node.optional_boolean("deceasedBoolean")


def _protected(node: Node) -> bool:
    """Returns whether name and address are protected: security label R (HL7 v3 Confidentiality, dk-core)."""
    meta = node.optional_child("meta")
    return meta is not None and any(label.optional_text("code") == RESTRICTED for label in meta.children("security"))
