"""Which files a command sends, where the receipt of each belongs, and the sending of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.cli.sending.door_answers import DoorError, Finality, SubmissionResult, finality_of, submission_result_of
from streams.cli.sending.file_kinds import files_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from streams.cli.sending.doors import GatewayClient
    from streams.cli.sending.file_kinds import OutgoingFile
    from streams.cli.sending.receipt_files import ReceiptFolder


class SentFile(NamedTuple):
    """A file, the folder of its receipts, and its name there: its path below the folder that was named."""

    path: Path
    folder: Path
    name: str


# Of a folder of lists the rest is left out: nothing tells by its content that it is one. Other workbooks are sent too,
# since their door says what to save them as.
_LISTS = (".csv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".json", ".jsonl", ".ndjson")


def files_of(paths: list[Path], receipts: Path | None, *, lists_alone: bool) -> list[SentFile]:
    """Returns the files named and those in the folders named, each once, in this order.

    Receipts lie beside the files, or below ``receipts`` as the files do below the folder that was named. Raises
    DoorError where two files would have one receipt.
    """
    found: dict[Path, SentFile] = {}
    for path in paths:
        for file in _below(path, receipts):
            if lists_alone and path.is_dir() and file.path.suffix.lower() not in _LISTS:
                continue
            found.setdefault(file.path.resolve(), file)
    places: dict[Path, Path] = {}
    for file in found.values():
        place = file.folder / file.name
        if places.setdefault(place, file.path) != file.path:
            raise DoorError(f"{places[place]} and {file.path} would have one receipt; give the folder they are in")
    return list(found.values())


def send_letter(doors: GatewayClient, receipts: ReceiptFolder, name: str, letter: OutgoingFile) -> SubmissionResult:
    """Sends a letter or statements unless that was done, puts the receipt in place, and returns what it says.

    Where the file was turned away there is no receipt, and the next run sends it again. Raises DoorError.
    """
    known = receipts.known(name, letter.digest)
    if known is not None:
        if not receipts.is_done(name, letter.digest):
            receipts.finish(name, letter.digest, known.status)
        return submission_result_of(known)
    receipts.begin(name, letter.digest)
    answered = doors.send(letter)
    match finality_of(answered):
        case Finality.FINAL:
            receipts.keep(name, letter.digest, answered)
        case Finality.TRANSIENT:
            raise receipts.keep_partly(name, answered)
        case Finality.TURNED_AWAY:
            pass
    return submission_result_of(answered)


def _below(path: Path, receipts: Path | None) -> Iterator[SentFile]:
    if not path.is_dir():
        yield SentFile(path, receipts or path.parent, path.name)
        return
    for file in files_in(path):
        if receipts is None or not file.resolve().is_relative_to(receipts.resolve()):
            yield SentFile(file, receipts or path, file.relative_to(path).as_posix())
