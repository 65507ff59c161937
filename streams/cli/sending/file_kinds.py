"""What a file is, known by its content, and which door it goes to."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from connectors.medcom_edi.envelopes import ENVELOPE_BYTES_MAX, ContentKind, Unwrapped, unwrap
from connectors.strict_json import refuse_oversized
from schemas.refusals import RefusedError
from schemas.topics import INTERNAL_STATEMENT_TOPICS, STATEMENT_TOPICS
from streams.cli.sending.door_answers import EDIFACT, FHIR, JSON, NDJSON, XML, NoDoorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_BYTES_MAX = ENVELOPE_BYTES_MAX
# A file's receipt has a longer name, of which systems take 255 bytes.
NAME_BYTES_MAX = 200
_FHIR_XML = "application/fhir+xml"
_NESTING_MAX = 64
_MARK = b"\xef\xbb\xbf"
_LINES = (".jsonl", ".ndjson")
# What is written beside a file that was sent is not sent with its folder.
_WRITTEN = re.compile(r"\.(report\.json|failed\.csv|failed\.ndjson|receipt\.(json|ndjson|edi|xml))$")
# Nor is what is still being written: by SFTP clients and servers, browsers, synchronisers, rsync and aria2, nor what
# Office and editors keep beside a file that is open.
_UNFINISHED = re.compile(
    r"^[.~]|~$|\.(part|partial|filepart|crdownload|opdownload|download|upload|uploading|incomplete|unfinished"
    r"|in-?progress|temp|tmp|aria2|!sync|!ut)$",
    re.IGNORECASE,
)
_BARE = {
    ContentKind.EDIFACT: ("/medcom/edifact", EDIFACT),
    ContentKind.OIOXML: ("/medcom/oioxml", XML),
    ContentKind.FHIR_XML: ("/medcom/fhir", _FHIR_XML),
    ContentKind.FHIR_JSON: ("/medcom/fhir", FHIR),
}


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file on its way: the door it goes to, as what, and its bytes."""

    door: str
    media_type: str
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Returns what tells that the same was sent to the same door before; never leaves the sender's machine."""
        return file_digest(f"{self.door} {self.media_type}", self.content)

    @property
    def is_statement(self) -> bool:
        """Returns whether it goes to a door that takes an Idempotency-Key; the others know a letter by its own ids."""
        return self.door.startswith("/events/")


def file_digest(door: str, content: bytes) -> str:
    """Returns 64 hexadecimal digits, the same for the same bytes at the same door."""
    return hashlib.sha256(door.encode() + b"\0" + content).hexdigest()


def is_sent(name: str) -> bool:
    """Returns whether a file of a folder is sent: none that is hidden, written here, or still being written.

    ``name`` is its path below the folder; what lies in such a folder isn't sent either.

    >>> is_sent("2026/list.csv"), is_sent("list.csv.filepart"), is_sent("~$list.xlsx"), is_sent("list.csv.report.json")
    (True, False, False, False)
    """
    return not _WRITTEN.search(name) and not any(_UNFINISHED.search(part) for part in name.split("/"))


def files_in(folder: Path) -> Iterator[Path]:
    """Yields a folder's files, those of its folders too, by name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_sent(path.relative_to(folder).as_posix()):
            yield path


def content_of(path: Path) -> bytes:
    """Returns what a file holds; raises NoDoorError where it can't be read, or it or its name is too large."""
    try:
        with path.open("rb") as file:
            return content_in(file, path.name)
    except OSError as error:
        raise unreadable(error) from error


def content_in(file: BinaryIO, name: str) -> bytes:
    """Returns what an open file holds; raises NoDoorError where it or its name is too large, and OSError."""
    if len(os.fsencode(name)) > NAME_BYTES_MAX:
        raise NoDoorError(f"has a name of more than {NAME_BYTES_MAX} bytes; rename it")
    content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise NoDoorError(f"is larger than {FILE_BYTES_MAX} bytes; split it")
    return content


def unreadable(error: OSError) -> NoDoorError:
    """Returns the error of a file that can't be read."""
    return NoDoorError(f"can't be read: {error.strerror}; check the path and its rights")


def outgoing_file_of(name: str, content: bytes, topic: str | None) -> OutgoingFile:
    """Finds the door of a file: MedCom's by what it holds, statements' by ``topic`` or the file's name.

    A file whose name starts with a topic's (``discharges-2026-01.ndjson``) needs no ``topic``. Raises NoDoorError.
    """
    try:
        unwrapped = unwrap(content)
    except RefusedError as error:
        return _unread(content, error)
    if unwrapped.content is not ContentKind.FHIR_JSON or unwrapped.message is not content:
        return _of_medcom(content, unwrapped)
    if _is_resource(content):
        return OutgoingFile(*_BARE[ContentKind.FHIR_JSON], content)
    return _of_statements(name, content, topic)


def _of_medcom(content: bytes, unwrapped: Unwrapped) -> OutgoingFile:
    door, media_type = _BARE[unwrapped.content]
    return OutgoingFile(door, media_type if unwrapped.message is content else XML, content)


def _unread(content: bytes, error: RefusedError) -> OutgoingFile:
    """Sends XML that can't be read to a door, which says so and counts it; refuses what is nothing that is known."""
    if content.removeprefix(_MARK).lstrip().startswith(b"<"):
        return OutgoingFile("/medcom/oioxml", XML, content)
    rule, help_ = error.refusal.rule, error.refusal.help
    raise NoDoorError(
        f"{rule}; {help_}; for a list give --list NAME, or put it into in/lists/NAME of a watched folder"
    ) from error


def _of_statements(name: str, content: bytes, topic: str | None) -> OutgoingFile:
    named = topic or next((one for one in STATEMENT_TOPICS if name.startswith(one)), None)
    names = ", ".join(STATEMENT_TOPICS)
    if named is None:
        raise NoDoorError(f"is no FHIR Bundle; for statements give --topic, or a name that starts with one of {names}")
    if named not in STATEMENT_TOPICS + INTERNAL_STATEMENT_TOPICS:
        raise NoDoorError(f"no statements go to the topic that --topic names; give one of {names}")
    return OutgoingFile(f"/events/{named}", NDJSON if _has_lines(name, content) else JSON, content)


def _is_resource(content: bytes) -> bool:
    """Returns whether JSON is FHIR's; what can't be read but names a resource is, too: its door says what is wrong."""
    try:
        value = _json_in(content)
    except (ValueError, RefusedError):
        return b'"resourceType"' in content
    return isinstance(value, dict) and "resourceType" in value


def _has_lines(name: str, content: bytes) -> bool:
    """Returns whether each line is a statement: by the file's name, or where its first line is one and there are more.

    What is broken is read as one statement, whose door says where.
    """
    if name.lower().endswith(_LINES):
        return True
    first, _, others = content.removeprefix(_MARK).strip().partition(b"\n")
    return bool(others) and _is_object(first)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(_json_in(line), dict)
    except (ValueError, RefusedError):
        return False


def _json_in(content: bytes) -> Any:
    """Returns the value that JSON is; raises ValueError, or RefusedError where it is too much of one."""
    refuse_oversized(content, _NESTING_MAX)
    return json.loads(content)
