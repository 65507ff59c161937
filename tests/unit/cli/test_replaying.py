"""Replays and copies of whole logs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.codes import NoticeKind
from schemas.outputs import Notice
from schemas.programmes import load_programmes
from schemas.reference import load_reference
from schemas.topics import kafka_name
from streams.catalogue import Rules
from streams.engine.processor import StoredRecord
from streams.log.accounting import account_of
from streams.log.comparison import Finding
from streams.log.copy import CopyError, read_copy, write_copy
from streams.log.other_programmes import OtherProgrammes, differing_handovers
from streams.log.replaying import over_partitions, replay_snapshot
from streams.log.snapshot import Snapshot
from tests.unit.cli.logs import HOME, OFFERS, PARTITIONS, ROOTS, a_snapshot
from tests.unit.source_silence.builders import office_hours, silences_of

ROOT = Path(__file__).parents[3]


def findings_of(snapshot: Snapshot) -> list[Finding]:
    return [one for replayed in replay_snapshot(snapshot, ROOTS) for one in replayed.findings]


def without_line(path: Path, part: str, *, doubled: bool = False) -> Path:
    """Removes or doubles the first line of a copy that holds some text."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    index = next(number for number, line in enumerate(lines) if part in line and '"format"' not in line)
    changed = path.with_name(f"changed-{doubled}.jsonl")
    changed.write_text("".join([*lines[:index], *([lines[index]] * 2 if doubled else []), *lines[index + 1 :]]))
    return changed


def test_a_log_folded_again_gives_the_same_bytes() -> None:
    assert findings_of(a_snapshot()) == []


@pytest.mark.parametrize(("kind", "differs"), [("silent_source", False), ("source_back", False), ("escalated", True)])
def test_what_a_monitor_tells_of_sources_is_left_out_and_no_other_notice_is(kind: str, differs: bool) -> None:
    snapshot = a_snapshot()
    silences = silences_of(office_hours(3))
    [notice] = silences.due(office_hours(3)[-1].at + timedelta(days=9))
    told = notice.model_copy(update={"kind": NoticeKind(kind)})
    topic = kafka_name("notices")
    place = snapshot.held.setdefault((topic, HOME), [])
    offset = place[-1].offset + 1 if place else 0
    place.append(StoredRecord(offset, 0, b"source", codec(Notice).encode(told), tuple(headers_of(told, topic))))
    begins = snapshot.extent.begins | {topic: [0] * PARTITIONS}

    found = findings_of(replace(snapshot, extent=replace(snapshot.extent, begins=begins)))

    assert bool(found) is differs


@pytest.mark.long
def test_other_processes_replay_as_this_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.log.replaying._SHARED_RECORDS_MIN", 0)
    write_copy(a_snapshot(), tmp_path / "copy.jsonl")

    replayed = replay_snapshot(read_copy(tmp_path / "copy.jsonl"), ROOTS)

    assert [one.partition for one in replayed] == list(range(PARTITIONS))
    assert sum(one.records for one in replayed) == 13
    assert [finding for one in replayed for finding in one.findings] == []


@pytest.mark.parametrize("change", ["value", "timestamp", "headers"])
def test_one_altered_byte_of_a_handover_is_told(change: str) -> None:
    snapshot = a_snapshot()
    record = snapshot.held[OFFERS, HOME][0]
    altered = {
        "value": record._replace(value=(record.value or b"")[:-1] + b"\x7f"),
        "timestamp": record._replace(timestamp=record.timestamp + 1),
        "headers": record._replace(headers=tuple(record.headers)[:-1]),
    }[change]
    snapshot.held[OFFERS, HOME][0] = altered

    assert {finding.what for finding in findings_of(snapshot)} == {"missing", "unexpected"}


def test_a_handover_in_another_partition_than_its_key_belongs_to_is_told() -> None:
    snapshot = a_snapshot()
    moved = snapshot.held[OFFERS, HOME].pop()
    place = snapshot.held.setdefault((OFFERS, 1 - HOME), [])
    place.append(moved._replace(offset=place[-1].offset + 2 if place else 0))

    assert {(one.what, one.partition) for one in findings_of(snapshot)} == {("missing", HOME), ("unexpected", 1 - HOME)}


