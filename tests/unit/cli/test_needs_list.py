"""How ``brobygger needs list`` shows a need to people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from schemas.outputs import NeedView, OptionView, PathwayView
from streams.cli.needs import need_lines, row_of
from streams.log.views import NeedOfPathway
from tests.domain.story import an_id, at, header

TRIED = tuple(OptionView(programme=f"programme-{number}", outcome="already_tried") for number in range(20))


def a_row(**changes: Any) -> dict[str, Any]:
    """Builds the row of a need that is offered to headspace, as ``--json`` prints it."""
    need = {
        "need_id": an_id("need"),
        "kind": "aftercare",
        "trigger": "discharge",
        "trigger_reason": "discharged_home",
        "state": "offered",
        "since": at("2026-02-02 10:15"),
        "owner": "municipality-0217",
        "programme": "headspace",
        "clock_at": at("2026-02-04 10:15"),
        "reason_code": None,
        "options": (OptionView(programme="stime", outcome="age"), OptionView(programme="headspace", outcome="offered")),
    }
    view = header("view", at("2026-02-03 08:00")) | {"age_band": "15-17", "municipality": "0217"}
    return row_of(NeedOfPathway(NeedView.model_validate(need | changes), PathwayView.model_validate(view)))


def test_a_need_is_its_id_state_and_kind_and_details_under_it() -> None:
    assert need_lines(a_row()) == [
        f"{an_id('need')}  offered  aftercare",
        "  since 2026-02-02 10:15; until 2026-02-04 10:15; programme headspace",
        "  owner municipality-0217; age 15-17; municipality 0217",
        "  raised by discharged_home; did not fit: stime (age)",
    ]


def test_what_is_not_there_is_left_out() -> None:
    nothing = {"programme": None, "clock_at": None, "options": ()}
    text = " ".join(need_lines(a_row(**nothing)))

    assert [name for name in ("until", "programme", "reason", "did not fit") if name in text] == []


def test_a_long_list_is_folded_to_80_columns_and_the_id_stays_whole() -> None:
    lines = need_lines(a_row(state="awaiting_reference", options=TRIED, owner="m" * 128))

    assert UUID(lines[0].split()[0]) == an_id("need")
    assert max(map(len, lines)) <= 80
    assert "programme-19 (already_tried)" in " ".join(line.strip() for line in lines)


def test_json_tells_since_when_until_when_and_who_has_it() -> None:
    row = a_row()

    assert (row["since"], row["clock_at"], row["programme"]) == (
        "2026-02-02T09:15:00Z",
        "2026-02-04T09:15:00Z",
        "headspace",
    )
