"""Texts that say who somebody is are found in whatever spelling; what organisations use as ids passes."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from random import Random
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.identifying_text import divided_between, holds_details, identifies
from connectors.person_details import PersonDetails

CPR = "0105109996"
PERSON = PersonDetails(
    "urn:oid:1.2.208.176.1.2", CPR, "Åse Lærke Sørensen", "Prøvevej 7, 3000 Helsingør", "+45 20123456"
)
# Plain, wide, Arabic-Indic, Devanagari, mathematical and superscript digits.
_SCRIPTS = (
    *("".join(map(chr, range(zero, zero + 10))) for zero in (0x30, 0xFF10, 0x660, 0x966, 0x1D7CE)),
    "⁰¹²³⁴⁵⁶⁷⁸⁹",
)
_BETWEEN = (
    "",
    "-",
    ".",
    "/",
    "_",
    " ",
    ":",
    "\u2013",
    "\u2212",
    "\u200b",
    "\u00ad",
    "\u00a0",
    "\u202e",
    "--",
    " / ",
    "\u0332",
)
_BEFORE = st.sampled_from(("", "sag ", "x", "2026-", "nr. ", "CPR:", "17/", "æ"))
_AFTER = st.sampled_from(("", " ", "y", "-17", "/2026", ".pdf"))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Draws a CPR number, or one with 60 added to the day; modulus 11 is not kept."""
    year, month = draw(st.integers(1900, 2099)), draw(st.integers(1, 12))
    day = draw(st.integers(1, monthrange(year, month)[1])) + draw(st.sampled_from((0, 60)))
    return f"{day:02}{month:02}{year % 100:02}{draw(st.integers(0, 9999)):04}"


@st.composite
def spellings(draw: st.DrawFn, number: str) -> str:
    """Draws a way to write a number, with anything but letters between its digits, inside other text."""
    digits = [draw(st.sampled_from(_SCRIPTS))[int(digit)] for digit in number]
    between = [draw(st.sampled_from(_BETWEEN)) for _ in digits[1:]]
    return draw(_BEFORE) + digits[0] + "".join(map("".join, zip(between, digits[1:], strict=True))) + draw(_AFTER)


@given(st.data(), numbers())
def test_anybodys_number_is_found_however_it_is_written(data: st.DataObject, number: str) -> None:
    assume(number[4:6] not in {"19", "20"})  # 01-05-2010-17 may be a date and two digits

    assert identifies(data.draw(spellings(number)))


@given(st.data())
def test_ones_own_number_is_found_inside_longer_ones_too(data: st.DataObject) -> None:
    around = st.text("0123456789", max_size=8)
    text = data.draw(around) + data.draw(spellings(CPR)) + data.draw(around)

    assert identifies(text, PERSON)


@given(st.uuids(version=4), st.booleans())
def test_a_random_uuid_passes(one: UUID, bare: bool) -> None:
    assert not identifies(one.hex if bare else str(one), PERSON)
    assert not identifies(f"urn:uuid:{one}", PERSON)


@given(st.integers(10**14, 10**18 - 1), st.integers(5790000000000, 5799999999999))
def test_codes_of_organisations_pass(sor: int, gln: int) -> None:
    assume(CPR not in f"{sor} {gln}" and "20123456" not in f"{sor}{gln}")

    assert not identifies(f"sor:{sor}") and not identifies(f"{gln}", PERSON)  # noqa: PT018


@pytest.mark.parametrize(
    "text",
    [
        *(
            "referral-17",
            "letter-4711",
            "BrevNr00129",
            "EPIC394310433",
            "SFI981212101201",
            "4711-1234",
            "27.35.04-G01-5-26",
        ),
        *("20260110093000", "2026-01-10T09:30:00", "10-01-2026-17", "2026-123456", "0000012345", "+45 20 12 34 57"),
        *("3102109996", "0113109996", "9201109996", "9ada35a3185937abf8c5b0205109996f", "unnumbered", "free_capacity"),
        *("Helsingør Kommune", "Ungdomspsykiatrisk afsnit", "Prøvestenen", "sks:1301812", "441211000016003"),
    ],
)
def test_what_says_nothing_of_anybody_passes(text: str) -> None:
    assert not identifies(text, PERSON, is_id=True)


@pytest.mark.parametrize("text", ["010510-1AB9", "sag 0105105zz1", "610510 7AA9", "01051\uff10-1\uff41b9"])
def test_a_replacement_number_is_found(text: str) -> None:
    assert identifies(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Åse Sørensen", "sørensen, åse", "sag-aase-soerensen-17", "ASE.SORENSEN", "AaseLaerke", "åse_2010_sørensen"),
        *(
            "A\u030aseSørensen",
            "lærkesørensen",
            "\uff21ase S\uff4ferensen",
            "å-s-e s-ø-r-e-n-s-e-n",
            "åse\u200bsørensen",
        ),
        *("Prøvevej 7", "proevevej7", "tlf 20 12 34 56", "4520123456x", "x20-12-34-56"),
    ],
)
def test_a_detail_of_the_person_is_found(text: str) -> None:
    assert identifies(text, PERSON)
    assert not identifies(text)


def test_an_id_holds_no_long_word_of_the_name_but_a_place_may() -> None:
    assert identifies("sorensen-17", PERSON, is_id=True)
    assert not identifies("sorensen-17", PERSON)
    assert not identifies("Klinikken ved Sørensen", PERSON)


