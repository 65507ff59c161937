"""What doctor tells that is new: dead letters, restarts, failed deliveries and notices, each once a look."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from connectors.read_model.tables import NOTICES, in_transaction, open_read_model
from connectors.vault.urls import sqlite_url
from connectors.webhooks.tables import FAILURES, webhooks_database_of
from schemas.topics import kafka_name
from streams.cli import doctor, news
from streams.cli.main import app
from streams.instance import Instance, Process
from streams.log.books import DeadLetterKey
from streams.log.dead_letters import DeadLetter
from streams.settings import settings_from
from streams.supervision import Child, restart_ended, stop_all
from tests.integration.command_line import until

AT = datetime(2026, 11, 29, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Cluster:
    """The dead letters of a cluster, by partition and offset."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int]] = []

    def dead_letters(self, _connection: object, _partitions: int, starts: Mapping[int, int]) -> Iterator[DeadLetter]:
        """Yields those from the starts on; see ``streams.log.dead_letters``."""
        origin = DeadLetterKey("merge_intake", kafka_name("discharges"), 0, 0, "broken_rule")
        for partition, offset in self.places:
            if offset >= starts.get(partition, 0):
                yield DeadLetter(f"{partition}-{offset}", origin, "", AT, b"")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cluster:
    """Returns a cluster that is ready, and a data folder for its instance."""
    intake = kafka_name("intake")
    found = type("Found", (), {"name": intake, "partitions": 12})
    one = Cluster()
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    monkeypatch.setattr(doctor, "describe", lambda *_: {intake: found})
    monkeypatch.setattr(news, "dead_letters", one.dead_letters)
    return one


def look(folder: Path, at: datetime, *, for_people: bool = True, instance: Instance | None = None) -> dict[str, Any]:
    """Returns the news of a data folder as of a time."""
    settings = settings_from({"BROBYGGER_DATA": str(folder), "KAFKA_BOOTSTRAP": "kafka.example:9092"})
    return news.news_of(settings, settings.kafka, instance, at, for_people=for_people)


def test_dead_letters_are_new_once_to_people_and_once_to_scripts(cluster: Cluster, tmp_path: Path) -> None:
    cluster.places = [(0, 5), (0, 9), (3, 0)]

    looks = [look(tmp_path, AT)["dead_letters"], look(tmp_path, AT)["dead_letters"]]
    cluster.places += [(3, 1)]
    looks += [look(tmp_path, AT)["dead_letters"], look(tmp_path, AT, for_people=False)["dead_letters"]]

    assert looks == [3, 0, 1, 4]


def test_restarts_failed_deliveries_and_notices_are_new_once(cluster: Cluster, tmp_path: Path) -> None:
    look(tmp_path, AT)
    worker = Process(role="worker-1", pid=1, log="w.log", restarts=2, restarted_at=AT + MINUTE, last_exit=-9)
    instance = Instance(bootstrap="b:1", gateway="http://g", processes=(worker,))
    failure = {"programme": "headspace", "outcome": "http_500", "failed_at_ms": int((AT + MINUTE).timestamp() * 1000)}
    with webhooks_database_of(tmp_path).writing() as connection:
        connection.execute(insert(FAILURES).values(failure))
    notice = {"event_id": "n", "partition": 0, "offset": 0, "kind": "stuck", "recipient": "operations"}
    notice |= {"subject": "s", "options": [], "said_at": AT + MINUTE}
    engine = open_read_model(sqlite_url(tmp_path / "read-model.sqlite"))
    in_transaction(engine, lambda connection: connection.execute(insert(NOTICES).values(notice)))

    told = look(tmp_path, AT + 2 * MINUTE, instance=instance)
    again = look(tmp_path, AT + 3 * MINUTE, instance=instance)

    assert told["since"] == AT.isoformat()
    assert [one["exit_code"] for one in told["restarts"]] == [-9]
    assert (told["failing_webhooks"], told["notices_to_operations"]) == (["headspace"], {"stuck": 1})
    assert len(news.sentences(told)) == 3
    assert news.sentences(again) == []


def test_a_look_that_was_cut_off_or_is_not_ours_is_the_first_one(cluster: Cluster, tmp_path: Path) -> None:
    cluster.places = [(0, 5)]
    look(tmp_path, AT)
    (tmp_path / "doctor-people.json").write_text('{"at": ', encoding="utf-8")

    told = look(tmp_path, AT)

    assert (told["since"], told["dead_letters"]) == (None, 1)


def test_doctor_tells_what_is_new_and_how_often_each_process_was_restarted(cluster: Cluster, tmp_path: Path) -> None:
    cluster.places = [(0, 5), (1, 7)]
    worker = Process(role="worker-1", pid=os.getpid(), restarts=1, restarted_at=datetime.now(UTC), last_exit=-9)
    Instance(bootstrap="b:1", gateway="http://g", processes=(worker,)).write(tmp_path)

    document = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    shown, again = (CliRunner().invoke(app, ["doctor"]).stdout for _ in range(2))

    assert (document["new"]["dead_letters"], document["processes"][0]["restarts"]) == (2, 1)
    assert "2 dead letters: brobygger dead-letters list" in shown
    assert "restarted 1 time," in " ".join(shown.split())
    assert "nothing new since the last look at" in " ".join(again.split())


def test_a_process_that_ends_is_counted_and_leaves_a_line_in_its_log(tmp_path: Path) -> None:
    child = Child(
        "worker-1", ["no-such-command"], dict(os.environ), tmp_path / "worker.log", "http://127.0.0.1:1/ready"
    )
    child.start()
    try:
        until(lambda: child.ended() is not None)
        restarted = until(lambda: restart_ended([child]))
    finally:
        stop_all([child])

    assert (restarted, child.failures, child.last_exit) == ([child], 1, 2)
    [line] = [json.loads(one) for one in child.log_file.read_text(encoding="utf-8").splitlines() if one[:1] == "{"]
    assert (line["event"], line["exit_code"], line["restarts"]) == ("process_restarted", 2, 1)
    assert child.restarted_at is not None
