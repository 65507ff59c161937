"""Mutated lists at the door: what is reported as accepted is published, what is refused is not; sent twice as once."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gateway.builders import a_gateway
from tests.unit.gateway.sent_lists import Sender, map_list
from tests.unit.municipal.builders import LISTS, ODD
from tests.unit.municipal.mutating import ODD_LIST, ODD_MAPPING, mutations

CHANGES = (LISTS / f"{ODD}.toml").read_text(encoding="utf-8").partition("[missing]")[0].replace("snapshot", "changes")


async def check(contents: list[bytes]) -> None:
    """Sends mutated lists one after the other, each twice, to a gateway of their own."""
    with TemporaryDirectory() as folder:
        async with a_gateway(Path(folder) / "data") as gateway:
            map_list(gateway, CHANGES)
            gateway.clock.now = gateway.clock.now.replace(year=2027)
            sender = Sender(gateway)
            for content in contents:
                before = len(gateway.published("enrolments"))
                answer = await sender.post(content)
                published = len(gateway.published("enrolments")) - before
                if answer.status_code != 200:
                    assert answer.status_code in (400, 413, 422)
                    assert set(answer.json()["refused"]) == {"code", "field", "rule", "help"}
                    assert published == 0
                    continue
                counts = Counter(row["outcome"] for row in answer.json()["report"])
                assert published >= counts["accepted"]
                assert published == 0 or counts["accepted"]
                again = await sender.post(content)
                assert len(gateway.published("enrolments")) == before + published
                assert not any(row["outcome"] == "accepted" for row in again.json()["report"])


@pytest.mark.long
@settings(max_examples=settings().max_examples // 4)
@given(st.lists(mutations([(ODD_LIST, ODD_MAPPING)]), min_size=1, max_size=4))
def test_a_mutated_list_publishes_what_it_reports_and_nothing_twice(mutated: list[tuple[bytes, object]]) -> None:
    asyncio.run(check([ODD_LIST, *(content for content, _ in mutated)]))
