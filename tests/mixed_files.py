"""Files of every kind that has a door, as many as are wanted, each about something of its own: the same for a seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.unit.gateway.builders import MESSAGES, a_statement
from tests.unit.medcom_edi.builders import Notice, a_document, an_interchange
from tests.unit.medcom_edi.test_envelopes import in_beskedfordeler, in_vans_envelope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_PEOPLE = 97
_NUMBER = "2509479989"
_HEADER, _BUNDLE = "b9b4818e-02de-4cc4-b418-d20cbc7b5404", "a5e5b880-c087-4055-b9ec-99108695f81d"
_EPISODE = "bd481c38-a921-11ed-afa1-0242ac120002"
_CARE_IDS = (
    "add5e7e2-0c0f-4a4a-bfff-f6f984fa7e3c",
    "42cb9200-f421-4d08-8391-7d51a2503cb4",
    "94e65db8-2f0c-4a2c-a7c9-06a160d59a12",
    "b2eb3d0e-5de5-4de9-b2a3-0ff321ad1c3a",
    "24d01288-ad36-4af2-96a8-fd1432dadee1",
)


@dataclass(frozen=True)
class Sample:
    """A file: its name, its bytes, how its receipt's name ends, and of which topics it says how many events."""

    name: str
    content: bytes
    receipt: str
    events: dict[str, int]
    taken: int = 1
    refused: int = 0


def a_number(person: int) -> str:
    """Returns a made-up number of somebody born in 2010: it fails modulus 11, as no number given before 2007 does."""
    number = f"{1 + person % 28:02}{1 + person % 12:02}10{4000 + person * 7 % 5999:04}"
    while sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=True)) % 11 == 0:
        number = f"{number[:6]}{int(number[6:]) + 1:04}"
    return number


def a_sample(nth: int) -> Sample:
    """Returns the file of a place in the order; the kinds take turns."""
    return _KINDS[nth % len(_KINDS)](nth)


def write_mixed(folder: Path, count: int, seed: int) -> dict[str, Sample]:
    """Writes so many files into folders in a folder, and returns each by its path in it."""
    chance, written = random.Random(seed), dict[str, Sample]()
    for nth in chance.sample(range(10 * count), count):
        sample = a_sample(nth)
        name = f"{chance.choice(['', 'morgen/', 'aften/sygehus/'])}{sample.name}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(sample.content)
        written[name] = sample
    return written


KINDS = 10


def _notification(nth: int) -> bytes:
    return _renamed(_published("hn-01-STIN-admit.json"), (_HEADER, _BUNDLE, _EPISODE), nth)


def _of_json(nth: int) -> Sample:
    return Sample(f"{nth}-hn.json", _notification(nth), ".receipt.json", {"discharges": 1})


def _of_care(nth: int) -> Sample:
    content = _renamed(_published("cc-14-new.json"), _CARE_IDS, nth)
    return Sample(f"{nth}-cc.dat", content, ".receipt.json", {"correspondence": 1})


def _of_care_in_xml(nth: int) -> Sample:
    content = _renamed(_published("cc-14-new.xml"), _CARE_IDS, nth)
    return Sample(f"{nth}-cc.xml", content, ".receipt.json", {"correspondence": 1})


def _of_edifact(nth: int) -> Sample:
    return Sample(f"{nth}.edi", _notice(nth).edifact(), ".receipt.edi", {"discharges": 1})


def _of_oioxml(nth: int) -> Sample:
    return Sample(f"{nth}-dis17.xml", _notice(nth).oioxml(), ".receipt.xml", {"discharges": 1})


def _of_two_letters(nth: int) -> Sample:
    both = _notice(nth), _notice(nth, identifier=f"B{nth}", number="3113109999")
    content = an_interchange(*both) if nth % 4 else a_document(*both)
    return Sample(f"{nth}-two", content, ".receipt.edi" if nth % 4 else ".receipt.xml", {"discharges": 1}, refused=1)


def _in_envelope(nth: int) -> Sample:
    inside = _notification(nth) if nth % 4 else _notice(nth).edifact()
    wrapped = (in_vans_envelope, in_beskedfordeler)[nth % 3 == 0](inside)
    return Sample(f"{nth}-vans", wrapped, ".receipt.xml", {"discharges": 1})


def _of_one_statement(nth: int) -> Sample:
    content = json.dumps(_course(nth), indent=1).encode()
    return Sample(f"enrolments-{nth}.json", content, ".receipt.json", {"enrolments": 1})


def _of_lines(nth: int) -> Sample:
    lines = [_course(nth), _course(nth, "b"), _course(nth, "c") | {"status": "dancing"}]
    content = "\n".join(map(json.dumps, lines)).encode()
    name, receipt = f"enrolments-{nth}.ndjson", ".receipt.ndjson"
    return Sample(name, content, receipt, {"enrolments": 2}, taken=2, refused=1)


def _broken(nth: int) -> Sample:
    content = json.dumps({"resourceType": "Bundle", "id": f"broken-{nth}"}).encode()
    return Sample(f"{nth}-broken", content, ".receipt.json", {}, taken=0, refused=1)


_KINDS: tuple[Callable[[int], Sample], ...] = (
    _of_json,
    _of_care,
    _of_care_in_xml,
    _of_edifact,
    _of_oioxml,
    _of_two_letters,
    _in_envelope,
    _of_one_statement,
    _of_lines,
    _broken,
)


def _notice(nth: int, **changes: Any) -> Notice:
    own = {"identifier": f"A{nth}", "envelope": f"K{nth}", "notification": f"{nth:032X}"}
    return Notice(**({"number": a_number(nth % _PEOPLE)} | own | changes))


def _course(nth: int, which: str = "a") -> dict[str, Any]:
    person = a_statement("enrolments")["person"] | {"cpr": a_number(nth % _PEOPLE)}
    return a_statement("enrolments", subject=f"course-{nth}-{which}", person=person)


def _renamed(content: bytes, ids: tuple[str, ...], nth: int) -> bytes:
    """Returns a published message about another person and letter."""
    for place, known in enumerate(ids):
        content = content.replace(known.encode(), str(UUID(int=(place + 1) << 100 | nth)).encode())
    return content.replace(_NUMBER.encode(), a_number(nth % _PEOPLE).encode())


@cache
def _published(name: str) -> bytes:
    return (MESSAGES / name).read_bytes()
