"""Finds texts that tell who somebody is, so that no id or name of a sender's carries a person to topics and receipts.

The rule. A text is brought to one form: NFKC, lower case, every sign that stands for a digit as 0-9 (tags too), signs
that nobody sees and accents left out; letters and digits remain, whatever else stood between them is a separator, and
between digits so is a letter without case (CJK, kana, modifiers). Then it identifies somebody where

- ten digits in a row, with any separators between them but no letter, begin with a date that exists (DDMMYY, with 60
  added to the day or not; modulus 11 is not asked for), or six such digits are followed as in a replacement number
  (``AA9`` after a digit, separators between its parts). A group of digits counts as a whole: SOR codes and GLNs, which
  are longer, pass, and so do a date written DD-MM-YYYY before two more digits, and random ids in hexadecimal (UUIDs and
  hashes), unless one has decimal digits alone, or at most five different ones beside such a number;
- it holds the number of the person whom the message is about, anywhere and in any grouping, inside longer ones too,
  with letters between its digits, or o, i and l for 0 and 1;
- it holds two words of that person's name, as words or run together, in letters and digits that look like its own too;
  an id (``is_id``) holds no long word of it, and not the birth date, as DDMMYY in one group or with a year of four
  digits. 01.05.10 with separators passes: codes of case files look so (KLE);
- it holds that person's address to its first comma, or the last eight digits of their phone number.

Two texts of one message tell it as well, where the number of its person is divided between them (``divided_between``).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.person_details import PersonDetails

RULE = "no id and no name of a place tells who somebody is: no number, name, address or phone"
ADVICE = "use an id of your own that says nothing, such as a UUID"
# A UUID of RFC 9562, or a hash; ids of messages come without hyphens too.
_RANDOM_ID = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-z])"
)
_REPLACEMENT_NUMBER = re.compile(r"(?<![0-9a-z])[a-z]*([0-9](?: ?[0-9]){5}) ?[0-9] ?[a-z]{2} ?[0-9](?![0-9a-z])")
_DIGITS_IN_GROUPS = re.compile(r"[0-9]+(?: [0-9]+)*")
_NUMBER_DIGITS, _DATE_DIGITS = 10, 6
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_REPLACED_DAY = 60
_PHONE_DIGITS = 8
_PART_DIGITS = 3
# A random UUID without letters, or with five different digits beside ten of its own, comes once in a million.
_FEW_DIGITS = 5
_DIFFERENT_DIGITS = 5  # UUIDs that are made up for trials repeat theirs
_UNSEEN = frozenset("\u115f\u1160")  # Hangul's fillers, which NFKC makes of the others too
_TAGS = {0xE0000 + sign: sign for sign in range(0x20, 0x7F)}
# Cyrillic, Greek and small capitals as the Latin letters that they look like; in a name digits stand for letters too.
_LOOKALIKES = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u04bb"
    "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131\u1d00\u1d07\u026a\u029f\u0274\u0280\ua731",
    "abekmhopctyxsijhaeikvoptyxiaeilnrs",
)
_LETTERS_AS_DIGITS = str.maketrans("oil", "011")
_DIGITS_IN_WORDS = re.compile(r"[^\W\d_][0135]|[0135][^\W\d_]")
_DIGITS_AS_LETTERS = str.maketrans("0135", "oies")
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
    form = _one_form(plain)
    coined = _one_form(_RANDOM_ID.sub("x", plain)) if _RANDOM_ID.search(plain) else form
    readings = _readings(coined)
    if any(map(_holds_number, readings)) or any(map(_hides_number, _RANDOM_ID.findall(plain))):
        return True
    if person is None:
        return False
    told = _told_of(person)
    return (
        _holds_own(form, told, is_id=is_id)
        or (_DIGITS_IN_WORDS.search(coined) and _holds_words(coined.translate(_DIGITS_AS_LETTERS), told, is_id=is_id))
        or (is_id and any(_holds_birth_date(one, told.number) for one in readings))
    )


def holds_details(text: str, person: PersonDetails) -> bool:
    """Tells whether a text holds the person's own number, name, address or phone; it may look like another's number.

    >>> from connectors.person_details import PersonDetails
    >>> holds_details("70105109996", PersonDetails("urn:oid:1.2.208.176.1.2", "0105109996"))
    True
    """
    return _holds_own(_one_form(_plain(text)), _told_of(person), is_id=False)


def divided_between(texts: Sequence[tuple[str, str]], person: PersonDetails) -> str | None:
    """Returns the name of the text that has the end of the person's number where another has its beginning, or None.

    ``texts`` are names and texts. A part has at least three digits, which may stand among others.

    >>> from connectors.person_details import PersonDetails
    >>> person = PersonDetails("urn:oid:1.2.208.176.1.2", "0105109996")
    >>> divided_between([("subject", "sag-010510"), ("site", "9996")], person)
    'site'
    """
    runs = [(name, _one_form(_plain(text)).replace(" ", "")) for name, text in texts]
    number = person.number.lower()
    for length in range(_PART_DIGITS, len(number) - _PART_DIGITS + 1):
        begun = {at for at, (_, run) in enumerate(runs) if number[:length] in run}
        for at, (name, run) in enumerate(runs):
            if begun - {at} and number[length:] in run:
                return name
    return None


def telling_id(ids: Sequence[tuple[str, str]], person: PersonDetails) -> str | None:
    """Returns the name of the first of a message's ids, names and texts, that tells who its person is, or None.

    It tells by itself, or has the end of a number that is divided between two.
    """
    alone = next((name for name, text in ids if identifies(text, person, is_id=True)), None)
    return alone or divided_between(ids, person)


def _plain(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text.translate(_TAGS)).lower()


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
    if category[0] == "N" and (digit := unicodedata.digit(sign, None)) is not None:
        return str(digit)
    if sign in _UNSEEN:
        return ""
    if category[0] in "LN":
        return sign
    return "" if category in {"Cf", "Mn", "Me", "Mc"} else " "


def _readings(form: str) -> tuple[str, ...]:
    """Returns a form as its numbers are read: letters without case separate, or stand for digits."""
    if form.isascii():
        return (form,)
    return tuple(" ".join("".join(map(read, form)).split()) for read in (_as_separator, _as_digit))


def _as_separator(sign: str) -> str:
    return sign if sign.isascii() or unicodedata.category(sign) not in {"Lm", "Lo", "Nl"} else " "


def _as_digit(sign: str) -> str:
    number = unicodedata.numeric(sign, -1.0)
    return str(int(number)) if number in range(10) else _as_separator(sign)


def _hides_number(random: str) -> bool:
    """Tells whether a UUID or a hash is not random, and holds what could be a number."""
    digits = random.replace("-", "")
    tens = ((at, digits[at : at + _NUMBER_DIGITS]) for at in range(len(digits) - _NUMBER_DIGITS + 1))
    return any(
        (random != digits and digits.isdecimal()) or len({*digits[:at], *digits[at + _NUMBER_DIGITS :]}) <= _FEW_DIGITS
        for at, ten in tens
        if ten.isdecimal() and _is_date(ten[:_DATE_DIGITS]) and len(set(ten)) >= _DIFFERENT_DIGITS
    )


def _holds_birth_date(form: str, number: str) -> bool:
    date = number[:_DATE_DIGITS]
    if not date.isdecimal():
        return False
    day = f"{int(date[:2]) - (_REPLACED_DAY if int(date[:2]) > _REPLACED_DAY else 0):02}"
    month, years = date[2:4], [century + date[4:] for century in ("19", "20")]
    whole = {day + month + year for year in years} | {year + month + day for year in years}
    runs = [found[0].split() for found in _DIGITS_IN_GROUPS.finditer(form)]
    return any(
        day + month + date[4:] in run or not whole.isdisjoint(map("".join, _neighbours(run, len("DDMMYYYY"))))
        for run in runs
    )


def _holds_number(form: str) -> bool:
    if any(_is_date(_digits(found[1])) for found in _REPLACEMENT_NUMBER.finditer(form)):
        return True
    runs = (found[0].split() for found in _DIGITS_IN_GROUPS.finditer(form))
    return any(_is_number(groups) for run in runs for groups in _neighbours(run, _NUMBER_DIGITS))


def _neighbours(groups: list[str], together: int) -> Iterator[list[str]]:
    """Yields the neighbouring groups that have so many digits together."""
    for start in range(len(groups)):
        for end, digits in enumerate(accumulate(map(len, groups[start:])), start + 1):
            if digits == together:
                yield groups[start:end]
            if digits >= together:
                break


def _is_number(groups: list[str]) -> bool:
    number, ends = "".join(groups), set(accumulate(map(len, groups)))
    ends_in_a_year = number[4:6] in {"19", "20"} and 8 in ends and ends.isdisjoint({5, 6, 7})  # noqa: PLR2004 DDMMYYYY
    return _is_date(number[:_DATE_DIGITS]) and not ends_in_a_year


def _is_date(digits: str) -> bool:
    day, month = int(digits[:2]), int(digits[2:4])
    return 1 <= month <= len(_DAYS) and 1 <= day - (_REPLACED_DAY if day > _REPLACED_DAY else 0) <= _DAYS[month - 1]


def _holds_own(form: str, told: _Told, *, is_id: bool) -> bool:
    if any(_holds_own_digits(one, told) for one in _readings(form)):
        return True
    return _holds_words(form, told, is_id=is_id)


def _holds_words(form: str, told: _Told, *, is_id: bool) -> bool:
    forms = (form,) if form.isascii() else tuple(_spelt(form, spelling) for spelling in _SPELLINGS)
    return any(
        any(street in one.replace(" ", "") for street in told.streets)
        or any(_holds_name(one, name, is_id=is_id) for name in told.names)
        for one in forms
    )


def _holds_own_digits(form: str, told: _Told) -> bool:
    run = form.replace(" ", "") if form.isascii() else form.replace(" ", "").translate(_LOOKALIKES)
    digits = (_digits(run), _digits(run.translate(_LETTERS_AS_DIGITS)))
    if told.number in run or any(told.number in one for one in digits):
        return True
    return len(told.phone) == _PHONE_DIGITS and any(told.phone in one for one in digits)


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
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).translate(_LOOKALIKES)
