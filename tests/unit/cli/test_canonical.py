"""Canonical events from lines: keyed as stage 1 wants them, all or none."""

from __future__ import annotations

from schemas.events import Reply
from streams.log.canonical import read_events
from streams.log.writing import outbound_of
from tests.domain.story import YOUTH, a_step, at, header

WHEN = at("2026-02-02 10:00")


def a_reply(status: str, youth_id: str | None) -> Reply:
    fields = {"programme": "headspace", "status": status, "youth_id": youth_id}
    return Reply.model_validate(header("reply", WHEN) | fields)


def test_a_statement_is_keyed_by_its_youth_id_and_free_capacity_by_its_programme() -> None:
    assert outbound_of("discharges", a_step("s", WHEN, "admitted")).key == YOUTH.encode()
    assert outbound_of("replies", a_reply("free_capacity", None)).key == b"headspace"


def test_a_statement_about_nobody_is_a_problem_of_its_line() -> None:
    lines = [b"\n", a_reply("accepted", None).model_dump_json().encode()]

    assert [(one.line, one.field) for one in read_events("replies", lines)[1]] == [(2, "youth_id")]
    assert read_events("replies", [a_reply("free_capacity", None).model_dump_json().encode()])[1] == []
