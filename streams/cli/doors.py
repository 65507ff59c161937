"""Sends files through the gateway's doors: what each file is, which door it goes to, and what the door answered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import httpx

from schemas.topics import STATEMENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMEOUT = timedelta(seconds=60)
_FHIR, _JSON, _NDJSON = "application/fhir+json", "application/json", "application/x-ndjson"
_FILE_BYTES_MAX = 16 * 1024 * 1024
_SUFFIXES = (".json", ".jsonl", ".ndjson")
# What is written beside a list that was sent (``list_files``) is not sent with its folder.
WRITTEN = (".report.json", ".failed.csv", ".failed.ndjson")
_TRANSIENT = "transient-error"


class DoorError(Exception):
    """A file has no door, or the gateway can't be reached; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A file on its way: the door it goes to, as what, and its bytes."""

    path: Path
    door: str
    media_type: str
    content: bytes


class NotTaken(NamedTuple):
    """Something in the file was not taken: where (a line, or the whole), and the door's words."""

    where: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a file: how many of its statements were taken or known already, and which were not."""

    taken: int
    refused: tuple[NotTaken, ...] = ()


def files_in(paths: list[Path]) -> Iterator[Path]:
    """Yields the files named, and of a folder every .json, .jsonl and .ndjson file in it, by name."""
    for path in paths:
        if path.is_dir():
            found = (one for one in path.rglob("*") if one.suffix in _SUFFIXES and one.is_file())
            yield from sorted(one for one in found if not one.name.endswith(WRITTEN))
        else:
            yield path


def letter_of(path: Path, topic: str | None) -> Letter:
    """Reads a file and finds its door: a Bundle by its resourceType, others by ``topic`` or the file's name.

    A file whose name starts with a topic's (``discharges-2026-01.ndjson``) needs no ``topic``. Raises DoorError.
    """
    content = content_of(path)
    if path.suffix == ".json" and topic is None and _is_bundle(content):
        return Letter(path, "/medcom/fhir", _FHIR, content)
    named = topic or next((one for one in STATEMENT_TOPICS if path.name.startswith(one)), None)
    if named is None:
        return _unnamed(path, content)
    return Letter(path, f"/events/{named}", _JSON if path.suffix == ".json" else _NDJSON, content)


def content_of(path: Path) -> bytes:
    """Returns what a file holds; raises DoorError where it can't be read or is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise DoorError(f"can't be read: {error.strerror}; check the path and its rights") from error
    if len(content) > _FILE_BYTES_MAX:
        raise DoorError(f"is larger than {_FILE_BYTES_MAX} bytes; split it")
    return content


class Doors:
    """The gateway over HTTP, with one token. Use as a context manager; calls block up to a minute."""

    def __init__(self, gateway: str, token: str) -> None:
        """Takes the gateway's address, e.g. http://127.0.0.1:8460."""
        self._gateway = gateway
        headers = {"authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=gateway, headers=headers, timeout=_TIMEOUT.total_seconds())

    def __enter__(self) -> Self:
        """Opens nothing yet."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Closes the connections."""
        self._client.close()

    def send(self, letter: Letter) -> Answer:
        """Sends a file and returns what became of it; sending the same again is safe. Raises DoorError."""
        headers = {"content-type": letter.media_type}
        if letter.media_type != _FHIR:
            # The same bytes have the same key, so that a second run is answered as the first was.
            headers["idempotency-key"] = hashlib.sha256(letter.content).hexdigest()
        return answer_of(self.post(letter.door, letter.content, headers))

    def post(self, door: str, content: bytes, headers: dict[str, str], timeout: timedelta = _TIMEOUT) -> httpx.Response:
        """Returns what a door answers; raises DoorError where none does."""
        try:
            return self._client.post(door, content=content, headers=headers, timeout=timeout.total_seconds())
        except httpx.HTTPError as error:
            raise DoorError(
                f"the gateway at {self._gateway} does not answer ({type(error).__name__}); "
                "`brobygger doctor` tells whether it runs"
            ) from error


def _is_bundle(content: bytes) -> bool:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("resourceType") == "Bundle"


def _unnamed(path: Path, content: bytes) -> Letter:
    """Sends JSON that names no topic to the MedCom door, which says what is wrong with it; refuses the rest."""
    if path.suffix == ".json" and b'"resourceType"' in content:
        return Letter(path, "/medcom/fhir", _FHIR, content)
    names = ", ".join(STATEMENT_TOPICS)
    raise DoorError(f"is no FHIR Bundle; for statements give --topic, or a name that starts with one of {names}")


def answer_of(response: httpx.Response) -> Answer:
    """Reads what any door may answer: a report of lines, one statement's outcome, an Acknowledgement, a problem."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    try:
        if kind == _NDJSON:
            return _of_report([json.loads(line) for line in response.content.splitlines()])
        content = json.loads(response.content or b"{}")
    except ValueError:
        content = {}
    if content.get("resourceType") == "Bundle":
        return _of_acknowledgement(content)
    if content.get("resourceType") == "OperationOutcome":
        return Answer(0, (_of_outcome(content),))
    if response.is_success and "refused" not in content:
        return Answer(1)
    refusal = content.get("refused") or {}
    text = "; ".join(refusal[name] for name in ("field", "rule", "help") if refusal.get(name))
    whole = NotTaken("", refusal.get("code", str(response.status_code)), text or response.reason_phrase)
    return Answer(0, (whole,))


def _of_report(lines: list[dict[str, Any]]) -> Answer:
    refused = tuple(
        NotTaken(
            f"line {line['line']}",
            line["refused"]["code"],
            "; ".join(line["refused"][name] for name in ("field", "rule", "help")),
        )
        for line in lines
        if "refused" in line
    )
    return Answer(len(lines) - len(refused), refused)


def _of_acknowledgement(bundle: dict[str, Any]) -> Answer:
    resources = {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}
    code = resources["MessageHeader"]["response"]["code"]
    if code == "ok":
        return Answer(1)
    found = _of_outcome(resources["OperationOutcome"])
    return Answer(0, (found._replace(code=_TRANSIENT) if code == _TRANSIENT else found,))


def _of_outcome(outcome: dict[str, Any]) -> NotTaken:
    issue = outcome["issue"][0]
    code, _, rule = issue["details"]["text"].partition(": ")
    return NotTaken("", code, "; ".join([*issue.get("expression", ()), rule, issue.get("diagnostics", "")]))
