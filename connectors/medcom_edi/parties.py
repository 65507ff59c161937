"""Who sends or receives a letter, checked, and what this service calls them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_edi.codes import IDENTIFIER_WORDS, IdentifierCode
from connectors.medcom_edi.reading import required
from connectors.medcom_edi.refusing import letter_refusal

if TYPE_CHECKING:
    from connectors.medcom_edi.fields import PartyFields
    from schemas.reference import Reference

_GLN = re.compile(r"[0-9]{13}")
_FORMS = {
    IdentifierCode.SKS: re.compile(r"[0-9A-Z]{4,10}"),
    IdentifierCode.PRACTICE: re.compile(r"[0-9]{4,7}"),
    IdentifierCode.GLN: _GLN,
    IdentifierCode.MUNICIPALITY: re.compile(r"0?[0-9]{3}"),
    IdentifierCode.SOR: re.compile(r"[0-9]{11,18}"),
}
_MUNICIPALITY_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Party:
    """A sender or receiver: location number, and own code of a list.

    The location number's check digit isn't checked: published examples have wrong ones.
    """

    gln: str
    code: IdentifierCode
    identifier: str
    path: str


def read_party(fields: PartyFields) -> Party:
    """Returns a party; raises RefusedError where a number is missing or not of its list's form."""
    gln, identifier = required(fields.gln), required(fields.identifier).upper()
    code = IDENTIFIER_WORDS.get(required(fields.identifier_code))
    if code is None:
        rule = f"the code is one of: {', '.join(IDENTIFIER_WORDS)}"
        raise letter_refusal("unknown_code", fields.identifier_code.path, rule)
    if not _GLN.fullmatch(gln):
        raise letter_refusal("invalid_gln", fields.gln.path, "a location number has 13 digits")
    if not _FORMS[code].fullmatch(identifier):
        raise letter_refusal("wrong_form", fields.identifier.path, "the identifier has its list's form")
    if code is IdentifierCode.MUNICIPALITY:
        identifier = identifier.zfill(_MUNICIPALITY_DIGITS)
    return Party(gln, code, identifier, fields.identifier.path)


def unit_of(party: Party, reference: Reference) -> str:
    """Returns the SOR code of a hospital unit that reference data knows, else list and code, such as sks:4202090."""
    if party.code is IdentifierCode.SOR:
        return party.identifier
    known: set[str] = set()
    if party.code is IdentifierCode.SKS:
        known = {unit.sor for unit in reference.units if unit.sks == party.identifier}
    elif party.code is IdentifierCode.GLN:
        known = {unit.sor for unit in reference.units if unit.gln == party.identifier}
    return known.pop() if len(known) == 1 else f"{party.code}:{party.identifier}"


def municipality_of(party: Party, reference: Reference) -> str | None:
    """Returns the municipality that a receiver is or receives for by its location number; None where it is neither.

    Raises RefusedError where it says to be a municipality that there is not.
    """
    if party.code is not IdentifierCode.MUNICIPALITY:
        known = {receiver.municipality for receiver in reference.receivers if receiver.gln == party.gln}
        return known.pop() if len(known) == 1 else None
    if party.identifier not in {entry.code for entry in reference.municipalities}:
        raise letter_refusal("unknown_code", party.path, "the municipality is one of Denmark's")
    return party.identifier
