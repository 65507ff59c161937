"""``brobygger ingest``: sends files through the gateway's doors."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from streams.cli.doors import DoorError, Doors, NotTaken, files_in, letter_of
from streams.cli.printing import REFUSED, AsJson, print_document, print_table, refuse
from streams.instance import read_instance
from streams.settings import settings_of_process

_Row = tuple[Path, NotTaken]


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="files, or folders of .json, .jsonl and .ndjson files")],
    token: Annotated[str, typer.Option(envvar="BROBYGGER_TOKEN", help="of `brobygger clients create`")],
    gateway: Annotated[str | None, typer.Option(help="its address; the running instance's unless given")] = None,
    topic: Annotated[str | None, typer.Option(help="of statements, where a file's name doesn't start with it")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Sends each file to its door: FHIR Bundles as MedCom messages, other JSON and NDJSON as statements.

    Exit code 2 where anything was refused; sending the same files again is safe. With --json one document:
    {"files", "taken", "refused": [{"file", "where", "code", "text"}]}.
    """
    files = list(files_in(paths))
    if not files:
        raise refuse("no .json, .jsonl or .ndjson file is there; name files or another folder")
    taken, refused = _send_all(files, Doors(gateway or _address(), token), topic)
    if as_json:
        rows = [{"file": str(path)} | why._asdict() for path, why in refused]
        print_document({"files": len(files), "taken": taken, "refused": rows})
    else:
        typer.echo(f"{taken} statements of {len(files)} files were taken, {len(refused)} refused")
        if refused:
            print_table("refused", ("file", "where", "code", "why"), ((path, *why) for path, why in refused))
    if refused:
        raise typer.Exit(REFUSED)


def _send_all(files: list[Path], doors: Doors, topic: str | None) -> tuple[int, list[_Row]]:
    """Sends the files in their order; one that has no door is refused and the others go on."""
    taken, refused = 0, list[_Row]()
    with Progress(console=Console(stderr=True), transient=True) as progress, doors:
        for path in progress.track(files, description="sending"):
            try:
                letter = letter_of(path, topic)
            except DoorError as error:
                refused.append((path, NotTaken("", "no_door", str(error))))
                continue
            answer = doors.send(letter)
            taken += answer.taken
            refused += [(path, why) for why in answer.refused]
    return taken, refused


def _address() -> str:
    instance = read_instance(settings_of_process().data_folder)
    if instance is None:
        raise refuse("no instance runs here; give --gateway, e.g. --gateway http://127.0.0.1:8460")
    return instance.gateway
