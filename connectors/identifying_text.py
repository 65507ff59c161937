"""Finds texts that tell who somebody is, so that no id or name of a sender's carries a person to topics and receipts.

The rule. A text is brought to one form: NFKC, lower case, digits of every script as 0-9, invisible signs and accents
left out; letters and digits remain, whatever else stood between them is a separator. Then it identifies somebody where

- ten digits in a row, with any separators between them but no letter, begin with a date that exists (DDMMYY, with 60
  added to the day or not; modulus 11 is not asked for), or six such digits are followed as in a replacement number
  (``AA9`` after a digit). A group of digits counts as a whole: SOR codes and GLNs, which are longer, pass, and so do a
  date written DD-MM-YYYY before two more digits, and random ids in hexadecimal (UUIDs and hashes);
- it holds the number of the person whom the message is about, anywhere and in any grouping, inside longer ones too;
- it holds two words of that person's name, as words or run together; an id (``is_id``) holds no long word of it;
- it holds that person's address to its first comma, or the last eight digits of their phone number.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.person_details import PersonDetails

RULE = "no id and no name of a place tells who somebody is: no number, name, address or phone"
ADVICE = "use an id of your own that says nothing, such as a UUID"
# A UUID of RFC 9562, or a hash; ids of messages come without hyphens too.
_RANDOM_ID = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-z])"
)
_REPLACEMENT_NUMBER = re.compile(r"(?<![0-9a-z])([0-9]{6}) ?[0-9][a-z]{2}[0-9](?![0-9a-z])")
_DIGITS_IN_GROUPS = re.compile(r"[0-9]+(?: [0-9]+)*")
_NUMBER_DIGITS, _DATE_DIGITS = 10, 6
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_REPLACED_DAY = 60
_PHONE_DIGITS = 8
# Danish letters as the two habits write them in ASCII; the other accents are left out in both.
_SPELLINGS = (str.maketrans({"æ": "ae", "ø": "oe", "å": "aa"}), str.maketrans({"æ": "ae", "ø": "o", "å": "a"}))
_LONG_WORD, _SHORT_WORD, _RUN_TOGETHER = 5, 3, 6
_MONTHS = frozenset({"april", "august", "january", "februar", "march", "marts", "november", "december", "oktober"})


@dataclass(frozen=True, slots=True)
class _Told:
    """What a text must not tell of a person, in the one form: words of the name and the street by way of spelling."""

    number: str
    phone: str
    names: tuple[frozenset[str], ...]
    streets: tuple[str, ...]


def identifies(text: str, person: PersonDetails | None = None, *, is_id: bool = False) -> bool:
    """Tells whether a text says who somebody is, by the rule above; without a person, by numbers alone.

    >>> [identifies(text) for text in ("sag 01.05.10/9996", "4401121000016003", "2026-01-10-17")]
    [True, False, False]
    """
    plain = _plain(text)
    if _holds_number(_one_form(_RANDOM_ID.sub("x", plain))):
        return True
    return person is not None and _holds_own(_one_form(plain), _told_of(person), is_id=is_id)


def _plain(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).lower()


# Of the few people whom requests are about just now: each is asked for with every field.
@lru_cache(maxsize=16)
def _told_of(person: PersonDetails) -> _Told:
    name, street = (_one_form(_plain(text or "")) for text in (person.name, (person.address or "").partition(",")[0]))
    names = tuple(
        frozenset(word for word in _words(_spelt(name, spelling)) if len(word) > 1) for spelling in _SPELLINGS
    )
    streets = {_spelt(street, spelling).replace(" ", "") for spelling in _SPELLINGS}
    return _Told(
        number=person.number.lower(),
        phone=_digits(person.phone or "")[-_PHONE_DIGITS:],
        names=tuple(dict.fromkeys(names)),
        streets=tuple(one for one in streets if len(one) >= _RUN_TOGETHER and not one.isalpha()),
    )


def _one_form(plain: str) -> str:
    """Returns letters and digits of a text in NFKC and lower case, with one blank for all that stood in between."""
    if plain.isascii():
        return " ".join(re.findall(r"[0-9a-z]+", plain))
    signs = ((sign, unicodedata.category(sign)) for sign in unicodedata.normalize("NFKC", plain))
    return " ".join("".join(_plain_sign(sign, category) for sign, category in signs).split())


def _plain_sign(sign: str, category: str) -> str:
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if category[0] in "LN":
        return sign
    return "" if category in {"Cf", "Mn", "Me", "Mc"} else " "


def _holds_number(form: str) -> bool:
    if any(_is_date(found[1]) for found in _REPLACEMENT_NUMBER.finditer(form)):
        return True
    return any(_is_number(groups) for found in _DIGITS_IN_GROUPS.finditer(form) for groups in _tens(found[0].split()))


def _tens(groups: list[str]) -> Iterator[list[str]]:
    """Yields the neighbouring groups that have ten digits together."""
    for start in range(len(groups)):
        for end, digits in enumerate(accumulate(map(len, groups[start:])), start + 1):
            if digits == _NUMBER_DIGITS:
                yield groups[start:end]
            if digits >= _NUMBER_DIGITS:
                break


def _is_number(groups: list[str]) -> bool:
    number, ends = "".join(groups), set(accumulate(map(len, groups)))
    ends_in_a_year = number[4:6] in {"19", "20"} and 8 in ends and ends.isdisjoint({5, 6, 7})  # noqa: PLR2004 DDMMYYYY
    return _is_date(number[:_DATE_DIGITS]) and not ends_in_a_year


def _is_date(digits: str) -> bool:
    day, month = int(digits[:2]), int(digits[2:4])
    return 1 <= month <= len(_DAYS) and 1 <= day - (_REPLACED_DAY if day > _REPLACED_DAY else 0) <= _DAYS[month - 1]


def _holds_own(form: str, told: _Told, *, is_id: bool) -> bool:
    run, digits = form.replace(" ", ""), _digits(form)
    if told.number in run or told.number in digits:
        return True
    if len(told.phone) == _PHONE_DIGITS and told.phone in digits:
        return True
    forms = (form,) if form.isascii() else tuple(_spelt(form, spelling) for spelling in _SPELLINGS)
    return any(
        any(street in one.replace(" ", "") for street in told.streets)
        or any(_holds_name(one, name, is_id=is_id) for name in told.names)
        for one in forms
    )


def _holds_name(form: str, name: frozenset[str], *, is_id: bool) -> bool:
    run = re.sub("[ 0-9]", "", form)
    met = {word for word in name if word in run}
    if not met:
        return False
    whole = met.intersection(_words(form))
    if len(whole) > 1 or any(
        len(one) + len(other) >= _RUN_TOGETHER and one + other in run for one, other in permutations(met, 2)
    ):
        return True
    long = _SHORT_WORD if len(name) == 1 else _LONG_WORD
    return (is_id or len(name) == 1) and any(len(word) >= long for word in whole - _MONTHS)


def _words(form: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", form)


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _spelt(form: str, spelling: dict[int, str]) -> str:
    if form.isascii():
        return form
    apart = unicodedata.normalize("NFKD", form.translate(spelling))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