def test_what_expired_of_a_programmes_topic_is_left_out_and_what_is_younger_is_missed() -> None:
    whole = a_snapshot()
    offers = whole.held[OFFERS, HOME]
    begins = whole.extent.begins | {OFFERS: [one.offset for one in (offers[1], offers[1])]}
    others = {place: [] if place == (OFFERS, 1 - HOME) else some for place, some in whole.held.items()}
    later = replace(whole.extent, begins=begins, taken_at=whole.extent.taken_at + timedelta(days=401))
    expired = replace(whole, extent=later, held=others | {(OFFERS, HOME): offers[1:]})

    assert findings_of(expired) == []
    assert {one.what for one in findings_of(replace(expired, extent=replace(later, taken_at=whole.extent.taken_at)))}


def test_handovers_of_one_key_in_another_order_are_told() -> None:
    snapshot = a_snapshot()
    offers = snapshot.held[OFFERS, HOME]
    key = offers[0].key
    places = [index for index, record in enumerate(offers) if record.key == key]
    first, second = places[0], places[1]
    offers[first], offers[second] = (
        offers[second]._replace(offset=offers[first].offset),
        offers[first]._replace(offset=offers[second].offset),
    )

    assert [finding.what for finding in findings_of(snapshot)] == ["out_of_order"]


def test_a_copy_holds_what_was_there_byte_for_byte(tmp_path: Path) -> None:
    snapshot = a_snapshot()

    written = write_copy(snapshot, tmp_path / "copy.jsonl")
    copy = read_copy(tmp_path / "copy.jsonl")

    assert written == sum(map(len, snapshot.held.values()))
    assert {place: list(copy.records(*place)) for place in snapshot.held} == snapshot.held
    assert (tmp_path / "copy.jsonl").stat().st_mode & 0o077 == 0
    assert account_of(copy, replay_snapshot(copy, ROOTS)).balances


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("topic", [kafka_name("intake"), OFFERS, kafka_name("discharges"), kafka_name("pathways")])
def test_a_copy_with_a_line_removed_or_doubled_does_not_balance(tmp_path: Path, topic: str, doubled: bool) -> None:
    write_copy(a_snapshot(), tmp_path / "copy.jsonl")
    changed = read_copy(without_line(tmp_path / "copy.jsonl", topic, doubled=doubled))

    account = account_of(changed, replay_snapshot(changed, ROOTS))

    assert not account.balances


def test_a_copy_that_was_cut_short_says_so(tmp_path: Path) -> None:
    write_copy(a_snapshot(), tmp_path / "copy.jsonl")
    lines = (tmp_path / "copy.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "short.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")

    assert read_copy(tmp_path / "short.jsonl").extent.findings == ["the copy has no last line: it was cut short"]


@pytest.mark.parametrize("content", ["", "{}\n", json.dumps({"format": "brobygger-log"}), "\x00\xff"])
def test_what_is_no_copy_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "copy.jsonl").write_text(content, encoding="utf-8")

    with pytest.raises(CopyError, match="no copy of the log"):
        read_copy(tmp_path / "copy.jsonl")


def test_programmes_without_one_of_them_show_which_handovers_would_differ(tmp_path: Path) -> None:
    for file in (ROOT / "programmes").glob("*.toml"):
        if file.stem != "ungevaerftet":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    rules = Rules(timedelta(minutes=15))
    other = OtherProgrammes(load_programmes(tmp_path), load_reference(ROOT / "reference"), rules)
    write_copy(a_snapshot(), tmp_path / "copy.jsonl")

    differing = differing_handovers(read_copy(tmp_path / "copy.jsonl"), ROOTS, other)

    assert differing
    assert all("ungevaerftet" in " ".join(one.in_log) for one in differing)
    assert not any("ungevaerftet" in " ".join(one.under_other) for one in differing)


def test_each_partition_is_counted_as_it_is_done() -> None:
    done: list[None] = []

    results = over_partitions(lambda number: number * 10, a_snapshot(), lambda: done.append(None))

    assert (results, len(done)) == ([0, 10], 2)
