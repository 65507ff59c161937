"""Texts that say who somebody is are found in whatever spelling; what organisations use as ids passes."""

from __future__ import annotations

from calendar import monthrange
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.identifying_text import identifies
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


def test_a_month_is_no_name() -> None:
    august = PersonDetails(PERSON.system, CPR, "August Holm")

    assert not identifies("2026-august-17", august, is_id=True)
    assert identifies("holm.august", august)
