"""Whether all is ready, as `brobygger doctor` tells it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from schemas.topics import kafka_name
from streams.cli import doctor
from streams.instance import Instance, Process
from streams.settings import Settings, settings_from

if TYPE_CHECKING:
    from pathlib import Path

PARTITIONS = 3


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Returns the settings of a data folder and an outside cluster that has the topics."""
    intake = kafka_name("intake")

    class Found:
        name, partitions = intake, PARTITIONS

    monkeypatch.setattr(doctor, "describe", lambda *_: {intake: Found})
    return settings_from(
        {
            "BROBYGGER_DATA": str(tmp_path),
            "BROBYGGER_PARTITIONS": str(PARTITIONS),
            "KAFKA_BOOTSTRAP": "kafka.example:9092",
        }
    )


def test_an_outside_cluster_where_no_process_is_known_is_not_ready(settings: Settings) -> None:
    report = doctor.examine(settings)

    assert report["broker"]["ready"] is True
    assert (report["ready"], report["processes"]) == (False, [])
    [problem] = report["problems"]
    assert "no gateway, worker or deliverer is known here" in problem
    assert "/ready" in problem


def test_a_process_that_does_not_answer_is_named(settings: Settings) -> None:
    worker = Process(role="worker-1", pid=os.getpid(), health="http://127.0.0.1:1")
    Instance(bootstrap="kafka.example:9092", gateway="http://127.0.0.1:1", processes=(worker,)).write(
        settings.data_folder
    )

    report = doctor.examine(settings)

    assert (report["ready"], report["problems"]) == (False, ["worker-1 is not ready; see its log"])
