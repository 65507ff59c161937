"""``brobygger ingest``: sends files through the gateway's doors."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from streams.cli.printing import REFUSED, AsJson, complain, counted, print_document, print_table, refuse
from streams.cli.sending.door_answers import NoDoorError, NotTaken, SubmissionResult
from streams.cli.sending.doors import GatewayClient, require_answer
from streams.cli.sending.file_kinds import content_of, file_digest, outgoing_file_of
from streams.cli.sending.files_sent import SentFile, files_of, send_letter
from streams.cli.sending.list_files import ListFile, list_door, send_list
from streams.cli.sending.receipt_files import ReceiptFolder
from streams.instance import read_instance
from streams.settings import settings_of_process

_Row = tuple[Path, NotTaken]


class _What(NamedTuple):
    """As what files are sent: a list at its door, or else letters, and statements of a topic."""

    topic: str | None
    list_name: str | None
    list_door: str


def ingest(  # noqa: PLR0913, PLR0917 one parameter an option of the command
    paths: Annotated[list[Path], typer.Argument(help="files, or folders with folders in them")],
    token: Annotated[str, typer.Option(envvar="BROBYGGER_TOKEN", help="of `brobygger clients create`")],
    gateway: Annotated[str | None, typer.Option(help="its address; the running instance's unless given")] = None,
    topic: Annotated[str | None, typer.Option(help="of statements, where a file's name doesn't start with it")] = None,
    list_name: Annotated[str | None, typer.Option("--list", help="the files are this list: CSV, XLSX or JSON")] = None,
    receipts: Annotated[Path | None, typer.Option(help="a folder for the receipts; else beside the files")] = None,
    believe_missing: Annotated[  # noqa: FBT002 Typer's way of a flag
        bool, typer.Option("--believe-missing", help="however much a snapshot of a list lacks, it has ended")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Sends each file to its door: FHIR, EDIFACT and OIOXML, in envelopes or without, and statements as JSON or NDJSON.

    What a file is, its content tells. Its receipt is written as FILE.receipt.json, .ndjson, .edi or .xml; of a list
    (--list) FILE.report.json and, of what failed, FILE.failed.csv to be mended and sent. What has a receipt is not sent
    again: after a kill the same command goes on. Exit code 2 where anything was refused. With --json one document:
    {"files", "taken", "refused": [{"file", "where", "code", "text"}]}.
    """
    files = files_of(paths, receipts, lists_alone=list_name is not None)
    if not files:
        raise refuse("no file that is sent is there; name files or another folder")
    door = "" if list_name is None else list_door(list_name, believe_missing=believe_missing)
    address = gateway or address_of_instance()
    require_answer(address)
    doors = GatewayClient(address, token)
    doors.tell = complain
    taken, refused = _send_all(files, doors, _What(topic, list_name, door))
    (_print_document if as_json else _print)(len(files), taken, refused)
    if refused:
        raise typer.Exit(REFUSED)


def address_of_instance() -> str:
    """Returns the running instance's gateway; raises typer.Exit where none runs here."""
    instance = read_instance(settings_of_process().data_folder)
    if instance is None:
        raise refuse("no instance runs here; give --gateway, e.g. --gateway http://127.0.0.1:8460")
    return instance.gateway


def _print_document(files: int, taken: int, refused: list[_Row]) -> None:
    rows = [{"file": _shown_name(path)} | why._asdict() for path, why in refused]
    print_document({"files": files, "taken": taken, "refused": rows})


def _print(files: int, taken: int, refused: list[_Row]) -> None:
    were = "was" if taken == 1 else "were"
    turned_away = len({(path, why.where) for path, why in refused})  # a row may break several rules
    told = f"{counted(taken, 'statement')} from {counted(files, 'file')} {were} taken, {turned_away} refused"
    typer.echo(told)
    if refused:
        print_table(
            "what is wrong", ("file", "where", "code", "why"), ((_shown_name(path), *why) for path, why in refused)
        )


def _shown_name(path: Path) -> str:
    """Returns a path as it can be printed: the bytes of a name may be no text."""
    return str(path).encode(errors="backslashreplace").decode()


def _send_all(files: list[SentFile], doors: GatewayClient, what: _What) -> tuple[int, list[_Row]]:
    """Sends the files in their order; one that has no door is refused and the others go on."""
    taken, refused = 0, list[_Row]()
    with _receipts_of(files, what) as receipts_in, _shown() as progress, doors:
        for file in progress.track(files, description="sending"):
            try:
                answer = _send(doors, receipts_in[file.folder], file, what)
            except NoDoorError as error:
                refused.append((file.path, NotTaken("", "no_door", str(error))))
                continue
            taken += answer.taken
            refused += [(file.path, why) for why in answer.refused]
        for receipts in receipts_in.values():
            receipts.end()
    return taken, refused


def _send(doors: GatewayClient, receipts: ReceiptFolder, file: SentFile, what: _What) -> SubmissionResult:
    if what.list_name is None:
        letter = outgoing_file_of(file.path.name, content_of(file.path), what.topic)
        return send_letter(doors, receipts, file.name, letter)
    content = content_of(file.path)
    return send_list(
        doors, receipts, ListFile(file.name, content, what.list_door, file_digest(what.list_door, content))
    )


@contextmanager
def _receipts_of(files: list[SentFile], what: _What) -> Iterator[dict[Path, ReceiptFolder]]:
    """Yields the receipts in each of the files' folders."""
    with ExitStack() as stack:
        folders = dict.fromkeys(file.folder for file in files)
        yield {folder: stack.enter_context(ReceiptFolder(folder.resolve(), what.list_name)) for folder in folders}


def _shown() -> Progress:
    # A long list is one file: the clock shows that it goes on.
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
