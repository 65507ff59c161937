"""The receipts of files that were sent, and what has been sent: so that a run that was killed goes on where it was.

Beside the receipts lies a journal, one line before a file is sent and one when its receipt is in place. A line that was
cut off is as if it had never been written: that file is sent again, and the doors give the same receipt.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, Self
from uuid import uuid4

from streams.cli.sending.door_answers import (
    EDIFACT,
    FHIR,
    JSON,
    NDJSON,
    XML,
    DoorError,
    GatewayResponse,
    NoPlaceError,
    PartlyTakenError,
)
from streams.cli.sending.held_folder import HeldFolder, is_of_the_name

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL = ".brobygger-ingest.ndjson"
_ENDINGS = {
    FHIR: ".receipt.json",
    JSON: ".receipt.json",
    NDJSON: ".receipt.ndjson",
    EDIFACT: ".receipt.edi",
    XML: ".receipt.xml",
}
_KINDS = {".receipt.json": JSON, ".receipt.ndjson": NDJSON, ".receipt.edi": EDIFACT, ".receipt.xml": XML}
_REPORT, _FAILED = ".report.json", (".failed.csv", ".failed.ndjson")
_WRITTEN = (*_KINDS, _REPORT, *_FAILED)
_NO_BODY = 202


@dataclass(frozen=True, slots=True)
class _Line:
    """A journal's line: a file of a run, by its name below the receipts' folder and the digest of what is sent."""

    run: str
    file: str
    digest: str
    state: Literal["begun", "done"]
    status: int = 0

    def written(self) -> bytes:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}).encode() + b"\n"


class ReceiptFolder:
    """The receipts in one folder. Use as a context manager; one process at a time has them.

    Letters and statements are sent once for good. A list is sent once a run: the same list may say something new
    another day, so a run that came to its end is over, and one that was cut off goes on. The journal only grows, by
    some 300 bytes a file.
    """

    def __init__(self, folder: Path, list_name: str | None = None, mode: int = 0o600) -> None:
        """Takes the folder, which is made where it is missing, the list that is sent, and who may read receipts.

        They may hold claim codes, or a list's rows: they are their owner's alone unless said.
        """
        self._folder = folder
        self._list_name = list_name
        self._mode = mode
        self._run = ""
        self._lines: dict[str, _Line] = {}
        self._held: HeldFolder
        self._journal: BinaryIO

    def __enter__(self) -> Self:
        """Reads the journal; raises DoorError where another process writes it, or nobody may."""
        try:
            self._held = HeldFolder(self._folder)
            descriptor = self._held.open(JOURNAL, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            self._journal = os.fdopen(descriptor, "r+b", buffering=0)
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.__exit__()
            raise DoorError(f"another process sends files of {self._folder}; wait until it has ended") from error
        except OSError as error:
            raise self._unwritable(error) from error
        self._read()
        return self

    def __exit__(self, *_error: object) -> None:
        """Lets others have them."""
        self._journal.close()
        self._held.close()

    @property
    def run(self) -> str:
        """Returns the id of a list's run, the same after it was cut off; empty for all else."""
        return self._run

    def known(self, file: str, digest: str) -> GatewayResponse | None:
        """Returns the receipt that is there of the same file and content, None where it has yet to be sent."""
        line = self._lines.get(file)
        if line is None or line.digest != digest:
            return None
        for ending in (*_KINDS, _REPORT):
            if written := self._held.read(f"{file}{ending}"):
                return GatewayResponse(line.status or 200, _KINDS.get(ending, JSON), written)
        return GatewayResponse(_NO_BODY, "", b"") if (line.state, line.status) == ("done", _NO_BODY) else None

    def is_done(self, file: str, digest: str) -> bool:
        """Returns whether nothing is left to do for a file of this content, its receipt being there."""
        line = self._lines.get(file)
        return line is not None and line.state == "done" and self.known(file, digest) is not None

    def have_room(self, file: str) -> bool:
        """Returns whether a file's receipts can be written: no folder has the name of one, no file is on the way."""
        return all(self._held.has_room(f"{file}{ending}") for ending in _WRITTEN)

    def begin(self, file: str, digest: str) -> None:
        """Notes that a file is about to be sent; what is left of an earlier content's receipt goes.

        Raises NoPlaceError where its receipt could not be written, and DoorError where nobody's could.
        """
        try:
            if not self.have_room(file):
                raise _no_place("another has its name")
            for ending in _WRITTEN:
                self._held.delete(f"{file}{ending}")
        except OSError as error:
            raise self._unwritable(error, file) from error
        self._note(_Line(self._run, file, digest, "begun"))

    def keep(self, file: str, digest: str, answered: GatewayResponse) -> None:
        """Puts a receipt in place, then notes that the file is done; raises DoorError where it can't be written."""
        if answered.content:
            self.write(file, _ENDINGS[answered.kind], answered.content)
        self.finish(file, digest, answered.status)

    def keep_partly(self, file: str, answered: GatewayResponse) -> DoorError:
        """Writes an answer to what was taken in part, and returns the error to raise: the rest has to be sent again."""
        ending = f".partly-{uuid4().hex[:8]}{_ENDINGS[answered.kind]}"
        self.write(file, ending, answered.content)
        return PartlyTakenError(
            f"{file} was taken in part; the claim codes of what was taken stand in {file}{ending}. "
            "Give the same command again for the rest"
        )

    def finish(self, file: str, digest: str, status: int) -> None:
        """Notes that a file is done."""
        self._note(_Line(self._run, file, digest, "done", status))

    def write(self, file: str, ending: str, content: bytes) -> None:
        """Writes a receipt, as ``write_in`` does."""
        self.write_in(self._held, f"{file}{ending}", content)

    def write_in(self, folder: HeldFolder, name: str, content: bytes) -> None:
        """Writes a file as a whole or not at all; raises as ``begin`` does where it can't be written."""
        try:
            folder.write(name, content, self._mode)
        except OSError as error:
            raise self._unwritable(error, name) from error

    @property
    def files(self) -> tuple[str, ...]:
        """Returns the files that the journal knows."""
        return tuple(self._lines)

    def forget(self, file: str) -> None:
        """Forgets a file that will not come again; what is forgotten takes no room once nothing else is known."""
        self._lines.pop(file, None)
        if not self._lines:
            self._journal.truncate(0)

    def end(self) -> None:
        """Notes that a list's run came to its end: the next one sends all of it again."""
        if self._run:
            self._note(_Line(self._run, "", "", "done"))

    def _read(self) -> None:
        content = self._journal.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._journal.truncate(len(whole))
        try:
            lines = [_Line(**json.loads(line)) for line in whole.splitlines()]
        except (TypeError, ValueError) as error:
            path = self._folder / JOURNAL
            raise DoorError(
                f"{path} was changed by somebody; delete it: what was sent gets the same receipt"
            ) from error
        if self._list_name is not None:
            begun = f"{self._list_name} "
            runs = dict.fromkeys(line.run for line in lines if line.run.startswith(begun))
            over = {line.run for line in lines if not line.file}
            self._run = next((run for run in runs if run not in over), f"{begun}{uuid4()}")
        self._lines = {line.file: line for line in lines if line.run == self._run}

    def _note(self, line: _Line) -> None:
        try:
            self._journal.write(line.written())
        except OSError as error:
            raise self._unwritable(error) from error
        self._lines[line.file] = line

    def _unwritable(self, error: OSError, *names: str) -> DoorError:
        if names and is_of_the_name(error, *names):
            return _no_place(error.strerror)
        return DoorError(f"no receipt can be written to {self._folder}: {error.strerror}; give --receipts FOLDER")


def _no_place(why: str | None) -> NoPlaceError:
    return NoPlaceError(f"has no place for its receipt ({why}); move away what is there, or rename the file")
