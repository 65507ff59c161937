"""Which tasks an assignment makes, and when a worker is ready."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from streams.engine.stage import EngineSettings, Stage
from streams.engine.supervise import TaskId, Tasks

from .builders import Counting
from .fakes import NoConnection


def end(reason: str, error: BaseException | None = None) -> NoReturn:
    raise AssertionError(reason)


def some_tasks(*stages: Stage) -> Tasks:
    return Tasks("app", NoConnection(), stages, EngineSettings(Path("/nowhere")), end)


MERGE = Stage("merge", ("a", "b"), "merge-log", Counting)
JOIN = Stage("join", ("intake",), "join-log", Counting)


def test_a_task_needs_its_partition_of_every_input() -> None:
    tasks = some_tasks(MERGE, JOIN)

    ids = tasks._complete_ids({("a", 0), ("b", 0), ("a", 1), ("intake", 1)})

    assert ids == {TaskId("merge", 0), TaskId("join", 1)}


def test_two_stages_may_not_share_an_input() -> None:
    with pytest.raises(ValueError, match="one stage only"):
        some_tasks(MERGE, Stage("other", ("b",), "other-log", Counting))


def test_a_worker_without_an_assignment_is_not_ready() -> None:
    assert not some_tasks(MERGE).ready


async def test_a_worker_to_which_nothing_is_assigned_is_ready() -> None:
    tasks = some_tasks(MERGE)
    tasks.assign(set())

    assert tasks.ready
    await tasks.close()


async def test_a_revocation_ends_readiness() -> None:
    tasks = some_tasks(MERGE)
    tasks.assign(set())
    await tasks.revoke()

    assert not tasks.ready
