"""CPR numbers and the numbers that stand in for them: of which system one is, and which birth date it tells.

CPR: ten digits DDMMYYSSSS, digit 7 and the year give the century (CPR-kontoret, "Personnummeret i CPR"). Modulus 11
is not checked: since 1 October 2007 valid numbers fail it. Replacement numbers (hl7dk/dk-core): X-eCPR
``DDMMYY[17]AA9`` and D-eCPR ``DDMMYY[056]AA9``; what looks like a date in one need not be the birth date. Those that
CPR-kontoret recommends ("Erstatningspersonnummer i eksterne systemer") are ten digits, with sixty added to the day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stdnum.dk.cpr import get_birth_date
from stdnum.exceptions import ValidationError as InvalidNumberError

from schemas.instants import danish_day
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import date, datetime

CPR = "urn:oid:1.2.208.176.1.2"
X_ECPR = "urn:oid:1.2.208.176.1.6.1.1"
D_ECPR = "urn:oid:1.2.208.176.1.6.1.3"
# Each region gives its own, so that one number may stand for two people in two of them (hl7dk/dk-core 3.5.0,
# DkCoreDeCPRCodes: Sjælland, Nordjylland, Midtjylland, Syddanmark, Hovedstaden).
REGIONAL_D_ECPR = tuple(f"{D_ECPR}.{region}" for region in (177, 179, 181, 183, 187))
# They have no published system: whoever uses them writes them where a CPR number stands.
WITH_SIXTY_ADDED = "urn:brobygger:erstatningspersonnummer"
_D_ECPR_FORM = re.compile(r"[0-9]{6}[056][A-Z]{2}[0-9]")
_FORMS = {
    CPR: re.compile(r"[0-5][0-9]{9}"),
    X_ECPR: re.compile(r"[0-9]{6}[17][A-Z]{2}[0-9]"),
    D_ECPR: _D_ECPR_FORM,
    **dict.fromkeys(REGIONAL_D_ECPR, _D_ECPR_FORM),
    WITH_SIXTY_ADDED: re.compile(r"[6-9][0-9]{9}"),
}
SYSTEMS = tuple(_FORMS)
_HELP = "see DDMMYY-SSSS at cpr.dk; the number itself is never repeated in an answer"


@dataclass(frozen=True, slots=True)
class PersonNumber:
    """A number in the one form that the vault is asked by; it never leaves the door.

    ``birth_date`` is None where the number is a replacement, since nobody vouches for its date.
    """

    system: str
    number: str = field(repr=False)
    birth_date: date | None = field(repr=False)

    @property
    def is_replacement(self) -> bool:
        """Returns whether the number stands in for a CPR number."""
        return self.system != CPR


def person_number(system: str, value: str, named: str) -> PersonNumber:
    """Returns the number that a value without separators is, in one of SYSTEMS.

    A replacement number that is given as a CPR number is known by its letters, or by its day, and gets its own system.
    Raises RefusedError, with the field ``named``, where the value is not of its system's form or its date does not
    exist.
    """
    # Some letters of other alphabets become ours in upper case, such as the Turkish dotless i.
    number = value.upper() if value.isascii() else ""
    candidates = SYSTEMS if system == CPR else (system,)
    known_as = next((one for one in candidates if _FORMS[one].fullmatch(number)), None)
    if known_as is None:
        rule = "the number is ten digits that begin with a date, or a replacement number of its system's form"
        raise RefusedError(Refusal("invalid_cpr", named, rule, _HELP))
    if known_as == WITH_SIXTY_ADDED:  # a typing error is none, and no other number has a date to check
        _birth_date(f"{int(number[0]) - 6}{number[1:]}", named)
    return PersonNumber(known_as, number, _birth_date(number, named) if known_as == CPR else None)


def refuse_unborn(who: PersonNumber, named: str, received_at: datetime) -> None:
    """Raises RefusedError, with the field ``named``, where a number tells a birth that is yet to come."""
    if who.birth_date is not None and who.birth_date > danish_day(received_at):
        rule = "the number's birth date is no later than the day of its receipt"
        raise RefusedError(Refusal("invalid_cpr", named, rule, _HELP))


def without_separators(typed: str) -> str:
    """Returns a number as it is kept, from one as people write it: without the hyphen, and without blanks.

    >>> without_separators(" 010510-9996 ")
    '0105109996'
    """
    return re.sub(r"[\s-]", "", typed)


def _birth_date(number: str, named: str) -> date:
    try:
        return get_birth_date(number)
    except InvalidNumberError as error:
        rule = "the first six digits are a date that exists"
        raise RefusedError(Refusal("invalid_cpr", named, rule, _HELP)) from error
