"""Claim codes: readable by people, single use, in time, of no use to who guesses, and never lost by a refusal."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from connectors.vault.claim_codes import CODE_CHARACTERS, grouped_code, new_code, read_code
from connectors.vault.claims import Claim, ClaimCodes, ClaimLimits
from connectors.vault.tables import CLAIMS, MISSES
from schemas.refusals import Refusal
from tests.unit.vault.builders import AT, a_vault, allotted, everything_in, the_vault
from tests.unit.vault.instances import PROCESSES

if TYPE_CHECKING:
    from pathlib import Path

KEY, ALPHABET = b"c" * 32, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
YOUTH, OTHER = "a" * 32, "b" * 32
HEADSPACE, UNIK = "headspace", "unik-recovery-young"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def codes(database: str) -> ClaimCodes:
    """Returns the codes of a new vault, in which two people are known."""
    return ClaimCodes(allotted(the_vault(database).engine, YOUTH, OTHER), KEY)


def refusal_code(outcome: Claim | Refusal) -> str | None:
    """Returns the code of a refusal, or None where there is none."""
    return outcome.code if isinstance(outcome, Refusal) else None


def test_a_code_has_ten_characters_and_a_check_none_of_which_look_alike() -> None:
    made = {new_code() for _ in range(200)}

    assert len(made) == 200
    assert all(re.fullmatch(f"[{ALPHABET}]{{{CODE_CHARACTERS}}}", code) and read_code(code) == code for code in made)


@given(st.lists(st.tuples(st.integers(0, 29), st.sampled_from(["", "-", " "])), min_size=11, max_size=11))
def test_a_code_is_read_however_it_is_typed(ways: list[tuple[int, str]]) -> None:
    code = new_code()
    looks = {"0": "0Oo", "1": "1IiLl"}
    spellings = [looks.get(one, one + one.lower()) for one in code]
    typed = "".join(some[way % len(some)] + after for some, (way, after) in zip(spellings, ways, strict=True))

    assert read_code(typed) == code
    assert read_code(grouped_code(code)) == code


@given(st.integers(0, CODE_CHARACTERS - 1), st.integers(1, 31))
def test_any_one_wrong_character_is_found(place: int, by: int) -> None:
    code = new_code()
    wrong = ALPHABET[(ALPHABET.index(code[place]) + by) % 32]

    assert read_code(code[:place] + wrong + code[place + 1 :]) is None


def test_any_two_characters_exchanged_are_found() -> None:
    for code in (new_code() for _ in range(50)):
        for first, second in combinations(range(CODE_CHARACTERS), 2):
            exchanged = list(code)
            exchanged[first], exchanged[second] = code[second], code[first]
            assert code[first] == code[second] or read_code("".join(exchanged)) is None


@pytest.mark.parametrize(
    "typed", ["", "U" * 11, "0" * 10, "0" * 12, "é" * 11, "-" * 40, "0" * 10_000, "0000000000\x00"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


def test_a_code_leads_to_the_young_person_and_lies_nowhere_in_clear(tmp_path: Path) -> None:
    codes = ClaimCodes(allotted(a_vault(tmp_path).engine, YOUTH, OTHER), KEY)
    code = codes.make(YOUTH, AT)

    claim = codes.claim(code.lower(), HEADSPACE, AT + DAY)

    assert isinstance(claim, Claim)
    assert (claim.youth_id, claim.attempt) == (YOUTH, 0)
    copied = everything_in(tmp_path)
    assert code.encode() not in copied
    assert code.replace("-", "").encode() not in copied


def test_a_code_is_claimed_by_one_alone_who_may_ask_again(codes: ClaimCodes) -> None:
    code = codes.make(YOUTH, AT)

    first = codes.claim(code, HEADSPACE, AT)

    assert codes.claim(code, HEADSPACE, AT + 40 * DAY) == first
    assert refusal_code(codes.claim(code, UNIK, AT)) == "code_used"


def test_a_code_expires(codes: ClaimCodes) -> None:
    code = codes.make(YOUTH, AT)

    assert refusal_code(codes.claim(code, HEADSPACE, AT + 30 * DAY)) == "code_expired"
    assert isinstance(codes.claim(code, HEADSPACE, AT + 30 * DAY - MINUTE), Claim)


def test_a_code_that_is_given_back_is_claimed_anew_as_another_claim(codes: ClaimCodes) -> None:
    code = codes.make(YOUTH, AT)
    first = codes.claim(code, HEADSPACE, AT)
    assert isinstance(first, Claim)

    codes.give_back(first)
    codes.give_back(first)

    second = codes.claim(code, UNIK, AT)
    assert isinstance(second, Claim)
    assert (second.youth_id, second.code_hash, second.attempt) == (YOUTH, first.code_hash, 1)


def test_a_late_refusal_of_an_earlier_claim_takes_the_later_one_from_nobody(codes: ClaimCodes) -> None:
    code = codes.make(YOUTH, AT)
    first = codes.claim(code, HEADSPACE, AT)
    assert isinstance(first, Claim)
    codes.give_back(first)
    codes.claim(code, UNIK, AT)

    codes.give_back(first)

    assert refusal_code(codes.claim(code, HEADSPACE, AT)) == "code_used"


def test_mistyped_codes_are_refused_and_not_counted(codes: ClaimCodes) -> None:
    code = codes.make(YOUTH, AT)

    outcomes = [codes.claim(f"{code}X", HEADSPACE, AT) for _ in range(20)]

    assert {refusal_code(one) for one in outcomes} == {"code_malformed"}
    assert isinstance(codes.claim(code, HEADSPACE, AT), Claim)


def test_guesses_of_one_are_limited_though_it_restarts_and_then_knows_the_code(database: str) -> None:
    codes = ClaimCodes(allotted(the_vault(database).engine, YOUTH, OTHER), KEY)
    code = codes.make(YOUTH, AT)
    guesses = [codes.claim(new_code(), HEADSPACE, AT) for _ in range(10)]

    restarted = ClaimCodes(the_vault(database).engine, KEY)

    assert {refusal_code(one) for one in guesses} == {"code_unknown"}
    assert refusal_code(restarted.claim(code, HEADSPACE, AT + 59 * MINUTE)) == "too_many_attempts"
    assert isinstance(restarted.claim(code, UNIK, AT), Claim)
    assert refusal_code(restarted.claim(code, HEADSPACE, AT + 61 * MINUTE)) == "code_used"


def test_whoever_guesses_locks_nobody_else_out(codes: ClaimCodes) -> None:
    for number in range(300):
        codes.claim(new_code(), HEADSPACE, AT, f"token-{number % 25}")

    assert refusal_code(codes.claim(codes.make(YOUTH, AT), HEADSPACE, AT, "token-1")) == "too_many_attempts"
    assert isinstance(codes.claim(codes.make(YOUTH, AT), HEADSPACE, AT, "token-25"), Claim)
    assert isinstance(codes.claim(codes.make(YOUTH, AT), UNIK, AT, "token-26"), Claim)


def test_a_code_of_a_consent_is_the_same_where_it_is_made_again_and_no_other_consents(codes: ClaimCodes) -> None:
    one, other = UUID(int=1), UUID(int=2)
    made = {codes.make(YOUTH, AT, consent) for consent in (one, other, one, other)}

    assert made == {codes.again(YOUTH, AT, consent) for consent in (one, other)}
    assert len(made) == 2
    assert codes.again(YOUTH, AT, UUID(int=3)) is None
    assert codes.again(OTHER, AT, one) is None


def test_used_and_expired_codes_count_as_guesses(database: str) -> None:
    codes = ClaimCodes(allotted(the_vault(database).engine, YOUTH, OTHER), KEY, ClaimLimits(misses_of_one_max=2))
    used, late = codes.make(YOUTH, AT), codes.make(OTHER, AT - 31 * DAY)
    codes.claim(used, UNIK, AT)

    outcomes = [refusal_code(codes.claim(code, HEADSPACE, AT)) for code in (used, late, used)]

    assert outcomes == ["code_used", "code_expired", "too_many_attempts"]


def _guess(url: str) -> list[str | None]:
    codes = ClaimCodes(the_vault(url).engine, KEY)
    return [refusal_code(codes.claim(new_code(), HEADSPACE, AT)) for _ in range(6)]


@pytest.mark.long
def test_guessing_from_many_processes_at_once_gets_no_further(database: str) -> None:
    with PROCESSES.Pool(4) as pool:
        outcomes = [one for some in pool.map(_guess, [database] * 4) for one in some]

    assert sorted(filter(None, outcomes)) == ["code_unknown"] * 10 + ["too_many_attempts"] * 14


def test_what_no_longer_counts_is_pruned(database: str) -> None:
    engine = allotted(the_vault(database).engine, YOUTH, OTHER)
    codes = ClaimCodes(engine, KEY)
    codes.make(YOUTH, AT - 61 * DAY)
    kept = codes.make(OTHER, AT - 59 * DAY)
    codes.claim(new_code(), HEADSPACE, AT - 2 * DAY)

    pruned = codes.prune(AT)

    assert pruned == 1
    with engine.connect() as connection:
        assert [row.youth_id for row in connection.execute(select(CLAIMS))] == [OTHER]
        assert connection.execute(select(MISSES)).all() == []
    assert refusal_code(codes.claim(kept, HEADSPACE, AT)) == "code_expired"


def test_no_refusal_repeats_what_was_typed(codes: ClaimCodes) -> None:
    for typed in (new_code(), "mistyped"):
        outcome = codes.claim(typed, HEADSPACE, AT)
        assert isinstance(outcome, Refusal)
        assert typed not in str(outcome.as_dict())
