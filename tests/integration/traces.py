"""What a demo tells of people, in every spelling, and where it may be found: in files, stores and processes."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import httpx

from schemas.reference import load_reference
from streams.demo.doors import DemoClient
from streams.demo.people import YoungPerson
from streams.demo.plot import Plot
from streams.engine.store import RocksStore
from tests.unit.gateway.prepared import ROOT


class Cast(Plot):
    """A plot that is never played: it tells whom the demo makes up."""

    def __post_init__(self) -> None:
        """Starts with nobody."""
        super().__post_init__()
        self.people: list[YoungPerson] = []

    def _person(self, municipality: str, age: int) -> YoungPerson:
        person = super()._person(municipality, age)
        self.people.append(person)
        return person


def people_of_the_demo(days: Iterable[datetime]) -> set[YoungPerson]:
    """Returns everybody whom the first demo on a data folder tells of, begun on one of these days."""
    people: set[YoungPerson] = set()
    for day in days:
        cast = Cast(DemoClient(httpx.AsyncClient(), {}), load_reference(ROOT / "reference"), day, run=1)
        assert list(cast.acts())
        people |= set(cast.people)
    return people


def spellings_of(people: Iterable[YoungPerson]) -> set[bytes]:
    """Returns how these people's numbers and names look in bytes, in every form in which they may have been kept."""
    found: set[bytes] = set()
    for person in people:
        hyphened = f"{person.cpr[:6]}-{person.cpr[6:]}"
        for text in (person.cpr, hyphened, person.first_name, person.last_name):
            found |= {text.encode(code) for code in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")}
            found.add(json.dumps(text).strip('"').encode())
        for number in (person.cpr, hyphened):
            found |= base64_forms(number.encode()) | {number.encode().hex().encode()}
    return found


def base64_forms(secret: bytes) -> set[bytes]:
    """Returns what of the secret's base64 stays the same wherever it stands in what was encoded."""
    forms = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret)
        first = -(-before * 8 // 6)
        forms.add(whole[first : (before + len(secret)) * 8 // 6])
    return forms


def found_in(content: bytes, spellings: Iterable[bytes]) -> list[bytes]:
    """Returns which of the spellings stand in the content."""
    return [one for one in spellings if one in content]


def found_in_files(folder: Path, spellings: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """Returns every file under a folder that holds one of the spellings, in its name or its bytes."""
    known = set(spellings)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        (str(path.relative_to(folder)), one)
        for path in files
        for one in found_in(str(path).encode() + path.read_bytes(), known)
    ]


def states_of(data_folder: Path) -> Iterator[bytes]:
    """Yields every key and value of the workers' stores, whose files may be compressed."""
    for current in sorted(data_folder.rglob("CURRENT")):
        store = RocksStore(current.parent)
        for key, value in store.states():
            yield key + value
        store.close()


def processes_of(folder: Path) -> list[str]:
    """Returns every process that was started with the folder in its command or its environment (Linux, proc(5))."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if process.name.isdigit() and process.name != str(os.getpid()) and str(folder).encode() in words:
            found.append(f"{process.name}: {words[:200]!r}")
    return found
