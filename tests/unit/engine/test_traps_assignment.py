"""Traps of assignments and of workers that go on while nothing moves: each docstring names one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.producer import sender
from faust.types import TP

from streams.engine import app as engine_app
from streams.engine import opening, supervise, transport
from streams.engine.app import EngineApp, build_app, run_worker
from streams.engine.faust_private import FetchedPartition
from streams.engine.input_log import Bounds
from streams.engine.opening import OpenTask, TaskRuntime
from streams.engine.stage import EngineSettings, Stage
from streams.engine.supervise import Tasks
from streams.engine.task import RunningTask

from .builders import Counting, a_record
from .fakes import Bench, EndedError, FakeInputs, FakeWriter, NoConnection, until

STAGE = Stage("stage", ("in",), "log", Counting)
INPUT, CHANGELOG = TopicPartition("in", 0), TopicPartition("log", 0)


class Openings:
    """Opens tasks on fakes, and counts; `blocked` ones never get ready."""

    def __init__(self) -> None:
        self.benches: list[Bench] = []
        self.blocked = False

    async def open(self, stage: Stage, partition: int, runtime: TaskRuntime) -> OpenTask:
        if self.blocked:
            await asyncio.get_running_loop().create_future()
        self.benches.append(Bench())
        return self.benches[-1].opened


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Openings:
    openings = Openings()
    monkeypatch.setattr(supervise, "open_task", openings.open)
    return openings


@pytest.fixture
def inputs() -> FakeInputs:
    return FakeInputs()


@pytest.fixture
async def tasks(openings: Openings, inputs: FakeInputs, tmp_path: Path) -> Tasks:
    tasks = Tasks("app", NoConnection(), [STAGE], EngineSettings(tmp_path), _end)
    tasks.attach(inputs, lambda: None)
    return tasks


@pytest.fixture
def app(tmp_path: Path, openings: Openings) -> EngineApp:
    return build_app("app", _Nowhere(), [STAGE], EngineSettings(tmp_path / "state"))


class _InOrder(FakeInputs, FakeWriter):
    """Notes what an opening asks of producer and broker, in order."""

    def __init__(self) -> None:
        FakeWriter.__init__(self)
        FakeInputs.__init__(self)
        self.asked: list[str] = []
        self.fence_answers = True

    async def fence(self) -> None:
        if not self.fence_answers:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0)
        self.asked.append("fence")

    async def partition_count(self, topic: str) -> int:
        return 1

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.asked.append("committed offsets")
        return {}

    async def bounds(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        self.asked.append("ends of logs")
        return dict.fromkeys(partitions, Bounds(0, 0))

    async def written_end(self, partition: TopicPartition) -> int:
        self.asked.append("end of the changelog")
        return 0


@pytest.fixture
def in_order(monkeypatch: pytest.MonkeyPatch) -> _InOrder:
    in_order = _InOrder()
    monkeypatch.setattr(opening, "TransactionalWriter", lambda *_: in_order)
    return in_order


async def test_the_fence_comes_before_anything_is_read(in_order: _InOrder, tmp_path: Path) -> None:
    """The trap: fenced after the offset was read, the old owner's last commit goes missing: wrong state."""
    opened = await opening.open_task(STAGE, 0, _runtime(in_order, tmp_path))

    assert in_order.asked[0] == "fence"
    assert sorted(in_order.asked) == ["committed offsets", "end of the changelog", "ends of logs", "fence"]
    await opened.close()


