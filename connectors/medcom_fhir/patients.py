"""The patient of a message: which number, which birth date, protected or not.

CPR: 10 digits DDMMYYSSSS; digit 7 and the year give the century; numbers that fail modulus 11 are valid
since 1 October 2007 and are taken. Replacement numbers (dk-core): X-eCPR ``DDMMYY[17]AA9`` and D-eCPR
``DDMMYY[056]AA9``; HospitalNotification allows CPR only, so they are taken with a notice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import CPR, D_ECPR, RESTRICTED, X_ECPR, ErrorCode
from connectors.medcom_fhir.nodes import Node, refused

if TYPE_CHECKING:
    from connectors.medcom_fhir.bundle import Bundle

_CPR = re.compile(r"[0-9]{10}")
_REPLACEMENTS = {
    X_ECPR: re.compile(r"[0-9]{6}[17][A-Z]{2}[0-9]"),
    D_ECPR: re.compile(r"[0-9]{6}[056][A-Z]{2}[0-9]"),
}
_SYSTEMS = frozenset({CPR, *_REPLACEMENTS})


@dataclass(frozen=True, slots=True)
class Patient:
    """Who a message is about. ``system`` and ``number`` are for the vault alone and never leave the door."""

    system: str
    number: str
    birth_date: date | None
    deceased: bool | None
    protected: bool

    @property
    def has_replacement_number(self) -> bool:
        """Returns whether the number is a replacement for a CPR number, so that the birth date is unknown."""
        return self.system != CPR

    def __repr__(self) -> str:
        """Returns no value at all, so that no log or error text can repeat one."""
        return "Patient(…)"


def read_patient(bundle: Bundle) -> Patient:
    """Returns the one patient of a HospitalNotification (medcom-hospitalNotification-2).

    Raises RefusedError where there is none or more than one, or where the number is no CPR number and
    no replacement number.
    """
    patients = bundle.of_type("Patient")
    if len(patients) != 1:
        raise refused("patient_count", "Bundle.entry.resource.ofType(Patient)", "a message has exactly one Patient")
    node = patients[0]
    system, number = _number(node)
    birth_date = _birth_date(number) if system == CPR else None
    return Patient(system, number, birth_date, _deceased(node), _protected(node) or _protected(bundle.node))


def _number(node: Node) -> tuple[str, str]:
    path = f"{node.path}.identifier"
    found = {
        _classified(identifier, system)
        for identifier in node.children("identifier")
        if (system := identifier.optional_text("system")) in _SYSTEMS
    }
    if not found:
        raise refused(ErrorCode.NOT_IN_VALUE_SET, f"{path}.system", "the patient is identified by a CPR number")
    preferred = {number for number in found if number[0] == CPR} or found
    if len(preferred) > 1:
        raise refused("identifier_repeated", path, "the patient has one CPR number")
    return preferred.pop()


def _classified(identifier: Node, system: str) -> tuple[str, str]:
    value = identifier.text("value").upper()
    if system == CPR and _CPR.fullmatch(value):
        return CPR, value
    for replacement, pattern in _REPLACEMENTS.items():
        if system in {CPR, replacement} and pattern.fullmatch(value):
            return replacement, value
    raise refused(
        "invalid_cpr",
        f"{identifier.path}.value",
        "the number is ten digits that begin with a date, or a replacement number of its system's form",
    )


def _birth_date(number: str) -> date:
    year, seventh = int(number[4:6]), int(number[6])
    try:
        return date(_century(seventh, year) + year, int(number[2:4]), int(number[:2]))
    except ValueError as error:
        raise refused("invalid_cpr", "Patient.identifier.value", "the first six digits are a real date") from error


def _century(seventh: int, year: int) -> int:
    """Returns the century of birth (CPR-kontoret, "Personnummeret i CPR"): digit 7 and the two-digit year."""
    if seventh <= 3:  # noqa: PLR2004 the table's own numbers
        return 1900
    if seventh in {4, 9}:
        return 2000 if year <= 36 else 1900  # noqa: PLR2004
    return 2000 if year <= 57 else 1800  # noqa: PLR2004


def _deceased(node: Node) -> bool | None:
    """Returns Patient.deceasedBoolean; a deceasedDateTime says that the patient is dead (FHIR R4)."""
    if node.optional_text("deceasedDateTime"):
        return True
    return node.optional_boolean("deceasedBoolean")


def _protected(node: Node) -> bool:
    """Returns whether name and address are protected: security label R (HL7 v3 Confidentiality, dk-core)."""
    meta = node.optional_child("meta")
    return meta is not None and any(label.optional_text("code") == RESTRICTED for label in meta.children("security"))
