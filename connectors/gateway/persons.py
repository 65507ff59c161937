"""The young person that a statement is about: a number for the vault, and what is known for routing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from stdnum.dk.cpr import get_birth_date
from stdnum.exceptions import ValidationError as InvalidNumberError

from connectors.medcom_fhir.codes import CPR, D_ECPR, X_ECPR
from schemas.events import Municipality
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import date

_HELP = "see DDMMYY-SSSS at cpr.dk; the number itself is never repeated in an answer"
_FORMS = {
    CPR: re.compile(r"[0-9]{10}"),
    X_ECPR: re.compile(r"[0-9]{6}[17][A-Z]{2}[0-9]"),
    D_ECPR: re.compile(r"[0-9]{6}[056][A-Z]{2}[0-9]"),
}
_SHORT_OIDS = {system.removeprefix("urn:oid:"): system for system in _FORMS}
Number = Annotated[str, Field(min_length=1, max_length=64)]


class PersonForm(BaseModel):
    """Who a statement is about: a CPR number, or a replacement number with its identifier system."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    cpr: Number | None = Field(default=None, description="CPR number, ten digits, with or without a hyphen")
    system: Number | None = Field(default=None, description="urn:oid of CPR, X-eCPR or D-eCPR")
    value: Number | None = None
    municipality: Municipality | None = Field(default=None, description="home municipality, four digits")

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.cpr is None) is (self.value is None) or (self.value is None) is not (self.system is None):
            raise ValueError("a person has either cpr, or system and value")
        return self


@dataclass(frozen=True, slots=True)
class Identified:
    """A person's number in the one form that the vault is asked by. ``birth_date`` is unknown behind a replacement."""

    system: str
    number: str = field(repr=False)
    birth_date: date | None = field(repr=False)


def identified(person: PersonForm) -> Identified:
    """Returns the person's number, normalised as the MedCom door does it, and the birth date it tells.

    Raises RefusedError where the system is unknown, the number is not of its form, or its date does not exist.
    Modulus 11 is not checked: since 1 October 2007 valid numbers fail it.
    """
    given = person.cpr if person.cpr is not None else person.value or ""
    name = "person.cpr" if person.cpr is not None else "person.value"
    number = re.sub(r"[\s-]", "", given).upper()
    system = _system_of(person, number)
    if not _FORMS[system].fullmatch(number):
        raise RefusedError(Refusal("invalid_cpr", name, "the number has its system's form", _HELP))
    if system != CPR:
        return Identified(system, number, None)
    try:
        return Identified(system, number, get_birth_date(number))
    except InvalidNumberError as error:
        rule = "the first six digits are a date that exists"
        raise RefusedError(Refusal("invalid_cpr", name, rule, _HELP)) from error


def _system_of(person: PersonForm, number: str) -> str:
    """Returns the number's system; a replacement number that is given as a CPR number is known by its letters."""
    given = CPR if person.system is None else person.system.strip().lower()
    system = _SHORT_OIDS.get(given, given)
    if system not in _FORMS:
        raise RefusedError(
            Refusal("unknown_identifier_system", "person.system", f"the system is one of: {', '.join(_FORMS)}", _HELP)
        )
    matching = [other for other, form in _FORMS.items() if form.fullmatch(number)]
    return matching[0] if system == CPR and matching else system
