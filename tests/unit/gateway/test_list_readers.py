"""Lists are read apart from everything that answers: who sends heavy ones makes nobody else wait."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.lists.readers import ListReaders
from connectors.municipal.mapping import load_mapping
from connectors.municipal.rows import read_list
from schemas.refusals import Refusal
from tests.unit.gateway.builders import Gateway, a_gateway, refused
from tests.unit.gateway.sent_lists import COURSE, CSV, HEAVY, a_list, map_courses
from tests.unit.municipal.builders import EXAMPLES, LISTS, ROWS_MAX, a_mapping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

_STARTED_WITHIN_SECONDS = 30


@asynccontextmanager
async def reading_itself(folder: Path, **limits: Any) -> AsyncIterator[Gateway]:
    """Yields a gateway with processes of its own, which end with it, whatever they are reading."""
    async with a_gateway(folder, list_readers=None, **limits) as gateway:
        map_courses(gateway)
        yield gateway


def sent(gateway: Gateway, sender: str, content: bytes, count: int = 1) -> list[asyncio.Task[httpx.Response]]:
    """Begins to send a list that many times at once."""
    headers = CSV | gateway.token(ClientKind.SOURCE, sender)
    return [
        asyncio.create_task(gateway.http.post("/lists/courses", content=content, headers=headers)) for _ in range(count)
    ]


async def let_go(tasks: list[asyncio.Task[httpx.Response]]) -> None:
    """Ends requests that nobody waits for any more."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.parametrize("senders", [1, 4])
async def test_others_are_answered_while_eight_heavy_sheets_are_read(tmp_path: Path, senders: int) -> None:
    async with reading_itself(tmp_path / "data") as gateway:
        sheets = [one for sender in range(senders) for one in sent(gateway, f"kommune-{sender}", HEAVY, 8 // senders)]
        headers = gateway.token()
        answers = [await gateway.statement("enrolments", headers, subject=f"course-{n}") for n in range(10)]
        answers += [await gateway.http.get("/ready"), await gateway.http.get("/metrics")]

        assert {answer.status_code for answer in answers} == {200, 201}
        assert not [sheet for sheet in sheets if sheet.done()]
        await let_go(sheets)


async def test_anothers_list_is_read_while_one_sender_s_wait_for_each_other(tmp_path: Path) -> None:
    async with reading_itself(tmp_path / "data") as gateway:
        heavy = sent(gateway, "one", HEAVY, 4)
        [small] = sent(gateway, "other", a_list(COURSE))

        assert (await small).json()["accepted"] == 1
        assert not [sheet for sheet in heavy if sheet.done()]
        await let_go(heavy)


async def test_more_lists_than_a_client_may_have_on_their_way_are_turned_away(tmp_path: Path) -> None:
    async with reading_itself(tmp_path / "data", lists_per_client_max=2) as gateway:
        lists = sent(gateway, "one", HEAVY, 3)
        [turned_away], waiting = await asyncio.wait(lists, return_when=asyncio.FIRST_COMPLETED)

        assert refused(await turned_away) == (429, "too_many_lists", "")
        assert (await turned_away).headers["retry-after"]
        await let_go(list(waiting))


async def test_a_list_that_takes_too_long_is_refused_and_the_next_one_read(tmp_path: Path) -> None:
    hurried, patient = (ListReaders(1, 8, timedelta(seconds=seconds)) for seconds in (0, 60))
    try:
        for content in (HEAVY, HEAVY):
            found = await hurried.read(content, a_mapping(), ROWS_MAX)
            assert isinstance(found, Refusal)
            assert found.code == "file_too_heavy"
        assert await patient.read(a_list(COURSE), a_mapping(), ROWS_MAX) == read_list(
            a_list(COURSE), a_mapping(), ROWS_MAX
        )
    finally:
        hurried.close()
        patient.close()


async def test_who_sends_a_list_that_takes_too_long_is_turned_away_before_the_next_is_read(tmp_path: Path) -> None:
    async with reading_itself(tmp_path / "data", list_time_max=timedelta(seconds=0.5)) as gateway:
        answers = [await one for one in sent(gateway, "one", HEAVY, 3)]
        [elsewhere] = sent(gateway, "other", HEAVY)
        await elsewhere
        gateway.clock.seconds += 5
        [later] = sent(gateway, "one", HEAVY)

        assert sorted(answer.status_code for answer in answers) == [422, 429, 429]
        assert {refused(answer) for answer in answers if answer.status_code == 429} == {
            (429, "too_many_statements", "")
        }
        assert {answer.headers.get("retry-after") for answer in answers} == {None, "5"}
        assert refused(await elsewhere) == refused(await later) == (422, "file_too_heavy", "file")


async def test_a_reader_that_something_else_ends_costs_the_sender_no_time(tmp_path: Path) -> None:
    async with reading_itself(tmp_path / "data") as gateway:
        headers = CSV | gateway.token(ClientKind.SOURCE, "one")
        reading = asyncio.create_task(gateway.http.post("/lists/courses", content=HEAVY, headers=headers))
        processes = gateway.app.state.desk.list_readers._processes
        async with asyncio.timeout(_STARTED_WITHIN_SECONDS):
            while not processes:  # noqa: ASYNC110 - a thread starts it; it sets no event here
                await asyncio.sleep(0.01)  # between looks at the condition
        processes[0].kill()

        answer = await reading
        next_one = await gateway.http.post("/lists/courses", content=a_list(COURSE), headers=headers)

        assert refused(answer) == (422, "reader_ended", "file")
        assert (next_one.status_code, next_one.json()["accepted"]) == (200, 1)


async def test_every_list_is_read_there_as_it_is_read_here() -> None:
    readers = ListReaders(1, 8, timedelta(seconds=60))
    try:
        for name in EXAMPLES:
            mapping = load_mapping(LISTS / f"{name}.toml")
            for path in LISTS.glob(f"{name}.*"):
                content = path.read_bytes()
                assert await readers.read(content, mapping, ROWS_MAX) == read_list(content, mapping, ROWS_MAX)
    finally:
        readers.close()
