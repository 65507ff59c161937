"""What is new since the last look: dead letters, restarts, endpoints that fail, and notices to operations.

The look is kept in the data folder, one for people and one for scripts, so that a monitor takes nothing from anybody.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import func, select

from connectors.read_model.tables import NOTICES, open_read_model, reading
from connectors.vault.database import is_there
from connectors.vault.urls import sqlite_url
from connectors.webhooks.tables import webhooks_database_of
from connectors.webhooks.waiting import Waiting
from schemas.reference import load_reference
from streams.cli.printing import counted
from streams.log.dead_letters import dead_letters

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.kafka.connection import KafkaConnection
    from streams.instance import Instance
    from streams.settings import Settings

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Look(BaseModel):
    """When it was looked, and how far the dead letters of each partition were seen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    at: datetime = _NEVER
    dead_letters: dict[int, int] = {}


def news_of(
    settings: Settings, connection: KafkaConnection | None, instance: Instance | None, at: datetime, *, for_people: bool
) -> dict[str, Any]:
    """Returns what is new since the last look of the same kind, and keeps this one as that; blocks.

    Without a connection nothing is known of dead letters, and the look at them stays as it was.
    """
    file = settings.data_folder / f"doctor-{'people' if for_people else 'scripts'}.json"
    last = _read(file)
    seen, letters = dict(last.dead_letters), 0
    if connection is not None:
        for letter in dead_letters(connection, settings.partitions, last.dead_letters):
            partition, _, offset = letter.letter_id.partition("-")
            seen[int(partition)], letters = int(offset) + 1, letters + 1
    _write(file, Look(at=at, dead_letters=seen))
    return {
        "since": None if last.at == _NEVER else last.at.isoformat(timespec="seconds"),
        "dead_letters": letters if connection is not None else None,
        "restarts": _restarts(instance, last.at),
        "failing_webhooks": _failing(settings, last.at),
        "notices_to_operations": _notices(settings, last.at),
    }


def sentences(news: dict[str, Any]) -> list[str]:
    """Returns the news for people, one sentence each, with the command that tells more; none where nothing is new."""
    letters = news["dead_letters"]
    said = [f"{counted(letters, 'dead letter')}: brobygger dead-letters list"] if letters else []
    said += [
        f"{one['role']} ended with exit code {one['exit_code']} and was started again, so far "
        f"{counted(one['restarts'], 'time')}: {one['log']}"
        for one in news["restarts"]
    ]
    said += [f"deliveries to {one} failed: brobygger webhooks list" for one in news["failing_webhooks"]]
    said += [
        f"{counted(count, 'notice')} {kind} to operations: brobygger subscribe notices"
        for kind, count in news["notices_to_operations"].items()
    ]
    return said


def _restarts(instance: Instance | None, since: datetime) -> list[dict[str, Any]]:
    return [
        {"role": one.role, "restarts": one.restarts, "exit_code": one.last_exit, "log": one.log}
        for one in (instance.processes if instance else ())
        if one.restarted_at is not None and one.restarted_at > since
    ]


def _failing(settings: Settings, since: datetime) -> list[str]:
    if not is_there(sqlite_url(settings.data_folder / "webhooks.sqlite")):
        return []
    last = Waiting(webhooks_database_of(settings.data_folder)).last_attempts()
    return sorted(programme for programme, one in last.items() if one.error_at is not None and one.error_at > since)


def _notices(settings: Settings, since: datetime) -> dict[str, int]:
    url = settings.read_model_url or sqlite_url(settings.data_folder / "read-model.sqlite")
    if not is_there(url):
        return {}
    operations = load_reference(settings.reference_folder).default_owner
    wanted = (
        select(NOTICES.c.kind, func.count())
        .where(NOTICES.c.recipient == operations, NOTICES.c.said_at > since)
        .group_by(NOTICES.c.kind)
        .order_by(NOTICES.c.kind)
    )
    engine = open_read_model(url)
    try:
        return {row[0]: row[1] for row in reading(engine, lambda connection: connection.execute(wanted).all())}
    finally:
        engine.dispose()


def _read(file: Path) -> Look:
    try:
        return Look.model_validate_json(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return Look()


def _write(file: Path, look: Look) -> None:
    partial = file.with_suffix(".new")
    partial.write_text(look.model_dump_json(), encoding="utf-8")
    partial.replace(file)
