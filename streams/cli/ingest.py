"""``brobygger ingest``: sends files through the gateway's doors."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from streams.cli.doors import Answer, DoorError, Doors, NotTaken, content_of, files_in, letter_of
from streams.cli.list_files import lists_in, send_list
from streams.cli.printing import REFUSED, AsJson, print_document, print_table, refuse
from streams.instance import read_instance
from streams.settings import settings_of_process

_Row = tuple[Path, NotTaken]
_Sending = Callable[[Doors], Answer]


def ingest(  # noqa: PLR0913, PLR0917 one parameter an option of the command
    paths: Annotated[list[Path], typer.Argument(help="files, or folders of .json, .jsonl and .ndjson files")],
    token: Annotated[str, typer.Option(envvar="BROBYGGER_TOKEN", help="of `brobygger clients create`")],
    gateway: Annotated[str | None, typer.Option(help="its address; the running instance's unless given")] = None,
    topic: Annotated[str | None, typer.Option(help="of statements, where a file's name doesn't start with it")] = None,
    list_name: Annotated[str | None, typer.Option("--list", help="the files are this list: CSV, XLSX or JSON")] = None,
    believe_missing: Annotated[  # noqa: FBT002 Typer's way of a flag
        bool, typer.Option("--believe-missing", help="however much a snapshot of a list lacks, it has ended")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Sends each file to its door: FHIR Bundles as MedCom messages, other JSON and NDJSON as statements.

    Exit code 2 where anything was refused; sending the same files again is safe. With --list beside each file are
    written FILE.report.json and, of what failed, FILE.failed.csv to be mended and sent. With --json one document:
    {"files", "taken", "refused": [{"file", "where", "code", "text"}]}.
    """
    files = list(files_in(paths) if list_name is None else lists_in(paths))
    if not files:
        raise refuse("no file of a kind that is sent is there; name files or another folder")

    def prepared(path: Path) -> _Sending:
        if list_name is None:
            letter = letter_of(path, topic)
            return lambda doors: doors.send(letter)
        content = content_of(path)
        return lambda doors: send_list(doors, path, content, list_name, believe_missing=believe_missing)

    taken, refused = _send_all(files, Doors(gateway or _address(), token), prepared)
    (_print_document if as_json else _print)(len(files), taken, refused)
    if refused:
        raise typer.Exit(REFUSED)


def _print_document(files: int, taken: int, refused: list[_Row]) -> None:
    rows = [{"file": str(path)} | why._asdict() for path, why in refused]
    print_document({"files": files, "taken": taken, "refused": rows})


def _print(files: int, taken: int, refused: list[_Row]) -> None:
    typer.echo(f"{taken} statements of {files} files were taken, {len(refused)} refused")
    if refused:
        print_table("refused", ("file", "where", "code", "why"), ((path, *why) for path, why in refused))


def _send_all(files: list[Path], doors: Doors, prepared: Callable[[Path], _Sending]) -> tuple[int, list[_Row]]:
    """Sends the files in their order; one that has no door is refused and the others go on."""
    taken, refused = 0, list[_Row]()
    # A long list is one file: the clock shows that it goes on.
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress, doors:
        for path in progress.track(files, description="sending"):
            try:
                send = prepared(path)
            except DoorError as error:
                refused.append((path, NotTaken("", "no_door", str(error))))
                continue
            answer = send(doors)
            taken += answer.taken
            refused += [(path, why) for why in answer.refused]
    return taken, refused


def _address() -> str:
    instance = read_instance(settings_of_process().data_folder)
    if instance is None:
        raise refuse("no instance runs here; give --gateway, e.g. --gateway http://127.0.0.1:8460")
    return instance.gateway
