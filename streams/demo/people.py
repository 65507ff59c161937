"""Synthetic young people. Their CPR numbers fail modulus 11 on purpose, as all published test numbers do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_MODULUS = 11
_FIRST_NAMES = ("Testine", "Prøvemaja", "Demolars", "Mockfrida", "Fiktivar", "Syntetia")
_LAST_NAMES = ("Testesen", "Prøvesen", "Opdigtet", "Demomand", "Syntesen")


@dataclass(frozen=True, slots=True)
class YoungPerson:
    """One synthetic young person."""

    cpr: str
    first_name: str
    last_name: str
    birth_date: date
    municipality: str


def a_young_person(chance: random.Random, municipality: str, age: int, today: date) -> YoungPerson:
    """Makes up a young person of an age in whole years."""
    birth_date = today - timedelta(days=int(age * 365.25) + chance.randrange(20, 300))
    return born_on(chance, municipality, birth_date)


def born_on(chance: random.Random, municipality: str, birth_date: date) -> YoungPerson:
    """Makes up a young person with a birth date in the years 2000 to 2036."""
    names = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
    return YoungPerson(_cpr(chance, birth_date), *names, birth_date, municipality)


def _cpr(chance: random.Random, birth_date: date) -> str:
    """Returns a number of the century digits 4-9 (2000-2036) that no real person has: it fails modulus 11."""
    while True:
        number = birth_date.strftime("%d%m%y") + f"{chance.randrange(4000, 10_000)}"
        if sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=True)) % _MODULUS:
            return number
