"""Accounts for the public topics' records: each became exactly one intake record, or one dead letter."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from schemas.codec import codec
from schemas.instants import milliseconds_of, moment_of
from schemas.refusals import RefusedError
from schemas.topics import entry_of
from streams.agents.merge_intake import INPUTS, STAGE
from streams.log.books import CAME_IN, UNDER_WAY, Account, DeadLetterKey
from streams.log.comparison import PartitionExtent, ordered
from streams.log.refold import DEAD_LETTER, UNREADABLE, IntakeStatement, recorded_day_of
from streams.log.snapshot import Snapshot, partitions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.processor import StoredRecord

_Spot = tuple[str, int, int]


def account_public(
    snapshot: Snapshot, statements: Sequence[IntakeStatement], letters: Counter[DeadLetterKey], account: Account
) -> None:
    """Books every public record that is still there, and every intake record whose public one has expired."""
    became = _intake_records(statements, account)
    dead = Counter({one[1:4]: count for one, count in letters.items() if one.stage == STAGE})
    for topic in INPUTS:
        for number in partitions_of(snapshot, topic):
            _account_partition(snapshot, (topic, number), (became, dead), account)
    for spot, says in became.items():
        _account_rest(snapshot, spot, says, account)


def oldest_letter_ms(snapshot: Snapshot) -> int:
    """Returns the time before which dead letters may have expired, in ms."""
    days = entry_of("dead-letters").retention_days or 0
    return milliseconds_of(snapshot.extent.taken_at - timedelta(days=days))


def _intake_records(statements: Sequence[IntakeStatement], account: Account) -> dict[_Spot, list[IntakeStatement]]:
    """Returns the intake records of each public record; books those that came in by no public topic."""
    became: dict[_Spot, list[IntakeStatement]] = {}
    for say in statements:
        if say.source == UNREADABLE or say.retried:
            account.book(say.source, say.day, CAME_IN)
        elif say.is_of_public_record:
            became.setdefault(say.origin[:3], []).append(say)
    return became


def _account_partition(
    snapshot: Snapshot,
    where: tuple[str, int],
    found: tuple[dict[_Spot, list[IntakeStatement]], Counter[_Spot]],
    account: Account,
) -> None:
    became, dead = found
    extent, oldest = snapshot.extent, oldest_letter_ms(snapshot)
    place = PartitionExtent(*where, extent.begins[where[0]][where[1]], extent.folded(extent.before, STAGE, where))
    for record in ordered(place, snapshot.records(*where), account.findings):
        source, day = _source_and_day(where[0], record)
        account.book(source, day, CAME_IN)
        spot = (*where, record.offset)
        merged, letters = len(became.pop(spot, ())), dead[spot]
        if letters:
            account.book(source, day, DEAD_LETTER, letters)
        if merged + letters > 1:
            text = f"became {merged} intake records and {letters} dead letters"
            account.findings.append(place.finding("doubled", record.offset, text))
        elif merged + letters == 0 and record.offset >= place.settled:
            account.book(source, day, UNDER_WAY)
        elif merged + letters == 0 and record.timestamp < oldest:
            account.book(source, day, DEAD_LETTER)
        elif merged + letters == 0:
            text = "became neither an intake record nor a dead letter"
            account.findings.append(place.finding("missing", record.offset, text))


def _account_rest(snapshot: Snapshot, spot: _Spot, says: Sequence[IntakeStatement], account: Account) -> None:
    """Books intake records whose public record is not there: expired, or never there."""
    topic, number, offset = spot
    begins = snapshot.extent.begins.get(topic, [])
    place = PartitionExtent(topic, number, begins[number] if number < len(begins) else 0, 0)
    if len(says) > 1:
        account.findings.append(place.finding("doubled", offset, f"became {len(says)} intake records"))
    if not begins or offset < place.begin:
        account.book(says[0].source, says[0].day, CAME_IN)
    else:
        account.findings.append(place.finding("unexpected", offset, "an intake record names it, and it is not there"))


def _source_and_day(topic: str, record: StoredRecord) -> tuple[str, str]:
    model = entry_of(topic).model
    try:
        event = codec(model).decode_raw(record.value or b"") if model else {}
        return event["source"], recorded_day_of(event)
    except (RefusedError, KeyError, OverflowError):
        return UNREADABLE, moment_of(record.timestamp).date().isoformat()
