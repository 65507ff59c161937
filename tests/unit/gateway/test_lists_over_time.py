"""Lists sent again and again: steps, corrections, what vanishes and what comes back; nothing said twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.gateway.clients.clients import ClientKind
from tests.unit.gateway.builders import Gateway
from tests.unit.gateway.sent_lists import (
    COURSE,
    COURSES,
    NAMES,
    OTHER,
    VANISHED,
    Sender,
    a_list,
    map_courses,
    map_list,
    missing,
    outcomes,
    told,
)

pytestmark = pytest.mark.long

DONE = COURSE.replace("active", "completed").replace("01-11", "20-11")
THIRD = "1112089994;S-3;waiting;01-11-2025"
PLANNED = """
event = "discharge"
mode = "snapshot"
undated = true
[columns]
CPR = "person.cpr"
Sag = "subject"
Planlagt = "planned_at"
[constants]
status = "discharge_planned"
unit = "9991101000016001"
[missing]
cancelled = true
"""


async def test_a_status_that_went_on_is_a_step_of_its_own_and_revises_nothing(gateway: Gateway) -> None:
    map_courses(gateway)
    sender = Sender(gateway)
    await sender.send(COURSE)

    answer = await sender.send(DONE)

    assert outcomes(answer) == [(2, "accepted")]
    assert told(gateway) == [("active", None, None), ("completed", None, None)]


async def test_any_other_change_revises_what_the_row_said_before(gateway: Gateway) -> None:
    map_courses(gateway)
    sender = Sender(gateway)
    await sender.send(COURSE)
    await sender.send(COURSE.replace("01-11", "02-11"))

    await sender.send(COURSE.replace("active", "waiting"))

    assert told(gateway) == [("active", None, None), ("active", "0", None), ("waiting", "1", None)]


async def test_a_row_that_goes_back_to_what_it_said_is_said_anew(gateway: Gateway) -> None:
    map_courses(gateway)
    sender = Sender(gateway)
    for day in ("01-11", "02-11", "01-11", "02-11"):
        await sender.send(COURSE.replace("01-11", day))

    assert told(gateway) == [("active", None, None), *(("active", place, None) for place in "012")]


async def test_changes_end_nothing_by_what_they_do_not_have(gateway: Gateway) -> None:
    map_courses(gateway)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)

    answer = await sender.send(COURSE)

    assert "missing" not in answer.json()
    assert len(told(gateway)) == 2


async def test_what_is_missing_from_a_snapshot_has_ended_as_the_mapping_says(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)

    answer = await sender.send(COURSE)

    assert missing(answer) == {"rows": 1, "told_as_ended": 1}
    assert told(gateway)[2:] == [("dropped_out", None, None)]
    ended = gateway.published("enrolments")[2]
    first = gateway.published("enrolments")[1]
    assert (ended["subject"], ended["youth_id"]) == (first["subject"], first["youth_id"])
    assert ended["reason_code"] == "left_the_list"


async def test_a_snapshot_sent_twice_says_once_what_is_missing(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)
    await sender.send(COURSE)

    again = await sender.send(COURSE)

    assert missing(again) == {"rows": 0, "told_as_ended": 0}
    assert len(told(gateway)) == 3


async def test_without_a_meaning_in_the_mapping_missing_rows_are_reported_once_and_nothing_is_told(
    gateway: Gateway,
) -> None:
    map_courses(gateway, "snapshot")
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER, THIRD)

    first, again = await sender.send(COURSE, OTHER), await sender.send(COURSE, OTHER)

    assert [missing(first)["rows"], missing(again)["rows"]] == [1, 0]
    assert len(told(gateway)) == 3


async def test_what_was_missing_before_its_mapping_said_what_that_means_is_told_when_it_does(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot")
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)
    await sender.send(COURSE)
    map_courses(gateway, "snapshot", VANISHED)

    answer = await sender.send(COURSE)

    assert missing(answer) == {"rows": 0, "told_as_ended": 1}
    assert told(gateway)[2:] == [("dropped_out", None, None)]


async def test_what_had_ended_before_vanishes_without_a_word(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(DONE, OTHER)

    answer = await sender.send(OTHER)

    assert missing(answer) == {"rows": 0, "told_as_ended": 0}
    assert len(told(gateway)) == 2


async def test_a_row_that_is_back_takes_its_end_back(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)
    await sender.send(COURSE)

    answer = await sender.send(COURSE, OTHER)
    again = await sender.send(COURSE, OTHER)

    assert outcomes(answer) == [(2, "repeated"), (3, "accepted")]
    assert told(gateway)[3:] == [("dropped_out", None, "2")]
    assert outcomes(again) == [(2, "repeated"), (3, "repeated")]


async def test_a_row_that_is_back_and_has_changed_takes_its_end_back_and_says_what_is_new(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)
    await sender.send(COURSE)

    await sender.send(COURSE, OTHER.replace("01-11", "02-11"))

    assert told(gateway)[3:] == [("dropped_out", None, "2"), ("active", "1", None)]


async def test_a_row_that_vanishes_comes_back_and_vanishes_again_has_ended_again(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    for rows in ([COURSE, OTHER], [COURSE], [COURSE, OTHER], [COURSE]):
        await sender.send(*rows)

    ids = [event["event_id"] for event in gateway.published("enrolments")]
    assert len(ids) == len(set(ids)) == 5
    assert told(gateway)[4:] == [("dropped_out", None, None)]


async def test_half_a_list_ends_nothing_until_its_sender_says_that_it_is_whole(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER, THIRD)

    half = await sender.send(COURSE)
    whole = await sender.send(COURSE, query="?missing=believed")

    assert missing(half)["withheld"]["code"] == "too_many_missing"
    assert missing(whole) == {"rows": 2, "told_as_ended": 2}
    assert [status for status, _, _ in told(gateway)[3:]] == ["dropped_out", "dropped_out"]


async def test_a_list_of_names_alone_ends_nothing(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE)

    assert missing(await sender.send())["withheld"]["code"] == "too_many_missing"


async def test_a_row_that_can_not_be_told_from_others_keeps_a_snapshot_from_ending_anything(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)

    answer = await sender.send(COURSE, OTHER.replace("S-2", ""))

    assert missing(answer)["withheld"]["code"] == "unknown_row"
    assert len(told(gateway)) == 2


@pytest.mark.parametrize("query", ["", "?missing=believed"])
async def test_people_above_the_names_keep_a_snapshot_from_ending_anybody(gateway: Gateway, query: str) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER, THIRD)

    answer = await sender.post(f"Udskrevet;;;\nPerson;Sag;;\n{COURSE}\n{NAMES}\n{OTHER}\n".encode(), query)

    assert outcomes(answer) == [(3, "refused"), (5, "repeated")]
    assert answer.json()["above_names"] == 2
    assert missing(answer)["withheld"]["code"] == "unknown_row"
    assert len(told(gateway)) == 3


async def test_a_row_that_is_refused_is_not_missing(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)

    answer = await sender.send(COURSE, OTHER.replace("active", "x"))

    assert missing(answer) == {"rows": 0, "told_as_ended": 0}


async def test_mended_rows_of_a_snapshot_are_changes_and_end_nothing(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER.replace("active", "x"))

    answer = await sender.send(f"{OTHER};why", names=f"{NAMES};brobygger_reason")

    assert answer.json()["mode"] == "changes"
    assert outcomes(answer) == [(2, "accepted")]
    assert len(told(gateway)) == 2


async def test_a_row_that_is_about_somebody_else_takes_back_all_that_was_said_of_the_first(gateway: Gateway) -> None:
    map_courses(gateway)
    sender = Sender(gateway)
    await sender.send(COURSE)
    await sender.send(DONE)

    await sender.send(DONE.replace("0105109996", "3103109998"))

    assert told(gateway)[2:] == [
        ("completed", None, "0"),
        ("completed", None, "1"),
        ("completed", None, None),
    ]
    events = gateway.published("enrolments")
    assert [event["youth_id"] == events[0]["youth_id"] for event in events] == [True, True, True, True, False]


async def test_a_planned_discharge_that_vanishes_is_cancelled_and_one_that_is_back_is_planned_anew(
    gateway: Gateway,
) -> None:
    map_list(gateway, PLANNED)
    sender = Sender(gateway)
    names, row, other = "CPR;Sag;Planlagt", "0105109996;S-1;15-01-2026", "2511109991;S-2;16-01-2026"
    for rows in ([row, other], [other], [row, other], [row.replace("15", "17"), other]):
        answer = await sender.send(*rows, names=names)
        assert answer.status_code == 200

    planned = "discharge_planned"
    assert told(gateway, "discharges") == [
        *((planned, None, None), (planned, None, None), (planned, None, "0")),
        *((planned, None, None), (planned, "3", None)),
    ]
    events = gateway.published("discharges")
    assert len({event["event_id"] for event in events}) == 5
    assert events[0]["occurred_at"] == events[3]["occurred_at"]


async def test_a_status_without_a_date_counts_from_the_day_on_which_it_came_also_after_a_crash(
    gateway: Gateway,
) -> None:
    text = COURSES.format(mode="changes").replace('Dato = "status_at"', "")
    map_list(gateway, text.replace("[columns]", "undated = true\n[columns]"))
    sender, names = Sender(gateway), "CPR;Sag;Status"
    await sender.send("0105109996;S-1;waiting", names=names)
    gateway.clock.now += timedelta(days=7)
    gateway.crashes()
    with pytest.raises(Exception):  # noqa: B017, PT011 stands for the end of the process
        await sender.send("0105109996;S-1;active", names=names)
    gateway.clock.now += timedelta(days=1)

    await sender.send("0105109996;S-1;active", names=names)

    events = gateway.published("enrolments")
    assert len({event["event_id"] for event in events}) == 2
    assert len({event["status_at"] for event in events}) == 2
    assert [revised for _, revised, _ in told(gateway)] == [None, None, None]


async def test_two_lists_with_the_same_rows_and_two_sources_with_the_same_list_know_nothing_of_each_other(
    gateway: Gateway,
) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    text = (gateway.settings.lists_folder / "courses.toml").read_text(encoding="utf-8")
    map_list(gateway, text, "others")
    other_source = gateway.token(ClientKind.SOURCE, "horsens")
    await Sender(gateway).send(COURSE, OTHER)

    answers = [
        await Sender(gateway, "others").send(COURSE),
        await gateway.http.post(
            "/lists/courses", content=a_list(COURSE), headers={"content-type": "text/csv"} | other_source
        ),
    ]

    assert [missing(answer) for answer in answers] == [{"rows": 0, "told_as_ended": 0}] * 2


@pytest.mark.parametrize("confirmed", [0, 1])
async def test_a_gateway_that_ends_while_it_tells_what_is_missing_says_the_same_the_next_day(
    gateway: Gateway, confirmed: int
) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)
    if confirmed:
        gateway.crashes()
        with pytest.raises(Exception):  # noqa: B017, PT011 stands for the end of the process
            await sender.send(COURSE)
    else:
        gateway.publisher.reachable = False
        assert (await sender.send(COURSE)).status_code == 503
        gateway.publisher.reachable = True
    gateway.clock.now += timedelta(days=1)

    answer = await sender.send(COURSE)

    assert answer.status_code == 200
    ids = [event["event_id"] for event in gateway.published("enrolments")]
    assert len(set(ids)) == 3


async def test_of_somebody_who_was_erased_nothing_more_is_said(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)
    await sender.send(COURSE, OTHER)
    youth_id = gateway.published("enrolments")[1]["youth_id"]
    desk = gateway.app.state.desk

    assert desk.list_rows.erase(youth_id) == 1

    assert missing(await sender.send(COURSE)) == {"rows": 0, "told_as_ended": 0}
