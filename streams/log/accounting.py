"""Law 5, conservation: what the books of both stages must say of each other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from streams.agents.join_pathways import INTAKE, STAGE
from streams.log.books import Account, DeadLetterKey
from streams.log.comparison import PartitionExtent, ordered
from streams.log.public_records import account_public, oldest_letter_ms
from streams.log.replaying import DEAD_LETTERS
from streams.log.snapshot import Snapshot, partitions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.processor import StoredRecord
    from streams.log.replaying import Replayed

_STEERING = ("CatalogueVersion", "CalendarSet")
_HEADER = "__connect.errors."


def account_of(snapshot: Snapshot, replayed: Sequence[Replayed]) -> Account:
    """Returns the books of a snapshot whose partitions were replayed. Blocks: reads public topics and dead letters.

    Public topics and dead letters are kept 30 days only: what has expired is taken from the intake log, and a
    record older than the dead letters that are kept may have been one.
    """
    account = Account(remarks=list(snapshot.extent.findings))
    for one in replayed:
        account.add(one)
    letters = _letters_of(snapshot, account)
    account_public(snapshot, [statement for one in replayed for statement in one.statements], letters, account)
    _account_letters(snapshot, replayed, letters, account)
    _account_steering(snapshot, replayed, account)
    account.add_up()
    return account


def dead_letter_key_of(record: StoredRecord) -> DeadLetterKey | None:
    """Returns what a dead letter's headers say, or None where they aren't this service's."""
    said = {name.removeprefix(_HEADER): (value or b"").decode() for name, value in record.headers}
    try:
        place = (said["stage"], said["topic"], int(said["partition"]), int(said["offset"]))
        return DeadLetterKey(*place, said["class.name"])
    except (KeyError, ValueError):
        return None


def _letters_of(snapshot: Snapshot, account: Account) -> Counter[DeadLetterKey]:
    letters: Counter[DeadLetterKey] = Counter()
    for number in partitions_of(snapshot, DEAD_LETTERS):
        place = PartitionExtent(DEAD_LETTERS, number, 0, 0)
        for record in ordered(place, snapshot.records(DEAD_LETTERS, number), account.findings):
            letter = dead_letter_key_of(record)
            if letter is None:
                account.findings.append(place.finding("unexpected", record.offset, "its headers name no record"))
            else:
                letters[letter] += 1
    return letters


def _account_letters(
    snapshot: Snapshot, replayed: Sequence[Replayed], letters: Counter[DeadLetterKey], account: Account
) -> None:
    """Compares stage 2's dead letters with those of the refold, by the intake record that each was."""
    extent, oldest = snapshot.extent, oldest_letter_ms(snapshot)
    found = Counter({(one.partition, one.offset): count for one, count in letters.items() if one.stage == STAGE})
    for one in replayed:
        settled = extent.folded(extent.before, STAGE, (INTAKE, one.partition))
        place = PartitionExtent(DEAD_LETTERS, one.partition, 0, settled)
        for offset, written_ms in one.dead_letters.items():
            count = found.pop((one.partition, offset), 0)
            if count == 0 and offset < settled and written_ms >= oldest:
                account.findings.append(place.finding("missing", None, f"the dead letter of intake record {offset}"))
            if count > 1:
                account.findings.append(place.finding("doubled", None, f"the dead letter of intake record {offset}"))
    for partition, offset in found:
        place = PartitionExtent(DEAD_LETTERS, partition, 0, 0)
        account.findings.append(place.finding("unexpected", None, f"intake record {offset} can be folded"))


def _account_steering(snapshot: Snapshot, replayed: Sequence[Replayed], account: Account) -> None:
    """Checks that what steers the fold was written to every partition once."""
    extent = snapshot.extent
    of_partition = {
        one.partition: Counter(say.event_id for say in one.statements if say.event_name in _STEERING)
        for one in replayed
    }
    settled = {
        say.event_id
        for one in replayed
        for say in one.statements
        if say.event_name in _STEERING
        and say.origin.intake_offset < extent.folded(extent.before, STAGE, (INTAKE, one.partition))
    }
    for partition, found in of_partition.items():
        place = PartitionExtent(INTAKE, partition, 0, 0)
        for event_id in sorted(settled):
            if found[event_id] != 1:
                what = "missing" if found[event_id] == 0 else "doubled"
                account.findings.append(place.finding(what, None, f"the catalogue or calendar record {event_id}"))
