"""Every published HospitalNotification here gives the events derived by hand from MedCom's table."""

from __future__ import annotations

import json

import pytest

from tests.unit.medcom_fhir.builders import GOLDEN, NOTIFICATIONS, a_message, translation_of


@pytest.mark.parametrize("name", NOTIFICATIONS)
def test_a_published_message_gives_the_expected_events(name: str) -> None:
    lines = (GOLDEN / f"{name}.expected.jsonl").read_text(encoding="utf-8").splitlines()

    events = translation_of(a_message(name)).events

    assert [
        {"topic": topic, "key": event.youth_id, "event": event.model_dump(mode="json")} for topic, event in events
    ] == [json.loads(line) for line in lines]


def test_no_expectation_and_no_message_is_an_orphan() -> None:
    expected = sorted(path.name.removesuffix(".expected.jsonl") for path in GOLDEN.iterdir())

    assert expected == NOTIFICATIONS