async def test_a_fence_that_gets_no_answer_ends_and_leaves_nothing_open(
    in_order: _InOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: aiokafka retries the start of a transactional producer without limit."""
    monkeypatch.setattr(opening, "_FENCE_SECONDS_MAX", 0.01)
    in_order.fence_answers = False

    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await opening.open_task(STAGE, 0, _runtime(in_order, tmp_path))

    assert (in_order.stopped, in_order.asked) == (True, [])


async def test_a_seek_returns_at_once_whatever_restores_take(
    app: EngineApp, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: Faust cancels a slow `perform_seek`, and the worker heartbeats and never consumes."""
    openings.blocked = True
    monkeypatch.setattr(app.consumer, "assignment", lambda: {TP("in", 0)})
    seek = app.consumer.perform_seek()

    with pytest.raises(StopIteration):  # it has returned without giving way once
        seek.send(None)
    await until(lambda: app.engine._starting)

    assert not app.engine.ready
    await app.engine.close()


async def test_a_task_that_comes_back_is_neither_fenced_nor_restored_again(tasks: Tasks, openings: Openings) -> None:
    """The trap: two processes with one instance id evict each other for ever where every reuse fences anew."""
    task = await _assigned(tasks)
    first = task.feed
    await tasks.revoke()
    assert await _assigned(tasks) is task

    assert len(openings.benches) == 1
    assert first is not task.feed
    await tasks.close()


async def test_a_batch_from_before_a_revocation_finds_no_way_in(tasks: Tasks) -> None:
    """The trap: under one instance id the generation stays the same, and old batches pass for new ones."""
    task = await _assigned(tasks)
    feed = task.feed
    assert feed is not None
    await tasks.revoke()
    feed.accept(FetchedPartition("in", 0, 0, [a_record(0)], 1))
    assert not task.busy
    await _assigned(tasks)
    feed.accept(FetchedPartition("in", 0, 0, [a_record(0)], 1))

    assert not task.busy
    await tasks.close()


async def test_a_task_whose_offset_moved_while_parked_is_opened_anew(
    tasks: Tasks, openings: Openings, inputs: FakeInputs
) -> None:
    """The trap: another worker had the partition in between, and the parked task's state is of the past."""
    task = await _assigned(tasks)
    await tasks.revoke()
    inputs.group[INPUT] = 5
    again = await _assigned(tasks)

    assert again is not task
    assert [bench.writer.stopped for bench in openings.benches] == [True, False]
    await tasks.close()


async def test_a_task_that_went_elsewhere_is_closed(tasks: Tasks, openings: Openings) -> None:
    """The trap: every rebalance of Faust's takes all partitions away, so what is gone shows in the next assignment."""
    await _assigned(tasks)
    await tasks.revoke()
    assert not openings.benches[0].writer.stopped
    tasks.assign(set())
    await until(lambda: openings.benches[0].writer.stopped)

    assert tasks.running == {}
    await tasks.close()


async def test_an_empty_assignment_closes_tasks_too(app: EngineApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap: Faust seeks nothing where nothing is assigned, and the tasks of before would keep their stores."""
    monkeypatch.setattr(app.consumer, "_on_partitions_assigned", _nothing)
    consumer: Any = app.consumer
    await consumer.on_partitions_assigned(set())

    assert app.engine.ready
    await app.engine.close()


async def test_a_revocation_that_fails_ends_the_process(app: EngineApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap: aiokafka swallows what its listeners raise, and consumes on."""
    monkeypatch.setattr(transport, "end_process", _end)
    monkeypatch.setattr(app.engine, "revoke", _fail)
    consumer: Any = app.consumer

    with pytest.raises(EndedError, match="revocation failed"):
        await consumer.on_partitions_revoked({TP("in", 0)})


async def test_a_task_that_cannot_start_ends_the_process(
    openings: Openings, inputs: FakeInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: a dead consumer that heartbeats, and nobody notices."""
    monkeypatch.setattr(supervise, "open_task", _fail)
    ended: list[str] = []
    tasks = Tasks("app", NoConnection(), [STAGE], EngineSettings(tmp_path), _noting(ended))
    tasks.attach(inputs, lambda: None)
    tasks.assign({("in", 0)})
    await until(lambda: ended)

    assert ended == ["TaskId(stage='stage', partition=0) cannot start"]


async def test_a_task_that_stands_still_with_work_at_hand_ends_the_process(
    tasks: Tasks, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: a worker whose port is open and whose heart beats, and whose offsets do not move."""
    monkeypatch.setattr(supervise, "_WATCH_SECONDS", 0.25)
    monkeypatch.setattr(asyncio, "sleep", _turn(asyncio.sleep))
    task = await _assigned(tasks)
    openings.benches[0].writer.may_commit.clear()
    assert task.feed is not None
    task.feed.accept(FetchedPartition("in", 0, 0, [a_record(0)], 1))
    async with asyncio.timeout(10):
        with pytest.raises(EndedError, match="makes no progress"):
            await tasks.watch()

    openings.benches[0].writer.may_commit.set()
    await tasks.close()


async def test_a_message_that_faust_delivers_ends_the_process(app: EngineApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap: what goes through Faust's stream may be dropped there, by its generation or its type, silently."""
    monkeypatch.setattr(engine_app, "end_process", _end)
    [agent] = app.agents.values()

    with pytest.raises(EndedError, match="Faust delivered a message to stage"):
        await agent.fun(_AStream())


def test_faust_neither_takes_stdout_nor_a_folder_where_it_is_started(
    app: EngineApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: Faust redirects stdout, sets up logging anew, and makes `<id>-data` in the working folder."""
    options: dict[str, Any] = {}

    class Worker:
        def __init__(self, app: EngineApp, **given: Any) -> None:
            options.update(given)

        def execute_from_commandline(self) -> None:
            pass

    monkeypatch.setattr(faust, "Worker", Worker)
    monkeypatch.setattr(asyncio, "set_event_loop_policy", lambda policy: None)
    run_worker(app)

    assert (options["redirect_stdouts"], options["override_logging"]) == (False, False)
    for folder in (app.conf.datadir, app.conf.appdir, app.conf.tabledir):
        assert folder.is_relative_to(tmp_path / "state")


@pytest.mark.usefixtures("app")
def test_a_worker_does_not_wait_twenty_ms_for_the_last_transactions_markers() -> None:
    """The trap: aiokafka waits 20 ms after CONCURRENT_TRANSACTIONS, which under load every transaction pays."""
    assert 0 < sender.BACKOFF_OVERRIDE <= 0.005


class _Nowhere(NoConnection):
    def for_faust(self, transport: str) -> dict[str, object]:
        return {"broker": f"{transport}://127.0.0.1:1"}


class _AStream:
    async def events(self) -> Any:
        yield object()


def _runtime(inputs: _InOrder, folder: Path) -> TaskRuntime:
    settings = EngineSettings(folder)
    return TaskRuntime("app", NoConnection(), settings, inputs, Bench().ticks, asyncio.Semaphore(1), lambda: None, _end)


async def _assigned(tasks: Tasks) -> RunningTask:
    tasks.assign({("in", 0)})
    await until(lambda: tasks.ready)
    [task] = tasks.running.values()
    return task


def _end(reason: str, error: BaseException | None = None) -> NoReturn:
    raise EndedError(reason) from error


def _noting(ended: list[str]) -> Any:
    def end(reason: str, error: BaseException | None = None) -> NoReturn:
        ended.append(reason)
        _end(reason, error)

    return end


def _turn(sleep: Any) -> Any:
    async def one_turn(_seconds: float) -> None:
        await sleep(0)

    return one_turn


async def _fail(*_args: object) -> NoReturn:
    raise LookupError("a bug")


async def _nothing(*_args: object, **_kwargs: object) -> None:
    pass
