"""The topic catalogue, read from ``topics.toml``: names, owners, retention, and the event each topic carries."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas import events, internal, outputs

PREFIX = "brobygger."
_VERSION = ".v1"
RECORD_BYTES_MAX = 1_048_576
STATEMENT_TOPICS = ("referrals", "discharges", "enrolments", "consents", "correspondence", "replies")
INTERNAL_STATEMENT_TOPICS = ("persons", "interventions")
_OTHERS = frozenset({"programmes", "sources"})
_SEGMENT_OF_EMPTIED = timedelta(hours=1)


class Topic(BaseModel):
    """One entry of the catalogue.

    ``per`` has a topic for each programme, or for each source that writes to Kafka. ``delete_after_read`` has its
    reader delete what it has taken. ``media_type`` is that of values that are no event of ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    owner: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    description: str
    event: str | None = None
    internal: bool = False
    compacted: bool = False
    per: Literal["programme", "source"] | None = None
    delete_after_read: bool = False
    media_type: str = "application/octet-stream"
    broker_timestamps: bool = False
    retention_days: int | None = None
    record_bytes_max: int = RECORD_BYTES_MAX

    @property
    def model(self) -> type[BaseModel] | None:
        """Returns the model of the records, or None where the format is the engine's own."""
        return None if self.event is None else _model_of(self.event)

    def config(self) -> dict[str, str]:
        """Returns the topic's broker settings."""
        retention = timedelta(days=self.retention_days) if self.retention_days else None
        segments = {"segment.ms": _milliseconds(_SEGMENT_OF_EMPTIED)} if self.delete_after_read else {}
        # A broker that unpacks, or packs anew, makes room for whatever size a batch of others names, and dies of it.
        as_sent = {} if _OTHERS.isdisjoint(self.producers) else {"compression.type": "producer"}
        return (
            segments
            | as_sent
            | {
                "cleanup.policy": "compact" if self.compacted else "delete",
                "retention.ms": _milliseconds(retention) if retention else "-1",
                "max.message.bytes": str(self.record_bytes_max),
                "message.timestamp.type": "LogAppendTime" if self.broker_timestamps else "CreateTime",
            }
        )


def _milliseconds(time: timedelta) -> str:
    return str(time // timedelta(milliseconds=1))


@cache
def _model_of(event: str) -> type[BaseModel]:
    for module in (events, outputs, internal):
        if hasattr(module, event):
            model: type[BaseModel] = getattr(module, event)
            return model
    raise LookupError(f"topics.toml: no model is named {event}")


@cache
def catalogue() -> dict[str, Topic]:
    """Returns every topic by its short name (``discharges``), in the file's order."""
    content = tomllib.loads(Path(__file__).with_name("topics.toml").read_text(encoding="utf-8"))
    return {name: Topic.model_validate(entry) for name, entry in content.items()}


def kafka_name(short: str) -> str:
    """Returns the topic's name on the broker.

    >>> kafka_name("handovers.headspace")
    'brobygger.handovers.headspace.v1'
    """
    return f"{PREFIX}{short}{_VERSION}"


def short_name(name: str) -> str:
    """Returns the catalogue's name of a topic given by either name.

    >>> short_name("brobygger.discharges.v1")
    'discharges'
    """
    return name.removeprefix(PREFIX).removesuffix(_VERSION)


def entry_of(name: str) -> Topic:
    """Returns the entry of a topic given by either name; raises LookupError for an unknown one."""
    short = short_name(name)
    topic = catalogue().get(short) or catalogue().get(short.partition(".")[0])
    if topic is None or ("." in short and topic.per is None):
        raise LookupError(f"no topic is named {short!r}; `brobygger topics` lists them")
    return topic
