"""What to run, and with which settings. The composition root fills these in; the engine reads no environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from streams.engine.limits import KIB, MIB, TransactionLimits
from streams.engine.metrics import EngineMetrics, NoMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from streams.engine.processor import Processor


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the flow: input topics, a processor over them, its changelog.

    All inputs and the changelog have the same number of partitions; partition n of all inputs is
    one task. Within one partition number records of one topic keep their order; between topics the
    order is that of arrival. `tick_topic` is one of the inputs, or None for a stage without clocks.
    The changelog is compacted and uncompressed, one writer at a time.
    """

    name: str
    inputs: tuple[str, ...]
    changelog: str
    processor: Callable[[], Processor]
    tick_topic: str | None = None


class BrokerConnection(Protocol):
    """How to reach the brokers, in the words of each client."""

    def for_aiokafka(self) -> Mapping[str, object]:
        """Returns keyword arguments for an aiokafka producer or consumer: servers and security."""

    def for_kafka_python(self) -> Mapping[str, object]:
        """Returns keyword arguments for kafka-python's admin client."""

    def for_faust(self, transport: str) -> Mapping[str, object]:
        """Returns keyword arguments for `faust.App`: `broker` over that transport, and security."""


def never_crash(point: str) -> None:
    """Does nothing at any point: the hook of a worker that nobody tests."""


@dataclass(frozen=True, slots=True)
class TransactionSettings:
    """How often and how long. `deadline` ends the process and stays below `timeout`, after which the broker aborts.

    A transaction begins at once where the last one began longer ago than `floor`, or than
    `stretch` times its duration; with `interval` set, not before that has passed.
    """

    floor: timedelta = timedelta(milliseconds=15)
    stretch: float = 1.5
    interval: timedelta | None = None
    timeout: timedelta = timedelta(seconds=10)
    deadline: timedelta = timedelta(seconds=9)
    limits: TransactionLimits = field(default_factory=TransactionLimits)


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """What is read ahead. One response per partition waits in the client, `batches_ahead` in its task."""

    partition_bytes_max: int = 512 * KIB
    response_bytes_max: int = 8 * MIB
    records_max: int = 20_000
    bytes_min: int = 1
    wait_max: timedelta = timedelta(milliseconds=20)
    batches_ahead: int = 2


@dataclass(frozen=True, slots=True)
class MembershipSettings:
    """Membership of the consumer group. An `instance_id` makes it static: unique, and kept over restarts."""

    instance_id: str | None = None
    session_timeout: timedelta = timedelta(seconds=6)
    rebalance_timeout: timedelta = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Everything else a worker needs to know.

    `state_dir` belongs to this worker alone. `release` is written with every transaction, and a
    worker refuses state of a later one. `changelog_delete_retention` is the changelog's
    `delete.retention.ms`: local state untouched for more than half of it is built anew, because
    deletions may already have left the log. A batch that makes no progress for `stall_timeout`
    ends the process. `crash_point` is called at the points named in `transaction.py`.
    """

    state_dir: Path
    release: str = "0"
    transaction: TransactionSettings = field(default_factory=TransactionSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    membership: MembershipSettings = field(default_factory=MembershipSettings)
    changelog_delete_retention: timedelta = timedelta(days=1)
    stall_timeout: timedelta = timedelta(seconds=30)
    tick_quiet: timedelta = timedelta(milliseconds=100)
    restores_at_once: int = 2
    marker_backoff: timedelta = timedelta(milliseconds=3)
    metrics: EngineMetrics = field(default_factory=NoMetrics)
    crash_point: Callable[[str], None] = never_crash


__all__ = [
    "KIB",
    "MIB",
    "BrokerConnection",
    "EngineSettings",
    "FetchSettings",
    "MembershipSettings",
    "Stage",
    "TransactionSettings",
]
