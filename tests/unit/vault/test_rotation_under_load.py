"""Rotation while threads and processes keep, look up, allot and erase; and one that is killed again and again."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connectors.vault.erasure import erase_from_vault
from connectors.vault.keys import index_keys, wrapping_keys
from connectors.vault.keys_in_force import KeyPurpose
from connectors.vault.reworking import Reworking
from connectors.vault.rotation import Retired
from connectors.vault.tables import INDEX
from tests.unit.vault.builders import AT, SYSTEM
from tests.unit.vault.instances import PROCESSES, an_instance

pytestmark = pytest.mark.long
SHARED = [f"010100{number:04}" for number in range(20)]


def is_at_work(url: str, keys: Path, seed: int, go_on: Callable[[], bool]) -> dict[str, str]:
    """Looks up, keeps, allots and erases until it is stopped; returns the youth ids it was given by number."""
    instance, chance, seen = an_instance(url, keys), random.Random(seed), dict[str, str]()
    for turn in range(1_000_000):
        if not go_on() and turn >= len(SHARED):
            break
        number = SHARED[turn % len(SHARED)]
        youth_id = instance.tell(number)
        assert seen.setdefault(number, youth_id) == youth_id
        assert instance.name_of(youth_id) == f"Person {number}"
        passing = f"{seed:02}{turn:08}"
        erased = instance.tell(passing)
        assert instance.vault.known_youth_id(SYSTEM, passing) == erased
        if chance.random() < 0.2:
            erase_from_vault(instance.vault.engine, erased)
            assert instance.vault.known_youth_id(SYSTEM, passing) is None
    return seen


def work_until(url: str, keys: Path, seed: int, stop: str) -> dict[str, str]:
    """Is at work in a process of its own until a file is there."""
    return is_at_work(url, keys, seed, lambda: not Path(stop).exists())


def test_rotating_all_keys_under_load_loses_and_moves_nobody(database: str, tmp_path: Path, soak: bool) -> None:
    instance, stop, ended = an_instance(database, tmp_path / "keys"), tmp_path / "stop", threading.Event()
    before = {number: instance.tell(number) for number in SHARED}
    rounds = 4 if soak else 1

    with ThreadPoolExecutor(2) as threads, PROCESSES.Pool(1) as processes:
        keys = instance.keys
        at_work = [threads.submit(is_at_work, database, keys, seed, lambda: not ended.is_set()) for seed in (1, 2)]
        elsewhere = processes.apply_async(work_until, (database, keys, 3, str(stop)))
        retired = []
        try:
            for kind in list(KeyPurpose) * rounds:
                instance.rotate(kind)
                retired.append(instance.rotation.retire(kind))
        finally:
            ended.set()
            stop.touch()
        seen = [one.result() for one in at_work] + [elsewhere.get()]

    former = [
        () if kind is KeyPurpose.DATA else (f"k{number:03}",) for number in range(1, rounds + 1) for kind in KeyPurpose
    ]
    assert retired == [Retired(keys) for keys in former]
    assert all(one == before for one in seen)
    with instance.vault.engine.connect() as connection:
        rows = connection.execute(select(INDEX.c.youth_id, func.count()).group_by(INDEX.c.youth_id)).all()
    assert {count for _, count in rows} == {1}


def rotate_until_killed(url: str, keys: Path, kind: KeyPurpose, began: Path) -> None:
    """Rotates in small steps, each of which takes a while; ends by itself only where all is done."""
    instance = an_instance(url, keys)
    index, identities = partial(index_keys, keys), partial(wrapping_keys, keys)
    began.touch()
    instance.rotation.start(kind, AT)
    for _ in Reworking(instance.vault.engine, index, identities, lambda _: time.sleep(0.005)).run(kind, batch=1):
        pass
    instance.rotation.retire(kind)


def killed_after(child: BaseProcess, began: Path, seconds: float) -> bool:
    """Kills a process so long after it began to rotate; returns whether it was not done by then."""
    while not began.exists():
        child.join(0.005)
    child.join(seconds)
    child.kill()
    child.join()
    return child.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("kind", list(KeyPurpose))
def test_a_rotation_that_is_killed_at_any_moment_goes_on_until_all_is_done(
    database: str, tmp_path: Path, kind: KeyPurpose, soak: bool
) -> None:
    chance, keys, kills = random.Random(7), tmp_path / "keys", 0
    instance = an_instance(database, keys)
    people = {number: instance.tell(number) for number in (f"020200{number:04}" for number in range(30))}

    for turn in range(60 if soak else 3):
        began = tmp_path / f"began-{turn}"
        child = PROCESSES.Process(target=rotate_until_killed, args=(database, keys, kind, began))
        child.start()
        kills += killed_after(child, began, chance.uniform(0, 0.3))
        assert {number: instance.vault.youth_id(SYSTEM, number) for number in people} == people
        assert instance.name_of(people["0202000007"]) == "Person 0202000007"

    instance.rotation.start(kind, AT)
    left = instance.rework(kind)[-1].left
    retired = instance.rotation.retire(kind)
    late = an_instance(database, keys)
    assert (kills > 0, left, type(retired)) == (True, 0, Retired)
    assert {number: late.vault.youth_id(SYSTEM, number) for number in people} == people
    assert [late.name_of(youth_id) for youth_id in people.values()] == [f"Person {number}" for number in people]
