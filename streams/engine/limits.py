"""Bounds on one transaction. Reaching one ends the transaction, never the process."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


class RecordTooLargeError(ValueError):
    """A value exceeds `record_bytes_max`: the broker would refuse it for ever, so it is refused before."""


@dataclass(frozen=True, slots=True)
class TransactionLimits:
    """How much one transaction holds before `PartitionState.full` comes true.

    They are soft by one record, because a record is folded whole: what a fold adds after it saw
    `full` still belongs to the transaction. `record_bytes_max` is hard and counts key and value;
    it stays under the topics' `max.message.bytes`.
    """

    records_max: int = 40_000
    changed_keys_max: int = 20_000
    changed_bytes_max: int = 4 * MIB
    output_bytes_max: int = 4 * MIB
    record_bytes_max: int = 900 * KIB
