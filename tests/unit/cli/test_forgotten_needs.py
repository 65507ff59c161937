"""Needs that left their pathway with the deduplication window stay in the books: closed ones, and no others."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.codec import codec
from schemas.events import EventHeader
from schemas.instants import milliseconds_of
from schemas.internal import Intake
from schemas.pathway import decode_pathway, encode_pathway, replace
from streams.engine.processor import StoredRecord
from streams.log.refold import FORGOTTEN, RefoldResult, fold_partition
from tests.agents.intake import a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import YOUTH, a_consent, a_person, a_step
from tests.unit.cli.logs import HOME, INTAKE, MONDAY, PARTITIONS, ROOTS

REFUSED_AT = MONDAY + timedelta(days=1)
STORY = [
    (MONDAY - timedelta(days=1), a_version(a_catalogue(), MONDAY)),
    (MONDAY, a_person()),
    (MONDAY, a_step("stin", MONDAY - timedelta(days=3), "admitted")),
    (MONDAY, a_step("slhj", MONDAY, "discharged_home")),
    (REFUSED_AT, a_consent("refusal", REFUSED_AT, decision="refused")),
]


def folded(*later: tuple[datetime, EventHeader]) -> RefoldResult:
    records = [
        StoredRecord(
            offset,
            milliseconds_of(when),
            None,
            codec(Intake).encode(Intake(origin_topic=INTAKE, origin_partition=HOME, origin_offset=-1, body=event)),
        )
        for offset, (when, event) in enumerate((*STORY, *later))
    ]
    return fold_partition(records, (HOME, PARTITIONS), ROOTS)


def test_a_closed_need_is_counted_as_closed_while_it_is_remembered() -> None:
    assert folded().needs_by_state() == {"closed": 1}


def test_a_closed_need_is_counted_as_forgotten_once_it_has_left_its_pathway() -> None:
    much_later = MONDAY + timedelta(days=500)

    books = folded((much_later, a_version(a_catalogue(2), much_later)))

    assert books.needs_by_state() == {FORGOTTEN: 1}
    assert len(books.needs_opened) == 1


def test_a_need_that_has_gone_without_having_been_closed_is_in_no_state() -> None:
    books = folded()
    key = YOUTH.encode()
    value, offset = books.states[key][-1]
    assert value is not None
    pathway = decode_pathway(value)
    books.needs_opened[key, pathway.needs[0].need_id] = "open"
    books.states[key].append((encode_pathway(replace(pathway, needs=())), offset))

    assert sum(books.needs_by_state().values()) < len(books.needs_opened)
