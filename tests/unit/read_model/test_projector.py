"""The projector goes on: through failures of log and database, through a log that was replaced; and it says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from connectors.read_model import projector
from connectors.read_model.cursors import Cursor
from connectors.read_model.handovers import records_after
from connectors.read_model.opening import ReadModel
from connectors.read_model.projection import progress_of
from schemas.identifiers import derived_id
from tests.unit.read_model.builders import FakeLog, Tallied, a_read_model, an_answer, told

REPLY = derived_id("reply")
LONG, NONE = timedelta(seconds=20), timedelta()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "_RETRY_PAUSE", timedelta())


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def tally() -> Tallied:
    return Tallied()


@pytest.fixture
async def read_model(tmp_path: Path, log: FakeLog, tally: Tallied) -> AsyncIterator[ReadModel]:
    opened = a_read_model(tmp_path, log, tally)
    opened.projector.start()
    await log.wait_until_taken()
    yield opened
    await opened.close()


def offsets_of(read_model: ReadModel) -> list[int]:
    return [one.offset for one, _ in records_after(read_model.engine, Cursor("headspace"), 100).records]


@pytest.mark.parametrize("error", [KafkaConnectionError(), RuntimeError("a fault of ours, with Nancy in it")])
async def test_after_a_failure_it_goes_on_where_it_was(
    read_model: ReadModel, log: FakeLog, tally: Tallied, error: Exception
) -> None:
    log.append(told("one", (0, 0)))
    await log.wait_until_taken()
    with capture_logs() as logs:
        log.fail(error)
        await asyncio.wait_for(tally.failed.wait(), 20)
        log.append(told("two", (0, 1)))
        await log.wait_until_taken()

    [line] = [one for one in logs if one["event"] == "read_model_stopped"]
    assert (line["error"], line["log_level"]) == (type(error).__name__, "error")
    assert "Nancy" not in str(logs)
    assert offsets_of(read_model) == [0, 1]
    assert tally.records == {("handovers.headspace", "projected"): 2}
    assert read_model.projector.is_current


async def test_while_it_stands_still_it_is_not_current(read_model: ReadModel, log: FakeLog, tally: Tallied) -> None:
    current = []
    count = tally.count_failure
    tally.count_failure = lambda: (current.append(read_model.projector.is_current), count())  # type: ignore[method-assign,assignment,func-returns-value]

    log.fail(KafkaConnectionError())
    await asyncio.wait_for(tally.failed.wait(), 20)

    assert current == [False]


async def test_a_log_that_was_replaced_is_projected_from_its_start(
    tmp_path: Path, read_model: ReadModel, log: FakeLog
) -> None:
    log.append(*(told(str(number), (0, number)) for number in range(5)))
    await log.wait_until_taken()
    await read_model.close()

    other = FakeLog(told("new", (0, 0)))
    reopened = a_read_model(tmp_path, other)
    reopened.projector.start()
    await other.wait_until_taken()

    assert offsets_of(reopened) == [0]
    assert set(progress_of(reopened.engine).values()) == {1}
    await reopened.close()


async def test_an_answer_that_is_there_is_given_at_once(read_model: ReadModel, log: FakeLog) -> None:
    log.append(told("one", (0, 0)), an_answer(REPLY))
    await log.wait_until_taken()

    answer = await read_model.answers.answer_to(REPLY, NONE)

    assert answer is not None
    assert (answer.programme, answer.event.causation_id) == ("headspace", REPLY)


@pytest.mark.parametrize("statement", ["reply_accepted", "reply_refused", "identity_granted"])
async def test_an_answer_that_comes_wakes_all_who_wait(read_model: ReadModel, log: FakeLog, statement: str) -> None:
    waiting = [asyncio.create_task(read_model.answers.answer_to(REPLY, LONG)) for _ in range(3)]
    log.append(an_answer(derived_id("another"), "two", (0, 0)), an_answer(REPLY, "one", (0, 1), type=statement))

    answers = await asyncio.wait_for(asyncio.gather(*waiting), 20)

    assert [one and one.offset for one in answers] == [1, 1, 1]


async def test_what_has_the_same_cause_and_answers_nothing_is_no_answer(read_model: ReadModel, log: FakeLog) -> None:
    waiting = asyncio.create_task(read_model.answers.answer_to(REPLY, LONG))
    log.append(told("one", (0, 0), causation_id=REPLY))
    await log.wait_until_taken()
    there = await read_model.answers.answer_to(REPLY, NONE)
    log.append(an_answer(REPLY))
    answer = await asyncio.wait_for(waiting, 20)

    assert there is None
    assert answer is not None
    assert answer.offset == 1


async def test_where_no_answer_comes_in_time_there_is_none(read_model: ReadModel) -> None:
    assert await read_model.answers.answer_to(REPLY, timedelta(milliseconds=1)) is None
    assert read_model.answers._waiting == {}


async def test_who_waits_is_sent_away_when_the_process_ends(read_model: ReadModel) -> None:
    waiting = asyncio.create_task(read_model.answers.answer_to(REPLY, LONG))
    await asyncio.sleep(0)
    read_model.end_waiting()

    assert await asyncio.wait_for(waiting, 10) is None
    assert await read_model.answers.answer_to(REPLY, LONG) is None
