"""Every published message here gives the events, or the refusal, derived by hand from the standard."""

from __future__ import annotations

import json

import pytest

from tests.unit.medcom_fhir.builders import GOLDEN, PUBLISHED, a_message, outcome_of, rows_of


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_message_gives_what_is_expected(name: str) -> None:
    lines = (GOLDEN / f"{name}.expected.jsonl").read_text(encoding="utf-8").splitlines()

    rows = rows_of(outcome_of(a_message(name)))

    assert rows == [json.loads(line) for line in lines]


def test_no_expectation_and_no_message_is_an_orphan() -> None:
    expected = sorted(path.name.removesuffix(".expected.jsonl") for path in GOLDEN.iterdir())

    assert expected == PUBLISHED
