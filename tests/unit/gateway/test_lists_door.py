"""``POST /lists/{name}``: every row its outcome, and the same list again doubles nothing."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile

import pytest
from starlette.formparsers import MultiPartParser

from connectors.gateway.clients.clients import ClientKind
from tests.unit.gateway.builders import Gateway, a_gateway, refused
from tests.unit.gateway.sent_lists import (
    COURSE,
    CSV,
    NAMES,
    OTHER,
    Sender,
    a_list,
    map_courses,
    map_list,
    outcomes,
    told,
)


@pytest.fixture
def sender(gateway: Gateway) -> Sender:
    map_courses(gateway)
    return Sender(gateway)


async def test_each_row_is_accepted_or_refused_by_itself(gateway: Gateway, sender: Sender) -> None:
    answer = await sender.send(COURSE, "0105109996;S-9;gone;01-11-2025", OTHER)

    assert answer.status_code == 200
    assert outcomes(answer) == [(2, "accepted"), (3, "refused"), (4, "accepted")]
    assert told(gateway) == [("active", None, None)] * 2


async def test_the_report_counts_and_names_row_column_and_rule_and_repeats_no_value(sender: Sender) -> None:
    report = (await sender.send(COURSE, "0105109996;S-9;Hemmeligt;31-02-2025")).json()

    assert {name: report[name] for name in ("rows", "accepted", "refused", "event", "mode")} == {
        "rows": 2,
        "accepted": 1,
        "refused": 1,
        "event": "enrolment",
        "mode": "changes",
    }
    assert [(one["column"], one["code"], one["field"]) for one in report["report"][1]["refused"]] == [
        ("Status", "unknown_code", "status"),
        ("Dato", "impossible_date", "status_at"),
    ]
    assert "Hemmeligt" not in str(report)
    assert "0105109996" not in str(report)


async def test_a_rule_that_the_statements_own_form_has_is_told_by_column_too(sender: Sender) -> None:
    row = (await sender.send("9905109996;S-1;active;01-11-2025")).json()["report"][0]

    assert [(one["column"], one["code"]) for one in row["refused"]] == [("CPR", "invalid_cpr")]


async def test_the_same_list_again_is_repeated_and_publishes_nothing(gateway: Gateway, sender: Sender) -> None:
    first = await sender.send(COURSE, OTHER)
    published = list(gateway.publisher.records)

    again = await sender.send(COURSE, OTHER)

    assert outcomes(again) == [(2, "repeated"), (3, "repeated")]
    assert gateway.publisher.records == published
    assert [row["event_id"] for row in again.json()["report"]] == [row["event_id"] for row in first.json()["report"]]


async def test_rows_and_columns_in_another_order_and_written_otherwise_are_the_same_statements(sender: Sender) -> None:
    await sender.send(COURSE, OTHER)

    answer = await sender.send(
        "01.11.25;2511109991;S-2;active", ";;;", "1. nov. 2025;010510-9996;S-1; active ", names="Dato;CPR;Sag;Status"
    )

    assert outcomes(answer) == [(2, "repeated"), (4, "repeated")]


async def test_a_row_that_stands_twice_is_repeated_and_one_that_differs_is_refused(sender: Sender) -> None:
    answer = await sender.send(COURSE, COURSE, COURSE.replace("active", "waiting"))

    assert outcomes(answer) == [(2, "accepted"), (3, "repeated"), (4, "refused")]


async def test_a_row_that_stands_twice_and_is_refused_is_refused_twice(sender: Sender) -> None:
    answer = await sender.send("9905109996;S-1;active;01-11-2025", "9905109996;S-1;active;01-11-2025", OTHER, OTHER)

    assert outcomes(answer) == [(2, "refused"), (3, "refused"), (4, "accepted"), (5, "repeated")]


async def test_a_row_mended_and_sent_again_is_taken_and_the_rest_is_repeated(gateway: Gateway, sender: Sender) -> None:
    await sender.send(COURSE, OTHER.replace("active", "i gang"))

    answer = await sender.send(COURSE, OTHER)

    assert outcomes(answer) == [(2, "repeated"), (3, "accepted")]
    assert len(told(gateway)) == 2


async def test_failed_rows_come_back_as_a_file_that_can_be_mended_and_sent(gateway: Gateway, sender: Sender) -> None:
    key = {"idempotency_key": "k-1"}
    await sender.send(COURSE, OTHER.replace("active", "i gang"), **key)

    failed = await sender.send(COURSE, OTHER.replace("active", "i gang"), accept="text/csv", **key)
    answer = await sender.post(failed.content.replace(b"i gang", b"active"))

    assert failed.headers["content-type"].startswith("text/csv")
    lines = failed.text.splitlines()
    assert lines[0] == f"{NAMES};brobygger_reason"
    assert lines[1].startswith("2511109991;S-2;i gang;01-11-2025;Status: the code is one of:")
    assert len(lines) == 2
    assert outcomes(answer) == [(2, "accepted")]


async def test_where_nothing_failed_there_is_no_file(sender: Sender) -> None:
    assert (await sender.send(COURSE, accept="text/csv")).status_code == 204


async def test_a_form_with_the_file_in_it_is_taken_as_the_file(gateway: Gateway, sender: Sender) -> None:
    files = {"file": ("liste.csv", a_list(COURSE), "text/csv")}
    headers = gateway.token(ClientKind.SOURCE, "helsingoer")

    answer = await gateway.http.post("/lists/courses", files=files, headers=headers)

    assert outcomes(answer) == [(2, "accepted")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (400, "empty_file", "file")),
        (b"CPR;Sag\n", (422, "missing_column", "Status")),
        (b"\xd0\xcf\x11\xe0", (400, "not_xlsx", "file")),
        (b'CPR;Sag;Status;Dato\n"', (400, "broken_quotes", "row 2")),
    ],
)
async def test_a_list_that_can_not_be_read_is_refused_whole(
    gateway: Gateway, sender: Sender, content: bytes, expected: tuple[int, str, str]
) -> None:
    assert refused(await sender.post(content)) == expected
    assert gateway.publisher.records == []


async def test_a_list_without_a_mapping_is_unknown(gateway: Gateway) -> None:
    assert refused(await Sender(gateway).send(COURSE))[:2] == (404, "unknown_list")
    assert refused(await Sender(gateway, "..courses").send(COURSE))[:2] == (404, "unknown_list")


async def test_a_mapping_that_is_broken_is_operations_to_mend(gateway: Gateway, sender: Sender) -> None:
    map_list(gateway, "event = 1")

    assert refused(await sender.send(COURSE))[:2] == (503, "broken_mapping")


async def test_only_those_who_may_state_it_send_a_list(gateway: Gateway, sender: Sender) -> None:
    owner = gateway.token(ClientKind.OWNER, "municipality-0217")

    without, of_owner = [
        await gateway.http.post("/lists/courses", content=a_list(COURSE), headers=CSV | headers)
        for headers in ({}, owner)
    ]

    assert (without.status_code, of_owner.status_code) == (401, 403)


async def test_a_forms_file_stays_in_memory_however_large_it_is(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_disk: list[object] = []
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", to_disk.append)
    map_courses(gateway)
    content = a_list(COURSE) + b"\r\n" * MultiPartParser.spool_max_size

    answer = await gateway.http.post("/lists/courses", files={"file": ("a.csv", content)}, headers=gateway.token())

    assert answer.status_code in {200, 413, 422}
    assert to_disk == []


async def test_other_media_types_and_compression_are_turned_away(gateway: Gateway, sender: Sender) -> None:
    assert (await sender.send(COURSE, content_type="image/png")).status_code == 415
    assert (await sender.send(COURSE, content_encoding="gzip")).status_code == 415
    assert (await sender.send(COURSE, content_type="multipart/form-data")).status_code == 400


async def test_a_list_with_too_many_rows_or_bytes_is_turned_away(gateway: Gateway) -> None:
    async with a_gateway(gateway.settings.data_folder / "other", lines_max=1, lines_bytes_max=5_000) as limited:
        map_courses(limited)
        sender = Sender(limited)

        rows, size = await sender.send(COURSE, OTHER), await sender.post(b"x" * 5_001)

        assert (rows.status_code, rows.json()["refused"]["code"]) == (413, "too_many_rows")
        assert (size.status_code, size.json()["refused"]["code"]) == (413, "body_too_large")


async def test_what_the_broker_did_not_confirm_is_unavailable_and_may_come_again(
    gateway: Gateway, sender: Sender
) -> None:
    gateway.publisher.reachable = False
    failed = await sender.send(COURSE, "x", idempotency_key="k-1")
    gateway.publisher.reachable = True

    answer = await sender.send(COURSE, "x", idempotency_key="k-1")

    assert failed.status_code == 503
    assert outcomes(failed) == [(2, "unavailable"), (3, "refused")]
    assert (answer.status_code, outcomes(answer)) == (200, [(2, "accepted"), (3, "refused")])
    assert len(told(gateway)) == 1


async def test_a_gateway_that_ends_between_confirmation_and_answer_doubles_nothing(
    gateway: Gateway, sender: Sender
) -> None:
    gateway.crashes()
    with pytest.raises(Exception):  # noqa: B017, PT011 stands for the end of the process
        await sender.send(COURSE)

    answer = await sender.send(COURSE)

    assert outcomes(answer) == [(2, "accepted")]
    assert len({event["event_id"] for event in gateway.published("enrolments")}) == 1


async def test_the_same_key_and_file_get_the_same_report_until_the_mapping_changes(
    gateway: Gateway, sender: Sender
) -> None:
    row = COURSE.replace("active", "i gang")
    first = await sender.send(row, idempotency_key="k-1")
    again = await sender.send(row, idempotency_key="k-1")
    map_courses(gateway, more='[codes.Status]\n"i gang" = "active"\n')

    mended = await sender.send(row, idempotency_key="k-1")

    assert again.content == first.content
    assert outcomes(mended) == [(2, "accepted")]


async def test_name_and_number_go_to_the_vault_and_no_further(gateway: Gateway) -> None:
    map_courses(gateway)
    text = (gateway.settings.lists_folder / "courses.toml").read_text(encoding="utf-8")
    map_list(gateway, text.replace("[columns]", '[columns]\nNavn = "person.name"'))

    await Sender(gateway).send(f"{COURSE};Testine Testesen", names=f"{NAMES};Navn")

    kept = (gateway.settings.data_folder / "gateway.sqlite").read_bytes()
    published = b"".join(record.value for record in gateway.publisher.records)
    assert len(gateway.publisher.records) == 2
    for personal in (b"Testesen", b"0105109996"):
        assert personal not in kept
        assert personal not in published


async def test_a_list_is_one_more_door_in_the_documentation(gateway: Gateway) -> None:
    paths = (await gateway.http.get("/openapi.json")).json()["paths"]

    assert paths["/lists/{name}"]["post"]["security"] == [{"token": []}]
