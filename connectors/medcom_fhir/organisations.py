"""Organisations by SOR and GLN."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum import ean

from connectors.medcom_fhir.codes import GLN_SYSTEMS, SOR
from connectors.medcom_fhir.nodes import Node, fhir_refusal

_SOR = re.compile(r"[0-9]{11,18}")
_GLN = re.compile(r"[0-9]{13}")


@dataclass(frozen=True, slots=True)
class Organisation:
    """A messaging organisation: SOR code and GLN, both required by MedComMessagingOrganization."""

    sor: str
    gln: str


def messaging_organisation(node: Node, missing_code: str) -> Organisation:
    """Returns an organisation that sends or receives; ``missing_code`` refuses one without SOR or GLN."""
    gln = _identifier(node, GLN_SYSTEMS)
    sor = _identifier(node, frozenset({SOR}))
    if sor is None or gln is None:
        raise fhir_refusal(missing_code, f"{node.path}.identifier", "the organisation has a SOR code and a GLN")
    if not _GLN.fullmatch(gln) or not ean.is_valid(gln):
        raise fhir_refusal(
            "invalid_gln", f"{node.path}.identifier.value", "a GLN has 13 digits, the last by modulus 10"
        )
    return Organisation(_valid_sor(node, sor), gln)


def checked_organisation(sor: str, gln: str) -> Organisation:
    """Returns the organisation of these codes; raises RefusedError, with the field sor or gln, where one is unfit."""
    if not _SOR.fullmatch(sor):
        raise fhir_refusal("invalid_sor", "sor", "a SOR code has 11 to 18 digits", "look it up in SOR")
    if not _GLN.fullmatch(gln) or not ean.is_valid(gln):
        raise fhir_refusal("invalid_gln", "gln", "a GLN has 13 digits, the last by modulus 10", "look it up in SOR")
    return Organisation(sor, gln)


def sor_of(node: Node) -> str:
    """Returns the SOR code of an organisation that needs no GLN (a service provider)."""
    sor = _identifier(node, frozenset({SOR}))
    if sor is None:
        raise fhir_refusal("sor_missing", f"{node.path}.identifier", "the organisation has a SOR code")
    return _valid_sor(node, sor)


def _valid_sor(node: Node, sor: str) -> str:
    if not _SOR.fullmatch(sor):
        raise fhir_refusal("invalid_sor", f"{node.path}.identifier.value", "a SOR code has 11 to 18 digits")
    return sor


def _identifier(node: Node, systems: frozenset[str]) -> str | None:
    found = {
        value
        for identifier in node.children("identifier")
        if identifier.optional_text("system") in systems and (value := identifier.optional_text("value"))
    }
    if len(found) > 1:
        raise fhir_refusal(
            "identifier_repeated", f"{node.path}.identifier", "an organisation has one SOR code and one GLN"
        )
    return next(iter(found), None)