@pytest.mark.parametrize(
    "text",
    [
        *("⓿❷⓿❺❶⓿❾❾❾❻", "🄋➁🄋➄➀🄋➈➈➈➅", "020510፱፱፱፮", "〇二〇五一〇九九九六"),
        *("".join(chr(0xE0030 + int(digit)) for digit in "0205109996"), "020510\u31649996", "020510\uffa09996"),
        *("020510\u30fc9996", "020510\u02bc9996", "020510\u4e009996"),
        *("02.05.10-1AB9", "02 05 10 1AB9", "020510-1-AB-9", "020510_1AB_9", "cpr020510-1AB9"),
        *("02051099-9600-4000-8000-000000000000", "00000000-0000-4000-8000-000205109996"),
        *("0205109996" + "f" * 22, "f" * 22 + "0205109996", "02051099-9612-4345-8762-193847561028"),
    ],
)
def test_anybodys_number_is_found_in_other_signs_and_inside_what_only_looks_random(text: str) -> None:
    assert identifies(text)


@pytest.mark.parametrize(
    "text",
    [
        *("00105109996", "010510999600", "01c05c10c9996", "o1o51o9996", "\u041e1\u041e51\u041e9996", "oIo5lO9996"),
        *("01051099-9600-4000-8000-000000000000", "7f3a01051099-96ab", "sag 010510x9996"),
    ],
)
def test_ones_own_number_is_found_among_letters_and_other_digits(text: str) -> None:
    assert identifies(text, PERSON)


@pytest.mark.parametrize(
    "text",
    [
        *("S\u043er\u0435ns\u0435n", "S0rensen", "Sø\u3164rensen", "5oren5en"),
        *("\ua731øʀᴇɴ\ua731ᴇɴ", "aase.s0ren5en", "L\u00e6rk\u0435-17"),
    ],
)
def test_a_name_in_signs_that_look_like_its_own_is_found(text: str) -> None:
    assert identifies(text, PERSON, is_id=True)


@pytest.mark.parametrize("text", ["sag-010510", "01052010", "2010-05-01", "01.05.2010/3", "x20100501"])
def test_an_id_holds_no_birth_date_but_a_place_may(text: str) -> None:
    assert identifies(text, PERSON, is_id=True)
    assert not identifies(text, PERSON)


@pytest.mark.parametrize("text", ["01.05.10-G01-5-26", "0105101", "1010510", "2010-05-02", "020510", "100501"])
def test_what_is_no_birth_date_of_the_persons_passes(text: str) -> None:
    assert not identifies(text, PERSON, is_id=True)


@pytest.mark.parametrize("count", ["70105109996", "0105109996", "20123456", "4520123456"])
def test_a_count_holds_no_number_of_the_persons_but_may_look_like_another(count: str) -> None:
    assert holds_details(count, PERSON)
    assert not holds_details("0205109996", PERSON)


@pytest.mark.parametrize(("one", "other"), [("sag-010510", "9996"), ("9996-b", "x 01.05.10"), ("010", "5109996")])
def test_a_number_divided_between_two_texts_is_found_by_its_end(one: str, other: str) -> None:
    ending = "one" if "9996" in one else "other"

    assert divided_between([("one", one), ("other", other)], PERSON) == ending
    assert divided_between([("one", one + other), ("other", "a")], PERSON) is None
    assert divided_between([("one", one), ("other", "1234")], PERSON) is None


def ordinary_ids() -> Iterator[tuple[str, float, str]]:
    """Yields kinds of ids that organisations use, seeded, with how many of them at most are refused."""
    drawn = Random(20)
    for _ in range(4_000):
        one = UUID(int=drawn.getrandbits(128), version=4)
        yield "UUID", 0, str(one)
        yield "UUID without hyphens", 0, one.hex
        yield "hash", 0, f"{drawn.getrandbits(256):064x}"
        yield "ten digits at random, which a CPR number is too", 0.08, str(drawn.randrange(10**9, 10**10))
        yield "a counter", 0, f"{drawn.randrange(10**7):010}"
        yield "eight digits", 0, f"{drawn.randrange(10**8):08}"
        yield "GLN", 0, f"579{drawn.randrange(10**10):010}"
        yield "case file", 0, f"27.{drawn.randrange(70):02}.{drawn.randrange(30):02}-G01-{drawn.randrange(9)}-26"
        yield (
            "date and count",
            0,
            f"2026-{drawn.randrange(1, 13):02}-{drawn.randrange(1, 29):02}-{drawn.randrange(9999)}",
        )
        yield "Epic's", 0, f"EPIC{drawn.randrange(10**9)}"


def test_ordinary_ids_are_refused_no_more_often_than_digits_alone_make_them() -> None:
    refused, met, most = Counter[str](), Counter[str](), dict[str, float]()
    for kind, share, text in ordinary_ids():
        met[kind] += 1
        most[kind] = share
        refused[kind] += identifies(text, PERSON, is_id=True)

    assert {kind: refused[kind] / met[kind] for kind in met if refused[kind] > most[kind] * met[kind]} == {}


def test_a_month_is_no_name() -> None:
    august = PersonDetails(PERSON.system, CPR, "August Holm")

    assert not identifies("2026-august-17", august, is_id=True)
    assert identifies("holm.august", august)
