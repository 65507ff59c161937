"""Records of every topic become the models they were."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import BaseModel

from schemas.codec import codec
from schemas.events import Reply
from schemas.internal import Intake
from schemas.outputs import NeedView, OptionView, PathwayView, StayView
from streams.log.decoding import read_json_record, read_model
from tests.domain.story import a_consent, a_course, a_person, a_referral, a_step, an_id, at, header

WHEN = at("2026-02-02 10:00")
NEED = {
    "need_id": an_id("need"),
    "kind": "aftercare",
    "trigger": "discharge",
    "state": "open",
    "since": WHEN,
    "owner": "o",
    "programme": None,
    "clock_at": WHEN,
    "reason_code": None,
    "options": (OptionView(programme="headspace", outcome="age"),),
}
RECORDS: list[BaseModel] = [
    a_step("slhj", WHEN, "discharge_planned", planned_at=WHEN, remarks=("inconsistent_status",)),
    a_consent("consent", WHEN, lapses_at=WHEN),
    a_person(),
    a_course("course", WHEN, "stime", "active", started_on=date(1966, 2, 1)),
    a_referral("referral", WHEN, needs=("aftercare",), bridged_from=an_id("handover")),
    Reply.model_validate(
        header("r", WHEN) | {"programme": "headspace", "status": "waitlisted", "waitlisted_until": date(2026, 3, 1)}
    ),
    Intake(origin_topic="t", origin_partition=0, origin_offset=7, body=a_person()),
    PathwayView.model_validate(
        header("view", WHEN)
        | {
            "stays": (StayView(started_at=at("1969-12-01 10:00"), ended_at=None, state="open"),),
            "needs": (NeedView.model_validate(NEED),),
        }
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_read_back_as_it_was(record: BaseModel) -> None:
    value = codec(type(record)).encode(record)

    assert read_model(type(record), value) == record
    assert read_json_record(type(record), value) == record.model_dump(mode="json")
