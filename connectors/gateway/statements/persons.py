"""The young person that a statement is about: a number for the vault, and what is known for routing."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.cpr import CPR, SYSTEMS, PersonNumber, person_number, without_separators
from connectors.person_details import DETAIL_CHARACTERS_MAX, PersonDetails
from schemas.events import PLAIN_TEXT, Municipality
from schemas.refusals import Refusal, RefusedError

_SHORT_OIDS = {system.removeprefix("urn:oid:"): system for system in SYSTEMS}
Number = Annotated[str, Field(min_length=1, max_length=64)]
Detail = Annotated[str, Field(min_length=1, max_length=DETAIL_CHARACTERS_MAX, pattern=PLAIN_TEXT)]
_FOR_VAULT = "for the vault alone; a programme gets it on a named consent"


class NumberForm(BaseModel):
    """A CPR number, or a replacement number with its identifier system."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    cpr: Number | None = Field(default=None, description="CPR number, ten digits, with or without a hyphen")
    system: Number | None = Field(default=None, description="urn:oid of CPR, X-eCPR or D-eCPR")
    value: Number | None = None

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.cpr is None) is (self.value is None) or (self.value is None) is not (self.system is None):
            raise ValueError("a person has either cpr, or system and value")
        return self


class PersonForm(NumberForm):
    """Who a statement is about: a CPR number, or a replacement number with its identifier system.

    What is absent leaves what the vault has; the same statement sent again changes nothing there either.
    """

    municipality: Municipality | None = Field(default=None, description="home municipality, four digits")
    name: Detail | None = Field(default=None, description=_FOR_VAULT)
    address: Detail | None = Field(default=None, description=_FOR_VAULT)
    phone: Detail | None = Field(default=None, description=_FOR_VAULT)
    protected: bool | None = Field(default=None, description="whether name and address are protected (CPR)")


def identified(person: NumberForm, named: str = "person") -> PersonNumber:
    """Returns the person's number, with or without separators in it, and the birth date it tells.

    Raises RefusedError where the system is unknown, and as ``connectors.cpr`` does.
    """
    if person.cpr is not None:
        return person_number(CPR, without_separators(person.cpr), f"{named}.cpr")
    return person_number(_system_of(person, named), without_separators(person.value or ""), f"{named}.value")


def details_of(person: PersonForm, who: PersonNumber) -> PersonDetails:
    """Returns what the vault is to keep of a person."""
    return PersonDetails(who.system, who.number, person.name, person.address, person.phone, person.protected)


def _system_of(person: NumberForm, named: str) -> str:
    given = (person.system or "").strip().lower()
    system = _SHORT_OIDS.get(given, given)
    if system not in SYSTEMS:
        rule = f"the system is one of: {', '.join(SYSTEMS)}"
        raise RefusedError(
            Refusal("unknown_identifier_system", f"{named}.system", rule, "name the number's own system")
        )
    return system
